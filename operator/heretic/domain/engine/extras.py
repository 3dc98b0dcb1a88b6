"""What an engine is asked for only where it is declared."""

from enum import StrEnum

from heretic.api.v1alpha1 import HostedEngine, Network
from heretic.api.v1alpha1.network import NetworkRole
from heretic.api.v1alpha1.vnic_profile import NO_FILTER
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.engine import declared_engine
from heretic.domain.declared.stored import is_true
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.power import PowerOf
from heretic.domain.engine.power_questions import power_questions


class Extra(StrEnum):
    """One more question of a look: one request, or more to an answer."""

    MAC_POOLS = "mac pools"
    OWN_MACHINE = "the engine's own machine"
    AFFINITY_LABELS = "affinity labels"
    HOST_NETWORKS = "which networks each host has, and whether they are in sync"
    HOST_INTERFACES = "which ports, bonds and VLANs each host has"
    VNIC_PROFILES = "vNIC profiles"
    NETWORK_FILTERS = "network filters"


Question = Extra | PowerOf


def extras_of(view: SiteView) -> frozenset[Question]:
    """The questions that what a site declares of its engine needs."""
    engine, needed = declared_engine(view), set[Question](power_questions(view))
    if not isinstance(engine, HostedEngine):
        return frozenset()
    if engine.spec.cluster.mac_pool is not None:
        needed.add(Extra.MAC_POOLS)
    wanted = engine.spec.global_maintenance
    upgrade, stage = engine.spec.upgrade, engine.status.upgrade.stage
    if (wanted is not None and wanted is not engine.status.global_maintenance) or (upgrade and stage != "done"):
        needed.add(Extra.OWN_MACHINE)  # this takes a list of all machines: only where it will be needed
    if any(node.spec.affinity_labels is not None for node in view.nodes.values()):
        needed.add(Extra.AFFINITY_LABELS)
    networks = [network for network in view.of(Network).values() if network.spec.role is not NetworkRole.OVN]
    if networks:
        needed.add(Extra.HOST_NETWORKS)  # no request more: they come with the hosts
    profiles = [profile for network in networks if (profile := network.spec.logical_network.vnic_profile)]
    if profiles:
        needed.add(Extra.VNIC_PROFILES)
    if any(profile.network_filter not in (None, NO_FILTER) for profile in profiles):
        needed.add(Extra.NETWORK_FILTERS)
    configured = [node for node in view.nodes.values() if node.spec.configure_links and node.status.engine]
    if networks and configured:
        needed.add(Extra.HOST_INTERFACES)  # likewise
    if any(not is_true(node, ConditionType.WIRED) for node in configured):
        needed.add(Extra.OWN_MACHINE)
    if any(attached.in_engine is False for network in networks for attached in network.status.attachments):
        needed.add(Extra.OWN_MACHINE)  # whether a host may be touched depends on what runs on it
    return frozenset(needed)

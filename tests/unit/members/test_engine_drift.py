"""What somebody changes by hand in the engine of a whole site: told and repaired, or in mode Observe only told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from ovirtsdk4.types import StorageDomainStatus

from heretic.reconcile.store import Key
from sim.addresses import PREFIX
from sim.blank_site import declared
from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER
from sim.engine.host_life import Lasting
from sim.engine.hosted_engine import global_maintenance
from sim.engine.self_hosted import deploy_hosted_engine
from sim.engine.state import named
from sim.engine.storage import StoragePlace
from sim.world import NAMESPACE
from unit.hosted_engine.conftest import KEY
from unit.members.conftest import MemberWorld

NODE, LAN = Key("Node", NAMESPACE, "node1"), Key("Network", NAMESPACE, "lan")


@pytest.fixture
async def whole(lone: MemberWorld) -> MemberWorld:
    """A self-hosted engine, a host of ours beside another one, a storage domain, a network, a label: as declared."""
    lone.state.lasting = Lasting(install=0, reboot=0, initialize=0, notice=0)
    deploy_hosted_engine(lone.state, host="elsewhere", address=f"{PREFIX}99")
    lone.state.storage["nas:/guests"] = StoragePlace()
    lone.declare(affinityLabels=["ssd"])
    lone.world.api.apply(declared("Network", "lan", {"role": "LAN", "subnet": "172.20.12.0/24"}))
    guests = {"name": "guests", "nfs": {"address": "nas", "path": "/guests"}}
    lone.change(globalMaintenance=False, storageDomains=[guests])
    await lone.until(lone.ready)
    await lone.rounds(1)
    return lone


def domain_id(site: MemberWorld) -> str:
    found = named(site.state.storage_domains, "guests")
    assert found
    return str(found.id)


def domain_state(site: MemberWorld) -> str:
    life = site.state.attachments[DEFAULT_DATA_CENTER, domain_id(site)]
    return str(life.status(site.clock()).value)


def put_domain_in_maintenance(site: MemberWorld) -> None:
    maintenance: Any = StorageDomainStatus.MAINTENANCE
    site.state.attachments[DEFAULT_DATA_CENTER, domain_id(site)].go(site.clock(), (0, maintenance))


def remove_host(site: MemberWorld) -> None:
    host = named(site.state.hosts, "node1")
    assert host
    del site.state.hosts[host.id], site.state.lives[host.id], site.state.nets[host.id]
    site.state.host_labels.clear()


def change_flag(site: MemberWorld) -> None:
    site.state.clusters[DEFAULT_CLUSTER].fencing_policy.skip_if_gluster_bricks_up = False


def networks(site: MemberWorld) -> set[str]:
    """Names of the networks of the cluster."""
    return {site.state.networks[network].name for _, network in site.state.cluster_networks}


def detach_network(site: MemberWorld) -> None:
    lan = named(site.state.networks, "lan")
    assert lan
    del site.state.cluster_networks[DEFAULT_CLUSTER, lan.id]


def remove_label(site: MemberWorld) -> None:
    site.state.host_labels.clear()


def labels(site: MemberWorld) -> set[str]:
    return {site.state.affinity_labels[label].name for label, _ in site.state.host_labels}


def leave_maintenance_on(site: MemberWorld) -> None:
    site.state.self_hosted.maintenance.go(site.clock(), (0, True))


@dataclass(frozen=True)
class Drift:
    """One change by hand.

    Attributes:
        happens: What somebody does.
        at: The object that keeps it.
        where: The condition that tells it.
        told: A part of what that says.
        shows: What is looked at.
        right: What that shows where all is as declared.
    """

    happens: Callable[[MemberWorld], None]
    at: Key
    where: str
    told: str
    shows: Callable[[MemberWorld], object]
    right: object


DRIFT = {
    "domain in maintenance": Drift(
        put_domain_in_maintenance, KEY, "Drifted", "'guests' is in maintenance", domain_state, "active"
    ),
    "host removed": Drift(
        remove_host, NODE, "EngineMember", "the engine has no host at", lambda site: site.state_of(), "up"
    ),
    "cluster flag changed": Drift(
        change_flag,
        KEY,
        "ClusterReady",
        "while bricks are up",
        lambda site: site.state.clusters[DEFAULT_CLUSTER].fencing_policy.skip_if_gluster_bricks_up,
        True,
    ),
    "network detached": Drift(
        detach_network, LAN, "LogicalNetworkReady", "has no network 'lan'", networks, {"gluster", "lan", "ovirtmgmt"}
    ),
    "label removed": Drift(remove_label, NODE, "Drifted", "ssd", labels, {"ssd"}),
    "global maintenance left on": Drift(
        leave_maintenance_on, KEY, "GlobalMaintenance", "off is declared", lambda s: global_maintenance(s.state), False
    ),
}


@pytest.mark.parametrize("drift", DRIFT.values(), ids=DRIFT)
async def test_what_somebody_changed_is_only_told_in_observe_and_repaired_in_apply(
    whole: MemberWorld, drift: Drift
) -> None:
    def says(type_: str) -> dict[str, Any]:
        return whole.world.condition(drift.at.kind, drift.at.name, type_)

    assert drift.shows(whole) == drift.right
    for key in (KEY, NODE, LAN):
        whole.world.api.patch(key, {"mode": "Observe"})
    drift.happens(whole)
    writes = whole.writes
    await whole.rounds(3)
    assert drift.told in says(drift.where)["message"]
    assert says("Drifted")["status"] == "True"
    assert drift.shows(whole) != drift.right
    assert whole.writes == writes
    for key in (KEY, NODE, LAN):
        whole.world.api.patch(key, {"mode": "Apply"})
    await whole.until(lambda: drift.shows(whole) == drift.right and whole.ready())
    await whole.rounds(1)
    assert says("Drifted")["status"] == "False"

"""What to do about hosts that have a logical network otherwise than the engine: its attachments out of sync."""

from collections.abc import Iterator
from dataclasses import dataclass

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.network import NetworkRole
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.names import address_in
from heretic.domain.declared.stored import stored_condition
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import correlation_id
from heretic.domain.engine.facts import EngineHost, LogicalNetwork
from heretic.domain.engine.host_networks import CONFIGURABLE, OF_ADDRESSES, OF_NETWORKS
from heretic.domain.engine.host_parts import HostAttachment
from heretic.domain.engine.site import LATER, EngineSite, hosts_of_site
from heretic.domain.errors import Reason
from heretic.domain.network.host_steps import SyncHostNetwork, SyncVitalHostNetwork
from heretic.domain.plan import Blocked, Obstacle, Step, Wait


@dataclass(frozen=True, slots=True)
class _Unsynchronised:
    """A host that has the network otherwise than the engine."""

    name: str
    host: EngineHost
    attachment: HostAttachment

    @property
    def told(self) -> str:
        """The host, and what it has otherwise."""
        different = self.attachment.different
        return f"{self.host.name} ({'; '.join(map(str, different)) if different else 'it was not told how'})"

    @property
    def is_declared(self) -> bool:
        """Whether nothing but what the Network declares differs, and that was told.

        Where addresses differ, the engine would give the host its own, and the host may be lost.
        """
        return self.differs_in(OF_NETWORKS)

    def differs_in(self, names: frozenset[str]) -> bool:
        """Whether nothing but these differs, and that was told."""
        different = self.attachment.different
        return bool(different) and {one.name for one in different or ()} <= names


def plan_sync(
    declared: Network, network: LogicalNetwork, site: EngineSite, view: SiteView, *, vital: bool
) -> Iterator[Step | Obstacle]:
    """Plans what makes one host after the other have the network as the engine does. Each is made anew once.

    Args:
        declared: The object, with what its last pass said.
        network: As the engine has it, which is as declared.
        site: Where in the engine the site lives.
        view: The declared site: the addresses of a Node with configureLinks are made anew by that Node.
        vital: Whether bricks or the engine reach hosts over it.
    """
    found = _unsynchronised(network, site)
    able = [one for one in found if one.is_declared and one.host.status in CONFIGURABLE]
    steps = {one.host.id: _sync(one, found, site, vital=vital) for one in able}
    stuck = [one for one in able if _was_in_vain(declared, one, steps[one.host.id])]
    if stuck:
        yield Blocked(
            Reason.NETWORK_STAYS_OUT_OF_SYNC,
            f"network {network.name!r} was made anew on host {', '.join(one.told for one in stuck)}, and stays so. "
            "See on the host what puts it back, then synchronise it in the engine",
        )
    able = [one for one in able if one not in stuck]
    if first := next((one for one in able if not one.host.networks_changing), None):
        yield steps[first.host.id]
    elif able:
        said = ", ".join(one.told for one in able)
        yield Wait(Reason.WORK_IN_PROGRESS, f"the engine changes the networks of {said} just now", LATER)
    nodes = {node.status.engine.id: node for node in view.nodes.values() if node.status.engine}
    if unable := [
        one.told for one in found if not one.is_declared and not _is_its_nodes(declared, one, nodes.get(one.host.id))
    ]:
        yield Blocked(
            Reason.NETWORK_DIFFERS,
            f"network {network.name!r} is out of sync on host {', '.join(unable)}. Only what a Network declares is "
            "made anew by itself: look which of them is right, and synchronise it in the engine",
        )
    if away := [one.told for one in found if one.is_declared and one.host.status not in CONFIGURABLE]:
        why = f"network {network.name!r} is out of sync on host {', '.join(away)}, which cannot be configured now"
        yield Wait(Reason.WAITING_FOR_NODES, why)


def _is_its_nodes(declared: Network, one: _Unsynchronised, node: Node | None) -> bool:
    """Whether a Node has declared what differs, and keeps its links so."""
    if node is None or not node.spec.configure_links or declared.spec.role is NetworkRole.MANAGEMENT:
        return False
    return bool(address_in(declared, node)) and one.differs_in(OF_NETWORKS | OF_ADDRESSES)


def _sync(one: _Unsynchronised, found: list[_Unsynchronised], site: EngineSite, *, vital: bool) -> SyncHostNetwork:
    others = [other.told for other in found if other is not one]
    more = f"; after that {', '.join(others)}" if others else ""
    step = SyncVitalHostNetwork if vital else SyncHostNetwork
    return step(
        engine=site.name,
        why=f"network {one.name!r} is out of sync on host {one.told}{more}",
        host=one.host.id,
        host_name=one.host.name,
        attachment=one.attachment.id,
        network=one.attachment.network,
    )


def _was_in_vain(declared: Network, one: _Unsynchronised, step: SyncHostNetwork) -> bool:
    """Whether the last pass did just this without effect, or it was told before that somebody did."""
    meta = declared.metadata
    tried = stored_condition(declared, ConditionType.SYNCED)
    if tried and tried.reason == Reason.VERIFICATION_FAILED:
        return correlation_id(f"{declared.KIND}/{meta.namespace}/{meta.name}", step) in tried.message
    told = stored_condition(declared, ConditionType.LOGICAL_NETWORK_READY)
    return told is not None and told.reason == Reason.NETWORK_STAYS_OUT_OF_SYNC and one.told in told.message


def in_sync_said(network: LogicalNetwork, site: EngineSite) -> str:
    """What is known of hosts that have the network, as the end of a sentence; "" where none is known to have it."""
    attached = [a for host in hosts_of_site(site) or () for a in host.attachments or () if a.network == network.id]
    if not attached:
        return ""
    good = sum(one.in_sync is True for one in attached)
    return f", and in sync on {good} of {len(attached)} hosts that have it"


def _unsynchronised(network: LogicalNetwork, site: EngineSite) -> list[_Unsynchronised]:
    return [
        _Unsynchronised(network.name, host, attachment)
        for host in sorted(hosts_of_site(site) or (), key=lambda host: host.name)
        for attachment in host.attachments or ()
        if attachment.network == network.id and attachment.in_sync is False
    ]

"""Whether every node is attached to a network as declared, and what stands for it in the engine.

Ports and addresses of hosts are looked at here, not configured.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.network import LogicalNetworkStatus, NetworkAttachment, NetworkRole, NetworkStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.names import address_in
from heretic.domain.declared.stored import is_true, why_not
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import NOT_LOOKED_AT, EngineView, LogicalNetwork
from heretic.domain.engine.parse import states
from heretic.domain.engine.site import EngineSite, engine_site
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.network.engine_plan import find, is_safe_to_require, plan_logical_network
from heretic.domain.network.host_plan import attached_in_engine, left_to_a_person, networks_on_hosts, plan_on_hosts
from heretic.domain.network.links import difference, lost_ports
from heretic.domain.network.logical import DeclaredNetwork, wanted
from heretic.domain.network.mtu import mtu_proved
from heretic.domain.network.profiles import profile_of
from heretic.domain.plan import Blocked, Converged, Obstacle, Plan, Proceed, Wait, first_obstacle, obstacles_of
from heretic.domain.report import Report, condition_of
from heretic.domain.wiring.recorded import broken_aggregates, carried_by, port_with


@dataclass(frozen=True, slots=True)
class _Attachment:
    """One node's attachment.

    Attributes:
        attachment: What was seen.
        problem: How it differs, or why it is not known; "" when it is as declared.
        lost: Ports of its bond that have no link.
        broken: What the switch does not do for a bond that it lies on.
    """

    attachment: NetworkAttachment
    problem: str
    lost: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


def plan_network(network: Network, view: SiteView, engine: EngineView = NOT_LOOKED_AT) -> Plan:
    """Plans a network: its logical network in the engine; on hosts it says whether a person has something to do.

    Args:
        network: The object.
        view: The declared site with what its nodes' status says.
        engine: What is known of its engine.

    Returns:
        Steps in the engine: of the network itself, then of one host. Else Blocked where something differs on a host or
        needs a person in the engine, Wait while something is not known.
    """
    on_hosts = _plan_attachments(network, view)
    there = networks_on_hosts(network, view, engine)
    plans = (plan_logical_network(network, view, engine), plan_on_hosts(network.metadata.name, there))
    pending = tuple(obstacle for plan in (on_hosts, *plans) if plan for obstacle in obstacles_of(plan))
    # What the cluster has of a network comes before what its hosts have, and is the next thing to do alone.
    proceed = next((plan for plan in plans if isinstance(plan, Proceed)), None)
    if proceed:
        return Proceed(proceed.steps, pending, ordered=proceed.ordered)
    return first_obstacle(pending) or on_hosts


def _plan_attachments(network: Network, view: SiteView) -> Converged | Obstacle:
    found = _attachments(network, view)
    wrong = [f for f in found if f.attachment.in_sync is False]
    ours = [f for f in wrong if _is_being_configured(view.nodes[f.attachment.node])]
    if left := [f.problem for f in wrong if f not in ours]:
        return Blocked(
            Reason.NETWORK_DIFFERS, f"{'; '.join(left)}. Configure it on the host, or correct the declaration"
        )
    if ours:
        nodes = ", ".join(f.attachment.node for f in ours)
        told = f"{'; '.join(f.problem for f in ours)}. Heretic configures the links of {nodes} (see Wired there)"
        return Wait(Reason.WAITING_FOR_NODES, told)
    carries = mtu_proved(network, view)
    if carries.state is State.FALSE:
        return Blocked(carries.reason, carries.message)
    unknown = [f.problem for f in found if f.attachment.in_sync is None]
    if unknown:
        return Wait(Reason.WAITING_FOR_NODES, "; ".join(unknown))
    return Converged(f"all {len(found)} nodes are attached as declared")


def _is_being_configured(node: Node) -> bool:
    """Whether the Node has something to do, or to tell, about its links; once it has not, a person has."""
    return node.spec.configure_links and not is_true(node, ConditionType.WIRED)


def report_network(network: Network, view: SiteView, engine: EngineView = NOT_LOOKED_AT) -> Report:
    """Reports one network.

    Args:
        network: The object.
        view: The declared site with what its nodes' status says.
        engine: What is known of its engine.

    Returns:
        One attachment a node that has an address in the network, the network in the engine, and the conditions. What
        is in the engine counts for Ready where the site declares one.
    """
    found = _attachments(network, view)
    good = sum(f.attachment.in_sync is True for f in found)
    in_engine = plan_logical_network(network, view, engine)
    counts, carries = {ConditionType.IN_SYNC}, mtu_proved(network, view)
    if carries.state is State.FALSE:
        # What could not be proved is no reason against a network that works: somebody may drop pings.
        counts.add(ConditionType.MTU_PROVED)
    if in_engine is not None:
        counts |= {ConditionType.LOGICAL_NETWORK_READY, ConditionType.HOSTS_ATTACHED}
    there = networks_on_hosts(network, view, engine)
    of_engine, on_hosts = attached_in_engine(there), plan_on_hosts(network.metadata.name, there)
    attachments = [f.attachment.model_copy(update={"in_engine": of_engine.get(f.attachment.node)}) for f in found]
    return Report(
        status=NetworkStatus(attachments=attachments, logical_network=_logical_network(network, view, engine)),
        conditions=(
            _in_sync(found),
            carries,
            _logical_network_ready(network, in_engine),
            _hosts_attached(network, in_engine, on_hosts, lacking=False in of_engine.values()),
            _degraded(found),
        ),
        ready=frozenset(counts),
        summary=f"{good}/{len(found)} nodes attached",
        notes=tuple(_notes(network, view, engine)),
    )


def _logical_network(network: Network, view: SiteView, engine: EngineView) -> LogicalNetworkStatus | None:
    """What is seen of it; what was recorded stays while it cannot be seen."""
    recorded, site = network.status.logical_network, engine_site(view, engine)
    if not isinstance(site, EngineSite) or network.spec.role is NetworkRole.OVN:
        return recorded
    match find(network, site):
        case Known(there):
            used = next((one for one in site.cluster.networks or () if one.id == there.id), None)
            state = states.shown(used.status) if used else "" if site.cluster.networks is None else "NotAttached"
            return LogicalNetworkStatus(
                id=there.id,
                name=there.name,
                required=used.required if used else None,
                state=state,
                vnic_profile_id=_profile_id(network, there, site),
            )
        case Absent():
            return None
        case Unknown():
            return recorded


def _profile_id(network: Network, there: LogicalNetwork, site: EngineSite) -> str:
    """Of the declared vNIC profile, "" where none is declared; what was recorded stays while it cannot be seen."""
    if network.spec.logical_network.vnic_profile is None:
        return ""
    match profile_of(network, there, site.facts):
        case Known(profile):
            return profile.id
        case Absent():
            return ""
        case Unknown():
            return network.status.logical_network.vnic_profile_id if network.status.logical_network else ""


def _logical_network_ready(network: Network, plan: Plan | None) -> Condition:
    kind = ConditionType.LOGICAL_NETWORK_READY
    return _not_in_engine(network, kind) if plan is None else condition_of(kind, plan)


def _hosts_attached(network: Network, in_engine: Plan | None, on_hosts: Plan | None, *, lacking: bool) -> Condition:
    kind = ConditionType.HOSTS_ATTACHED
    if in_engine is None:
        return _not_in_engine(network, kind)
    if on_hosts is None:
        why = "the network is not in the engine's cluster, or that is not known (see LogicalNetworkReady)"
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, why)
    if isinstance(on_hosts, Wait) and lacking:
        return Condition(kind, State.FALSE, on_hosts.reason, on_hosts.message)
    return condition_of(kind, on_hosts)


def _not_in_engine(network: Network, kind: ConditionType) -> Condition:
    why = "the site declares no engine"
    if network.spec.role is NetworkRole.OVN:
        why = "of the role OVN nothing is made in the engine"
    return Condition(kind, State.FALSE, Reason.ENGINE_NOT_DECLARED, why)


def _notes(network: Network, view: SiteView, engine: EngineView) -> Iterator[str]:
    site, want = engine_site(view, engine), wanted(network, view)
    if isinstance(want, DeclaredNetwork) and (nodes := left_to_a_person(network, view, engine)):
        yield (
            f"{', '.join(nodes)} has no address in {network.metadata.name}, so nobody says on which port it is: attach "
            "it to that host in the engine, or declare an address"
        )
    if not isinstance(site, EngineSite) or not isinstance(want, DeclaredNetwork) or not want.required:
        return
    there = find(network, site)
    if not isinstance(there, Known) or is_safe_to_require(there.value, site):
        return
    if any(one.id == there.value.id and one.required is False for one in site.cluster.networks or ()):
        yield (
            f"{there.value.name} is declared as required. The cluster requires it once every host is known to have it: "
            "a host without it would be taken out"
        )


def _in_sync(found: tuple[_Attachment, ...]) -> Condition:
    kind = ConditionType.IN_SYNC
    wrong = [f.problem for f in found if f.attachment.in_sync is False]
    if wrong:
        return Condition(kind, State.FALSE, Reason.NETWORK_DIFFERS, "; ".join(wrong))
    unknown = [f.problem for f in found if f.attachment.in_sync is None]
    if unknown:
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, "; ".join(unknown))
    return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"{len(found)} nodes are attached as declared")


def _degraded(found: tuple[_Attachment, ...]) -> Condition:
    """A bond that has lost a port or its partner works on, and the next cable takes the node out."""
    kind = ConditionType.DEGRADED
    broken = [told for f in found for told in f.broken]
    lost = [f"{', '.join(f.lost)} of {f.attachment.node}" for f in found if f.lost]
    if lost:
        told = f"no link on {'; '.join(lost)}: the other ports of the bond carry the traffic. Check cable and switch"
        return Condition(kind, State.TRUE, Reason.BOND_PORT_DOWN, "; ".join((told, *broken)))
    if broken:
        return Condition(kind, State.TRUE, Reason.AGGREGATE_INCOMPLETE, "; ".join(broken))
    if any(f.attachment.in_sync is None for f in found):
        why = "; ".join(f.problem for f in found if f.attachment.in_sync is None)
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, why)
    return Condition(kind, State.FALSE, Reason.AS_DECLARED, "every port of a bond works")


def _attachments(network: Network, view: SiteView) -> tuple[_Attachment, ...]:
    found: list[_Attachment] = []
    for name, node in sorted(view.nodes.items()):
        address = address_in(network, node)
        if address and node.metadata.deletion_timestamp is None:
            found.append(_look(network, name, node, address))
    return tuple(found)


def _look(network: Network, name: str, node: Node, address: str) -> _Attachment:
    if not is_true(node, ConditionType.INSPECTED):
        why = why_not(node, ConditionType.INSPECTED)
        return _Attachment(NetworkAttachment(node=name, address=address, in_sync=None), f"not known: {why}")
    port = port_with(node, address)
    if port is None:
        problem = f"{name} has the address {address} on none of its interfaces"
        return _Attachment(NetworkAttachment(node=name, address="", in_sync=False), problem)
    seen = NetworkAttachment(node=name, address=address, interface=port.name, mtu=port.mtu, in_sync=True)
    problem = difference(network, node, port)
    shown = seen.model_copy(update={"in_sync": False}) if problem else seen
    broken = tuple(broken_aggregates(node, carried_by(node, port)))
    return _Attachment(shown, problem, lost_ports(network, node, port), broken)

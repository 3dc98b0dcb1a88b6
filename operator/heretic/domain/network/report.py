"""Whether every node is attached to a network as declared. Networks are looked at here, not configured."""

from dataclasses import dataclass

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.network import NetworkAttachment, NetworkRole, NetworkStatus
from heretic.api.v1alpha1.node import NodeInterface
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.names import inside
from heretic.domain.declared.stored import is_true, why_not
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Converged, Plan, Wait
from heretic.domain.report import Report


@dataclass(frozen=True, slots=True)
class _Attachment:
    """One node's attachment.

    Attributes:
        attachment: What was seen.
        problem: How it differs, or why it is not known; "" when it is as declared.
    """

    attachment: NetworkAttachment
    problem: str


def plan_network(network: Network, view: SiteView) -> Plan:
    """Plans nothing: says whether a person has something to do.

    Args:
        network: The object.
        view: The declared site with what its nodes' status says.

    Returns:
        Converged when every attachment is as declared, Wait while nodes have yet to be inspected, Blocked where a
        host's network differs.
    """
    found = _attachments(network, view)
    wrong = [f.problem for f in found if f.attachment.in_sync is False]
    if wrong:
        return Blocked(
            Reason.NETWORK_DIFFERS, f"{'; '.join(wrong)}. Configure it on the host, or correct the declaration"
        )
    unknown = [f.problem for f in found if f.attachment.in_sync is None]
    if unknown:
        return Wait(Reason.WAITING_FOR_NODES, "; ".join(unknown))
    return Converged(f"all {len(found)} nodes are attached as declared")


def report_network(network: Network, view: SiteView) -> Report:
    """Reports one network.

    Args:
        network: The object.
        view: The declared site with what its nodes' status says.

    Returns:
        One attachment a node that has an address in the network, and the condition InSync.
    """
    found = _attachments(network, view)
    good = sum(f.attachment.in_sync is True for f in found)
    return Report(
        status=NetworkStatus(attachments=[f.attachment for f in found]),
        conditions=(_in_sync(found),),
        ready=frozenset({ConditionType.IN_SYNC}),
        summary=f"{good}/{len(found)} nodes attached",
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


def _attachments(network: Network, view: SiteView) -> tuple[_Attachment, ...]:
    found: list[_Attachment] = []
    for name, node in sorted(view.nodes.items()):
        address = _address_in(network, node)
        if address and node.metadata.deletion_timestamp is None:
            found.append(_look(network, name, node, address))
    return tuple(found)


def _address_in(network: Network, node: Node) -> str:
    """The node's declared address in a network; its SSH address counts for the management network."""
    for entry in node.spec.addresses:
        if entry.network == network.metadata.name:
            return entry.address
    if network.spec.role is NetworkRole.MANAGEMENT and inside(node.spec.address, network.spec.subnet):
        return node.spec.address
    return ""


def _look(network: Network, name: str, node: Node, address: str) -> _Attachment:
    if not is_true(node, ConditionType.INSPECTED):
        why = why_not(node, ConditionType.INSPECTED)
        return _Attachment(NetworkAttachment(node=name, address=address, in_sync=None), f"not known: {why}")
    port = _port(node, address)
    if port is None:
        problem = f"{name} has the address {address} on none of its interfaces"
        return _Attachment(NetworkAttachment(node=name, address="", in_sync=False), problem)
    seen = NetworkAttachment(node=name, address=address, interface=port.name, mtu=port.mtu, in_sync=True)
    problem = _difference(network, name, port)
    return _Attachment(seen.model_copy(update={"in_sync": False}) if problem else seen, problem)


def _difference(network: Network, name: str, port: NodeInterface) -> str:
    if port.carrier is False:
        return f"{port.name} of {name} has no link"
    if port.mtu < network.spec.mtu:
        return f"{port.name} of {name} has an MTU of {port.mtu} bytes, {network.spec.mtu} are declared"
    return ""


def _port(node: Node, address: str) -> NodeInterface | None:
    return next((i for i in node.status.interfaces if any(a.partition("/")[0] == address for a in i.addresses)), None)

"""The links of a node as its status records them: what passes over other objects go by."""

from collections.abc import Iterable, Iterator

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node_interfaces import NodeInterface


def port_with(node: Node, address: str) -> NodeInterface | None:
    """The interface of a node that has an address."""
    return next((i for i in node.status.interfaces if any(a.partition("/")[0] == address for a in i.addresses)), None)


def carried_by(node: Node, top: NodeInterface) -> tuple[NodeInterface, ...]:
    """An interface and everything that it lies on: bridge, VLAN, bond and ports, from above."""
    found = [top]
    for link in found:
        below = (i for i in node.status.interfaces if i.master == link.name or (link.parent and i.name == link.parent))
        found += [i for i in below if i not in found]
    return tuple(found)


def broken_aggregates(node: Node, links: Iterable[NodeInterface]) -> Iterator[str]:
    """What a switch does not do any more for each bond of 802.3ad: one sentence with the bond and its ports there.

    The kernel makes nothing of it: each port has a link, one of them carries all packets, and neighbours answer.

    Args:
        node: The Node, with what LLDP has told of its ports.
        links: Those of its links that matter.
    """
    switches = {record.port: record.switch for record in node.status.ports if record.switch}
    for bond in (link for link in links if link.bond):
        linked = [p for p in node.status.interfaces if p.master == bond.name and p.aggregated is not None]
        outside = [port.name for port in linked if not port.aggregated]
        ports = ", ".join(f"{name} ({switches[name]})" if name in switches else name for name in outside)
        where = f"{bond.name} of {node.metadata.name}"
        if outside and bond.bond is not None and not bond.bond.partner:
            yield (
                f"{where} has no partner that speaks LACP, so one of its ports works and the others are idle: look at "
                f"the LACP group of {ports} on the switch"
            )
        elif outside and bond.bond is not None:
            yield (
                f"{ports} of {node.metadata.name}: no part of the aggregate of {bond.name} with {bond.bond.partner}, "
                "though there is a link: look on the switch whether the port is in the same LACP group as the others "
                "and not suspended, and whether the cable leads to that switch"
            )

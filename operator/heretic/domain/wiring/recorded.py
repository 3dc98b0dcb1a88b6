"""The links of a node as its status records them: what passes over other objects go by."""

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

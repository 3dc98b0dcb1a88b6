"""How the links of a node that carry a network differ from what is declared."""

from collections.abc import Iterator

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.node_interfaces import NodeInterface
from heretic.domain.declared.bonds import bond_differences
from heretic.domain.declared.names import ipv6_in
from heretic.domain.wiring.recorded import carried_by


def difference(network: Network, node: Node, top: NodeInterface) -> str:
    """What is not as declared, in one sentence; "" when all is.

    Args:
        network: The object.
        node: A node with an address in it.
        top: The interface that has the address.
    """
    return next(_differences(network, node, top), "")


def _differences(network: Network, node: Node, top: NodeInterface) -> Iterator[str]:
    name, spec, links = node.metadata.name, network.spec, carried_by(node, top)
    if top.carrier is False:
        yield f"{top.name} of {name} has no link"
    small = min(links, key=lambda link: link.mtu)
    if small.mtu < spec.mtu:
        yield f"{small.name} of {name} has an MTU of {small.mtu} bytes, {spec.mtu} are declared"
    tags = [link.vlan for link in links if link.vlan is not None]
    if spec.vlan is not None and top.kind and spec.vlan not in tags:
        seen = f"VLAN {tags[0]}" if tags else "no VLAN"
        yield f"{top.name} of {name} has {seen}, VLAN {spec.vlan} is declared"
    ipv6 = ipv6_in(network, node)
    if ipv6 and not any(a.partition("/")[0] == ipv6 for a in top.addresses):
        yield f"{top.name} of {name} has not the address {ipv6}"
    for link in links:
        if spec.bond and link.bond:
            yield from bond_differences(f"{link.name} of {name}", link.bond, spec.bond)


def lost_ports(network: Network, node: Node, top: NodeInterface) -> tuple[str, ...]:
    """Names of the ports without a link in a bond that still works, and what names those that are gone.

    A port that had none at a boot is no port of the bond yet; it is known by what is recorded of it.

    Args:
        network: The object.
        node: A node with an address in it.
        top: The interface that has the address.
    """
    links = carried_by(node, top)
    bonds = {link.name for link in links if link.bond}
    of_bonds = {link.name for link in links if link.master in bonds}
    if bonds:
        of_bonds |= {record.port for record in node.status.ports if network.metadata.name in record.networks}
    gone = (port.mac for port in node.status.ports if not port.port and network.metadata.name in port.networks)
    down = (link.name for link in node.status.interfaces if link.name in of_bonds and link.carrier is False)
    return (*down, *gone) if bonds else tuple(down)

"""Names and addresses that all nodes of a site must agree on."""

from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network

from heretic.api.v1alpha1 import FileShare, Network, Node
from heretic.api.v1alpha1.network import NetworkRole
from heretic.api.v1alpha1.node import Role
from heretic.domain.declared.view import SiteView


def peer_name(view: SiteView, node: str) -> str:
    """The stable name under which Gluster knows a node, the same on every node (rule:stable-peer-names).

    Args:
        view: The declared site; its Site gives the storage domain.
        node: Name of the Node.
    """
    domain = view.site.spec.domains.storage if view.site else "gluster.private"
    return f"{node}.{domain}"


def peer_names(view: SiteView, node: str) -> tuple[str, ...]:
    """Every name and address by which the declaration knows a node; Gluster may use any of them."""
    declared = view.nodes[node]
    management = (f"{node}.{view.site.spec.domains.management}",) if view.site else ()
    addresses = (declared.spec.address, *(entry.address for entry in declared.spec.addresses))
    return (peer_name(view, node), node, *management, *addresses)


def same_name(name: str) -> str:
    """A host name or address as it is compared: case and a dot at the end make no difference."""
    return name.lower().removesuffix(".")


def storage_address(view: SiteView, node: Node) -> str:
    """The address that carries Gluster traffic.

    The address in the Network of role Gluster; without such a Network (or address) the management one: a missing
    network is folded into a present one, as in HVP (rule:hvp-networks). The pool works over IPv4 alone: where SSH goes
    by a name or by IPv6, that is the address in the Network of role Management.
    """
    if found := _of_role(view, node, NetworkRole.GLUSTER):
        return found
    if not is_ipv4(node.spec.address) and is_ipv4(found := _of_role(view, node, NetworkRole.MANAGEMENT)):
        return found
    return node.spec.address


def _of_role(view: SiteView, node: Node, role: NetworkRole) -> str:
    """The address that a node lists in the Network of a role, "" = none."""
    of_role = {name for name, network in view.of(Network).items() if network.spec.role is role}
    return next((entry.address for entry in node.spec.addresses if entry.network in of_role), "")


def ctdb_address(view: SiteView, node: str) -> str:
    """The recorded address by which CTDB knows a node; "" where it does not.

    Args:
        view: The declared site, whose FileShares record the lines of the nodes file.
        node: Name of the Node.
    """
    lines = (line for share in view.of(FileShare).values() for line in share.status.servers)
    return next((line.address for line in lines if line.node == node), "")


def storage_nodes(view: SiteView) -> dict[str, Node]:
    """The nodes of role Storage that are not being deleted, by name in order."""
    return {
        name: node
        for name, node in sorted(view.nodes.items())
        if Role.STORAGE in node.spec.roles and node.metadata.deletion_timestamp is None
    }


def subnets(network: Network) -> tuple[str, ...]:
    """All addresses of a Network: its subnet, and that of IPv6 beside it."""
    return (network.spec.subnet, *((network.spec.ipv6.subnet,) if network.spec.ipv6 else ()))


def address_in(network: Network, node: Node) -> str:
    """The node's declared address in a Network, "" = none; its SSH address counts for the management network."""
    for entry in node.spec.addresses:
        if entry.network == network.metadata.name:
            return entry.address
    if network.spec.role is NetworkRole.MANAGEMENT and any(inside(node.spec.address, s) for s in subnets(network)):
        return node.spec.address
    return ""


def ipv6_in(network: Network, node: Node) -> str:
    """The node's declared IPv6 address in a Network that has IPv4 addresses too, "" = none; as for the other one."""
    listed = next((entry.ipv6 for entry in node.spec.addresses if entry.network == network.metadata.name), "")
    is_ssh = network.spec.role is NetworkRole.MANAGEMENT and network.spec.ipv6 is not None
    if not listed and is_ssh and network.spec.ipv6 and inside(node.spec.address, network.spec.ipv6.subnet):
        return node.spec.address
    return listed


def interfaces_in(network: Network, node: Node) -> tuple[str, ...]:
    """The node's declared addresses in a Network as they are set on a link: with the prefix length of the subnet."""
    pairs = zip((address_in(network, node), ipv6_in(network, node)), subnets(network), strict=False)
    return tuple(f"{address}/{subnet.partition('/')[2]}" for address, subnet in pairs if inside(address, subnet))


@lru_cache(maxsize=4096)
def inside(address: str, subnet: str) -> bool:
    """Whether an address lies in a subnet; False for anything that is not an address."""
    try:
        return ip_address(address) in ip_network(subnet, strict=False)
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def is_address(text: str) -> bool:
    """Whether a text is an IP address rather than a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def is_ipv4(text: str) -> bool:
    """Whether a text is an IPv4 address rather than a name."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True

"""How the links of a host lie on each other, and what each port carries."""

from collections.abc import Iterable
from ipaddress import ip_interface

from heretic.api.v1alpha1 import Network
from heretic.domain.declared.names import inside, subnets
from heretic.domain.declared.view import SiteView
from heretic.domain.host.interfaces import PORT, Interface

Links = tuple[Interface, ...]


def ports(links: Links) -> Links:
    """What cables are plugged into."""
    return tuple(link for link in links if link.kind == PORT)


def above(port: Interface, links: Links) -> Links:
    """A link and everything that lies on it: bond, VLANs, bridge."""
    found = [port]
    for link in found:
        found += [i for i in links if i not in found and (i.name == link.master or i.parent == link.name)]
    return tuple(found)


def is_free(port: Interface, links: Links) -> bool:
    """Whether a port carries nothing: it may be asked where it leads, and nobody notices."""
    return len(above(port, links)) == 1 and not port.master and not any(map(_is_somebodys, port.addresses))


def carried(port: Interface, links: Links, view: SiteView) -> tuple[str, ...]:
    """Networks of which the port, or something that lies on it, has an address."""
    addresses = [a.partition("/")[0] for link in above(port, links) for a in link.addresses]
    return tuple(name for name, net in sorted(view.of(Network).items()) if _is_in(net, addresses))


def live(links: Links) -> frozenset[str]:
    """Every address of the host."""
    return frozenset(a.partition("/")[0] for link in links for a in link.addresses)


def vlan_of(network: Network) -> int:
    """Its VLAN on the wire; 0 = untagged."""
    return network.spec.vlan or 0


def _is_in(network: Network, addresses: Iterable[str]) -> bool:
    return any(inside(address, subnet) for address in addresses for subnet in subnets(network))


def _is_somebodys(address: str) -> bool:
    """Every port that is switched on gives itself an address that ends at the next router; that is nobody's choice."""
    return not ip_interface(address).is_link_local

"""What the links of a host shall be: from the declared networks and where the ports lead to profiles.

Ports that are tied together by networks are one group: several of them are bonded, VLANs lie on them. A group that is
as declared is left as it is, whoever has made it (rule:links-on-trial).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.bonds import BondMode, BondSpec
from heretic.api.v1alpha1.network import NetworkRole
from heretic.domain.declared.bonds import bond_differences
from heretic.domain.declared.names import address_in, interfaces_in
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.host.interfaces import BOND, PORT, VLAN, Interface
from heretic.domain.plan import Blocked
from heretic.domain.wiring.classify import PortFinding
from heretic.domain.wiring.lacp import Conversion, aggregate, conversion
from heretic.domain.wiring.links import Links, above, is_free, live
from heretic.domain.wiring.profiles import Addressing, LinkProfile, bond_profile, port_profile, vlan_profile

_ROUTES_BY = (NetworkRole.MANAGEMENT, NetworkRole.LAN, NetworkRole.INTERNAL, NetworkRole.GLUSTER, NetworkRole.OVN)
"""Which of several networks with a router has the default route (rule:hvp-networks)."""


@dataclass(frozen=True, slots=True)
class LinkGroup:
    """Ports that belong together, and what lies on them.

    Attributes:
        ports: In the order of their names.
        networks: Likewise.
        profiles: Ports first, then the bond, then VLANs: the order in which they are brought up.
        routers: Of the default route, where it is here.
        free: Whether all its ports carry nothing yet, so that nobody notices.
        carries_management: Whether SSH comes in by it.
        differs: How the links are not as declared, "" = they are.
        lost: The same without their MTU, which a port may refuse: what bringing them up mends.
        conversion: Of its bond, where the switch has to know of it first.
        aggregate: The bond and its ports, where the switch must work with them after a change.
    """

    ports: tuple[str, ...]
    networks: tuple[str, ...]
    profiles: tuple[LinkProfile, ...]
    routers: tuple[str, ...]
    free: bool
    carries_management: bool
    differs: str
    lost: str
    conversion: Conversion | None = None
    aggregate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Site:
    node: Node
    view: SiteView
    links: Links
    former: Mapping[str, tuple[str, ...]]

    def network(self, name: str) -> Network:
        return self.view.of(Network)[name]

    def link(self, name: str) -> Interface | None:
        return next((link for link in self.links if link.name == name), None)


def link_groups(
    node: Node,
    view: SiteView,
    links: Links,
    findings: tuple[PortFinding, ...],
    members: Mapping[str, str] = MappingProxyType({}),
    former: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> tuple[LinkGroup | Blocked, ...]:
    """The groups of a host: those that carry nothing yet first, that of SSH last.

    Args:
        node: The Node.
        view: The declared site.
        links: Of its host.
        findings: Where its ports lead; one without a link is in no group, and keeps its profile: it may be one of a
            bond, which it joins again by itself.
        members: The bond of each port by the profiles that a boot reads.
        former: Addresses that stay beside the declared ones, by network: somebody goes by them.

    Returns:
        A group, or why it is left alone, for each set of ports that lead to networks of the node.
    """
    site = _Site(node, view, links, former)
    taken = {link.name for link in links}
    found: list[LinkGroup | Blocked] = list(_unplugged(site, findings))
    plugged = tuple(finding for finding in findings if finding.port.carrier is not False)
    for ports, networks in port_sets(node, view, plugged):
        base = _base(ports, links, taken, members)
        taken.add(base)
        fault = _fault(site, ports, networks)
        found.append(fault if fault else _group(site, ports, networks, base))
    return tuple(sorted(found, key=_order))


def _order(group: LinkGroup | Blocked) -> tuple[bool, bool]:
    return isinstance(group, LinkGroup) and group.carries_management, isinstance(group, Blocked) or not group.free


def port_sets(
    node: Node, view: SiteView, findings: tuple[PortFinding, ...], *, every: bool = False
) -> list[tuple[tuple[Interface, ...], tuple[str, ...]]]:
    """Ports with the networks that they lead to; two that have a network in common are one group.

    Args:
        node: The Node.
        view: The declared site.
        findings: Where its ports lead.
        every: Whether networks count in which the node has no address; those that the engine does not have never do.
    """
    groups: list[tuple[set[str], set[str]]] = []
    ports = {finding.port.name: finding.port for finding in findings}
    for finding in findings:
        declared = {name: view.of(Network)[name] for name in finding.networks}
        own = {n for n, net in declared.items() if address_in(net, node) or (every and _is_for_engine(net))}
        if not own or finding.clashes:
            continue
        names, networks = {finding.port.name}, own
        for group in [g for g in groups if g[1] & networks]:
            groups.remove(group)
            names, networks = names | group[0], networks | group[1]
        groups.append((names, networks))
    return [(tuple(ports[n] for n in sorted(names)), tuple(sorted(nets))) for names, nets in groups]


def _is_for_engine(network: Network) -> bool:
    return network.spec.role not in (NetworkRole.MANAGEMENT, NetworkRole.OVN)


def _unplugged(site: _Site, findings: tuple[PortFinding, ...]) -> Iterator[Blocked]:
    """Networks that only ports without a link lead to: nothing can be proved there, so nothing is configured."""
    host, there = site.node.metadata.name, live(site.links)
    plugged = {name for finding in findings if finding.port.carrier is not False for name in finding.networks}
    for name in dict.fromkeys(name for finding in findings for name in finding.networks if name not in plugged):
        if (address := address_in(site.network(name), site.node)) and address not in there:
            ports = " and ".join(finding.port.name for finding in findings if name in finding.networks)
            yield Blocked(
                Reason.NETWORK_WITHOUT_PORT,
                f"{host}: {ports}, which led to {name}, has no link, so {address} is not configured. Check cable and "
                "switch",
            )


def _base(ports: tuple[Interface, ...], links: Links, taken: Iterable[str], members: Mapping[str, str]) -> str:
    """What networks lie on: the bond that there is or shall be, the port itself, or a new bond."""
    bonds = {link.name for link in links if link.kind == BOND}
    if present := sorted({port.master for port in ports} & bonds):
        return present[0]
    if kept := sorted({members[port.name] for port in ports if port.name in members and not port.master}):
        # Somebody took the bond down. With one port unplugged, the other one is still a port of it.
        return kept[0]
    if len(ports) == 1:
        return ports[0].name
    return next(name for name in (f"bond{n}" for n in range(len(links) + len(ports) + 1)) if name not in taken)


def _fault(site: _Site, ports: tuple[Interface, ...], networks: tuple[str, ...]) -> Blocked | None:
    host, shown = site.node.metadata.name, " and ".join(port.name for port in ports)
    foreign = sorted(
        {link.name for port in ports for link in above(port, site.links)[1:] if link.kind not in (BOND, VLAN)}
    )
    if foreign:
        return Blocked(
            Reason.NETWORK_DIFFERS,
            f"{host}: on {shown} lies {', '.join(foreign)}, which somebody else has made, such as the engine; it is "
            "left alone. Configure it where it was made",
        )
    return bond_fault(site.node, site.view, tuple(port.name for port in ports), networks)


def bond_fault(node: Node, view: SiteView, ports: tuple[str, ...], networks: tuple[str, ...]) -> Blocked | None:
    """What a set of ports cannot carry together.

    Args:
        node: The Node.
        view: The declared site.
        ports: Their names.
        networks: Names of the Networks that they lead to.
    """
    host, shown = node.metadata.name, " and ".join(ports)
    declared = {name: view.of(Network)[name].spec for name in networks}
    untagged = [name for name, spec in declared.items() if not spec.vlan]
    if len(untagged) > 1:
        return Blocked(
            Reason.PORT_ON_TWO_NETWORKS,
            f"{host}: {shown} lead to {' and '.join(untagged)}, both without a VLAN; correct spec.interfaces",
        )
    specs = {spec.bond for spec in declared.values() if spec.bond}
    modes = {name: spec.bond.mode for name, spec in declared.items() if spec.bond}
    rotten = BondMode.ROUND_ROBIN in modes.values() and any(
        spec.role is not NetworkRole.GLUSTER for spec in declared.values()
    )
    if len(ports) > 1 and (len(specs) > 1 or rotten):
        told = ", ".join(f"{mode.value} for {name}" for name, mode in modes.items())
        return Blocked(
            Reason.INVALID_SPEC,
            f"{host}: {shown} carry {' and '.join(networks)} as one bond, for which {told} is declared; give them one "
            "bond, which is not balance-rr where another role than Gluster is on it",
        )
    return None


def _group(site: _Site, ports: tuple[Interface, ...], networks: tuple[str, ...], base: str) -> LinkGroup:
    bonded = base not in {port.name for port in ports}
    mtu = max(site.network(name).spec.mtu for name in networks)
    plain = next((name for name in networks if not site.network(name).spec.vlan), None)
    has = _addressing(site, plain) if plain else Addressing()
    profiles = [port_profile(port.name, mtu, base if bonded else "", has) for port in ports]
    spec, there = _bond(site, networks), site.link(base) if bonded else None
    if bonded:
        profiles.append(bond_profile(base, mtu, spec, has))
    for name in networks:
        tagged = site.network(name).spec
        if tagged.vlan:
            profiles.append(vlan_profile(base, tagged.vlan, tagged.mtu, _addressing(site, name)))
    names = tuple(port.name for port in ports)
    address = site.node.spec.address
    live = [link for port in ports for link in above(port, site.links)]
    lost = next(_losses(site, ports, networks, base), "")
    return LinkGroup(
        ports=names,
        networks=networks,
        profiles=tuple(profiles),
        routers=tuple(router for name in networks for router in _addressing(site, name).gateways),
        free=all(is_free(port, site.links) for port in ports),
        carries_management=any(a.partition("/")[0] == address for link in live for a in link.addresses)
        # A name says nothing of where SSH comes in; by its role it is the management network.
        or any(_leads_to_ssh(site.network(name), site.node) for name in networks),
        differs=lost or next(_small(site, ports, networks, base), ""),
        lost=lost,
        conversion=conversion(there, spec.mode),
        aggregate=aggregate(there, spec.mode, base, names) if bonded else (),
    )


def _leads_to_ssh(network: Network, node: Node) -> bool:
    return network.spec.role is NetworkRole.MANAGEMENT or address_in(network, node) == node.spec.address


def _bond(site: _Site, networks: tuple[str, ...]) -> BondSpec:
    return next((bond for name in networks if (bond := site.network(name).spec.bond)), BondSpec())


def _addressing(site: _Site, name: str) -> Addressing:
    network = site.network(name)
    spec, ipv6 = network.spec, network.spec.ipv6
    # The one that packets come from is the first: who is renumbered is known by its old one until that goes.
    addresses = (*site.former.get(name, ()), *interfaces_in(network, site.node))
    gateways = (spec.gateway, ipv6.gateway if ipv6 else "") if name == routing(site.node, site.view) else ()
    return Addressing(addresses, tuple(filter(None, gateways)), tuple(spec.name_servers), tuple(spec.search_domains))


def routing(node: Node, view: SiteView) -> str:
    """The network of a node that has the default route, "" = none of them has a router."""
    routed = [
        (_ROUTES_BY.index(network.spec.role), name)
        for name, network in view.of(Network).items()
        if address_in(network, node) and (network.spec.gateway or (network.spec.ipv6 and network.spec.ipv6.gateway))
    ]
    return min(routed, default=(0, ""))[1]


def _losses(site: _Site, ports: tuple[Interface, ...], networks: tuple[str, ...], base: str) -> Iterator[str]:
    """What links lack of what is declared; one that has more addresses is as declared."""
    for port in ports:
        if base != port.name and port.master != base:
            yield f"{port.name} is not in {base}"
        elif base == port.name and port.master:
            yield f"{port.name} is in {port.master}"
    bond, spec = site.link(base), _bond(site, networks)
    if bond is not None and bond.bond is not None and any(site.network(n).spec.bond for n in networks):
        yield from bond_differences(bond.name, bond.bond, spec)
    for name in networks:
        network = site.network(name)
        top = f"{base}.{network.spec.vlan}" if network.spec.vlan else base
        link = _top(site, base, network)
        if link is None:
            yield f"there is no {top}"
            continue
        for address in _addressing(site, name).addresses:
            if address not in link.addresses:
                yield f"{link.name} has not the address {address}"


def _small(site: _Site, ports: tuple[Interface, ...], networks: tuple[str, ...], base: str) -> Iterator[str]:
    """Links whose MTU is too small; one that is larger than needed is as declared."""
    for network in map(site.network, networks):
        link = _top(site, base, network)
        if link is not None and link.mtu < network.spec.mtu:
            yield f"{link.name} has an MTU of {link.mtu} bytes, {network.spec.mtu} are declared"
    small = [p for p in ports if p.mtu < max(site.network(n).spec.mtu for n in networks)]
    if small:
        yield f"{small[0].name} has an MTU of {small[0].mtu} bytes"


def above_base(site: _Site, base: str) -> tuple[Interface, ...]:
    """The base of a group with what lies on it."""
    link = site.link(base)
    return above(link, site.links) if link is not None else ()


def _top(site: _Site, base: str, network: Network) -> Interface | None:
    """The link of a group that has a network's address."""
    return next((one for one in above_base(site, base) if _is_top(one, base, network)), None)


def _is_top(link: Interface, base: str, network: Network) -> bool:
    if network.spec.vlan:
        return link.kind == VLAN and link.vlan == network.spec.vlan and link.parent == base
    return link.name == base and link.kind in (PORT, BOND)


def neighbours(node: Node, view: SiteView, networks: tuple[str, ...]) -> tuple[str, ...]:
    """Who may answer in networks: routers, probe addresses and the other nodes, the routers first."""
    found: dict[str, None] = {}
    for name in networks:
        spec = view.of(Network)[name].spec
        found |= dict.fromkeys(filter(None, (spec.gateway, spec.ipv6.gateway if spec.ipv6 else "", spec.probe_address)))
    for name in networks:
        others = (address_in(view.of(Network)[name], other) for _, other in sorted(view.nodes.items()) if other != node)
        found |= dict.fromkeys(filter(None, others))
    own = {node.spec.address, *(entry.address for entry in node.spec.addresses)}
    return tuple(a for a in found if a not in own and ip_address(a))

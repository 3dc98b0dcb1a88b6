"""Rules that only all objects of a site together can break; none of them can be checked by the API server."""

import re
from collections import defaultdict
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import combinations

from heretic.api.v1alpha1 import Network, Node, Site
from heretic.api.v1alpha1.network import NetworkRole
from heretic.api.v1alpha1.node_interfaces import NodeAddress
from heretic.domain.declared.names import inside, is_address, peer_name, storage_nodes, subnets
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Wait

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LONGEST_NAME = 253


def faults(view: SiteView) -> tuple[Blocked, ...]:
    """Everything that is wrong with the declared site as a whole.

    Args:
        view: The declared site.

    Returns:
        One Blocked a mistake, with the names and values that clash; empty when the site is sound.
    """
    return (*_sites(view), *_domains(view), *_networks(view), *_addresses(view))


def site_fault(view: SiteView) -> Blocked | Wait | None:
    """Why it is not known how the site is to be kept, None when there is exactly one Site and it can be read."""
    if view.site is not None:
        return None
    unread = view.unread_of(Site.KIND)
    if len(view.of(Site)) + len(unread) > 1:
        return next(_sites(view))
    if unread:
        return Blocked(
            Reason.INVALID_SPEC,
            f"Site {unread[0]} cannot be understood by this version, so how hosts are reached and what may be done is "
            "not known; see its conditions",
        )
    return Wait(Reason.SITE_NOT_FOUND, "there is no Site in this namespace; make one")


def unread_fault(view: SiteView) -> Blocked | None:
    """Why nothing is chosen and changed while objects of the namespace cannot be understood."""
    if not view.unread:
        return None
    named = ", ".join(f"{kind} {name}" for kind, name in sorted(view.unread))
    return Blocked(
        Reason.INVALID_SPEC,
        f"this version cannot understand {named}; nothing is changed in this namespace before what they declare is "
        "known. See their conditions: correct or delete them, or run the version that wrote them",
    )


def _sites(view: SiteView) -> Iterator[Blocked]:
    names = sorted({*view.of(Site), *view.unread_of(Site.KIND)})
    if len(names) > 1:
        yield Blocked(
            Reason.MORE_THAN_ONE_SITE,
            f"a namespace is one site, and this one has {len(names)} Sites ({', '.join(names)}); delete all but one",
        )


def _domains(view: SiteView) -> Iterator[Blocked]:
    if view.site is None:
        return
    for field, domain in (
        ("storage", view.site.spec.domains.storage),
        ("management", view.site.spec.domains.management),
    ):
        labels = domain.split(".")
        if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdecimal():
            yield Blocked(
                Reason.INVALID_SPEC,
                f"spec.domains.{field} of Site {view.site.metadata.name} is no domain name: {domain!r}; use lower "
                "case letters, digits and dashes, in parts divided by dots",
            )
    for node in storage_nodes(view):
        name = peer_name(view, node)
        if len(name) > _LONGEST_NAME:
            yield Blocked(
                Reason.INVALID_SPEC,
                f"the storage name of {node} would have {len(name)} characters, at most {_LONGEST_NAME} are "
                "possible; choose a shorter storage domain",
            )


def _networks(view: SiteView) -> Iterator[Blocked]:
    for role in (NetworkRole.GLUSTER, NetworkRole.MANAGEMENT):
        names = sorted(name for name, network in view.of(Network).items() if network.spec.role is role)
        if len(names) > 1:
            yield Blocked(
                Reason.INVALID_SPEC,
                f"{len(names)} Networks have the role {role.value} ({', '.join(names)}); only one can carry it",
            )
    for (one, first), (other, second) in combinations(sorted(view.of(Network).items()), 2):
        for mine, theirs in ((a, b) for a in subnets(first) for b in subnets(second)):
            if _overlap(mine, theirs):
                yield Blocked(
                    Reason.INVALID_SPEC,
                    f"{mine} of Network {one} and {theirs} of Network {other} overlap: an address would be in both; "
                    "correct one of them",
                )
        if first.spec.vlan is not None and first.spec.vlan == second.spec.vlan:
            yield Blocked(
                Reason.INVALID_SPEC,
                f"Networks {one} and {other} both have VLAN {first.spec.vlan}: they would be one network on the wire; "
                "correct one of them",
            )


def _overlap(one: str, other: str) -> bool:
    first, second = ip_network(one), ip_network(other)
    return first.version == second.version and first.overlaps(second)


def _addresses(view: SiteView) -> Iterator[Blocked]:
    holders: dict[str, list[str]] = defaultdict(list)
    management = [n for n in view.of(Network).values() if n.spec.role is NetworkRole.MANAGEMENT]
    for name, node in sorted(view.nodes.items()):
        holders[node.spec.address].append(f"{name} (management)")
        if len(management) == 1 and is_address(node.spec.address):
            network = management[0]
            if not any(inside(node.spec.address, subnet) for subnet in subnets(network)):
                yield _outside(name, node.spec.address, network.metadata.name, " and ".join(subnets(network)))
        for entry in node.spec.addresses:
            known = view.of(Network).get(entry.network)
            if known is None:
                have = ", ".join(sorted(view.of(Network))) or "none"
                yield Blocked(
                    Reason.NETWORK_NOT_FOUND,
                    f"{name} has an address in Network {entry.network}, which does not exist (there are: {have}); "
                    "make that Network or correct the name",
                )
            else:
                yield from _entry(name, entry, known)
            for address in filter(None, (entry.address, entry.ipv6)):
                if not (address == node.spec.address and known is not None and known in management):
                    holders[address].append(f"{name} ({entry.network})")
        yield from _choices(node, view)
    for network in view.of(Network).values():
        for address, what in _equipment(network):
            holders[address].append(f"{what} of Network {network.metadata.name}")
    for address, who in sorted(holders.items()):
        if len(who) > 1:
            yield Blocked(
                Reason.DUPLICATE_ADDRESS,
                f"{address} is declared {len(who)} times: {', '.join(who)}; every address may have one owner",
            )


def _entry(node: str, entry: NodeAddress, network: Network) -> Iterator[Blocked]:
    """What is wrong with the addresses of a node in one Network."""
    name, spec = network.metadata.name, network.spec
    if not inside(entry.address, spec.subnet):
        yield _outside(node, entry.address, name, spec.subnet)
    if entry.ipv6 and spec.ipv6 is None:
        yield Blocked(
            Reason.ADDRESS_OUTSIDE_NETWORK,
            f"{entry.ipv6} of {node} is in Network {name}, which declares no `ipv6`; declare it, or leave the address "
            "out",
        )
    elif entry.ipv6 and spec.ipv6 and not inside(entry.ipv6, spec.ipv6.subnet):
        yield _outside(node, entry.ipv6, name, spec.ipv6.subnet)


def _choices(node: Node, view: SiteView) -> Iterator[Blocked]:
    """What is wrong with the ports that a person has given to Networks."""
    for choice in node.spec.interfaces:
        for name in choice.networks:
            if name not in view.of(Network):
                yield Blocked(
                    Reason.NETWORK_NOT_FOUND,
                    f"{choice.port} of {node.metadata.name} is to lead to Network {name}, which does not exist; make "
                    "that Network or correct the name",
                )


def _equipment(network: Network) -> Iterator[tuple[str, str]]:
    """Addresses that no node may have; what answers for a gateway may be what is probed, too."""
    spec = network.spec
    routers = [spec.gateway, *((spec.ipv6.gateway,) if spec.ipv6 else ())]
    yield from ((address, "the gateway") for address in routers if address)
    if spec.probe_address and spec.probe_address not in routers:
        yield spec.probe_address, "the probe address"


def _outside(node: str, address: str, network: str, subnet: str) -> Blocked:
    return Blocked(
        Reason.ADDRESS_OUTSIDE_NETWORK,
        f"{address} of {node} is not inside Network {network} ({subnet}); correct the address or the subnet",
    )

"""Addresses that a host had before: it keeps them beside the declared ones while somebody goes by them.

So an address is changed in three steps, and none of them cuts off a way that is in use: the new one is added, everybody
who went by the old one goes by the new one, and the old one is taken away (rule:new-address-first).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare, Network, Node
from heretic.domain.declared.names import (
    address_in,
    ctdb_address,
    inside,
    ipv6_in,
    peer_name,
    storage_address,
    subnets,
)
from heretic.domain.declared.validate import faults
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Known
from heretic.domain.host import profiles
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.plan import Blocked
from heretic.domain.wiring.links import Links, live
from heretic.domain.wiring.manager import KEPT_LINKS
from heretic.domain.wiring.profiles import written_addresses

_WRONG = (Reason.DUPLICATE_ADDRESS, Reason.ADDRESS_OUTSIDE_NETWORK)


@dataclass(frozen=True, slots=True)
class Former:
    """An address that a host has, and that is not declared for it any more.

    Attributes:
        network: In which.
        address: With prefix length, as it is on the link.
        users: Who goes by it, for a person; none = nobody, so that it can go.
    """

    network: str
    address: str
    users: tuple[str, ...] = ()


def has_former(node: Node, view: SiteView, facts: HostFacts) -> bool:
    """Whether the other nodes are to be asked by which address they know this one."""
    return any(True for _ in _candidates(node, view, facts))


def former_addresses(node: Node, view: SiteView, facts: HostFacts, hosts: Mapping[str, HostView]) -> tuple[Former, ...]:
    """What a host has of an earlier declaration, where SSH or Gluster goes by it.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of its host. What it has beside, and neither profiles of ours nor its own name say, is somebody else's.
        hosts: What is known of all nodes; one that is not there, or not seen, may go by any address.
    """
    found = _candidates(node, view, facts)
    return tuple(Former(net, a, tuple(_users(node, view, a.partition("/")[0], hosts))) for net, a in found)


def _candidates(node: Node, view: SiteView, facts: HostFacts) -> Iterator[tuple[str, str]]:
    links, known = facts.interfaces.value if isinstance(facts.interfaces, Known) else (), _known(node, view, facts)
    shared = {address for share in view.of(FileShare).values() for address in share.spec.addresses}
    for name, network in sorted(view.of(Network).items()):
        own = {address_in(network, node), ipv6_in(network, node)}
        for subnet in subnets(network):
            declared = any(inside(a, subnet) for a in own)
            if declared and any(inside(a, subnet) for a in (storage_address(view, node), node.spec.address)):
                every = (address for link in links for address in link.addresses)
                bare = ((address.partition("/")[0], address) for address in every)
                yield from ((name, address) for a, address in bare if a in known - own - shared and inside(a, subnet))


def _known(node: Node, view: SiteView, facts: HostFacts) -> frozenset[str]:
    """Addresses that a host was given as this node."""
    manager, named = facts[KEPT_LINKS].manager, _named(facts, peer_name(view, node.metadata.name))
    ours = written_addresses(manager.value.files) if isinstance(manager, Known) else frozenset[str]()
    return frozenset({node.spec.address, *(named or ()), *(address.partition("/")[0] for address in ours)})


def _named(facts: HostView | None, name: str) -> frozenset[str] | None:
    """Where a name leads on a host; None where that is not known."""
    file = facts.files.get(profiles.HOSTS, NOT_OBSERVED) if isinstance(facts, HostFacts) else NOT_OBSERVED
    if not isinstance(file, Known):
        return None
    return frozenset(words[0] for words in _words(file.value.content) if name in words[1:])


def _users(node: Node, view: SiteView, address: str, hosts: Mapping[str, HostView]) -> Iterator[str]:
    if node.spec.address == address:
        yield f"spec.address of Node {node.metadata.name}"
    if ctdb_address(view, node.metadata.name) == address:
        yield "the nodes file of CTDB"
    if storage_address(view, node) == address:
        return  # it is declared for Gluster, and goes once that has another
    name = peer_name(view, node.metadata.name)
    for other in sorted(view.nodes):
        there = _named(hosts.get(other), name)
        if there is None:
            yield f"perhaps {other}, whose {profiles.HOSTS} is not known"
        elif address in there:
            yield f"{profiles.HOSTS} of {other}"


def _words(content: str) -> Iterator[list[str]]:
    return (words for line in content.splitlines() if (words := line.partition("#")[0].split()))


def kept_by_network(found: tuple[Former, ...]) -> dict[str, tuple[str, ...]]:
    """Addresses that stay on their links beside the declared ones, by network."""
    used = [former for former in found if former.users]
    return {f.network: tuple(o.address for o in used if o.network == f.network) for f in used}


def renumbering_refused(
    node: Node, view: SiteView, links: Links, networks: tuple[str, ...], found: tuple[Former, ...]
) -> Blocked | None:
    """Why the address of a host is not changed.

    Args:
        node: The Node.
        view: The declared site.
        links: Of its host.
        networks: Of the ports that would be changed.
        found: What the host has of an earlier declaration.
    """
    host = node.metadata.name
    wrong = next((fault for fault in faults(view) if fault.reason in _WRONG), None)
    if wrong is not None:
        return Blocked(wrong.reason, f"{host}: no address is changed on its links: {wrong.message}")
    address, old = storage_address(view, node), ctdb_address(view, host)
    moved = old and address != old and any(f.network in networks and f.address.partition("/")[0] == old for f in found)
    if moved and address not in live(links):
        return Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"{host}: {old} becomes no {address}: CTDB knows the host by {old}, and a line of its nodes file never "
            "changes. Take the role FileServer from the Node first; with the new address it gets a new line",
        )
    return None

"""What the free ports of a host are to be asked, and when."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.subnets import is_ipv6
from heretic.domain.declared.names import address_in
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import Known
from heretic.domain.host.interfaces import Interface
from heretic.domain.wiring.facts import Wires
from heretic.domain.wiring.links import Links, carried, is_free, live, ports, vlan_of

SECONDS = 4
"""How long is listened; three times is asked in it."""

MOST_PEERS = 2
"""How many of the other nodes are asked for in a network where nothing else is declared to answer."""


@dataclass(frozen=True, slots=True)
class PortQuestion:
    """One address that a port is asked for.

    Attributes:
        vlan: 0 = untagged.
        target: Who is asked for.
        source: The node's own address that is asked from, where no interface of the host has it; else "".
        mtu: In bytes, of the largest packet that is tried.
    """

    vlan: int
    target: str
    source: str
    mtu: int


@dataclass(frozen=True, slots=True)
class Asking:
    """What is to be done to find out where free ports lead.

    Attributes:
        off: Free ports that are switched off, and so cannot tell whether they have a link.
        ports: Free ports with a link.
        listeners: The other ports: whether they hear the free ones.
        questions: What is asked on each port.
        key: Of all this, and of the links as they are now.
    """

    off: Links
    ports: Links
    listeners: tuple[str, ...]
    questions: tuple[PortQuestion, ...]
    key: str

    def request(self) -> str:
        """For the program that asks."""
        return json.dumps(
            {
                "ports": [port.name for port in self.ports],
                "listeners": list(self.listeners),
                "questions": [asdict(question) for question in self.questions],
                "seconds": SECONDS,
            },
            sort_keys=True,
        )


def asking(node: Node, view: SiteView, links: Links, wires: Wires) -> Asking | None:
    """What is to be asked, whether or not it was asked already.

    Nothing is asked where nothing is missing: every network of the node is carried, and none declares a probe address.

    Args:
        node: The Node.
        view: The declared site.
        links: Of its host.
        wires: Likewise.
    """
    own = tuple(_networks_of(node, view))
    has = {name for port in ports(links) for name in carried(port, links, view)}
    wanted = [network for network in own if network.metadata.name not in has]
    if not isinstance(wires.changes, Known) or not (wanted or any(network.spec.probe_address for network in own)):
        return None
    told = {choice.port for choice in node.spec.interfaces}
    free = tuple(p for p in ports(links) if is_free(p, links) and not {p.name, p.mac} & told)
    questions = tuple(q for network in own for q in _questions(network, node, view, live(links)))
    if not free or not questions:
        return None
    asked = tuple(port for port in free if port.carrier)
    listeners = tuple(p.name for p in ports(links) if p not in free and p.carrier)
    key = _key(asked, listeners, questions, wires.changes.value)
    return Asking(tuple(port for port in free if port.carrier is None), asked, listeners, questions, key)


def targets(network: Network, node: Node, view: SiteView) -> tuple[str, ...]:
    """Addresses that should answer in a network: the probe address, else the gateways, else other nodes."""
    spec = network.spec
    if spec.probe_address:
        return (spec.probe_address,)
    routers = tuple(filter(None, (spec.gateway, spec.ipv6.gateway if spec.ipv6 else "")))
    if routers:
        return routers
    others = (other for name, other in sorted(view.nodes.items()) if name != node.metadata.name)
    return tuple(filter(None, (address_in(network, other) for other in others)))[:MOST_PEERS]


def _networks_of(node: Node, view: SiteView) -> Iterator[Network]:
    for _, network in sorted(view.of(Network).items()):
        if address_in(network, node):
            yield network


def _questions(network: Network, node: Node, view: SiteView, there: frozenset[str]) -> Iterator[PortQuestion]:
    own = address_in(network, node)
    source = "" if is_ipv6(own) or own in there else own
    for target in targets(network, node, view):
        yield PortQuestion(vlan_of(network), target, "" if is_ipv6(target) else source, network.spec.mtu)


def _key(
    asked: tuple[Interface, ...],
    listeners: tuple[str, ...],
    questions: tuple[PortQuestion, ...],
    changes: Mapping[str, int],
) -> str:
    names = (*(port.name for port in asked), *listeners)
    links = [(name, changes.get(name, -1)) for name in names]
    text = json.dumps([SECONDS, [port.mac for port in asked], links, [asdict(question) for question in questions]])
    return hashlib.sha256(text.encode()).hexdigest()[:16]

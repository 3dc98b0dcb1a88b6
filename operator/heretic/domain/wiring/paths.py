"""Whether packets of the declared size get from node to node: who is asked, what answers prove (rule:mtu-proved).

A node pings every other one in each network that both are seen to have, with packets that nobody may cut into pieces:
one of the declared size, and a smaller one. Only where the smaller one comes back, the other one's absence proves
something.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.node_interfaces import NodePath
from heretic.api.v1alpha1.subnets import is_ipv6
from heretic.domain.commands import Output, Probe
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.names import address_in, ipv6_in
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.stored import is_true
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.section import DueProbe
from heretic.domain.wiring.facts import Wires
from heretic.domain.wiring.recorded import carried_by, port_with

PREFIX = "path:"
"""Names of these questions begin so."""

PROVED_SECONDS, OPEN_SECONDS = 3600.0, 600.0
"""When a path is asked again: what was proved, and what was not."""

PING = ("ping", "-n", "-M", "do", "-c", "1", "-w", "2", "-i", "0.5")
"""Ends with the first answer; without one, after four packets in two seconds: one that got lost proves nothing."""

_SECONDS = 5
"""For a ping that ends by itself after two."""

_SMALLER = (1500, 1280, 576)
_HEADERS = {4: 28, 6: 48}
"""Bytes of a packet that are not the ping's own: IP and ICMP."""


@dataclass(frozen=True, slots=True)
class Path:
    """The way from a node to another one in a network.

    Attributes:
        network: Its name.
        node: Who is asked for.
        source: The own address in it.
        target: The other one's, of the same family.
        mtu: Bytes of the packet that is declared to get there.
        mark: What the answer depends on.
    """

    network: str
    node: str
    source: str
    target: str
    mtu: int
    mark: str

    @property
    def smaller(self) -> int:
        """Bytes of the packet that must get there if any does."""
        return next((size for size in _SMALLER if size < self.mtu), self.mtu)

    def name(self, size: int) -> str:
        """Of the question with a packet of this size."""
        return f"{PREFIX}{self.network}:{self.target}:{size}"

    def ping(self, size: int) -> tuple[str, ...]:
        """The question itself."""
        return (*PING, "-s", str(size - header(self.target)), "-I", self.source, self.target)


def header(address: str) -> int:
    """Bytes that a packet is larger than what `ping -s` is told."""
    return _HEADERS[6 if is_ipv6(address) else 4]


def paths(node: Node, view: SiteView, wires: Wires) -> Iterator[Path]:
    """The paths of a node that can be asked: to nodes that are seen to be there, over links that are large enough.

    Args:
        node: The Node, with what is recorded of its links.
        view: The declared site, with the other Nodes.
        wires: What the host told last.
    """
    for name, network in sorted(view.of(Network).items()):
        for other, peer in sorted(view.nodes.items()):
            if other == node.metadata.name or not is_there(peer):
                continue
            for source, target in pairs(network, node, peer):
                own, theirs = _carriers(network, node, source), _carriers(network, peer, target)
                if own and theirs:
                    mark = f"{_came_and_went(own, wires)} {own} {theirs}"
                    yield Path(name, other, source, target, network.spec.mtu, mark)


def is_there(node: Node) -> bool:
    """Whether a host answers over SSH, and stays; one that does not is not waited for."""
    return node.metadata.deletion_timestamp is None and is_true(node, ConditionType.INSPECTED)


def pairs(network: Network, node: Node, peer: Node) -> Iterator[tuple[str, str]]:
    """The addresses of two nodes in a network, by family."""
    for of in (address_in, ipv6_in):
        own, theirs = of(network, node), of(network, peer)
        if own and theirs and is_ipv6(own) == is_ipv6(theirs):
            yield own, theirs


def due_paths(node: Node, view: SiteView, wires: Wires) -> tuple[DueProbe, ...]:
    """The questions of a node's paths, each with a packet of the declared size and a smaller one.

    Args:
        node: The Node.
        view: The declared site.
        wires: What its host told last; nothing is asked before it has told how often its links came and went.
    """
    if not isinstance(wires.changes, Known):
        return ()
    return _DUE.of(view, lambda: tuple(_due(node, view, wires)), node, wires.changes, name=node.metadata.name)


_DUE = PerView[tuple[DueProbe, ...]]()


def _due(node: Node, view: SiteView, wires: Wires) -> Iterator[DueProbe]:
    for path in paths(node, view, wires):
        for size in dict.fromkeys((path.mtu, path.smaller)):
            probe = Probe(path.name(size), path.ping(size), _nothing, timeout=_SECONDS)
            yield DueProbe(probe, path.mark, _lasts, path.name(path.mtu))


def carries(output: Output) -> Fact[bool]:
    """Whether a packet came back whole; Unknown where it was not even sent."""
    match output.rc:
        case 0 if " bytes from " in output.stdout and "(truncated)" not in output.stdout:
            return Known(True)
        case 1:
            return Known(False)
    return Unknown((output.stderr or output.stdout).strip()[-200:] or f"ping ended with {output.rc}")


def answers_of(outputs: Mapping[str, Output]) -> Mapping[str, Fact[bool]]:
    """What each question told, by its name."""
    return {name: carries(output) for name, output in outputs.items()}


def proved(node: Node, view: SiteView, wires: Wires) -> list[NodePath]:
    """What is known of a node's paths: what was told now, else what is recorded of them.

    Args:
        node: The Node as stored.
        view: The declared site.
        wires: What its host told.

    Returns:
        The paths of which it is known how large packets may be. One that was asked, and on which nobody answers, is not
        among them; one that cannot be asked now stays.
    """
    return _PROVED.of(view, lambda: list(_proved(node, view, wires)), node, wires, name=node.metadata.name)


_PROVED = PerView[list[NodePath]]()
"""On a calm host each pass sees the same."""
_MOST = 256


def _proved(node: Node, view: SiteView, wires: Wires) -> Iterator[NodePath]:
    asked = {(path.network, path.target, path.mtu): path for path in paths(node, view, wires)}
    known = {(record.network, record.address, record.mtu): record for record in node.status.paths}
    declared = [
        (name, theirs, network.spec.mtu)
        for name, network in sorted(view.of(Network).items())
        for other, peer in sorted(view.nodes.items())
        for _, theirs in pairs(network, node, peer)
        if other != node.metadata.name
    ]
    for key in declared[:_MOST]:
        path, record = asked.get(key), known.get(key)
        told = _passed(path, wires) if path else Absent()
        if path and isinstance(told, Known):
            yield NodePath(network=path.network, node=path.node, address=path.target, mtu=path.mtu, passed=told.value)
        elif record and isinstance(told, Absent):
            yield record


def _passed(path: Path, wires: Wires) -> Fact[int]:
    """The largest packet that got there; Absent where nobody has asked yet."""
    large, small = (wires.passed.get(path.name(size), Absent()) for size in (path.mtu, path.smaller))
    match large, small:
        case Known(True), _:
            return Known(path.mtu)
        case Known(False), Known(True):
            return Known(path.smaller)
        case Absent(), _:
            return Absent()
    return Unknown(f"{path.target} answers to no packet")


def _carriers(network: Network, node: Node, address: str) -> str:
    """The links that carry an address, "" where one lacks or is too small: then it is known already that it fails."""
    top = port_with(node, address)
    links = carried_by(node, top) if top else ()
    if any(link.mtu < network.spec.mtu for link in links) or (top and top.carrier is False):
        return ""
    return ",".join(f"{link.name}/{link.mac}/{link.mtu}/{link.carrier}" for link in links)


def _came_and_went(links: str, wires: Wires) -> str:
    """How often each of these links did."""
    changes = wires.changes.value if isinstance(wires.changes, Known) else {}
    return ",".join(str(changes.get(link.partition("/")[0], "")) for link in links.split(","))


def _nothing(output: Output) -> Fact[object]:
    """The answers of a path are read together."""
    return Absent()


def _lasts(output: Output) -> float:
    return PROVED_SECONDS if output.rc == 0 else OPEN_SECONDS

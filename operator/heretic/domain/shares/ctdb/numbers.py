"""The nodes file: which number CTDB knows each host by. Lines are added, and never moved or taken out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.domain.declared.names import ctdb_address
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.plan import Blocked, Obstacle, Wait
from heretic.domain.shares.ctdb.parse import CtdbNode
from heretic.domain.shares.ctdb.texts import NODES
from heretic.domain.shares.servers import FileServer

Told = tuple[CtdbNode, ...]


@dataclass(frozen=True, slots=True)
class NumberedHost:
    """One line of the nodes file.

    Attributes:
        number: CTDB's number of the node: the place of the line.
        address: Of the host.
        node: Name of its Node; "" for a host that serves no files any more.
        counts: Whether it counts; the line of a host that serves no files any more is kept as a comment, once its CTDB
            is known to have ended.
    """

    number: int
    address: str
    node: str
    counts: bool = True


def node_lines(
    view: SiteView, servers: Iterable[FileServer], seen: Mapping[str, HostFacts], told: Sequence[Fact[Told]]
) -> tuple[NumberedHost, ...] | Obstacle:
    """The lines as they shall be (rule:cluster-lock-first).

    What was recorded counts, else what stands on the hosts; who is in neither comes behind.

    Args:
        view: The declared site.
        servers: The file servers.
        seen: Those that can be asked.
        told: The nodes that CTDB of each of them knows.
    """
    known = _recorded(view) or _on_hosts(seen)
    if isinstance(known, Wait | Blocked):
        return known
    nodes = {server.address: server.node for server in servers}
    for address, node in nodes.items():
        if (old := ctdb_address(view, node)) and old != address:
            return Blocked(
                Reason.IMMUTABLE_DIFFERENCE,
                f"CTDB knows {node} by {old}, and {address} is declared for it: a line of {NODES} never changes. "
                f"Declare {old} again, or take the role FileServer from the Node; with the new address it gets a new "
                "line",
            )
    addresses = [*known, *(address for address in nodes if address not in known)]
    ended = _comments(seen) | frozenset(address for address in known if _ended(address, told))
    return tuple(
        NumberedHost(n, address, nodes.get(address, ""), counts=address in nodes or address not in ended)
        for n, address in enumerate(addresses)
    )


def _ended(address: str, told: Sequence[Fact[Told]]) -> bool:
    """Whether CTDB of a host is known to have ended: every other one says so, or does not run itself."""
    said = (fact.value if isinstance(fact, Known) else () for fact in told)
    states = [node.states for nodes in said for node in nodes if node.address == address]
    known = not any(isinstance(fact, Unknown) for fact in told)
    return known and all("Disconnected" in found for found in states)


def _comments(seen: Mapping[str, HostFacts]) -> frozenset[str]:
    """Addresses whose line is a comment already on some host."""
    files = (facts.files.get(NODES, NOT_OBSERVED) for facts in seen.values())
    lines = (line for file in files if isinstance(file, Known) for line in file.value.content.splitlines())
    return frozenset(line.lstrip("#").strip() for line in lines if line.startswith("#"))


def nodes_text(lines: Iterable[NumberedHost]) -> str:
    """The file. It cannot hold a note: every line of it counts."""
    return "".join(f"{'' if line.counts else '#'}{line.address}\n" for line in lines)


def _recorded(view: SiteView) -> tuple[str, ...]:
    """All FileShares record the same; one that is newer may have recorded less."""
    lists = (share.status.servers for share in view.of(FileShare).values())
    longest = max(lists, key=len, default=[])
    return tuple(server.address for server in sorted(longest, key=lambda server: server.number))


def _on_hosts(seen: Mapping[str, HostFacts]) -> tuple[str, ...] | Obstacle:
    longest: tuple[str, ...] = ()
    for host, facts in seen.items():
        file = facts.files.get(NODES, NOT_OBSERVED)
        if isinstance(file, Unknown):
            return Wait(Reason.NOT_OBSERVED, f"{host}: {NODES} is not known: {file.cause}")
        there = _addresses(file.value.content) if isinstance(file, Known) else ()
        shorter, longer = sorted((there, longest), key=len)
        if longer[: len(shorter)] != shorter:
            return Blocked(
                Reason.CTDB_DIFFERS,
                f"{NODES} of {host} has the hosts in another order than that of other file servers, and no order is "
                f"recorded. A line's place is its host's number: with CTDB stopped everywhere, make the files alike",
            )
        longest = longer
    return longest


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(line.lstrip("#").strip() for line in text.splitlines() if line.strip("# \t"))

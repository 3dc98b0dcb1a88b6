"""The nodes file: which number CTDB knows each host by. Lines are added, and never moved or taken out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.plan import Blocked, Obstacle, Wait
from heretic.domain.shares.ctdb.texts import NODES
from heretic.domain.shares.servers import FileServer


@dataclass(frozen=True, slots=True)
class NumberedHost:
    """One line of the nodes file.

    Attributes:
        number: CTDB's number of the node: the place of the line.
        address: Of the host.
        node: Name of its Node; "" for a host that serves no files any more, whose line is kept as a comment.
    """

    number: int
    address: str
    node: str


def node_lines(
    view: SiteView, servers: Iterable[FileServer], seen: Mapping[str, HostFacts]
) -> tuple[NumberedHost, ...] | Obstacle:
    """The lines as they shall be (rule:cluster-lock-first).

    What was recorded counts, else what stands on the hosts; who is in neither comes behind.

    Args:
        view: The declared site.
        servers: The file servers.
        seen: Those that can be asked.
    """
    known = _recorded(view) or _on_hosts(seen)
    if isinstance(known, Wait | Blocked):
        return known
    nodes = {server.address: server.node for server in servers}
    addresses = [*known, *(address for address in nodes if address not in known)]
    return tuple(NumberedHost(n, address, nodes.get(address, "")) for n, address in enumerate(addresses))


def nodes_text(lines: Iterable[NumberedHost]) -> str:
    """The file. It cannot hold a note: every line of it counts."""
    return "".join(f"{'' if line.node else '#'}{line.address}\n" for line in lines)


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

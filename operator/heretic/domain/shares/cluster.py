"""The file servers of a site as one pass sees them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.common import Mode
from heretic.domain.declared.mode import mode_of
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Failure, Reason, is_lost, unobserved
from heretic.domain.facts import NOT_OBSERVED, Fact, Known
from heretic.domain.host.facts import FileContent, HostFacts, HostView
from heretic.domain.host.profiles import profile_of
from heretic.domain.host.rule import HostContext, unseen
from heretic.domain.plan import Blocked, Obstacle, Wait
from heretic.domain.shares.ctdb.facts import CTDB, CtdbFacts
from heretic.domain.shares.ctdb.numbers import NumberedHost, node_lines
from heretic.domain.shares.ctdb.parse import CtdbNode
from heretic.domain.shares.lock import lock_volume
from heretic.domain.shares.servers import FileServer, file_servers
from heretic.domain.shares.volumes import MountedVolume


@dataclass(frozen=True, slots=True)
class ServerCluster:
    """The file servers.

    Attributes:
        view: The declared site.
        servers: All of them.
        lock: The volume with their lock, or why there is none.
        lines: CTDB's nodes file as it shall be, or why that is not known.
        seen: What is known of those that could be asked.
        failures: Why the others could not.
        resting: Those in maintenance: nothing is asked of them, and nothing waits for them.
    """

    view: SiteView
    servers: tuple[FileServer, ...]
    lock: MountedVolume | Obstacle
    lines: tuple[NumberedHost, ...] | Obstacle
    seen: Mapping[str, HostFacts]
    failures: Mapping[str, Failure]
    resting: frozenset[str]

    @property
    def established(self) -> bool:
        """Whether CTDB was seen at work before: then a host that is lost does not hold the others up."""
        return any(share.status.servers for share in self.view.of(FileShare).values())

    @property
    def absent(self) -> Obstacle | None:
        """Why the others must wait for a file server that cannot be asked; None when they need not."""
        for host, failure in self.failures.items():
            if not (self.established and is_lost(failure)):
                return Wait(Reason.WAITING_FOR_NODES, unobserved(host, failure))
        for host in sorted(self.resting if not self.established else ()):
            return Wait(Reason.IN_MAINTENANCE, f"{host} is in maintenance, and file servers begin together")
        return None

    @property
    def witness(self) -> CtdbFacts | None:
        """What CTDB says on the host whose word counts: one that takes part itself, where there is any.

        A node that is banned or cut off tells of a cluster of its own.
        """
        own = {server.node: server.address for server in self.servers}
        views = [(_rank(facts[CTDB].nodes, own[host]), facts[CTDB]) for host, facts in self.seen.items()]
        running = [(rank, told) for rank, told in views if rank is not None]
        return max(running, key=lambda view: view[0])[1] if running else None

    def taken_out(self) -> frozenset[str]:
        """Addresses of the hosts that Heretic has taken out of service; all of them see the same."""
        told = (facts[CTDB].out for facts in self.seen.values())
        return frozenset[str]().union(*(out.value for out in told if isinstance(out, Known)))

    def nodes(self) -> dict[str, CtdbNode]:
        """CTDB's nodes by address; empty where no CTDB answers."""
        told = self.witness.nodes if self.witness else None
        return {node.address: node for node in told.value} if isinstance(told, Known) else {}

    def holders(self) -> dict[str, str]:
        """The Node that has each public address; one that nobody has is not in it."""
        numbers = {node.number: node.address for node in self.nodes().values()}
        names = {server.address: server.node for server in self.servers}
        told = self.witness.addresses if self.witness else None
        held = told.value if isinstance(told, Known) else {}
        return {a: names.get(numbers[n], numbers[n]) for a, n in held.items() if n in numbers}

    def acting(self, share: FileShare) -> list[FileShare]:
        """The share and those whose wishes may be carried out beside it, by name."""
        shares = self.view.of(FileShare).values()
        return sorted((s for s in shares if s is share or may_act(s, self.view)), key=lambda s: s.metadata.name)

    def context(self, facts: HostFacts) -> HostContext | Obstacle:
        """What the rules for files look at."""
        if not isinstance(facts.os, Known):
            return unseen(facts, "its operating system", facts.os)
        profile = profile_of(facts.os.value)
        if isinstance(profile, Blocked):
            return profile
        return HostContext(self.view.nodes[facts.host], self.view, facts, profile)

    def number(self, node: str) -> int:
        """CTDB's number of a host, where that is known."""
        lines = () if isinstance(self.lines, Wait | Blocked) else self.lines
        return next((line.number for line in lines if line.node == node), -1)

    def contexts(self) -> Iterator[HostContext | Obstacle]:
        """Every file server that can be asked, as rules see it, or why it cannot be judged."""
        return map(self.context, self.seen.values())

    def files(self, path: str) -> Iterator[tuple[HostContext, FileContent] | Obstacle]:
        """A file of every file server that can be asked, or why it cannot be told."""
        for host in self.contexts():
            if isinstance(host, Wait | Blocked):
                yield host
                continue
            file = host.facts.files.get(path, NOT_OBSERVED)
            yield (host, file.value) if isinstance(file, Known) else unseen(host.facts, path, file)


def may_act(share: FileShare, view: SiteView) -> bool:
    """Whether anything may be changed for a share."""
    mode = mode_of(share, view.site)
    return mode is Mode.APPLY and not share.spec.paused and share.metadata.deletion_timestamp is None


def _rank(nodes: Fact[tuple[CtdbNode, ...]], own: str) -> tuple[bool, int] | None:
    """How much a host's word counts: whether it takes part, and how many it sees that do; None = CTDB says nothing."""
    if not isinstance(nodes, Known):
        return None
    sound = [node.address for node in nodes.value if not node.states]
    return own in sound, len(sound)


def see(view: SiteView, hosts: Mapping[str, HostView]) -> ServerCluster:
    """The file servers as they are."""
    servers = file_servers(view)
    resting = frozenset(server.node for server in servers if view.nodes[server.node].spec.maintenance)
    looks = {server.node: hosts[server.node] for server in servers if server.node in hosts.keys() - resting}
    seen = {name: look for name, look in looks.items() if isinstance(look, HostFacts)}
    return ServerCluster(
        view=view,
        servers=servers,
        lock=lock_volume(view),
        lines=node_lines(view, servers, seen, [facts[CTDB].nodes for facts in seen.values()]),
        seen=seen,
        failures={name: look for name, look in looks.items() if not isinstance(look, HostFacts)},
        resting=resting,
    )

"""Who is who in the trusted pool: which Node stands behind a UUID of glusterd or a name that Gluster knows.

A UUID is an identity, a name is not: a pool keeps the names under which it was made. So a host is told by the UUID
that is recorded for it, by the one it shows itself, or by the one under which another node knows it by a name of
ours; a name alone decides only where nothing of this is known. None of it depends on whether the host answers now.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heretic.domain.declared.names import peer_names, same_name
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.plan import Blocked
from heretic.domain.pool.member import MEMBER, Member
from heretic.domain.pool.parse.peers import IN_CLUSTER, Peer

_INFO = "the file /var/lib/glusterd/glusterd.info"


@dataclass(frozen=True, slots=True)
class Replaced:
    """A host whose glusterd is not the one that was known.

    Attributes:
        node: Name of the Node.
        expected: UUID that is recorded for it, or under which its peers know it.
        found: UUID that it shows.
        owner: The other Node that ``found`` is recorded for, "" for none.
    """

    node: str
    expected: str
    found: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Members:
    """What is known of the identity of the storage hosts.

    Attributes:
        nodes: Node by UUID.
        names: Node by name, as ``same_name`` writes it; names that lead to two Nodes are not in it.
        uuids: UUID by Node; Nodes whose UUID is not known are not in it.
        unknown: Nodes whose UUID nobody knows.
        replaced: By Node.
        cloned: Nodes by the UUID that they share.
        proven: UUID by Node, of hosts that are connected full members now and say themselves who they are.
    """

    nodes: Mapping[str, str]
    names: Mapping[str, str]
    uuids: Mapping[str, str]
    unknown: tuple[str, ...]
    replaced: Mapping[str, Replaced]
    cloned: Mapping[str, tuple[str, ...]]
    proven: Mapping[str, str]

    def node_of(self, uuid: str, names: Iterable[str]) -> str | None:
        """The Node behind what Gluster printed; None for a host that is none of ours, as far as is known.

        Args:
            uuid: Of its glusterd, "" when it was not printed.
            names: All names that were printed for it.
        """
        uuid = uuid.lower()
        if uuid in self.nodes:
            return self.nodes[uuid]
        for name in names:
            node = self.names.get(same_name(name))
            if node is not None and not (uuid and node in self.uuids):
                return node
        return None

    def obstacle(self, nodes: Iterable[str]) -> Blocked | None:
        """Why nothing may be configured with one of these nodes, as far as its identity goes."""
        wanted = tuple(nodes)
        for uuid, sharing in self.cloned.items():
            if set(sharing) & set(wanted):
                return Blocked(
                    Reason.PEER_CLONED,
                    f"{' and '.join(sharing)} have the same glusterd UUID {uuid}, as machines made from one image "
                    "have; each host needs its own. On the one that holds no bricks and was never in the pool: stop "
                    f"glusterd, remove {_INFO}, start glusterd",
                )
        return next((_told(self.replaced[n]) for n in wanted if n in self.replaced), None)


def _told(found: Replaced) -> Blocked:
    who = f", which is the one of {found.owner}" if found.owner else ""
    return Blocked(
        Reason.PEER_REPLACED,
        f"the glusterd of {found.node} has the UUID {found.found}{who}, and {found.expected} is known for it: the host "
        "was installed anew, or another one answers at its address. Nothing is configured with it, and its peers are "
        f"left as they are. If another host answers, correct the address of Node {found.node}; if it was installed "
        f"anew, give it its UUID back: stop glusterd there, write UUID={found.expected} into {_INFO}, start glusterd, "
        "and follow the how-to page for a reinstalled host",
    )


def members(view: SiteView, hosts: Mapping[str, HostView]) -> Members:
    """Tells who is who, from what is recorded and what was observed.

    Args:
        view: The declared site; its Site's status holds the recorded UUIDs.
        hosts: What is known of every storage node.
    """
    return _OF_PASS.of(view, lambda: _of_looks(view, hosts), hosts)


def _of_looks(view: SiteView, hosts: Mapping[str, HostView]) -> Members:
    told = {name: seen[MEMBER] if isinstance(seen, HostFacts) else None for name, seen in hosts.items()}
    return _OF_LOOKS.of(view, lambda: _members(view, told), *told.values(), name=" ".join(told))


_OF_PASS = PerView[Members]()
"""A pass asks for every brick and every peer, on the same view and facts."""
_OF_LOOKS = PerView[Members]()
"""On a calm site each pass is told the same."""
_DECLARED_NAMES = PerView[dict[str, str]]()
"""Every pass of a site asks for them."""


def _members(view: SiteView, hosts: Mapping[str, Member | None]) -> Members:
    recorded = {p.node: p.uuid.lower() for p in (view.site.status.peers if view.site else []) if p.uuid}
    told = {name: member for name, member in hosts.items() if member is not None}
    own = {n: f.uuid.value.lower() for n, f in told.items() if isinstance(f.uuid, Known)}
    said = {n: f.peers.value for n, f in told.items() if isinstance(f.peers, Known)}
    cloned = _cloned(recorded, own)
    declared = _DECLARED_NAMES.of(view, lambda: _declared_names(view))
    sure = {**own, **recorded}
    heard = _heard(said, declared, set(sure.values()))
    nodes = {u: n for n, u in {**own, **heard, **recorded}.items() if u not in cloned or n in recorded or n in heard}
    replaced = _replaced(recorded, own, heard)
    aliases = [
        (same_name(name), nodes[peer.uuid.lower()])
        for peers in said.values()
        for peer in peers
        if peer.uuid.lower() in nodes
        for name in peer.hostnames
    ]
    nameless = [n for n in hosts if n not in nodes.values() and not _has_none(told.get(n))]
    return Members(
        nodes=nodes,
        names=_unique([*declared.items(), *aliases]),
        uuids={node: uuid for uuid, node in nodes.items()},
        unknown=tuple(nameless),
        replaced=replaced,
        cloned=cloned,
        proven=_proven(own, said, {n for sharing in cloned.values() for n in sharing} | set(replaced)),
    )


def _has_none(told: Member | None) -> bool:
    """Whether a host's glusterd is known to have no UUID yet, so that it is in no pool."""
    return told is not None and isinstance(told.uuid, Absent)


def _declared_names(view: SiteView) -> dict[str, str]:
    """Node by each name that the declaration gives to it alone."""
    return _unique((same_name(name), node) for node in view.nodes for name in peer_names(view, node))


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, node in pairs:
        found[name].add(node)
    return {name: next(iter(nodes)) for name, nodes in found.items() if len(nodes) == 1}


def _cloned(recorded: Mapping[str, str], own: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """UUIDs of several hosts; one that shows the UUID of another and has a record itself was replaced by that one."""
    found: dict[str, list[str]] = defaultdict(list)
    for node, uuid in sorted(own.items()):
        found[uuid].append(node)
    for node, uuid in sorted(recorded.items()):
        if node not in own and any(n not in recorded for n in found.get(uuid, ())):
            found[uuid].append(node)
    return {uuid: tuple(sorted(nodes)) for uuid, nodes in found.items() if len(nodes) > 1}


def _heard(said: Mapping[str, tuple[Peer, ...]], declared: Mapping[str, str], sure: set[str]) -> dict[str, str]:
    """UUID by Node, as its peers know it by a name of ours; only where they agree."""
    found: dict[str, set[str]] = defaultdict(set)
    for observer, peers in said.items():
        for peer in peers:
            named = {declared[same_name(name)] for name in peer.hostnames if same_name(name) in declared}
            if len(named) == 1 and peer.uuid.lower() not in sure and observer not in named:
                found[named.pop()].add(peer.uuid.lower())
    return {node: next(iter(uuids)) for node, uuids in found.items() if len(uuids) == 1}


def _replaced(recorded: Mapping[str, str], own: Mapping[str, str], heard: Mapping[str, str]) -> dict[str, Replaced]:
    owners = {uuid: node for node, uuid in recorded.items()}
    expected = {**heard, **recorded}
    return {
        node: Replaced(node, expected[node], uuid, owners.get(uuid, ""))
        for node, uuid in own.items()
        if expected.get(node, uuid) != uuid
    }


def _proven(own: Mapping[str, str], said: Mapping[str, tuple[Peer, ...]], doubtful: set[str]) -> dict[str, str]:
    whole = {
        peer.uuid.lower()
        for observer, peers in said.items()
        if observer not in doubtful
        for peer in peers
        if peer.connected and peer.state == IN_CLUSTER
    }
    return {node: uuid for node, uuid in own.items() if uuid in whole and node not in doubtful}

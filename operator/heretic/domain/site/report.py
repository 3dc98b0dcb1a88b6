"""What is said of the site as a whole: its pool, whether it serves, and whether it could bear one more loss."""

from collections.abc import Mapping, Sequence

from heretic.api.v1alpha1 import GlusterVolume, Node, Site
from heretic.api.v1alpha1.site import PeerStatus, SiteStatus, SiteStorage
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.names import storage_nodes
from heretic.domain.declared.stored import is_true, stored_condition, why_not
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason, is_lost, unobserved
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.maintenance import in_maintenance
from heretic.domain.plan import Blocked, Wait
from heretic.domain.pool.choose import choose_storage, not_absorbed
from heretic.domain.pool.members import members
from heretic.domain.pool.parse.peers import IN_CLUSTER
from heretic.domain.pool.peers import PoolView, pool_seen_by
from heretic.domain.report import Report

_READY = frozenset({ConditionType.POOL_FORMED, ConditionType.AVAILABLE})
"""A site that serves with reduced redundancy is Ready; NPlusOne carries the bad news."""


def report_site(site: Site, view: SiteView, hosts: Mapping[str, HostView]) -> Report:
    """Reports the site.

    Args:
        site: The object.
        view: The declared site with what its volumes' status says.
        hosts: What is known of every storage node.

    Returns:
        Status fields (the storage choice among them, recorded here once and kept) and the conditions PoolFormed,
        Available and NPlusOne.
    """
    choice = choose_storage(view)
    storage = choice if isinstance(choice, SiteStorage) else site.status.storage
    nodes = tuple(storage.nodes) if storage else ()
    pools = [p for p in (pool_seen_by(n, view, hosts) for n in nodes) if p is not None]
    conditions = (
        _pool_formed(choice, nodes, pools, view, hosts),
        _available(view),
        _n_plus_one(view, nodes, pools, hosts),
    )
    declared = storage_nodes(view)
    ready = [n for n in view.nodes.values() if is_true(n, ConditionType.READY)]
    volumes = view.of(GlusterVolume)
    volumes_ready = [v for v in volumes.values() if is_true(v, ConditionType.READY)]
    status = SiteStatus(
        storage=storage,
        peers=_peers(site, nodes or tuple(declared), nodes, pools, view, hosts),
        nodes_ready=f"{len(ready)}/{len(view.nodes)}",
        volumes_ready=f"{len(volumes_ready)}/{len(volumes)}",
    )
    return Report(
        status=status,
        conditions=conditions,
        ready=_READY,
        summary=f"{len(ready)}/{len(view.nodes)} nodes and {len(volumes_ready)}/{len(volumes)} volumes are ready",
        notes=_notes(view),
    )


def _pool_formed(
    choice: SiteStorage | Wait | Blocked,
    nodes: Sequence[str],
    pools: Sequence[PoolView],
    view: SiteView,
    hosts: Mapping[str, HostView],
) -> Condition:
    kind = ConditionType.POOL_FORMED
    if not nodes:
        assert isinstance(choice, Wait | Blocked)
        return Condition(kind, State.FALSE, choice.reason, choice.message)
    wrong = members(view, hosts).obstacle(nodes)
    if wrong:
        return Condition(kind, State.FALSE, wrong.reason, wrong.message)
    if len(nodes) == 1:
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"{nodes[0]} is the only storage node")
    if not pools:
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, "no storage node tells who its peers are")
    foreign = sorted({name for pool in pools for name in pool.foreign})
    if foreign:
        return Condition(
            kind, State.FALSE, Reason.POOL_NOT_OURS, f"the pool has members that are no Nodes: {', '.join(foreign)}"
        )
    rejected = sorted({(p.observer, n) for p in pools for n in p.rejected(nodes)})
    if rejected:
        told = "; ".join(f"{observer} has not accepted {node} as a member" for observer, node in rejected)
        return Condition(kind, State.FALSE, Reason.PEER_REJECTED, told)
    unproven = sorted({name for pool in pools for name in pool.unproven})
    if unproven:
        told = f"which Node these peers are is not known yet: {', '.join(unproven)}"
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, told)
    absent = sorted({n for p in pools for n in p.absent(nodes)})
    if absent:
        return Condition(
            kind, State.FALSE, Reason.WAITING_FOR_POOL, f"not in the pool of all others yet: {', '.join(absent)}"
        )
    silent = [n for n in nodes if all(p.observer != n for p in pools)]
    told = f"{len(nodes)} storage nodes are members of one trusted pool"
    if len(pools) <= len(nodes) // 2:
        return Condition(
            kind, State.UNKNOWN, Reason.NOT_OBSERVED, f"most storage nodes do not tell their peers: {', '.join(silent)}"
        )
    return Condition(kind, State.TRUE, Reason.AS_DECLARED, told)


def _peers(
    site: Site,
    shown: Sequence[str],
    nodes: Sequence[str],
    pools: Sequence[PoolView],
    view: SiteView,
    hosts: Mapping[str, HostView],
) -> list[PeerStatus]:
    """Every member with the UUID that is recorded for it, or proven now; what is recorded stays."""
    recorded = {p.node: p.uuid for p in site.status.peers if p.uuid}
    who = members(view, hosts)
    proven = dict(who.proven)
    if len(nodes) == 1 and nodes[0] not in who.replaced and nodes[0] in who.uuids:
        proven[nodes[0]] = who.uuids[nodes[0]]
    names = [*shown, *(n for n in recorded if n not in shown)]
    return [
        PeerStatus(node=n, state=_peer_state(n, nodes, pools, hosts), uuid=recorded.get(n) or proven.get(n, ""))
        for n in names
    ]


def _peer_state(node: str, nodes: Sequence[str], pools: Sequence[PoolView], hosts: Mapping[str, HostView]) -> str:
    """The worst that others say of a node; Unknown when nobody says anything."""
    if len(nodes) == 1 and isinstance(hosts.get(node), HostFacts):
        return IN_CLUSTER
    said = [p.peers[node] for p in pools if node in p.peers]
    if not said:
        return "Not in the pool" if any(p.observer != node for p in pools) else "Unknown"
    worst = next((p for p in said if p.state != IN_CLUSTER), None) or next(
        (p for p in said if not p.connected), said[0]
    )
    return worst.state if worst.connected else f"{worst.state} (Disconnected)"


def _living(view: SiteView) -> list[GlusterVolume]:
    return [v for _, v in sorted(view.of(GlusterVolume).items()) if v.metadata.deletion_timestamp is None]


def _available(view: SiteView) -> Condition:
    """Whether every volume that exists can be written; volumes that are still being made do not count against it."""
    kind = ConditionType.AVAILABLE
    volumes = [v for v in _living(view) if v.status.volume_id]
    unmade = [v for v in _living(view) if not v.status.volume_id]
    pending = len(unmade)
    more = f"; {pending} more are being made" if pending else ""
    needed = (ConditionType.STARTED, ConditionType.QUORATE)
    lost = [(v, c) for v in volumes for c in needed if _says(v, c) is State.FALSE]
    if lost:
        told = "; ".join(why_not(v, c) for v, c in lost)
        return Condition(kind, State.FALSE, Reason.QUORUM_LOST, f"not every volume serves: {told}")
    unknown = [(v, c) for v in volumes for c in needed if _says(v, c) is State.UNKNOWN]
    # What was never seen may be a volume that serves: only one that is known not to exist yet does not count.
    unknown += [(v, ConditionType.STARTED) for v in unmade if _says(v, ConditionType.STARTED) is State.UNKNOWN]
    if unknown:
        told = "; ".join(dict.fromkeys(why_not(v, c) for v, c in unknown))
        return Condition(
            kind, State.UNKNOWN, Reason.QUORUM_UNKNOWN, f"whether every volume serves is not known: {told}"
        )
    return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"all {len(volumes)} volumes serve{more}")


def _n_plus_one(
    view: SiteView, nodes: Sequence[str], pools: Sequence[PoolView], hosts: Mapping[str, HostView]
) -> Condition:
    """Whether any one node could be lost now without a volume losing quorum or data."""
    kind = ConditionType.N_PLUS_ONE
    if len(nodes) < 2:
        reason = Reason.UNSUPPORTED_NODE_COUNT if nodes else Reason.WAITING_FOR_SITE
        told = "one storage node: nothing can be lost" if nodes else "the storage nodes have not been chosen yet"
        return Condition(kind, State.FALSE, reason, told)
    unseen = {n: f for n in nodes if (f := hosts.get(n)) is not None and not isinstance(f, HostFacts)}
    unread = view.unread_of(Node.KIND)
    out = [n for n in nodes if (n not in hosts and n not in unread) or (n in unseen and is_lost(unseen[n]))]
    disconnected = sorted({n for p in pools for n in p.disconnected(nodes)})
    if out or disconnected:
        told = ", ".join(dict.fromkeys([*out, *disconnected]))
        return Condition(kind, State.FALSE, Reason.PEER_DISCONNECTED, f"already out: {told}; no other node may be lost")
    maintained = [n for n in nodes if in_maintenance(view, n)]
    if maintained:
        return Condition(
            kind, State.FALSE, Reason.IN_MAINTENANCE, f"in maintenance: {', '.join(maintained)}; no other may be lost"
        )
    doubts = [unobserved(n, failure) for n, failure in unseen.items()]
    doubts += [f"Node {n} cannot be understood by this version" for n in nodes if n in unread]
    needed = (ConditionType.BRICKS_READY, ConditionType.QUORATE, ConditionType.HEALED)
    volumes = [v for v in _living(view) if v.status.volume_id]
    for wanted in (State.FALSE, State.UNKNOWN):
        weak = [(v, c) for v in volumes for c in needed if _says(v, c) is wanted]
        if weak:
            told = "; ".join(why_not(v, c) for v, c in weak)
            return Condition(kind, wanted, Reason.HEAL_PENDING if wanted is State.FALSE else Reason.HEAL_UNKNOWN, told)
        if doubts:
            return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, "; ".join(doubts))
    if len(pools) < len(nodes):
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, "not every storage node tells its peers")
    return Condition(kind, State.TRUE, Reason.AS_DECLARED, "any one node may be lost")


def _says(volume: GlusterVolume, kind: ConditionType) -> State:
    found = stored_condition(volume, kind)
    return State(found.status) if found and found.status in set(State) else State.UNKNOWN


def _notes(view: SiteView) -> tuple[str, ...]:
    late = not_absorbed(view)
    if not late:
        return ()
    return (
        f"{', '.join(late)} came after the storage layout was made: no bricks are placed there, because that would "
        "move data of existing volumes; remove the role Storage to silence this",
    )

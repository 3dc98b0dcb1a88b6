"""What is said of one volume: every condition on every pass, also when nothing could be seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heretic.api.quantity import format_bytes
from heretic.api.v1alpha1 import GlusterVolume, Node
from heretic.api.v1alpha1.gluster_volume import BrickStatus, GlusterVolumeStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.errors import Reason, is_lost, unobserved
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.gluster.capacity import BrickPlace, capacity_condition, usable_and_free
from heretic.domain.gluster.difference import foreign_options, laid_out_by_others
from heretic.domain.gluster.health import BrickHealth, BrickVerdict, Quorum, brick_healths, healed, quorum, volume_of
from heretic.domain.gluster.placement import Placement, gluster_name, place
from heretic.domain.gluster.records import Identities, identities, with_identity
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.pool.facts import BrickState, PoolFacts, VolumeInfo, VolumeState
from heretic.domain.pool.peers import pool_seen_by
from heretic.domain.report import Report

_NOT_MANAGED = "observed only: the bricks of {} are not laid out by Heretic, so the volume is watched and not managed"

_READY = frozenset({ConditionType.BRICKS_READY, ConditionType.STARTED, ConditionType.QUORATE, ConditionType.HEALED})


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the conditions are decided on.

    Attributes:
        name: Of the volume in Gluster.
        info: The volume, if it exists and is known.
        sets: Its bricks, set by set; empty when there is no info.
        lost: Nodes that hold bricks and cannot be reached or are disconnected, with why.
        doubt: Why it is not known which nodes are lost; "" when it is.
        pool: What the asked node says.
    """

    name: str
    info: Fact[VolumeInfo]
    sets: tuple[tuple[BrickHealth, ...], ...]
    lost: Mapping[str, str]
    doubt: str
    pool: Fact[PoolFacts]

    @property
    def bricks(self) -> tuple[BrickHealth, ...]:
        return tuple(b for members in self.sets for b in members)


def report_volume(
    volume: GlusterVolume,
    view: SiteView,
    hosts: Mapping[str, HostView],
    pool: Fact[PoolFacts],
) -> Report:
    """Reports one volume.

    Args:
        volume: The object.
        view: The declared site.
        hosts: What is known of every storage node.
        pool: What one of them says of the volumes.

    Returns:
        Status fields and the conditions BricksReady, Started, Quorate, Healed, CapacityOK and Degraded. Taking a
        fact away never makes any of them better.
    """
    name = gluster_name(volume)
    placement = place(view).get(volume.metadata.name)
    info = _itself(volume, volume_of(pool, name))
    foreign = isinstance(info, Known) and laid_out_by_others(info.value)
    placed = placement if isinstance(placement, Placement) and not foreign else None
    sets = (
        brick_healths(info.value, view, hosts, pool.value)
        if isinstance(info, Known) and isinstance(pool, Known)
        else ()
    )
    lost = _lost(info, sets, placed, view, hosts, pool)
    scene = _Scene(name, info, sets, lost, _doubt(sets, view, hosts, pool), pool)
    capacity = capacity_condition(name, _places(scene, placed), hosts)
    conditions = (_bricks_ready(scene), _started(scene), _quorate(scene), _healed(scene), capacity, _degraded(scene))
    return Report(
        status=_status(volume, scene, placed, identities(volume, info, placed, view, hosts)),
        conditions=conditions,
        ready=_READY,
        summary=_summary(scene) + ("; observed only" if foreign else ""),
        notes=(_NOT_MANAGED.format(name),) if foreign else _notes(scene, placed),
    )


def _itself(volume: GlusterVolume, info: Fact[VolumeInfo]) -> Fact[VolumeInfo]:
    """The volume that this object stands for; a namesake says nothing of it."""
    recorded = volume.status.volume_id
    if not isinstance(info, Known) or recorded in ("", info.value.volume_id):
        return info
    found = info.value
    return Unknown(f"the volume {found.name} has the id {found.volume_id}, and this object stands for {recorded}")


def _lost(
    info: Fact[VolumeInfo],
    sets: Sequence[Sequence[BrickHealth]],
    placed: Placement | None,
    view: SiteView,
    hosts: Mapping[str, HostView],
    pool: Fact[PoolFacts],
) -> dict[str, str]:
    """Nodes of an existing volume that are out, as far as that is known.

    It counts as soon as a host gives no sign of life: glusterd itself may believe in a dead peer for minutes. A host
    that answers and lets nobody in is another matter: whether it is out is not known.
    """
    exists = isinstance(info, Known)
    nodes = {b.node for members in sets for b in members if b.node}
    if not exists and placed is not None and not isinstance(info, Absent):
        nodes = {b.host for b in placed.bricks}
    lost: dict[str, str] = {}
    for node in sorted(nodes):
        facts = hosts.get(node)
        if facts is None and node not in view.unread_of(Node.KIND):
            lost[node] = f"{node} is no storage node of this site any more"
        elif facts is not None and not isinstance(facts, HostFacts) and is_lost(facts):
            lost[node] = unobserved(node, facts)
    for node in _disconnected(view, hosts, pool):
        if node in nodes:
            lost.setdefault(node, f"glusterd on {node} does not answer its peers")
    return lost


def _disconnected(view: SiteView, hosts: Mapping[str, HostView], pool: Fact[PoolFacts]) -> tuple[str, ...]:
    if not isinstance(pool, Known):
        return ()
    members = pool_seen_by(pool.value.asked, view, hosts)
    return members.disconnected(view.nodes) if members else ()


def _doubt(
    sets: Sequence[Sequence[BrickHealth]], view: SiteView, hosts: Mapping[str, HostView], pool: Fact[PoolFacts]
) -> str:
    """Why the list of lost nodes may be incomplete."""
    nodes = sorted({b.node for members in sets for b in members})
    told = [
        unobserved(node, facts)
        for node in nodes
        if (facts := hosts.get(node)) is not None and not isinstance(facts, HostFacts) and not is_lost(facts)
    ]
    told += [f"Node {node} cannot be understood by this version" for node in nodes if node in view.unread_of(Node.KIND)]
    if told:
        return "; ".join(told)
    if isinstance(pool, Known) and pool_seen_by(pool.value.asked, view, hosts) is None:
        return f"{pool.value.asked} does not tell which of its peers answer"
    strangers = sorted({b.brick.host for members in sets for b in members if not b.node})
    return f"{', '.join(strangers)}: no Node of this site is known under that name" if strangers else ""


def _places(scene: _Scene, placed: Placement | None) -> Sequence[BrickSpec | BrickPlace]:
    """Where the bricks lie; where they are to lie, as long as the volume is not known."""
    declared = {(b.host, b.path): b for b in (placed.bricks if placed else ())}
    if not scene.bricks:
        return tuple(declared.values())
    return [BrickPlace(b.node, b.brick.path, declared.get((b.node, b.brick.path))) for b in scene.bricks]


def _unknown(kind: ConditionType, cause: str) -> Condition:
    return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, cause)


def _missing(scene: _Scene, kind: ConditionType) -> Condition | None:
    """The condition of a volume that is not there, or of which nothing is known."""
    match scene.info:
        case Known():
            return None
        case Absent():
            return Condition(kind, State.FALSE, Reason.WORK_IN_PROGRESS, f"{scene.name} does not exist yet")
        case Unknown(cause):
            return _unknown(kind, cause)


def _bricks_ready(scene: _Scene) -> Condition:
    kind = ConditionType.BRICKS_READY
    missing = _missing(scene, kind)
    if missing:
        return missing
    bricks = scene.bricks
    wrong = [b for b in bricks if b.verdict is not BrickVerdict.UP or b.node in scene.lost]
    if not wrong:
        if scene.doubt:
            return _unknown(kind, scene.doubt)
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"all {len(bricks)} bricks are up")
    told = "; ".join(dict.fromkeys([*scene.lost.values(), *(b.why for b in wrong if b.node not in scene.lost)]))
    count = f"{len(bricks) - len(wrong)} of {len(bricks)} bricks are known to be up: {told}"
    if scene.lost:
        return Condition(kind, State.FALSE, Reason.PEER_DISCONNECTED, count)
    if any(b.verdict is BrickVerdict.DOWN for b in wrong):
        return Condition(kind, State.FALSE, Reason.BRICK_DOWN, count)
    return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, count)


def _started(scene: _Scene) -> Condition:
    kind = ConditionType.STARTED
    missing = _missing(scene, kind)
    if missing:
        return missing
    assert isinstance(scene.info, Known)
    state = scene.info.value.state
    if state is VolumeState.STARTED:
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"{scene.name} is started")
    return Condition(kind, State.FALSE, Reason.VOLUME_NOT_STARTED, f"{scene.name} is {state.value.lower()}")


def _quorate(scene: _Scene) -> Condition:
    kind = ConditionType.QUORATE
    missing = _missing(scene, kind)
    if missing:
        return missing
    verdicts = [quorum(s) for s in scene.sets]
    total = len(verdicts)
    lost = [s for s, q in zip(scene.sets, verdicts, strict=True) if q is Quorum.LOST]
    if lost:
        told = "; ".join(b.why for b in lost[0] if b.verdict is not BrickVerdict.UP)
        return Condition(
            kind,
            State.FALSE,
            Reason.QUORUM_LOST,
            f"{len(lost)} of {total} replica sets have lost quorum and cannot be written: {told}",
        )
    if not verdicts or Quorum.UNKNOWN in verdicts:
        doubtful = [b.why for s in scene.sets for b in s if b.verdict is not BrickVerdict.UP]
        return Condition(
            kind, State.UNKNOWN, Reason.QUORUM_UNKNOWN, f"whether enough bricks run is not known: {'; '.join(doubtful)}"
        )
    sets = "the replica set has" if total == 1 else f"all {total} replica sets have"
    return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"{sets} quorum")


def _healed(scene: _Scene) -> Condition:
    kind = ConditionType.HEALED
    missing = _missing(scene, kind)
    if missing:
        return missing
    assert isinstance(scene.info, Known)
    assert isinstance(scene.pool, Known)
    if scene.info.value.state is not VolumeState.STARTED and scene.info.value.replica_count > 1:
        return _unknown(kind, f"{scene.name} is not started, so nobody can tell what it has to heal")
    torn = {
        b.key: b.split_brain.value for b in scene.bricks if isinstance(b.split_brain, Known) and b.split_brain.value
    }
    if torn:
        told = ", ".join(f"{count} on {key}" for key, count in sorted(torn.items()))
        return Condition(
            kind, State.FALSE, Reason.SPLIT_BRAIN, f"files are in split-brain and need a person's choice: {told}"
        )
    match healed(scene.info.value, scene.pool.value):
        case Known(True):
            what = "one copy, nothing to heal" if scene.info.value.replica_count == 1 else "nothing to heal"
            return Condition(kind, State.TRUE, Reason.AS_DECLARED, what)
        case Known():
            told = ", ".join(
                f"{b.pending.value} on {b.key}"
                for b in scene.bricks
                if isinstance(b.pending, Known) and b.pending.value
            )
            return Condition(kind, State.FALSE, Reason.HEAL_PENDING, f"entries wait to be healed: {told}")
        case Unknown(cause):
            return Condition(kind, State.UNKNOWN, Reason.HEAL_UNKNOWN, cause)
        case Absent():
            return Condition(kind, State.UNKNOWN, Reason.HEAL_UNKNOWN, "gluster is not installed")


def _degraded(scene: _Scene) -> Condition:
    """Redundancy is reduced: True as soon as that is known, False only when all copies are proven whole."""
    kind = ConditionType.DEGRADED
    quorate, healthy = _quorate(scene), _healed(scene)
    down = [b for b in scene.bricks if b.verdict is BrickVerdict.DOWN]
    if scene.lost or down or (healthy.state is State.FALSE and isinstance(scene.info, Known)):
        reason, told = _what_is_reduced(scene, down, healthy)
        served = {
            State.TRUE: "data is served with reduced redundancy",
            State.FALSE: "data is not served",
            State.UNKNOWN: "whether data is served is not known",
        }[quorate.state]
        return Condition(kind, State.TRUE, reason, f"{served}: {told}")
    if isinstance(scene.info, Absent):
        return Condition(kind, State.FALSE, Reason.WORK_IN_PROGRESS, f"{scene.name} does not exist yet")
    if isinstance(scene.info, Unknown):
        return _unknown(kind, scene.info.cause)
    doubtful = [b.why for b in scene.bricks if b.verdict is not BrickVerdict.UP]
    if doubtful or scene.doubt or healthy.state is not State.TRUE:
        return _unknown(kind, "; ".join(doubtful) or scene.doubt or healthy.message)
    return Condition(kind, State.FALSE, Reason.AS_DECLARED, "every copy is up and complete")


def _what_is_reduced(scene: _Scene, down: Sequence[BrickHealth], healthy: Condition) -> tuple[Reason, str]:
    if scene.lost:
        told = "; ".join(scene.lost.values())
        return Reason.PEER_DISCONNECTED, f"{told}. When it is back, its bricks start and catch up by themselves"
    if down:
        return Reason.BRICK_DOWN, "; ".join(b.why for b in down)
    return healthy.reason, healthy.message


def _status(
    volume: GlusterVolume,
    scene: _Scene,
    placed: Placement | None,
    uuids: Identities,
) -> GlusterVolumeStatus:
    bricks = [_brick_status(b, scene) for b in scene.bricks]
    if isinstance(scene.info, Known):
        there = {(b.node, b.path) for b in bricks}
        bricks += [
            _declared(b, BrickVerdict.MISSING)
            for b in (placed.bricks if placed else ())
            if (b.host, b.path) not in there
        ]
    elif placed is not None:
        absent = isinstance(scene.info, Absent)
        bricks = [_declared(b, BrickVerdict.MISSING if absent else BrickVerdict.UNKNOWN) for b in placed.bricks]
    count = len(bricks)
    there = {(b.node, b.path) for b in bricks}
    # A record outlives its brick's being listed: without the Site's layout no brick is.
    bricks += [b for b in volume.status.bricks if (b.node, b.path) in uuids and (b.node, b.path) not in there]
    bricks = [with_identity(b, uuids) for b in bricks]
    size, free = usable_and_free(scene.info, scene.pool)
    seen = scene.info.value if isinstance(scene.info, Known) else None
    return GlusterVolumeStatus(
        volume_id=volume.status.volume_id or (seen.volume_id if seen else ""),
        topology=_topology(seen, placed),
        bricks_up=f"{sum(b.state == BrickVerdict.UP for b in bricks[:count])}/{count}" if count else "",
        heal_pending=_pending(scene),
        capacity=format_bytes(size) if size is not None else "",
        used=_percent(size - free, size) if size is not None and free is not None else "",
        bricks=bricks,
    )


def _declared(brick: BrickSpec, verdict: BrickVerdict) -> BrickStatus:
    return BrickStatus(node=brick.host, path=brick.path, arbiter=brick.arbiter, state=verdict.value)


def _brick_status(health: BrickHealth, scene: _Scene) -> BrickStatus:
    state: BrickState | None = None
    if isinstance(scene.pool, Known):
        status = scene.pool.value.status.get(scene.name)
        state = status.value.bricks.get(health.key) if isinstance(status, Known) else None
    verdict = health.verdict
    if verdict is BrickVerdict.UP and health.node in scene.lost:
        verdict = BrickVerdict.UNKNOWN
    return BrickStatus(
        node=health.node or health.brick.host,
        path=health.brick.path,
        arbiter=health.brick.arbiter,
        state=verdict.value,
        heal_pending=health.pending.value if isinstance(health.pending, Known) else None,
        size=format_bytes(state.size) if state and state.size is not None else "",
        free=_percent(state.free, state.size) if state and state.free is not None and state.size is not None else "",
    )


def _percent(part: int, whole: int) -> str:
    """In whole percent, because every change of a status is a write that wakes every watcher (rule:quiet-status)."""
    return f"{round(100 * part / whole)}%" if whole else ""


def _topology(info: VolumeInfo | None, placed: Placement | None) -> str:
    if info is not None:
        copies, arbiters, total = max(info.replica_count, 1), info.arbiter_count, len(info.bricks)
    elif placed is not None:
        copies, arbiters, total = placed.replica_count, placed.arbiter_count, len(placed.bricks)
    else:
        return ""
    members = f"({copies - arbiters} + {arbiters})" if arbiters else str(copies)
    return f"{total // copies} x {members}"


def _pending(scene: _Scene) -> str:
    if not isinstance(scene.info, Known):
        return "" if isinstance(scene.info, Absent) else "Unknown"
    if scene.info.value.replica_count == 1:
        return "0"
    counts = [b.pending for b in scene.bricks]
    known = [c.value for c in counts if isinstance(c, Known)]
    return str(sum(known)) if counts and len(known) == len(counts) else "Unknown"


def _summary(scene: _Scene) -> str:
    up = sum(b.verdict is BrickVerdict.UP for b in scene.bricks)
    return f"started, {up}/{len(scene.bricks)} bricks up, healed"


def _notes(scene: _Scene, placed: Placement | None) -> tuple[str, ...]:
    if placed is None or not isinstance(scene.info, Known):
        return ()
    foreign = foreign_options(placed, scene.info.value)
    if not foreign:
        return ()
    told = ", ".join(f"{name}={value}" for name, value in foreign.items())
    return (f"options that nobody declared, left as they are: {told}",)

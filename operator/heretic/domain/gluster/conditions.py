"""The conditions of one volume, each decided on what was seen of it.

Taking a fact away never makes any of them better.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.gluster.heal_progress import stands_still
from heretic.domain.gluster.health import BrickHealth, BrickVerdict, Quorum, healed, quorum
from heretic.domain.gluster.seen import SeenVolume
from heretic.domain.pool.facts import VolumeState


def _unknown(kind: ConditionType, cause: str) -> Condition:
    return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, cause)


def _missing(seen: SeenVolume, kind: ConditionType) -> Condition | None:
    """The condition of a volume that is not there, or of which nothing is known."""
    match seen.info:
        case Known():
            return None
        case Absent():
            return Condition(kind, State.FALSE, Reason.WORK_IN_PROGRESS, f"{seen.name} does not exist yet")
        case Unknown(cause):
            return _unknown(kind, cause)


def bricks_ready(seen: SeenVolume) -> Condition:
    """Whether every brick is known to be up."""
    kind = ConditionType.BRICKS_READY
    missing = _missing(seen, kind)
    if missing:
        return missing
    bricks = seen.bricks
    wrong = [b for b in bricks if b.verdict is not BrickVerdict.UP or b.node in seen.lost]
    if not wrong:
        if seen.doubt:
            return _unknown(kind, seen.doubt)
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"all {len(bricks)} bricks are up")
    told = "; ".join(dict.fromkeys([*seen.lost.values(), *(b.why for b in wrong if b.node not in seen.lost)]))
    count = f"{len(bricks) - len(wrong)} of {len(bricks)} bricks are known to be up: {told}"
    if seen.lost:
        return Condition(kind, State.FALSE, Reason.PEER_DISCONNECTED, count)
    if any(b.verdict is BrickVerdict.DOWN for b in wrong):
        return Condition(kind, State.FALSE, Reason.BRICK_DOWN, count)
    return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, count)


def started(seen: SeenVolume) -> Condition:
    """Whether Gluster serves the volume."""
    kind = ConditionType.STARTED
    missing = _missing(seen, kind)
    if missing:
        return missing
    assert isinstance(seen.info, Known)
    state = seen.info.value.state
    if state is VolumeState.STARTED:
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"{seen.name} is started")
    return Condition(kind, State.FALSE, Reason.VOLUME_NOT_STARTED, f"{seen.name} is {state.value.lower()}")


def quorate(seen: SeenVolume) -> Condition:
    """Whether every replica set has enough bricks to be written."""
    kind = ConditionType.QUORATE
    missing = _missing(seen, kind)
    if missing:
        return missing
    verdicts = [quorum(s) for s in seen.sets]
    total = len(verdicts)
    lost = [s for s, q in zip(seen.sets, verdicts, strict=True) if q is Quorum.LOST]
    if lost:
        told = "; ".join(b.why for b in lost[0] if b.verdict is not BrickVerdict.UP)
        return Condition(
            kind,
            State.FALSE,
            Reason.QUORUM_LOST,
            f"{len(lost)} of {total} replica sets have lost quorum and cannot be written: {told}",
        )
    if not verdicts or Quorum.UNKNOWN in verdicts:
        doubtful = [b.why for s in seen.sets for b in s if b.verdict is not BrickVerdict.UP]
        return Condition(
            kind, State.UNKNOWN, Reason.QUORUM_UNKNOWN, f"whether enough bricks run is not known: {'; '.join(doubtful)}"
        )
    sets = "the replica set has" if total == 1 else f"all {total} replica sets have"
    return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"{sets} quorum")


def healed_condition(seen: SeenVolume, standing_for: timedelta = timedelta()) -> Condition:
    """Whether every copy is known to be complete.

    Args:
        seen: The volume.
        standing_for: For how long as many entries wait as now.
    """
    kind = ConditionType.HEALED
    missing = _missing(seen, kind)
    if missing:
        return missing
    assert isinstance(seen.info, Known)
    assert isinstance(seen.pool, Known)
    if seen.info.value.state is not VolumeState.STARTED and seen.info.value.replica_count > 1:
        return _unknown(kind, f"{seen.name} is not started, so nobody can tell what it has to heal")
    torn = {b.key: b.split_brain.value for b in seen.bricks if isinstance(b.split_brain, Known) and b.split_brain.value}
    if torn:
        told = ", ".join(f"{count} on {key}" for key, count in sorted(torn.items()))
        return Condition(
            kind, State.FALSE, Reason.SPLIT_BRAIN, f"files are in split-brain and need a person's choice: {told}"
        )
    match healed(seen.info.value, seen.pool.value):
        case Known(True):
            what = "one copy, nothing to heal" if seen.info.value.replica_count == 1 else "nothing to heal"
            return Condition(kind, State.TRUE, Reason.AS_DECLARED, what)
        case Known():
            owing = {b: b.pending.value for b in seen.bricks if isinstance(b.pending, Known) and b.pending.value}
            told = ", ".join(f"{count} on {b.key}" for b, count in owing.items())
            if stands_still(seen.info.value, standing_for):
                nodes = dict.fromkeys(b.node or b.brick.host for b in owing)
                return Condition(kind, State.FALSE, Reason.HEAL_STANDS_STILL, _stands_still(seen.name, told, nodes))
            return Condition(kind, State.FALSE, Reason.HEAL_PENDING, f"entries wait to be healed: {told}")
        case Unknown(cause):
            return Condition(kind, State.UNKNOWN, Reason.HEAL_UNKNOWN, cause)
        case Absent():
            return Condition(kind, State.UNKNOWN, Reason.HEAL_UNKNOWN, "gluster is not installed")


def _stands_still(volume: str, told: str, nodes: Iterable[str]) -> str:
    return (
        "entries wait to be healed, and for longer than the self-heal daemons need to look at all of them none was: "
        f"{told}. Read /var/log/glusterfs/glustershd.log on {', '.join(nodes)}; `gluster volume heal {volume} full` "
        "lets them look at every file"
    )


def degraded(seen: SeenVolume, standing_for: timedelta = timedelta()) -> Condition:
    """Redundancy is reduced: True as soon as that is known, False only when all copies are proven whole."""
    kind = ConditionType.DEGRADED
    served_now, healthy = quorate(seen), healed_condition(seen, standing_for)
    down = [b for b in seen.bricks if b.verdict is BrickVerdict.DOWN]
    if seen.lost or down or (healthy.state is State.FALSE and isinstance(seen.info, Known)):
        reason, told = _what_is_reduced(seen, down, healthy)
        served = {
            State.TRUE: "data is served with reduced redundancy",
            State.FALSE: "data is not served",
            State.UNKNOWN: "whether data is served is not known",
        }[served_now.state]
        return Condition(kind, State.TRUE, reason, f"{served}: {told}")
    if isinstance(seen.info, Absent):
        return Condition(kind, State.FALSE, Reason.WORK_IN_PROGRESS, f"{seen.name} does not exist yet")
    if isinstance(seen.info, Unknown):
        return _unknown(kind, seen.info.cause)
    doubtful = [b.why for b in seen.bricks if b.verdict is not BrickVerdict.UP]
    if doubtful or seen.doubt or healthy.state is not State.TRUE:
        return _unknown(kind, "; ".join(doubtful) or seen.doubt or healthy.message)
    return Condition(kind, State.FALSE, Reason.AS_DECLARED, "every copy is up and complete")


def _what_is_reduced(seen: SeenVolume, down: Sequence[BrickHealth], healthy: Condition) -> tuple[Reason, str]:
    if seen.lost:
        told = "; ".join(seen.lost.values())
        return Reason.PEER_DISCONNECTED, f"{told}. When it is back, its bricks start and catch up by themselves"
    if down:
        return Reason.BRICK_DOWN, "; ".join(b.why for b in down)
    return healthy.reason, healthy.message

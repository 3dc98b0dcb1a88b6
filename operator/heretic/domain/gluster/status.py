"""The status fields of one volume, apart from its conditions."""

from datetime import datetime

from heretic.api.quantity import format_bytes
from heretic.api.v1alpha1 import GlusterVolume
from heretic.api.v1alpha1.gluster_volume import GlusterVolumeStatus
from heretic.api.v1alpha1.volume_status import BrickStatus
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.facts import Absent, Known
from heretic.domain.gluster.capacity import usable_and_free
from heretic.domain.gluster.difference import same_value
from heretic.domain.gluster.heal_progress import entries, progress
from heretic.domain.gluster.health import BrickHealth, BrickVerdict
from heretic.domain.gluster.placement import Placement
from heretic.domain.gluster.records import Identities, with_identity
from heretic.domain.gluster.seen import SeenVolume
from heretic.domain.pool.facts import BrickState, VolumeInfo


def status_of(
    volume: GlusterVolume, seen: SeenVolume, uuids: Identities, now: datetime | None = None
) -> GlusterVolumeStatus:
    """The status fields.

    Args:
        volume: The object with what is recorded in its status.
        seen: What was seen of the volume.
        uuids: Of its bricks, as recorded and as proven now.
        now: Wall clock; None where nobody said.
    """
    placed = seen.placed
    bricks = [_brick_status(b, seen) for b in seen.bricks]
    if isinstance(seen.info, Known):
        there = {(b.node, b.path) for b in bricks}
        bricks += [
            _declared(b, BrickVerdict.MISSING)
            for b in (placed.bricks if placed else ())
            if (b.host, b.path) not in there
        ]
    elif placed is not None:
        absent = isinstance(seen.info, Absent)
        bricks = [_declared(b, BrickVerdict.MISSING if absent else BrickVerdict.UNKNOWN) for b in placed.bricks]
    count = len(bricks)
    there = {(b.node, b.path) for b in bricks}
    # A record outlives its brick's being listed: without the Site's layout no brick is.
    bricks += [b for b in volume.status.bricks if (b.node, b.path) in uuids and (b.node, b.path) not in there]
    bricks = [with_identity(b, uuids) for b in bricks]
    size, free = usable_and_free(seen.info, seen.pool)
    known = seen.info.value if isinstance(seen.info, Known) else None
    return GlusterVolumeStatus(
        volume_id=volume.status.volume_id or (known.volume_id if known else ""),
        topology=_topology(known, placed),
        bricks_up=f"{sum(b.state == BrickVerdict.UP for b in bricks[:count])}/{count}" if count else "",
        heal_pending=_pending(seen),
        heal_progress=progress(volume.status.heal_progress, entries(seen.bricks), now),
        capacity=format_bytes(size) if size is not None else "",
        sharded=same_value(known.options.get("features.shard"), "on") if known else None,
        used=_percent(size - free, size) if size is not None and free is not None else "",
        bricks=bricks,
    )


def _declared(brick: BrickSpec, verdict: BrickVerdict) -> BrickStatus:
    return BrickStatus(node=brick.host, path=brick.path, arbiter=brick.arbiter, state=verdict.value)


def _brick_status(health: BrickHealth, seen: SeenVolume) -> BrickStatus:
    state: BrickState | None = None
    if isinstance(seen.pool, Known):
        status = seen.pool.value.status.get(seen.name)
        state = status.value.bricks.get(health.key) if isinstance(status, Known) else None
    verdict = health.verdict
    if verdict is BrickVerdict.UP and health.node in seen.lost:
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


def _pending(seen: SeenVolume) -> str:
    if not isinstance(seen.info, Known):
        return "" if isinstance(seen.info, Absent) else "Unknown"
    if seen.info.value.replica_count == 1:
        return "0"
    waiting = entries(seen.bricks)
    return "Unknown" if waiting is None else str(waiting)

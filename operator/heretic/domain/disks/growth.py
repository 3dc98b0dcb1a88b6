"""More room for a brick that exists: its thin pool, its logical volume, the filesystem on it. Nothing is interrupted.

It is planned apart from what a brick cannot do without: a brick that has no room to grow works on.
"""

from heretic.api.quantity import format_bytes
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.space import in_extents, metadata_volume_bytes, pool_bytes
from heretic.domain.disks.steps import GROWING, POOL, ExtendThinPool, GrowBrick
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, LogicalVolume, VolumeGroup
from heretic.domain.plan import Blocked, Step


def plan_growth(facts: HostFacts, brick: BrickSpec, thin_total: int) -> tuple[Step, ...] | Blocked:
    """Plans the growth of a brick that is ready as it is (see plan_brick).

    Args:
        facts: Of the brick's host.
        brick: Where it lies and how large it shall be.
        thin_total: Bytes of all thin volumes that the group's pool must carry, this brick's among them.

    Returns:
        Ordered steps on the host, none when the brick is large enough or larger; or why there is no room.
    """
    group = volume_group(facts, brick.group)
    volume = logical_volume(facts, brick.group, brick.name)
    if group is None or volume is None:
        return ()
    size = in_extents(brick.size, group.extent)
    steps: tuple[Step, ...] = ()
    if volume.pool == POOL and (pool := logical_volume(facts, brick.group, POOL)) is not None:
        extended = extended_pool(facts, brick, thin_total, group, pool)
        if isinstance(extended, Blocked):
            return extended
        steps = extended
    elif volume.pool and volume.size < size:
        return Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"{facts.host}: {brick.device} has {format_bytes(volume.size)}, {format_bytes(size)} are declared, and it "
            f"lies in the thin pool {volume.pool}, which Heretic did not make. See that the pool has room, then grow "
            f"it on the host: lvextend --resizefs --size {size}b {brick.group}/{brick.name}",
        )
    elif blocked := does_not_fit(facts, brick, group, size - volume.size):
        return blocked
    if volume.size >= size and GROWING not in volume.tags:
        return steps
    return (
        *steps,
        GrowBrick(
            host=facts.host,
            why=f"{brick.device} has {format_bytes(volume.size)}, {format_bytes(size)} are declared",
            group=brick.group,
            name=brick.name,
            mount_point=brick.mount_point,
            size=max(size, volume.size),
            extend=volume.size < size,
        ),
    )


def extended_pool(
    facts: HostFacts, brick: BrickSpec, thin_total: int, group: VolumeGroup, pool: LogicalVolume
) -> tuple[Step, ...] | Blocked:
    """The step that makes a thin pool large enough for all that is declared in it, if it is not yet."""
    if not pool.is_pool:
        return Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"{facts.host}: {brick.group}/{POOL} is no thin pool, but bricks are declared thin; rename it",
        )
    size = pool_bytes(thin_total)
    if pool.size >= size:
        return ()
    metadata = metadata_volume_bytes(size)
    more = max(0, metadata - pool.metadata_size)
    step = ExtendThinPool(
        host=facts.host,
        why=f"the pool has {format_bytes(pool.size)}, thin volumes of {format_bytes(thin_total)} are declared",
        group=brick.group,
        size=size,
        metadata=metadata if more else 0,
    )
    # LVM keeps a spare as large as the pool's metadata.
    return does_not_fit(facts, brick, group, size - pool.size + 2 * more) or (step,)


def does_not_fit(facts: HostFacts, brick: BrickSpec, group: VolumeGroup, taken: int) -> Blocked | None:
    """What is said when more is needed of a volume group than is free in it."""
    if taken <= group.free:
        return None
    return Blocked(
        Reason.DOES_NOT_FIT,
        f"{facts.host}: {brick.device} needs {format_bytes(taken)} of volume group {group.name}, "
        f"{format_bytes(group.free)} of {format_bytes(group.size)} are free; declare less, or free space there",
    )


def volume_group(facts: HostFacts, name: str) -> VolumeGroup | None:
    """A volume group of the host by name; None where there is none, or none is known."""
    groups = facts.volume_groups.value if isinstance(facts.volume_groups, Known) else ()
    return next((g for g in groups if g.name == name), None)


def logical_volume(facts: HostFacts, group: str, name: str) -> LogicalVolume | None:
    """A logical volume of the host by name; None where there is none, or none is known."""
    volumes = facts.logical_volumes.value if isinstance(facts.logical_volumes, Known) else ()
    return next((v for v in volumes if v.group == group and v.name == name), None)

"""More room for a brick that exists: its thin pool, its logical volume, the filesystem on it. Nothing is interrupted.

It is planned apart from what a brick cannot do without: a brick that has no room to grow works on.
"""

from collections.abc import Sequence

from heretic.api.quantity import format_bytes
from heretic.domain.conditions import State
from heretic.domain.disks.below import pools_below
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.health import full_name, kind_of, trouble
from heretic.domain.disks.mount_steps import GROWING, GrowBrick
from heretic.domain.disks.room import Demand, names_of, pool_demand
from heretic.domain.disks.space import in_extents, metadata_volume_bytes
from heretic.domain.disks.steps import POOL, ExtendThinPool
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, LogicalVolume, VolumeGroup
from heretic.domain.plan import Blocked, Step, Wait


def plan_growth(facts: HostFacts, brick: BrickSpec, thin: Sequence[BrickSpec]) -> tuple[Step, ...] | Blocked | Wait:
    """Plans the growth of a brick that is ready as it is (see plan_brick).

    Args:
        facts: Of the brick's host.
        brick: Where it lies and how large it shall be.
        thin: All bricks that are declared thin in the same volume group of the host, this one among them, those that
            take precedence first.

    Returns:
        Ordered steps on the host, none when the brick is large enough or larger; or why there is no room.
    """
    group = volume_group(facts, brick.group)
    volume = logical_volume(facts, brick.group, brick.name)
    if group is None or volume is None:
        return ()
    size = in_extents(brick.size, group.extent)
    grows = volume.size < size
    pool = logical_volume(facts, brick.group, POOL)
    extension: tuple[Step, ...] = ()
    if volume.pool == POOL and pool is not None:
        extended = extended_pool(facts, brick, thin, group, pool)
        if not isinstance(extended, tuple) and grows:
            return extended
        extension = extended if isinstance(extended, tuple) else ()
    elif volume.pool and grows:
        return Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"{facts.host}: {brick.device} has {format_bytes(volume.size)}, {format_bytes(size)} are declared, and it "
            f"lies in the pool {volume.pool}, which Heretic did not make. See that the pool has room, then grow "
            f"it on the host: lvextend --resizefs --size {size}b {brick.group}/{brick.name}",
        )
    elif blocked := does_not_fit(facts, brick, group, size - volume.size):
        return blocked
    if not grows and GROWING not in volume.tags:
        return extension
    if sick := out_of_order(facts, volume):
        return sick
    return (
        *extension,
        GrowBrick(
            host=facts.host,
            why=f"{brick.device} has {format_bytes(volume.size)}, {format_bytes(size)} are declared",
            group=brick.group,
            name=brick.name,
            volume_uuid=volume.uuid,
            mount_point=brick.mount_point,
            filesystem=volume.filesystem_uuid,
            size=max(size, volume.size),
            extend=grows,
        ),
    )


def extended_pool(
    facts: HostFacts, brick: BrickSpec, thin: Sequence[BrickSpec], group: VolumeGroup, pool: LogicalVolume
) -> tuple[Step, ...] | Blocked | Wait:
    """The step that makes a thin pool large enough for what is there and what is declared, if it is not yet."""
    if not pool.is_pool:
        return Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"{facts.host}: {brick.group}/{POOL} is no thin pool, but bricks are declared thin; rename it",
        )
    for below in (pool, *pools_below(facts, pool)):
        if sick := out_of_order(facts, below):
            return sick
    demand = pool_demand(facts, brick, thin, group, pool)
    if not demand.fits:
        return pool_too_small(facts, brick, group, demand)
    if pool.size >= demand.size:
        return ()
    metadata = metadata_volume_bytes(demand.size, group.extent)
    return (
        ExtendThinPool(
            host=facts.host,
            why=f"the pool has {format_bytes(pool.size)}, thin volumes of {format_bytes(demand.size)} are declared or "
            "lie in it",
            group=brick.group,
            group_uuid=group.uuid,
            size=demand.size,
            metadata=metadata if metadata > pool.metadata_size else 0,
        ),
    )


def out_of_order(facts: HostFacts, volume: LogicalVolume) -> Blocked | Wait | None:
    """Why nothing is made, grown or formatted on a volume that is not known to take writes; None when it is."""
    found = trouble(volume)
    if found is None:
        return None
    told = f"{facts.host}: {kind_of(volume)} {full_name(volume)} {found.text}"
    return Blocked(found.reason, told) if found.state is State.FALSE else Wait(found.reason, told)


def pool_too_small(facts: HostFacts, brick: BrickSpec, group: VolumeGroup, demand: Demand) -> Blocked:
    """What is said when a thin brick would be promised more than its pool can have."""
    inside = f" to {names_of(demand.inside)}" if demand.inside else ""
    return Blocked(
        Reason.DOES_NOT_FIT,
        f"{facts.host}: {brick.device} of {format_bytes(brick.size)} does not fit: with it {format_bytes(demand.size)} "
        f"would be promised in thin pool {brick.group}/{POOL}, {format_bytes(demand.missing)} more than it can have. "
        f"{format_bytes(demand.present)} are promised there already{inside}, and of volume group {group.name} "
        f"{format_bytes(group.free)} of {format_bytes(group.size)} are free. What is there is left alone. "
        "Declare less, or free space there",
    )


def does_not_fit(facts: HostFacts, brick: BrickSpec, group: VolumeGroup, taken: int) -> Blocked | None:
    """What is said when more is needed of a volume group than is free in it."""
    if taken <= group.free:
        return None
    volumes = facts.logical_volumes.value if isinstance(facts.logical_volumes, Known) else ()
    there = names_of(v for v in volumes if v.group == group.name and not v.pool and v.name != brick.name)
    return Blocked(
        Reason.DOES_NOT_FIT,
        f"{facts.host}: {brick.device} needs {format_bytes(taken)} of volume group {group.name}, "
        f"{format_bytes(group.free)} of {format_bytes(group.size)} are free"
        + (f" beside {there}" if there else "")
        + "; declare less, or free space there",
    )


def volume_group(facts: HostFacts, name: str) -> VolumeGroup | None:
    """A volume group of the host by name; None where there is none, or none is known."""
    groups = facts.volume_groups.value if isinstance(facts.volume_groups, Known) else ()
    return next((g for g in groups if g.name == name), None)


def logical_volume(facts: HostFacts, group: str, name: str) -> LogicalVolume | None:
    """A logical volume of the host by name; None where there is none, or none is known."""
    volumes = facts.logical_volumes.value if isinstance(facts.logical_volumes, Known) else ()
    return next((v for v in volumes if v.group == group and v.name == name), None)

"""What lies in a pool and what it promises: every volume that is there counts, whoever made it.

Volumes that an object left behind when it was deleted (deletionPolicy Orphan), volumes of others and snapshots can
all be filled up to their whole size, and take the room of what is declared.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heretic.api.quantity import format_bytes
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.space import in_extents, metadata_volume_bytes
from heretic.domain.disks.steps import POOL
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, LogicalVolume, VolumeGroup

DATA_WARNING, DATA_ERROR = 80.0, 95.0
"""Percent of a pool's data at which to warn, and at which it is an error (rule:thin-pool-room)."""

METADATA_WARNING, METADATA_ERROR = 50.0, 80.0
"""Percent of a thin pool's metadata."""

_MENTIONED = 4
"""Volumes that a message lists before it says "and N more"."""


def volumes_in(facts: HostFacts, group: str, pool: str) -> tuple[LogicalVolume, ...]:
    """Every volume that lies in a pool, as far as LVM lists it."""
    volumes = facts.logical_volumes.value if isinstance(facts.logical_volumes, Known) else ()
    return tuple(v for v in volumes if v.group == group and v.pool == pool and pool)


def promised(facts: HostFacts, pool: LogicalVolume) -> int:
    """Bytes that the volumes of a pool may come to need of it."""
    return sum(volume.size for volume in volumes_in(facts, pool.group, pool.name))


def over_committed(facts: HostFacts, pool: LogicalVolume) -> bool:
    """Whether more is promised than a thin pool has.

    A VDO pool promises more than it has by design: what it saves is what it is for.
    """
    return pool.is_pool and promised(facts, pool) > pool.size


def names_of(volumes: Iterable[LogicalVolume]) -> str:
    """The biggest of some volumes with their sizes, for a message."""
    found: Sequence[LogicalVolume] = sorted(volumes, key=lambda v: (-v.size, v.name))
    more = f" and {len(found) - _MENTIONED} more" if len(found) > _MENTIONED else ""
    return ", ".join(f"{v.name} ({format_bytes(v.size)})" for v in found[:_MENTIONED]) + more


@dataclass(frozen=True, slots=True)
class Demand:
    """What a thin pool must have for one more brick, or for one that grows.

    Attributes:
        size: Bytes of data that the pool must have.
        present: Bytes that are promised in it now.
        missing: Bytes of the volume group that lack for that; 0 = it fits.
        inside: All volumes that lie in the pool now.
    """

    size: int
    present: int
    missing: int
    inside: tuple[LogicalVolume, ...]

    @property
    def fits(self) -> bool:
        """Whether the group can give what lacks."""
        return not self.missing


def pool_demand(
    facts: HostFacts,
    brick: BrickSpec,
    thin: Sequence[BrickSpec],
    group: VolumeGroup,
    pool: LogicalVolume | None,
) -> Demand:
    """Works out how large a thin pool must be before a brick may be made or grow in it.

    All that lies in the pool counts as it is, and of what is declared beyond that, the bricks that take precedence
    over this one, as far as they fit themselves. So several volumes that are planned at once from the same look
    never promise more than there is together. Where the pool can have room for all that is declared, it gets it at
    once.

    Args:
        facts: Of the host.
        brick: The one that is to be made or to grow.
        thin: All bricks that are declared thin in the group, in order of precedence, ``brick`` among them.
        group: The volume group.
        pool: The pool, None when it is yet to be made.
    """
    inside = volumes_in(facts, group.name, POOL) if pool else ()
    there = {v.name: v.size for v in inside}
    declared = {b.name: in_extents(b.size, group.extent) for b in thin if not _elsewhere(facts, b)}
    more = {name: max(0, size - there.get(name, 0)) for name, size in declared.items()}
    present = sum(there.values())
    everything = present + sum(more.values())
    if not _lacking(everything, group, pool):
        return Demand(in_extents(everything, group.extent), present, 0, inside)
    size = present
    for name, wanted in more.items():
        lacking = _lacking(size + wanted, group, pool)
        if name == brick.name:
            return Demand(in_extents(size + wanted, group.extent), present, lacking, inside)
        size += 0 if lacking else wanted
    return Demand(in_extents(size, group.extent), present, 0, inside)


def _elsewhere(facts: HostFacts, brick: BrickSpec) -> bool:
    """Whether a brick that is declared thin exists outside the pool, so that it needs nothing of it."""
    volumes = facts.logical_volumes.value if isinstance(facts.logical_volumes, Known) else ()
    return any(v.group == brick.group and v.name == brick.name and v.pool != POOL for v in volumes)


def _lacking(size: int, group: VolumeGroup, pool: LogicalVolume | None) -> int:
    """Bytes that the volume group lacks for a pool with ``size`` bytes of data; LVM keeps a spare of its metadata."""
    size = in_extents(size, group.extent)
    metadata = metadata_volume_bytes(size, group.extent)
    if pool is None:
        return max(0, size + 2 * metadata - group.free)
    if size <= pool.size:
        return 0
    return max(0, size - pool.size + 2 * max(0, metadata - pool.metadata_size) - group.free)

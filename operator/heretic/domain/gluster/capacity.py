"""Room: of a volume as its clients see it, and of what its bricks lie in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from heretic.api.quantity import format_bytes
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.disks.below import ROOT, mount_of, pools_below, volume_below
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.growth import logical_volume
from heretic.domain.disks.health import Trouble, full_name, kind_of, trouble
from heretic.domain.disks.room import DATA_WARNING, METADATA_WARNING, names_of, over_committed, promised, volumes_in
from heretic.domain.disks.steps import POOL
from heretic.domain.errors import Reason, unobserved
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView, LogicalVolume
from heretic.domain.pool.facts import PoolFacts, VolumeInfo

_WORST = (
    Reason.POOL_FAILED,
    Reason.POOL_NEEDS_REPAIR,
    Reason.LOGICAL_VOLUME_FAILED,
    Reason.POOL_OUT_OF_SPACE,
    Reason.DISK_NOT_FOUND,
    Reason.POOL_NEARLY_FULL,
    Reason.POOL_OVERCOMMITTED,
    Reason.POOL_NOT_ACTIVE,
    Reason.NOT_OBSERVED,
)
"""What is told first of several."""


@dataclass(frozen=True, slots=True)
class BrickPlace:
    """Where a brick of an existing volume lies.

    Attributes:
        host: Name of the Node, "" for a host that is none of ours.
        path: Absolute path.
        declared: The brick that is placed there, None where Heretic would put none.
    """

    host: str
    path: str
    declared: BrickSpec | None = None


def usable_and_free(info: Fact[VolumeInfo], pool: Fact[PoolFacts]) -> tuple[int | None, int | None]:
    """Size and free space of a volume, bytes: the smallest data brick of each set, all sets together.

    Returns:
        None for what is not known of every set.
    """
    if not isinstance(info, Known) or not isinstance(pool, Known):
        return None, None
    volume = info.value
    status = pool.value.status.get(volume.name)
    if not isinstance(status, Known):
        return None, None
    copies = max(volume.replica_count, 1)
    sizes: list[int] = []
    frees: list[int] = []
    for start in range(0, len(volume.bricks), copies):
        states = [
            status.value.bricks.get(f"{b.host}:{b.path}")
            for b in volume.bricks[start : start + copies]
            if not b.arbiter
        ]
        known = [(s.size, s.free) for s in states if s and s.size is not None and s.free is not None]
        if not known:
            return None, None
        sizes.append(min(size for size, _ in known))
        frees.append(min(free for _, free in known))
    return sum(sizes), sum(frees)


def capacity_condition(name: str, bricks: Sequence[BrickSpec | BrickPlace], hosts: Mapping[str, HostView]) -> Condition:
    """Whether all that a volume's bricks lie in takes writes and has room.

    A pool that is full, or refuses writes, stops bricks on all nodes at once. What lies below a brick is found from
    where it is mounted, whoever made it and whatever its name.

    Args:
        name: Of the volume in Gluster.
        bricks: As they are, or as placed where the volume does not exist; none when it is not placed either.
        hosts: What is known of the hosts.
    """
    kind = ConditionType.CAPACITY
    if not bricks:
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, f"{name} is not placed yet")
    found: dict[tuple[str, str], tuple[HostFacts, LogicalVolume]] = {}
    wrong: list[Condition] = []
    for brick in bricks:
        facts = hosts.get(brick.host)
        if not isinstance(facts, HostFacts):
            said = unobserved(brick.host, facts) if facts else f"{brick.host or brick.path}: nobody looks at that host"
            wrong.append(Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, said))
            continue
        below = _below(facts, brick)
        if isinstance(below, Unknown):
            said = f"{facts.host}: what {brick.path} lies in is not known: {below.cause}"
            wrong.append(Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, said))
        elif isinstance(below, Known):
            found |= {(facts.host, full_name(v)): (facts, v) for v in below.value}
    wrong += [c for facts, volume in found.values() for c in _wrong(facts, volume)]
    if wrong:
        return min(wrong, key=lambda c: (c.state is State.UNKNOWN, _WORST.index(c.reason)))
    pools = [(facts, volume) for facts, volume in found.values() if _lends(volume)]
    if not pools:
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, "the bricks are thick: their space is theirs")
    return Condition(kind, State.TRUE, Reason.AS_DECLARED, _good(pools))


def _below(facts: HostFacts, brick: BrickSpec | BrickPlace) -> Fact[tuple[LogicalVolume, ...]]:
    """The volume of a brick and the pools that it draws on; Absent where it lies in no logical volume."""
    declared = brick if isinstance(brick, BrickSpec) else brick.declared
    mounts = facts.mounts.value if isinstance(facts.mounts, Known) else ()
    mount = mount_of(mounts, brick.path)
    # Where a brick is not mounted, its path leads to the filesystem below the mount point.
    if declared is None and mount is not None and mount.target == ROOT:
        return Unknown("no filesystem is mounted there, so it would lie in the root filesystem of the host")
    if declared is None or (mount is not None and mount.target == declared.mount_point):
        below = volume_below(facts, brick.path)
        return Known((below.value, *pools_below(facts, below.value))) if isinstance(below, Known) else below
    if not isinstance(facts.logical_volumes, Known):
        return facts.logical_volumes if isinstance(facts.logical_volumes, Unknown) else Unknown("LVM is not installed")
    volume = logical_volume(facts, declared.group, declared.name)
    if volume is not None:
        return Known((volume, *pools_below(facts, volume)))
    pool = logical_volume(facts, declared.group, POOL)
    if not declared.thin:
        return Absent()
    if pool is None or not pool.is_pool:
        return Unknown(f"there is no thin pool {declared.group}/{POOL}")
    return Known((pool, *pools_below(facts, pool)))


def _lends(volume: LogicalVolume) -> bool:
    """Whether it is a pool, which lends room to others."""
    return volume.is_pool or volume.is_vdo_pool


def _wrong(facts: HostFacts, volume: LogicalVolume) -> Iterator[Condition]:
    """All that keeps a volume or a pool below a brick from being known to have room."""
    kind, what = ConditionType.CAPACITY, f"{kind_of(volume)} {full_name(volume)} on {facts.host}"
    if (found := trouble(volume)) is not None:
        yield _told(what, found)
        return
    if not _lends(volume):
        return
    data, metadata = volume.data_percent, volume.metadata_percent
    if data is None or (volume.is_pool and metadata is None):
        yield Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, f"how full {what} is is not known")
    elif data >= DATA_WARNING or (volume.is_pool and metadata is not None and metadata >= METADATA_WARNING):
        yield Condition(
            kind,
            State.FALSE,
            Reason.POOL_NEARLY_FULL,
            f"{what} is {_use(volume)} (limits {DATA_WARNING:.0f} and {METADATA_WARNING:.0f}); "
            f"{_promise(facts, volume)}. Delete what is not needed, or give the volume group more space: a full pool "
            "stops every brick in it",
        )
    if over_committed(facts, volume):
        inside = names_of(volumes_in(facts, volume.group, volume.name))
        yield Condition(
            kind,
            State.FALSE,
            Reason.POOL_OVERCOMMITTED,
            f"{what} is over-committed: {_promise(facts, volume)}, to {inside}; it is {_use(volume)}. Remove what is "
            "not needed, or give the pool more room before they fill up: a full pool stops every brick in it",
        )


def _told(what: str, found: Trouble) -> Condition:
    return Condition(ConditionType.CAPACITY, found.state, found.reason, f"{what} {found.text}")


def _use(pool: LogicalVolume) -> str:
    data = f"{pool.data_percent:.0f} % full"
    return data if pool.metadata_percent is None else f"{data}, its metadata {pool.metadata_percent:.0f} %"


def _promise(facts: HostFacts, pool: LogicalVolume) -> str:
    total = promised(facts, pool)
    return f"{format_bytes(total)} are promised of its {format_bytes(pool.size)} ({total / max(pool.size, 1):.2f})"


def _good(pools: Sequence[tuple[HostFacts, LogicalVolume]]) -> str:
    """How much is used and promised, of the pool that has the most of each."""
    data = max(pool.data_percent or 0 for _, pool in pools)
    metadata = max(pool.metadata_percent or 0 for _, pool in pools)
    ratio = max(promised(facts, pool) / max(pool.size, 1) for facts, pool in pools)
    some = "the pool has" if len(pools) == 1 else f"all {len(pools)} pools have"
    return (
        f"{some} room: at most {data:.0f} % of the data and {metadata:.0f} % of the metadata are used, "
        f"{ratio:.2f} of the size is promised"
    )

"""Room: of a volume as its clients see it, and of the thin pools below its bricks."""

from collections.abc import Mapping, Sequence

from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.steps import POOL
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known
from heretic.domain.gluster.facts import PoolFacts, VolumeInfo
from heretic.domain.gluster.peers import HostView
from heretic.domain.host.facts import HostFacts, LogicalVolume

DATA_LIMIT = 80.0
"""Percent of a thin pool's data at which to warn (domain §4 rule 23)."""
METADATA_LIMIT = 50.0
"""Percent of its metadata."""


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


def capacity_condition(name: str, bricks: Sequence[BrickSpec], hosts: Mapping[str, HostView]) -> Condition:
    """Whether every thin pool below a volume has room; a full pool stops bricks on all nodes at once.

    Args:
        name: Of the volume in Gluster.
        bricks: As placed; none when it is not placed.
        hosts: What is known of the hosts.
    """
    kind = ConditionType.CAPACITY
    groups = sorted({(b.host, b.group) for b in bricks if b.thin})
    if not bricks:
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, f"{name} is not placed yet")
    if not groups:
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, "the bricks are thick: their space is theirs")
    unknown: list[str] = []
    for node, group in groups:
        pool = _pool(hosts.get(node), group)
        if pool is None or pool.data_percent is None or pool.metadata_percent is None:
            unknown.append(f"{group}/{POOL} on {node}")
        elif pool.data_percent >= DATA_LIMIT or pool.metadata_percent >= METADATA_LIMIT:
            return Condition(
                kind,
                State.FALSE,
                Reason.POOL_NEARLY_FULL,
                f"thin pool {group}/{POOL} on {node} is {pool.data_percent:.0f} % full, its metadata "
                f"{pool.metadata_percent:.0f} % (limits {DATA_LIMIT:.0f} and {METADATA_LIMIT:.0f}). Delete what is not "
                "needed, or give the volume group more space: a full pool stops every brick in it",
            )
    if unknown:
        return Condition(
            kind,
            State.UNKNOWN,
            Reason.NOT_OBSERVED,
            f"how full these thin pools are is not known: {', '.join(unknown)}",
        )
    return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"all {len(groups)} thin pools have room")


def _pool(facts: HostView | None, group: str) -> LogicalVolume | None:
    if not isinstance(facts, HostFacts) or not isinstance(facts.logical_volumes, Known):
        return None
    return next((v for v in facts.logical_volumes.value if v.group == group and v.is_pool and v.name == POOL), None)

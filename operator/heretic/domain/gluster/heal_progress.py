"""How a heal gets on: since when nothing was healed, and what is done then (rule:heal-progress, decision 0082)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from heretic.api.v1alpha1.volume_status import HealProgress
from heretic.domain.facts import Fact, Known
from heretic.domain.gluster.health import BrickHealth
from heretic.domain.gluster.steps import AskForHeal
from heretic.domain.pool.facts import PoolFacts, VolumeInfo

_ASK_AFTER = timedelta(minutes=2)
_OPTION, _DEFAULT = "cluster.heal-timeout", 600
"""Seconds after which each daemon looks by itself, also for what it could not heal before."""
_TURNS = 2
"""Of the daemons, after which a heal counts as one that stands still."""


def entries(bricks: Sequence[BrickHealth]) -> int | None:
    """How many entries wait on all bricks; None where one of them does not tell."""
    counts = [brick.pending.value for brick in bricks if isinstance(brick.pending, Known)]
    return sum(counts) if bricks and len(counts) == len(bricks) else None


def progress(before: HealProgress | None, waiting: int | None, now: datetime | None) -> HealProgress | None:
    """What is to be recorded.

    Args:
        before: What is recorded.
        waiting: Entries that wait; None while that is not known, which ends nothing.
        now: Wall clock; None where it is not known.
    """
    if waiting is None or now is None:
        return before
    if not waiting:
        return None
    if before is not None and before.entries == waiting:
        return before
    return HealProgress(entries=waiting, since=now.isoformat(timespec="seconds"))


def standing(before: HealProgress | None, waiting: int | None, now: datetime | None) -> timedelta:
    """For how long as many entries wait as now."""
    if before is None or now is None or before.entries != waiting:
        return timedelta()
    return now - datetime.fromisoformat(before.since)


def stands_still(info: VolumeInfo, standing_for: timedelta) -> bool:
    """Whether the daemons had their turns, and nothing was healed."""
    given = info.options.get(_OPTION, "")
    return standing_for >= _TURNS * timedelta(seconds=int(given) if given.isdecimal() else _DEFAULT)


def asking(
    info: VolumeInfo, pool: PoolFacts, before: HealProgress | None, waiting: int | None, now: datetime | None
) -> AskForHeal | None:
    """What asks the daemons to look now, once for each standstill.

    A daemon that was not connected when it looked last waits for its next turn, ten minutes later, and nothing else
    makes it look.

    Args:
        info: The volume: all bricks and daemons run.
        pool: What the asked node says.
        before: What is recorded.
        waiting: Entries that wait.
        now: Wall clock.
    """
    noted: Fact[str] | None = pool.heals.get(info.name)
    if before is None or standing(before, waiting, now) < _ASK_AFTER or not isinstance(noted, Known):
        return None
    note = f"{info.volume_id} {before.entries} {before.since}"
    if noted.value == note:
        return None
    why = f"{waiting} entries of {info.name} wait to be healed, as many as at {before.since}"
    return AskForHeal(host=pool.asked, why=why, volume=info.name, volume_id=info.volume_id, note=note)

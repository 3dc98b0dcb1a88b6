"""What is said of one volume: every condition on every pass, also when nothing could be seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from heretic.api.v1alpha1 import GlusterVolume
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.facts import Fact, Known
from heretic.domain.gluster.capacity import BrickPlace, capacity_condition
from heretic.domain.gluster.conditions import bricks_ready, degraded, healed_condition, quorate, started
from heretic.domain.gluster.difference import foreign_options
from heretic.domain.gluster.heal_progress import entries, standing
from heretic.domain.gluster.health import BrickVerdict
from heretic.domain.gluster.records import identities
from heretic.domain.gluster.seen import SeenVolume, see
from heretic.domain.gluster.status import status_of
from heretic.domain.host.facts import HostView
from heretic.domain.pool.facts import PoolFacts
from heretic.domain.report import Report

_NOT_MANAGED = "observed only: the bricks of {} are not laid out by Heretic, so the volume is watched and not managed"

_READY = frozenset({ConditionType.BRICKS_READY, ConditionType.STARTED, ConditionType.QUORATE, ConditionType.HEALED})


def report_volume(
    volume: GlusterVolume,
    view: SiteView,
    hosts: Mapping[str, HostView],
    pool: Fact[PoolFacts],
    now: datetime | None = None,
) -> Report:
    """Reports one volume.

    Args:
        volume: The object.
        view: The declared site.
        hosts: What is known of every storage node.
        pool: What one of them says of the volumes.
        now: Wall clock; None where nobody said.

    Returns:
        Status fields and the conditions BricksReady, Started, Quorate, Healed, CapacityOK and Degraded. Taking a
        fact away never makes any of them better.
    """
    seen = see(volume, view, hosts, pool)
    identity = identities(volume, seen.info, seen.placed, view, hosts)
    standing_for = standing(volume.status.heal_progress, entries(seen.bricks), now)
    return Report(
        status=status_of(volume, seen, identity, now),
        conditions=(
            bricks_ready(seen),
            started(seen),
            quorate(seen),
            healed_condition(seen, standing_for),
            capacity_condition(seen.name, _places(seen), hosts),
            degraded(seen, standing_for),
        ),
        ready=_READY,
        summary=_summary(seen) + ("; observed only" if seen.foreign else ""),
        notes=(_NOT_MANAGED.format(seen.name),) if seen.foreign else _notes(seen),
    )


def _places(seen: SeenVolume) -> Sequence[BrickSpec | BrickPlace]:
    """Where the bricks lie; where they are to lie, as long as the volume is not known."""
    declared = {(b.host, b.path): b for b in (seen.placed.bricks if seen.placed else ())}
    if not seen.bricks:
        return tuple(declared.values())
    return [BrickPlace(b.node, b.brick.path, declared.get((b.node, b.brick.path))) for b in seen.bricks]


def _summary(seen: SeenVolume) -> str:
    up = sum(b.verdict is BrickVerdict.UP for b in seen.bricks)
    return f"started, {up}/{len(seen.bricks)} bricks up, healed"


def _notes(seen: SeenVolume) -> tuple[str, ...]:
    if seen.placed is None or not isinstance(seen.info, Known):
        return ()
    foreign = foreign_options(seen.placed, seen.info.value)
    if not foreign:
        return ()
    told = ", ".join(f"{name}={value}" for name, value in foreign.items())
    return (f"options that nobody declared, left as they are: {told}",)

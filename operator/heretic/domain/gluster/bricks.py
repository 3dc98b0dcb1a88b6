"""The bricks of a volume as work on its hosts: what is to be done before Gluster can use them."""

from collections.abc import Mapping
from dataclasses import dataclass

from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.brick_identity import brick_obstacle
from heretic.domain.disks.growth import plan_growth
from heretic.domain.disks.judge import judge
from heretic.domain.disks.mount_steps import CreateBrickDirectory, MountBrick
from heretic.domain.disks.plan import plan_brick
from heretic.domain.disks.steps import ActivateLogicalVolume
from heretic.domain.errors import Reason, unobserved
from heretic.domain.gluster.brick_places import misplaced
from heretic.domain.gluster.placement import Placement, thin_bricks
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.maintenance import in_maintenance
from heretic.domain.plan import Blocked, Step, Wait
from heretic.domain.pool.members import members

_REPAIRS = (ActivateLogicalVolume, MountBrick)
"""What may be done to the brick of an existing volume. Anything more would put an empty brick in the place of one
that holds data; that is a replacement, and only a person can ask for one (rule:never-prepare-twice,
rule:replace-brick)."""


@dataclass(frozen=True, slots=True)
class BrickWork:
    """What the bricks of one volume need.

    Attributes:
        steps: What can be done now.
        pending: What stands in the way of the rest.
        ready: (node, path) of the bricks that can be used, though some may be too small yet.
    """

    steps: tuple[Step, ...]
    pending: tuple[Wait | Blocked, ...]
    ready: frozenset[tuple[str, str]]


def plan_bricks(
    placement: Placement,
    view: SiteView,
    hosts: Mapping[str, HostView],
    volume_id: str,
    running: frozenset[tuple[str, str]] = frozenset(),
) -> BrickWork:
    """Plans every brick of a volume on its own host.

    Args:
        placement: The volume as declared.
        view: The declared site.
        hosts: What is known of the hosts.
        volume_id: Gluster's id of the volume, "" when it does not exist yet.
        running: (node, path) of bricks whose processes run.
    """
    declared = thin_bricks(view)
    who = members(view, hosts)
    steps: list[Step] = []
    pending: list[Wait | Blocked] = []
    ready: set[tuple[str, str]] = set()
    for brick in placement.bricks:
        node = view.nodes.get(brick.host)
        if in_maintenance(view, brick.host):
            pending.append(Wait(Reason.IN_MAINTENANCE, f"{brick.host} is in maintenance; its bricks are left alone"))
            continue
        if stranger := who.obstacle((brick.host,)):
            pending.append(stranger)
            continue
        facts = hosts.get(brick.host)
        if node is None or not isinstance(facts, HostFacts):
            gone = f"{brick.host} is no storage node of this site any more"
            told = gone if facts is None or isinstance(facts, HostFacts) else unobserved(brick.host, facts)
            pending.append(Wait(Reason.NODE_NOT_READY, told, 10.0))
            continue
        if obstacle := brick_obstacle(facts, brick, judge(node, view, facts)):
            pending.append(obstacle)
            continue
        if volume_id and (wrong := misplaced(facts, brick, (brick.host, brick.path) in running)):
            pending.append(wrong)
            continue
        thin = declared.get((brick.host, brick.group), ())
        planned = plan_brick(facts, brick, thin, volume_id=volume_id)
        if isinstance(planned, tuple) and (volume_id or brick.filesystem):
            planned = _only_repairs(planned, brick, _REPAIRS if volume_id else (*_REPAIRS, CreateBrickDirectory))
        if planned == ():
            ready.add((brick.host, brick.path))
            planned = plan_growth(facts, brick, thin)
        if isinstance(planned, tuple):
            steps += [step for step in planned if step not in steps]
        else:
            pending.append(planned)
    return BrickWork(tuple(steps), tuple(dict.fromkeys(pending)), frozenset(ready))


def _only_repairs(
    planned: tuple[Step, ...], brick: BrickSpec, repairs: tuple[type[Step], ...]
) -> tuple[Step, ...] | Blocked:
    for step in planned:
        if not isinstance(step, repairs):
            return Blocked(
                Reason.BRICK_LOST,
                f"the brick {brick.path} of {brick.volume} on {brick.host} is lost: {step.why}. It was made "
                "before, so an empty brick is not put in its place. Find out what became of its disk; to give up what "
                f"was on it, make the brick anew by hand (gluster volume replace-brick or reset-brick {brick.volume} … "
                "commit force) while all its copies are up",
            )
    return planned

"""Whether the bricks of an existing volume lie where they belong, before any is mounted or started.

``volume start force`` starts every brick of a volume that does not run, on every host, and marks a folder that has
no mark: it disarms Gluster's own check that a brick is the one that it was. So nothing is forced before each brick is
known to be mounted from its own filesystem and marked, or to be out of reach.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.disks.brick_identity import mounted_at
from heretic.domain.disks.growth import logical_volume
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.gluster.health import BrickHealth, BrickVerdict
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.plan import Blocked


def misplaced(facts: HostFacts, brick: BrickSpec, runs: bool) -> Blocked | None:
    """Why the brick of an existing volume must neither be mounted nor started.

    Args:
        facts: Of the brick's host.
        brick: Where it lies.
        runs: Whether its process is known to run.
    """
    folders = facts[BRICK_FOLDERS]
    if not isinstance(facts.mounts, Known) or not isinstance(folders, Known):
        return None
    there = mounted_at(facts.mounts.value, brick.mount_point)
    folder = folders.value.get(brick.path)
    holds = folder is not None and folder.exists and bool(folder.volume_id or not folder.empty)
    if there is None and (runs or holds):
        what = "its process runs" if runs else "its folder there is not empty or carries a volume's mark"
        return Blocked(
            Reason.BRICK_ON_ROOT,
            f"{facts.host}: the brick {brick.path} of {brick.volume} is not mounted, and {what}: clients may have "
            f"written to the root filesystem. It is not mounted over. End that process (gluster volume status "
            f"{brick.volume} tells its pid), move {brick.path} away, and what was written meanwhile is missing on "
            f"{brick.device} without Gluster's knowing: while all other copies are up, make the brick anew from them "
            f"(gluster volume reset-brick {brick.volume} …), or compare the two where there is one copy only",
        )
    if there is not None and folder is not None and folder.exists and not folder.volume_id and folder.empty:
        return Blocked(
            Reason.BRICK_LOST,
            f"{facts.host}: the brick {brick.path} of {brick.volume} is empty and carries no mark, though the volume "
            "exists: what was on it is lost, or another filesystem is mounted there. It is not started, because an "
            f"empty brick that joins may pass for the right one. Find out what became of it; to give up what was on "
            f"it, make it anew by hand (gluster volume reset-brick {brick.volume} … commit force) while all its copies "
            "are up",
        )
    return None


@dataclass(frozen=True, slots=True)
class Force:
    """What a start by force concerns.

    Attributes:
        unsound: Bricks that are not known to lie where they belong; nothing is forced while there are any.
        online: Bricks, "host:path", that must go on running.
        away: Bricks of nodes that Gluster does not reach.
    """

    unsound: tuple[BrickHealth, ...]
    online: tuple[str, ...]
    away: tuple[str, ...]


def force(
    bricks: Iterable[BrickHealth], ready: Collection[tuple[str, str]], out: Collection[str], seen: Collection[str]
) -> Force:
    """Judges every brick of a volume.

    Args:
        bricks: Of the volume.
        ready: (node, path) of those that are mounted from their own filesystem and marked.
        out: Nodes that are disconnected.
        seen: Nodes that are observed and that nobody works on.
    """
    listed = tuple(bricks)
    away = tuple(b for b in listed if b.node in out)
    sound = [
        b for b in listed if (b.node, b.brick.path) in ready or (b.node not in seen and b.verdict is BrickVerdict.UP)
    ]
    return Force(
        unsound=tuple(b for b in listed if b not in away and b not in sound),
        online=tuple(b.key for b in listed if b not in away and b.verdict is BrickVerdict.UP),
        away=tuple(b.key for b in away),
    )


def places(node: str, bricks: Sequence[BrickSpec], hosts: Mapping[str, HostView]) -> tuple[tuple[str, ...], ...]:
    """Mount point, group, name, filesystem and folder of a volume's bricks on one node, for a step's guards."""
    facts = hosts.get(node)
    found = []
    for brick in bricks:
        if brick.host == node and isinstance(facts, HostFacts):
            volume = logical_volume(facts, brick.group, brick.name)
            filesystem = brick.filesystem or (volume.filesystem_uuid if volume else "")
            found.append((brick.mount_point, brick.group, brick.name, filesystem, brick.path))
    return tuple(found)

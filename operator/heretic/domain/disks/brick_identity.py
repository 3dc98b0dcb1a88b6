"""Whether the logical volume and the filesystem of a brick are the recorded ones, and when they are recorded."""

from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.disks.growth import logical_volume
from heretic.domain.disks.ownership import GUIDE, Ownership
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, LogicalVolume, Mount
from heretic.domain.host.inventory import mapper_name
from heretic.domain.plan import Blocked, Wait

_XFS = Known("xfs")


def brick_obstacle(facts: HostFacts, brick: BrickSpec, ownership: Ownership) -> Blocked | Wait | None:
    """Why a brick must be left alone: something in its place is not what was recorded.

    Args:
        facts: Of the brick's host.
        brick: Where it lies, with what was recorded of it.
        ownership: Whose the disks of that host are.

    Returns:
        What was expected, what is there, what to do; None where all is as recorded, or not there at all.
    """
    return (
        ownership.obstacle(brick.group)
        or _other_volume(facts, brick)
        or _other_filesystem(facts, brick)
        or _mounted_from_elsewhere(facts, brick)
        or _copied(facts, brick)
    )


def is_mount_of(mount: Mount, brick: BrickSpec) -> bool:
    """Whether a mount is of the brick's logical volume."""
    return mount.source in (brick.device, f"/dev/mapper/{mapper_name(brick.group, brick.name)}")


def mounted_at(mounts: tuple[Mount, ...], target: str) -> Mount | None:
    """The mount that one sees there: of several on top of each other the last."""
    return next((m for m in reversed(mounts) if m.target == target), None)


def recorded(facts: HostFacts, brick: BrickSpec, ownership: Ownership, volume_id: str) -> tuple[str, str]:
    """The UUIDs of a brick's logical volume and filesystem that are kept from now on.

    What is recorded stays. Something is recorded for the first time once it is proven: the filesystem has the UUID
    that was chosen for it, or it is mounted in its place and holds the brick of this very volume.

    Args:
        facts: Of the brick's host.
        brick: Where it lies, with what was recorded of it.
        ownership: Whose the disks of that host are.
        volume_id: Gluster's id of the volume, "" where there is none yet.

    Returns:
        Both, as they were where nothing can be added.
    """
    volume = logical_volume(facts, brick.group, brick.name)
    if volume is None or brick.group not in ownership.groups or volume.filesystem != _XFS:
        return brick.volume_uuid, brick.filesystem
    if brick_obstacle(facts, brick, ownership) is not None:
        return brick.volume_uuid, brick.filesystem
    proven = volume.filesystem_uuid in (brick.new_filesystem, brick.filesystem) or _holds(facts, brick, volume_id)
    if not proven or not volume.filesystem_uuid:
        return brick.volume_uuid, brick.filesystem
    return brick.volume_uuid or volume.uuid, brick.filesystem or volume.filesystem_uuid


def _holds(facts: HostFacts, brick: BrickSpec, volume_id: str) -> bool:
    """Whether the brick's volume is mounted in its place and the brick of this Gluster volume lies there."""
    mounts = facts.mounts.value if isinstance(facts.mounts, Known) else ()
    there = mounted_at(mounts, brick.mount_point)
    folders = facts[BRICK_FOLDERS]
    folder = folders.value.get(brick.path) if isinstance(folders, Known) else None
    return bool(
        volume_id and there and is_mount_of(there, brick) and folder and folder.exists and folder.volume_id == volume_id
    )


def _other_volume(facts: HostFacts, brick: BrickSpec) -> Blocked | None:
    if not brick.volume_uuid:
        return None
    volumes = facts.logical_volumes.value if isinstance(facts.logical_volumes, Known) else ()
    there = logical_volume(facts, brick.group, brick.name)
    if there is not None and there.uuid == brick.volume_uuid:
        return None
    meant = next((v for v in volumes if v.uuid == brick.volume_uuid), None)
    if there is None and meant is None:
        return None  # it is lost, which the brick's plan says
    is_now = f"is called {meant.group}/{meant.name} now" if meant else "is gone"
    place = f"; {brick.device} is another one ({there.uuid})" if there else ""
    return Blocked(
        Reason.LOGICAL_VOLUME_REPLACED,
        f"{facts.host}: the logical volume {brick.volume_uuid} of the brick {brick.path} was recorded as "
        f"{brick.device} and {is_now}{place}. Nothing is touched. Bring the recorded one back (lvrename); {GUIDE}",
    )


def _other_filesystem(facts: HostFacts, brick: BrickSpec) -> Blocked | Wait | None:
    volume = logical_volume(facts, brick.group, brick.name)
    if volume is None or not volume.active or not isinstance(volume.filesystem, Known):
        return None
    if volume.filesystem == _XFS and not volume.filesystem_uuid:
        return Wait(Reason.NOT_OBSERVED, f"{facts.host}: the UUID of the filesystem on {brick.device} is not known")
    if brick.filesystem and volume.filesystem_uuid != brick.filesystem:
        return _replaced(facts, brick, f"{brick.device} carries {_shown(volume)}")
    return None


def _mounted_from_elsewhere(facts: HostFacts, brick: BrickSpec) -> Blocked | None:
    mounts = facts.mounts.value if isinstance(facts.mounts, Known) else ()
    there = mounted_at(mounts, brick.mount_point)
    if not brick.filesystem or there is None or is_mount_of(there, brick):
        return None
    return _replaced(facts, brick, f"{there.source} ({there.fstype}) is mounted at {brick.mount_point}")


def _copied(facts: HostFacts, brick: BrickSpec) -> Blocked | None:
    """A filesystem that shows twice: which of the two is mounted by its UUID is a matter of luck."""
    places = facts.filesystems.value if isinstance(facts.filesystems, Known) else {}
    volume = logical_volume(facts, brick.group, brick.name)
    known = brick.filesystem or (volume.filesystem_uuid if volume else "")
    for identity in dict.fromkeys((known, brick.new_filesystem)):
        own = (brick.device, f"/dev/mapper/{mapper_name(brick.group, brick.name)}")
        others = [path for path in places.get(identity, ()) if identity and path not in own]
        if others:
            return Blocked(
                Reason.FILESYSTEM_DUPLICATED,
                f"{facts.host}: the filesystem {identity} of the brick {brick.path} also shows on "
                f"{', '.join(others)}, and it is mounted by that UUID. Deactivate or detach the copy (lvchange "
                f"--activate n), or give it a UUID of its own (xfs_admin -U generate); {GUIDE}",
            )
    return None


def _replaced(facts: HostFacts, brick: BrickSpec, there: str) -> Blocked:
    return Blocked(
        Reason.FILESYSTEM_REPLACED,
        f"{facts.host}: the brick {brick.path} was recorded with the filesystem {brick.filesystem}, and {there}. It is "
        f"neither mounted nor written. Bring the recorded filesystem back; {GUIDE}",
    )


def _shown(volume: LogicalVolume) -> str:
    kind = volume.filesystem.value if isinstance(volume.filesystem, Known) else ""
    return f"{kind} {volume.filesystem_uuid}".strip() or "no filesystem"

"""The next steps for one brick on one host: pool, logical volume, filesystem, mount, folder."""

from collections.abc import Iterator, Sequence

from heretic.api.quantity import format_bytes
from heretic.domain.disks.below import pools_below
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.disks.brick_identity import is_mount_of, mounted_at
from heretic.domain.disks.growth import (
    does_not_fit,
    extended_pool,
    logical_volume,
    out_of_order,
    pool_too_small,
    volume_group,
)
from heretic.domain.disks.hidden import hidden_volumes
from heretic.domain.disks.mount_steps import CreateBrickDirectory, MountBrick
from heretic.domain.disks.room import pool_demand
from heretic.domain.disks.space import in_extents, metadata_volume_bytes
from heretic.domain.disks.steps import (
    NEW,
    POOL,
    ActivateLogicalVolume,
    CreateLogicalVolume,
    CreateThinPool,
    KeepFilesystem,
    MakeFilesystem,
)
from heretic.domain.disks.units import mount_unit, unit_description
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.host.facts import HostFacts, LogicalVolume, Service, VolumeGroup
from heretic.domain.host.health import storage_obstacle
from heretic.domain.host.profiles import Profile, profile_of
from heretic.domain.plan import Blocked, Obstacle, Step, Wait

_PERSISTENT = ("enabled", "generated")
"""UnitFileState of a mount that the next boot makes too: our own unit, or a line of /etc/fstab."""


def plan_brick(
    facts: HostFacts, brick: BrickSpec, thin: Sequence[BrickSpec], *, volume_id: str | None = None
) -> tuple[Step, ...] | Blocked | Wait:
    """Plans as much of a brick as this observation makes certain.

    Args:
        facts: Of the brick's host.
        brick: Where it lies and how large it is.
        thin: All bricks that are declared thin in the same volume group of the host, this one among them, those that
            take precedence first.
        volume_id: The Gluster volume's id; "" = the volume does not exist yet, so the brick must be unused;
            None = not to be looked at.

    Returns:
        Ordered steps on the host, none when the brick is ready; or what stands in the way of all of them.
    """
    if obstacle := storage_obstacle(facts):
        return obstacle
    for what, fact in (
        ("volume groups", facts.volume_groups),
        ("logical volumes", facts.logical_volumes),
        ("mounts", facts.mounts),
        ("units", facts.services),
        ("brick folders", facts[BRICK_FOLDERS]),
    ):
        if isinstance(fact, Unknown):
            return Wait(Reason.NOT_OBSERVED, f"{facts.host}: its {what} are not known: {fact.cause}")
    group = _group(facts, brick)
    if not isinstance(group, VolumeGroup):
        return group
    volume = logical_volume(facts, brick.group, brick.name)
    if obstacle := (_odd_volume(facts, brick, volume) or _foreign_content(facts, brick, volume, volume_id)):
        return obstacle
    if volume is None and (activation := _pool_activation(facts, brick)):
        return activation
    allocation = _allocation(facts, brick, thin, group) if volume is None else ()
    if not isinstance(allocation, tuple):
        return allocation
    content = tuple(_content(facts, brick, group, volume))
    formats = any(isinstance(step, MakeFilesystem) for step in content)
    if formats and (obstacle := _sick(facts, brick, volume)):
        return obstacle
    return (*allocation, *content)


def _group(facts: HostFacts, brick: BrickSpec) -> VolumeGroup | Obstacle:
    group = volume_group(facts, brick.group)
    if group is None:
        return Wait(
            Reason.NODE_NOT_READY, f"{facts.host}: volume group {brick.group} is not there yet; its Node prepares it"
        )
    if not group.complete:
        return Blocked(
            Reason.DISK_NOT_FOUND,
            f"{facts.host}: a disk of volume group {group.name} is missing; plug it in again or replace it",
        )
    if hidden := [v.device for v in hidden_volumes(facts) if v.group == group.name]:
        return Wait(
            Reason.NODE_NOT_READY,
            f"{facts.host}: LVM's devices file hides {hidden[0]} of volume group {group.name}; its Node adds it",
        )
    return group


def _odd_volume(facts: HostFacts, brick: BrickSpec, volume: LogicalVolume | None) -> Obstacle | None:
    """A volume of the brick's name that cannot be the brick."""
    if volume is None:
        return None
    if volume.is_pool:
        return Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"{facts.host}: {brick.device} is a thin pool, where a brick is declared; rename one of them",
        )
    if not volume.active:
        return None
    match volume.filesystem:
        case Known("" | "xfs"):
            return None
        case Known(other):
            return Blocked(
                Reason.FOREIGN_SIGNATURE,
                f"{facts.host}: {brick.device} carries {other}, where a brick (xfs) is declared. It is left alone. If "
                "nothing on it is needed, clear it by hand",
            )
        case Unknown(cause):
            return Wait(Reason.NOT_OBSERVED, f"{facts.host}: what is on {brick.device} is not known: {cause}")
        case Absent():
            return Wait(Reason.NOT_OBSERVED, f"{facts.host}: what is on {brick.device} is not known")


def _foreign_content(
    facts: HostFacts, brick: BrickSpec, volume: LogicalVolume | None, volume_id: str | None
) -> Obstacle | None:
    """Something else in the brick's places (rule:never-prepare-twice)."""
    mounts = facts.mounts.value if isinstance(facts.mounts, Known) else ()
    there = mounted_at(mounts, brick.mount_point)
    if there is not None and not is_mount_of(there, brick):
        return Blocked(
            Reason.DISK_IN_USE,
            f"{facts.host}: {there.source} ({there.fstype}) is mounted at {brick.mount_point}, where {brick.device} "
            "is declared; unmount it",
        )
    elsewhere = [m.target for m in mounts if is_mount_of(m, brick) and m.target != brick.mount_point]
    if elsewhere:
        return Blocked(
            Reason.DISK_IN_USE,
            f"{facts.host}: {brick.device} is mounted at {elsewhere[0]} instead of {brick.mount_point}; unmount it",
        )
    folders = facts[BRICK_FOLDERS]
    bricks = folders.value if isinstance(folders, Known) else {}
    folder = bricks.get(brick.path)
    if volume_id is None or there is None or folder is None or not folder.exists:
        return None
    # An unmarked empty folder is as good as new; whether its volume misses something is for Gluster to say.
    if (not folder.volume_id and folder.empty) or (volume_id and folder.volume_id == volume_id):
        return None
    holds = f"belongs to the Gluster volume {folder.volume_id}" if folder.volume_id else "is not empty"
    wants = f"volume {brick.volume} has the id {volume_id}" if volume_id else f"volume {brick.volume} is new"
    return Blocked(
        Reason.BRICK_NOT_EMPTY,
        f"{facts.host}: {brick.path} {holds}, but {wants}. It is left alone. Adopt that volume under its own name, "
        "or clear the folder by hand if nothing in it is needed",
    )


def _pool_activation(facts: HostFacts, brick: BrickSpec) -> tuple[Step, ...]:
    """Makes a pool that is off tell how it is before anything is made in it."""
    pool = logical_volume(facts, brick.group, POOL) if brick.thin else None
    if pool is None or not pool.is_pool or pool.active:
        return ()
    why = f"{brick.volume} needs room in thin pool {brick.group}/{POOL}, which is not active"
    return (ActivateLogicalVolume(host=facts.host, why=why, group=brick.group, name=POOL, volume_uuid=pool.uuid),)


def _sick(facts: HostFacts, brick: BrickSpec, volume: LogicalVolume | None) -> Obstacle | None:
    """What a new filesystem would be written to, and is not known to take writes."""
    if volume is None:
        return None
    below = (volume, *pools_below(facts, volume))
    return next((obstacle for v in below if (obstacle := out_of_order(facts, v))), None)


def _allocation(
    facts: HostFacts, brick: BrickSpec, thin: Sequence[BrickSpec], group: VolumeGroup
) -> tuple[Step, ...] | Obstacle:
    """Space for a brick that has none: the pool as large as it must be, and the logical volume."""
    size = in_extents(brick.size, group.extent)
    create = CreateLogicalVolume(
        host=facts.host,
        why=f"{brick.device} does not exist",
        group=brick.group,
        group_uuid=group.uuid,
        name=brick.name,
        size=size,
        thin=brick.thin,
    )
    if not brick.thin:
        return does_not_fit(facts, brick, group, size) or (create,)
    pool = logical_volume(facts, brick.group, POOL)
    if pool is not None:
        extended = extended_pool(facts, brick, thin, group, pool)
        return (*extended, create) if isinstance(extended, tuple) else extended
    demand = pool_demand(facts, brick, thin, group, None)
    if not demand.fits:
        return pool_too_small(facts, brick, group, demand)
    why = f"{format_bytes(demand.size)} of thin volumes are declared in {brick.group}"
    metadata = metadata_volume_bytes(demand.size, group.extent)
    new = CreateThinPool(
        host=facts.host, why=why, group=brick.group, group_uuid=group.uuid, size=demand.size, metadata=metadata
    )
    return new, create


def _content(facts: HostFacts, brick: BrickSpec, group: VolumeGroup, volume: LogicalVolume | None) -> Iterator[Step]:
    """Filesystem, mount and folder, as far as it is certain what the volume holds."""
    place = {"host": facts.host, "group": brick.group, "name": brick.name}
    if volume is not None and not volume.active:
        yield ActivateLogicalVolume(why=f"{brick.device} is not active", volume_uuid=volume.uuid, **place)
        return
    mounted = mounted_at(facts.mounts.value if isinstance(facts.mounts, Known) else (), brick.mount_point)
    new = volume is None or (volume.filesystem == Known("") and mounted is None)
    filesystem = brick.new_filesystem if new or volume is None else volume.filesystem_uuid
    if new:
        yield MakeFilesystem(
            why=f"{brick.device} has no filesystem",
            declared=f"the logical volume is for volume {brick.volume} and is proven free for it",
            group_uuid=group.uuid,
            volume_uuid=volume.uuid if volume else "",
            filesystem=filesystem,
            new=volume is None or NEW in volume.tags,
            **place,
        )
    elif volume is not None and NEW in volume.tags:
        yield KeepFilesystem(
            why=f"{brick.device} has its filesystem and is still tagged as new", volume_uuid=volume.uuid, **place
        )
    why = "is not mounted" if mounted is None else _not_persistent(facts, brick, filesystem)
    if why:
        yield MountBrick(why=f"{brick.device} {why}", mount_point=brick.mount_point, filesystem=filesystem, **place)
    folders = facts[BRICK_FOLDERS]
    bricks = folders.value if isinstance(folders, Known) else {}
    # A filesystem that was there before may hold a brick already: it is looked at before anything is made in it.
    if new or (mounted is not None and brick.path not in bricks):
        yield CreateBrickDirectory(
            why=f"{brick.path} does not exist",
            mount_point=brick.mount_point,
            filesystem=filesystem,
            path=brick.path,
            labelled=_labelled(facts),
            **place,
        )


def _labelled(facts: HostFacts) -> bool:
    """Whether the host has SELinux in a way that Heretic looks after."""
    profile = profile_of(facts.os.value) if isinstance(facts.os, Known) else None
    looked_after = isinstance(profile, Profile) and bool(profile.selinux_contexts)
    return looked_after and facts.selinux in (Known("enforcing"), Known("permissive"))


def _not_persistent(facts: HostFacts, brick: BrickSpec, filesystem: str) -> str:
    """Why the next boot would not mount the brick as this one did, "" where it would.

    A unit of ours that names the logical volume, as the version before wrote it, is written anew; one that somebody
    else wrote, and a line of /etc/fstab, are left as they are.
    """
    units = facts.services.value if isinstance(facts.services, Known) else {}
    unit = units.get(mount_unit(brick.mount_point))
    if unit is None or unit.enabled not in _PERSISTENT:
        return "is mounted only until the next boot"
    by_name = _is_our_unit(unit, brick) and unit.description != unit_description(brick.mount_point, filesystem)
    return f"is not yet mounted by the UUID of its filesystem, {filesystem}, at a boot" if by_name else ""


def _is_our_unit(unit: Service, brick: BrickSpec) -> bool:
    return unit.enabled == "enabled" and unit.description.startswith(unit_description(brick.mount_point))

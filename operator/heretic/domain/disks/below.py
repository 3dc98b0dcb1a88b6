"""What lies below a brick: found from its path, the mount, the logical volume and its pools, never from a name.

Heretic's own bricks and those that HVP, oVirt's wizard or a person made are told apart by nothing here.
"""

from collections.abc import Iterable
from posixpath import normpath

from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, LogicalVolume, Mount
from heretic.domain.host.inventory import mapper_name

ROOT = "/"


def mount_of(mounts: Iterable[Mount], path: str) -> Mount | None:
    """The filesystem that a path lies in: of several mounts the deepest, and of several at one place the last."""
    place = normpath(path)
    found = [m for m in mounts if m.target in (ROOT, place) or place.startswith(f"{m.target}/")]
    return max(reversed(found), key=lambda mount: len(mount.target), default=None)


def device_of(mount: Mount) -> str:
    """The device of a mount, without the folder that findmnt adds for a bind mount or a subvolume."""
    return mount.source.partition("[")[0]


def device_names(volume: LogicalVolume) -> tuple[str, str]:
    """The two paths by which a logical volume is mounted."""
    return f"/dev/{volume.group}/{volume.name}", f"/dev/mapper/{mapper_name(volume.group, volume.name)}"


def volume_below(facts: HostFacts, path: str) -> Fact[LogicalVolume]:
    """The logical volume that a folder of the host lies in.

    Args:
        facts: Of the host.
        path: Absolute path.

    Returns:
        Absent when the filesystem lies in no logical volume (a whole disk, a partition, ZFS); Unknown when that
        cannot be told.
    """
    if isinstance(facts.mounts, Unknown):
        return facts.mounts
    mount = mount_of(facts.mounts.value if isinstance(facts.mounts, Known) else (), path)
    if mount is None:
        return Unknown(f"no filesystem is known that {path} lies in")
    if isinstance(facts.logical_volumes, Unknown):
        return facts.logical_volumes
    volumes = facts.logical_volumes.value if isinstance(facts.logical_volumes, Known) else ()
    device = device_of(mount)
    found = next((v for v in volumes if device in device_names(v)), None)
    if found is not None:
        return Known(found)
    if device.startswith("/dev/dm-"):
        return Unknown(f"{mount.target} is mounted from {device}, which names no logical volume")
    return Absent()


def pools_below(facts: HostFacts, volume: LogicalVolume) -> tuple[LogicalVolume, ...]:
    """The pools that a logical volume draws on, the nearest first; none for a thick one.

    Where the data of a thin pool lies in a volume that LVM does not list, a VDO pool of the group in which no
    listed volume lies must be what carries it.
    """
    all_volumes = facts.logical_volumes.value if isinstance(facts.logical_volumes, Known) else ()
    group = {v.name: v for v in all_volumes if v.group == volume.group}
    found: list[LogicalVolume] = []
    left = [volume.pool, volume.data]
    while left:
        below = group.get(left.pop(0))
        if below is None or below in found:
            continue
        if below.is_pool or below.is_vdo_pool:
            found.append(below)
        left += [below.pool, below.data]
    if any(pool.is_pool for pool in found):
        used = {v.pool for v in group.values()}
        found += [v for v in group.values() if v.is_vdo_pool and v.name not in used and v not in found]
    return tuple(found)

"""systemd units that mount bricks."""

UNITS = "/etc/systemd/system"
"""Folder of the units that somebody wrote on the host."""
BRICK_OPTIONS = "inode64,noatime,nodiratime"
"""Mount options of a brick (rule:brick-format)."""
DEVICE_TIMEOUT = 180
"""Seconds that glusterd waits for a brick's device after a boot. A thin pool is checked before it is activated, which
takes long on a large pool or a slow host (45 s were seen on small ones); nothing else of the boot waits for it."""

_KEPT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.")


def escape(path: str) -> str:
    """A path as part of a unit's name (systemd.unit(5), ``systemd-escape --path``).

    Args:
        path: Absolute, not the root, without dots and doubled slashes.
    """
    trimmed = path.strip("/")
    return "".join(
        "-" if c == "/" else c if c in _KEPT and (i or c != ".") else "".join(f"\\x{b:02x}" for b in c.encode())
        for i, c in enumerate(trimmed)
    )


def mount_unit(mount_point: str) -> str:
    """Name of the unit that mounts there."""
    return f"{escape(mount_point)}.mount"


def device_unit(device: str) -> str:
    """Name of the unit that stands for a device."""
    return f"{escape(device)}.device"


def by_uuid(filesystem: str) -> str:
    """The path by which a filesystem is found wherever it lies, as udev links it.

    Args:
        filesystem: Its UUID.
    """
    return f"/dev/disk/by-uuid/{filesystem}"


def unit_description(mount_point: str, filesystem: str = "") -> str:
    """What a mount unit of ours calls itself, so that systemd's answer tells which filesystem it mounts.

    Args:
        mount_point: Where it mounts.
        filesystem: UUID of what it mounts; "" = as the version before wrote it, by the name of a logical volume.
    """
    return f"Gluster brick {mount_point}" + (f" on filesystem {filesystem}" if filesystem else "")


def unit_content(filesystem: str, mount_point: str, options: str) -> str:
    """A mount unit that no boot waits for.

    It names the filesystem by its UUID: a name of a logical volume is found on any disk that has it.

    Without the default dependencies it is not ordered before local-fs.target, which the whole boot waits for; the
    ones that a clean shutdown needs are written out. glusterd alone waits, so that its bricks find their disks. The
    device wants the mount too: one that appears after all waiting is over is mounted then.
    """
    device = by_uuid(filesystem)
    return f"""\
# Written by Heretic.
[Unit]
Description={unit_description(mount_point, filesystem)}
DefaultDependencies=no
After=local-fs-pre.target
Before=glusterd.service umount.target
Conflicts=umount.target

[Mount]
What={device}
Where={mount_point}
Type=xfs
Options={options}

[Install]
WantedBy=multi-user.target {device_unit(device)}
"""


def timeout_drop_in() -> str:
    """Limits how long anything waits for the device."""
    return f"# Written by Heretic.\n[Unit]\nJobRunningTimeoutSec={DEVICE_TIMEOUT}\n"

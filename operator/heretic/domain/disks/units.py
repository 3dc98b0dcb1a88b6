"""systemd units that mount bricks."""

BRICK_OPTIONS = "inode64,noatime,nodiratime"
"""Mount options of a brick (domain §2.8)."""
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


def unit_content(device: str, mount_point: str, options: str) -> str:
    """A mount unit that no boot waits for.

    Without the default dependencies it is not ordered before local-fs.target, which the whole boot waits for; the
    ones that a clean shutdown needs are written out. glusterd alone waits, so that its bricks find their disks. The
    device wants the mount too: one that appears after all waiting is over is mounted then.
    """
    return f"""\
# Written by Heretic.
[Unit]
Description=Gluster brick {mount_point}
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

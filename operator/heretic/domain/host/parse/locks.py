"""Who holds a lock of the package manager, from /proc/locks and the lock files' inodes."""

from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.parse.files import Files

LOCK_FILES = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/lib/rpm/.rpm.lock",
    "/usr/lib/sysimage/rpm/.rpm.lock",
)
"""They exist whether they are locked or not."""
TABLE = "/proc/locks"


def package_lock(files: Files) -> Fact[str]:
    """Says who holds one of the lock files, "" when nobody does.

    Args:
        files: With TABLE and LOCK_FILES.
    """
    table = files.text(TABLE)
    if isinstance(table, Unknown):
        # Without any lock the table is empty, and an empty file has no lines.
        return Known("") if files.exists(TABLE) == Known(True) else table
    held = {device: path for path in LOCK_FILES if path in files.modes and (device := _place(files.modes[path][1]))}
    if isinstance(table, Known):
        for line in table.value.splitlines():
            match line.split():
                case [_, kind, _, _, pid, place, *_] if kind != "->" and place in held:
                    return Known(f"process {pid} ({held[place]})")
    return Known("")


def _place(device_and_inode: str) -> str:
    """The way in which /proc/locks writes a file: major and minor number in hexadecimal, and the inode."""
    device, _, inode = device_and_inode.partition(":")
    try:
        number = int(device, 16)
    except ValueError:
        return ""
    major, minor = (number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)
    return f"{major:02x}:{minor:02x}:{inode}"

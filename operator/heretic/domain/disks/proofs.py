"""Conditions on a host that prove that a thing is the one that was meant, and no namesake of it."""

from heretic.domain.commands import Command, Expect
from heretic.domain.host.inventory import mapper_name

QUIET = ("--noheadings",)
_BYTES = ("--units", "b", "--nosuffix")
LISTED = ("lsblk", "--noheadings", "--list", "--output")
"""Columns of a disk and of everything on it, one line each."""


def is_size(group: str, volume: str, column: str, size: int) -> Command:
    """Whether a logical volume has a size, in bytes."""
    report = ("lvs", *QUIET, *_BYTES, "-o", column, f"{group}/{volume}")
    return Command(report, expect=Expect.EQUALS, text=str(size))


def is_group(group: str, uuid: str) -> Command:
    """Whether the group of this name, and there is one only, is the one that is meant."""
    return Command(("vgs", *QUIET, "-o", "vg_uuid", group), expect=Expect.EQUALS, text=uuid)


def is_logical_volume(group: str, name: str, uuid: str) -> Command:
    """Whether the logical volume of this name is the one that is meant."""
    return Command(("lvs", *QUIET, "-o", "lv_uuid", f"{group}/{name}"), expect=Expect.EQUALS, text=uuid)


def is_filesystem(device: str, uuid: str) -> Command:
    """Whether the filesystem on a device, read from the device itself, is the one that is meant."""
    return Command(("blkid", "-p", "-s", "UUID", "-o", "value", device), expect=Expect.EQUALS, text=uuid)


def is_free(mount_point: str) -> Command:
    """Whether all mounts are listed and none is there."""
    return Command(("findmnt", "--raw", "--noheadings", "--output", "TARGET"), expect=Expect.LACKS, text=mount_point)


def is_source(mount_point: str, group: str, volume: str, filesystem: str) -> tuple[Command, ...]:
    """Whether this volume with this filesystem, and no other, is mounted there."""
    return (
        Command(
            ("findmnt", "--noheadings", "--output", "SOURCE", "--mountpoint", mount_point),
            expect=Expect.EQUALS,
            text=f"/dev/mapper/{mapper_name(group, volume)}",
        ),
        is_filesystem(f"/dev/{group}/{volume}", filesystem),
    )


def is_disk(device: str, column: str, value: str) -> Command:
    """Whether the disk behind a path is the one that is meant."""
    columns = ("lsblk", "--noheadings", "--nodeps", "--bytes", "--list", "--output", column)
    return Command((*columns, device), expect=Expect.EQUALS, text=value)


def is_planned_disk(device: str, path: str, *, size: int, wwn: str, serial: str) -> tuple[Command, ...]:
    """Whether the disk behind a path is the one that a step was planned for, and still has the kernel's name of then.

    Args:
        device: Absolute path by a stable id.
        path: The kernel's name.
        size: Bytes.
        wwn: Of the disk, "" = it has none.
        serial: Likewise.
    """
    told = (("WWN", wwn), ("SERIAL", serial), ("SIZE", str(size)))
    return (
        *(is_disk(device, column, value) for column, value in told if value),
        Command(("readlink", "--canonicalize-existing", device), expect=Expect.EQUALS, text=path),
    )

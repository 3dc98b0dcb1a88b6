"""Steps that turn a blank disk into a brick, each safe to repeat and guarded against a disk that is not blank.

Sizes are in bytes throughout. Devices are named by stable paths, never by kernel names.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Command, Expect, PutFile, Script
from heretic.domain.disks.space import CHUNK, DATA_ALIGNMENT, EXTENT
from heretic.domain.disks.units import BRICK_OPTIONS, device_unit, mount_unit, timeout_drop_in, unit_content
from heretic.domain.host.inventory import mapper_name
from heretic.domain.host.parse.lvm import ALL_DEVICES
from heretic.domain.host.profiles import THIN_PROFILE
from heretic.domain.plan import Risk, Step

POOL = "lvthinpool"
"""Name of the thin pool in each volume group, HVP's (domain §1.3)."""

GROWING = "heretic_growing"
"""Tag of a logical volume whose filesystem may not have grown with it yet."""

_QUIET = ("--noheadings",)
_BYTES = ("--units", "b", "--nosuffix")
UNITS = "/etc/systemd/system"


def _has_no_signature(device: str) -> tuple[Command, ...]:
    """Guards: neither wipefs nor blkid finds anything on the device itself, whatever udev believes.

    wipefs lists every signature, so it also tells where blkid gives up because there are several.
    """
    return (
        Command(("wipefs", "--no-act", device), expect=Expect.EMPTY),
        Command(("blkid", "-p", device), expect=Expect.FAILS),
    )


def _is_size(group: str, volume: str, column: str, size: int) -> Command:
    report = ("lvs", *_QUIET, *_BYTES, "-o", column, f"{group}/{volume}")
    return Command(report, expect=Expect.EQUALS, text=str(size))


def _is_source(mount_point: str, group: str, volume: str) -> Command:
    """Whether this volume, and no other, is mounted there."""
    return Command(
        ("findmnt", "--noheadings", "--output", "SOURCE", "--mountpoint", mount_point),
        expect=Expect.EQUALS,
        text=f"/dev/mapper/{mapper_name(group, volume)}",
    )


@dataclass(frozen=True, kw_only=True)
class PrepareDisk(Step):
    """Makes a volume group on a whole blank disk.

    One command makes the physical volume and the group, so that a crash cannot leave a labelled disk without a
    group. It never wipes: without ``--yes`` and without a terminal LVM itself refuses a disk with a signature.

    Attributes:
        disk: Stable id, as in the spec and in status.
        device: Absolute path by that or another stable id.
        group: Name of the volume group.
    """

    verb: ClassVar[str] = "PrepareDisk"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    disk: str
    device: str
    group: str

    def script(self) -> Script:
        """Guards of domain §4 rule 1, read on the host right before."""
        everything = ("--config", ALL_DEVICES)
        columns = ("lsblk", "--noheadings", "--list", "--output")
        return Script(
            done=(Command(("pvs", *_QUIET, "-o", "vg_name", self.device), expect=Expect.EQUALS, text=self.group),),
            guards=(
                *_has_no_signature(self.device),
                # Exactly one line: a partition, a multipath map or any other holder would be a second one.
                Command((*columns, "TYPE", self.device), expect=Expect.EQUALS, text="disk"),
                Command((*columns, "FSTYPE,PTTYPE,MOUNTPOINT", self.device), expect=Expect.EMPTY),
                Command(("pvs", *_QUIET, *everything, "-o", "pv_name", self.device), expect=Expect.FAILS),
                Command(("vgs", *_QUIET, *everything, "-o", "vg_name", self.group), expect=Expect.FAILS),
            ),
            actions=(
                Command(
                    (
                        "vgcreate",
                        *("--dataalignment", f"{DATA_ALIGNMENT}b"),
                        *("--physicalextentsize", f"{EXTENT}b"),
                        self.group,
                        self.device,
                    ),
                    timeout=60,
                ),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class CreateThinPool(Step):
    """Makes the thin pool of a volume group.

    Attributes:
        size: Of its data.
        metadata: Of its metadata volume; LVM keeps a spare of the same size.
    """

    verb: ClassVar[str] = "CreateThinPool"

    group: str
    size: int
    metadata: int

    def script(self) -> Script:
        """New chunks are not zeroed first (gdocs, formatting and mounting bricks): XFS never shows old content."""
        return Script(
            done=(
                Command(
                    ("lvs", *_QUIET, "-o", "segtype", f"{self.group}/{POOL}"),
                    expect=Expect.EQUALS,
                    text="thin-pool",
                ),
            ),
            actions=(
                Command(
                    (
                        *("lvcreate", "--type", "thin-pool", "--name", POOL),
                        *("--size", f"{self.size}b", "--poolmetadatasize", f"{self.metadata}b"),
                        *("--chunksize", f"{CHUNK}b", "--zero", "n"),
                        *("--metadataprofile", THIN_PROFILE, self.group),
                    ),
                    timeout=60,
                ),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ExtendThinPool(Step):
    """Lets a thin pool grow, its metadata first.

    Attributes:
        metadata: New size of the metadata volume, 0 = it stays.
        size: New size of the data.
    """

    verb: ClassVar[str] = "ExtendThinPool"

    group: str
    size: int
    metadata: int = 0

    def script(self) -> Script:
        """Extending never loses data; a pool that grew past the size meanwhile makes lvextend refuse."""
        name = f"{self.group}/{POOL}"
        grow = Command(("lvextend", "--size", f"{self.size}b", name), timeout=60)
        done = _is_size(self.group, POOL, "lv_size", self.size)
        if not self.metadata:
            return Script(done=(done,), actions=(grow,))
        first = Command(("lvextend", "--poolmetadatasize", f"{self.metadata}b", name), timeout=60)
        return Script(done=(done, _is_size(self.group, POOL, "lv_metadata_size", self.metadata)), actions=(first, grow))


@dataclass(frozen=True, kw_only=True)
class CreateLogicalVolume(Step):
    """Makes the logical volume of a brick.

    Attributes:
        size: Of a thick volume what it takes, of a thin one what it promises.
        thin: In the group's thin pool.
    """

    verb: ClassVar[str] = "CreateLogicalVolume"

    group: str
    name: str
    size: int
    thin: bool

    def script(self) -> Script:
        """A thick volume may be cut from space that an earlier one left; what that left is nobody's and is wiped.

        Only lvcreate can do that safely, in the moment in which the space turns from free into this volume's.
        """
        thin = ("--type", "thin", "--virtualsize", f"{self.size}b", "--thinpool", POOL)
        thick = ("--type", "linear", "--size", f"{self.size}b", "--wipesignatures", "y", "--yes")
        call = ("lvcreate", *(thin if self.thin else thick), "--name", self.name, self.group)
        return Script(
            done=(
                Command(
                    ("lvs", *_QUIET, "-o", "lv_name", f"{self.group}/{self.name}"),
                    expect=Expect.EQUALS,
                    text=self.name,
                ),
            ),
            actions=(Command(call, timeout=60),),
        )


@dataclass(frozen=True, kw_only=True)
class ActivateLogicalVolume(Step):
    """Makes the device of a logical volume appear."""

    verb: ClassVar[str] = "ActivateLogicalVolume"

    group: str
    name: str

    def script(self) -> Script:
        """Activates this one volume and what it needs."""
        name = f"{self.group}/{self.name}"
        return Script(
            done=(Command(("lvs", *_QUIET, "-o", "lv_active", name), expect=Expect.EQUALS, text="active"),),
            actions=(Command(("lvchange", "--activate", "y", name), timeout=60),),
        )


@dataclass(frozen=True, kw_only=True)
class MakeFilesystem(Step):
    """Makes an XFS filesystem on a logical volume that has no signature; never with ``-f``."""

    verb: ClassVar[str] = "MakeFilesystem"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    group: str
    name: str

    def script(self) -> Script:
        """Options for bricks of domain §2.8; without ``-f`` mkfs.xfs itself refuses what is not blank."""
        device = f"/dev/{self.group}/{self.name}"
        return Script(
            done=(Command(("blkid", "-p", "-s", "TYPE", "-o", "value", device), expect=Expect.EQUALS, text="xfs"),),
            guards=_has_no_signature(device),
            actions=(Command(("mkfs.xfs", "-K", "-i", "size=512", "-n", "size=8192", device), timeout=60),),
        )


@dataclass(frozen=True, kw_only=True)
class MountBrick(Step):
    """Mounts a brick's filesystem, now and at each boot.

    A mount unit of its own, and no line in /etc/fstab: a file that many write, and that keeps the host from
    booting when it is damaged. The unit has what ``nofail`` and ``x-systemd.device-timeout`` mean in fstab: the
    boot does not wait for it, and waits for its disk no longer than declared (domain §5 item 6).
    """

    verb: ClassVar[str] = "MountBrick"

    group: str
    name: str
    mount_point: str

    def script(self) -> Script:
        """Writes the unit, enables and starts it."""
        device = f"/dev/{self.group}/{self.name}"
        unit = mount_unit(self.mount_point)
        return Script(
            done=(
                _is_source(self.mount_point, self.group, self.name),
                Command(("systemctl", "is-enabled", unit), expect=Expect.EQUALS, text="enabled"),
            ),
            guards=(Command(("blkid", "-p", "-s", "TYPE", "-o", "value", device), expect=Expect.EQUALS, text="xfs"),),
            actions=(
                PutFile(f"{UNITS}/{device_unit(device)}.d/heretic.conf", timeout_drop_in()),
                PutFile(f"{UNITS}/{unit}", unit_content(device, self.mount_point, BRICK_OPTIONS)),
                Command(("systemctl", "daemon-reload"), timeout=60),
                Command(("systemctl", "enable", unit)),
                Command(("systemctl", "start", unit), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class GrowBrick(Step):
    """Lets a mounted brick grow: its logical volume, then the filesystem on it; nothing is interrupted.

    A tag on the volume says from before the first until after the second that the filesystem may be smaller than
    its volume, so that a crash in between is seen and finished.

    Attributes:
        size: New size of the logical volume.
        extend: Whether the volume itself still has to grow.
    """

    verb: ClassVar[str] = "GrowBrick"

    group: str
    name: str
    mount_point: str
    size: int
    extend: bool

    def script(self) -> Script:
        """Growing never loses data; lvextend refuses to make anything smaller."""
        volume = f"{self.group}/{self.name}"
        tagged = ("lvs", *_QUIET, "-o", "lv_name", "--select", f"lv_tags={{{GROWING}}}", volume)
        extend = Command(("lvextend", "--size", f"{self.size}b", volume), timeout=60)
        return Script(
            done=(_is_size(self.group, self.name, "lv_size", self.size), Command(tagged, expect=Expect.EMPTY)),
            guards=(_is_source(self.mount_point, self.group, self.name),),
            actions=(
                Command(("lvchange", "--addtag", GROWING, volume)),
                *((extend,) if self.extend else ()),
                Command(("xfs_growfs", "-d", self.mount_point), timeout=60),
                Command(("lvchange", "--deltag", GROWING, volume)),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class CreateBrickDirectory(Step):
    """Makes the brick's folder below its mount, never on the root filesystem.

    Attributes:
        path: Of the brick.
        labelled: Whether SELinux knows a label for bricks on this host.
    """

    verb: ClassVar[str] = "CreateBrickDirectory"

    group: str
    name: str
    mount_point: str
    path: str
    labelled: bool = field(default=False)

    def script(self) -> Script:
        """The guard makes sure that the filesystem is there.

        Its root is labelled before the folder is made, which inherits the label: so the folder's being there also
        says that the label is.
        """
        make = Command(("install", "-d", "-m", "0755", self.path))
        label = Command(("restorecon", self.mount_point))
        mounted = _is_source(self.mount_point, self.group, self.name)
        return Script(
            done=(mounted, Command(("test", "-d", self.path))),
            guards=(mounted,),
            actions=(label, make) if self.labelled else (make,),
        )

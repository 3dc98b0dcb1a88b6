"""Steps that turn a blank disk into a brick, each safe to repeat and guarded against a disk that is not blank.

Sizes are in bytes throughout. Devices are named by stable paths, never by kernel names.
"""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.disks import thin_profile
from heretic.domain.disks.proofs import (
    LISTED,
    QUIET,
    is_filesystem,
    is_group,
    is_logical_volume,
    is_planned_disk,
    is_size,
)
from heretic.domain.disks.space import CHUNK, DATA_ALIGNMENT, EXTENT
from heretic.domain.host.parse.lvm import ALL_DEVICES
from heretic.domain.plan import HostStep, Risk

POOL = "lvthinpool"
"""Name of the thin pool in each volume group, HVP's (rule:hvp-layout)."""

NEW = "heretic_new"
"""Tag that a logical volume gets in the moment in which it is made, until it has its filesystem: what lies on it then
is what its space held before it was a volume, and is nobody's."""

_READING = 40
"""Seconds for reading the places of a device that show whether it is blank."""


def proven_blank(device: str) -> Command:
    """Guard: wipefs and blkid looked and know of nothing, and what was read of the whole device is zero."""
    return Command(("@blank", device), timeout=_READING, expect=Expect.EMPTY)


def _tagged(tag: str, volume: str) -> tuple[str, ...]:
    """Prints the volume's name where it has the tag, and nothing where it has not."""
    return ("lvs", *QUIET, "-o", "lv_name", "--select", f"lv_tags={{{tag}}}", volume)


@dataclass(frozen=True, kw_only=True)
class PrepareDisk(HostStep):
    """Makes a volume group on a whole blank disk.

    One command makes the physical volume and the group, so that a crash cannot leave a labelled disk without a
    group. It never wipes: without ``--yes`` and without a terminal LVM itself refuses a disk with a signature.

    Attributes:
        disk: Stable id, as in the spec and in status.
        device: Absolute path by that or another stable id.
        path: The kernel's name of it at the look that this was planned from; LVM lists disks by it.
        group: Name of the volume group.
        tag: Says whose the group is, should the status that says so not be written any more.
        size: Bytes of the disk.
        wwn: Of the disk, "" = it has none.
        serial: Likewise.
    """

    verb: ClassVar[str] = "PrepareDisk"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    disk: str
    device: str
    path: str
    group: str
    tag: str
    size: int
    wwn: str = ""
    serial: str = ""

    def script(self) -> Script:
        """Guards of rule:blank-disk, read on the host right before."""
        everything = ("--config", ALL_DEVICES)
        return Script(
            done=(
                Command(("pvs", *QUIET, "-o", "vg_name", self.device), expect=Expect.EQUALS, text=self.group),
                Command(("vgs", *QUIET, "-o", "vg_tags", self.group), expect=Expect.EQUALS, text=self.tag),
            ),
            guards=(
                *is_planned_disk(self.device, self.path, size=self.size, wwn=self.wwn, serial=self.serial),
                proven_blank(self.device),
                # Exactly one line: a partition, a multipath map or any other holder would be a second one.
                Command((*LISTED, "TYPE", self.device), expect=Expect.EQUALS, text="disk"),
                Command((*LISTED, "FSTYPE,PTTYPE,MOUNTPOINT", self.device), expect=Expect.EMPTY),
                Command(("pvs", *QUIET, *everything, "-o", "pv_name"), expect=Expect.LACKS, text=self.path),
                Command(("vgs", *QUIET, *everything, "-o", "vg_name"), expect=Expect.LACKS, text=self.group),
            ),
            actions=(
                Command(
                    (
                        "vgcreate",
                        *("--dataalignment", f"{DATA_ALIGNMENT}b"),
                        *("--physicalextentsize", f"{EXTENT}b"),
                        *("--addtag", self.tag),
                        self.group,
                        self.device,
                    ),
                    timeout=60,
                ),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class CreateThinPool(HostStep):
    """Makes the thin pool of a volume group.

    Attributes:
        group: LVM volume group.
        group_uuid: LVM's UUID of it.
        size: Of its data.
        metadata: Of its metadata volume; LVM keeps a spare of the same size.
    """

    verb: ClassVar[str] = "CreateThinPool"

    group: str
    group_uuid: str
    size: int
    metadata: int

    def script(self) -> Script:
        """New chunks are not zeroed first (gdocs, formatting and mounting bricks): XFS never shows old content."""
        return Script(
            done=(
                Command(
                    ("lvs", *QUIET, "-o", "segtype", f"{self.group}/{POOL}"),
                    expect=Expect.EQUALS,
                    text="thin-pool",
                ),
            ),
            guards=(is_group(self.group, self.group_uuid),),
            actions=(
                Command(
                    (
                        *("lvcreate", "--type", "thin-pool", "--name", POOL),
                        *("--size", f"{self.size}b", "--poolmetadatasize", f"{self.metadata}b"),
                        *("--chunksize", f"{CHUNK}b", "--zero", "n"),
                        *("--metadataprofile", thin_profile.NAME, self.group),
                    ),
                    timeout=60,
                ),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ExtendThinPool(HostStep):
    """Lets a thin pool grow, its metadata first.

    Attributes:
        group: LVM volume group.
        group_uuid: LVM's UUID of it.
        metadata: New size of the metadata volume, 0 = it stays.
        size: New size of the data.
    """

    verb: ClassVar[str] = "ExtendThinPool"

    group: str
    group_uuid: str
    size: int
    metadata: int = 0

    def script(self) -> Script:
        """Extending never loses data; a pool that grew past the size meanwhile makes lvextend refuse."""
        name = f"{self.group}/{POOL}"
        grow = Command(("lvextend", "--size", f"{self.size}b", name), timeout=60)
        done = is_size(self.group, POOL, "lv_size", self.size)
        ours = (is_group(self.group, self.group_uuid),)
        if not self.metadata:
            return Script(done=(done,), guards=ours, actions=(grow,))
        first = Command(("lvextend", "--poolmetadatasize", f"{self.metadata}b", name), timeout=60)
        both = (done, is_size(self.group, POOL, "lv_metadata_size", self.metadata))
        return Script(done=both, guards=ours, actions=(first, grow))


@dataclass(frozen=True, kw_only=True)
class CreateLogicalVolume(HostStep):
    """Makes the logical volume of a brick.

    Attributes:
        group: LVM volume group.
        group_uuid: LVM's UUID of it.
        name: Of the volume.
        size: Of a thick volume what it takes, of a thin one what it promises.
        thin: In the group's thin pool.
    """

    verb: ClassVar[str] = "CreateLogicalVolume"

    group: str
    group_uuid: str
    name: str
    size: int
    thin: bool

    def script(self) -> Script:
        """A thick volume may be cut from space that an earlier one left; what that left is nobody's and is wiped.

        Only lvcreate can do that safely, in the moment in which the space turns from free into this volume's. The tag
        is made in that moment too, and so proves that the volume is new and ours.
        """
        thin = ("--type", "thin", "--virtualsize", f"{self.size}b", "--thinpool", POOL)
        thick = ("--type", "linear", "--size", f"{self.size}b", "--wipesignatures", "y", "--yes")
        call = ("lvcreate", *(thin if self.thin else thick), "--addtag", NEW, "--name", self.name, self.group)
        return Script(
            done=(
                Command(
                    ("lvs", *QUIET, "-o", "lv_name", f"{self.group}/{self.name}"),
                    expect=Expect.EQUALS,
                    text=self.name,
                ),
            ),
            guards=(is_group(self.group, self.group_uuid),),
            actions=(Command(call, timeout=60),),
        )


@dataclass(frozen=True, kw_only=True)
class ActivateLogicalVolume(HostStep):
    """Makes the device of a logical volume appear.

    Attributes:
        group: LVM volume group.
        name: Logical volume.
        volume_uuid: LVM's UUID of the volume.
    """

    verb: ClassVar[str] = "ActivateLogicalVolume"

    group: str
    name: str
    volume_uuid: str

    def script(self) -> Script:
        """Activates this one volume and what it needs."""
        name = f"{self.group}/{self.name}"
        return Script(
            done=(Command(("lvs", *QUIET, "-o", "lv_active", name), expect=Expect.EQUALS, text="active"),),
            guards=(is_logical_volume(self.group, self.name, self.volume_uuid),),
            actions=(Command(("lvchange", "--activate", "y", name), timeout=60),),
        )


@dataclass(frozen=True, kw_only=True)
class MakeFilesystem(HostStep):
    """Makes an XFS filesystem on a logical volume that is free for it; never with ``-f``.

    Its UUID is chosen beforehand, so that the steps after this one, and the next pass, know it for ours.

    Attributes:
        group: LVM volume group.
        group_uuid: LVM's UUID of it.
        name: Logical volume.
        volume_uuid: LVM's UUID of the volume, "" where the step before makes it.
        filesystem: UUID that the filesystem gets.
        new: Whether the volume carries the tag that only its making gave it. Then no tool may know of anything on it;
            any other volume must be proven blank, like a disk.
    """

    verb: ClassVar[str] = "MakeFilesystem"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    group: str
    group_uuid: str
    name: str
    volume_uuid: str
    filesystem: str
    new: bool

    def script(self) -> Script:
        """Options of rule:brick-format; without ``-f`` mkfs.xfs itself refuses what has a signature."""
        device, volume = f"/dev/{self.group}/{self.name}", f"{self.group}/{self.name}"
        same = (is_logical_volume(self.group, self.name, self.volume_uuid),) if self.volume_uuid else ()
        options = ("-K", "-m", f"uuid={self.filesystem}", "-i", "size=512", "-n", "size=8192")
        make = Command(("mkfs.xfs", *options, device), timeout=60)
        free: tuple[Command, ...] = (proven_blank(device),)
        forget: tuple[Command, ...] = ()
        untagged: tuple[Command, ...] = ()
        if self.new:
            free = (
                Command(_tagged(NEW, volume), expect=Expect.EQUALS, text=self.name),
                Command(("@unsigned", device), timeout=_READING, expect=Expect.EMPTY),
            )
            forget = (Command(("lvchange", "--deltag", NEW, volume)),)
            untagged = (Command(_tagged(NEW, volume), expect=Expect.EMPTY),)
        return Script(
            done=(
                Command(("blkid", "-p", "-s", "TYPE", "-o", "value", device), expect=Expect.EQUALS, text="xfs"),
                is_filesystem(device, self.filesystem),
                *untagged,
            ),
            guards=(is_group(self.group, self.group_uuid), *same, *free),
            actions=(make, *forget),
        )


@dataclass(frozen=True, kw_only=True)
class KeepFilesystem(HostStep):
    """Takes the tag of a new volume away once it has its filesystem, where a crash left it there.

    Attributes:
        group: LVM volume group.
        name: Logical volume.
        volume_uuid: LVM's UUID of the volume.
    """

    verb: ClassVar[str] = "KeepFilesystem"

    group: str
    name: str
    volume_uuid: str

    def script(self) -> Script:
        """With the tag, the volume would count as free the day its signature is lost."""
        volume = f"{self.group}/{self.name}"
        return Script(
            done=(Command(_tagged(NEW, volume), expect=Expect.EMPTY),),
            guards=(is_logical_volume(self.group, self.name, self.volume_uuid),),
            actions=(Command(("lvchange", "--deltag", NEW, volume)),),
        )

"""Steps that mount a brick's filesystem, let it grow, and make the folder that Gluster is given."""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Command, Expect, PutFile, Script
from heretic.domain.disks.proofs import QUIET, is_filesystem, is_logical_volume, is_size, is_source
from heretic.domain.disks.units import (
    BRICK_OPTIONS,
    UNITS,
    by_uuid,
    device_unit,
    mount_unit,
    timeout_drop_in,
    unit_content,
    unit_description,
)
from heretic.domain.plan import HostStep

GROWING = "heretic_growing"
"""Tag of a logical volume whose filesystem may not have grown with it yet."""


@dataclass(frozen=True, kw_only=True)
class MountBrick(HostStep):
    """Mounts a brick's filesystem, now and at each boot.

    A mount unit of its own, and no line in /etc/fstab: a file that many write, and that keeps the host from
    booting when it is damaged. The unit has what ``nofail`` and ``x-systemd.device-timeout`` mean in fstab: the
    boot does not wait for it, and waits for its disk no longer than declared (rule:nofail-mounts).

    Attributes:
        group: LVM volume group.
        name: Logical volume.
        mount_point: Where it is mounted.
        filesystem: UUID of the filesystem, by which it is mounted.
    """

    verb: ClassVar[str] = "MountBrick"

    group: str
    name: str
    mount_point: str
    filesystem: str

    def script(self) -> Script:
        """Writes the unit, enables and starts it; what is mounted already stays so.

        systemd unmounts what is bound to a device that it does not know, so udev must show the filesystem first.
        """
        device, link = f"/dev/{self.group}/{self.name}", by_uuid(self.filesystem)
        unit = mount_unit(self.mount_point)
        return Script(
            done=(
                *is_source(self.mount_point, self.group, self.name, self.filesystem),
                Command(("systemctl", "is-enabled", unit), expect=Expect.EQUALS, text="enabled"),
                Command(
                    ("systemctl", "show", "--property", "Description", "--value", unit),
                    expect=Expect.EQUALS,
                    text=unit_description(self.mount_point, self.filesystem),
                ),
            ),
            guards=(
                Command(("blkid", "-p", "-s", "TYPE", "-o", "value", device), expect=Expect.EQUALS, text="xfs"),
                is_filesystem(device, self.filesystem),
            ),
            actions=(
                Command(("udevadm", "trigger", "--settle", device)),
                Command(("test", link, "-ef", device)),
                PutFile(f"{UNITS}/{device_unit(link)}.d/heretic.conf", timeout_drop_in()),
                PutFile(f"{UNITS}/{unit}", unit_content(self.filesystem, self.mount_point, BRICK_OPTIONS)),
                # The version before waited for the logical volume by its name.
                Command(("rm", "-f", f"{UNITS}/{device_unit(device)}.d/heretic.conf")),
                Command(("systemctl", "daemon-reload"), timeout=60),
                Command(("systemctl", "reenable", unit)),
                Command(("systemctl", "start", unit), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class GrowBrick(HostStep):
    """Lets a mounted brick grow: its logical volume, then the filesystem on it; nothing is interrupted.

    A tag on the volume says from before the first until after the second that the filesystem may be smaller than
    its volume, so that a crash in between is seen and finished.

    Attributes:
        group: LVM volume group.
        name: Logical volume.
        volume_uuid: LVM's UUID of the volume.
        mount_point: Where it is mounted.
        filesystem: UUID of the filesystem.
        size: New size of the logical volume.
        extend: Whether the volume itself still has to grow.
    """

    verb: ClassVar[str] = "GrowBrick"

    group: str
    name: str
    volume_uuid: str
    mount_point: str
    filesystem: str
    size: int
    extend: bool

    def script(self) -> Script:
        """Growing never loses data; lvextend refuses to make anything smaller."""
        volume = f"{self.group}/{self.name}"
        tagged = ("lvs", *QUIET, "-o", "lv_name", "--select", f"lv_tags={{{GROWING}}}", volume)
        extend = Command(("lvextend", "--size", f"{self.size}b", volume), timeout=60)
        return Script(
            done=(is_size(self.group, self.name, "lv_size", self.size), Command(tagged, expect=Expect.EMPTY)),
            guards=(
                is_logical_volume(self.group, self.name, self.volume_uuid),
                *is_source(self.mount_point, self.group, self.name, self.filesystem),
            ),
            actions=(
                Command(("lvchange", "--addtag", GROWING, volume)),
                *((extend,) if self.extend else ()),
                Command(("xfs_growfs", "-d", self.mount_point), timeout=60),
                Command(("lvchange", "--deltag", GROWING, volume)),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class CreateBrickDirectory(HostStep):
    """Makes the brick's folder below its mount, never on the root filesystem.

    Attributes:
        group: LVM volume group.
        name: Logical volume.
        mount_point: Where it is mounted.
        filesystem: UUID of the filesystem.
        path: Of the brick.
        labelled: Whether SELinux knows a label for bricks on this host.
    """

    verb: ClassVar[str] = "CreateBrickDirectory"

    group: str
    name: str
    mount_point: str
    filesystem: str
    path: str
    labelled: bool = field(default=False)

    def script(self) -> Script:
        """The guard makes sure that the filesystem is there.

        Its root is labelled before the folder is made, which inherits the label: so the folder's being there also
        says that the label is.
        """
        make = Command(("install", "-d", "-m", "0755", self.path))
        label = Command(("restorecon", self.mount_point))
        mounted = is_source(self.mount_point, self.group, self.name, self.filesystem)
        return Script(
            done=(*mounted, Command(("test", "-d", self.path))),
            guards=mounted,
            actions=(label, make) if self.labelled else (make,),
        )

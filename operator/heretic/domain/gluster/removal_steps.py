"""What takes a deleted volume's bricks from a host; nothing else does."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.disks.units import UNITS, by_uuid, device_unit, mount_unit
from heretic.domain.gluster.command import local
from heretic.domain.plan import Risk, Step


def _volume_is_gone(volume: str) -> tuple[Command, ...]:
    """Together they hold when glusterd answers and knows no such volume."""
    return (
        Command(local("volume", "list")),
        Command(local("volume", "info", volume), expect=Expect.FAILS),
    )


def _not_mounted(mount_point: str) -> Command:
    return Command(("findmnt", "--noheadings", "--mountpoint", mount_point), expect=Expect.FAILS)


@dataclass(frozen=True, kw_only=True)
class UnmountBrick(Step):
    """Unmounts the brick of a deleted volume, now and for the next boot.

    Attributes:
        volume: Name of the Gluster volume that was deleted.
        group: LVM volume group.
        name: Logical volume.
        mount_point: Where it is mounted.
        filesystem: UUID of the filesystem.
    """

    verb: ClassVar[str] = "UnmountBrick"

    volume: str
    group: str
    name: str
    mount_point: str
    filesystem: str

    def script(self) -> Script:
        """Done when nothing is mounted there and no unit would mount it again."""
        unit = mount_unit(self.mount_point)
        devices = (by_uuid(self.filesystem), f"/dev/{self.group}/{self.name}")
        drop_ins = tuple(f"{UNITS}/{device_unit(device)}.d/heretic.conf" for device in devices)
        return Script(
            done=(
                _not_mounted(self.mount_point),
                Command(("test", "-e", f"{UNITS}/{unit}"), expect=Expect.FAILS),
            ),
            guards=_volume_is_gone(self.volume),
            actions=(
                Command(("systemctl", "disable", "--now", unit), timeout=60),
                Command(("rm", "-f", *drop_ins, f"{UNITS}/{unit}")),
                Command(("systemctl", "daemon-reload"), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class RemoveLogicalVolume(Step):
    """Gives the space of a deleted volume's brick back, with everything that was on it.

    Attributes:
        volume: Name of the Gluster volume that was deleted.
        group: LVM volume group.
        name: Logical volume.
        mount_point: Where it was mounted.
    """

    verb: ClassVar[str] = "RemoveLogicalVolume"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    volume: str
    group: str
    name: str
    mount_point: str

    def script(self) -> Script:
        """Done when LVM knows the group and no such volume in it."""
        return Script(
            done=(
                Command(("vgs", "--noheadings", "-o", "vg_name", self.group), expect=Expect.EQUALS, text=self.group),
                Command(("lvs", "--noheadings", "-o", "lv_name", f"{self.group}/{self.name}"), expect=Expect.FAILS),
            ),
            guards=(*_volume_is_gone(self.volume), _not_mounted(self.mount_point)),
            actions=(Command(("lvremove", "--yes", f"{self.group}/{self.name}"), timeout=60),),
        )

"""What takes a deleted volume's bricks from a host; nothing else does.

A brick's logical volume is removed only when it was seen, mounted, that it holds this volume's brick. What was seen is
noted on the logical volume itself before it is unmounted, so that a removal that was cut off can be finished.
"""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.disks.proofs import QUIET, is_free, is_logical_volume, is_source
from heretic.domain.disks.units import UNITS, by_uuid, device_unit, mount_unit
from heretic.domain.gluster.proofs import (
    holds_brick,
    is_gone,
    is_mounted_nowhere,
    is_released,
    removal_tag,
)
from heretic.domain.plan import HostStep, Risk


@dataclass(frozen=True, kw_only=True)
class UnmountBrick(HostStep):
    """Unmounts the brick of a deleted volume, now and for the next boot, and notes whose it was.

    Attributes:
        volume: Name of the Gluster volume that was deleted.
        volume_id: Gluster's id of it.
        group: LVM volume group.
        name: Logical volume.
        volume_uuid: LVM's UUID of it.
        filesystem: UUID of the filesystem on it.
        mount_point: Where it is mounted.
        path: Of the brick.
    """

    verb: ClassVar[str] = "UnmountBrick"

    volume: str
    volume_id: str
    group: str
    name: str
    volume_uuid: str
    filesystem: str
    mount_point: str
    path: str

    def script(self) -> Script:
        """Done when nothing is mounted there and the volume is noted as this one's."""
        unit = mount_unit(self.mount_point)
        return Script(
            done=(
                is_free(self.mount_point),
                Command(("test", "!", "-e", f"{UNITS}/{unit}")),
                is_released(self.group, self.name, self.volume_uuid, self.volume_id),
            ),
            guards=(
                is_gone(self.volume),
                is_logical_volume(self.group, self.name, self.volume_uuid),
                *is_source(self.mount_point, self.group, self.name, self.filesystem),
                holds_brick(self.path, self.volume_id),
            ),
            actions=(
                Command(("lvchange", "--addtag", removal_tag(self.volume_id), f"{self.group}/{self.name}")),
                Command(("systemctl", "disable", "--now", unit), timeout=60),
                Command(("rm", "-f", *_files(self.mount_point, self.filesystem, self.group, self.name))),
                Command(("systemctl", "daemon-reload"), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ForgetMount(HostStep):
    """Removes the unit that would mount a brick of a deleted volume, where nothing is mounted any more.

    Attributes:
        volume: Name of the Gluster volume that was deleted.
        group: LVM volume group.
        name: Logical volume.
        filesystem: UUID of the filesystem.
        mount_point: Where it was mounted.
    """

    verb: ClassVar[str] = "ForgetMount"

    volume: str
    group: str
    name: str
    filesystem: str
    mount_point: str

    def script(self) -> Script:
        """Done when there is no such unit."""
        unit = mount_unit(self.mount_point)
        return Script(
            done=(Command(("test", "!", "-e", f"{UNITS}/{unit}")),),
            guards=(is_gone(self.volume), is_free(self.mount_point)),
            actions=(
                Command(("systemctl", "disable", "--now", unit), timeout=60),
                Command(("rm", "-f", *_files(self.mount_point, self.filesystem, self.group, self.name))),
                Command(("systemctl", "daemon-reload"), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class RemoveLogicalVolume(HostStep):
    """Gives the space of a deleted volume's brick back, with everything that was on it.

    Attributes:
        volume: Name of the Gluster volume that was deleted.
        volume_id: Gluster's id of it.
        group: LVM volume group.
        name: Logical volume.
        volume_uuid: LVM's UUID of it.
    """

    verb: ClassVar[str] = "RemoveLogicalVolume"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    volume: str
    volume_id: str
    group: str
    name: str
    volume_uuid: str

    def script(self) -> Script:
        """Done when LVM lists the volumes of the group and no such one is among them."""
        return Script(
            done=(Command(("lvs", *QUIET, "-o", "lv_name", self.group), expect=Expect.LACKS, text=self.name),),
            guards=(
                is_gone(self.volume),
                is_released(self.group, self.name, self.volume_uuid, self.volume_id),
                is_mounted_nowhere(self.group, self.name),
            ),
            actions=(Command(("lvremove", "--yes", f"{self.group}/{self.name}"), timeout=60),),
        )


def _files(mount_point: str, filesystem: str, group: str, name: str) -> tuple[str, ...]:
    """The mount's unit and the time limits of its device, by the filesystem's UUID and by the volume's name."""
    devices = (by_uuid(filesystem), f"/dev/{group}/{name}")
    return (f"{UNITS}/{mount_unit(mount_point)}", *(f"{UNITS}/{device_unit(d)}.d/heretic.conf" for d in devices))

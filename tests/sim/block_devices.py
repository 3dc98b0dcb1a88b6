"""Simulated disks, logical volumes and filesystems: the storage of one host, without the tools that look at it."""

import uuid
from dataclasses import dataclass, field
from itertools import count

from heretic.domain.commands import Output
from sim.machine import OK, failed

GIB = 2**30
MIB = 2**20


def lvm_uuid() -> str:
    """A new UUID in LVM's form."""
    text = uuid.uuid4().hex
    return "-".join((text[:6], text[6:10], text[10:14], text[14:18], text[18:22], text[22:26], text[26:32]))


@dataclass
class Folder:
    """A brick's folder.

    Attributes:
        volume_id: The trusted.glusterfs.volume-id attribute as a UUID, "" = none.
        entries: How many names it holds.
    """

    volume_id: str = ""
    entries: int = 0


@dataclass
class Filesystem:
    """Content of a filesystem, which survives being unmounted.

    Attributes:
        kind: xfs, ext4, …
        size: Bytes, of the volume when it was made or last grown.
        folders: Folders by path relative to its root.
        uuid: Its UUID.
    """

    kind: str
    size: int = 0
    folders: dict[str, Folder] = field(default_factory=dict)
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class SimDisk:
    """One whole disk.

    Attributes:
        signature: What is on it, as wipefs names it: ext4, gpt, linux_raid_member, …; "" = blank.
        mounted: Where the whole disk is mounted.
        holders: Names of devices stacked on it that are not LVM's.
        group: LVM volume group that has it.
        pv_uuid: Of its LVM label, "" = none.
        links: Names below by-id and by-path, as "by-id/NAME"; made from wwn and serial when empty.
        sector: Logical, bytes.
        content: Bytes at which something lies that no tool knows a signature of.
        bad: Byte at which it cannot be read; None where all of it can.
        claimed: Whether somebody has it who shows nowhere: a mount of another namespace, ZFS, a virtual machine.
        sequence: The kernel's number of it, another one each time that it is plugged in; 0 = the kernel gives none.
    """

    name: str
    size: int = 200 * GIB
    rotational: bool = True
    transport: str = "sata"
    wwn: str = ""
    serial: str = ""
    model: str = "SIM-DISK"
    signature: str = ""
    mounted: str = ""
    holders: tuple[str, ...] = ()
    group: str = ""
    pv_uuid: str = ""
    links: tuple[str, ...] = ()
    sector: int = 512
    removable: bool = False
    read_only: bool = False
    content: tuple[int, ...] = ()
    bad: int | None = None
    claimed: bool = False
    sequence: int = field(default_factory=count(1).__next__)

    def __post_init__(self) -> None:
        if not self.links:
            names = [f"by-id/wwn-{self.wwn}"] if self.wwn else []
            names += [f"by-id/{self.transport or 'scsi'}-{self.model}_{self.serial}"] if self.serial else []
            self.links = (*names, f"by-path/pci-0000:00:01.0-{self.name}")

    @property
    def path(self) -> str:
        return f"/dev/{self.name}"


@dataclass
class SimVolume:
    """One logical volume.

    Attributes:
        shown: Columns as LVM prints them instead of what follows from the rest: letters of a pool in need, a cache.
    """

    group: str
    name: str
    size: int
    pool: str = ""
    is_pool: bool = False
    metadata: int = 0
    active: bool = True
    filesystem: Filesystem | None = None
    tags: set[str] = field(default_factory=set)
    uuid: str = field(default_factory=lvm_uuid)
    shown: dict[str, str] = field(default_factory=dict)
    content: tuple[int, ...] = ()

    @property
    def mapper(self) -> str:
        return f"{self.group.replace('-', '--')}-{self.name.replace('-', '--')}"

    @property
    def paths(self) -> tuple[str, ...]:
        return (f"/dev/mapper/{self.mapper}", f"/dev/{self.group}/{self.name}")


@dataclass
class SimGroup:
    """One volume group on one disk."""

    name: str
    disk: str
    size: int
    extent: int = 4 * MIB
    spare: int = 0
    uuid: str = field(default_factory=lvm_uuid)
    tags: set[str] = field(default_factory=set)


@dataclass
class StorageState:
    """What there is of storage on one host, and what is mounted.

    Attributes:
        disks: By kernel name, the system disk among them.
        mounts: Volumes by mount point, in the order in which they were mounted.
        on_root: Folders of bricks on the root filesystem, which a mount over them hides, by path.
        clients: What is mounted of Gluster's volumes ("host:/volume"), by mount point.
        root_read_only: Whether the kernel has remounted the root filesystem.
        free: Bytes free on / and /var.
        formatted: Devices that mkfs made something on, in order.
    """

    disks: dict[str, SimDisk]
    groups: dict[str, SimGroup] = field(default_factory=dict)
    volumes: dict[tuple[str, str], SimVolume] = field(default_factory=dict)
    mounts: dict[str, SimVolume] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)
    on_root: dict[str, Folder] = field(default_factory=dict)
    root_read_only: bool = False
    free: int = 20 * GIB
    formatted: list[str] = field(default_factory=list)

    def disk(self, device: str) -> SimDisk | None:
        """The disk behind a kernel path or a link in /dev/disk."""
        link = device.removeprefix("/dev/disk/")
        return next((d for d in self.disks.values() if d.path == device or link in d.links), None)

    def volume(self, device: str) -> SimVolume | None:
        """The active volume behind a device path, or behind the UUID of its filesystem."""
        identity = device.removeprefix("/dev/disk/by-uuid/") if device.startswith("/dev/disk/by-uuid/") else None
        active = [v for v in self.volumes.values() if v.active]
        if identity is not None:
            return next((v for v in active if v.filesystem and v.filesystem.uuid == identity), None)
        return next((v for v in active if device in v.paths), None)

    def folder(self, path: str) -> Folder | None:
        """The folder that one sees at a path on a mounted brick filesystem."""
        for target, volume in self.mounts.items():
            if path.startswith(f"{target}/") and volume.filesystem:
                return volume.filesystem.folders.get(path.removeprefix(f"{target}/"))
        return self.on_root.get(path)

    def mount(self, device: str, target: str) -> Output:
        """Mounts a volume."""
        volume = self.volume(device)
        if volume is None:
            return failed(f"mount: {target}: special device {device} does not exist.", 32)
        if volume.filesystem is None or volume.filesystem.kind != "xfs":
            return failed(f"mount: {target}: wrong fs type, bad option, bad superblock on {device}.", 32)
        self.mounts[target] = volume
        return OK

    def unmounted(self) -> None:
        """What a reboot does."""
        self.mounts.clear()

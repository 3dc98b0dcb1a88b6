"""The tools that look at simulated disks and filesystems: lsblk, wipefs, blkid, findmnt, mkfs.xfs.

One Storage object is the state of one host's storage; LVM's part of the tools is in lvm_tools.py. Every tool answers
in the real format and refuses what it was not told (None), so that a wrong argv cannot pass unseen.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from heretic.domain.commands import Output
from sim.block_devices import Filesystem, SimDisk, SimVolume, StorageState
from sim.machine import OK, Argv, Machine, failed, ok

BLKID_NOTHING = Output(2, "", "")
PARTITION_TABLES = ("gpt", "dos")
_BLANK = dict.fromkeys(("fstype", "pttype", "mountpoint", "serial", "wwn", "tran", "model", "uuid"))
"""What lsblk tells of a device with nothing on it and nobody's name."""


@dataclass
class Storage(StorageState):
    """The storage of one host, with its tools."""

    def lsblk(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-J", "-b", "-o", columns):
                devices = [self._tree(d, columns.lower().split(",")) for d in self.disks.values()]
                return ok(json.dumps({"blockdevices": devices}, indent=3))
            case (
                "--noheadings",
                "--nodeps",
                "--bytes",
                "--list",
                "--output",
                ("WWN" | "SERIAL" | "SIZE") as column,
                device,
            ):
                disk = self.disk(device)
                if disk is None:
                    return failed(f"lsblk: {device}: not a block device", 32)
                return ok(f"{self._tree(disk, [column.lower()])[column.lower()] or ''}\n")
            case ("--noheadings", "--list", "--output", columns, device):
                disk = self.disk(device)
                if disk is None:
                    return failed(f"lsblk: {device}: not a block device", 32)
                rows = _flat(self._tree(disk, columns.lower().split(",")))
                lines = [" ".join(str(row[c] or "") for c in columns.lower().split(",")) for row in rows]
                return ok("".join(f"{line}\n" for line in lines))
        return None

    def _tree(self, disk: SimDisk, columns: list[str]) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": disk.name,
            "path": disk.path,
            "size": disk.size,
            "type": "disk",
            "rota": disk.rotational,
            "fstype": disk.signature if disk.signature not in (*PARTITION_TABLES, "") else None,
            "pttype": disk.signature if disk.signature in PARTITION_TABLES else None,
            "mountpoint": disk.mounted or None,
            "serial": disk.serial or None,
            "wwn": disk.wwn or None,
            "tran": disk.transport or None,
            "log-sec": disk.sector,
            "ro": disk.read_only,
            "rm": disk.removable,
            "model": disk.model,
            "uuid": disk.pv_uuid or None,
        }
        children = [self._child(v, row) for v in self.volumes.values() if v.group == disk.group and v.active]
        children += [row | _BLANK | {"name": h, "path": f"/dev/{h}", "type": "raid1"} for h in disk.holders]
        shown = {c: row[c] for c in columns}
        return shown | ({"children": [{c: child[c] for c in columns} for child in children]} if children else {})

    def _child(self, volume: SimVolume, parent: dict[str, Any]) -> dict[str, Any]:
        targets = [t for t, v in self.mounts.items() if v is volume]
        own = {
            "name": volume.mapper,
            "path": volume.paths[0],
            "size": volume.size,
            "type": "lvm",
            "fstype": volume.filesystem.kind if volume.filesystem else None,
            "pttype": None,
            "mountpoint": targets[-1] if targets else None,
            "serial": None,
            "wwn": None,
            "tran": None,
            "rm": False,
            "model": None,
            "uuid": volume.filesystem.uuid if volume.filesystem else None,
        }
        return parent | own

    def links(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        lines = [f"{link} {disk.path}\n" for disk in self.disks.values() for link in disk.links]
        lines += [f"by-id/lvm-pv-uuid-{d.pv_uuid} {d.path}\n" for d in self.disks.values() if d.pv_uuid]
        return ok("".join(lines))

    def sequence(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        return ok("".join(f"{d.name.replace('/', '!')} {d.sequence}\n" for d in self.disks.values() if d.sequence))

    def readlink(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("--canonicalize-existing", device):
                disk = self.disk(device)
                return ok(f"{disk.path}\n") if disk else Output(1, "", "")
        return None

    def signatures(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        lines: list[str] = []
        for disk in self.disks.values():
            holders = list(disk.holders)
            volumes = sum(v.group == disk.group and v.active for v in self.volumes.values())
            holders += [f"dm-{n}" for n in range(volumes)]
            lines += [f"disk {disk.path}", *(f"holder {h}" for h in holders)]
            lines += _looked_at(disk.signature, disk.content, disk.bad, disk.size)
        return ok("".join(f"{line}\n" for line in lines))

    def bricks(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        lines = [
            f"{target}/{path} {int(folder.entries == 0)} {folder.volume_id.replace('-', '') or '-'}\n"
            for target, volume in self.mounts.items()
            if volume.filesystem and target.startswith("/gluster_bricks/")
            for path, folder in volume.filesystem.folders.items()
        ]
        lines += [
            f"{path} {int(folder.entries == 0)} {folder.volume_id.replace('-', '') or '-'}\n"
            for path, folder in self.on_root.items()
            if not any(path.startswith(f"{target}/") for target in self.mounts)
        ]
        return ok("".join(lines))

    def wipefs(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("--no-act", device):
                signature = self._signature(device)
                if signature is None:
                    return failed(f"wipefs: error: {device}: probing initialization failed: No such file or directory")
                text = f"DEVICE OFFSET TYPE UUID LABEL\n{device} 0x0 {signature}\n" if signature else ""
                return ok(text)
        return None

    def blkid(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-p", device):
                signature = self._signature(device)
                if signature is None:
                    return failed(f"blkid: error: {device}: No such file or directory", 2)
                return ok(f'{device}: TYPE="{signature}" USAGE="filesystem"\n') if signature else BLKID_NOTHING
            case ("-p", "-s", "TYPE", "-o", "value", device):
                signature = self._signature(device)
                return ok(f"{signature}\n") if signature else BLKID_NOTHING
            case ("-p", "-s", "UUID", "-o", "value", device):
                volume = self.volume(device)
                identity = volume.filesystem.uuid if volume and volume.filesystem else ""
                return ok(f"{identity}\n") if identity else BLKID_NOTHING
        return None

    def _signature(self, device: str) -> str | None:
        """What is on a device, "" = blank; None when there is no such device."""
        if disk := self.disk(device):
            return disk.signature
        if volume := self.volume(device):
            return volume.filesystem.kind if volume.filesystem else ""
        return None

    def blank(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """``@blank`` and ``@unsigned``."""
        program, device = argv
        place = self.disk(device) or self.volume(device)
        if place is None:
            return failed(f"lsblk: {device}: not a block device", 2)
        signature = self._signature(device) or ""
        lines = _looked_at(signature, place.content, getattr(place, "bad", None), place.size)
        good = {"wipefs 0", "blkid 2", f"zero {place.size}"}
        return ok(
            "".join(
                f"{line}\n"
                for line in lines
                if line not in good
                and line[:2] != "w "
                and not (program == "@unsigned" and line.startswith("content "))
            )
        )

    def found(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """``@found``."""
        (disk,) = (self.disk(device) for device in argv[1:])
        if disk is None:
            return failed(f"lsblk: {argv[1]}: not a block device", 2)
        lines = _looked_at(disk.signature, disk.content, disk.bad, disk.size)
        return ok("".join(f"{line}\n" for line in lines))

    def held(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """``@held``."""
        (disk,) = (self.disk(device) for device in argv[1:])
        if disk is None:
            return failed(f"lsblk: {argv[1]}: not a block device", 2)
        return self._busy(disk) or OK

    def _busy(self, disk: SimDisk) -> Output | None:
        """What wipefs says of a disk that somebody has; None where nobody has."""
        active = any(v.group == disk.group and v.active for v in self.volumes.values())
        if disk.mounted or disk.holders or disk.claimed or active:
            return failed(f"wipefs: error: {disk.path}: probing initialization failed: Device or resource busy")
        return None

    def erase(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """``@erase``."""
        (disk,) = (self.disk(device) for device in argv[1:])
        if disk is None:
            return failed(f"lsblk: {argv[1]}: not a block device", 2)
        if (busy := self._busy(disk)) is not None:
            return busy
        if disk.bad is not None:
            return failed("pwrite: Input/output error")
        self.groups = {name: group for name, group in self.groups.items() if group.disk != disk.name}
        self.volumes = {key: volume for key, volume in self.volumes.items() if volume.group != disk.group}
        disk.signature, disk.content, disk.group, disk.pv_uuid = "", (), "", ""
        return OK

    def mkfs(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-K", "-m", identity, "-i", "size=512", "-n", "size=8192", device):
                if not identity.startswith("uuid="):
                    return None
                volume = self.volume(device)
                if volume is None:
                    return failed(f"Error accessing specified device {device}: No such file or directory")
                if volume.filesystem is not None:
                    kind = volume.filesystem.kind
                    return failed(f"mkfs.xfs: {device} appears to contain an existing filesystem ({kind}).")
                volume.filesystem = Filesystem("xfs", volume.size, uuid=str(uuid.UUID(identity.removeprefix("uuid="))))
                self.formatted.append(device)
                return ok(f"meta-data={device} isize=512\n")
        return None

    def udevadm(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("trigger", "--settle", device):
                return OK if self.volume(device) else failed(f"Failed to open the device '{device}'")
        return None

    def growfs(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-d", target):
                volume = self.mounts.get(target)
                if volume is None or volume.filesystem is None:
                    return failed(f"xfs_growfs: {target} is not a mounted XFS filesystem")
                volume.filesystem.size = volume.size
                return ok("data blocks changed\n")
        return None

    def findmnt(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-J", "--list", "-o", "TARGET,SOURCE,FSTYPE,OPTIONS"):
                root = {"target": "/", "source": "/dev/sda", "fstype": "ext4", "options": self._root_options()}
                rows = [root, *(self._mount_row(t, v) for t, v in self.mounts.items())]
                rows += [
                    {"target": target, "source": source, "fstype": "fuse.glusterfs", "options": "rw"}
                    for target, source in self.clients.items()
                ]
                return ok(json.dumps({"filesystems": rows}, indent=3))
            case ("--noheadings", "--output", "SOURCE", "--mountpoint", target):
                volume = self.mounts.get(target)
                return ok(f"{volume.paths[0]}\n") if volume else Output(1, "", "")
            case ("--raw", "--noheadings", "--output", columns):
                found = [("/", "/dev/sda", "ext4"), *((t, v.paths[0], "xfs") for t, v in self.mounts.items())]
                found += [(target, source, "fuse.glusterfs") for target, source in self.clients.items()]
                place = {"TARGET": 0, "SOURCE": 1, "FSTYPE": 2}
                return ok("".join(" ".join(r[place[c]] for c in columns.split(",")) + "\n" for r in found))
        return None

    def getfattr(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("--absolute-names", "-h", "-e", "hex", "-n", "trusted.glusterfs.volume-id" as name, path):
                folder = self.folder(path)
                if folder is None:
                    return failed(f"getfattr: {path}: No such file or directory")
                if not folder.volume_id:
                    return failed(f"{path}: {name}: No such attribute")
                return ok(f"# file: {path}\n{name}=0x{folder.volume_id.replace('-', '')}\n\n")
        return None

    def _root_options(self) -> str:
        return f"{'ro' if self.root_read_only else 'rw'},relatime,errors=remount-ro"

    def _mount_row(self, target: str, volume: SimVolume) -> dict[str, str]:
        options = "rw,noatime,nodiratime,attr2,inode64,noquota"
        return {"target": target, "source": volume.paths[0], "fstype": "xfs", "options": options}


def _flat(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [row, *(flat for child in row.get("children", []) for flat in _flat(child))]


def _looked_at(signature: str, content: tuple[int, ...], bad: int | None, size: int) -> list[str]:
    """What the function ``look`` of reading.sh prints of a device."""
    found = {"offset": "0x0", "type": signature, "uuid": None, "label": None}
    report = json.dumps({"signatures": [found] if signature else []}, indent=3)
    lines = ["wipefs 0", *(f"w {line}" for line in report.splitlines())]
    if signature:
        key = "PTTYPE" if signature in PARTITION_TABLES else "TYPE"
        return [*lines, "blkid 0", "b DEVNAME=/dev/x", f"b {key}={signature}"]
    lines.append("blkid 2")
    if bad is not None:
        lines.append(f"error {bad} Input/output error")
    if content:
        lines.append(f"content {min(content)}")
    return lines if content or bad is not None else [*lines, f"zero {size}"]

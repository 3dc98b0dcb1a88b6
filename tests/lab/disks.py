"""A node's data disks, seen from outside the machine: making them, and telling whether anything has touched them."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from lab import contents
from lab.shell import run
from lab.spec import MIB, DiskSpec

_BLOCK = 64 << 10
_NEW = "new"
_SECTOR = 512
_EIO = 5

Part = Literal["head", "tail", "everywhere"]
"""Of a disk: its first MiB, its last one, or all of it."""


class Nature(BaseModel):
    """What a disk is wherever it sits; kept beside its image, and moved with it.

    Attributes:
        home: The node that it was made for, 0 = for several.
        slot: The name that it had there.
        unreadable: Its parts that cannot be read.
    """

    model_config = ConfigDict(frozen=True)

    home: int
    slot: str
    unreadable: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Disk:
    """One data disk of one node: the place for it, and what sits there now."""

    spec: DiskSpec
    node: int
    file: Path

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def place(self) -> tuple[int, str]:
        """Whose disk this is when everything is in its place: home and slot."""
        return (0 if self.spec.shared else self.node, self.name)

    @property
    def format(self) -> str:
        """Of the image: two machines cannot have the same qcow2 file open."""
        return "raw" if self.spec.shared else "qcow2"

    @property
    def nature_file(self) -> Path:
        return self.file.with_suffix(".json")

    @property
    def nature(self) -> Nature:
        """Of the disk that sits there now."""
        try:
            return Nature.model_validate_json(self.nature_file.read_text())
        except FileNotFoundError:
            home, slot = self.place
            return Nature(home=home, slot=slot)

    def become(self, nature: Nature) -> None:
        """Write the nature of the disk that sits there down."""
        self.nature_file.write_text(nature.model_dump_json())

    @property
    def serial(self) -> str | None:
        nature = self.nature
        return f"LAB{nature.home}{nature.slot.upper()}" if self.spec.has_id else None

    @property
    def wwn(self) -> int | None:
        """The World Wide Name, which only SCSI disks have here."""
        if self.spec.bus != "scsi" or not self.spec.has_id:
            return None
        nature = self.nature
        digest = hashlib.sha256(f"node{nature.home}/{nature.slot}".encode()).digest()
        return 0x5000C500 << 32 | int.from_bytes(digest[:4], "big")

    @property
    def by_id(self) -> str | None:
        """The disk's name that is the same at every boot, in the guest."""
        if self.serial is None:
            return None
        match self.spec.bus:
            case "scsi":
                return f"/dev/disk/by-id/wwn-0x{self.wwn:016x}"
            case "nvme":
                return f"/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{self.serial}"
            case "virtio":
                return f"/dev/disk/by-id/virtio-{self.serial}"

    def create(self) -> None:
        """Make the image file, with its foreign contents; a half-made one is never seen."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        raw = part if self.spec.shared else self.file.with_suffix(".filled")
        with raw.open("wb") as file:
            file.truncate(self.spec.bytes)
        if self.spec.contents is not None:
            contents.write(raw, self.spec.contents, sector=self.spec.sector)
        if not self.spec.shared:
            run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, part])
            raw.unlink()
            run(["qemu-img", "snapshot", "-c", _NEW, part])
        part.rename(self.file)

    def renew(self) -> None:
        """Make it again what it was when it was created; the machine must be off."""
        self.nature_file.unlink(missing_ok=True)
        if self.spec.shared:
            self.create()
        else:
            run(["qemu-img", "snapshot", "-a", _NEW, self.file])

    @property
    def image_node(self) -> str:
        """QEMU's name of the image, below what makes parts of it unreadable."""
        return f"{self.name}-image" if self.nature.unreadable else self.name

    def blocks(self) -> list[dict[str, Any]]:
        """QEMU's block devices for it, the lowest first; the last one is named as the disk."""
        nature = self.nature
        image = {
            "driver": self.format,
            "node-name": self.image_node,
            "discard": "unmap",
            # What the guest flushes survives QEMU's death, not this machine's: that is all a lab needs.
            "cache": {"no-flush": True},
            "file": {"driver": "file", "filename": str(self.file)},
        }
        if not nature.unreadable:
            return [image]
        rules = [{"event": "none", "iotype": "read", "errno": _EIO, **at} for at in self._unreadable(nature)]
        damaged = {"driver": "blkdebug", "node-name": self.name, "discard": "unmap", "image": self.image_node}
        return [image, {**damaged, "inject-error": rules}]

    def _unreadable(self, nature: Nature) -> Iterator[dict[str, int]]:
        """A rule strikes reads that touch its one sector, or all of them."""
        if "everywhere" in nature.unreadable:
            yield {}
            return
        for part in nature.unreadable:
            first = 0 if part == "head" else self.spec.bytes - MIB
            yield from ({"sector": (first + offset) // _SECTOR} for offset in range(0, MIB, _SECTOR))

    def checksum(self, *, in_use: bool) -> str:
        """A hash of every byte that the guest can read, whatever the image file looks like inside.

        Blocks of zeros count as never written, so that 120 GiB of mostly nothing takes a second. `in_use`: QEMU has the
        file open, and the caller has paused it.
        """
        raw = self.file.with_suffix(".checksum")
        try:
            shared = ["--force-share"] if in_use else []
            run(["qemu-img", "convert", *shared, "-f", self.format, "-O", "raw", self.file, raw])
            return _hash_sparse(raw)
        finally:
            raw.unlink(missing_ok=True)


def _hash_sparse(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest.update(f"{size}".encode())
        end = 0
        while end < size:
            try:
                data = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError:  # only a hole is left
                break
            start = max(end, data // _BLOCK * _BLOCK)
            hole = os.lseek(file.fileno(), data, os.SEEK_HOLE)
            end = min(size, -(-hole // _BLOCK) * _BLOCK)
            for offset in range(start, end, _BLOCK):
                block = os.pread(file.fileno(), _BLOCK, offset)
                if block.strip(b"\0"):
                    digest.update(f" {offset} ".encode() + block)
    return digest.hexdigest()


def swap(first: Disk, second: Disk) -> None:
    """Put each of two disks where the other one was; both machines must be off."""
    for disk in (first, second):
        disk.become(disk.nature)  # which so far may have followed from its place alone
    for one, other in ((first.file, second.file), (first.nature_file, second.nature_file)):
        aside = one.with_suffix(".swapped")
        one.rename(aside)
        other.rename(one)
        aside.rename(other)

"""A node's data disks, seen from outside the machine: making them, and telling whether anything has touched them."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from lab import contents
from lab.shell import run
from lab.spec import DiskSpec

_BLOCK = 64 << 10
_NEW = "new"


@dataclass(frozen=True)
class Disk:
    """One data disk of one node."""

    spec: DiskSpec
    node: int
    file: Path

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def serial(self) -> str | None:
        return f"LAB{self.node}{self.name.upper()}" if self.spec.has_id else None

    @property
    def wwn(self) -> int | None:
        """The World Wide Name, which only SCSI disks have here."""
        if self.spec.bus != "scsi" or not self.spec.has_id:
            return None
        digest = hashlib.sha256(f"node{self.node}/{self.name}".encode()).digest()
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
        part = self.file.with_suffix(".part")
        if self.spec.contents is None:
            run(["qemu-img", "create", "-q", "-f", "qcow2", part, str(self.spec.bytes)])
        else:
            raw = self.file.with_suffix(".raw")
            with raw.open("wb") as file:
                file.truncate(self.spec.bytes)
            contents.write(raw, self.spec.contents, sector=self.spec.sector)
            run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, part])
            raw.unlink()
        run(["qemu-img", "snapshot", "-c", _NEW, part])
        part.rename(self.file)

    def renew(self) -> None:
        """Make it again what it was when it was created; the machine must be off."""
        run(["qemu-img", "snapshot", "-a", _NEW, self.file])

    def checksum(self, *, in_use: bool) -> str:
        """A hash of every byte that the guest can read, whatever the image file looks like inside.

        Blocks of zeros count as never written, so that 120 GiB of mostly nothing takes a second. `in_use`: QEMU has the
        file open, and the caller has paused it.
        """
        raw = self.file.with_suffix(".checksum")
        try:
            shared = ["--force-share"] if in_use else []
            run(["qemu-img", "convert", *shared, "-f", "qcow2", "-O", "raw", self.file, raw])
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

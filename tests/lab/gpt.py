"""Writing a GUID partition table into an image file, for any sector size, without a partitioning tool."""

import struct
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
MICROSOFT = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")

_ENTRIES = 128
_ENTRY_BYTES = 128
MIB = 1 << 20


@dataclass(frozen=True)
class Partition:
    """One partition, in bytes; start and size must be multiples of 1 MiB to be aligned on any disk."""

    name: str
    start: int
    size: int
    type: uuid.UUID = LINUX

    @property
    def uuid(self) -> uuid.UUID:
        """Always the same for the same partition, so that images are reproducible."""
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name}/{self.start}/{self.size}")


def write(image: Path, partitions: Sequence[Partition], *, sector: int = 512) -> None:
    """Write the protective MBR and both copies of the table into an image file, which has its final size."""
    sectors = image.stat().st_size // sector
    table_sectors = _ENTRIES * _ENTRY_BYTES // sector
    table = b"".join(_entry(partition, sector) for partition in partitions).ljust(_ENTRIES * _ENTRY_BYTES, b"\0")
    last = sectors - 1
    disk_id = uuid.uuid5(uuid.NAMESPACE_OID, "/".join(partition.name for partition in partitions))

    def header(here: int, other: int, table_at: int) -> bytes:
        def packed(checksum: int) -> bytes:
            return struct.pack(
                "<8sIIIIQQQQ16sQIII",
                b"EFI PART",
                0x10000,
                92,
                checksum,
                0,
                here,
                other,
                2 + table_sectors,
                last - table_sectors - 1,
                disk_id.bytes_le,
                table_at,
                _ENTRIES,
                _ENTRY_BYTES,
                zlib.crc32(table),
            )

        return packed(zlib.crc32(packed(0))).ljust(sector, b"\0")

    protective = struct.pack("<446xB3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, min(last, 0xFFFFFFFF))
    with image.open("r+b") as file:
        file.write(protective.ljust(510, b"\0") + b"\x55\xaa")
        file.seek(sector)
        file.write(header(1, last, 2) + table)
        file.seek((last - table_sectors) * sector)
        file.write(table + header(last, 1, last - table_sectors))


def _entry(partition: Partition, sector: int) -> bytes:
    first = partition.start // sector
    return struct.pack(
        "<16s16sQQQ72s",
        partition.type.bytes_le,
        partition.uuid.bytes_le,
        first,
        first + partition.size // sector - 1,
        0,
        partition.name.encode("utf-16-le"),
    )

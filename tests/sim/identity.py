"""Names and numbers of simulated things that no two of them share, and that are the same in every run."""

import re
import uuid
import zlib

_NAMESPACE = uuid.UUID("6d6f636b-0000-4000-8000-73696d756c61")


def host_number(name: str) -> int:
    """A number of a host's own: node1 has 0, node2 has 1; a name without a number is worth its checksum."""
    found = re.fullmatch(r"\D*(\d{1,4})", name)
    return int(found[1]) - 1 if found and found[1] != "0" else 0x4000 + (zlib.crc32(name.encode()) & 0x3FFF)


def made_up(*of: str) -> str:
    """The UUID of the thing that is named so, from the greatest to the smallest that it lies in."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(of)))


def world_wide_name(host: str, disk: str) -> str:
    """The WWN of a disk, as lsblk shows it: disks of one maker, one after the other."""
    return f"0x5000c500a{0x0B0C0 + host_number(host):05x}{ord(disk[-1]):02x}"

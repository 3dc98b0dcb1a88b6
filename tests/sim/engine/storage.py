"""What storage domains lie on: shares, and units of block storage, as hosts reach them."""

from dataclasses import dataclass
from typing import Any

from ovirtsdk4 import types

Kind = types.StorageType
SHARES = (Kind.GLUSTERFS, Kind.NFS, Kind.POSIXFS)
BLOCK = (Kind.ISCSI, Kind.FCP)
GIB = 1 << 30


@dataclass
class StoragePlace:
    """A share, or a unit of block storage.

    Attributes:
        size: Bytes.
        used: Bytes.
        reachable: Hosts reach it.
        domain: What the engine wrote there; it stays when the engine forgets the domain without formatting it.
        content: What somebody else wrote on a unit; "" = it is blank.
        chap: User and password that the unit's target asks for; None = it lets everybody in.
    """

    size: int = 100 * GIB
    used: int = 10 * GIB
    reachable: bool = True
    domain: Any = None
    content: str = ""
    chap: tuple[str, str] | None = None


def units_of(storage: Any) -> list[Any]:
    """The units of block storage that a body names; clients may write them at two places."""
    if storage.logical_units:
        return list(storage.logical_units)
    return list(storage.volume_group.logical_units or ()) if storage.volume_group else []


def places_of(storage: Any) -> list[str]:
    """Where a domain lies: `address:path` of a share, or the ids of its units."""
    if storage.type in BLOCK:
        return [unit.id for unit in units_of(storage)]
    return [f"{storage.address}:{storage.path}" if storage.address else storage.path]

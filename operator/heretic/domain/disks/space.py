"""How much of a disk a layout takes: plain arithmetic, so that a site that does not fit is refused beforehand.

The numbers are LVM's own: whole extents everywhere, a thin pool's metadata beside its data, and a spare of the
same size that LVM keeps once a volume group for repairing the metadata (lvmthin(7)).
"""

from collections.abc import Iterable

KIB = 2**10
MIB = 2**20
GIB = 2**30

EXTENT = 4 * MIB
"""Extent of the volume groups that Heretic makes; LVM's default, set explicitly."""
DATA_ALIGNMENT = 256 * KIB
"""Alignment of a physical volume's data on a disk that is no RAID (rule:brick-format)."""
CHUNK = 256 * KIB
"""Chunk of a thin pool on a disk that is no RAID (rule:brick-format)."""
MINIMUM_METADATA = 16 * MIB
MAXIMUM_METADATA = 15 * GIB + 768 * MIB
"""LVM stops a little below 16 GiB, where exactly depends on its version (lvmthin(7): 15.81 GiB)."""
_LABEL_AND_METADATA = 4 * MIB
"""Generous for the label and LVM's own metadata at the start of a disk, 1 MiB by default."""


def in_extents(size: int, extent: int = EXTENT) -> int:
    """The bytes that LVM allocates for a logical volume of ``size`` bytes: whole extents, rounded up."""
    return -(-size // extent) * extent


def group_capacity(disk_size: int) -> int:
    """Bytes that a volume group on a whole disk can give to logical volumes, at least.

    Args:
        disk_size: Bytes of the disk.

    Returns:
        Bytes; 0 for a disk too small to hold anything.
    """
    return max(0, (disk_size - _LABEL_AND_METADATA) // EXTENT * EXTENT)


def pool_bytes(thin_total: int) -> int:
    """Size of a thin pool's data that must carry ``thin_total`` bytes of thin volumes without over-commitment.

    Thin volumes here are for snapshots and late allocation, never for promising more than there is
    (rule:thin-pool-room, rule:fits: allowed over-commitment 1.0).

    Args:
        thin_total: Sum of the sizes of all thin volumes of the pool, bytes.

    Returns:
        Bytes, whole extents.
    """
    return in_extents(thin_total)


def metadata_volume_bytes(pool: int, extent: int = EXTENT) -> int:
    """Size of a pool's metadata volume: 0.5 % of its data, at most what LVM can use (rule:brick-format).

    Args:
        pool: Size of the pool's data, bytes.
        extent: Of the volume group, bytes.

    Returns:
        Bytes, whole extents, one at the least.
    """
    most = max(extent, MAXIMUM_METADATA // extent * extent)
    return max(in_extents(MINIMUM_METADATA, extent), min(in_extents(pool // 200, extent), most))


def metadata_bytes(pool: int) -> int:
    """What a pool takes from its volume group beside its data: the metadata volume and LVM's spare of it.

    Args:
        pool: Size of the pool's data, bytes; 0 = there is no pool.

    Returns:
        Bytes, whole extents.
    """
    return 2 * metadata_volume_bytes(pool) if pool else 0


def group_bytes(thick: Iterable[int], thin_total: int) -> int:
    """What a layout takes of a volume group: Σ thick + pool + metadata (rule:fits).

    Args:
        thick: Sizes of the thick volumes, bytes.
        thin_total: Sum of the sizes of the thin volumes, bytes; 0 = no pool.

    Returns:
        Bytes, to be held against ``group_capacity``.
    """
    pool = pool_bytes(thin_total)
    return sum(in_extents(size) for size in thick) + pool + metadata_bytes(pool)

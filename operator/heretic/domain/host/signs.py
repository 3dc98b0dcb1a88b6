"""Signs that a disk has changed, from what is asked at every look: then it is searched anew in the same pass.

The search for signatures reads every disk, so a calm host is asked for it seldom. What udev knows of a disk and its
partitions changes when somebody wipes, labels or exchanges one. Content without a signature shows only in the
kernel's count of writes, which stands still on a disk that nothing uses. A disk that was pulled and came back, or
another one that looks the same, has another number of the kernel.
"""

from collections.abc import Iterator, Mapping

from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import Disk
from heretic.domain.host.parse.lsblk import BlockDevice

DISKSTATS = "/proc/diskstats"
_NAME = 2
_WRITES = (7, 9)
"""Places of writes completed and sectors written (Documentation/admin-guide/iostats.rst of the kernel)."""
_DISCARDS = (14, 16)
"""Likewise of discards, since Linux 4.18."""

Sign = tuple[str, ...]


def disk_signs(
    blocks: Fact[tuple[BlockDevice, ...]],
    disks: Fact[tuple[Disk, ...]],
    stats: Fact[str],
    sequence: Fact[Mapping[str, str]],
) -> Fact[Mapping[str, Sign]]:
    """What tells by itself that a disk is not what it was.

    Args:
        blocks: From lsblk.
        disks: What is known of each whole disk.
        stats: The content of DISKSTATS. Where it cannot be read, writes to unused disks are seen at the next full
            look; what a step needs of a disk is proven again on the host anyway.
        sequence: The kernel's number of each disk. Where it is not known, a disk that comes back between two looks
            is seen at the next full look.

    Returns:
        By kernel path of each whole disk, values of which one differs when the disk was changed by somebody.
    """
    for fact in (blocks, disks):
        if isinstance(fact, Unknown):
            return fact
    if not isinstance(blocks, Known) or not isinstance(disks, Known):
        return Absent()
    writes = _writes(stats.value) if isinstance(stats, Known) else {}
    numbers = sequence.value if isinstance(sequence, Known) else {}
    tops = {block.path: block for block in blocks.value}
    signs: dict[str, Sign] = {}
    for disk in disks.value:
        top = tops.get(disk.path)
        known = (numbers.get(disk.path, ""), *(_udev(top) if top else ()))
        signs[disk.path] = known if disk.in_use else known + writes.get(disk.path.removeprefix("/dev/"), ())
    return Known(signs)


def _udev(block: BlockDevice) -> Iterator[str]:
    """What udev knows of a disk and its partitions; what is stacked on them changes in normal work."""
    yield f"{block.path} {block.size} {block.wwn} {block.serial}"
    yield f"{block.filesystem} {block.partition_table} {block.uuid}"
    for child in block.children:
        if child.type == "part":
            yield from _udev(child)


def _writes(text: str) -> dict[str, Sign]:
    rows = (line.split() for line in text.splitlines())
    return {row[_NAME]: tuple(row[i] for i in (*_WRITES, *_DISCARDS) if i < len(row)) for row in rows if len(row) > 9}

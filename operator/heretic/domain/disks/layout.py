"""Which disk carries what: HVP's rules for one, two, three or more data disks, and for the arbiter (rule:hvp-layout).

HVP orders disks by size and, among equals, by kernel name. Kernel names change between boots, so here the stable
id decides among equals. HVP knew rotating disks only. Where a node has both kinds, the file shares take a rotating
disk first and the virtual machines a solid-state one, because random access is what machines do and capacity is
what shares need; within one kind HVP's rules decide alone.

A disk that already carries one of the volume groups named here keeps that use, and so does a disk whose use was
recorded: choices are made once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from heretic.api.v1alpha1.gluster_volume import Purpose

MAXIMUM_DATA_DISKS = 3
"""HVP leaves further disks unused."""


class DiskUse(StrEnum):
    """What a disk carries, as recorded in ``Node.status.disks[].use``."""

    EVERYTHING = "Everything"
    """The only data disk."""
    VIRTUALIZATION = "Virtualization"
    """Engine, virtual machines and ISO images, on a node of two data disks."""
    ENGINE = "Engine"
    """Engine and ISO images, on a node of three data disks."""
    VIRTUAL_MACHINES = "VirtualMachines"
    SHARES = "Shares"
    """File, block and backup shares and their lock."""
    ARBITER = "Arbiter"
    """All bricks of the arbiter-only node."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A disk as far as the choice depends on it.

    Attributes:
        id: Stable id.
        size: Bytes.
        rotational: False for solid state.
    """

    id: str
    size: int
    rotational: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One disk's part in the layout.

    Attributes:
        id: Stable id of the disk.
        use: What it carries.
        group: Name of its LVM volume group.
    """

    id: str
    use: DiskUse
    group: str


GROUP_1, GROUP_2, GROUP_3, GROUP_ARBITER = "vgdisk1", "vgdisk2", "vgdisk3", "vgarbiter"
GROUPS = frozenset({GROUP_1, GROUP_2, GROUP_3, GROUP_ARBITER})
"""Every volume group that Heretic makes, by HVP's names (rule:hvp-layout)."""

_SHARES = frozenset({Purpose.SMB_SHARE, Purpose.NFS_SHARE, Purpose.BLOCK_SHARE, Purpose.BACKUP, Purpose.LOCK})


def uses(arbiter: bool, data_disk_count: int) -> tuple[tuple[DiskUse, str], ...]:
    """The uses and volume groups of a node, in the order in which their disks are chosen.

    Args:
        arbiter: Whether it is the arbiter-only node.
        data_disk_count: The Site's recorded number of data disks, 1 to 3; more count as 3.
    """
    if arbiter:
        return ((DiskUse.ARBITER, GROUP_ARBITER),)
    if data_disk_count <= 1:
        return ((DiskUse.EVERYTHING, GROUP_1),)
    if data_disk_count == 2:
        return ((DiskUse.SHARES, GROUP_2), (DiskUse.VIRTUALIZATION, GROUP_1))
    return ((DiskUse.SHARES, GROUP_2), (DiskUse.ENGINE, GROUP_1), (DiskUse.VIRTUAL_MACHINES, GROUP_3))


def group_for(purpose: Purpose, data_disk_count: int, arbiter: bool) -> str:
    """The volume group that holds a volume's brick on a node.

    Args:
        purpose: Of the volume.
        data_disk_count: The Site's recorded number of data disks.
        arbiter: Whether the node is the arbiter-only one (not whether the brick is an arbiter).
    """
    if arbiter:
        return GROUP_ARBITER
    if data_disk_count <= 1:
        return GROUP_1
    if purpose in _SHARES:
        return GROUP_2
    return GROUP_3 if data_disk_count >= 3 and purpose is Purpose.VIRTUAL_MACHINES else GROUP_1


def choose(
    candidates: Iterable[Candidate], fixed: Mapping[str, str], arbiter: bool, data_disk_count: int
) -> tuple[Choice, ...]:
    """Chooses a node's disks.

    Args:
        candidates: The disks that may be chosen; those already fixed may be among them.
        fixed: Disk ids by volume group that are settled: recorded in status, or found on the disk itself.
        arbiter: Whether it is the arbiter-only node.
        data_disk_count: The Site's recorded number of data disks.

    Returns:
        One choice a use, as far as there are disks; fewer than ``uses`` when disks are missing.
    """
    left = sorted((c for c in candidates if c.id not in fixed.values()), key=lambda c: c.id)
    chosen: list[Choice] = []
    for use, group in uses(arbiter, data_disk_count):
        if group in fixed:
            chosen.append(Choice(fixed[group], use, group))
        elif left:
            disk = _PREFERENCES[use](left)
            left.remove(disk)
            chosen.append(Choice(disk.id, use, group))
    return tuple(chosen)


def _biggest(disks: list[Candidate]) -> Candidate:
    """The first of the biggest."""
    return max(disks, key=lambda d: d.size)


def _smallest(disks: list[Candidate]) -> Candidate:
    """The first of the smallest."""
    return min(disks, key=lambda d: d.size)


def _biggest_rotating(disks: list[Candidate]) -> Candidate:
    """The first of the biggest, rotating before solid state."""
    return max(disks, key=lambda d: (d.rotational, d.size))


def _smallest_rotating(disks: list[Candidate]) -> Candidate:
    """The last of the smallest, rotating before solid state."""
    return min(reversed(disks), key=lambda d: (not d.rotational, d.size))


def _smallest_solid(disks: list[Candidate]) -> Candidate:
    """The last of the smallest, solid state before rotating."""
    return min(reversed(disks), key=lambda d: (d.rotational, d.size))


def _first_solid(disks: list[Candidate]) -> Candidate:
    """The first by id, solid state before rotating."""
    return min(disks, key=lambda d: d.rotational)


# Each picks the first of one fixed order of preference, so taking away a disk that it would not pick changes
# nothing: a layout that was half made before a crash is finished as it was begun.
_PREFERENCES: Mapping[DiskUse, Callable[[list[Candidate]], Candidate]] = {
    DiskUse.EVERYTHING: _biggest,
    DiskUse.SHARES: _biggest_rotating,
    DiskUse.VIRTUALIZATION: _smallest_solid,
    DiskUse.ENGINE: _smallest_rotating,
    DiskUse.VIRTUAL_MACHINES: _first_solid,
    DiskUse.ARBITER: _smallest,
}

"""What of a host's disks is ours: the verdict of disks/judge.py, and what the rules that rest on it ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heretic.api.shorten import shorten
from heretic.domain.disks.identity import Sighting
from heretic.domain.host.facts import Disk, PhysicalVolume
from heretic.domain.plan import Blocked, Wait

GUIDE = "see the guide for a disk that is not the one that was recorded"

NODE_TAG = "heretic_node="
_FINDING = 300
"""Characters of what is told beside a disk."""


def node_tag(uid: str) -> str:
    """The LVM tag that says for which Node a volume group was made."""
    return f"{NODE_TAG}{uid}"


@dataclass(frozen=True, slots=True)
class OwnedGroup:
    """A volume group that is proven ours.

    Attributes:
        name: Of the group.
        disk: The whole disk that it lies on.
        volume: Its only physical volume.
    """

    name: str
    disk: Disk
    volume: PhysicalVolume


@dataclass(frozen=True, slots=True)
class Amiss:
    """Something that is not as recorded, or not ours.

    Attributes:
        groups: Names of the volume groups that must be left alone because of it.
        blocked: What was expected, what is there, what to do.
        path: Kernel path of the disk that it was found on, "" where none is there.
    """

    groups: frozenset[str]
    blocked: Blocked
    path: str = ""


@dataclass(frozen=True, slots=True)
class Ownership:
    """What of one host's disks is ours.

    Attributes:
        groups: By name, volume groups that are ours and as recorded.
        present: By recorded id, the disk that a record stands for, as far as it is there.
        amiss: What is not as it should be.
        unknown: Why nothing can be said at all.
        shared: Where else each disk shows that another Node sees too, by kernel path.
        missing: Ids of the records whose disk is not there.
    """

    groups: Mapping[str, OwnedGroup] = field(default_factory=dict)
    present: Mapping[str, Disk] = field(default_factory=dict)
    amiss: tuple[Amiss, ...] = ()
    unknown: Wait | None = None
    shared: Mapping[str, Sighting] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """Kernel paths of the disks that are ours, or that something is amiss with: all is said of them."""
        return frozenset((*(g.disk.path for g in self.groups.values()), *(a.path for a in self.amiss if a.path)))

    @property
    def obstacles(self) -> tuple[Blocked | Wait, ...]:
        """Why no disk of the host may be prepared."""
        known = tuple(dict.fromkeys(entry.blocked for entry in self.amiss))
        return (self.unknown, *known) if self.unknown else known

    def obstacle(self, group: str) -> Blocked | Wait | None:
        """Why nothing in one volume group may be touched; None when it is ours, or not there yet."""
        return self.unknown or next((a.blocked for a in self.amiss if group in a.groups), None)

    def owned_on(self, disk: Disk) -> OwnedGroup | None:
        """The group of ours that lies on a disk."""
        return next((g for g in self.groups.values() if g.disk.path == disk.path), None)

    def finding(self, disk: Disk) -> str:
        """What is told of a disk in one line, "" when there is nothing to tell."""
        amiss = next((_finding_of(a.blocked) for a in self.amiss if a.path == disk.path), "")
        other = self.shared.get(disk.path)
        return amiss or (f"also seen by another node: {other}" if other else "")


def _finding_of(blocked: Blocked) -> str:
    """As much of it as fits beside a disk; the Node's conditions tell the rest."""
    return shorten(f"{blocked.reason}: {blocked.message}", _FINDING)

"""The step that erases a disk. It runs only after a person's approval."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.disks.proofs import LISTED, is_planned_disk
from heretic.domain.disks.steps import proven_blank
from heretic.domain.plan import HostStep, Risk

_READING = 40
"""Seconds for looking at a disk and reading it."""


def mark_of(looked: str) -> str:
    """Sixteen hexadecimal digits that stand for all that the tools printed of a disk."""
    return sha256(looked.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class EraseDisk(HostStep):
    """Takes away all that shows on a disk: signatures, partition table, and whatever a proof of blankness reads.

    No declaration asks for it, so it always needs an approval, which names exactly this disk with exactly this finding.

    Attributes:
        disk: Stable id, as in the spec.
        device: Absolute path by that or another stable id.
        path: The kernel's name of it at the look that this was planned from.
        size: Bytes of the disk.
        wwn: Of the disk, "" = it has none.
        serial: Likewise.
        finding: What was found on it, for a person.
        mark: Stands for all that the tools printed of it.
        looked: What they printed.
        partitions: How many it has.
    """

    verb: ClassVar[str] = "EraseDisk"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    disk: str
    device: str
    path: str
    size: int
    wwn: str = ""
    serial: str = ""
    finding: str
    mark: str
    looked: str = field(repr=False)
    partitions: int = 0

    def script(self) -> Script:
        """The disk is the approved one, carries what was approved, and nobody else has it."""
        alone = Command((*LISTED, "TYPE", self.device), expect=Expect.EQUALS, text="disk")
        parts = Command(
            (*LISTED, "TYPE", self.device), expect=Expect.EQUALS, text="\n".join(["disk", *["part"] * self.partitions])
        )
        return Script(
            done=(proven_blank(self.device), alone),
            guards=(
                *is_planned_disk(self.device, self.path, size=self.size, wwn=self.wwn, serial=self.serial),
                parts,
                Command((*LISTED, "MOUNTPOINT", self.device), expect=Expect.EMPTY),
                Command(("@held", self.device), expect=Expect.EMPTY),
                Command(("@found", self.device), timeout=_READING, expect=Expect.EQUALS, text=self.looked),
            ),
            actions=(Command(("@erase", self.device), timeout=60),),
        )

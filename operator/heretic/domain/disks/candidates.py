"""Whether a disk may be used: the part of rule:disk-usable that depends on the Node's spec."""

import re
from dataclasses import dataclass

from heretic.api.quantity import format_bytes, parse_bytes
from heretic.api.v1alpha1.node import DiskSelection, NodeDisks
from heretic.domain.disks.identity import identity_of
from heretic.domain.errors import Reason
from heretic.domain.host.facts import Disk

_LOCAL = frozenset({"sata", "ata", "sas", "spi", "nvme", "virtio"})
"""Transports, as lsblk names them, of disks that are in the machine. A word that is not here is not trusted: what
comes over a fabric or a cable (tcp, rdma, fc, iscsi, usb, …) may be another's, or be gone tomorrow."""
_IN_A_SLOT = re.compile(r"(platform|pci)-(?!.*-(usb[a-z0-9]*|fc|ip|iscsi|sbp|ieee1394)-)")
"""A by-path name of a disk that hangs on a slot of the machine. RAID controllers tell lsblk no transport; then only
this tells that their disks are local."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why a disk may not be used.

    Attributes:
        reason: From the closed list.
        text: What was found, for a person.
        dirty: Whether something is on the disk, as opposed to the disk not being the right one.
    """

    reason: Reason
    text: str
    dirty: bool = False


def is_local(disk: Disk) -> bool:
    """Whether a disk is known to be in the machine, and not to come over a fabric or a cable."""
    if disk.transport:
        return disk.transport in _LOCAL
    return any(_IN_A_SLOT.match(name) for name in disk.ids)


def usable(disk: Disk, spec: NodeDisks) -> Exclusion | None:
    """Says why a disk cannot be prepared for bricks.

    Args:
        disk: As observed, with every sign that it is not blank.
        spec: What the Node says about its disks.

    Returns:
        The first finding, the most certain obstacle first; None for a blank disk that the spec covers.
    """
    return blank(disk) or _wanted(disk, spec)


def blank(disk: Disk) -> Exclusion | None:
    """Says why a disk is not proven blank and safe to write to, whatever the spec says (rule:blank-disk)."""
    everything = "; ".join(disk.findings)
    if disk.ambiguous:
        return Exclusion(Reason.DISK_AMBIGUOUS, everything, dirty=True)
    if disk.in_use:
        return Exclusion(Reason.DISK_IN_USE, everything, dirty=True)
    if disk.unreadable:
        return Exclusion(Reason.READ_ERROR, everything, dirty=True)
    if disk.content and not disk.signed:
        return Exclusion(Reason.CONTENT_FOUND, everything, dirty=True)
    if disk.unproven and not disk.signed:
        return Exclusion(Reason.NOT_PROVEN_BLANK, everything, dirty=True)
    if disk.findings:
        return Exclusion(Reason.FOREIGN_SIGNATURE, everything, dirty=True)
    if disk.read_only:
        return Exclusion(Reason.DISK_IN_USE, "read-only")
    return None


def erasable(disk: Disk) -> bool:
    """Whether what is on a disk is known, and is all that stands in the way of using it.

    An approval must name one disk in the world: by its WWN or serial number, or by the signatures on it, which have
    UUIDs. Where there is neither, another disk in its place could look just the same.
    """
    finding = blank(disk)
    return (
        finding is not None
        and finding.dirty
        and bool(disk.looked and disk.device)
        and (disk.signed or (disk.content and bool(identity_of(disk).keys)))
        and not (disk.in_use or disk.ambiguous or disk.unreadable or disk.unproven or disk.read_only or disk.multipath)
    )


def _wanted(disk: Disk, spec: NodeDisks) -> Exclusion | None:
    if spec.selection is DiskSelection.BY_ID:
        if any(name in spec.ids for name in disk.ids):
            return None
        return Exclusion(Reason.NO_USABLE_DISK, "not listed in spec.disks.ids")
    if disk.removable or not is_local(disk):
        kind = "removable" if disk.removable else disk.transport or "not certainly local"
        return Exclusion(Reason.NO_USABLE_DISK, f"{kind} disk: selection Auto leaves it alone")
    minimum = parse_bytes(spec.minimum_size)
    if disk.size < minimum:
        text = f"{format_bytes(disk.size)}: smaller than spec.disks.minimumSize {spec.minimum_size}"
        return Exclusion(Reason.DISK_TOO_SMALL, text)
    return None

"""Whether a disk may be used: the part of domain §7 ``disk_usable`` that depends on the Node's spec."""

from dataclasses import dataclass

from heretic.api.quantity import format_bytes, parse_bytes
from heretic.api.v1alpha1.node import DiskSelection, NodeDisks
from heretic.domain.errors import Reason
from heretic.domain.host.facts import Disk

_NOT_LOCAL = frozenset({"usb", "iscsi", "fc", "fcoe", "sbp"})
"""Transports of disks that may be another's or be gone tomorrow: never taken by selection Auto."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a disk may not be used.

    Attributes:
        reason: From the closed list.
        text: What was found, for a person.
        dirty: Whether something is on the disk, as opposed to the disk not being the right one.
    """

    reason: Reason
    text: str
    dirty: bool = False


def usable(disk: Disk, spec: NodeDisks) -> Finding | None:
    """Says why a disk cannot be prepared for bricks.

    Args:
        disk: As observed, with every sign that it is not blank.
        spec: What the Node says about its disks.

    Returns:
        The first finding, the most certain obstacle first; None for a blank disk that the spec covers.
    """
    return blank(disk) or _wanted(disk, spec)


def blank(disk: Disk) -> Finding | None:
    """Says why a disk is not proven blank and safe to write to, whatever the spec says (domain §4 rule 1)."""
    everything = "; ".join(disk.findings)
    if disk.ambiguous:
        return Finding(Reason.DISK_AMBIGUOUS, everything, dirty=True)
    if disk.in_use:
        return Finding(Reason.DISK_IN_USE, everything, dirty=True)
    if disk.findings:
        return Finding(Reason.FOREIGN_SIGNATURE, everything, dirty=True)
    if disk.read_only:
        return Finding(Reason.DISK_IN_USE, "read-only")
    return None


def _wanted(disk: Disk, spec: NodeDisks) -> Finding | None:
    if spec.selection is DiskSelection.BY_ID:
        if any(name in spec.ids for name in disk.ids):
            return None
        return Finding(Reason.NO_USABLE_DISK, "not listed in spec.disks.ids")
    if disk.removable or disk.transport in _NOT_LOCAL:
        kind = disk.transport or "removable"
        return Finding(Reason.NO_USABLE_DISK, f"{kind} disk: selection Auto leaves it alone")
    minimum = parse_bytes(spec.minimum_size)
    if disk.size < minimum:
        text = f"{format_bytes(disk.size)}: smaller than spec.disks.minimumSize {spec.minimum_size}"
        return Finding(Reason.DISK_TOO_SMALL, text)
    return None

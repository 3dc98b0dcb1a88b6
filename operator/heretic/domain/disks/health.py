"""Whether a logical volume works, by the letters and words in which LVM says so (lvs(8), lvmthin(7)).

How full a pool is says nothing of whether it takes writes: a pool that was full once keeps refusing them after room
was made. Letters are good by list. One that is not listed here is not known to be good.
"""

from dataclasses import dataclass

from heretic.domain.conditions import State
from heretic.domain.errors import Reason
from heretic.domain.host.facts import LogicalVolume

_TYPES = frozenset("-CmMoOgrRsSpviIlcVtTdDe")
_PERMISSIONS = frozenset("wrR")
_TARGETS = frozenset("-Cmrstv")
_PLACES = 9
"""Letters that every supported LVM prints, at the least."""

_GONE = "its device does not exist"
_NO_TABLE = "its device has no table"
_INACTIVE = {"-": _GONE, "d": _NO_TABLE, "i": "its device has a table that is not in force"}
_SNAPSHOT = {
    "I": "the snapshot is invalid: it ran out of room, and what was written to it is lost",
    "S": "the snapshot is invalid and suspended: it ran out of room, and what was written to it is lost",
    "m": "merging the snapshot failed",
    "M": "merging the snapshot failed, and it is suspended",
}
_CHECK = frozenset("cC")
_SUSPENDED = "s"
_ACTIVE = "a"

RAID_LETTERS = frozenset("rm")
RAID_WORDS = frozenset({"refresh needed", "mismatches exist"})
"""Of a RAID that takes writes, and has lost redundancy."""
_BEARABLE = frozenset("-wsR") | RAID_LETTERS
"""Ninth letters of volumes that take writes."""
_BEARABLE_WORDS = frozenset({"", "writemostly", "reshaping", "remove after reshape"}) | RAID_WORDS
_PARTIAL = ("p", "partial")
_FAILED = ("F", "failed")
_FULL = ("D", "out_of_data")
_READ_ONLY = ("M", "metadata_read_only")
_ERROR = ("E", "error")

FULL = 100.0
"""Percent of a pool's data or metadata at which it has no room."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a logical volume is not known to take writes.

    Attributes:
        reason: From the closed list.
        text: What is so and what to do about it; to be put behind the volume's name.
        state: False for a volume that is known to be out of order, Unknown for one that cannot be told of.
    """

    reason: Reason
    text: str
    state: State = State.FALSE


def full_name(volume: LogicalVolume) -> str:
    """A volume with its group, as LVM's tools take it."""
    return f"{volume.group}/{volume.name}"


def kind_of(volume: LogicalVolume) -> str:
    """What to call a volume in a message."""
    if volume.is_pool:
        return "thin pool"
    return "VDO pool" if volume.is_vdo_pool else "logical volume"


def trouble(volume: LogicalVolume) -> Trouble | None:
    """Says why a logical volume, a pool or not, is not known to take writes; None when it is."""
    letters = volume.attributes
    if len(letters) < _PLACES:
        return _not_known(f"lv_attr is {letters!r}, which has not all its letters")
    known = (
        (1, letters[0], _TYPES),
        (2, letters[1], _PERMISSIONS),
        (7, letters[6], _TARGETS),
    )
    for place, letter, those in known:
        if letter not in those:
            return _odd_letter(place, letters)
    return _health(volume) or _state(volume) or _permission(volume) or _fullness(volume)


def _health(volume: LogicalVolume) -> Trouble | None:
    """The ninth letter, and the same in words; what is worse comes first."""
    told = (volume.attributes[8], volume.health)
    if _said(_FAILED, told):
        return Trouble(
            Reason.POOL_FAILED,
            f"has failed and takes no reads and no writes ({_seen(volume)}). Room does not help any more. Read the "
            f"kernel's log, then repair it offline: {_repair(volume)}",
        )
    if _said(_READ_ONLY, told):
        return _needs_repair(volume, "its metadata is read-only since an error")
    if volume.attributes[4] in _CHECK:
        return _needs_repair(volume, "a check of its metadata is needed")
    if _said(_FULL, told):
        return _no_room(volume)
    if _said(_ERROR, told):
        return Trouble(
            Reason.LOGICAL_VOLUME_FAILED,
            f"has an error in its write cache ({_seen(volume)}), and what is written to it may be lost. Room does not "
            "help. Look at the device of the cache in the kernel's log, and take the cache away (lvconvert --uncache) "
            "before anything else",
        )
    if _said(_PARTIAL, told):
        return Trouble(
            Reason.DISK_NOT_FOUND,
            f"misses a physical volume ({_seen(volume)}). Plug the disk in again, or replace it",
        )
    if told[0] not in _BEARABLE:
        return _odd_letter(9, volume.attributes)
    if told[1] not in _BEARABLE_WORDS:
        return _not_known(f"lv_health_status is {told[1]!r}, which is not known")
    return None


def _state(volume: LogicalVolume) -> Trouble | None:
    """The fifth letter."""
    letter = volume.attributes[4]
    if letter == _ACTIVE:
        return None
    if letter == _SUSPENDED:
        return Trouble(
            Reason.POOL_NOT_ACTIVE,
            f"is suspended ({_seen(volume)}): whatever is written waits. It is so for moments while LVM works on it; "
            f"if it lasts, see what LVM does there, then: lvchange --refresh {full_name(volume)}",
        )
    if letter in _INACTIVE:
        return Trouble(
            Reason.POOL_NOT_ACTIVE,
            f"is not active ({_INACTIVE[letter]}, {_seen(volume)}), so it takes no writes and nobody can tell how full "
            f"it is: lvchange --activate y {full_name(volume)}",
            State.UNKNOWN,
        )
    if letter in _SNAPSHOT:
        return Trouble(
            Reason.LOGICAL_VOLUME_FAILED,
            f"takes no writes: {_SNAPSHOT[letter]} ({_seen(volume)})",
        )
    return _odd_letter(5, volume.attributes)


def _permission(volume: LogicalVolume) -> Trouble | None:
    """The second letter."""
    if volume.attributes[1] == "w":
        return None
    return Trouble(
        Reason.LOGICAL_VOLUME_FAILED,
        f"is read-only ({_seen(volume)}), so it takes no writes however much room it has: "
        f"lvchange --permission rw {full_name(volume)}, or see why it was activated read-only",
    )


def _fullness(volume: LogicalVolume) -> Trouble | None:
    """A pool that is full; what other volumes call their data percentage is no measure of room (a cache's is none)."""
    if not (volume.is_pool or volume.is_vdo_pool):
        return None
    full = any(share is not None and share >= FULL for share in (volume.data_percent, volume.metadata_percent))
    return _no_room(volume) if full else None


def _needs_repair(volume: LogicalVolume, what: str) -> Trouble:
    return Trouble(
        Reason.POOL_NEEDS_REPAIR,
        f"takes no writes: {what} ({_seen(volume)}), and it stays so after room was made: room does not help any more. "
        f"Repair it offline: {_repair(volume)}",
    )


def _no_room(volume: LogicalVolume) -> Trouble:
    metadata = volume.metadata_percent is not None and volume.metadata_percent >= FULL
    what = "metadata" if metadata else "data"
    option = "--poolmetadatasize" if metadata else "--size"
    return Trouble(
        Reason.POOL_OUT_OF_SPACE,
        f"takes no writes: it has no room for {what} ({_seen(volume)}{_shares(volume)}). Give it room now: lvextend "
        f"{option} +SIZE {full_name(volume)}. Where that does not help any more, because writes failed meanwhile, "
        f"repair it offline: {_repair(volume)}",
    )


def _repair(volume: LogicalVolume) -> str:
    """How a pool is repaired; a thin volume is repaired with its pool."""
    name = f"{volume.group}/{volume.pool}" if volume.pool else full_name(volume)
    return (
        f"stop what uses it, deactivate it and every volume in it (lvchange --activate n), lvconvert --repair {name}, "
        "and activate it again"
    )


def _shares(volume: LogicalVolume) -> str:
    told = {"data": volume.data_percent, "metadata": volume.metadata_percent}
    said = ", ".join(f"{what} {share:.0f} % full" for what, share in told.items() if share is not None)
    return f"; {said}" if said else ""


def _said(signs: tuple[str, str], told: tuple[str, str]) -> bool:
    """Whether the letter or the word says it."""
    return told[0] == signs[0] or told[1] == signs[1]


def _seen(volume: LogicalVolume) -> str:
    return f"lv_attr {volume.attributes}" + (f", {volume.health}" if volume.health else "")


def _odd_letter(place: int, letters: str) -> Trouble:
    letter = letters[place - 1]
    told = "LVM itself does not know it" if letter in "Xu" else "that letter is not known"
    return _not_known(f"letter {place} of lv_attr {letters} is {letter!r}: {told}")


def _not_known(what: str) -> Trouble:
    return Trouble(
        Reason.NOT_OBSERVED, f"is in a state that is not known: {what}. Look at it with lvs -a", State.UNKNOWN
    )

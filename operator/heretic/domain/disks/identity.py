"""Which disk is which: what identifies one, and where else in the site the same one shows.

A disk is told by its world wide name or by its model and serial number, never by where it is plugged in. Much of what
firmware prints in these places is no identity: nothing, zeros, a counter of the hypervisor, a placeholder.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from heretic.api.v1alpha1.node import NodeDisk
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.host.facts import Disk

_SHORTEST_SERIAL = 4
_PLACEHOLDERS = re.compile(
    r"(QM|VB|BEAF|DRIVESCSI|DRIVEIDE|DRIVESATA)?[0-9]{0,5}|0*[0-9]{1,3}|(.)\2*|(0?123456789(ABCDEF)?|ABCDEF)+[0-9A-F]{0,3}"
    r"|NONE|NULL|NA|UNKNOWN|DEFAULT(STRING)?|NOT(SPECIFIED|APPLICABLE|AVAILABLE)|TOBEFILLED(BYOEM)?|SERIAL(NUMBER)?"
)
"""Serial numbers, letters and digits only, that more than one disk in the world has."""
_WWN_PREFIX = re.compile(r"(0x|eui\.|naa\.|wwn-0x|t10\.|nvme\.|uuid\.)", re.IGNORECASE)
_DERIVED = ("nvme.", "t10.")
"""Beginnings of names that a kernel or a disk makes of model and serial number where there is no real one."""
_MAKER = slice(1, 7)
"""Digits of a NAA name that are its maker's number; in an EUI-64 name it begins one digit earlier."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a disk from every other one, as far as it says anything.

    Attributes:
        wwn: World wide name, "" where there is none that identifies.
        serial: Model and serial number, "" likewise.
    """

    wwn: str
    serial: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Under which a disk can be looked up."""
        return tuple(f"{kind} {value}" for kind, value in (("wwn", self.wwn), ("serial", self.serial)) if value)

    def __str__(self) -> str:
        return ", ".join(self.keys) or "no WWN and no serial number"


class Likeness(StrEnum):
    """What two identities say of each other."""

    SAME = "same"
    OTHER = "other"
    UNTOLD = "untold"
    """They have nothing in common that could be compared."""


def identity_of(disk: Disk | NodeDisk) -> Identity:
    """The identity of a disk, as seen or as recorded."""
    serial = _serial(disk.model, disk.serial)
    derived = disk.wwn.lower().startswith(_DERIVED)
    return Identity("" if derived and not serial else _wwn(disk.wwn), serial)


def compare(one: Identity, other: Identity) -> Likeness:
    """Whether two identities are of one disk.

    One agreement is enough: how a tool writes one of the two can change with a new version of it.
    """
    pairs = [(a, b) for a, b in ((one.wwn, other.wwn), (one.serial, other.serial)) if a and b]
    if any(a == b for a, b in pairs):
        return Likeness.SAME
    return Likeness.OTHER if pairs else Likeness.UNTOLD


def _wwn(text: str) -> str:
    name = _WWN_PREFIX.sub("", text.strip(), count=1).lower()
    digits = re.sub(r"[^0-9a-z]", "", name)
    if len(digits) < 16 or len(set(digits)) < 3:
        return ""
    maker, number = digits[_MAKER], digits[_MAKER.stop :]
    return "" if len(set(maker)) == 1 or len(set(number)) == 1 else name


def _serial(model: str, serial: str) -> str:
    """Without a model a serial number is no identity: a hypervisor gives the same one on each of its hosts."""
    bare = re.sub(r"[^0-9A-Z]", "", serial.upper())
    if not model.strip() or len(bare) < _SHORTEST_SERIAL or _PLACEHOLDERS.fullmatch(bare):
        return ""
    return f"{model.strip()} {serial.strip()}"


def find(disks: tuple[Disk, ...], name: str) -> Disk | None:
    """The disk that one of its stable names leads to; None when it is not there."""
    return next((disk for disk in disks if name in disk.ids), None)


def meant(disks: tuple[Disk, ...], record: NodeDisk) -> Disk | None:
    """The disk that a record stands for: by its stable name where nothing contradicts it, else by its identity.

    A name below by-path tells where a disk was plugged in. Another disk there is not the recorded one, and the
    recorded one in another place still is.
    """
    known = identity_of(record)
    there = find(disks, record.id)
    if there is not None and compare(known, identity_of(there)) is not Likeness.OTHER:
        return there
    same = [disk for disk in disks if compare(known, identity_of(disk)) is Likeness.SAME]
    return same[0] if len(same) == 1 else None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A disk in the status of a Node."""

    node: str
    disk: NodeDisk

    def __str__(self) -> str:
        return f"disk {self.disk.id} of {self.node}"


@dataclass(frozen=True, slots=True)
class Sightings:
    """Every disk of a site as its Nodes' status says.

    Attributes:
        seen: Disks that are there, by what identifies them.
        recorded: Disks with a use, by the UUIDs of their physical volume and of its volume group.
    """

    seen: Mapping[str, tuple[Sighting, ...]] = field(default_factory=dict)
    recorded: Mapping[str, tuple[Sighting, ...]] = field(default_factory=dict)

    def seen_elsewhere(self, node: str, disk: Disk | NodeDisk) -> Sighting | None:
        """The same disk in another Node's status."""
        return next((s for key in identity_of(disk).keys for s in self.seen.get(key, ()) if s.node != node), None)

    def recorded_elsewhere(self, node: str, *uuids: str) -> Sighting | None:
        """Another Node's record of a physical volume or volume group."""
        return next((s for uuid in uuids if uuid for s in self.recorded.get(uuid, ()) if s.node != node), None)


def sightings(view: SiteView) -> Sightings:
    """Every disk of a site; worked out once for a view."""
    return _SIGHTINGS.of(view, lambda: _sightings(view))


_SIGHTINGS = PerView[Sightings]()
"""Every pass over a Node or a volume asks for it."""


def _sightings(view: SiteView) -> Sightings:
    seen: dict[str, list[Sighting]] = defaultdict(list)
    recorded: dict[str, list[Sighting]] = defaultdict(list)
    for name, node in sorted(view.nodes.items()):
        for disk in node.status.disks:
            sighting = Sighting(name, disk)
            for key in identity_of(disk).keys if disk.path else ():
                seen[key].append(sighting)
            for uuid in filter(None, (disk.pv_uuid, disk.vg_uuid) if disk.use else ()):
                recorded[uuid].append(sighting)
    return Sightings({k: tuple(v) for k, v in seen.items()}, {k: tuple(v) for k, v in recorded.items()})

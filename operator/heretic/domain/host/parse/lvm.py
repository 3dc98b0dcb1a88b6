"""``lvm fullreport --reportformat json --units b --nosuffix`` (rule:lvm-report).

In this format every value is a string and an empty one means "does not apply".
"""

from dataclasses import dataclass

from heretic.domain.commands import Output
from heretic.domain.facts import Fact
from heretic.domain.host.facts import LogicalVolume, PhysicalVolume, VolumeGroup
from heretic.domain.host.parse.reading import (
    NOT_INSTALLED,
    NotUnderstood,
    Row,
    integer,
    listed,
    load,
    percentage,
    read,
    rows,
    text_of,
)

ALL_DEVICES = "devices{use_devicesfile=0}"
"""Makes LVM on EL9 look at every device and not only at those of its devices file, as vdsm does."""

REPORT = (
    *("lvm", "fullreport", "--reportformat", "json", "--units", "b", "--nosuffix", "--config", ALL_DEVICES),
    *("--configreport", "pv", "-o", "pv_name,vg_name,pv_uuid,vg_uuid,pv_size,pv_attr"),
    *("--configreport", "vg", "-o", "vg_name,vg_size,vg_free,vg_extent_size,vg_attr,vg_uuid,vg_tags"),
    *("--configreport", "lv", "-o"),
    "vg_name,lv_name,lv_attr,lv_size,pool_lv,data_percent,metadata_percent,lv_metadata_size,lv_tags,"
    "lv_uuid,lv_layout,lv_role,lv_health_status,origin,data_lv,metadata_lv",
    # They cannot be left out; this keeps them short.
    *("--configreport", "pvseg", "-o", "pvseg_start", "--configreport", "seg", "-o", "segtype"),
)
"""All of LVM in one call; each call reads every disk."""

_PARTIAL = 3
"""Place of "p" in vg_attr when a physical volume is missing (vgs(8))."""
_THIN_POOL = "t"
"""First letter of lv_attr (lvs(8))."""
_STATE = 4
_LIVE = tuple("acCsISmM")
"""Place of the state in lv_attr, and its letters for a device that is there, in order or not."""


@dataclass(frozen=True, slots=True)
class LvmReport:
    """Everything that LVM knows, without the filesystems."""

    physical_volumes: tuple[PhysicalVolume, ...]
    volume_groups: tuple[VolumeGroup, ...]
    logical_volumes: tuple[LogicalVolume, ...]


def parse_lvm(output: Output) -> Fact[LvmReport]:
    """Parses REPORT; Absent where LVM is not installed.

    There is one report a volume group, and one without a group for physical volumes that have none.
    """
    return read(output, "lvm fullreport", _report, absent=(NOT_INSTALLED,))


def _report(text: str) -> LvmReport:
    document = load(text)
    reports = listed(document, "report")
    for report in reports:
        # Only the report on physical volumes without a group has no other sections.
        if any(text_of(row, "vg_name") for row in listed(report, "pv")):
            listed(report, "vg")
            listed(report, "lv")
    return LvmReport(
        tuple(_physical_volume(row) for report in reports for row in rows(report, "pv")),
        tuple(_volume_group(row) for report in reports for row in rows(report, "vg")),
        tuple(_logical_volume(row) for report in reports for row in rows(report, "lv")),
    )


def _physical_volume(row: Row) -> PhysicalVolume:
    return PhysicalVolume(
        device=_required(row, "pv_name"),
        group=text_of(row, "vg_name"),
        uuid=text_of(row, "pv_uuid"),
        group_uuid=text_of(row, "vg_uuid"),
        size=_bytes(row, "pv_size"),
    )


def _volume_group(row: Row) -> VolumeGroup:
    return VolumeGroup(
        name=_required(row, "vg_name"),
        size=integer(row, "vg_size"),
        free=integer(row, "vg_free"),
        extent=integer(row, "vg_extent_size"),
        complete=_attribute(row, "vg_attr", _PARTIAL) != "p",
        uuid=text_of(row, "vg_uuid"),
        tags=_words(row, "vg_tags"),
    )


def _logical_volume(row: Row) -> LogicalVolume:
    attributes = text_of(row, "lv_attr")
    return LogicalVolume(
        group=_required(row, "vg_name"),
        name=_visible(_required(row, "lv_name")),
        size=integer(row, "lv_size"),
        pool=_pool(row),
        is_pool=attributes[:1] == _THIN_POOL or {"thin", "pool"} <= set(_words(row, "lv_layout")),
        active=attributes[_STATE : _STATE + 1] in _LIVE,
        data_percent=_share(row, "data_percent"),
        metadata_percent=_share(row, "metadata_percent"),
        metadata_size=_bytes(row, "lv_metadata_size"),
        tags=_words(row, "lv_tags"),
        uuid=text_of(row, "lv_uuid"),
        attributes=attributes,
        layout=_words(row, "lv_layout"),
        role=_words(row, "lv_role"),
        health=text_of(row, "lv_health_status"),
        origin=_visible(text_of(row, "origin")),
        data=_visible(text_of(row, "data_lv")),
        metadata=_visible(text_of(row, "metadata_lv")),
    )


def _pool(row: Row) -> str:
    """The thin or VDO pool that a volume lies in, which lends it room.

    LVM prints a cache in the same column. It is hidden, so its name has brackets, and it lends no room.
    """
    pool, layout = text_of(row, "pool_lv"), set(_words(row, "lv_layout"))
    cached = bool(layout & {"cache", "writecache"}) or (pool.startswith("[") and not layout & {"thin", "vdo"})
    return "" if cached else _visible(pool)


def _visible(name: str) -> str:
    """A volume's name without the brackets by which LVM marks a hidden one."""
    return name.removeprefix("[").removesuffix("]")


def _share(row: Row, key: str) -> float | None:
    """A percentage; None where LVM prints none, or one that cannot be understood."""
    try:
        return percentage(row, key)
    except ValueError:
        return None


def _words(row: Row, key: str) -> tuple[str, ...]:
    """A list as LVM prints it, with commas."""
    return tuple(filter(None, text_of(row, key).split(",")))


def _bytes(row: Row, key: str) -> int:
    """A size; 0 where LVM prints none because it does not apply."""
    return integer(row, key) if text_of(row, key) else 0


def _required(row: Row, key: str) -> str:
    value = text_of(row, key)
    if not value:
        raise NotUnderstood(f"{key} is empty")
    return value


def _attribute(row: Row, key: str, place: int) -> str:
    attributes = text_of(row, key)
    if len(attributes) <= place:
        raise NotUnderstood(f"{key} is {attributes!r}")
    return attributes[place]

"""``pvs``, ``vgs`` and ``lvs`` with ``--reportformat json --units b --nosuffix`` (domain §3.3).

In this format every value is a string and an empty one means "does not apply".
"""

from collections.abc import Callable
from typing import TypeVar

from heretic.domain.commands import Output
from heretic.domain.facts import Fact
from heretic.domain.host.facts import LogicalVolume, PhysicalVolume, VolumeGroup
from heretic.domain.host.parse.reading import (
    NOT_INSTALLED,
    NotUnderstood,
    Row,
    integer,
    load,
    percentage,
    read,
    rows,
    text_of,
)

T = TypeVar("T")

_AS_JSON = ("--reportformat", "json", "--units", "b", "--nosuffix")
ALL_DEVICES = "devices{use_devicesfile=0}"
"""Makes LVM on EL9 look at every device and not only at those of its devices file, as vdsm does."""

PVS = ("pvs", *_AS_JSON, "--config", ALL_DEVICES, "-o", "pv_name,vg_name,pv_uuid")
VGS = ("vgs", *_AS_JSON, "-o", "vg_name,vg_size,vg_free,vg_extent_size,vg_attr")
LVS = (
    "lvs",
    *_AS_JSON,
    "-o",
    "vg_name,lv_name,lv_attr,lv_size,pool_lv,data_percent,metadata_percent,lv_metadata_size",
)

_PARTIAL = 3
"""Place of "p" in vg_attr when a physical volume is missing (vgs(8))."""
_TYPE = 0
_STATE = 4
"""Places in lv_attr (lvs(8)): "t" = thin pool, "a" = active."""


def parse_pvs(output: Output) -> Fact[tuple[PhysicalVolume, ...]]:
    """Parses PVS; Absent where LVM is not installed."""
    return _report(output, "pvs", "pv", _physical_volume)


def parse_vgs(output: Output) -> Fact[tuple[VolumeGroup, ...]]:
    """Parses VGS; Absent where LVM is not installed."""
    return _report(output, "vgs", "vg", _volume_group)


def parse_lvs(output: Output) -> Fact[tuple[LogicalVolume, ...]]:
    """Parses LVS, without the filesystems; Absent where LVM is not installed."""
    return _report(output, "lvs", "lv", _logical_volume)


def _report(output: Output, tool: str, key: str, item: Callable[[Row], T]) -> Fact[tuple[T, ...]]:
    def reader(text: str) -> tuple[T, ...]:
        reports = rows(load(text), "report")
        if not reports or any(key not in report for report in reports):
            raise NotUnderstood(f"there is no report of {key}")
        return tuple(item(row) for report in reports for row in rows(report, key))

    return read(output, tool, reader, absent=(NOT_INSTALLED,))


def _physical_volume(row: Row) -> PhysicalVolume:
    return PhysicalVolume(_required(row, "pv_name"), text_of(row, "vg_name"), text_of(row, "pv_uuid"))


def _volume_group(row: Row) -> VolumeGroup:
    return VolumeGroup(
        name=_required(row, "vg_name"),
        size=integer(row, "vg_size"),
        free=integer(row, "vg_free"),
        extent=integer(row, "vg_extent_size"),
        complete=_attribute(row, "vg_attr", _PARTIAL) != "p",
    )


def _logical_volume(row: Row) -> LogicalVolume:
    return LogicalVolume(
        group=_required(row, "vg_name"),
        name=_required(row, "lv_name"),
        size=integer(row, "lv_size"),
        pool=text_of(row, "pool_lv"),
        is_pool=_attribute(row, "lv_attr", _TYPE) == "t",
        active=_attribute(row, "lv_attr", _STATE) == "a",
        data_percent=percentage(row, "data_percent"),
        metadata_percent=percentage(row, "metadata_percent"),
        metadata_size=integer(row, "lv_metadata_size") if text_of(row, "lv_metadata_size") else 0,
    )


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

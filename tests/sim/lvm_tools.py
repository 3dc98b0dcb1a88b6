"""Simulated LVM: lvm fullreport, pvs, vgs, lvs, vgcreate, lvcreate, lvextend, lvchange on the disks of block_tools.py.

Sizes are checked as LVM checks them: whole extents, free space, and the spare metadata volume that a thin pool
brings with it.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial

from heretic.domain.commands import Output
from heretic.domain.host.parse.lvm import REPORT
from sim.block_devices import MIB, SimDisk, SimGroup, SimVolume, lvm_uuid
from sim.block_tools import Storage
from sim.machine import OK, Argv, Machine, Tool, failed, ok

_ALL = ("--config", "devices{use_devicesfile=0}")
_LABEL = MIB
"""What a physical volume keeps for itself at the start of a disk."""

ReportRow = Mapping[str, str]


def lvm_tools(storage: Storage, *, log: bool) -> dict[str, Tool]:
    """The tools of the lvm2 package.

    Args:
        storage: That they show and change.
        log: Whether a report in JSON has a log, as those of newer versions have.
    """
    report = {"lvm": _bound(partial(_lvm, log=log), storage)}
    return report | {name: _bound(tool, storage) for name, tool in _TOOLS.items()}


def _bound(tool: "Callable[[Storage, Argv], Output | None]", storage: Storage) -> Tool:
    def run(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        return tool(storage, argv)

    return run


def free(storage: Storage, group: SimGroup) -> int:
    """Bytes of a volume group that no volume has."""
    volumes = [v for v in storage.volumes.values() if v.group == group.name and not v.pool]
    return group.size - sum(v.size + v.metadata for v in volumes) - group.spare


def _one(column: str, rows: list[ReportRow], what: str) -> Output:
    if not rows:
        return failed(f"  Failed to find {what}.", 5)
    return ok("".join(f"  {row[column]}\n" for row in rows))


def _pv_rows(storage: Storage) -> list[ReportRow]:
    return [_pv_row(storage, d) for d in storage.disks.values() if d.pv_uuid]


def _pv_row(storage: Storage, disk: SimDisk) -> ReportRow:
    group = storage.groups.get(disk.group)
    return {
        "pv_name": disk.path,
        "vg_name": disk.group,
        "pv_uuid": disk.pv_uuid,
        "vg_uuid": group.uuid if group else "",
        "pv_size": str(group.size if group else disk.size),
        "pv_attr": "a--" if group else "---",
    }


def _vg_rows(storage: Storage) -> list[ReportRow]:
    return [
        {
            "vg_name": g.name,
            "vg_size": str(g.size),
            "vg_free": str(free(storage, g)),
            "vg_extent_size": str(g.extent),
            "vg_attr": "wz--n-",
            "vg_uuid": g.uuid,
            "vg_tags": ",".join(sorted(g.tags)),
        }
        for g in storage.groups.values()
    ]


def _lvm(storage: Storage, argv: Argv, *, log: bool) -> Output | None:
    if argv != REPORT:
        return None
    physical, groups = _pv_rows(storage), _vg_rows(storage)
    volumes = [{k: v for k, v in _volume_row(v).items() if k in _FULL} for v in storage.volumes.values()]
    reports = []
    for group in [*storage.groups, ""]:
        report = {
            "vg": [row for row in groups if row["vg_name"] == group],
            "pv": [row for row in physical if row["vg_name"] == group],
            "lv": [row for row in volumes if row["vg_name"] == group],
        }
        if group or report["pv"]:
            reports.append({key: found for key, found in report.items() if found or group})
    return ok(json.dumps({"report": reports} | ({"log": []} if log else {}), indent=4))


_FULL = frozenset(
    (
        "vg_name",
        "lv_name",
        "lv_attr",
        "lv_size",
        "pool_lv",
        "data_percent",
        "metadata_percent",
        "lv_metadata_size",
        "lv_tags",
        "lv_uuid",
        "lv_layout",
        "lv_role",
        "lv_health_status",
        "origin",
        "data_lv",
        "metadata_lv",
    )
)


def _pvs(storage: Storage, argv: Argv) -> Output | None:
    match argv[1:]:
        case ("--noheadings", *options, "-o", ("vg_name" | "pv_name") as column, device) if options in ([], [*_ALL]):
            disk = storage.disk(device)
            own = [row for row in _pv_rows(storage) if disk and row["pv_name"] == disk.path]
            return _one(column, own, f'physical volume "{device}"')
        case ("--noheadings", "--config", "devices{use_devicesfile=0}", "-o", "pv_name"):
            return ok("".join(f"  {row['pv_name']}\n" for row in _pv_rows(storage)))
    return None


def _vgs(storage: Storage, argv: Argv) -> Output | None:
    match argv[1:]:
        case ("--noheadings", *options, "-o", ("vg_name" | "vg_uuid" | "vg_tags") as column, group) if options in (
            [],
            [*_ALL],
        ):
            own = [row for row in _vg_rows(storage) if row["vg_name"] == group]
            return _one(column, own, f'volume group "{group}"')
        case ("--noheadings", "--config", "devices{use_devicesfile=0}", "-o", "vg_name"):
            return ok("".join(f"  {row['vg_name']}\n" for row in _vg_rows(storage)))
    return None


def _lvs(storage: Storage, argv: Argv) -> Output | None:
    match argv[1:]:
        case ("--noheadings", "-o", "lv_name", group) if "/" not in group:
            if group not in storage.groups:
                return failed(f'  Volume group "{group}" not found', 5)
            return ok("".join(f"  {v.name}\n" for v in storage.volumes.values() if v.group == group))
        case ("--noheadings", "-o", "lv_uuid", "--select", select, name) if select.startswith("lv_tags={heretic_held_"):
            group, _, volume = name.partition("/")
            found = storage.volumes.get((group, volume))
            if found is None:
                return failed(f"  Failed to find logical volume {name}", 5)
            return ok(f"  {found.uuid}\n" if select in {f"lv_tags={{{tag}}}" for tag in found.tags} else "")
        case ("--noheadings", "-o", "lv_name", "--select", select, name) if select.startswith("lv_tags={heretic_"):
            group, _, volume = name.partition("/")
            tagged = select.removeprefix("lv_tags={").rstrip("}") in storage.volumes[group, volume].tags
            return ok(f"  {volume}\n" if tagged else "")
        case ("--noheadings", *units, "-o", column, name) if units in ([], ["--units", "b", "--nosuffix"]):
            group, _, volume = name.partition("/")
            rows = [_volume_row(v) for v in storage.volumes.values()]
            own = [row for row in rows if (row["vg_name"], row["lv_name"]) == (group, volume)]
            if own and column in ("lv_size", "lv_metadata_size", "lv_name", "segtype", "lv_active", "lv_uuid"):
                return _one(column, own, "")
            return failed(f"  Failed to find logical volume {name}", 5) if not own else None
    return None


def _volume_row(volume: SimVolume) -> ReportRow:
    kind = "t" if volume.is_pool else "V" if volume.pool else "-"
    segment = "thin-pool" if volume.is_pool else "thin" if volume.pool else "linear"
    return {
        "vg_name": volume.group,
        "lv_name": volume.name,
        "lv_attr": f"{kind}wi-{'a' if volume.active else '-'}-----",
        "lv_size": str(volume.size),
        "pool_lv": volume.pool,
        "data_percent": "1.50" if volume.is_pool else "",
        "metadata_percent": "10.00" if volume.is_pool else "",
        "lv_metadata_size": str(volume.metadata) if volume.is_pool else "",
        "segtype": segment,
        "lv_active": "active" if volume.active else "",
        "lv_tags": ",".join(sorted(volume.tags)),
        "lv_uuid": volume.uuid,
        "lv_layout": _LAYOUTS[segment],
        "lv_role": "private" if volume.is_pool else "public",
        "lv_health_status": "",
        "origin": "",
        "data_lv": f"[{volume.name}_tdata]" if volume.is_pool else "",
        "metadata_lv": f"[{volume.name}_tmeta]" if volume.is_pool else "",
    } | volume.shown


def _in_order(pool: SimVolume) -> bool:
    """Whether a thin pool takes new volumes and writes: the fifth and the ninth letter of lv_attr."""
    letters = _volume_row(pool)["lv_attr"]
    return letters[4] in "a-" and letters[8] == "-"


_LAYOUTS: Mapping[str, str] = {"thin-pool": "thin,pool", "thin": "thin,sparse", "linear": "linear"}


def _vgcreate(storage: Storage, argv: Argv) -> Output | None:
    match argv[1:]:
        case ("--dataalignment", "262144b", "--physicalextentsize", "4194304b", "--addtag", tag, name, device):
            if not re.fullmatch(r"[A-Za-z0-9_+.][-A-Za-z0-9_+./=!:#&]*", tag):
                return failed(f"  Invalid tag {tag}.", 3)
            disk = storage.disk(device)
            if disk is None:
                return failed(f"  No device found for {device}.", 5)
            if name in storage.groups:
                return failed(f"  A volume group called {name} already exists.", 5)
            if disk.signature or disk.pv_uuid or disk.holders or disk.mounted:
                return failed(f"  Cannot use {device}: device has a signature", 5)
            extent = 4 * MIB
            disk.signature, disk.pv_uuid, disk.group = "LVM2_member", lvm_uuid(), name
            storage.groups[name] = SimGroup(name, disk.name, (disk.size - _LABEL) // extent * extent, extent)
            storage.groups[name].tags.add(tag)
            return ok(f'  Volume group "{name}" successfully created\n')
    return None


def _lvcreate(storage: Storage, argv: Argv) -> Output | None:
    match argv[1:]:
        case (
            "--type",
            "thin-pool",
            "--name",
            name,
            "--size",
            size,
            "--poolmetadatasize",
            metadata,
            "--chunksize",
            "262144b",
            "--zero",
            "n",
            "--metadataprofile",
            "heretic-thin",
            group,
        ):
            pool = SimVolume(group, name, _bytes(size), is_pool=True, metadata=_bytes(metadata))
            return _add(storage, pool, takes=pool.size + 2 * pool.metadata)
        case (
            "--type",
            "linear",
            "--size",
            size,
            "--wipesignatures",
            "y",
            "--yes",
            "--addtag",
            tag,
            "--name",
            name,
            group,
        ):
            return _add(storage, SimVolume(group, name, _bytes(size), tags={tag}), takes=_bytes(size))
        case ("--type", "thin", "--virtualsize", size, "--thinpool", pool, "--addtag", tag, "--name", name, group):
            inside = storage.volumes.get((group, pool), SimVolume("", "", 0))
            if not inside.is_pool:
                return failed(f"  Pool logical volume {pool} not found in Volume group {group}.", 5)
            if not _in_order(inside):
                return failed(f"  Cannot create thin volume in pool {group}/{pool}, which does not work.", 5)
            return _add(storage, SimVolume(group, name, _bytes(size), pool=pool, tags={tag}), takes=0)
    return None


def _bytes(text: str) -> int:
    return int(text.removesuffix("b"))


def _add(storage: Storage, volume: SimVolume, takes: int) -> Output:
    group = storage.groups.get(volume.group)
    if group is None:
        return failed(f'  Volume group "{volume.group}" not found', 5)
    if (volume.group, volume.name) in storage.volumes:
        return failed(f'  Logical Volume "{volume.name}" already exists in volume group "{volume.group}"', 5)
    if volume.size % group.extent or volume.metadata % group.extent:
        return failed("  the simulated LVM is given whole extents only", 5)
    if takes > free(storage, group):
        return failed(f'  Volume group "{group.name}" has insufficient free space', 5)
    storage.volumes[volume.group, volume.name] = volume
    group.spare = max(group.spare, volume.metadata)
    return ok(f'  Logical volume "{volume.name}" created.\n')


def _lvextend(storage: Storage, argv: Argv) -> Output | None:
    match argv[1:]:
        case (("--size" | "--poolmetadatasize") as what, size, name):
            group_name, _, volume_name = name.partition("/")
            volume = storage.volumes.get((group_name, volume_name))
            if volume is None:
                return failed(f"  Failed to find logical volume {name}", 5)
            group = storage.groups[group_name]
            now = volume.size if what == "--size" else volume.metadata
            more = _bytes(size) - now
            if more <= 0:
                return failed("  New size given is not larger than existing size", 5)
            takes = 0 if volume.pool else more * (1 if what == "--size" else 2)
            if takes > free(storage, group):
                return failed("  Insufficient free space", 5)
            if what == "--size":
                volume.size += more
            else:
                volume.metadata += more
                group.spare = max(group.spare, volume.metadata)
            return ok(f"  Logical volume {name} successfully resized.\n")
    return None


def _lvchange(storage: Storage, argv: Argv) -> Output | None:
    match argv[1:]:
        case ("--activate", "y", name):
            group, _, volume = name.partition("/")
            storage.volumes[group, volume].active = True
            return OK
        case (("--addtag" | "--deltag") as verb, tag, name):
            group, _, volume = name.partition("/")
            tags = storage.volumes[group, volume].tags
            (tags.add if verb == "--addtag" else tags.discard)(tag)
            return OK
    return None


def _lvremove(storage: Storage, argv: Argv) -> Output | None:
    match argv[1:]:
        case ("--yes", name):
            group, _, volume = name.partition("/")
            found = storage.volumes.get((group, volume))
            if found is None:
                return failed(f"  Failed to find logical volume {name}", 5)
            if found in storage.mounts.values():
                return failed(f"  Logical volume {name} contains a filesystem in use.", 5)
            del storage.volumes[group, volume]
            return ok(f'  Logical volume "{volume}" successfully removed.\n')
    return None


_TOOLS: Mapping[str, Callable[[Storage, Argv], Output | None]] = {
    "pvs": _pvs,
    "vgs": _vgs,
    "lvs": _lvs,
    "vgcreate": _vgcreate,
    "lvcreate": _lvcreate,
    "lvextend": _lvextend,
    "lvchange": _lvchange,
    "lvremove": _lvremove,
}

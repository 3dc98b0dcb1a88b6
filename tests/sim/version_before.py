"""What the version before left behind: hosts and status without any of the identities that are recorded now."""

from collections.abc import Iterable
from typing import Any

from heretic.domain.disks.units import device_unit, timeout_drop_in, unit_description
from sim.block_devices import SimVolume
from sim.host_tools import StorageMachine
from sim.machine import File

_NEW = {
    "disks": ("wwn", "serial", "model", "pvUuid", "vgUuid", "observed"),
    "bricks": ("lvUuid", "filesystemUuid"),
    "peers": ("uuid",),
}
"""Fields of lists in status that the version before did not know."""


def forget_identities(obj: dict[str, Any]) -> None:
    """Makes an object's status what the version before wrote."""
    for items, fields in _NEW.items():
        for item in obj.get("status", {}).get(items, []):
            for field in fields:
                item.pop(field, None)


def leave_hosts(machines: Iterable[StorageMachine]) -> None:
    """Makes hosts what the version before made: no tags, filesystems by chance, mounts by name."""
    for machine in machines:
        for group in machine.storage.groups.values():
            group.tags.clear()
        for target, volume in machine.storage.mounts.items():
            assert volume.filesystem
            volume.filesystem.uuid = f"{volume.filesystem.uuid[:-4]}0000"
            _mount_by_name(machine, target, volume)
        machine.host.systemd.reload(machine)


def _mount_by_name(machine: StorageMachine, target: str, volume: SimVolume) -> None:
    units = [n for n, f in machine.files.items() if n.endswith(".mount") and f"Where={target}\n" in f.content]
    (name,) = units
    device = volume.paths[1]
    lines = {"Description": unit_description(target), "What": device}
    kept = [f"{key}={lines.get(key, rest)}" if sign else key for key, sign, rest in _lines(machine.files[name])]
    machine.files[name] = File("\n".join(kept) + "\n")
    machine.files[f"/etc/systemd/system/{device_unit(device)}.d/heretic.conf"] = File(timeout_drop_in())


def _lines(unit: File) -> list[tuple[str, str, str]]:
    return [line.partition("=") for line in unit.content.splitlines()]

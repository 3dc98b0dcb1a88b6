"""What people do to the disks of simulated hosts behind everybody's back."""

from dataclasses import dataclass, replace

from sim.block_devices import SimDisk, SimGroup, SimVolume
from sim.host_tools import StorageMachine


@dataclass(frozen=True)
class Pulled:
    """A disk in somebody's hand."""

    disk: SimDisk
    groups: dict[str, SimGroup]
    volumes: dict[tuple[str, str], SimVolume]


def pull(machine: StorageMachine, name: str) -> Pulled:
    """Takes a data disk out of a host that is off, with all that lies on it.

    Returns:
        What ``plug`` takes.
    """
    storage = machine.storage
    disk = storage.disks.pop(name)
    groups = {g.name: storage.groups.pop(g.name) for g in list(storage.groups.values()) if g.name == disk.group}
    volumes = {key: storage.volumes.pop(key) for key in list(storage.volumes) if key[0] in groups}
    for target in [t for t, v in storage.mounts.items() if v in volumes.values()]:
        del storage.mounts[target]
    return Pulled(disk, groups, volumes)


def plug(machine: StorageMachine, pulled: Pulled, name: str) -> None:
    """Puts a disk into a host, where the kernel gives it a name."""
    pulled.disk.name = name
    machine.storage.disks[name] = pulled.disk
    machine.storage.groups.update(pulled.groups)
    machine.storage.volumes.update(pulled.volumes)


def swap(one: StorageMachine, other: StorageMachine, name: str = "sdb") -> None:
    """Swaps the data disks of two hosts, and boots both."""
    first, second = pull(one, name), pull(other, name)
    plug(one, second, name)
    plug(other, first, name)
    one.reboot()
    other.reboot()


def lose_label(machine: StorageMachine, name: str = "sdb") -> None:
    """What ``wipefs --all`` does to a disk whose volumes are not active."""
    pulled = pull(machine, name)
    plug(machine, Pulled(pulled.disk, {}, {}), name)
    disk = machine.storage.disks[name]
    disk.signature, disk.pv_uuid, disk.group = "", "", ""


def share(of: StorageMachine, to: StorageMachine, name: str = "sdb", as_name: str = "sdz") -> None:
    """Lets a second host see a blank disk of the first one."""
    to.storage.disks[as_name] = replace(of.storage.disks[name], name=as_name)

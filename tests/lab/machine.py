"""One virtual machine as a QEMU process: its hardware, starting and killing it, its saved states."""

import contextlib
import json
import os
import select
import signal
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.accel import QEMU, Acceleration
from lab.disks import Disk
from lab.errors import LabError
from lab.identity import Identity
from lab.image import Image
from lab.network import Network
from lab.qmp import Monitor, connect
from lab.shell import run
from lab.spec import NodeSpec

OS_DISK = "os"
_NIC_SLOTS = (*range(0x3, 0xA), *range(0xD, 0x10))
"""Places on the PCI bus, beside those of the other devices."""


@dataclass(frozen=True)
class Machine:
    """The machine of one node. Everything about it can be asked at any time, from any process."""

    identity: Identity
    spec: NodeSpec
    disks: tuple[Disk, ...]
    folder: Path
    run_folder: Path
    network: Network

    @property
    def name(self) -> str:
        return self.identity.name

    @property
    def nics(self) -> tuple[str, ...]:
        """Names of its NICs, in their order in the machine: eth0, eth1 …"""
        return tuple(self.identity.site.cables(self.identity.number))

    @property
    def os_disk(self) -> Path:
        return self.folder / "os.qcow2"

    @property
    def console(self) -> Path:
        return self.folder / "console.log"

    @property
    def _pid_file(self) -> Path:
        return self.run_folder / f"{self.name}.pid"

    @property
    def _socket(self) -> Path:
        return self.run_folder / f"{self.name}.qmp"

    @property
    def pid(self) -> int | None:
        """The running QEMU's process id; None when the machine is powered off."""
        return find_process(str(self._pid_file))

    def start(
        self,
        image: Image,
        acceleration: Acceleration,
        *,
        plugged: Collection[str] | None = None,
        paused: bool = False,
    ) -> None:
        """Power on, with all data disks or only some of them plugged in."""
        if self.pid is not None:
            return
        self.run_folder.mkdir(parents=True, exist_ok=True)
        identity = self.run_folder / f"{self.name}.identity"
        identity.touch(mode=0o600)
        identity.write_bytes(self.identity.archive())
        arguments = [
            *("-name", f"guest={self.name}", "-pidfile", self._pid_file, "-daemonize"),
            *("-no-user-config", *self._board(image), *acceleration.arguments),
            *("-fw_cfg", f"name=opt/org.heretic/identity,file={identity}"),
            *("-qmp", f"unix:{self._socket},server=on,wait=off"),
            *("-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console"),
            *(argument for block in self._blocks() for argument in ("-blockdev", json.dumps(block))),
            *(argument for device in self._devices(plugged) for argument in ("-device", json.dumps(device))),
        ]
        for nic in self.nics:
            tap = self.network.tap(self.name, nic)
            arguments += ["-netdev", f"tap,id={nic},ifname={tap},script=no,downscript=no,vhost=off"]
        run([*self.network.command(), QEMU, *arguments, *(["-S"] if paused else [])])
        for nic in self.nics:
            if not self.network.is_plugged(self.name, nic):
                self.set_carrier(nic, on=False)

    def kill(self) -> None:
        """Cut the power: nothing that the guest has not written to its disk yet gets there."""
        pid = self.pid
        if pid is not None:
            kill_process(pid)

    def wait_off(self, timeout: float) -> None:
        """Return when the guest has switched the machine off."""
        pid = self.pid
        if pid is not None and not _gone_within(pid, timeout):
            raise LabError(f"{self.name} has not switched itself off within {timeout:.0f} s; see {self.console}")

    def monitor(self) -> Any:  # a context manager of Monitor
        return connect(self._socket)

    def plugged(self, monitor: Monitor) -> set[str]:
        """The data disks that the guest can see."""
        present = {entry["name"] for entry in monitor.execute("qom-list", path="/machine/peripheral")}
        return {disk.name for disk in self.disks if _device_id(disk.name) in present}

    def plug(self, monitor: Monitor, disk: Disk) -> None:
        monitor.execute("device_add", **self._disk_device(disk))

    def forget_blocks(self, monitor: Monitor, disk: Disk) -> None:
        """Let QEMU close the image of a disk that is not plugged in."""
        for block in reversed(disk.blocks()):
            monitor.execute("blockdev-del", **{"node-name": block["node-name"]})

    def add_blocks(self, monitor: Monitor, disk: Disk) -> None:
        """Let QEMU open it, as the disk is now."""
        for block in disk.blocks():
            monitor.execute("blockdev-add", **block)

    def unplug(self, monitor: Monitor, disk: Disk) -> None:
        monitor.execute("device_del", id=_device_id(disk.name))
        monitor.wait_event("DEVICE_DELETED", timeout=60, device=_device_id(disk.name))

    def set_carrier(self, nic: str, *, on: bool) -> None:
        with self.monitor() as monitor:
            monitor.execute("set_link", name=nic, up=on)

    def save(self, monitor: Monitor, tag: str, disks: Collection[str]) -> None:
        """Save memory, devices and these disks under a tag, into the disks' own files."""
        monitor.job("snapshot-save", tag=tag, vmstate=OS_DISK, devices=[OS_DISK, *disks])

    def load(self, monitor: Monitor, tag: str, disks: Collection[str]) -> None:
        monitor.job("snapshot-load", tag=tag, vmstate=OS_DISK, devices=[OS_DISK, *disks])

    def hardware(self, image: Image) -> str:
        """What a state saved without data disks depends on."""
        return json.dumps([[str(argument) for argument in self._board(image)], self._devices(())])

    def _board(self, image: Image) -> list[str | Path]:
        # norandmaps: a library that is at another address in each process is translated for each again (57 s to SSH
        # instead of 40, and everything after it likewise).
        command_line = (
            f"{image.root_argument} ro net.ifnames=0 console=ttyS0 fsck.mode=skip mitigations=off apparmor=0 audit=0 "
            "norandmaps "
            f"systemd.machine_id={self.identity.machine_id} systemd.hostname={self.name}"
        )
        return [
            *("-nodefaults", "-display", "none", "-machine", "pc", "-rtc", "base=utc"),
            *("-m", f"{self.spec.memory_mib}M", "-smp", f"{self.spec.cpus}"),
            *("-kernel", image.kernel, "-initrd", image.initrd, "-append", command_line),
        ]

    def _blocks(self) -> list[dict[str, Any]]:
        system = {
            "driver": "qcow2",
            "node-name": OS_DISK,
            "discard": "unmap",
            "cache": {"no-flush": True},
            "file": {"driver": "file", "filename": str(self.os_disk)},
        }
        return [system, *(block for disk in self.disks for block in disk.blocks())]

    def _devices(self, plugged: Collection[str] | None) -> list[dict[str, Any]]:
        """Every device has its place, so that a state can be loaded into a machine that was put together otherwise."""
        devices: list[dict[str, Any]] = [
            {"driver": "virtio-blk-pci", "drive": OS_DISK, "serial": "LAB-OS", "addr": "0xb"},
            {"driver": "virtio-scsi-pci", "id": "scsi", "addr": "0xa"},
            {"driver": "virtio-rng-pci", "addr": "0xc"},
            # Tells the guest's random number generator that it wakes up as a copy.
            {"driver": "vmgenid", "guid": "auto"},
        ]
        for slot, nic in zip(_NIC_SLOTS, self.nics, strict=False):
            mac = self.identity.mac(nic)
            device = {"driver": "virtio-net-pci", "netdev": nic, "mac": mac, "addr": hex(slot), "romfile": ""}
            devices.append({"id": f"nic-{nic}", **device})
        disks = [disk for disk in self.disks if plugged is None or disk.name in plugged]
        return devices + [self._disk_device(disk) for disk in disks]

    def _disk_device(self, disk: Disk) -> dict[str, Any]:
        position = [other.name for other in self.disks if other.spec.bus == disk.spec.bus].index(disk.name)
        sectors = {"logical_block_size": disk.spec.sector, "physical_block_size": disk.spec.sector}
        device: dict[str, Any] = {"id": _device_id(disk.name), "drive": disk.name, **sectors}
        if disk.serial is not None:
            device["serial"] = disk.serial
        if disk.spec.shared:
            device["share-rw"] = True
        match disk.spec.bus:
            case "scsi":
                device |= {"driver": "scsi-hd", "bus": "scsi.0", "scsi-id": position, "lun": 0}
                device["rotation_rate"] = 7200 if disk.spec.rotational else 1
                if disk.wwn is not None:
                    device["wwn"] = disk.wwn
            case "nvme":
                device |= {"driver": "nvme", "bus": "pci.0", "addr": hex(0x18 + position)}
            case "virtio":
                device |= {"driver": "virtio-blk-pci", "bus": "pci.0", "addr": hex(0x10 + position)}
        return device


def _device_id(disk: str) -> str:
    return f"disk-{disk}"


def find_process(pid_file: str) -> int | None:
    """The QEMU that was started with this pid file, found by its command line: pid files outlive their process."""
    wanted = pid_file.encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if b"-pidfile" in arguments and wanted in arguments and arguments[0].endswith(QEMU.encode()):
                return int(entry.name)
    return None


def kill_process(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    if not _gone_within(pid, 10):
        raise LabError(f"QEMU (pid {pid}) is still there 10 s after it was killed")


def _gone_within(pid: int, seconds: float) -> bool:
    """Wait for the end of a process that need not be our child, until it has let go of its files, too."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)

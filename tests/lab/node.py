"""One node of a running site: what a test or a person does to it, and what can go wrong with it on purpose."""

import subprocess
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lab.accel import choose
from lab.disks import Disk, Part
from lab.errors import LabError
from lab.identity import keys_folder
from lab.image import ensure
from lab.machine import Machine
from lab.platforms import named
from lab.spec import NetworkName
from lab.ssh import Access

# Sixty times what it takes with nothing else running: continuous integration machines are shared.
BOOT_TIMEOUT = 1800.0


@dataclass(frozen=True)
class Node:
    """A handle without state of its own: two of them for the same node, in two processes, agree."""

    machine: Machine
    access: Access

    @property
    def name(self) -> str:
        return self.machine.name

    @property
    def address(self) -> str:
        """On the management network."""
        return self.machine.identity.site.address("mgmt", self.machine.identity.number)

    @property
    def storage_address(self) -> str:
        """On the Gluster network."""
        return self.machine.identity.site.address("gluster", self.machine.identity.number)

    @cached_property
    def host_key(self) -> str:
        """The public host key to pin: `ssh-ed25519 AAAA… node1`."""
        return (keys_folder() / f"{self.name}_host_key.pub").read_text().strip()

    @property
    def disks(self) -> dict[str, Disk]:
        """The data disks by name."""
        return {disk.name: disk for disk in self.machine.disks}

    @property
    def running(self) -> bool:
        """Powered on; it may be paused, booting or hung."""
        return self.machine.pid is not None

    @property
    def console(self) -> Path:
        """What the kernel and systemd have printed on the serial console since the site came up."""
        return self.machine.console

    # -- ordinary life

    def ssh(
        self, command: str, *, user: str = "root", stdin: str = "", check: bool = True, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root, or as `heretic` (sudo without password); a LabError if it fails."""
        return self.access.run(command, user=user, stdin=stdin, check=check, timeout=timeout)

    def wait_ssh(self, timeout: float = BOOT_TIMEOUT) -> None:
        """Return when it is possible to log in.

        Each attempt costs the node a process: one that is too busy to greet in time is asked more and more patiently,
        or the attempts alone would keep it busy.
        """
        deadline = time.monotonic() + timeout
        patience = 2.0
        while not self.access.can_login(patience):
            if not self.running:
                raise LabError(f"{self.name} is powered off; its console says why: {self.console}")
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} ({self.address}) does not answer SSH; see its console {self.console}")
            patience = min(patience * 1.5, 60.0)
            time.sleep(0.3)

    def reboot(self, timeout: float = BOOT_TIMEOUT) -> None:
        """Restart it in an orderly way, and wait until it is back."""
        before = self.boot_id()
        self.ssh("systemctl reboot", check=False)
        deadline = time.monotonic() + timeout
        patience = 2.0
        while time.monotonic() < deadline:
            patience = min(patience * 1.2, 60.0)
            if self.access.answers(patience):
                now = self.ssh("cat /proc/sys/kernel/random/boot_id", check=False).stdout.strip()
                if now not in ("", before):
                    return
            time.sleep(0.5)
        raise LabError(f"{self.name} is not back {timeout:.0f} s after a reboot; see its console {self.console}")

    def shutdown(self, timeout: float = 120) -> None:
        """Switch it off in an orderly way."""
        self.ssh("systemctl poweroff", check=False)
        self.machine.wait_off(timeout)

    def power_on(self, *, wait: bool = True) -> None:
        """Boot it with the disks it had; all data disks are plugged in again."""
        image = ensure(named(self.machine.identity.site.platform), self.machine.identity.site.installed)
        self.machine.start(image, choose(image))
        if wait:
            self.wait_ssh()

    def boot_id(self) -> str:
        """Differs after each boot."""
        return self.ssh("cat /proc/sys/kernel/random/boot_id").stdout.strip()

    # -- things that go wrong

    def power_cut(self) -> None:
        """Pull the plug. Data that the guest had not flushed is lost, as on a real host."""
        self.machine.kill()

    def pause(self) -> None:
        """Freeze the whole machine: connections stay open and nothing answers any more.

        Its clock stands still, too, and is behind afterwards: `skew_clock(0)` sets it right.
        """
        with self.machine.monitor() as monitor:
            monitor.execute("stop")

    def resume(self) -> None:
        with self.machine.monitor() as monitor:
            monitor.execute("cont")

    def cut_cable(self, nic: str, *, carrier: bool = False) -> None:
        """Pull the cable of a NIC, which has its network's name or is port1, port2 …

        With `carrier` the link stays up and frames are lost, as with a broken switch.
        """
        self.machine.network.set_cable(self.name, nic, plugged=False)
        if not carrier and self.running:
            self.machine.set_carrier(nic, on=False)

    def join_cable(self, nic: str) -> None:
        self.machine.network.set_cable(self.name, nic, plugged=True)
        if self.running:
            self.machine.set_carrier(nic, on=True)

    def move_cable(self, nic: str, network: NetworkName) -> None:
        """Plug the cable of a NIC into another network's switch; the link goes down for a moment, as it does then."""
        self.cut_cable(nic)
        self.machine.network.move_cable(self.name, nic, network)
        self.join_cable(nic)

    def skew_clock(self, seconds: float) -> None:
        """Put the node's clock that far from this machine's; 0 sets it right."""
        self.access.set_clock(seconds)

    def pull_disk(self, name: str) -> None:
        """Take a disk out of the running machine."""
        with self.machine.monitor() as monitor:
            if name in self.machine.plugged(monitor):
                self.machine.unplug(monitor, self._disk(name))

    def insert_disk(self, name: str) -> None:
        """Put it back in."""
        with self.machine.monitor() as monitor:
            if name not in self.machine.plugged(monitor):
                self.machine.plug(monitor, self._disk(name))

    def damage_disk(self, name: str, *parts: Part) -> None:
        """Make parts of a disk unreadable, or all readable again; a running machine loses it for a moment."""
        disk = self._disk(name)
        nature = disk.nature.model_copy(update={"unreadable": parts})
        if not self.running:
            disk.become(nature)
            return
        self.pull_disk(name)
        with self.machine.monitor() as monitor:
            self.machine.forget_blocks(monitor, disk)
            disk.become(nature)
            self.machine.add_blocks(monitor, disk)
            self.machine.plug(monitor, disk)

    def checksum(self, disk: str) -> str:
        """A hash of all that the guest could read from a disk: equal if and only if nothing was changed.

        Works while the node runs, which is paused meanwhile. What still sits in the guest's memory is not counted:
        `ssh("sync")` first, where that matters.
        """
        if not self.running:
            return self._disk(disk).checksum(in_use=False)
        with self.machine.monitor() as monitor:
            was_running = monitor.execute("query-status")["running"]
            monitor.execute("stop")  # also writes out what QEMU holds back
            try:
                return self._disk(disk).checksum(in_use=True)
            finally:
                if was_running:
                    monitor.execute("cont")

    def _disk(self, name: str) -> Disk:
        try:
            return self.disks[name]
        except KeyError:
            raise LabError(f"{self.name} has no disk {name!r}; it has {', '.join(self.disks)}") from None

"""A whole lab site: its machines and networks, brought up, saved, restored and removed together."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from lab import booted, snapshots
from lab.accel import RUN_FOLDER, choose
from lab.cache import cache_dir, locked
from lab.disks import Disk, swap
from lab.errors import LabError
from lab.identity import Identity, keys_folder
from lab.image import ensure
from lab.machine import Machine, find_process, kill_process
from lab.network import Network
from lab.node import Node
from lab.platforms import named
from lab.shell import require_programs, require_root, timed
from lab.spec import MAX_NODES, SiteSpec
from lab.ssh import Access


def default_state_dir() -> Path:
    """Where a site's disks live unless told otherwise: $HERETIC_LAB_STATE, or beside the cached images."""
    chosen = os.environ.get("HERETIC_LAB_STATE")
    return Path(chosen).absolute() if chosen else cache_dir() / "lab-site"


class Site:
    """A site in a state folder. All state is there and in the kernel: any process can pick the site up."""

    def __init__(self, spec: SiteSpec | None = None, state_dir: Path | None = None) -> None:
        self.state_dir = (state_dir or default_state_dir()).absolute()
        self.spec = spec or SiteSpec.uniform()
        # Socket paths and interface names must be short, state folders need not be.
        self.id = hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:6]
        self.run_folder = RUN_FOLDER / self.id
        self.network = Network(self.id)

    @classmethod
    def open(cls, state_dir: Path | None = None) -> "Site":
        """The site that is in the folder already."""
        opened = cls(state_dir=state_dir)
        saved = opened._saved_spec()
        if saved is None:
            raise LabError(f"there is no site in {opened.state_dir}; `python -m lab up` makes one")
        return cls(saved, opened.state_dir)

    @classmethod
    def exists(cls, state_dir: Path | None = None) -> bool:
        """Whether there is a site in the folder."""
        return cls(state_dir=state_dir)._saved_spec() is not None

    @cached_property
    def nodes(self) -> dict[str, Node]:
        return {name: self._node(number) for number, name in enumerate(self.spec.names, start=1)}

    @property
    def key(self) -> Path:
        """The private SSH key that opens all nodes, for root and for heretic."""
        return self.state_dir / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.state_dir / "known_hosts"

    # -- life

    def up(self) -> None:
        """Bring everything up that is not; nothing to do when all of it is."""
        require_root()
        require_programs("qemu-system-x86_64", "qemu-img", "ip", "nsenter", "ssh", "ssh-keygen", "mke2fs")
        with self._locked():
            saved = self._saved_spec()
            if saved is not None and saved != self.spec:
                raise LabError(f"the site in {self.state_dir} was made from another spec; `down` it first")
            if saved is not None and self.network.exists and all(node.running for node in self.nodes.values()):
                self.each(self._bring_up)
                return
            image = ensure(named(self.spec.platform), self.spec.installed)
            choose(image)
            with timed(f"bringing up {len(self.nodes)} nodes"):
                self.network.up(self.spec)
                self._write_state()
                for disk in self._disks():
                    if not disk.file.exists():
                        disk.create()
                self.each(self._bring_up)

    def down(self) -> None:
        """Remove everything: processes, networks, disks. Also what a crash has left, also twice."""
        require_root()
        with self._locked():
            for number in range(1, MAX_NODES + 1):
                pid = find_process(str(self.run_folder / f"node{number}.pid"))
                if pid is not None:
                    kill_process(pid)
            self.network.down()
            shutil.rmtree(self.run_folder, ignore_errors=True)
            shutil.rmtree(self.state_dir / "nodes", ignore_errors=True)
            for name in ("site.json", "snapshots.json", "id_ed25519", "id_ed25519.pub", "known_hosts"):
                (self.state_dir / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # somebody else's files are in it, or it was never made
                self.state_dir.rmdir()

    @contextlib.contextmanager
    def running(self) -> Iterator["Site"]:
        """Up inside the `with`, gone after it."""
        try:
            self.up()
            yield self
        finally:
            self.down()

    def reset(self) -> None:
        """Back to freshly installed and booted nodes with their original disks, in seconds."""
        with self._locked(), timed("resetting the site"):
            self._power_cut_all()
            self._bring_disks_home()
            for disk in self._disks():
                disk.renew()
            self.each(self._renew)

    def swap_disks(self, first: tuple[str, str], second: tuple[str, str]) -> None:
        """Let two disks, each named by node and name, change places, with all that is on them and all their names.

        Both nodes must be off. `reset` and `restore` put them back.
        """
        with self._locked():
            disks = [self.nodes[node].disks[name] for node, name in (first, second)]
            for node, _ in (first, second):
                if self.nodes[node].running:
                    raise LabError(f"{node} is on, and its disks are screwed in: shut it down first")
            (one, other) = (disk.spec for disk in disks)
            if one.shared or other.shared or (one.bus, one.sector) != (other.bus, other.sector):
                raise LabError("only disks of the same bus and sector size change places, and none that is shared")
            swap(*disks)

    # -- saved states

    def snapshot(self, tag: str, *, cold: bool = False) -> None:
        """Save the whole site as it is now: memory, devices, disks, in about a second.

        QEMU cannot save a machine that has an NVMe disk, so these are pulled out for the moment of saving; that is
        refused where one is in use. A `cold` snapshot shuts the nodes down instead, and boots them afterwards.
        """
        with self._locked(), timed(f"saving the site as {tag!r}"):
            if any(disk.spec.shared or (disk.nature.home, disk.nature.slot) != disk.place for disk in self._disks()):
                raise LabError("a site with a shared disk, or with disks that are not in their places, cannot be saved")
            states = snapshots.save(self.state_dir, list(self.nodes.values()), tag, cold=cold)
            self.each(lambda node: node.power_on() if states[node.name].boot else None)

    def restore(self, tag: str) -> None:
        """Back to a saved state, whatever has happened since; cables are plugged in, clocks are right."""
        with self._locked(), timed(f"restoring the site to {tag!r}"):
            states = snapshots.states(self.state_dir, tag)
            self._power_cut_all()
            self._bring_disks_home()
            image = ensure(named(self.spec.platform), self.spec.installed)
            acceleration = choose(image)
            self.each(lambda node: snapshots.restore(node, tag, states[node.name], image, acceleration))

    # -- how

    def _node(self, number: int) -> Node:
        spec = self.spec.nodes[number - 1]
        identity = Identity(self.spec, number)
        folder = self.state_dir / "nodes" / identity.name
        disks = tuple(
            Disk(disk, number, folder.parent / "shared" / f"{disk.name}.raw")
            if disk.shared
            else Disk(disk, number, folder / f"{disk.name}.qcow2")
            for disk in spec.disks
        )
        machine = Machine(identity, spec, disks, folder, self.run_folder, self.network)
        address = self.spec.address("mgmt", number)
        return Node(machine, Access(identity.name, address, self.key, self.known_hosts))

    def _bring_up(self, node: Node) -> None:
        machine = node.machine
        if node.running:
            # An `up` that was interrupted may have left it waiting, or without its disks.
            with machine.monitor() as monitor:
                for name in sorted(set(node.disks) - machine.plugged(monitor)):
                    machine.plug(monitor, node.disks[name])
                monitor.execute("cont")
            node.wait_ssh()
            return
        machine.folder.mkdir(parents=True, exist_ok=True)
        image = ensure(named(self.spec.platform), self.spec.installed)
        acceleration = choose(image)
        if machine.os_disk.exists():
            node.power_on()
        elif booted.wanted():
            booted.provide(node, image, acceleration)
            snapshots.wake(node, booted.TAG, (), image, acceleration)
        else:
            booted.new_os_disk(machine, image)
            node.power_on()

    def _renew(self, node: Node) -> None:
        image = ensure(named(self.spec.platform), self.spec.installed)
        if booted.has_state(node.machine):
            snapshots.wake(node, booted.TAG, (), image, choose(image))
        else:
            booted.new_os_disk(node.machine, image)
            node.power_on()

    def _disks(self) -> list[Disk]:
        """All data disks, a shared one once."""
        return list({disk.file: disk for node in self.nodes.values() for disk in node.machine.disks}.values())

    def _bring_disks_home(self) -> None:
        places = {disk.place: disk for disk in self._disks()}
        for place, disk in places.items():
            while (away := (disk.nature.home, disk.nature.slot)) != place:
                swap(disk, places[away])

    def _power_cut_all(self) -> None:
        for node in self.nodes.values():
            node.power_cut()
            for nic, network in self.spec.cables(node.machine.identity.number).items():
                node.machine.network.move_cable(node.name, nic, network)
                node.join_cable(nic)

    def each(self, action: Callable[[Node], None]) -> None:
        """Do it to all nodes at once; the first failure is raised when all have ended."""
        with ThreadPoolExecutor(max_workers=len(self.nodes)) as pool:
            for future in [pool.submit(action, node) for node in self.nodes.values()]:
                future.result()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One change of the site at a time, from whatever process."""
        with locked(RUN_FOLDER / f".{self.id}.lock"):
            yield

    def _saved_spec(self) -> SiteSpec | None:
        try:
            return SiteSpec.model_validate_json((self.state_dir / "site.json").read_text())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise LabError(
                f"the site in {self.state_dir} is of another version of the lab; `down` it: {error}"
            ) from None

    def _write_state(self) -> None:
        self.state_dir.mkdir(parents=True, exist_ok=True)
        keys = keys_folder()
        shutil.copy(keys / "id_ed25519", self.key)
        shutil.copy(keys / "id_ed25519.pub", self.state_dir)
        lines = (f"{node.address} {node.host_key}" for node in self.nodes.values())
        self.known_hosts.write_text("\n".join(lines) + "\n")
        (self.state_dir / "site.json").write_text(self.spec.model_dump_json(indent=1))

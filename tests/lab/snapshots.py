"""Saving machines with their memory, and waking them up again.

A saved state lives inside the qcow2 files of a machine's disks; which were plugged in is written down beside them.
A machine is always woken up in a new QEMU process: that works whatever became of the old one, and of its devices.
"""

import json
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import BaseModel

from lab.accel import Acceleration
from lab.disks import Disk
from lab.errors import LabError
from lab.image import Image
from lab.node import Node
from lab.shell import run

# The one kind of device here that QEMU refuses to save.
_UNSAVABLE = "nvme"


class State(BaseModel):
    """What is known of one node in a saved state of the site."""

    running: bool
    """With its memory; otherwise only its disks were saved."""
    boot: bool = False
    """It was shut down for the occasion, and is to be booted after restoring."""
    plugged: frozenset[str] = frozenset()


def save(folder: Path, nodes: Sequence[Node], tag: str, *, cold: bool) -> dict[str, State]:
    """Save all nodes under the tag, at the same instant as far as possible; replaces an older one of that name."""
    if not tag.replace("-", "").isalnum() or tag in ("booted", "new"):
        raise LabError(f"{tag!r} cannot name a snapshot: letters, digits and dashes; not 'booted', not 'new'")
    with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
        was_running = {node.name: node.running for node in nodes}
        running = [node for node in nodes if node.running and not cold]
        if cold:
            list(pool.map(lambda node: node.shutdown() if node.running else None, nodes))
        list(pool.map(_refuse_used, running))
        plugged = dict(zip((node.name for node in running), pool.map(_plugged, running), strict=True))
        try:
            list(pool.map(_unplug_unsavable, running))
            list(pool.map(lambda node: node.pause(), running))
            list(pool.map(lambda node: _save_one(node, tag), nodes))
        finally:
            list(pool.map(lambda node: _go_on(node, plugged[node.name]), running))
    known = _read(folder)
    known[tag] = {
        node.name: State(
            running=was_running[node.name] and not cold,
            boot=was_running[node.name] and cold,
            plugged=plugged.get(node.name, frozenset()),
        )
        for node in nodes
    }
    content = {name: {node: state.model_dump(mode="json") for node, state in by.items()} for name, by in known.items()}
    (folder / "snapshots.json").write_text(json.dumps(content, indent=1))
    return known[tag]


def states(folder: Path, tag: str) -> dict[str, State]:
    known = _read(folder)
    if tag not in known:
        raise LabError(f"no snapshot {tag!r}; there are: {', '.join(known) or 'none'}")
    return known[tag]


def restore(node: Node, tag: str, state: State, image: Image, acceleration: Acceleration) -> None:
    """Bring one node, which is powered off, back to what it was."""
    if state.running:
        wake(node, tag, state.plugged, image, acceleration, disks=tuple(node.disks))
        return
    for file in _files(node):
        run(["qemu-img", "snapshot", "-a", tag, file])
    if state.boot:
        node.power_on()


def wake(
    node: Node,
    tag: str,
    plugged: Collection[str],
    image: Image,
    acceleration: Acceleration,
    *,
    disks: Collection[str] | None = None,
) -> None:
    """Start a machine in a saved state, and return when it can be logged in to, with its disks and the right time.

    Without `disks` the state has only the OS disk in it: the data disks stay as they are, and all get plugged in.
    """
    machine = node.machine
    wanted = set(node.disks) if disks is None else set(plugged)
    saved = {name for name in plugged if node.disks[name].spec.bus != _UNSAVABLE}
    machine.start(image, acceleration, plugged=saved, paused=True)
    with machine.monitor() as monitor:
        machine.load(monitor, tag, disks or ())
        for name in sorted(wanted - saved):
            machine.plug(monitor, node.disks[name])
        monitor.execute("cont")
    _wait_awake(node, len(wanted))


def _wait_awake(node: Node, disks: int) -> None:
    """Set the clock right and wait for the disks, which the guest takes seconds to find; all in one login.

    Nothing is asked of a waking guest before that: each attempt to connect costs an emulated processor a second.
    """
    script = (
        f"for i in $(seq 150); do test $(lsblk -dno TYPE | grep -c disk) -gt {disks} && break; sleep 0.2; done; "
        "udevadm settle; lsblk -dno NAME,TYPE"
    )
    try:
        seen = node.access.set_clock(0, then=script)
    except LabError:
        node.wait_ssh()
        seen = node.access.set_clock(0, then=script)
    if seen.count(" disk") < disks + 1:
        raise LabError(f"{node.name} should see {disks} data disks beside its OS disk, and sees:\n{seen}")


def _save_one(node: Node, tag: str) -> None:
    if node.running:
        with node.machine.monitor() as monitor:
            monitor.job("snapshot-delete", tag=tag, devices=["os", *node.disks])
            node.machine.save(monitor, tag, tuple(node.disks))
        return
    for file in _files(node):
        listed = run(["qemu-img", "snapshot", "-l", file])
        if f" {tag} " in listed:
            run(["qemu-img", "snapshot", "-d", tag, file])
        run(["qemu-img", "snapshot", "-c", tag, file])


def _files(node: Node) -> list[Path]:
    return [node.machine.os_disk, *(disk.file for disk in node.disks.values())]


def _unsavable(node: Node) -> list[Disk]:
    return [disk for disk in node.machine.disks if disk.spec.bus == _UNSAVABLE]


def _refuse_used(node: Node) -> None:
    for disk in _unsavable(node):
        listed = node.ssh(f"lsblk -nro TYPE,MOUNTPOINTS {disk.by_id}", check=False).stdout.split()
        if set(listed) - {"disk", "part"}:
            raise LabError(
                f"{node.name} uses its NVMe disk {disk.name}, and QEMU cannot save a machine with one plugged in: "
                "take a cold snapshot"
            )


def _plugged(node: Node) -> frozenset[str]:
    with node.machine.monitor() as monitor:
        return frozenset(node.machine.plugged(monitor))


def _unplug_unsavable(node: Node) -> None:
    with node.machine.monitor() as monitor:
        present = node.machine.plugged(monitor)
        for disk in _unsavable(node):
            if disk.name in present:
                node.machine.unplug(monitor, disk)


def _go_on(node: Node, plugged: frozenset[str]) -> None:
    with node.machine.monitor() as monitor:
        for name in sorted(plugged - node.machine.plugged(monitor)):
            node.machine.plug(monitor, node.disks[name])
        monitor.execute("cont")


def _read(folder: Path) -> dict[str, dict[str, State]]:
    try:
        content = json.loads((folder / "snapshots.json").read_text())
    except FileNotFoundError:
        return {}
    return {tag: {node: State.model_validate(state) for node, state in by.items()} for tag, by in content.items()}

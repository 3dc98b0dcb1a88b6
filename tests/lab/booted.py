"""Booted nodes, kept: a node that was booted once is copied with its memory, and is there within a second.

Kept is a node without data disks, as they can be plugged in afterwards. So the same few nodes serve every site,
whatever its disks and its size. They are found by a hash of all that is in them or that they depend on, and are never
changed.
"""

import hashlib
import os
from pathlib import Path

from lab.accel import Acceleration, qemu_version
from lab.cache import cache_dir, cached_folder
from lab.image import Image
from lab.machine import Machine
from lab.network import UPLINK_MAC
from lab.node import BOOT_TIMEOUT, Node
from lab.platforms import named
from lab.shell import run, say, timed

TAG = "booted"
# Raise it when the hardware or the way to the saved state changes.
_VERSION = 1


def wanted() -> bool:
    return os.environ.get("HERETIC_LAB_BOOTED", "1") != "0"


def key(machine: Machine, image: Image, acceleration: Acceleration) -> str:
    """What a saved machine depends on, in a few digits."""
    parts = (
        _VERSION,
        image.disk,  # the overlay names its base by path
        qemu_version(),
        acceleration.fingerprint,
        machine.hardware(image),
        machine.identity.archive(),
        UPLINK_MAC,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def folder_name(machine: Machine, made_of: str) -> str:
    """Name in the cache of a booted node."""
    return named(machine.identity.site.platform).cached(f"booted-{machine.name}", made_of)


def provide(node: Node, image: Image, acceleration: Acceleration) -> None:
    """Give the machine an OS disk with a saved, booted state in it; boot it for that if nobody has yet."""

    machine = node.machine

    def boot(folder: Path) -> None:
        with timed(f"first boot of {machine.name}, kept for later runs", expect="30 s, three at once 60 s"):
            new_os_disk(machine, image)
            try:
                machine.start(image, acceleration, plugged=())
                node.wait_ssh()
                node.ssh("systemctl is-system-running --wait; sync", check=False, timeout=BOOT_TIMEOUT)
                with machine.monitor() as monitor:
                    monitor.execute("stop")
                    machine.save(monitor, TAG, ())
                    monitor.execute("quit")  # in an orderly way: the file is complete
                machine.wait_off(30)
            except BaseException:  # on Ctrl-C too: no machine runs on, and no half-made disk is kept
                machine.kill()
                machine.os_disk.unlink()
                raise
            machine.os_disk.rename(folder / "os.qcow2")

    kept = cached_folder(folder_name(machine, key(machine, image, acceleration)), boot)
    part = machine.os_disk.with_suffix(".part")
    run(["cp", "--reflink=auto", "--sparse=always", kept / "os.qcow2", part])
    part.rename(machine.os_disk)


def new_os_disk(machine: Machine, image: Image) -> None:
    """An OS disk as after the installation: an overlay over the image."""
    machine.os_disk.unlink(missing_ok=True)
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image.disk, machine.os_disk])


def has_state(machine: Machine) -> bool:
    return machine.os_disk.exists() and f" {TAG} " in run(["qemu-img", "snapshot", "-U", "-l", machine.os_disk])


def forget(*, keep: set[str]) -> None:
    """Remove images and booted nodes from the cache, except those folders."""
    for folder in sorted(cache_dir().glob("node-*-*")):
        if folder.is_dir() and folder.name not in keep:
            say(f"removing {folder}")
            run(["rm", "-rf", "--one-file-system", folder])

"""How QEMU runs guests here: with KVM where KVM really works, else by emulation.

/dev/kvm being there says little: on some hosted machines a stock kernel hangs right after the boot ROM. So a kernel is
booted for a few seconds, once for each boot of this machine.
"""

import functools
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.cache import locked
from lab.errors import LabError
from lab.image import Image
from lab.shell import run, say

QEMU = "qemu-system-x86_64"
RUN_FOLDER = Path("/run/heretic-lab")
_PROBE_SECONDS = 10


@dataclass(frozen=True)
class Acceleration:
    """The QEMU arguments, and what a saved machine state depends on."""

    arguments: tuple[str, ...]
    fingerprint: str

    @property
    def emulated(self) -> bool:
        return "kvm" not in self.arguments


# x86-64-v2, as EL9 demands; what newer processors add makes emulation half as fast (28 s to SSH instead of 19 s). Only
# cmpxchg16b is missing: QEMU 7.2 spoiled the flags of one in the kernel's allocator once, and that kernel panicked.
# Translated code beyond tb-size (MiB) is thrown away all at once; three busy hosts had written 256 full each 20 s.
_PROCESSOR = "Nehalem-v1,-cx16"
EMULATION = Acceleration(("-accel", "tcg,thread=multi,tb-size=1024", "-cpu", _PROCESSOR), f"tcg {_PROCESSOR}")


@functools.cache
def qemu_version() -> str:
    return run([QEMU, "--version"]).splitlines()[0]


def choose(image: Image) -> Acceleration:
    """KVM if a kernel gets through its early boot with it; HERETIC_LAB_ACCEL=kvm or tcg skips the test."""
    wanted = os.environ.get("HERETIC_LAB_ACCEL", "")
    if wanted not in ("", "kvm", "tcg"):
        raise LabError(f"HERETIC_LAB_ACCEL is {wanted!r}; it can be kvm or tcg")
    if not wanted:
        wanted = _probed(image)
    return _kvm() if wanted == "kvm" else EMULATION


def _kvm() -> Acceleration:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return Acceleration(("-accel", "kvm", "-cpu", "host"), f"kvm {models[:1]}")


def _probed(image: Image) -> str:
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    answer = RUN_FOLDER / "acceleration"  # /run is empty after a reboot
    with locked(RUN_FOLDER / ".acceleration.lock"):
        if not answer.exists():
            started = time.monotonic()
            works = _kernel_boots(image)
            how = "works" if works else "starts no guest here: emulating instead, which is slower"
            say(f"KVM {how} (tried for {time.monotonic() - started:.0f} s)")
            answer.write_text("kvm" if works else "tcg")
        return answer.read_text()


def _kernel_boots(image: Image) -> bool:
    with TemporaryDirectory() as folder:
        console = Path(folder, "console")
        command = [
            *(QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-m", "512"),
            *_kvm().arguments,
            *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", "console=ttyS0 panic=-1"),
            *("-serial", f"file:{console}", "-no-reboot"),
        ]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + _PROBE_SECONDS
            while time.monotonic() < deadline and process.poll() is None:
                if console.exists() and b"Run /init" in console.read_bytes():
                    return True
                time.sleep(0.1)
            return False
        finally:
            process.kill()
            process.wait()

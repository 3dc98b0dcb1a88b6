"""Hosts for the benchmark: real OpenSSH servers on loopback, each in namespaces of its own.

A host's root is an overlay: this machine below, then a layer with the recorded state of its role, then a folder in
memory that it may write. Its /dev, /sys, /run and /tmp are its own, so that it sees recorded disks and ports. All
of it ends with the farm, and with the benchmark however that ends: the kernel ends a host with the process that
keeps it.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.layers import PROGRAMS, write_layer
from bench.recording import Site
from lab.shell import run
from sim.addresses import listening
from sim.server import client_key

FIRST_PORT = 21000
"""Sites share addresses; each has a port of its own."""

_INIT = f"""set -e
root=$1 layer=$2
mount -t overlay overlay -o "lowerdir=$layer:/,upperdir=$root/upper,workdir=$root/work" "$root/m"
cd "$root/m"
mount -t proc proc proc
# The locks of this whole machine are no concern of a host's.
: >"$root/locks"
mount --bind "$root/locks" proc/locks
for d in dev sys run tmp; do mount -t tmpfs -o size=8m tmpfs $d; done
for d in null zero random urandom tty; do
  : >dev/$d
  mount --bind "/dev/$d" dev/$d
done
mkdir -p run/sshd
cp -a "$layer/.dev/." dev/
cp -a "$layer/.sys/." sys/
export LD_LIBRARY_PATH={PROGRAMS}
exec chroot . {PROGRAMS}/sshd -D -e -f /etc/ssh/sshd_bench
"""

_SSHD = """ListenAddress {address}
Port {port}
HostKey /etc/ssh/bench_host_key
AuthorizedKeysFile /etc/ssh/bench_authorized_keys
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 1000
PidFile none
"""

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Farm:
    """Hosts that run.

    Attributes:
        ports: One for each site.
        host_key: The one public key of all hosts.
        cgroup: Where their processes are accounted.
    """

    ports: tuple[int, ...]
    host_key: str
    cgroup: Path

    def cpu_seconds(self) -> float:
        """Processor time that all hosts together have used, ended processes among it."""
        usage = self.cgroup / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text()) / 1e9
        words = (self.cgroup / "cpu.stat").read_text().split()
        return int(words[words.index("usage_usec") + 1]) / 1e6


@contextlib.contextmanager
def farm(sites: Sequence[Site]) -> Iterator[Farm]:
    """Starts one host for every node of every site; needs root."""
    with tempfile.TemporaryDirectory(prefix="heretic-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        run(("mount", "-t", "tmpfs", "-o", "size=4g,mode=755", "heretic-bench", folder))
        stack.callback(run, ("umount", "-l", folder))
        cgroup = stack.enter_context(_cgroup())
        key = folder / "host_key"
        run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key))
        authorized = client_key().export_public_key("openssh").decode()
        layers = {
            (size, node): write_layer(folder / f"layer-{size}-{node}", site, node, key, authorized)
            for size, site in {len(s.machines): s for s in sites}.items()
            for node in site.machines
        }
        hosts: list[_Host] = []
        stack.callback(_end, hosts)
        for number, site in enumerate(sites):
            for node, address in site.addresses.items():
                layer = layers[len(site.machines), node]
                hosts.append(_Host(folder / f"{number}-{node}", layer, listening(address), FIRST_PORT + number, cgroup))
        for host in hosts:
            host.wait()
        ports = tuple(FIRST_PORT + number for number in range(len(sites)))
        yield Farm(ports, key.with_suffix(".pub").read_text().strip(), cgroup)


@contextlib.contextmanager
def _cgroup() -> Iterator[Path]:
    """A group of processes of its own, in either version of control groups."""
    base = Path("/sys/fs/cgroup/cpuacct")
    group = (base if base.is_dir() else base.parent) / f"heretic-bench-{os.getpid()}"
    group.mkdir()
    try:
        yield group
    finally:
        for _ in range(100):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.05)


class _Host:
    """One sshd, first process of its namespace."""

    def __init__(self, root: Path, layer: Path, address: str, port: int, cgroup: Path) -> None:
        self._where = address, port
        self._log = root / "log"
        for part in ("upper/etc/ssh", "work", "m"):
            (root / part).mkdir(parents=True)
        (root / "upper/etc/ssh/sshd_bench").write_text(_SSHD.format(address=address, port=port))
        procs = str(cgroup / "cgroup.procs")

        def enter() -> None:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            with open(procs, "w") as file:
                file.write(str(os.getpid()))

        namespaces = ("unshare", "-m", "-p", "-u", "-f", "--kill-child", "--propagation", "private")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                (*namespaces, "sh", "-c", _INIT, "init", str(root), str(layer)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=enter,
            )

    def wait(self) -> None:
        """Returns once it listens."""
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(self._where, 1).close()
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"host {self._where} does not listen: {self._log.read_text()}")


def _end(hosts: Sequence[_Host]) -> None:
    for host in hosts:
        host.process.kill()
    for host in hosts:
        host.process.wait()

"""What the contract tests talk to: a simulated machine, or a real shell behind the same SSH server.

The real shell runs as whoever runs the tests, so every folder that a script names is moved into a sandbox, and the
programs of systemd are stand-ins; nothing else is different.
"""

import asyncio
import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from heretic.domain.commands import Output
from heretic.hosts import Hosts, HostSettings
from sim.machine import OK, Argv, File, Machine, failed, ok
from sim.server import SimServer, client_key

SHELLS = {"dash": "/bin/dash", "bash": "/bin/bash"}

_MOVED = (
    "/run/heretic",
    "/var/lib/heretic",
    "/dev/shm/heretic",
    "/dev/disk",
    "/gluster_bricks",
    "/sys/class/block",
    "/sys/class/net",
    "/sys/fs/selinux",
    "/etc/ovirt-engine/engine.conf.d",
    "/var/log/ovirt-engine-backup",
    "/run/NetworkManager",
    "/etc/NetworkManager",
)

_SYSTEMD_RUN = """#!/bin/sh
for last; do :; done
for word; do
  case $word in --unit=*) unit=${word#--unit=} ;; RuntimeMaxSec=[1-9]*) limit=${word##*=} ;; esac
done
for word; do
  case $word in --on-active=[1-9]*)
    [ ! -e "@/units/$unit.timer" ] || { echo "Unit $unit.timer was already loaded" >&2; exit 1; }
    echo active >"@/units/$unit.timer"
    echo "$last" >"@/units/$unit.script"
    exit 0
    ;;
  esac
done
[ "$limit" ] || { echo "a unit without an end" >&2; exit 1; }
[ "$(cat "@/units/$unit" 2>/dev/null)" != active ] || { echo "Unit $unit was already loaded" >&2; exit 1; }
echo active >"@/units/$unit"
echo "$last" >"@/units/$unit.script"
echo started >>"@/units/$unit.log"
"""

_JOURNALCTL = """#!/bin/sh
# What a unit has said, by its invocation, which is here named like the unit.
most=1000 of=
while [ $# != 0 ]; do
  case $1 in
    --sync) exit 0 ;;
    -n) most=$2; shift ;;
    _SYSTEMD_INVOCATION_ID=?*) of=${1#*=} ;;
    -q | --no-pager | -o | cat) ;;
    *) exit 64 ;;
  esac
  shift
done
tail -n "$most" "@/units/$of.journal"
"""

_SYSTEMCTL = """#!/bin/sh
for last; do :; done
case $1 in
  show) cat "@/units/$last" 2>/dev/null || echo inactive ;;
  reset-failed) rm "@/units/$last" ;;
  stop) rm "@/units/$last" ;;
  start) echo "$last" >>"@/units/started" ;;
  *) exit 64 ;;
esac
"""


def settings_for(server: SimServer, name: str = "node1") -> HostSettings:
    """Settings with which a simulated host can be reached and is trusted."""
    return HostSettings(
        name=name,
        address="127.0.0.1",
        private_key=client_key().export_private_key().decode(),
        port=server.port,
        host_keys=(server.host_key_line,),
    )


class Target(ABC):
    """One host to talk to, with the means to prepare it and to look at it from outside."""

    hosts: Hosts
    settings: HostSettings
    server: SimServer

    @abstractmethod
    def path(self, name: str) -> str:
        """An absolute path that tests may use."""

    @abstractmethod
    def write(self, name: str, content: str, mode: str = "0644") -> None:
        """Makes a file from outside."""

    @abstractmethod
    def read(self, name: str) -> tuple[str, str] | None:
        """A file's mode and content; None when it does not exist."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Removes a file from outside."""

    @abstractmethod
    def keep(self, fence: str) -> None:
        """Changes from outside what the host keeps of who may send steps."""

    @abstractmethod
    async def finish_job(self, unit: str) -> str:
        """Lets a started job run to its end; gives the unit's state then."""

    @abstractmethod
    def on_trial(self, unit: str) -> bool:
        """Whether the host would take a change back by itself."""

    @abstractmethod
    async def take_back(self, unit: str) -> None:
        """Lets the time of a trial run out, where the host has not begun to take it back already."""

    @abstractmethod
    def starts(self, unit: str) -> int:
        """How often a job was started."""

    def sha256(self, name: str) -> str:
        found = self.read(name)
        assert found is not None
        return hashlib.sha256(found[1].encode()).hexdigest()


class SimulatedTarget(Target):
    """A Machine that knows the few programs of the contract tests."""

    def __init__(self, hosts: Hosts, server: SimServer) -> None:
        self.hosts = hosts
        self.server = server
        self.machine = server.machine
        self.settings = settings_for(server)
        self.machine.jobs_finish_at_once = False
        self.machine.tools |= {
            "true": lambda m, argv, stdin: OK,
            "false": lambda m, argv, stdin: Output(1, "", ""),
            "printf": _printf,
            "cat": lambda m, argv, stdin: ok(stdin or "") if len(argv) == 1 else None,
            "seq": lambda m, argv, stdin: ok("".join(f"{i}\n" for i in range(1, int(argv[1]) + 1))),
            "sleep": lambda m, argv, stdin: OK,
            "test": _test,
            "touch": _touch,
            "ls": lambda m, argv, stdin: failed(f"ls: cannot access '{argv[-1]}': No such file or directory", 2),
        }
        self.machine.seconds["sleep"] = 30.0

    def path(self, name: str) -> str:
        return f"/sandbox/{name}"

    def write(self, name: str, content: str, mode: str = "0644") -> None:
        self.machine.files[self.path(name)] = File(content, mode)

    def read(self, name: str) -> tuple[str, str] | None:
        found = self.machine.files.get(self.path(name))
        return None if found is None else (found.mode, found.content)

    def remove(self, name: str) -> None:
        del self.machine.files[self.path(name)]

    def keep(self, fence: str) -> None:
        self.machine.fence = fence

    async def finish_job(self, unit: str) -> str:
        job = self.machine.jobs[unit]
        job.finish()
        return job.state

    def on_trial(self, unit: str) -> bool:
        return unit in self.machine.trials

    async def take_back(self, unit: str) -> None:
        if unit in self.machine.trials:
            self.machine.take_back(unit)

    def starts(self, unit: str) -> int:
        return self.machine.job_starts.count(unit)


def _printf(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
    return ok(argv[2]) if len(argv) == 3 and argv[1] == "%s" else None


def _test(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
    return Output(0 if argv[2] in machine.files else 1, "", "") if argv[1] == "-e" else None


def _touch(machine: Machine, argv: Argv, stdin: str | None) -> Output:
    machine.files.setdefault(argv[1], File(""))
    return OK


@dataclass
class ShellServer(SimServer):
    """Runs the scripts that come over SSH with a real shell in a sandbox."""

    shell: str = "/bin/dash"
    sandbox: Path = field(default_factory=Path)

    def prepare(self) -> None:
        """Makes the sandbox and systemd's stand-ins."""
        for folder in ("bin", "units", "files"):
            (self.sandbox / folder).mkdir()
        for name, text in (("systemd-run", _SYSTEMD_RUN), ("systemctl", _SYSTEMCTL), ("journalctl", _JOURNALCTL)):
            program = self.sandbox / "bin" / name
            program.write_text(text.replace("@", str(self.sandbox)))
            program.chmod(0o755)
        for folder in _MOVED:
            (self.sandbox / folder.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)

    def moved(self, script: bytes) -> bytes:
        """The script with its folders inside the sandbox."""
        for folder in _MOVED:
            script = script.replace(folder.encode(), f"{self.sandbox}{folder}".encode())
        return script.replace(b" PATH=", f" PATH={self.sandbox}/bin:".encode())

    async def execute(self, script: bytes) -> tuple[bytes, bytes, int]:
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-s",
            executable=self.shell,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.sandbox / "files",
            env={"HOME": str(self.sandbox), "PATH": os.defpath},
        )
        stdout, stderr = await process.communicate(self.moved(script))
        assert process.returncode is not None
        return stdout, stderr, process.returncode

    async def finish_job(self, unit: str) -> str:
        """Runs a started job to its end; gives the unit's state then."""
        units = self.sandbox / "units"
        script = (units / f"{unit}.script").read_text().strip()
        _rewrite(Path(script), self.moved)
        with (units / f"{unit}.journal").open("wb") as journal:
            process = await asyncio.create_subprocess_exec(
                "sh",
                script,
                executable=self.shell,
                stdout=journal,
                stderr=journal,
                env=os.environ | {"INVOCATION_ID": unit},
            )
            status = await process.wait()
        assert _is_gone(Path(script)), "what may hold secrets must not stay"
        (units / unit).write_text("failed\n") if status else (units / unit).unlink()
        return "failed" if status else "inactive"

    async def take_back(self, unit: str) -> None:
        """Runs what takes a trial back, as its timer does, or as it was told to by hand."""
        units = self.sandbox / "units"
        timer, started = units / f"{unit}.timer", units / "started"
        assert timer.exists() or f"{unit}.service" in started.read_text().split()
        timer.unlink(missing_ok=True)
        script = Path((units / f"{unit}.script").read_text().strip())
        _rewrite(script, self.moved)
        process = await asyncio.create_subprocess_exec("sh", str(script), executable=self.shell)
        assert await process.wait() == 0
        assert _is_gone(script), "what may hold secrets must not stay"


class ShellTarget(Target):
    """A real shell."""

    server: ShellServer

    def __init__(self, hosts: Hosts, server: ShellServer) -> None:
        self.hosts = hosts
        self.server = server
        self.settings = settings_for(server)

    def path(self, name: str) -> str:
        return str(self.server.sandbox / "files" / name)

    def write(self, name: str, content: str, mode: str = "0644") -> None:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(int(mode, 8))

    def read(self, name: str) -> tuple[str, str] | None:
        path = Path(self.path(name))
        if not path.exists():
            return None
        return f"{path.stat().st_mode & 0o7777:04o}", path.read_text()

    def remove(self, name: str) -> None:
        Path(self.path(name)).unlink()

    def keep(self, fence: str) -> None:
        path = self.server.sandbox / "var/lib/heretic/fence"
        path.parent.mkdir(exist_ok=True)
        path.write_text(fence)

    async def finish_job(self, unit: str) -> str:
        return await self.server.finish_job(unit)

    def on_trial(self, unit: str) -> bool:
        return (self.server.sandbox / "units" / f"{unit}.timer").exists()

    async def take_back(self, unit: str) -> None:
        await self.server.take_back(unit)

    def starts(self, unit: str) -> int:
        log = self.server.sandbox / "units" / f"{unit}.log"
        return len(log.read_text().splitlines()) if log.exists() else 0


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _is_gone(path: Path) -> bool:
    return not path.exists()


async def eventually(holds: Callable[[], bool]) -> None:
    """Waits until something holds; a test that waits in vain fails."""
    async with asyncio.timeout(10):
        for _ in range(10_000):
            if holds():
                return
            await asyncio.sleep(0.01)

"""Background processes of the lab, known by a pid file.

A process either dies with the Python process that started it, so that no killed test run leaves a server behind,
or is detached and outlives it. Both kinds can be stopped from any process: the pid file says which process is
meant, not just its number, which the kernel may have given to another one since.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# The kernel ties "die with the parent" to the thread that forked, not to its process. A test may well start
# something from a worker thread that ends with the test, so one thread forks them all and lives as long as Python.
_forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab-forker")
atexit.register(_forker.shutdown, wait=False)

# The second half is for a parent that was gone before the first took hold: the shell's parent is then another one.
_DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--", "sh", "-c", 'test "$PPID" = "$0" && exec "$@"')

# Our own children stay zombies until they are waited for.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Process:
    """A named process with its pid file and its log in one folder."""

    name: str
    folder: Path

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The pid of the running process, or None when it does not run."""
        try:
            number, identity = self.pid_file.read_text().split(maxsplit=1)
        except (FileNotFoundError, ValueError):
            return None
        pid = int(number)
        child = _children.get(pid)
        if child is not None and child.poll() is not None:
            del _children[pid]
        return pid if _identity(pid) == identity else None

    def start(self, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, detached: bool) -> None:
        """Start it, its output appended to the log; with `detached` it outlives this process."""
        if self.pid is not None:
            return
        command = [str(arg) for arg in argv]
        if not detached:
            command = with_parent(command)
        self.folder.mkdir(parents=True, exist_ok=True)
        child = _forker.submit(self._fork, command, dict(env) if env is not None else None).result()
        _children[child.pid] = child
        part = self.pid_file.with_suffix(".part")
        part.write_text(f"{child.pid} {_identity(child.pid)}")
        part.rename(self.pid_file)

    def _fork(self, command: list[str], env: dict[str, str] | None) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is for the test run, which then stops this in order.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, number)

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to end, kill it when it has not done so after `grace` seconds, and return when it is gone."""
        self.signal(signal.SIGTERM)
        if not self._gone_within(grace):
            self.kill()
        self.pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill it without warning, as a crash would, and return when it is gone."""
        self.signal(signal.SIGKILL)
        if not self._gone_within(10.0):
            raise RuntimeError(f"{self.name} (pid {self.pid}) is still there 10 s after SIGKILL")
        self.pid_file.unlink(missing_ok=True)

    def log_tail(self, lines: int = 15) -> str:
        """The end of the log, for error messages."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def with_parent(command: Sequence[str]) -> list[str]:
    """A command line for a child that shall be killed when this process is gone."""
    return [*_DIE_WITH_PARENT, str(os.getpid()), *command]


def innermost(pid: int) -> int:
    """The last in the line of those that this process has started; itself when it has started none."""
    while children := _started_by(pid):
        pid = children[-1]
    return pid


def _started_by(pid: int) -> list[int]:
    found: list[int] = []
    # Any thread may have started a process.
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            found += map(int, task.read_text().split())
    return sorted(found)


def _identity(pid: int) -> str | None:
    """What tells a process from a later one with its pid: when it started, in which boot. None if it is dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the command name before it may hold spaces and parentheses
    state, threads, started = fields[0], int(fields[17]), fields[19]
    # A killed process may count as a zombie while other threads of it still hold its sockets open.
    gone = state in "ZX" and threads <= 1
    return None if gone else f"{started} {boot}"

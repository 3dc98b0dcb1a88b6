"""Keeps a command running, as the kubelet does with `restartPolicy: Always`.

    PYTHONPATH=tests python -m lab.restarts COMMAND ...

The first new start is at once, the next after 10, 20, 40 ... 300 s; after ten minutes of work the count begins anew.
SIGTERM goes to the innermost process below the command: what stands between is there to start it, and ends with it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lab.processes import innermost, with_parent

FIRST = 10.0
LONGEST = 300.0
GOOD = 600.0


@dataclass
class Pauses:
    """How long to wait before each new start."""

    _next: float = 0.0

    def after(self, seconds: float) -> float:
        """The pause after a run of so many seconds."""
        pause = 0.0 if seconds >= GOOD else self._next
        self._next = min(max(2 * pause, FIRST), LONGEST)
        return pause


class Restarts:
    """A command that is started again whenever it ends, until it is told to end.

    Args:
        command: It dies with this process, however that ends.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._told = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Returns when the command has ended after `end`."""
        pauses = Pauses()
        while not self._told.is_set():
            begun = time.monotonic()
            self._child = subprocess.Popen(with_parent(self._command), stdin=subprocess.DEVNULL)
            if self._told.is_set():  # in between
                self.end()
            status = self._child.wait()
            if not self._told.is_set():
                pause = pauses.after(time.monotonic() - begun)
                when = f"in {pause:.0f} s" if pause else "at once"
                print(f"lab: it ended with status {status}, and is started again {when}", file=sys.stderr, flush=True)
                self._told.wait(pause)

    def end(self) -> None:
        """Asks it to end, and does not start it again."""
        self._told.set()
        if self._child is not None and self._child.poll() is None:
            os.kill(innermost(self._child.pid), signal.SIGTERM)


def main() -> None:
    """Entry point."""
    restarts = Restarts(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: restarts.end())
    restarts.run()


if __name__ == "__main__":
    main()

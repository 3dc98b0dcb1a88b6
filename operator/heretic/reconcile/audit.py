"""The audit: one JSON line for each effect on a host, append-only; and the counters that go with it."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from heretic.hosts.fence import Fence
from heretic.reconcile.gateway import API_SERVER, Effect
from heretic.reconcile.metrics import ANNOUNCEMENTS, EFFECTS, KUBERNETES_WRITES

ANNOUNCE = "AnnounceOperator"
"""The verb of an announcement in the audit."""

STANDARD_OUTPUT = Path("/dev/stdout")


class AuditLog:
    """Appends effects to a file and counts them.

    Args:
        path: The file; None = effects are only counted, nothing is kept. /dev/stdout is the output that the process
            has: in a container it may be a pipe of another user, which cannot be opened once more.
        now: Wall clock.
    """

    def __init__(self, path: Path | None, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._fd: int | None = None
        if path == STANDARD_OUTPUT:
            self._fd = os.dup(1)
        elif path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def effect(self, effect: Effect, *, outcome: str, seconds: float) -> None:
        """Records one effect: a single write, so that lines never mix and a crash leaves whole lines."""
        if effect.target == API_SERVER:
            KUBERNETES_WRITES.labels(verb=effect.verb).inc()
            return
        EFFECTS.labels(risk=effect.risk, verb=effect.verb, outcome=outcome.split(":", 1)[0]).inc()
        self._write(effect, outcome, seconds)

    def announcement(self, host: str, fence: Fence, *, outcome: str, seconds: float) -> None:
        """Records that a host was told of a new operator: no effect of any object, but a change on its disk."""
        ANNOUNCEMENTS.labels(outcome=outcome.split(":", 1)[0]).inc()
        shown = {"token": str(fence.token), "cluster": fence.cluster, "holder": fence.holder}
        why = "this operator took over; the host refuses those before it from now on"
        self._write(Effect("", 0, host, ANNOUNCE, arguments=shown, why=why), outcome, seconds)

    def _write(self, effect: Effect, outcome: str, seconds: float) -> None:
        if self._fd is None:
            return
        line = {
            "time": self._now().astimezone(UTC).isoformat(timespec="milliseconds"),
            **asdict(effect),
            "outcome": outcome,
            "seconds": round(seconds, 3),
        }
        os.write(self._fd, (json.dumps(line, sort_keys=False) + "\n").encode())

    def close(self) -> None:
        """Closes the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

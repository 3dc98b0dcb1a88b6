"""Talking to a running QEMU over its control socket (QMP)."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from lab.errors import LabError

Reply = Any  # what QEMU answers depends on the command


class Monitor:
    """One open connection. QEMU serves one at a time; the next one waits until this one is closed."""

    def __init__(self, connection: socket.socket, stream: BinaryIO) -> None:
        self._connection = connection
        self._stream = stream
        self._events: list[dict[str, Any]] = []
        self._read()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Reply:
        message = {"execute": command, "arguments": arguments}
        self._connection.sendall(json.dumps(message).encode() + b"\n")
        while True:
            reply = self._read()
            if "event" in reply:
                self._events.append(reply)
            elif "error" in reply:
                raise LabError(f"QEMU refuses {command}: {reply['error']['desc']}")
            else:
                return reply["return"]

    def wait_event(self, name: str, timeout: float, **data: str) -> None:
        """Return when QEMU has told of that event, with that data, since this connection was made."""
        deadline = time.monotonic() + timeout
        while True:
            for event in self._events:
                if event["event"] == name and data.items() <= event.get("data", {}).items():
                    return
            self._events.clear()
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise LabError(f"QEMU reported no {name} {data} within {timeout:.0f} s")
            self._connection.settimeout(remaining)
            with contextlib.suppress(TimeoutError):
                self._events.append(self._read())
            self._connection.settimeout(60)

    def job(self, command: str, timeout: float = 120, **arguments: Any) -> None:
        """Run one of the commands that QEMU works off in the background, to its end."""
        name = f"lab-{command}"
        self.execute(command, **{"job-id": name, **arguments})
        deadline = time.monotonic() + timeout
        while True:
            state = next(job for job in self.execute("query-jobs") if job["id"] == name)
            if state["status"] == "concluded":
                self.execute("job-dismiss", id=name)
                if "error" in state:
                    raise LabError(f"QEMU failed at {command}: {state['error']}")
                return
            if time.monotonic() > deadline:
                raise LabError(f"QEMU did not end {command} within {timeout:.0f} s")
            time.sleep(0.02)

    def _read(self) -> dict[str, Any]:
        line = self._stream.readline()
        if not line:
            raise LabError("QEMU closed its control socket: the machine is gone")
        message: dict[str, Any] = json.loads(line)
        return message


@contextlib.contextmanager
def connect(path: Path) -> Iterator[Monitor]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(60)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            raise LabError(f"no QEMU answers at {path}: the machine is powered off") from None
        with connection.makefile("rb") as stream:
            yield Monitor(connection, stream)

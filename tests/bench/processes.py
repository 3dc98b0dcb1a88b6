"""Talks to the processes of the benchmark: a line of JSON each way."""

import json
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any


class Process:
    """One module of this package, running."""

    def __init__(self, module: str, arguments: Sequence[str] = ()) -> None:
        self._name = module
        self._process = subprocess.Popen(
            (sys.executable, "-m", f"bench.{module}", *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, message: object) -> None:
        """Sends something that is not answered."""
        assert self._process.stdin is not None
        print(json.dumps(message), file=self._process.stdin, flush=True)

    def hear(self) -> Any:
        """Waits for what it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"bench.{self._name} ended with status {self._process.wait()}")
        return json.loads(line)

    def ask(self, **request: object) -> Any:
        """Sends a request and waits for the answer."""
        self.tell(request)
        return self.hear()

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

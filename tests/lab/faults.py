"""Faults that the proxy before the API server can be told to inject."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab.apirequest import ApiRequest, Filter

Event = dict[str, Any]  # of a watch: {"type": "ADDED", "object": {…}}

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


@dataclass(eq=False)
class Fault:
    """One rule of the proxy: it strikes matching requests until it has struck `times` times (None: no limit)."""

    where: Filter
    times: int | None
    hits: int = field(default=0, init=False)

    def strikes(self, request: ApiRequest) -> bool:
        """Whether it strikes this request; if so, that counts."""
        return self._active and self.where(request) and self._hit()

    def stop(self) -> None:
        """Strike no more."""
        self.times = self.hits

    def wait(self, hits: int = 1, timeout: float = 10.0) -> None:
        """Block until it has struck so often. In an async test, call it with asyncio.to_thread."""
        deadline = time.monotonic() + timeout
        while self.hits < hits:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{type(self).__name__} struck {self.hits} times in {timeout} s, not {hits}")
            time.sleep(0.02)

    @property
    def _active(self) -> bool:
        return self.times is None or self.hits < self.times

    def _hit(self) -> bool:
        self.hits += 1
        return True


@dataclass(eq=False)
class Delay(Fault):
    """Hold a request back before anything else happens to it."""

    seconds: float


@dataclass(eq=False)
class Answer(Fault):
    """Answer in place of the server, which never sees the request."""

    status: int
    retry_after: int | None


@dataclass(eq=False)
class LoseRequest(Fault):
    """Break the connection before the server sees the request."""


@dataclass(eq=False)
class LoseReply(Fault):
    """Let the server act on the request, then break the connection in place of its reply."""


@dataclass(eq=False)
class EventFault(Fault):
    """A fault of single watch events: `times` and `hits` count events."""

    event: Callable[[Event], bool]

    def strikes_event(self, request: ApiRequest, event: Event) -> bool:
        """Whether it strikes this event of this watch; if so, that counts."""
        return self._active and self.where(request) and self.event(event) and self._hit()


@dataclass(eq=False)
class DropEvents(EventFault):
    """Keep watch events from the client, as if they had never happened."""


@dataclass(eq=False)
class DelayEvents(EventFault):
    """Hold watch events back, and all later ones of the same watch behind them: the client's view is stale."""

    seconds: float


def failure(status: int, request: ApiRequest) -> bytes:
    """The Status object that the API server would send with such an answer."""
    reason = _REASONS.get(status, "Unknown")
    if status == 409 and request.verb == "create":
        reason = "AlreadyExists"
    details = {"name": request.name, "group": request.group, "kind": request.resource}
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"injected by the test: {status} {reason}",
        "reason": reason,
        "details": {key: value for key, value in details.items() if value},
        "code": status,
    }
    return json.dumps(document).encode()


def expired_watch(request: ApiRequest) -> bytes:
    """The event with which the API server ends a watch whose resourceVersion it no longer knows."""
    return b'{"type":"ERROR","object":' + failure(410, request) + b"}\n"

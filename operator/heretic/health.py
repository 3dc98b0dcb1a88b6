"""What the probes of Kubernetes and Prometheus ask: /healthz, /readyz and /metrics on one port.

/healthz is red when only a new process can help: the event loop stands still, or a pass over an object has long been
due and has not ended. /readyz is red as long as the operator can do no work: it has not started, or the API server has
not answered for a while. A lost Lease is neither: another operator does the work.

The server has a thread of its own, so that it can tell of an event loop that stands still.
"""

import socket
import threading
from collections.abc import Callable, Hashable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

STUCK = 30.0
"""Seconds without a beat of the event loop after which it counts as stuck. A pass computes for milliseconds."""

OVERDUE = 900.0
"""Seconds that a pass may take, or be late. It waits for hosts with many limits of a minute each."""

SILENT = 60.0
"""Seconds without an answer of the API server after which nothing can be done: four times what a Lease lasts."""


class Health:
    """How the operator is; written by the event loop, read by the server's threads.

    Args:
        monotonic: Seconds, never going back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._beat = monotonic()
        self._heard = monotonic()
        self._due: dict[Hashable, float] = {}
        self._waits_for = "it is starting"
        self._trouble = ""

    def beat(self) -> None:
        """The event loop runs."""
        self._beat = self._monotonic()

    def waits_for(self, what: str) -> None:
        """The operator has not started, and this is why; empty: it has."""
        self._waits_for = what

    def heard(self) -> None:
        """The API server answered."""
        self._heard = self._monotonic()

    def unheard(self, trouble: str) -> None:
        """The API server did not answer, or refused."""
        self._trouble = trouble

    def expects(self, key: Hashable, seconds: float = 0.0) -> None:
        """A pass over this object begins after so many seconds."""
        self._due[key] = self._monotonic() + seconds

    def knows(self, key: Hashable) -> None:
        """There is such an object, so a pass over it is expected."""
        self._due.setdefault(key, self._monotonic())

    def forget(self, key: Hashable) -> None:
        """No pass is expected any more."""
        self._due.pop(key, None)

    def illness(self) -> str:
        """Why only a new process can help; empty when all is well."""
        now = self._monotonic()
        if now - self._beat > STUCK:
            return f"the event loop has stood still for {now - self._beat:.0f} s"
        # In one step of the interpreter, because the event loop changes it meanwhile.
        late = {str(key): now - due for key, due in list(self._due.items()) if now - due > OVERDUE}
        if late:
            longest = max(late, key=late.__getitem__)
            return f"the pass over {longest} has been due for {late[longest]:.0f} s and has not ended"
        return ""

    def obstacle(self) -> str:
        """Why the operator can do no work at the moment; empty when it can, or when another one does it."""
        silence = self._monotonic() - self._heard
        if ill := self.illness():
            return ill
        if self._waits_for:
            return self._waits_for
        if silence > SILENT:
            return f"the API server has not answered for {silence:.0f} s: {self._trouble or 'nothing was heard'}"
        return ""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Probes come every few seconds; nobody reads of them."""


def serve(health: Health, address: str, port: int) -> WSGIServer:
    """Serves until the process ends.

    Args:
        health: What is told.
        address: To listen on.
        port: 0 = any.

    Returns:
        The server.

    Raises:
        OSError: The address or port cannot be had.
    """

    class Server(_Server):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    server = make_server(address, port, _application(health), Server, _Quiet)
    threading.Thread(target=server.serve_forever, name="health and metrics", daemon=True).start()
    return server


def _application(health: Health) -> "WSGIApplication":
    metrics = make_wsgi_app()

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                shown: Iterable[bytes] = metrics(environ, start_response)
                return shown
            case "/healthz":
                return _answer(start_response, health.illness())
            case "/readyz":
                return _answer(start_response, health.obstacle())
            case _:
                return _answer(start_response, "there are /healthz, /readyz and /metrics", HTTPStatus.NOT_FOUND)

    return application


def _answer(
    start_response: "StartResponse", trouble: str, red: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
) -> list[bytes]:
    status = red if trouble else HTTPStatus.OK
    start_response(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{trouble or 'ok'}\n".encode()]

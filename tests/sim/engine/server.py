"""The simulated engine on the network: HTTPS on loopback, with the faults of real ones.

It runs in a thread of its own, so that clients that block (the SDK) and clients that do not can be in the same process.
"""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import Any, Self, TypeVar

from aiohttp import web

from sim.addresses import listening, take_detour
from sim.engine.engine import SimEngine
from sim.engine.faults import EngineFaults, service_unavailable
from sim.engine.messages import HttpRequest, HttpResponse
from sim.engine.sso import no_entry
from sim.engine.tls import server_certificate, server_context

T = TypeVar("T")
_SESSION_OVER = "invalid_grant: The provided authorization grant for the auth code has expired."


class EngineServer:
    """A simulated engine that listens.

    Attributes:
        engine: What it is.
        faults: What is wrong with it.
        address: Where it listens.
        port: Likewise; chosen at the first start, and kept.
        names: What its certificate says it is called.
    """

    def __init__(
        self,
        engine: SimEngine | None = None,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        names: tuple[str, ...] = ("localhost",),
    ) -> None:
        self.engine = engine or SimEngine()
        self.faults = EngineFaults()
        self.address = address
        self.port = port
        self.names = names
        self._context = server_context(server_certificate(self.engine.authority, *names, address))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """What an SDK is given."""
        return f"https://{self.names[0]}:{self.port}/ovirt-engine/api"

    @property
    def listens(self) -> bool:
        """Whether it can be reached."""
        return self._loop is not None

    def start(self) -> Self:
        """Listens; returns itself."""
        take_detour()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="simulated engine", daemon=True)
        self._thread.start()
        self._run(self._listen())
        return self

    def stop(self) -> None:
        """Ends all connections. What the engine remembers stays, its sessions do not."""
        if self._loop is None or self._thread is None or self._runner is None:
            return
        self._run(self._end(self._runner))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = None
        self.engine.sso.end_sessions()

    def restart(self) -> None:
        """Stops, and starts at the same port."""
        self.stop()
        self.engine.state.started = self.engine.state.now()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _listen(self) -> None:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{anything:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, listening(self.address), self.port, ssl_context=self._context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _end(self, runner: web.AppRunner) -> None:
        for connection in runner.server.connections if runner.server else ():
            if connection.transport:
                connection.transport.abort()
        await runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        # Besides, this lets the loop close the sockets of what was aborted.
        await asyncio.gather(asyncio.sleep(0.01), *others, return_exceptions=True)

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        request = HttpRequest(
            incoming.method,
            incoming.path,
            dict(incoming.query),
            {name.lower(): value for name, value in incoming.headers.items()},
            await incoming.read(),
            f"https://{incoming.host}",
        )
        if self.faults.delay:
            await asyncio.sleep(self.faults.delay)
        if self.faults.due("drop_before", request):
            return _cut(incoming)
        if self.faults.outage(request):
            return _written(service_unavailable())
        if self.faults.session_over(request):
            return _written(no_entry(_SESSION_OVER))
        answer = self.engine.answer(request)
        if self.faults.due("drop_after", request):
            return _cut(incoming)
        return _written(answer)


def _written(answer: HttpResponse) -> web.Response:
    made = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    if answer.content_type:
        made.headers["Content-Type"] = answer.content_type
    elif "Content-Type" in made.headers:
        del made.headers["Content-Type"]
    return made


def _cut(incoming: web.Request) -> web.Response:
    """Ends the connection without an answer."""
    if incoming.transport:
        incoming.transport.abort()
    return web.Response()

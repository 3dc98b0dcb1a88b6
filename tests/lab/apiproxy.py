"""A proxy between a client and the API server that loses, delays, fails and drops on demand.

    with ApiProxy(control_plane) as proxy:
        operator = run_operator(proxy.kubeconfig(service_account_kubeconfig))
        lost = proxy.lose_reply(where=to("nodes", verb="patch", subresource="status"))
        ...
        lost.wait()

It runs in a thread of its own, so tests may be synchronous or not, and block as they like.
"""

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from lab.apirequest import ApiRequest, Filter, anything, parse
from lab.controlplane import ControlPlane
from lab.faults import (
    Answer,
    Delay,
    DelayEvents,
    DropEvents,
    Event,
    EventFault,
    Fault,
    LoseReply,
    LoseRequest,
    expired_watch,
    failure,
)
from lab.kubeconfig import redirect_kubeconfig
from lab.ports import free_port

Result = TypeVar("Result")
FaultKind = TypeVar("FaultKind", bound=Fault)

# About one connection, not about the message: each side of the proxy has its own.
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "host",
    "upgrade",
    "te",
    "trailer",
}


@dataclass(eq=False)
class _Watch:
    """A watch under way: what comes from the server and goes to the client."""

    reply: aiohttp.ClientResponse
    response: web.StreamResponse
    expired: bool = False


class ApiProxy:
    """Shows the API server's own certificate, so that any kubeconfig works with just the URL changed."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._port = free_port()
        self._faults: tuple[Fault, ...] = ()
        self._requests: list[ApiRequest] = []
        self._watches: dict[ApiRequest, _Watch] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="api-proxy", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def requests(self) -> list[ApiRequest]:
        """All requests so far, oldest first."""
        return list(self._requests)

    def kubeconfig(self, source: Path | None = None) -> Path:
        """A copy of a kubeconfig (the administrator's unless given) that goes through the proxy."""
        source = source or self._control_plane.kubeconfig
        return redirect_kubeconfig(source, source.with_suffix(f".via-{self._port}{source.suffix}"), self.url)

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._thread.start()
        self._call(self._open())

    def stop(self) -> None:
        """Close everything and end the thread."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def reset(self) -> None:
        """Forget all faults and requests, for the next test."""
        self._faults = ()
        self._requests = []

    def answer(
        self, status: int, *, where: Filter = anything, times: int | None = 1, retry_after: int | None = None
    ) -> Answer:
        """Answer the next matching requests with an error of this HTTP status; the server does not see them."""
        return self._add(Answer(where, times, status, retry_after))

    def delay(self, seconds: float, *, where: Filter = anything, times: int | None = None) -> Delay:
        """Hold matching requests back."""
        return self._add(Delay(where, times, seconds))

    def lose_request(self, *, where: Filter = anything, times: int | None = 1) -> LoseRequest:
        """Break the connection of the next matching requests, before the server sees them."""
        return self._add(LoseRequest(where, times))

    def lose_reply(self, *, where: Filter = anything, times: int | None = 1) -> LoseReply:
        """Break the connection of the next matching requests, after the server has acted on them."""
        return self._add(LoseReply(where, times))

    def drop_events(
        self, event: Callable[[Event], bool], *, where: Filter = anything, times: int | None = None
    ) -> DropEvents:
        """Keep matching watch events from the client. With `lambda event: True` its watches fall silent."""
        return self._add(DropEvents(where, times, event))

    def delay_events(
        self, seconds: float, event: Callable[[Event], bool], *, where: Filter = anything, times: int | None = None
    ) -> DelayEvents:
        """Hold matching watch events back, and all that follow them."""
        return self._add(DelayEvents(where, times, event, seconds))

    def expire_watches(self, *, where: Filter = anything) -> int:
        """End the matching open watches with a 410 event, as the server does to stale ones, and say how many."""
        return self._call(self._expire(where))

    def cut(self) -> None:
        """Break all connections. New ones work."""
        self._call(self._cut())

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Break all connections and refuse new ones until the block ends."""
        self._call(self._refuse())
        try:
            yield
        finally:
            self._call(self._listen())

    # Everything below runs in the proxy's own thread.

    async def _open(self) -> None:
        trust = ssl.create_default_context(cafile=self._control_plane.serving_certificate)
        # A new connection to the server for every request: a kept one could turn out dead after the server was
        # killed, and fail a request which the client itself sent on a healthy connection.
        connector = aiohttp.TCPConnector(ssl=trust, limit=0, force_close=True)
        self._client = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
        )
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(self._control_plane.serving_certificate, self._control_plane.serving_key)
        # Cancelled handlers close their watch on the server as soon as the client has gone.
        self._server = web.Server(self._handle, handler_cancellation=True, keepalive_timeout=3600, access_log=None)
        await self._listen()

    async def _listen(self) -> None:
        self._listener = await self._loop.create_server(self._server, "127.0.0.1", self._port, ssl=self._tls)

    async def _refuse(self) -> None:
        self._listener.close()
        await self._cut()

    async def _cut(self) -> None:
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def _close(self) -> None:
        await self._refuse()
        await self._server.shutdown(timeout=1)
        await self._client.close()
        await asyncio.sleep(0.1)  # aiohttp closes TLS connections a little after their session
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _expire(self, where: Filter) -> int:
        chosen = [(request, watch) for request, watch in self._watches.items() if where(request)]
        for request, watch in chosen:
            watch.expired = True
            await watch.response.write(expired_watch(request))
            watch.reply.close()
        return len(chosen)

    async def _handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        agent = raw.headers.get("User-Agent", "")
        request = parse(raw.method, raw.path, dict(raw.query), agent, await raw.content.read())
        self._requests.append(request)
        for delay in self._striking(Delay, request):
            await asyncio.sleep(delay.seconds)
        if self._strikes(LoseRequest, request):
            return _hang_up(raw)
        answer = self._strikes(Answer, request)
        if answer is not None:
            return _failure(request, answer)
        try:
            reply = await self._forward(raw, request)
            async with reply:
                return await self._pass_on(raw, request, reply)
        except aiohttp.ClientError:
            return _hang_up(raw)  # the server is gone: let the client see just that

    async def _forward(self, raw: web.BaseRequest, request: ApiRequest) -> aiohttp.ClientResponse:
        url = URL(self._control_plane.url + raw.raw_path, encoded=True)
        return await self._client.request(raw.method, url, headers=_end_to_end(raw.headers), data=request.body or None)

    async def _pass_on(
        self, raw: web.BaseRequest, request: ApiRequest, reply: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        headers = _end_to_end(reply.headers)
        if request.verb == "watch" and reply.status == 200:
            response = web.StreamResponse(headers=headers)
            request.status = reply.status
            await response.prepare(raw)
            watch = self._watches[request] = _Watch(reply, response)
            try:
                await self._stream(request, watch)
            except aiohttp.ClientError:
                if not watch.expired:
                    raise
            finally:
                del self._watches[request]
                if reply.connection is not None and reply.connection.transport is not None:
                    reply.connection.transport.abort()  # a polite TLS farewell could outlast the proxy
            return response
        body = await reply.read()
        if self._strikes(LoseReply, request):
            return _hang_up(raw)
        request.status = reply.status
        return web.Response(status=reply.status, headers=headers, body=body)

    async def _stream(self, request: ApiRequest, watch: _Watch) -> None:
        """Pass a watch on, event by event where it is JSON (Go clients may use protobuf among themselves)."""
        by_line = watch.reply.content_type == "application/json"
        pending = b""
        async for chunk in watch.reply.content.iter_any():
            if not by_line:
                await watch.response.write(chunk)
                continue
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                if await self._lets_through(request, line):
                    await watch.response.write(line + b"\n")

    async def _lets_through(self, request: ApiRequest, line: bytes) -> bool:
        faults = [fault for fault in self._faults if isinstance(fault, EventFault)]
        if not faults:
            return True
        event = json.loads(line)
        for fault in faults:
            if fault.strikes_event(request, event):
                if isinstance(fault, DropEvents):
                    return False
                if isinstance(fault, DelayEvents):
                    await asyncio.sleep(fault.seconds)
        return True

    def _striking(self, kind: type[FaultKind], request: ApiRequest) -> Iterator[FaultKind]:
        return (fault for fault in self._faults if isinstance(fault, kind) and fault.strikes(request))

    def _strikes(self, kind: type[FaultKind], request: ApiRequest) -> FaultKind | None:
        return next(self._striking(kind, request), None)

    def _add(self, fault: FaultKind) -> FaultKind:
        self._faults = (*self._faults, fault)
        return fault

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


def _end_to_end(headers: Any) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP)


def _hang_up(raw: web.BaseRequest) -> web.Response:
    if raw.transport is not None:
        raw.transport.abort()
    return web.Response()  # for nobody


def _failure(request: ApiRequest, answer: Answer) -> web.Response:
    headers = {"Content-Type": "application/json"}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    if request.verb == "watch" and answer.status == 410:
        # The server accepts such a watch and says only within it that it cannot be served.
        request.status = 200
        return web.Response(headers=headers, body=expired_watch(request))
    request.status = answer.status
    return web.Response(status=answer.status, headers=headers, body=failure(answer.status, request))

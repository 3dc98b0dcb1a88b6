"""An engine that answers what a real one of version 4.5.7 answered, over HTTPS, with faults on demand.

It knows data centers: one that is added is listed from then on. All else is word for word what was recorded; what was
not recorded is refused, and each test sees that nothing was.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from aiohttp import web

from heretic.engine.settings import EngineSettings

RECORDINGS = Path(__file__).resolve().parents[2] / "data/engine/4.5.7"
API, PASSWORD = "/ovirt-engine/api", "correct horse battery"
Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@cache
def exchanges(scenario: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RECORDINGS / f"{scenario}.json").read_text())["exchanges"]
    return found


def exchange(scenario: str, method: str, path: str, *, note: str = "", status: int | None = None) -> dict[str, Any]:
    """The first exchange that is so."""
    for one in exchanges(scenario):
        asked, told = one["request"], one["response"]
        meant = asked["method"] == method and asked["path"] == API + path and status in (None, told["status"])
        if meant and note in one.get("note", ""):
            return one
    raise LookupError(f"{scenario}: {method} {path} {note}")


def response(told: dict[str, Any]) -> web.Response:
    kind = told["headers"].get("Content-Type")
    body = (told["body"] or "").encode()
    return web.Response(status=told["status"], body=body, headers={"Content-Type": kind} if kind else {})


@dataclass
class RecordedEngine:
    """One engine.

    Attributes:
        fault: Asked before each request to the API; what it gives is the answer.
        after: Asked after a request took effect, in place of its answer.
        requests: Each request to the API, as method, path and query.
        bodies: What was posted to lists.
        logins: How many tokens were given.
        refused: What was not recorded.
        added: XML of the data centers that were added, by name.
    """

    fault: Fault | None = None
    after: Fault | None = None
    requests: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    logins: int = 0
    password: str = PASSWORD
    refused: list[str] = field(default_factory=list)
    added: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    login_answer: dict[str, Any] | None = None
    lists: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in exchanges("top"):
            asked, told = one["request"], one["response"]
            if asked["method"] == "GET" and told["status"] == 200:
                self.lists.setdefault(unquote(asked["path"]).removeprefix(API).strip("/"), told["body"])
        self.lists["datacenters/793a6804-e92b-11f1-b424-02fc00000001/storagedomains"] = "<storage_domains/>"
        # Recorded as max=3; the events are the same.
        self.lists["events?max=50"] = self.lists["events"]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/ovirt-engine/")
        if path == "sso/oauth/token":
            return await self._login(request)
        if path == "services/sso-logout":
            self.tokens.discard(parse_qs(await request.text())["token"][0])
            return web.json_response({})
        if path.startswith("services/"):
            return self._service(request)
        return await self._api(request, path.removeprefix("api").strip("/"))

    async def _login(self, request: web.Request) -> web.Response:
        form = parse_qs(await request.text())
        if self.login_answer is not None:
            return response(self.login_answer)
        if form["password"] != [self.password] or form["username"] != ["admin@internal"]:
            return response(sso_answer("wrong password"))
        self.logins += 1
        token = f"token-{self.logins}"
        self.tokens.add(token)
        return web.json_response(json.loads(exchanges("sso")[0]["response"]["body"]) | {"access_token": token})

    def _service(self, request: web.Request) -> web.Response:
        if request.path.endswith("/health"):
            return web.Response(text="DB Up!Welcome to Health Status!", content_type="text/html")
        if request.query_string == "resource=engine-certificate&format=OPENSSH-PUBKEY":
            return web.Response(text="ssh-rsa AAAAB3NzaC1yc2E= ovirt-engine\n", content_type="text/plain")
        assert request.query_string == "resource=ca-certificate&format=X509-PEM-CA"
        return web.Response(text=self.lists["ca"], content_type="application/x-x509-ca-cert")

    async def _api(self, request: web.Request, path: str) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs.removeprefix(API).lstrip('/')}")
        assert "search" not in request.query, "an empty answer to a search proves nothing"
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return response(sso_answer("garbage token"))
        if self.fault is not None and (answer := await self.fault(request)) is not None:
            return answer
        answer = await self._done(request, path)
        if self.after is not None and request.method != "GET":
            return await self.after(request) or answer
        return answer

    async def _done(self, request: web.Request, path: str) -> web.Response:
        if request.method == "POST" and path == "datacenters":
            return self._add(await request.text())
        key = path + (f"?{request.query_string}" if request.query_string else "")
        if request.method != "GET" or key not in self.lists:
            self.refused.append(f"{request.method} {key}")
            return web.Response(status=501)
        body = self.lists[key]
        if path == "datacenters":
            body = body.replace("</data_centers>", "".join(self.added.values()) + "</data_centers>")
        return web.Response(body=body.encode(), headers={"Content-Type": "application/xml;charset=UTF-8"})

    def _add(self, body: str) -> web.Response:
        self.bodies.append(body)
        name = body.partition("<name>")[2].partition("</name>")[0]
        if name in self.added or name == "Default":
            return response(exchange("datacenter-cluster", "POST", "/datacenters", note="name taken")["response"])
        number = f"00000000-0000-0000-0000-{len(self.added) + 1:012}"
        self.lists[f"datacenters/{number}/storagedomains"] = "<storage_domains/>"
        self.added[name] = body.replace("<data_center>", f'<data_center href="/{number}" id="{number}">')
        recorded = exchange("datacenter-cluster", "POST", "/datacenters", status=201)["response"]
        return response(recorded)


def sso_answer(note: str) -> dict[str, Any]:
    """What the recorded engine said to a login or a token."""
    return next(dict(one["response"]) for one in exchanges("sso") if one.get("note") == note)


@asynccontextmanager
async def running(engine: RecordedEngine, tls: ssl.SSLContext) -> AsyncIterator[int]:
    """Serves an engine on a free port of this machine."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", engine.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def settings(port: int, ca: str) -> EngineSettings:
    return EngineSettings("home/engine", "localhost", "admin@internal", PASSWORD, ca, port)


async def drop(request: web.Request) -> web.StreamResponse | None:
    """Ends the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    await asyncio.sleep(0)
    return web.Response()

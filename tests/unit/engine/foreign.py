"""An engine that has nothing in common with the simulated one: no SDK, no framework, answers typed by hand.

What it says is in the form that oVirt's public documentation of the API shows. How it says it, in bytes, a test
chooses: whatever HTTP and XML allow, a web server or a proxy in front of an engine may do.
"""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from unit.engine.recorded import PASSWORD

BASE, XML = "/ovirt-engine/", "application/xml"
DATA_CENTER, CLUSTER, HOST = (f"00000000-0000-0000-0000-{n:012}" for n in (1, 2, 3))

ROOT = """<api>
  <product_info>
    <name>oVirt Engine</name>
    <vendor>ovirt.org</vendor>
    <instance_id>5d1a1a6c-0000-4000-8000-00000000abcd</instance_id>
    <version><build>6</build><full_version>4.5.6-1.el9</full_version><major>4</major><minor>5</minor></version>
  </product_info>
  <summary><hosts><active>1</active><total>1</total></hosts></summary>
  <time>2026-11-27T22:13:20.123+01:00</time>
</api>"""
LISTS = {
    "datacenters": f"""<data_centers>
  <data_center href="/ovirt-engine/api/datacenters/{DATA_CENTER}" id="{DATA_CENTER}">
    <name>Default</name><description/><local>false</local><status>up</status><storage_format>v5</storage_format>
    <version><major>4</major><minor>7</minor></version>
    <link href="/ovirt-engine/api/datacenters/{DATA_CENTER}/storagedomains" rel="storagedomains"/>
  </data_center>
</data_centers>""",
    f"datacenters/{DATA_CENTER}/storagedomains": "<storage_domains/>",
    "clusters": f"""<clusters>
  <cluster href="/ovirt-engine/api/clusters/{CLUSTER}" id="{CLUSTER}">
    <name>Default</name><gluster_service>true</gluster_service><virt_service>true</virt_service>
    <data_center href="/ovirt-engine/api/datacenters/{DATA_CENTER}" id="{DATA_CENTER}"/>
    <version><major>4</major><minor>7</minor></version>
  </cluster>
</clusters>""",
    "hosts": f"""<hosts>
  <host href="/ovirt-engine/api/hosts/{HOST}" id="{HOST}">
    <name>node1</name><address>node1.example.test</address><status>up</status><status_detail>none</status_detail>
    <cluster href="/ovirt-engine/api/clusters/{CLUSTER}" id="{CLUSTER}"/>
    <link href="/ovirt-engine/api/hosts/{HOST}/nics" rel="nics"/>
    <actions><link href="/ovirt-engine/api/hosts/{HOST}/activate" rel="activate"/></actions>
  </host>
</hosts>""",
    "storagedomains": "<storage_domains></storage_domains>",
    "events": """<events>
  <event id="7"><code>30</code><index>7</index><severity>normal</severity><time>2026-11-27T22:00:00Z</time>
    <description>User admin@internal logged in.</description></event>
</events>""",
    "vms": "<vms/>",
    "macpools": "<mac_pools/>",
}


@dataclass(frozen=True)
class Asked:
    """A request: its path is below ``/ovirt-engine/``."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Answer:
    """What is sent back, before manners."""

    status: int = 200
    media: str = f"{XML};charset=UTF-8"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class ForeignEngine:
    """One engine, and how it behaves.

    Attributes:
        lists: XML by path.
        instead: Asked before anything is looked at; what it gives is the answer.
        written: Makes bytes of the XML of a success.
        http: Version in the status line.
        chunk: Size of the pieces in which a body is sent; 0 = at once, with its length; -1 = until the connection ends.
        pause: Seconds between two pieces.
        zipped: Whether bodies are compressed.
        ends: "" = the connection is kept; "told" = it is ended after each answer, which says so; "silently" = likewise.
        header: Makes the name of a header.
        more: Headers of every answer.
        media: Of every success of the API; None = as documented.
        added: Bodies of networks that were added.
    """

    root: str = ROOT
    lists: dict[str, str] = field(default_factory=lambda: dict(LISTS))
    instead: Callable[[Asked], Answer | None] = lambda _: None
    written: Callable[[str], bytes] = lambda xml: f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}'.encode()
    http: str = "1.1"
    chunk: int = 0
    pause: float = 0.0
    zipped: bool = False
    ends: str = ""
    header: Callable[[str], str] = str
    more: tuple[tuple[str, str], ...] = ()
    media: str | None = None
    added: list[str] = field(default_factory=list)
    logins: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await _asked(reader)) is not None:
                await self._send(writer, self.instead(asked) or self._answer(asked))
                if self.ends or self.http == "1.0" or self.chunk < 0:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer(self, asked: Asked) -> Answer:
        if asked.path == "sso/oauth/token":
            return self._login(parse_qs(asked.body))
        if asked.path.startswith("services/"):
            return Answer(media="text/plain", body=b"ssh-rsa AAAAB3NzaC1yc2E= ovirt-engine\n")
        if asked.headers.get("authorization") != f"Bearer token-{self.logins}":
            return Answer(401, "text/html", b"<html><body>Unauthorized</body></html>")
        path = asked.path.removeprefix("api").strip("/").partition("?")[0]
        if asked.method == "POST" and path == "networks":
            self.added.append(asked.body)
            return self._said(self._networks()[-1], 201)
        if asked.method == "GET" and path == "networks":
            return self._said(f"<networks>{''.join(self._networks())}</networks>")
        found = self.lists.get(path) if path else self.root
        if asked.method != "GET" or found is None:
            return Answer(404, "text/html", b"<html>RESTEASY003210: Could not find resource</html>")
        return self._said(found)

    def _login(self, form: dict[str, list[str]]) -> Answer:
        if form.get("password") != [PASSWORD] or form.get("grant_type") != ["password"]:
            return Answer(400, "application/json", b'{"error_code":"access_denied","error":"no"}')
        self.logins += 1
        told = {"access_token": f"token-{self.logins}", "scope": "ovirt-app-api", "exp": "1", "token_type": "bearer"}
        return Answer(media="application/json", body=json.dumps(told).encode())

    def _networks(self) -> list[str]:
        start = "<network>"
        return [
            body.replace(start, f'<network href="/ovirt-engine/api/networks/{number}" id="{number}">')
            for number, body in enumerate(self.added, 1)
        ]

    def _said(self, xml: str, status: int = 200) -> Answer:
        return Answer(status, Answer.media if self.media is None else self.media, self.written(xml))

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        body = gzip.compress(answer.body) if self.zipped else answer.body
        headers = [("Content-Type", answer.media)] if answer.media else []
        headers += [("Content-Encoding", "gzip")] if self.zipped else []
        headers += [("Connection", "close")] if self.ends == "told" else []
        if self.chunk > 0:
            headers.append(("Transfer-Encoding", "chunked"))
        elif self.chunk == 0:
            headers.append(("Content-Length", str(len(body))))
        lines = [f"{self.header(name)}: {value}" for name, value in [*headers, *self.more, *answer.headers]]
        head = "\r\n".join([f"HTTP/{self.http} {answer.status} Said", *lines, "", ""])
        writer.write(head.encode())
        size = abs(self.chunk) or len(body) or 1
        for at in range(0, len(body), size):
            piece = body[at : at + size]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunk > 0 else piece)
            await writer.drain()
            await asyncio.sleep(self.pause)
        writer.write(b"0\r\n\r\n" if self.chunk > 0 else b"")
        await writer.drain()


async def _asked(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, target, _ = first.split(" ")
    where = urlsplit(target)
    return Asked(method, where.path.removeprefix(BASE), where.query, headers, body.decode())


@asynccontextmanager
async def listening(engine: ForeignEngine, tls: ssl.SSLContext, address: str = "127.0.0.1") -> AsyncIterator[int]:
    """Serves an engine on a free port."""
    server = await asyncio.start_server(engine.serve, address, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()

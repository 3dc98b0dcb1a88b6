"""Hosts are found by their SSH greeting, with real SSH servers on loopback, and with what else may answer there."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncssh
import pytest

from heretic.hosts import discovery
from heretic.hosts.discovery import SshServer, find
from heretic.hosts.errors import fingerprint_of

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HOST, OTHER, STRANGE, NOBODY = "127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14"
OPENSSH = "OpenSSH_10.0p2 Debian-7"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "GREETING_TIMEOUT", 0.5)
    monkeypatch.setattr(discovery, "KEY_TIMEOUT", 2.0)


@pytest.fixture
def port() -> int:
    """One that is free on every address of this machine."""
    with socket.socket() as free:
        free.bind(("0.0.0.0", 0))
        return int(free.getsockname()[1])


@contextlib.asynccontextmanager
async def ssh_server(address: str, port: int, *kinds: str) -> AsyncIterator[list[str]]:
    """A real SSH server, with the public lines of its host keys."""
    keys = [asyncssh.generate_private_key(kind) for kind in kinds]
    server = await asyncssh.listen(address, port, server_host_keys=keys, server_version=OPENSSH)
    yield [key.export_public_key("openssh").decode().strip() for key in keys]
    server.close()
    await server.wait_closed()


@contextlib.asynccontextmanager
async def plain_server(address: str, port: int, handler: Handler) -> AsyncIterator[None]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await handler(reader, writer)
            writer.close()

    server = await asyncio.start_server(handle, address, port)
    yield
    server.close()


def saying(text: bytes, *, stays: bool = False) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        if stays:
            await reader.read()

    return handler


async def test_servers_are_found_in_order_with_their_keys_and_nobody_logs_in(port: int) -> None:
    async with ssh_server(HOST, port, "ssh-ed25519") as (key,), ssh_server(OTHER, port, "ssh-ed25519") as (other,):
        seen = await find([OTHER, NOBODY, HOST], port)
    assert seen == (
        SshServer(OTHER, OPENSSH, other, fingerprint_of(other)),
        SshServer(HOST, OPENSSH, key, fingerprint_of(key)),
    )
    assert seen[0].fingerprint.startswith("SHA256:")


@pytest.mark.parametrize(
    ("kinds", "taken"),
    [
        (("ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519"), 2),
        (("ssh-rsa", "ecdsa-sha2-nistp384"), 1),
        (("ssh-rsa",), 0),
    ],
)
async def test_the_best_kind_of_key_is_taken(port: int, kinds: tuple[str, ...], taken: int) -> None:
    async with ssh_server(HOST, port, *kinds) as keys:
        (seen,) = await find([HOST], port)
    assert seen.host_key == keys[taken]


@pytest.mark.parametrize(
    "handler",
    [
        saying(b""),
        saying(b"", stays=True),
        saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        saying(b"220 mail.example.com ESMTP\r\n", stays=True),
        saying(b"x" * 100_000, stays=True),
        saying(b"hello\r\n" * 1000, stays=True),
        saying(b"\xff\xfe\x00" * 10 + b"\n"),
    ],
    ids=["hangs up", "says nothing", "web", "mail", "a line without end", "lines without end", "bytes"],
)
async def test_what_is_no_ssh_server_is_no_host_and_holds_nobody_up(port: int, handler: Handler) -> None:
    started = time.monotonic()
    async with plain_server(STRANGE, port, handler):
        assert await find([STRANGE], port) == ()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("greeting", "software"),
    [
        (b"SSH-2.0-Old_1.0\r\n", "Old_1.0"),
        (b"welcome\r\nSSH-2.0-dropbear\r\n", "dropbear"),
        (b"SSH-2.0-a-b c\r\n", "a-b c"),
        (b"SSH-2.0-\x1b[2J\x07evil\r\n", "?[2J?evil"),
        (b"SSH-2.0-" + b"y" * 200 + b"\r\n", "y" * 80),
    ],
    ids=["greets only", "says something before", "dashes", "terminal codes", "long"],
)
async def test_a_server_without_a_key_is_told_with_what_it_calls_itself(
    port: int, greeting: bytes, software: str
) -> None:
    async with plain_server(STRANGE, port, saying(greeting)):
        (seen,) = await find([STRANGE], port)
    assert (seen.software, seen.host_key, seen.fingerprint) == (software, "", "")
    assert seen.trouble.startswith("it showed no host key")
    assert seen.trouble.isprintable()


async def test_a_server_that_stops_after_its_greeting_is_given_up(port: int) -> None:
    async with plain_server(STRANGE, port, saying(b"SSH-2.0-Stuck\r\n", stays=True)):
        (seen,) = await find([STRANGE], port)
    assert seen.trouble == "it showed no host key within 2 s"


async def test_only_so_many_are_tried_side_by_side(port: int) -> None:
    now, most = 0, 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await reader.read()
        now -= 1

    addresses = [f"127.0.0.{number}" for number in range(20, 28)]
    async with contextlib.AsyncExitStack() as stack:
        for address in addresses:
            await stack.enter_async_context(plain_server(address, port, count))
        assert await find(addresses, port, at_once=3) == ()
    assert most == 3

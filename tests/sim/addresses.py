"""Where simulated hosts listen: a Node may have no loopback address, and no other can be had without rights.

Their addresses are those of a network that is for tests of equipment (RFC 2544). What is sent there goes to the same
numbers in 127.0.10.0/24. A process of its own takes the detour with ``sim/detour`` in its PYTHONPATH.
"""

import asyncio
import socket
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable
from typing import Any

NETWORK = "198.18.10.0/24"
PREFIX = "198.18.10."
_LOOPBACK = "127.0.10."
WAYS: dict[str, Callable[[], str | None]] = {}
"""Asked before a connection is opened, by address: which address that host listens at, None = this one. Raises where no
way leads there."""
_create_connection = asyncio.BaseEventLoop.create_connection
_sock_connect = BaseSelectorEventLoop.sock_connect


def listening(address: str) -> str:
    """Where the host of this address listens."""
    return _LOOPBACK + address.removeprefix(PREFIX) if address.startswith(PREFIX) else address


def take_detour() -> None:
    """From now on this process reaches simulated hosts by their addresses."""
    asyncio.BaseEventLoop.create_connection = _connect  # type: ignore[method-assign, assignment]
    BaseSelectorEventLoop.sock_connect = _connect_socket  # type: ignore[method-assign, assignment]


async def _connect(self: asyncio.BaseEventLoop, factory: Any, host: Any = None, *more: Any, **named: Any) -> Any:
    if isinstance(host, str) and host in WAYS:
        host = WAYS[host]() or host
    there = listening(host) if isinstance(host, str) else host
    return await _create_connection(self, factory, there, *more, **named)


async def _connect_socket(self: BaseSelectorEventLoop, sock: socket.socket, address: Any) -> None:
    await _sock_connect(self, sock, (listening(address[0]), *address[1:]))

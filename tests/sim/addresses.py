"""Where simulated hosts listen: a Node may have no loopback address, and no other can be had without rights.

Their addresses are those of networks that are for tests of equipment (RFC 2544, and RFC 5180 for IPv6). What is sent
there goes to the same numbers in 127.0.10.0/24. A process of its own takes the detour with ``sim/detour`` in its
PYTHONPATH.
"""

import asyncio
import re
import socket
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable
from typing import Any

NETWORK = "198.18.10.0/24"
PREFIX = "198.18.10."
NETWORK6 = "2001:2::/64"
PREFIX6 = "2001:2::"
_LOOPBACK = "127.0.10."
WAYS: dict[str, Callable[[], str | None]] = {}
"""Asked before a connection is opened, by address: which address that host listens at, None = this one. Raises where no
way leads there."""
_create_connection = asyncio.BaseEventLoop.create_connection
_sock_connect = BaseSelectorEventLoop.sock_connect


def listening(address: str) -> str:
    """Where the host of this address listens."""
    prefix = next((prefix for prefix in (PREFIX, PREFIX6) if address.startswith(prefix)), "")
    return _LOOPBACK + address.removeprefix(prefix) if prefix else address


def number_of(address: str) -> str:
    """What tells a host from the others in its network; of IPv6 the same digits."""
    return re.split("[.:]", address)[-1]


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

"""Where simulated hosts listen: a Node may have no loopback address, and no other can be had without rights.

Their addresses are those of a network that is for tests of equipment (RFC 2544). What is sent there goes to the same
numbers in 127.0.10.0/24. A process of its own takes the detour with ``sim/detour`` in its PYTHONPATH.
"""

import asyncio
from typing import Any

NETWORK = "198.18.10.0/24"
PREFIX = "198.18.10."
_LOOPBACK = "127.0.10."
_create_connection = asyncio.BaseEventLoop.create_connection


def listening(address: str) -> str:
    """Where the host of this address listens."""
    return _LOOPBACK + address.removeprefix(PREFIX) if address.startswith(PREFIX) else address


def take_detour() -> None:
    """From now on this process reaches simulated hosts by their addresses."""
    asyncio.BaseEventLoop.create_connection = _connect  # type: ignore[method-assign, assignment]


async def _connect(self: asyncio.BaseEventLoop, factory: Any, host: Any = None, *more: Any, **named: Any) -> Any:
    there = listening(host) if isinstance(host, str) else host
    return await _create_connection(self, factory, there, *more, **named)

"""Which addresses answer as an SSH server, and with which host key. Nobody logs in, and nothing is believed."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import asyncssh

from heretic.hosts.host_keys import HOST_KEY_ALGORITHMS, host_key_line

AT_ONCE = 64
"""Addresses that are tried side by side: a network of 254 takes some seconds, and no switch is flooded."""

GREETING_TIMEOUT = 3.0
"""Seconds in which a server greets; most addresses of a range have nobody, and each of them costs as long."""

KEY_TIMEOUT = 15.0
"""Seconds for showing the host key: an old processor needs some."""

LONGEST_LINE = 1024
"""Bytes; a greeting has at most 255 (RFC 4253)."""

MOST_LINES = 20
"""Lines that a server may say before its greeting."""


@dataclass(frozen=True, slots=True)
class SshServer:
    """One SSH server.

    Attributes:
        address: Where it answered.
        software: What it calls itself, such as "OpenSSH_9.2p1 Debian-2"; printable characters only.
        host_key: The key that it showed, an OpenSSH public key line; empty when it showed none.
        fingerprint: Of that key, as ``ssh-keygen -l`` prints it; empty likewise.
        trouble: Why there is no key; empty when there is one.
    """

    address: str
    software: str
    host_key: str = ""
    fingerprint: str = ""
    trouble: str = ""


async def find(addresses: Iterable[str], port: int, *, at_once: int = AT_ONCE) -> tuple[SshServer, ...]:
    """The SSH servers among some addresses, in the order of these.

    Args:
        addresses: IPv4 addresses.
        port: TCP port of sshd.
        at_once: How many are tried side by side.
    """
    gate = asyncio.Semaphore(at_once)

    async def look(address: str) -> SshServer | None:
        async with gate:
            software = await _greeting(address, port)
            return None if software is None else await _with_key(address, port, software)

    seen = await asyncio.gather(*(look(address) for address in addresses))
    return tuple(found for found in seen if found is not None)


async def _greeting(address: str, port: int) -> str | None:
    """What a server calls itself; None where nobody answers, or not as an SSH server."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(GREETING_TIMEOUT):
            reader, writer = await asyncio.open_connection(address, port, limit=LONGEST_LINE)
            for _ in range(MOST_LINES):
                line = await reader.readline()
                if line.startswith(b"SSH-"):
                    return _printable(line.strip().split(b"-", 2)[-1])
                if not line:
                    return None
    except (OSError, ValueError):  # ValueError: a line that does not end
        return None
    finally:
        if writer is not None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    return None


async def _with_key(address: str, port: int, software: str) -> SshServer:
    try:
        async with asyncio.timeout(KEY_TIMEOUT):
            key = await asyncssh.get_server_host_key(
                address, port, server_host_key_algs=HOST_KEY_ALGORITHMS, config=None
            )
    except TimeoutError:
        return SshServer(address, software, trouble=f"it showed no host key within {KEY_TIMEOUT:.0f} s")
    except (OSError, asyncssh.Error) as error:
        said = getattr(error, "reason", "") or str(error) or type(error).__name__
        return SshServer(address, software, trouble=f"it showed no host key: {_printable(said.encode())}")
    if key is None:
        return SshServer(address, software, trouble="it showed no host key")
    return SshServer(address, software, host_key_line(key), key.get_fingerprint())


def _printable(said: bytes) -> str:
    """What a stranger said, without what a terminal would obey."""
    return "".join(c if " " <= c <= "~" else "?" for c in said.decode("ascii", errors="replace"))[:80]

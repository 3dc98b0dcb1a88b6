"""One SSH connection to one host, and one channel of it for every script."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import asyncssh

from heretic.domain.errors import Failure, HereticError, NeedsUser, Reason, Transient
from heretic.hosts.answer import Answer
from heretic.hosts.errors import CONNECT_TIMEOUT, Presented, channel_lost, connect_failure, timed_out
from heretic.hosts.host_keys import algorithms_for, host_key_line, parse_host_keys, without_comment
from heretic.hosts.settings import HostSettings

# asyncssh tells each channel it opens at INFO: too much for one a host and minute.
logging.getLogger("asyncssh").setLevel(logging.WARNING)

LOGIN_TIMEOUT = 12.0
"""Seconds between the TCP connection and the end of the login."""

KEEPALIVE_INTERVAL = 4.0
"""Seconds of silence after which a sign of life is asked for; the connection counts as lost after four times as long,
16 s, three such questions unanswered: a host may be silent for 12 s, and one under heavy load is for several."""

CLOSE_TIMEOUT = 3.0
"""Seconds that a host has for closing a channel; one that does not is not heard any more at all."""

OPEN_TIMEOUT = 15.0
"""Seconds that a host has for opening a channel on a connection that is there."""

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes; no host may fill the operator's memory."""

# AES-128-GCM costs 40 % less client CPU than asyncssh's default (reference/performance).
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes256-ctr",
)


class _Client(asyncssh.SSHClient):
    """Decides on host keys that are not pinned, and notices the end of the connection."""

    def __init__(self, *, accept_any: bool, on_lost: Callable[[], None]) -> None:
        self.presented = Presented()
        self._accept_any = accept_any
        self._on_lost = on_lost

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.presented.key = key
        return self._accept_any

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.presented.authority = key
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_lost()


class _Exec(asyncssh.SSHClientSession[bytes]):
    """Collects what one script prints."""

    def __init__(self, ended: "asyncio.Future[None]") -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.status: int | None = None
        self.complete = False
        self._ended = ended

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        (self.stderr if datatype == asyncssh.EXTENDED_DATA_STDERR else self.stdout).extend(data)
        if len(self.stdout) + len(self.stderr) > MAX_ANSWER and not self._ended.done():
            self._ended.set_exception(OverflowError())

    def exit_status_received(self, status: int) -> None:
        self.status = status
        self.complete = True

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self.complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


@dataclass(slots=True)
class Traffic:
    """What was sent to one host and came back, since the operator started.

    Attributes:
        round_trips: Scripts.
        bytes_out: Of scripts, before encryption.
        bytes_in: Of answers, likewise.
        connects: Logins that worked.
    """

    round_trips: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    connects: int = 0


class ChannelRefusedError(Exception):
    """A host opened no channel on an open connection; the text is what it said."""


class Session:
    """One open connection.

    Attributes:
        settings: What it was opened with.
        presented_key: The host key that it was opened under, as an OpenSSH public key line; of a certificate,
            the key that it certifies.
        channels: How many are open on it.
        proved: Whether the host ever opened one on it.
    """

    def __init__(self, settings: HostSettings, connection: asyncssh.SSHClientConnection, traffic: Traffic) -> None:
        self.settings = settings
        self.channels = 0
        self.proved = False
        self._connection = connection
        self._traffic = traffic
        self._command = "sh -s" if settings.user == "root" else "sudo -n sh -s"
        key = connection.get_server_host_key()
        self.presented_key = host_key_line(key) if key is not None else ""

    @classmethod
    async def open(
        cls, settings: HostSettings, traffic: Traffic, on_lost: Callable[[], None]
    ) -> "tuple[Session, str | None]":
        """Connects and logs in.

        Args:
            settings: Of the host.
            traffic: Where to count.
            on_lost: Called once when the connection has ended, for whatever reason.

        Returns:
            The session, and the public key line that was accepted without being pinned, if so.

        Raises:
            HereticError: Transient or NeedsUser.
        """
        pinned = parse_host_keys(settings, settings.host_keys)
        authorities = parse_host_keys(settings, settings.certificate_authorities)
        first_use = settings.trust_on_first_use and not pinned and not authorities
        client = _Client(accept_any=first_use, on_lost=on_lost)
        try:
            connection = await asyncssh.connect(
                host=settings.address,
                port=settings.port,
                username=settings.user,
                client_keys=[_private_key(settings)],
                known_hosts=(pinned, authorities, []),
                server_host_key_algs=algorithms_for(pinned, authorities),
                encryption_algs=_CIPHERS,
                compression_algs=["none"],
                preferred_auth="publickey",
                x509_trusted_certs=None,
                agent_path=None,
                config=None,
                gss_host=None,
                client_factory=lambda: client,
                connect_timeout=CONNECT_TIMEOUT,
                login_timeout=LOGIN_TIMEOUT,
                keepalive_interval=KEEPALIVE_INTERVAL,
                keepalive_count_max=3,
            )
        except (OSError, asyncssh.Error, UnicodeError) as error:
            raise HereticError(connect_failure(settings, error, client.presented)) from None
        traffic.connects += 1
        accepted = client.presented.key if first_use else None
        return cls(settings, connection, traffic), host_key_line(accepted) if accepted else None

    async def channel(self) -> "Channel":
        """Opens a channel, on which the host's shell waits for a script.

        Raises:
            ChannelRefusedError: The host opens none now, and said why.
            HereticError: Transient; the connection was lost, or nothing came in time.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answer = _Exec(ended)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                opened, _ = await self._connection.create_session(lambda: answer, self._command, encoding=None)
        except TimeoutError:
            self._connection.abort()
            raise HereticError(timed_out(self.settings, "opening a session", OPEN_TIMEOUT)) from None
        except (asyncssh.Error, OSError) as error:
            if isinstance(error, asyncssh.ChannelOpenError) and self.alive:
                raise ChannelRefusedError(error.reason) from None
            raise HereticError(channel_lost(self.settings, "opening a session")) from None
        self.channels += 1
        self.proved = True
        return Channel(self, opened, answer, ended, self._traffic)

    @property
    def alive(self) -> bool:
        """Whether the connection is open, as far as is known here."""
        return not self._connection.is_closed()

    def suits(self, settings: HostSettings) -> bool:
        """Whether this connection is as good as one that would be opened with other settings."""
        if settings == self.settings:
            return True
        if settings.login != self.settings.login:
            return False
        return self.presented_key in map(without_comment, settings.host_keys)

    def abort(self) -> None:
        """Drops the connection at once."""
        self._connection.abort()

    async def close(self) -> None:
        """Ends the connection and waits until it has ended."""
        self._connection.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._connection.wait_closed()
        except TimeoutError:
            self._connection.abort()


class Channel:
    """One shell on a host, for one script. The caller must close it; closing it twice does nothing."""

    def __init__(
        self,
        session: Session,
        channel: "asyncssh.SSHClientChannel[bytes]",
        answer: _Exec,
        ended: "asyncio.Future[None]",
        traffic: Traffic,
    ) -> None:
        self._session = session
        self._channel = channel
        self._answer = answer
        self._ended = ended
        self._traffic = traffic
        self._closed = False

    async def execute(self, script: Callable[[], str], deadline: float, *, doing: str, stop: bool) -> Answer:
        """Runs the script.

        Args:
            script: Gives its text in the moment in which it is sent; what it raises ends the channel, and nothing was
                sent.
            deadline: Seconds after which its answer is given up.
            doing: For messages.
            stop: Whether a script that is given up is also ended on the host. A step is not: its commands would
                go on without its lock.

        Raises:
            HereticError: Transient; the connection was lost, or nothing came in time.
        """
        settings, answer = self._session.settings, self._answer
        try:
            async with asyncio.timeout(deadline):
                data = script().encode()
                # Where the shell has ended already, its last words say why.
                with suppress(BrokenPipeError):
                    self._channel.write(data)
                    self._channel.write_eof()
                await self._ended
        except TimeoutError:
            await self._give_up(stop=stop)
            raise HereticError(timed_out(settings, doing, deadline)) from None
        except OverflowError:
            await self._give_up(stop=stop)
            raise HereticError(_too_much(settings, doing)) from None
        except (asyncssh.Error, OSError):
            raise HereticError(channel_lost(settings, doing)) from None
        except (asyncio.CancelledError, HereticError):
            self._end(stop=stop)
            raise
        self._traffic.round_trips += 1
        self._traffic.bytes_out += len(data)
        self._traffic.bytes_in += len(answer.stdout) + len(answer.stderr)
        if not answer.complete:
            raise HereticError(channel_lost(settings, doing))
        return Answer(bytes(answer.stdout), bytes(answer.stderr), answer.status)

    async def _give_up(self, *, stop: bool) -> None:
        """Closes the channel; drops the connection when the host does not even answer that."""
        self._end(stop=stop)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._channel.wait_closed()
                return
        self._session.abort()

    def _end(self, *, stop: bool) -> None:
        # OSError: the channel has ended by itself in this moment.
        with suppress(OSError):
            if stop:
                # TERM and not KILL: the script's trap removes its folder.
                self._channel.terminate()
            self._channel.abort()

    def close(self) -> None:
        """Ends the channel, if it has not ended; a shell that was sent nothing ends with it."""
        if not self._closed:
            self._closed = True
            self._session.channels -= 1
            with suppress(OSError):
                self._channel.abort()


def _private_key(settings: HostSettings) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(settings.private_key)
    except (asyncssh.KeyImportError, ValueError):
        message = (
            f"{settings}: the private key of the Site's SSH Secret is not readable; "
            f"it must be an OpenSSH private key without passphrase"
        )
        raise HereticError(NeedsUser(Reason.CREDENTIALS_MISSING, message)) from None


def _too_much(settings: HostSettings, doing: str) -> Failure:
    return Transient(
        Reason.OUTPUT_NOT_UNDERSTOOD, f"{settings}: the answer to {doing} is longer than {MAX_ANSWER >> 20} MiB"
    )

"""A simulated host on the network: asyncssh's server in front of a Machine, with the faults of real ones."""

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import asyncssh

from sim.addresses import listening, take_detour
from sim.machine import Machine
from sim.protocol import ProtocolError, run_script


@cache
def client_key() -> asyncssh.SSHKey:
    """The key that every simulated host lets in; one for all, as a site has one."""
    return asyncssh.generate_private_key("ssh-ed25519")


@cache
def shared_host_key() -> asyncssh.SSHKey:
    """A host key that many simulated hosts may share where identity does not matter (the benchmark)."""
    return asyncssh.generate_private_key("ssh-ed25519")


@dataclass
class HostFaults:
    """What is wrong with a host. Each may be changed at any time and takes effect at the next occasion.

    Attributes:
        refuse_login: No key is let in.
        refuse_sessions: A connection gets no channel.
        max_sessions: Channels of one connection at the same time, as sshd's MaxSessions; None = any number.
        refuse_sudo: What sudo says instead of working.
        hang: The script never starts; the channel stays open.
        drop_before: Scripts before whose execution the connection breaks, as a countdown (1 = the next one).
        drop_after: Likewise, but right after the execution: the reply is lost.
        noise: What the login shell prints before every answer.
        garble: Applied to every answer.
        delay: Seconds before every answer.
    """

    refuse_login: bool = False
    refuse_sessions: bool = False
    max_sessions: int | None = None
    refuse_sudo: str | None = None
    hang: bool = False
    drop_before: int = 0
    drop_after: int = 0
    noise: str = ""
    garble: Callable[[bytes], bytes] | None = None
    delay: float = 0.0


@dataclass
class SimServer:
    """One simulated host listening on loopback.

    Attributes:
        machine: What it is.
        user: Who may log in.
        address: Where it is reached: a simulated one (sim/addresses.py), or one of 127.0.0.0/8.
        port: Where it listens once started; 0 before. A restarted one keeps its port.
        host_key: Its identity; a new one may be set while stopped.
        host_certificate: Shown instead of the bare key when set.
        faults: What is wrong with it.
        logins: Logins that worked.
        scripts: Scripts that were run.
    """

    machine: Machine = field(default_factory=Machine)
    user: str = "root"
    address: str = "127.0.0.1"
    port: int = 0
    host_key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    host_certificate: asyncssh.SSHCertificate | None = None
    faults: HostFaults = field(default_factory=HostFaults)
    logins: int = 0
    scripts: int = 0
    _listener: asyncssh.SSHAcceptor | None = field(default=None, repr=False)
    _open: "set[asyncssh.SSHServerConnection]" = field(default_factory=set, repr=False)

    @property
    def host_key_line(self) -> str:
        """The public host key as a user would pin it."""
        return self.host_key.export_public_key("openssh").decode().strip()

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    async def start(self) -> "SimServer":
        """Listens; returns itself."""
        take_detour()
        key = (self.host_key, self.host_certificate) if self.host_certificate else self.host_key
        self._listener = await asyncssh.listen(
            listening(self.address),
            self.port,
            server_factory=lambda: _Login(self),
            server_host_keys=[key],
            encryption_algs=["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"],
            compression_algs=["none"],
            gss_host=None,
            encoding=None,
            config=None,
        )
        self.port = self._listener.get_port()
        return self

    async def stop(self) -> None:
        """Stops listening and breaks all connections, as a power cut does (but with a reset)."""
        if self._listener is not None:
            self._listener.close()
            await self._listener.wait_closed()
            self._listener = None
        self.drop()

    def drop(self) -> None:
        """Breaks all connections."""
        for connection in list(self._open):
            connection.abort()

    def freeze(self) -> None:
        """Stops hearing what comes in on open connections, as a host that hangs or lost its network."""
        for connection in self._open:
            transport = connection._transport
            assert isinstance(transport, asyncio.ReadTransport)
            transport.pause_reading()

    async def execute(self, script: bytes) -> tuple[bytes, bytes, int]:
        """Runs one script; a subclass may run it elsewhere.

        Returns:
            Standard output, standard error, exit status.
        """
        try:
            return run_script(self.machine, script.decode()).encode(), b"", 0
        except ProtocolError as error:
            return b"", f"sh: {error}".encode(), 2
        except Exception:  # a tool of the simulator broke: said on the channel, or the caller waits for its timeout
            return b"", traceback.format_exc().encode(), 70


class _Login(asyncssh.SSHServer):
    """One connection."""

    def __init__(self, server: SimServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None
        self._shells: set[_Shell] = set()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server._open.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._server._open.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        let_in = username == self._server.user and not self._server.faults.refuse_login
        return let_in and key.public_data == client_key().public_data

    def auth_completed(self) -> None:
        self._server.logins += 1

    def session_requested(self) -> "asyncssh.SSHServerSession[bytes] | bool":
        faults = self._server.faults
        full = faults.max_sessions is not None and len(self._shells) >= faults.max_sessions
        return False if faults.refuse_sessions or full else _Shell(self._server, self._shells)


class _Shell(asyncssh.SSHServerSession[bytes]):
    """One `sh -s`.

    Args:
        server: Whose it is.
        open_ones: Those of the same connection.
    """

    def __init__(self, server: SimServer, open_ones: "set[_Shell]") -> None:
        self._server = server
        self._open_ones = open_ones
        self._script = bytearray()
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_ones.discard(self)

    def exec_requested(self, command: str) -> bool:
        return command == ("sh -s" if self._server.user == "root" else "sudo -n sh -s")

    def session_started(self) -> None:
        # sudo waits for no script to refuse.
        if self._server.faults.refuse_sudo is not None:
            self._answer(b"", self._server.faults.refuse_sudo.encode(), 1)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._script += data

    def eof_received(self) -> bool:
        self._task = asyncio.create_task(self._run())
        return True

    async def _run(self) -> None:
        server, faults = self._server, self._server.faults
        if faults.delay:
            await asyncio.sleep(faults.delay)
        if faults.hang:
            return
        if _counts_down(faults, "drop_before"):
            server.drop()
            return
        server.scripts += 1
        stdout, stderr, status = await server.execute(bytes(self._script))
        if _counts_down(faults, "drop_after"):
            server.drop()
            return
        self._answer(faults.noise.encode() + (faults.garble(stdout) if faults.garble else stdout), stderr, status)

    def _answer(self, stdout: bytes, stderr: bytes, status: int) -> None:
        if self._channel is None or self._channel.is_closing():
            return
        self._channel.write(stdout)
        if stderr:
            self._channel.write_stderr(stderr)
        self._channel.exit(status)


def _counts_down(faults: HostFaults, name: str) -> bool:
    left = getattr(faults, name)
    if left:
        setattr(faults, name, left - 1)
    return bool(left == 1)

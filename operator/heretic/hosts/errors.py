"""Foreign errors become ours: what asyncssh, the operating system and programs on a host say → the closed list.

Text of programs is looked at here and nowhere else, and only of programs that failed.
"""

import errno
import os
import re
import socket
from dataclasses import dataclass

import asyncssh

from heretic.domain.errors import Failure, NeedsUser, Reason, Transient
from heretic.hosts.settings import HostSettings

CONNECT_TIMEOUT = 15.0
"""Seconds for a TCP connection and the login."""

_HOST_TROUBLE: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (
        re.compile(
            r"Could not get lock /var/(lib/dpkg|lib/apt|cache/apt)"
            r"|Unable to (acquire|lock) the (dpkg|administration|download)"
            r"|frontend lock was locked by another process"
            r"|Waiting for process with pid \d+ to finish"
            r"|holding the yum lock"
            r"|can't create transaction lock on"
        ),
        Reason.PACKAGE_MANAGER_LOCKED,
    ),
    (
        re.compile(r"No space left on device|more space needed on the|don't have enough free space in"),
        Reason.DISK_FULL,
    ),
    (re.compile(r"Read-only file system"), Reason.READ_ONLY_ROOT),
    (
        re.compile(
            r"required op[-_]version|connected clients cannot support the feature|cluster is operating at version",
            re.IGNORECASE,
        ),
        Reason.OP_VERSION_REFUSED,
    ),
)

_ADVICE = {
    Reason.DISK_FULL: "free some space there",
    Reason.READ_ONLY_ROOT: "look at the kernel log, check the filesystem and mount it writable again",
    Reason.OP_VERSION_REFUSED: (
        "bring Gluster to one version on all storage nodes and on whatever mounts the volume, then raise the pool's: "
        "`gluster volume get all cluster.max-op-version` shows the highest that all nodes take, `gluster volume set "
        "all cluster.op-version` sets it"
    ),
}


@dataclass(slots=True)
class Presented:
    """What a host showed as its identity during one login.

    Attributes:
        key: Its host key when that was not one of the pinned ones.
        authority: The key that signed its certificate when that was not one of the trusted ones.
    """

    key: asyncssh.SSHKey | None = None
    authority: asyncssh.SSHKey | None = None


def trouble_of_host(host: str, what: str, text: str) -> Failure | None:
    """Recognizes in what a failed program said that neither it nor what it was asked for is to blame.

    That is a full disk, a read-only filesystem, a locked package manager, or an op-version that Gluster does not take.

    Args:
        host: Name of the Node.
        what: Which program failed, for the message.
        text: Its output, without secrets.
    """
    for pattern, reason in _HOST_TROUBLE:
        if pattern.search(text):
            message = f"{host}: {what} failed: {brief(text)}"
            if reason is Reason.PACKAGE_MANAGER_LOCKED:
                return Transient(reason, message)
            return NeedsUser(reason, f"{message}; {_ADVICE[reason]}")
    return None


def brief(text: str, most: int = 400) -> str:
    """The end of what a program said, on one line."""
    line = "; ".join(part for part in map(str.strip, text.splitlines()) if part)
    return line if len(line) <= most else "…" + line[1 - most :]


def connect_failure(settings: HostSettings, error: Exception, presented: Presented) -> Failure:
    """Classifies why a connection or a login did not work.

    Args:
        settings: Of the host.
        error: What was raised.
        presented: The identity that the host showed.
    """
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return host_key_failure(settings, presented, str(error))
    if isinstance(error, asyncssh.PermissionDenied):
        return NeedsUser(
            Reason.AUTHENTICATION_FAILED,
            f"{settings}: user {settings.user!r} may not log in with the key of the Site's SSH Secret; "
            f"add its public key to authorized_keys there, or correct the Secret or the user",
        )
    return Transient(*_unreachable(settings, error))


def _unreachable(settings: HostSettings, error: Exception) -> tuple[Reason, str]:
    if isinstance(error, socket.gaierror):
        return Reason.NAME_NOT_RESOLVED, f"{settings}: the name does not resolve: {error.strerror}"
    if isinstance(error, UnicodeError):
        # Python refuses what cannot be a DNS name (an empty or overlong label) before anybody is asked.
        return Reason.NAME_NOT_RESOLVED, f"{settings}: the address is neither an IP address nor a DNS name"
    if isinstance(error, TimeoutError) and error.errno is None:
        return Reason.UNREACHABLE, f"{settings}: no SSH login within {CONNECT_TIMEOUT:.0f} s"
    if isinstance(error, OSError):
        return Reason.UNREACHABLE, f"{settings}: {_system_error(error)}"
    if isinstance(error, asyncssh.DisconnectError):
        return Reason.UNREACHABLE, f"{settings}: the SSH server ended the login: {error.reason}"
    return Reason.UNREACHABLE, f"{settings}: the SSH login failed: {type(error).__name__}"


def _system_error(error: OSError) -> str:
    # asyncio joins the errors of several addresses in one text and drops their numbers.
    if error.errno is None:
        return str(error)
    name = errno.errorcode.get(error.errno, str(error.errno))
    return f"cannot connect: {os.strerror(error.errno)} ({name})"


def host_key_failure(settings: HostSettings, presented: Presented, said: str) -> Failure:
    """Says which identity was expected and which one was shown."""
    expected = [f"key {fingerprint_of(line)}" for line in settings.host_keys]
    expected += [f"a certificate signed by {fingerprint_of(line)}" for line in settings.certificate_authorities]
    shown = presented.key or presented.authority
    if shown is None:
        return NeedsUser(Reason.HOST_KEY_MISMATCH, f"{settings}: its host certificate is not accepted: {said}")
    line = shown.export_public_key("openssh").decode().strip()
    if not expected:
        return NeedsUser(
            Reason.HOST_KEY_NOT_PINNED,
            f"{settings}: it presents the host key {shown.get_fingerprint()}, and none is pinned; compare it with "
            f"`ssh-keygen -lf` on the host's console, then add it to the Node's spec.hostKeys: {line}",
        )
    kind = "the host key" if presented.key else "a certificate signed by"
    return NeedsUser(
        Reason.HOST_KEY_MISMATCH,
        f"{settings}: expected {' or '.join(expected)}, but it presents {kind} {shown.get_fingerprint()}; "
        f"if the host was installed anew, verify that on its console and correct spec.hostKeys; "
        f"if not, somebody else may be answering in its place",
    )


def fingerprint_of(line: str) -> str:
    """The SHA256 fingerprint of an OpenSSH public key line."""
    return asyncssh.import_public_key(line).get_fingerprint()


def channel_lost(settings: HostSettings, doing: str) -> Transient:
    """A script did not run to its end on an open connection."""
    return Transient(Reason.CONNECTION_LOST, f"{settings}: the connection was lost during {doing}")


def no_session(settings: HostSettings, said: str, *, ever: bool) -> Failure:
    """The connection is open, but the host lets our user run nothing on it.

    Args:
        settings: Of the host.
        said: By the host.
        ever: Whether it opened a session on this connection before.
    """
    if ever:
        return Transient(
            Reason.CONNECTION_LOST, f"{settings}: it opens no further session ({said}); a new login follows"
        )
    return NeedsUser(
        Reason.LOGIN_REFUSED,
        f"{settings}: user {settings.user!r} is let in and gets no session: {said}; MaxSessions in sshd_config must be "
        f"1 or more there (better 4), and nothing may forbid this user to run commands",
    )


def timed_out(settings: HostSettings, doing: str, seconds: float) -> Transient:
    """No answer came in time."""
    return Transient(Reason.COMMAND_TIMED_OUT, f"{settings}: no answer to {doing} within {seconds:.0f} s")

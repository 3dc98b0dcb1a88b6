"""Host keys: what is asked of a host, what the settings allow, and how a key is written as a line."""

import asyncssh

from heretic.domain.errors import HereticError, NeedsUser, Reason
from heretic.hosts.settings import HostSettings

HOST_KEY_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""Kinds of host keys that are believed, the best first."""


def algorithms_for(pinned: list[asyncssh.SSHKey], authorities: list[asyncssh.SSHKey]) -> list[str]:
    """What to ask the host for: what can be verified first, then the rest, so that a stranger shows its key."""
    known = {key.get_algorithm().removeprefix("ssh-").partition("-")[0] for key in pinned}
    first = [a for a in HOST_KEY_ALGORITHMS if a.removeprefix("ssh-").partition("-")[0] in known]
    certified = [f"{a}-cert-v01@openssh.com" for a in HOST_KEY_ALGORITHMS] if authorities else []
    return [*certified, *first, *(a for a in HOST_KEY_ALGORITHMS if a not in first)]


def parse_host_keys(settings: HostSettings, lines: tuple[str, ...]) -> list[asyncssh.SSHKey]:
    """Reads public key lines.

    Raises:
        HereticError: NeedsUser; one of them is no public key.
    """
    keys = []
    for line in lines:
        try:
            keys.append(asyncssh.import_public_key(line))
        except (asyncssh.KeyImportError, ValueError):
            message = (
                f"{settings}: {line[:80]!r} is not an OpenSSH public key (ssh-ed25519 AAAA…); "
                f"correct the Node's host keys or the Site's host certificate authorities"
            )
            raise HereticError(NeedsUser(Reason.INVALID_SPEC, message)) from None
    return keys


def host_key_line(key: asyncssh.SSHKey) -> str:
    """A host key as the line that manifests and ``known_hosts`` have, without a comment."""
    return without_comment(key.export_public_key("openssh").decode())


def without_comment(line: str) -> str:
    """A public key line without its comment."""
    return " ".join(line.split()[:2])

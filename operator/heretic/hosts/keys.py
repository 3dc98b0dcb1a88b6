"""The key that opens the hosts: made in memory, and its public half for ``authorized_keys``."""

import asyncssh


def new_private_key(comment: str) -> str:
    """A fresh Ed25519 key, as the text of an OpenSSH private key without passphrase.

    Args:
        comment: What the public half ends with, so that a person knows the line again.
    """
    return asyncssh.generate_private_key("ssh-ed25519", comment=comment).export_private_key("openssh").decode()


def public_line(private_key: str) -> str:
    """The public half of a private key, as a line of ``authorized_keys``.

    Raises:
        ValueError: The text is no private key, or has a passphrase.
    """
    return asyncssh.import_private_key(private_key).export_public_key("openssh").decode().strip()

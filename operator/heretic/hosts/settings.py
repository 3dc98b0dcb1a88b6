"""Where and as whom a host is reached, and how it proves that it is itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Everything that a connection to one host needs.

    Attributes:
        name: Name of the Node, for messages.
        address: IP address or DNS name.
        private_key: OpenSSH private key without passphrase; in no message, repr or log.
        port: Of sshd.
        user: root, or a user who may run ``sudo -n sh -s``.
        host_keys: The keys that the host may present, each an OpenSSH public key line.
        certificate_authorities: The keys that may have signed the host's certificate, likewise. The certificate
            must name ``address`` as a principal.
        trust_on_first_use: Whether a key is accepted and remembered when nothing is pinned.
    """

    name: str
    address: str
    private_key: str = field(repr=False)
    port: int = 22
    user: str = "root"
    host_keys: tuple[str, ...] = ()
    certificate_authorities: tuple[str, ...] = ()
    trust_on_first_use: bool = False

    def __str__(self) -> str:
        where = f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
        return f"{self.name} ({where})"

    @property
    def login(self) -> tuple[str, int, str, str]:
        """What another connection is needed for when it changes: address, port, user, key."""
        return self.address, self.port, self.user, self.private_key

"""Where and as whom an engine is reached, and how it proves that it is itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Everything that a session with one engine needs.

    Attributes:
        name: Namespace and name of the object that stands for it, for messages.
        fqdn: The name that the engine was set up with. It answers to no other.
        user: With its profile, such as "admin@internal".
        password: In no message, repr or log.
        ca: The authorities that may sign its certificate, PEM; "" = nobody said so yet.
        port: Of its web server.
        address: Where it is, without asking DNS; "" = where DNS says.
    """

    name: str
    fqdn: str
    user: str
    password: str = field(repr=False)
    ca: str = field(default="", repr=False)
    port: int = 443
    address: str = ""

    @property
    def base(self) -> str:
        """The address of everything that belongs to the engine."""
        return (
            f"https://{self.fqdn}/ovirt-engine" if self.port == 443 else f"https://{self.fqdn}:{self.port}/ovirt-engine"
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.fqdn}:{self.port})"

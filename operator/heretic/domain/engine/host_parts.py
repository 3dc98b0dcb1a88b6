"""Parts of a host, as the engine sees it. A field that may be None was left out by the engine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostedEngineRole:
    """What a host says of the engine's own machine.

    Attributes:
        configured: Whether it may run there.
        active: Whether the host's agent works.
        score: 3400 for a host without any trouble.
        global_maintenance: Whether nobody watches over the engine's machine.
        local_maintenance: Whether this host leaves it to others.
    """

    configured: bool | None
    active: bool | None
    score: int | None
    global_maintenance: bool | None
    local_maintenance: bool | None


@dataclass(frozen=True, slots=True)
class DifferingValue:
    """Something of a network that a host has otherwise than the engine.

    Attributes:
        name: In the engine's words, such as "mtu", "vlan", "bridged", "ipv4_address".
        actual: On the host; "" = nothing.
        expected: By the engine; "" = nothing.
    """

    name: str
    actual: str
    expected: str

    def __str__(self) -> str:
        return f"{self.name} is {self.actual or 'nothing'}, {self.expected or 'nothing'} is expected"


@dataclass(frozen=True, slots=True)
class HostAttachment:
    """A logical network that is attached to a host.

    Attributes:
        network: Its id.
        in_sync: Whether the host has it as the engine does.
        different: What it has otherwise; None where that was not told.
        interface: Id of the port or bond that carries it; "" where that was not told.
        addresses: That the engine gives the host there, with prefix lengths; those that the host gets otherwise are
            not among them. None where they were not told.
    """

    id: str
    network: str
    in_sync: bool | None
    different: tuple[DifferingValue, ...] | None
    interface: str = ""
    addresses: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EngineInterface:
    """A port, a bond or a VLAN of a host.

    Attributes:
        ports: Of a bond, the ids of its ports; none of anything else.
        options: Of a bond, in the engine's words; modes are numbers there.
    """

    id: str
    name: str
    ports: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OwnMachine:
    """The machine on which the engine runs, as the engine lists it among its guests.

    Attributes:
        id: Of the machine.
        host: Id of the host that runs it; "" where it was not told.
    """

    id: str
    host: str

"""What is known of a host's networks beside its links, which are facts of the machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heretic.domain.facts import NOT_OBSERVED, Fact


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """A default route.

    Attributes:
        gateway: Address of the router.
        interface: Through which it is reached.
        metric: The least counts.
    """

    gateway: str
    interface: str
    metric: int


@dataclass(frozen=True, slots=True)
class PortAnswer:
    """Somebody answered on a port.

    Attributes:
        vlan: In which VLAN; 0 = untagged.
        target: The address that was asked for.
        mac: Who answered.
        echo: Whether it also answered to an address of the node, so that it looks for that address on this very port.
            A machine with several ports may answer for any of its addresses on each of them (rule:echo-proves).
        mtu: The largest packet in bytes that came back whole; 0 = none was tried.
    """

    vlan: int
    target: str
    mac: str
    echo: bool
    mtu: int = 0


@dataclass(frozen=True, slots=True)
class AskedPort:
    """What one port was told when it was asked.

    Attributes:
        mac: Its hardware address.
        changes: How often its link had come and gone by then: another number makes all this old.
        answers: Who answered.
        taken: Who else has an address of the node, by that address.
        hears: Other ports of the host whose packets it hears, each with the VLAN.
        switch: What the switch says of itself and its port (LLDP), "" = nothing was heard.
        error: Why it was not asked, "" = it was.
    """

    mac: str = ""
    changes: int = -1
    answers: tuple[PortAnswer, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)
    hears: frozenset[tuple[str, int]] = frozenset()
    switch: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The last time that ports of a host were asked.

    Attributes:
        key: Of the questions (see ``AskPorts``).
        ports: By name.
        error: Why nothing could be asked, "" = it could.
    """

    key: str
    ports: Mapping[str, AskedPort] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Wires:
    """What a host tells of its networks beside its links.

    Attributes:
        changes: How often the link of each interface has come and gone since the boot.
        asked: What ports told; Absent where none was asked since the boot.
        routes: Default routes of both families.
        passed: Whether a packet got to another node and back, by the name of the question (domain/wiring/paths.py).
    """

    changes: Fact[Mapping[str, int]] = NOT_OBSERVED
    asked: Fact[Asked] = NOT_OBSERVED
    routes: Fact[tuple[DefaultRoute, ...]] = NOT_OBSERVED
    passed: Mapping[str, Fact[bool]] = field(default_factory=dict)

"""What cables of simulated hosts are plugged into."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SimWire:
    """A segment of switches whose ports are set up alike.

    Attributes:
        name: For messages.
        networks: Name of the network by VLAN; 0 = without a tag.
    """

    name: str
    networks: dict[int, str]

"""What cables of simulated hosts are plugged into."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SimWire:
    """A segment of switches whose ports are set up alike.

    Attributes:
        name: For messages.
        networks: Name of the network by VLAN; 0 = without a tag.
        lacp: Whether the ports of each host are an LACP group.
        alone: Whether a port of such a group works by itself while it hears no LACP.
    """

    name: str
    networks: dict[int, str]
    lacp: bool = False
    alone: bool = True

    @property
    def partner(self) -> str:
        """The hardware address by which it is known to a bond of 802.3ad."""
        return f"02:00:00:00:10:{sum(self.name.encode()) % 256:02x}" if self.lacp else "00:00:00:00:00:00"

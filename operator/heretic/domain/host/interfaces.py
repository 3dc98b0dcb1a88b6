"""Links of a host, and how they lie on each other."""

from dataclasses import dataclass

PORT, BOND, VLAN, BRIDGE = "ether", "bond", "vlan", "bridge"
"""Kinds of interfaces that networks are made of; a port is one that the kernel gives no other name."""


@dataclass(frozen=True, slots=True)
class Bond:
    """How a bond is set up, in the kernel's words.

    Attributes:
        mode: active-backup, balance-xor, 802.3ad, …
        miimon: Milliseconds between two looks at the links; None = not told.
        transmit_hash: By what of a packet its port is chosen, "" = not told.
        lacp_rate: slow or fast; "" where it is no 802.3ad.
        active: The port that works, of active-backup; "" = none.
        partner: Hardware address of the switch that LACP has found; "" = none.
    """

    mode: str
    miimon: int | None = None
    transmit_hash: str = ""
    lacp_rate: str = ""
    active: str = ""
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """One network port or derived interface, from ip -d -j.

    Attributes:
        mac: The permanent one where the kernel tells it apart from the present one (a bond's ports).
        kind: Of the link: bond, vlan, bridge, …; "ether" for a plain port.
        carrier: Whether there is a link; None = cannot be told because the port is switched off.
        addresses: With prefix length: 172.20.10.11/24.
        master: The bond or bridge it belongs to, or "".
        parent: Of a VLAN, what it is on.
        vlan: Of a VLAN, its number.
        bond: Of a bond, how it is set up.
        aggregated: Of a port with a link in a bond of 802.3ad, whether it works with the switch; None = no such
            port, or not told.
    """

    name: str
    mac: str
    kind: str
    carrier: bool | None
    mtu: int
    speed_mbps: int | None = None
    max_mtu: int | None = None
    addresses: tuple[str, ...] = ()
    master: str = ""
    parent: str = ""
    vlan: int | None = None
    bond: Bond | None = None
    aggregated: bool | None = None

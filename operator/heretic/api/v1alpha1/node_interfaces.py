"""What a Node declares of the ports of its host, and what its status tells of them."""

from typing import Annotated

from pydantic import Field, StringConstraints

from heretic.api.schema import Cap, Unique, matching
from heretic.api.v1alpha1.common import Model, StatusModel
from heretic.api.v1alpha1.values import IP, IPv6, ObjectName, Text

PortName = Annotated[
    str,
    StringConstraints(max_length=17),
    matching(
        "[A-Za-z0-9][-A-Za-z0-9_.]{0,14}|[0-9a-f]{2}(?::[0-9a-f]{2}){5}",
        "must be the name of a port such as 'eno4', or its hardware address in lower case",
    ),
]


class NodeAddress(Model):
    """The node's address in one Network."""

    network: ObjectName = Field(description="Name of the Network.")
    address: IP = Field(description="Address without prefix length, inside the Network's subnet.")
    ipv6: IPv6 = Field(
        default="", description="IPv6 address without prefix length, inside the ipv6.subnet of the Network."
    )


class PortChoice(Model):
    """Where a port leads, by a person's word."""

    port: PortName = Field(description="Name of the port, such as eno4, or its hardware address.")
    networks: Annotated[list[ObjectName], Field(max_length=8), Unique()] = Field(
        default=[],
        description=(
            "Names of the Networks that it leads to; more than one where they have different VLANs. Empty: the port "
            "is left alone, and what was recorded of it is forgotten."
        ),
    )


class NodeBond(StatusModel):
    """How a bond is set up, in the kernel's words."""

    mode: Text = Field(description="Such as active-backup, balance-xor, 802.3ad or balance-rr.")
    miimon: int | None = Field(default=None, description="Milliseconds between two looks at the links.")
    transmit_hash: Text = Field(default="", description="By what of a packet its port is chosen.")
    lacp_rate: Text = Field(default="", description="How often the switch tells that it is there; of 802.3ad.")
    active: Text = Field(default="", description="The port that works, of active-backup.")
    partner: Text = Field(default="", description="Hardware address of the switch that LACP has found.")


class NodeInterface(StatusModel):
    """One network port as seen."""

    name: Text = Field(description="Name on the host, such as eno1.")
    kind: Text = Field(default="", description="ether for a port, bond, vlan, bridge and so on.")
    parent: Text = Field(default="", description="Of a VLAN, what it is on.")
    vlan: int | None = Field(default=None, description="Of a VLAN, its number.")
    master: Text = Field(default="", description="The bond or bridge that it belongs to.")
    bond: NodeBond | None = Field(default=None, description="Of a bond, how it is set up.")
    aggregated: bool | None = Field(
        default=None,
        description=(
            "Of a port with a link in a bond of 802.3ad, whether it works together with the switch (LACP); missing: no "
            "such port, or not known."
        ),
    )
    mac: Text = Field(default="", description="Hardware address.")
    carrier: bool | None = Field(default=None, description="Whether it has a link; missing: not known.")
    speed_mbps: int | None = Field(default=None, description="Speed of the link in Mbit/s; missing: not known.")
    mtu: int = Field(default=0, description="Largest packet in bytes.")
    addresses: Annotated[list[Text], Cap(32)] = Field(default=[], description="Addresses with prefix length.")
    network: Text = Field(default="", description="Network in which the node is declared to have such an address.")


class NodePath(StatusModel):
    """How large packets are that get to another node."""

    network: Text = Field(description="Network in which it was asked.")
    node: Text = Field(description="Name of the other Node.")
    address: Text = Field(description="Its address, which was asked for.")
    mtu: int = Field(description="Bytes of the packet that is declared to get there.")
    passed: int = Field(description="Bytes of the largest packet that came back; smaller than mtu: that one did not.")


class NodePort(StatusModel):
    """Where one port leads: recorded once it was found, and kept."""

    mac: Text = Field(description="Hardware address, by which it is known also under another name.")
    port: Text = Field(default="", description="Name on the host at the last look; empty: it is gone.")
    networks: Annotated[list[Text], Cap(8)] = Field(
        default=[], description="Networks that it leads to; empty: not known."
    )
    how: Text = Field(
        default="",
        description=(
            "How that is known. Declared: by spec.interfaces. Carried: it has an address of the network, or what lies "
            "on it has. Answered: who is asked for in the network answered on it. Heard: a port that is known hears it."
        ),
    )
    evidence: Text = Field(default="", description="What was seen, for a person.")
    switch: Text = Field(default="", description="What the switch said of itself and its port (LLDP).")

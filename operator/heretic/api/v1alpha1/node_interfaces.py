"""What a Node's status tells of the ports of its host."""

from typing import Annotated

from pydantic import Field

from heretic.api.schema import Cap
from heretic.api.v1alpha1.common import StatusModel
from heretic.api.v1alpha1.values import Text


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
    mac: Text = Field(default="", description="Hardware address.")
    carrier: bool | None = Field(default=None, description="Whether it has a link; missing: not known.")
    speed_mbps: int | None = Field(default=None, description="Speed of the link in Mbit/s; missing: not known.")
    mtu: int = Field(default=0, description="Largest packet in bytes.")
    addresses: Annotated[list[Text], Cap(32)] = Field(default=[], description="Addresses with prefix length.")
    network: Text = Field(default="", description="Network in which the node is declared to have such an address.")

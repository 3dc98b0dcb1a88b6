"""Network: one network of the site, as far as nodes and volumes refer to it."""

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import IMMUTABLE, Cap, Column, Rule
from heretic.api.v1alpha1.common import (
    AGE,
    MODE,
    READY,
    REASON,
    SUMMARY,
    SYNCED,
    CommonSpec,
    CommonStatus,
    Resource,
    StatusModel,
)
from heretic.api.v1alpha1.values import OF_A_HOST, IPv4, Text


def _is_subnet(text: str) -> bool:
    try:
        return 8 <= IPv4Network(text).prefixlen <= 30 and "/" in text
    except ValueError:
        return False


def _gateway_is_inside(spec: "NetworkSpec") -> bool:
    return not spec.gateway or IPv4Address(spec.gateway) in IPv4Network(spec.subnet)


class NetworkRole(StrEnum):
    """What a network carries."""

    MANAGEMENT = "Management"
    GLUSTER = "Gluster"
    LAN = "LAN"
    INTERNAL = "Internal"
    OVN = "OVN"


Subnet = Annotated[
    str,
    StringConstraints(max_length=64),
    Rule(
        cel=(
            "isCIDR(self) && cidr(self).ip().family() == 4 && cidr(self) == cidr(self).masked() && "
            "cidr(self).prefixLength() >= 8 && cidr(self).prefixLength() <= 30"
        ),
        message="must be an IPv4 network from /8 to /30 without host bits, such as '172.20.10.0/24'",
        holds=_is_subnet,
    ),
    Rule(
        cel=(
            "!isCIDR(self) || cidr(self).ip().family() != 4 || (cidr(self).ip().isGlobalUnicast() && "
            "!cidr('0.0.0.0/8').containsCIDR(self) && !cidr('240.0.0.0/4').containsCIDR(self))"
        ),
        message="must be a network of hosts: not loopback (127…), link-local (169.254…), multicast or reserved",
        holds=lambda text: OF_A_HOST.holds is None or OF_A_HOST.holds(text.partition("/")[0]),
    ),
]


class NetworkSpec(CommonSpec):
    """What the user declares."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=(
                "!has(self.gateway) || !isIP(self.gateway) || !isCIDR(self.subnet) || "
                "cidr(self.subnet).containsIP(self.gateway)"
            ),
            message="`gateway` must be an address inside `subnet`",
            holds=_gateway_is_inside,
        ),
    )

    role: Annotated[
        NetworkRole,
        Rule(IMMUTABLE, "must not change: names that Gluster's peers know would get other addresses; make a Network"),
    ] = Field(
        description=(
            "What the network carries. Management: SSH and the engine. Gluster: traffic between bricks and their "
            "clients; without a Network of this role it takes the management network. LAN: users and shares. "
            "Internal: guests among themselves. OVN: tunnels of virtual networks. It must not change later."
        )
    )
    subnet: Subnet = Field(
        description="Addresses of the network, such as 172.20.11.0/24; a Node's address in it must lie inside."
    )
    mtu: Annotated[int, Field(strict=True, ge=1280, le=9216)] = Field(
        default=1500,
        description=(
            "Largest packet in bytes that every port and switch of the network carries, from 1280 to 9216; 9000 "
            "makes storage faster where the switches allow it. A Node whose port has another is not in sync."
        ),
    )
    gateway: IPv4 = Field(
        default="", description="Router of the network: an address inside the subnet that no Node may have."
    )


class NetworkAttachment(StatusModel):
    """How one node is attached."""

    node: Text = Field(description="Name of the Node.")
    address: Text = Field(default="", description="Address found on the node.")
    interface: Text = Field(default="", description="Interface that has the address.")
    mtu: int = Field(default=0, description="MTU of that interface in bytes; 0: not seen.")
    in_sync: bool | None = Field(
        default=None, description="Whether address and MTU are as declared; missing: not known."
    )


class NetworkStatus(CommonStatus):
    """What Heretic saw."""

    attachments: Annotated[list[NetworkAttachment], Cap(64)] = Field(
        default=[], description="How each node that has an address in this Network is attached."
    )


class Network(Resource):
    """One network of the site, for Nodes and volumes to refer to.

    A Node lists its address in each Network that it is attached to (spec.addresses). Heretic checks that the
    address is there with the declared MTU; it does not configure ports.
    """

    KIND: ClassVar[str] = "Network"
    PLURAL: ClassVar[str] = "networks"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("hnet",)
    SELECTABLE: ClassVar[tuple[str, ...]] = (".spec.role",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        READY,
        Column("Role", ".spec.role", "What it carries."),
        Column("Subnet", ".spec.subnet", "Its addresses."),
        Column("MTU", ".spec.mtu", "Largest packet in bytes.", type="integer", wide=True),
        MODE,
        REASON,
        SYNCED,
        AGE,
        SUMMARY,
    )

    spec: NetworkSpec = Field(description="The network as it shall be.")
    status: NetworkStatus = Field(default_factory=NetworkStatus, description="The network as it was last seen.")

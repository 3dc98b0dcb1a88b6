"""Network: one network of the site, for nodes and volumes to refer to, and what stands for it in the engine."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import IMMUTABLE, Cap, Column, Rule, Unique, condition_column, matching
from heretic.api.v1alpha1.bonds import BondMode, BondSpec
from heretic.api.v1alpha1.common import (
    AGE,
    MODE,
    READY,
    REASON,
    SUMMARY,
    SYNCED,
    CommonSpec,
    CommonStatus,
    Model,
    Resource,
    StatusModel,
)
from heretic.api.v1alpha1.subnets import GATEWAY_INSIDE, IPv6Spec, Subnet, contains, is_ipv6
from heretic.api.v1alpha1.values import IP, DomainName, Text
from heretic.api.v1alpha1.vnic_profile import VnicProfileSpec


def _subnets(spec: "NetworkSpec") -> tuple[str, ...]:
    return (spec.subnet, *((spec.ipv6.subnet,) if spec.ipv6 else ()))


def _probe_is_inside(spec: "NetworkSpec") -> bool:
    return any(contains(subnet, spec.probe_address) for subnet in _subnets(spec))


def _is_bonded_for_guests(spec: "NetworkSpec") -> bool:
    """Whether guests could be behind a bond that sends the packets of one connection over several ports."""
    if spec.bond is None or spec.bond.mode is not BondMode.ROUND_ROBIN:
        return False
    return spec.role is not NetworkRole.GLUSTER or bool(spec.logical_network.vm_network)


class NetworkRole(StrEnum):
    """What a network carries."""

    MANAGEMENT = "Management"
    GLUSTER = "Gluster"
    LAN = "LAN"
    INTERNAL = "Internal"
    OVN = "OVN"


class NetworkUsage(StrEnum):
    """What a cluster of the engine uses a logical network for; it has at most one network for each."""

    DISPLAY = "Display"
    MIGRATION = "Migration"
    GLUSTER = "Gluster"
    DEFAULT_ROUTE = "DefaultRoute"


def _is_plain_in_the_engine(spec: "NetworkSpec") -> bool:
    return spec.role is not NetworkRole.OVN or spec.logical_network == LogicalNetworkSpec()


def _has_guests_for_its_profile(spec: "NetworkSpec") -> bool:
    logical = spec.logical_network
    guests = spec.role is not NetworkRole.GLUSTER if logical.vm_network is None else logical.vm_network
    return logical.vnic_profile is None or guests


def _is_required_for_management(spec: "NetworkSpec") -> bool:
    return spec.role is not NetworkRole.MANAGEMENT or spec.logical_network.required is not False


_PLAIN = "[A-Za-z0-9_.-]"

LogicalName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    matching(
        f"{_PLAIN}|{_PLAIN}[A-Za-z0-9_. -]*{_PLAIN}",
        "must be 1 to 100 letters, digits, dots, dashes, underscores and spaces in between, such as 'ovirtmgmt'",
    ),
]


class LogicalNetworkSpec(Model):
    """What the engine has for the network. What is unset follows from the role."""

    name: LogicalName | None = Field(
        default=None,
        description=(
            "Its name in the engine. Unset: ovirtmgmt for the role Management, else the name of this object. A network "
            "of another name is made where it is missing; that of Management is the one that the cluster has already."
        ),
    )
    vm_network: bool | None = Field(
        default=None,
        strict=True,
        description=(
            "Whether guests can be attached to it. Unset: as the engine has it for Management, false for Gluster, true "
            "for LAN and Internal."
        ),
    )
    required: bool | None = Field(
        default=None,
        strict=True,
        description=(
            "Whether a host without it runs no guests. It is made so once every host of the cluster has it, because "
            "those without it would be taken out. Unset: true for Management, which allows nothing else, and for "
            "Gluster; false for LAN and Internal."
        ),
    )
    usages: Annotated[list[NetworkUsage], Unique(), Field(max_length=4)] | None = Field(
        default=None,
        description=(
            "What the cluster uses it for. Display: consoles of guests. Migration: guests on their way to another "
            "host. Gluster: bricks. DefaultRoute: the hosts' default route. A cluster has one network at most for "
            "each, so no two Networks may claim the same one. Unset: Gluster and Migration for the role Gluster, "
            "Display for LAN, none for Internal. What no Network claims is Management's."
        ),
    )
    vnic_profile: VnicProfileSpec | None = Field(
        default=None,
        description=(
            "The vNIC profile of the network's name, by which guests are attached to it: kept as declared, and made "
            "where it is missing; pass-through is off. {} is enough. Unset: the engine makes one together with a "
            "network for guests, and nobody looks at it later."
        ),
    )


class NetworkSpec(CommonSpec):
    """What the user declares."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        GATEWAY_INSIDE,
        Rule(
            cel="!has(self.ipv6) || !isCIDR(self.subnet) || cidr(self.subnet).ip().family() == 4",
            message="`ipv6` must not be set beside an IPv6 `subnet`: declare the IPv4 one in `subnet`, or none",
            holds=lambda spec: spec.ipv6 is None or not is_ipv6(spec.subnet),
        ),
        Rule(
            cel="self.role != 'Gluster' || !isCIDR(self.subnet) || cidr(self.subnet).ip().family() == 4",
            message="`subnet` must be an IPv4 network for role Gluster: the trusted pool works over IPv4",
            holds=lambda spec: spec.role is not NetworkRole.GLUSTER or not is_ipv6(spec.subnet),
        ),
        Rule(
            cel=(
                "!has(self.probeAddress) || !isIP(self.probeAddress) || !isCIDR(self.subnet) || "
                "cidr(self.subnet).containsIP(self.probeAddress) || (has(self.ipv6) && isCIDR(self.ipv6.subnet) && "
                "cidr(self.ipv6.subnet).containsIP(self.probeAddress))"
            ),
            message="`probeAddress` must be an address inside `subnet` or `ipv6.subnet`",
            holds=_probe_is_inside,
        ),
        Rule(
            cel=(
                "!has(self.bond) || self.bond.mode != 'balance-rr' || (self.role == 'Gluster' && "
                "(!has(self.logicalNetwork) || !has(self.logicalNetwork.vmNetwork) || "
                "!self.logicalNetwork.vmNetwork))"
            ),
            message="`bond.mode` must not be 'balance-rr' but for role Gluster without guests: they would lose packets",
            holds=lambda spec: not _is_bonded_for_guests(spec),
        ),
        Rule(
            cel=(
                "self.role != 'OVN' || !has(self.logicalNetwork) || (!has(self.logicalNetwork.name) && "
                "!has(self.logicalNetwork.vmNetwork) && !has(self.logicalNetwork.required) && "
                "!has(self.logicalNetwork.usages) && !has(self.logicalNetwork.vnicProfile))"
            ),
            message="`logicalNetwork` must not be set for role OVN, of which nothing is made in the engine",
            holds=_is_plain_in_the_engine,
        ),
        Rule(
            cel=(
                "self.role != 'Management' || !has(self.logicalNetwork) || !has(self.logicalNetwork.required) || "
                "self.logicalNetwork.required"
            ),
            message="`logicalNetwork.required` must not be false for role Management: no host works without it",
            holds=_is_required_for_management,
        ),
        Rule(
            cel=(
                "!has(self.logicalNetwork) || !has(self.logicalNetwork.vnicProfile) || "
                "(has(self.logicalNetwork.vmNetwork) ? self.logicalNetwork.vmNetwork : self.role != 'Gluster')"
            ),
            message="`logicalNetwork.vnicProfile` may not be specified when the network is not for guests",
            holds=_has_guests_for_its_profile,
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
        description=(
            "Addresses of the network, such as 172.20.11.0/24 or fd00:20:11::/64; a Node's address in it must lie "
            "inside, and no other Network's may."
        )
    )
    ipv6: IPv6Spec | None = Field(
        default=None, description="The IPv6 addresses of a network that has IPv4 addresses, too."
    )
    mtu: Annotated[int, Field(strict=True, ge=1280, le=9216)] = Field(
        default=1500,
        description=(
            "Largest packet in bytes that every port and switch of the network carries, from 1280 to 9216; 9000 "
            "makes storage faster where the switches allow it. A Node whose port has another is not in sync."
        ),
    )
    vlan: Annotated[int, Field(strict=True, ge=1, le=4094)] | None = Field(
        default=None,
        description=(
            "Number of the VLAN, from 1 to 4094, with which it is tagged on the ports of hosts. Unset: no tag. No two "
            "Networks have the same."
        ),
    )
    gateway: IP = Field(
        default="", description="Router of the network: an address inside the subnet that no Node may have."
    )
    name_servers: Annotated[list[IP], Field(max_length=3), Unique()] = Field(
        default=[],
        description="Name servers that hosts ask through this network; only a Node with configureLinks is given them.",
    )
    search_domains: Annotated[list[DomainName], Field(max_length=6), Unique()] = Field(
        default=[],
        description="Domains in which hosts look for names without a dot; only beside nameServers, likewise.",
    )
    probe_address: IP = Field(
        default="",
        description=(
            "An address that always answers in this network, such as its switch: ports that carry nothing yet are "
            "asked for it, to find out where they lead. It is no Node's. Unset: the gateway; else the other Nodes' "
            "addresses."
        ),
    )
    bond: BondSpec | None = Field(
        default=None,
        description=(
            "How the ports of the network are bonded on hosts that have more than one. A host whose bond differs is "
            "not in sync. Unset: any bond will do."
        ),
    )
    logical_network: LogicalNetworkSpec = Field(
        default=LogicalNetworkSpec(),
        description=(
            "What stands for the network in the data center of the site's HostedEngine: kept where one is declared."
        ),
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
    in_engine: bool | None = Field(
        default=None,
        description="Whether the engine has the network on its host, in sync; missing: not known, or no host of it.",
    )


class LogicalNetworkStatus(StatusModel):
    """What stands for the network in the engine."""

    id: Text = Field(
        default="", description="The engine's id, recorded once seen: by it the network is found, also when renamed."
    )
    name: Text = Field(default="", description="Its name in the engine.")
    required: bool | None = Field(
        default=None, description="Whether the cluster takes a host without it out; missing: not known."
    )
    state: Text = Field(
        default="",
        description=(
            "Operational; NonOperational while it is required and a host lacks it; NotAttached while the cluster has "
            "not got it; empty: not known."
        ),
    )
    vnic_profile_id: Text = Field(
        default="", description="The engine's id of the declared vNIC profile, recorded once it was seen."
    )


class NetworkStatus(CommonStatus):
    """What Heretic saw."""

    attachments: Annotated[list[NetworkAttachment], Cap(64)] = Field(
        default=[], description="How each node that has an address in this Network is attached."
    )
    logical_network: LogicalNetworkStatus | None = Field(
        default=None, description="The network in the engine; missing: none was seen yet."
    )


class Network(Resource):
    """One network of the site, for Nodes and volumes to refer to.

    A Node lists its address in each Network that it is attached to (spec.addresses). Heretic checks that the
    address is there with the declared MTU, and configures ports where the Node wants it (spec.configureLinks). Where
    the site declares a HostedEngine, the network is one of its logical networks, too.
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
        condition_column("MtuProved", wide=True),
        Column("VLAN", ".spec.vlan", "Tag on the ports of hosts.", type="integer", wide=True),
        MODE,
        REASON,
        SYNCED,
        AGE,
        SUMMARY,
    )

    spec: NetworkSpec = Field(description="The network as it shall be.")
    status: NetworkStatus = Field(default_factory=NetworkStatus, description="The network as it was last seen.")

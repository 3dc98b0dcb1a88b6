"""Subnets of Networks, of either family."""

from ipaddress import ip_address, ip_network
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import Rule
from heretic.api.v1alpha1.common import Model
from heretic.api.v1alpha1.values import OF_A_HOST, IPv6

_BOUNDS = {4: (8, 30), 6: (32, 126)}


def _is_subnet(*versions: int) -> Rule:
    """A rule that a text is a network of one of these IP versions, without host bits."""
    inside = " || ".join(
        f"(cidr(self).ip().family() == {v} && cidr(self).prefixLength() >= {_BOUNDS[v][0]} && "
        f"cidr(self).prefixLength() <= {_BOUNDS[v][1]})"
        for v in versions
    )
    words = {
        4: "an IPv4 network from /8 to /30 without host bits, such as '172.20.10.0/24'",
        6: "an IPv6 network from /32 to /126 without host bits, such as 'fd00:20:10::/64'",
    }

    def holds(text: str) -> bool:
        try:
            network = ip_network(text)
        except ValueError:
            return False
        least, most = _BOUNDS[network.version]
        return network.version in versions and text.partition("/")[2].isdecimal() and least <= network.prefixlen <= most

    return Rule(
        cel=f"isCIDR(self) && cidr(self) == cidr(self).masked() && ({inside})",
        message=f"must be {', or '.join(words[v] for v in versions)}",
        holds=holds,
    )


_OF_HOSTS = Rule(
    cel=(
        "!isCIDR(self) || (cidr(self).ip().isGlobalUnicast() && "
        "!cidr('0.0.0.0/8').containsCIDR(self) && !cidr('240.0.0.0/4').containsCIDR(self))"
    ),
    message="must be a network of hosts: not loopback (127…), link-local (169.254…, fe80…), multicast or reserved",
    holds=lambda text: OF_A_HOST.holds is None or OF_A_HOST.holds(text.partition("/")[0]),
)

IPv4Subnet = Annotated[str, StringConstraints(max_length=64), _is_subnet(4), _OF_HOSTS]
IPv6Subnet = Annotated[str, StringConstraints(max_length=64), _is_subnet(6), _OF_HOSTS]
Subnet = Annotated[str, StringConstraints(max_length=64), _is_subnet(4, 6), _OF_HOSTS]


def is_ipv6(subnet: str) -> bool:
    """Whether a subnet or an address is of IPv6."""
    return ":" in subnet


def contains(subnet: str, address: str) -> bool:
    """Whether an address lies in a subnet; true for an empty one, which is not declared."""
    return not address or ip_address(address) in ip_network(subnet)


GATEWAY_INSIDE = Rule(
    cel=(
        "!has(self.gateway) || !isIP(self.gateway) || !isCIDR(self.subnet) || "
        "cidr(self.subnet).containsIP(self.gateway)"
    ),
    message="`gateway` must be an address inside `subnet`",
    holds=lambda spec: contains(spec.subnet, spec.gateway),
)
"""A rule of everything that has a subnet and a gateway."""


class IPv6Spec(Model):
    """The IPv6 addresses of a network that has IPv4 addresses, too."""

    RULES: ClassVar[tuple[Rule, ...]] = (GATEWAY_INSIDE,)

    subnet: IPv6Subnet = Field(description="Addresses of the network, such as fd00:20:11::/64.")
    gateway: IPv6 = Field(
        default="", description="Router of the network: an address inside the subnet that no Node may have."
    )

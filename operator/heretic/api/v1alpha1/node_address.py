"""What an address of IPv6 excludes for a Node: what others know its host by."""

from typing import Protocol

from heretic.api.schema import Rule
from heretic.api.v1alpha1.node_interfaces import NodeAddress
from heretic.api.v1alpha1.subnets import is_ipv6


class Reached(Protocol):
    """What the rules look at of a Node's spec."""

    @property
    def address(self) -> str:
        """Where SSH reaches the host."""

    @property
    def roles(self) -> list[str]:
        """What the host does."""

    @property
    def addresses(self) -> list[NodeAddress]:
        """Its addresses in Networks."""


_NOT_IPV6 = "!isIP(self.address) || ip(self.address).family() == 4"


def _is_not_the_engines(spec: Reached) -> bool:
    return not is_ipv6(spec.address) or "Hypervisor" not in spec.roles


def _is_known_by_ipv4(spec: Reached) -> bool:
    """Whether Gluster and CTDB have an address to know the host by, where they need one."""
    needs = is_ipv6(spec.address) and bool({"Storage", "FileServer"} & set(spec.roles))
    return not needs or any(not is_ipv6(entry.address) for entry in spec.addresses)


IPV6_RULES = (
    Rule(
        cel=f"{_NOT_IPV6} || !('Hypervisor' in self.roles)",
        message=(
            "`address` must not be of IPv6 when `roles` has 'Hypervisor', because the engine takes no host by one: "
            "write a DNS name that leads to it"
        ),
        holds=_is_not_the_engines,
    ),
    Rule(
        cel=(
            f"{_NOT_IPV6} || !('Storage' in self.roles || 'FileServer' in self.roles) || (has(self.addresses) && "
            "self.addresses.exists(a, isIP(a.address) && ip(a.address).family() == 4))"
        ),
        message=(
            "`addresses` must have one of IPv4 when `address` is of IPv6 and `roles` has 'Storage' or 'FileServer': "
            "Gluster and CTDB work over IPv4"
        ),
        holds=_is_known_by_ipv4,
    ),
)

"""What each Network stands for in the engine: the defaults by role, and what is folded into the management network.

The defaults are HVP's (rule:hvp-networks): the network of bricks carries migrations too, and no guests; consoles are
reached through the LAN. What no network claims, the management network carries.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from heretic.api.v1alpha1 import Network
from heretic.api.v1alpha1.network import NetworkRole, NetworkUsage
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked

MANAGEMENT_NETWORK = "ovirtmgmt"
"""As every engine calls it when it is set up."""

WORDS = {
    NetworkUsage.DISPLAY: "display",
    NetworkUsage.MIGRATION: "migration",
    NetworkUsage.GLUSTER: "gluster",
    NetworkUsage.DEFAULT_ROUTE: "default_route",
}
"""The engine's words."""

VM = "vm"
"""Likewise, for what is not declared as a usage."""

DEFAULT_MTU = 1500
"""What the engine means by an MTU of 0."""

_BY_ROLE: dict[NetworkRole, frozenset[str]] = {
    NetworkRole.GLUSTER: frozenset({"gluster", "migration"}),
    NetworkRole.LAN: frozenset({"display"}),
}


@dataclass(frozen=True, slots=True)
class DeclaredNetwork:
    """A logical network as it is declared.

    Attributes:
        name: In the engine.
        management: Whether it is the management network of the cluster.
        vlan: None = no tag.
        mtu: In bytes.
        for_machines: None = as the engine has it.
        required: Whether a host without it runs no guests.
        usages: In the engine's words, without "management" and "vm".
    """

    name: str
    management: bool
    vlan: int | None
    mtu: int
    for_machines: bool | None
    required: bool
    usages: frozenset[str]


def wanted(network: Network, view: SiteView) -> DeclaredNetwork | Blocked | None:
    """What a Network declares of the engine.

    Args:
        network: The object.
        view: The declared site: what other Networks claim.

    Returns:
        None for a role of which nothing is made; Blocked where another Network claims the same.
    """
    role, declared = network.spec.role, network.spec.logical_network
    if role is NetworkRole.OVN:
        return None
    clash = next(_clashes(network, view), None)
    if clash:
        return clash
    management = role is NetworkRole.MANAGEMENT
    is_gluster = role is NetworkRole.GLUSTER
    by_role = None if management else not is_gluster
    return DeclaredNetwork(
        name=name_of(network),
        management=management,
        vlan=network.spec.vlan,
        mtu=network.spec.mtu,
        for_machines=by_role if declared.vm_network is None else declared.vm_network,
        required=management or (is_gluster if declared.required is None else declared.required),
        usages=_folded(network, view) if management else claims(network),
    )


def name_of(network: Network) -> str:
    """The declared name in the engine."""
    usual = MANAGEMENT_NETWORK if network.spec.role is NetworkRole.MANAGEMENT else network.metadata.name
    return network.spec.logical_network.name or usual


def claims(network: Network) -> frozenset[str]:
    """What a Network claims to be used for, in the engine's words."""
    declared = network.spec.logical_network.usages
    if declared is None:
        return _BY_ROLE.get(network.spec.role, frozenset())
    return frozenset(WORDS[usage] for usage in declared)


def claimed_by_others(network: Network, view: SiteView) -> frozenset[str]:
    """What other Networks claim."""
    return frozenset(usage for other in _others(network, view) for usage in claims(other))


def _folded(network: Network, view: SiteView) -> frozenset[str]:
    """The management network's: what it claims, and what nobody else does. Gluster only where nothing is said."""
    left = frozenset(WORDS.values()) - claimed_by_others(network, view)
    if network.spec.logical_network.usages is not None:
        left -= {WORDS[NetworkUsage.GLUSTER]}  # the others come back to it in the engine, whatever is said
    return left | claims(network)


def _others(network: Network, view: SiteView) -> Iterator[Network]:
    for name, other in sorted(view.of(Network).items()):
        alive = other.metadata.deletion_timestamp is None and other.spec.role is not NetworkRole.OVN
        if alive and name != network.metadata.name:
            yield other


def _clashes(network: Network, view: SiteView) -> Iterator[Blocked]:
    name = network.metadata.name
    for other in _others(network, view):
        beside = f"Networks {name} and {other.metadata.name}"
        if network.spec.role is other.spec.role is NetworkRole.MANAGEMENT:
            yield Blocked(
                Reason.INVALID_SPEC, f"{beside} both have the role Management; a cluster has one such network"
            )
        if name_of(other) == name_of(network):
            yield Blocked(
                Reason.INVALID_SPEC,
                f"{beside} both stand for the logical network {name_of(network)!r}; give one of them another "
                "spec.logicalNetwork.name",
            )
        both = claims(network) & claims(other)
        if both:
            usages = " and ".join(usage.value for usage, word in WORDS.items() if word in both)
            yield Blocked(
                Reason.INVALID_SPEC,
                f"{beside} both claim the usage {usages}, and a cluster has one network for it; say in "
                "spec.logicalNetwork.usages of each what it is for",
            )

"""What a Node's status shows of the links of its host."""

from collections.abc import Set
from dataclasses import asdict

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.node_interfaces import NodeBond, NodeInterface
from heretic.domain.declared.names import inside, is_ipv4, subnets
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import Fact, Known
from heretic.domain.host.interfaces import Interface

_PORT_KINDS = frozenset({"ether", "bond", "vlan", "bridge", "team", "infiniband", "ipoib", "openvswitch", "macsec"})
"""Interfaces worth a line in status without an address; those of virtual machines come and go."""
_MAXIMUM_INTERFACES = 64
_MAXIMUM_ADDRESSES = 32

_SHOWN = PerView[list[NodeInterface]]()
"""On a calm host each pass sees the same."""


def shown_interfaces(node: Node, view: SiteView, interfaces: Fact[tuple[Interface, ...]]) -> list[NodeInterface]:
    """The links that matter; what was last known stays while they cannot be seen.

    Args:
        node: The Node as stored.
        view: The declared site.
        interfaces: Of its host.
    """
    name = node.metadata.name
    return _SHOWN.of(view, lambda: _interfaces(node, view, interfaces), node, interfaces, name=name)


def _interfaces(node: Node, view: SiteView, interfaces: Fact[tuple[Interface, ...]]) -> list[NodeInterface]:
    if not isinstance(interfaces, Known):
        return node.status.interfaces
    entries = node.spec.addresses
    declared = {node.spec.address, *(e.address for e in entries), *(e.ipv6 for e in entries)}
    bonds = {i.name for i in interfaces.value if i.bond}
    shown = [
        _interface(view, i, declared)
        for i in sorted(interfaces.value, key=lambda i: _rank(declared, view, i))
        if i.kind in _PORT_KINDS or i.master in bonds or _network(view, i) or any(map(is_ipv4, _addresses(i)))
    ]
    order = {i.name: number for number, i in enumerate(interfaces.value)}
    return sorted(shown[:_MAXIMUM_INTERFACES], key=lambda i: order[i.name])


def _interface(view: SiteView, seen: Interface, declared: Set[str]) -> NodeInterface:
    return NodeInterface(
        name=seen.name,
        kind=seen.kind,
        parent=seen.parent,
        vlan=seen.vlan,
        master=seen.master,
        bond=NodeBond.model_validate(asdict(seen.bond)) if seen.bond else None,
        aggregated=seen.aggregated,
        mac=seen.mac,
        carrier=seen.carrier,
        speed_mbps=seen.speed_mbps,
        mtu=seen.mtu,
        addresses=_first(declared, seen),
        network=_network(view, seen),
    )


def _rank(declared: Set[str], view: SiteView, interface: Interface) -> int:
    """What matters first, where there are more interfaces than status can show.

    What has a declared address is shown whatever it is: Networks are held against what stands in status.
    """
    if declared & set(_addresses(interface)):
        return 0
    if _network(view, interface):
        return 1
    return 2 if interface.kind in _PORT_KINDS else 3


def _first(declared: Set[str], interface: Interface) -> list[str]:
    """The addresses, the declared ones first, then IPv4."""

    def place(address: str) -> tuple[bool, bool]:
        bare = address.partition("/")[0]
        return bare not in declared, not is_ipv4(bare)

    return sorted(interface.addresses, key=place)[:_MAXIMUM_ADDRESSES]


def _addresses(interface: Interface) -> tuple[str, ...]:
    return tuple(address.partition("/")[0] for address in interface.addresses)


def _network(view: SiteView, interface: Interface) -> str:
    """The Network in whose subnet an address of the interface lies, "" when there is none."""
    own = _addresses(interface)
    named = sorted(view.of(Network).items())
    return next((n for n, net in named if any(inside(a, s) for a in own for s in subnets(net))), "")

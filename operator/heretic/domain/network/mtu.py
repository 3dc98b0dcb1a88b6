"""Whether packets of the declared MTU get from each node of a network to each other one, as their hosts found out."""

from heretic.api.v1alpha1 import Network, Node
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.names import address_in
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.wiring.paths import header, is_there, pairs

_KIND = ConditionType.MTU_PROVED
_MOST = 3
"""How many paths a message names."""


def mtu_proved(network: Network, view: SiteView) -> Condition:
    """Whether the MTU is proved end to end (rule:mtu-proved).

    Args:
        network: The object.
        view: The declared site, with what its Nodes record of their paths.

    Returns:
        False names both nodes and both sizes. Unknown where a path was not asked, or nobody answered on it.
    """
    return _PROVED.of(view, lambda: _proved(network, view), network, name=network.metadata.name)


_PROVED = PerView[Condition]()
"""The plan of a Network and its report both ask for it."""


def _proved(network: Network, view: SiteView) -> Condition:
    name, mtu = network.metadata.name, network.spec.mtu
    nodes = [n for _, n in sorted(view.nodes.items()) if address_in(network, n) and not n.metadata.deletion_timestamp]
    wrong: list[str] = []
    unknown: list[str] = []
    proved = 0
    for node in nodes:
        records = {(p.network, p.address): p.passed for p in node.status.paths if p.mtu == mtu}
        for peer in nodes:
            for _, target in pairs(network, node, peer) if peer is not node else ():
                passed = records.get((name, target)) if is_there(node) and is_there(peer) else None
                if passed is None:
                    unknown.append(f"{node.metadata.name} to {peer.metadata.name}")
                elif passed < mtu:
                    wrong.append(_too_small(node, peer, target, passed, mtu))
                else:
                    proved += 1
    if wrong:
        told = f"{_some(wrong)}. Let the switch and every port between them carry {mtu}, or declare a smaller `mtu`"
        return Condition(_KIND, State.FALSE, Reason.PATH_TOO_SMALL, told)
    if unknown:
        told = f"packets of {mtu} bytes are not proved: {_some(unknown)} (not asked yet, or no answer to any ping)"
        return Condition(_KIND, State.UNKNOWN, Reason.NOT_OBSERVED, told)
    told = f"packets of {mtu} bytes get from each node to each other one" if proved else "there are no two nodes in it"
    return Condition(_KIND, State.TRUE, Reason.AS_DECLARED, told)


def _too_small(node: Node, peer: Node, target: str, passed: int, mtu: int) -> str:
    size = header(target)
    return (
        f"{node.metadata.name} reaches {peer.metadata.name} ({target}) with packets of {passed} bytes, not of {mtu} "
        f"(ping -M do -s {passed - size} and {mtu - size})"
    )


def _some(told: list[str]) -> str:
    more = f", and {len(told) - _MOST} more" if len(told) > _MOST else ""
    return f"{'; '.join(told[:_MOST])}{more}"

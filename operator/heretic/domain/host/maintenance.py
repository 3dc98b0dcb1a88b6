"""Maintenance of a host: what a person declares, and whether the site can bear that the host is taken out.

The declaration is obeyed at once, whatever the site is like: who works on a host must not be disturbed. Whether the
host may be switched off is another matter, and only that is judged here.
"""

from collections.abc import Iterator

from heretic.api.v1alpha1 import FileShare, GlusterVolume, Node
from heretic.api.v1alpha1.node import Role
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.stored import is_true, why_not
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason

_KIND = ConditionType.MAINTENANCE
_WHOLE = (ConditionType.BRICKS_READY, ConditionType.QUORATE, ConditionType.HEALED)
"""What a volume must be known to be before one of its copies is taken away on purpose.

The rules are rule:one-node-out and rule:healed-twice.
"""


def in_maintenance(view: SiteView, name: str) -> bool:
    """Whether somebody works on a host: nothing is changed on it, nor asked of it that changes something."""
    node = view.nodes.get(name)
    return node is not None and node.spec.maintenance


def maintenance_condition(node: Node, view: SiteView) -> Condition:
    """Whether the host is in maintenance and may be taken out.

    Once it was found that it may, that stays so until the spec is changed: that volumes heal after the host went is
    what maintenance is.

    Args:
        node: The Node as stored, with its last status.
        view: The declared site, with what the last passes wrote of its volumes and nodes.
    """
    if not node.spec.maintenance:
        return Condition(_KIND, State.FALSE, Reason.AS_DECLARED, "not in maintenance")
    name = node.metadata.name
    left_alone = "declared in spec.maintenance: Heretic changes nothing on the host"
    against = () if is_true(node, _KIND) else tuple(_against(node, view))
    if not against:
        return Condition(_KIND, State.TRUE, Reason.AS_DECLARED, left_alone)
    told = "; ".join(against)
    return Condition(
        _KIND,
        State.FALSE,
        Reason.MAINTENANCE_UNSAFE,
        f"{left_alone}. But do not switch {name} off: {told}. Wait until this condition is True, unless {name} itself "
        "is what is broken",
    )


def _against(node: Node, view: SiteView) -> Iterator[str]:
    """Every reason why a node may not be taken out now; what is not known is one.

    Of two that were declared, the one that was told first that it may has it, and if none was, none gets it: an order
    among them could let both go, because their passes overlap and neither sees what the other is about to say.
    """
    yield from dict.fromkeys(_addresses(node, view))
    if Role.STORAGE not in node.spec.roles:
        return
    name = node.metadata.name
    others = [o for o in view.nodes.values() if Role.STORAGE in o.spec.roles and o.metadata.name != name]
    for other in others:
        yield from _out(other)
    for kind, unread in sorted(view.unread):
        yield f"{kind} {unread} cannot be understood by this version"
    yield from unwhole(view)


def _addresses(node: Node, view: SiteView) -> Iterator[str]:
    """Public addresses of shares that are still on a host, where another one could have them."""
    storage = view.site.status.storage if view.site else None
    name, arbiter = node.metadata.name, storage.arbiter if storage else ""
    for share in view.of(FileShare).values():
        servers = {server.node: server.addresses for server in share.status.servers if server.node}
        if servers.get(name) and servers.keys() - {name, arbiter}:
            yield f"its public addresses ({', '.join(servers[name])}) have not moved to another file server yet"


def _out(other: Node) -> Iterator[str]:
    """Why another storage node may be out of service, or soon be."""
    if other.spec.maintenance or _is_out(other):
        yield f"{other.metadata.name} is in maintenance too, and one node at a time may be"
    elif not is_true(other, ConditionType.REACHABLE):
        yield why_not(other, ConditionType.REACHABLE)


def unwhole(view: SiteView) -> Iterator[str]:
    """Every reason why the volumes of a site are not known to be whole."""
    for volume in view.of(GlusterVolume).values():
        if volume.status.volume_id:
            # Not the same again for each: one that was not observed yet says no more of the others.
            yield from dict.fromkeys(why_not(volume, kind) for kind in _WHOLE if not is_true(volume, kind))


def others_against(node: Node, view: SiteView) -> Iterator[str]:
    """Why a host that is out of service already, and whose own bricks are down with it, is not out alone.

    Args:
        node: The Node.
        view: The declared site.
    """
    if Role.STORAGE not in node.spec.roles:
        return
    own = node.metadata.name
    for other in view.nodes.values():
        if Role.STORAGE in other.spec.roles and other.metadata.name != own:
            yield from _out(other)
    for volume in view.of(GlusterVolume).values():
        for brick in volume.status.bricks:
            if brick.node != own and brick.state != "Up":
                yield f"{volume.metadata.name}: its brick on {brick.node} is {brick.state or 'not known'}"


def _is_out(node: Node) -> bool:
    """Whether a host was told that it may be switched off, and has not said since that its maintenance is over."""
    return node.status.out_of_service or any(c.type == _KIND and c.status == State.TRUE for c in node.status.conditions)

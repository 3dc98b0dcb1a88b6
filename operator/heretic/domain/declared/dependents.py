"""Deletion asks first: who still uses this?"""

from collections.abc import Mapping

from heretic.api.v1alpha1 import GlusterVolume, Network, Node, Resource, Site
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked


def dependents(kind: str, name: str, view: SiteView) -> Blocked | None:
    """What keeps an object from being deleted.

    Objects that are being deleted themselves do not count, so that a whole namespace can go at once. One that cannot
    be understood counts: what it uses is not known.

    Args:
        kind: Of the object that is being deleted.
        name: Likewise.
        view: The declared site.

    Returns:
        Blocked with the names of the dependents, or None when it may go.
    """
    match kind:
        case Site.KIND:
            users = [f"Node {n}" for n in _alive(view.nodes)] + [
                f"GlusterVolume {v}" for v in _alive(view.of(GlusterVolume))
            ]
            users += _unread(view, Node.KIND, GlusterVolume.KIND)
        case Node.KIND:
            users = [f"GlusterVolume {v.metadata.name}" for v in view.of(GlusterVolume).values() if _uses_node(v, name)]
            users += _unread(view, GlusterVolume.KIND)
        case Network.KIND:
            users = [
                f"Node {n.metadata.name}"
                for n in view.nodes.values()
                if _is_alive(n) and any(a.network == name for a in n.spec.addresses)
            ]
            users += _unread(view, Node.KIND)
        case _:
            users = []
    if not users:
        return None
    message = f"{kind} {name} is still used by {', '.join(sorted(users))}; delete or change these first"
    return Blocked(Reason.DEPENDENTS_EXIST, message)


def _unread(view: SiteView, *kinds: str) -> list[str]:
    return [f"{kind} {name} (which cannot be understood)" for kind in kinds for name in view.unread_of(kind)]


def _is_alive(resource: Resource) -> bool:
    return resource.metadata.deletion_timestamp is None


def _alive(resources: Mapping[str, Resource]) -> list[str]:
    return [name for name, r in resources.items() if _is_alive(r)]


def _uses_node(volume: GlusterVolume, node: str) -> bool:
    named = volume.spec.nodes or [b.node for b in volume.status.bricks]
    return _is_alive(volume) and node in named

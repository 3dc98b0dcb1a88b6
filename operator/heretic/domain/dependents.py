"""The end of an object: first whoever uses it, then what it has on the hosts."""

from collections.abc import Iterable

from heretic.api.v1alpha1 import Resource
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.kind import AnyKind, Kinds, Observed
from heretic.domain.plan import Blocked, Converged, Plan


def plan_removal(kinds: Kinds, kind: AnyKind, resource: Resource, view: SiteView, observed: Observed) -> Plan:
    """What to do next for an object that is being deleted.

    Args:
        kinds: All kinds.
        kind: Of the object.
        resource: The object.
        view: The declared site.
        observed: What the pass saw.

    Returns:
        Converged when it may go.
    """
    used = dependents(kinds, kind.model, resource.metadata.name, view)
    if used is not None:
        return used
    if kind.remove is None:
        return Converged("nothing on the hosts is this object's alone; it is left as it is")
    return kind.remove(resource, view, observed)


def dependents(kinds: Kinds, model: type[Resource], name: str, view: SiteView) -> Blocked | None:
    """What keeps an object from being deleted.

    Objects that are being deleted themselves do not count, so that a whole namespace can go at once. One that cannot
    be understood counts: what it uses is not known.

    Args:
        kinds: All kinds.
        model: Of the object that is being deleted.
        name: Likewise.
        view: The declared site.

    Returns:
        Blocked with the names of the dependents, or None when it may go.
    """
    users = [user for kind in kinds.values() if model in kind.refers_to for user in _users(kind, model, name, view)]
    if not users:
        return None
    message = f"{model.KIND} {name} is still used by {', '.join(sorted(users))}; delete or change these first"
    return Blocked(Reason.DEPENDENTS_EXIST, message)


def _users(kind: AnyKind, model: type[Resource], name: str, view: SiteView) -> Iterable[str]:
    for other, resource in view.objects.get(kind.name, {}).items():
        if resource.metadata.deletion_timestamp is None and any(
            reference.kind is model and reference.name in ("", name) for reference in kind.references(resource)
        ):
            yield f"{kind.name} {other}"
    for other in view.unread_of(kind.name):
        yield f"{kind.name} {other} (which cannot be understood)"

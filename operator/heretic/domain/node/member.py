"""What a Node is in the site's engine: which host it is there, if it is one."""

from dataclasses import dataclass

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import Role
from heretic.domain.declared.names import same_name
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineHost, EngineView
from heretic.domain.engine.site import LATER, EngineSite, engine_site
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.plan import Blocked, Obstacle, Wait


@dataclass(frozen=True, slots=True)
class EngineMember:
    """A Node and its engine.

    Attributes:
        site: Where in the engine its site lives.
        host: Which host it is there; None while it is none.
    """

    site: EngineSite
    host: EngineHost | None


Membership = EngineMember | Obstacle | None
"""What a Node is in an engine; None where nothing in an engine is asked for, an obstacle where that cannot be told."""


def wants_membership(node: Node) -> bool:
    """Whether the Node shall be a host of the engine, where there is one."""
    return Role.HYPERVISOR in node.spec.roles


def membership(node: Node, view: SiteView, seen: EngineView) -> Membership:
    """Finds the Node's host: by the id that was recorded, else by its address.

    A name is no identity: a host of the Node's name at another address is somebody else's.

    Args:
        node: The Node.
        view: The declared site.
        seen: What is known of the engine.
    """
    if not wants_membership(node):
        return None
    site = engine_site(view, seen)
    if not isinstance(site, EngineSite):
        return site
    match site.facts.hosts:
        case Unknown(cause):
            return Wait(Reason.NOT_OBSERVED, f"the engine's hosts are not known: {cause}", LATER)
        case Absent():
            return EngineMember(site, None)
        case Known(hosts):
            return _judged(node, site, _found(node, hosts), hosts)


def _found(node: Node, hosts: tuple[EngineHost, ...]) -> EngineHost | None:
    recorded = node.status.engine.id if node.status.engine else ""
    by_id = next((host for host in hosts if recorded and host.id == recorded), None)
    return by_id or next((host for host in hosts if _same(host.address, node.spec.address)), None)


def _judged(
    node: Node, site: EngineSite, host: EngineHost | None, hosts: tuple[EngineHost, ...]
) -> EngineMember | Blocked:
    name, address = node.metadata.name, node.spec.address
    if host is None:
        namesake = next((one for one in hosts if one.name == name), None)
        if namesake is None:
            return EngineMember(site, None)
        return Blocked(
            Reason.ENGINE_HOST_NOT_OURS,
            f"the engine has a host {name!r} at {namesake.address}, and the Node {name} is at {address}: it is not "
            "taken for the same one. Declare that address in spec.address if it is; else rename or remove that host in "
            "the engine",
        )
    recorded = node.status.engine.id if node.status.engine else ""
    twins = [one for one in hosts if _same(one.address, address)]
    if host.id != recorded and len(twins) > 1:
        told = ", ".join(f"{one.name!r} (id {one.id})" for one in twins)
        return Blocked(
            Reason.ENGINE_NAME_AMBIGUOUS, f"the engine has {len(twins)} hosts at {address}: {told}; remove all but one"
        )
    if not _same(host.address, address):
        return Blocked(
            Reason.ENGINE_HOST_NOT_OURS,
            f"the engine reaches host {host.name!r} at {host.address}, and {address} is declared. Declare the address "
            "that the engine has, or change it in the engine while the host is in maintenance there",
        )
    if host.cluster != site.cluster.id:
        return Blocked(
            Reason.ENGINE_HOST_NOT_OURS,
            f"host {host.name!r} is in another cluster of the engine than {site.cluster.name!r}. Move it there while "
            "it is in maintenance in the engine",
        )
    return EngineMember(site, host)


def _same(one: str, other: str) -> bool:
    return same_name(one) == same_name(other)

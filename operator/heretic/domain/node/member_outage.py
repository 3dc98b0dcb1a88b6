"""What the engine has against taking a host out of service: its guests must have somewhere to go."""

from collections.abc import Iterator

from heretic.api.v1alpha1 import Node
from heretic.domain.declared.engine import engine_name
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineHost
from heretic.domain.engine.parse import states
from heretic.domain.engine.self_hosted import is_self_hosted, may_run_engine
from heretic.domain.engine.site import hosts_of_site
from heretic.domain.kind import Needs, Observed
from heretic.domain.node.member import EngineMember, membership


def needs_before_outage(view: SiteView) -> Needs:
    """The engine, where there is one."""
    return Needs(engine=engine_name(view))


def against_outage(name: str, view: SiteView, now: Observed, earlier: Observed) -> Iterator[str]:
    """Every reason why a host of the engine must stay (rule:may-take-out); one that is not in the engine may go.

    Args:
        name: Of the Node.
        view: The declared site.
        now: What is seen now.
        earlier: What was seen a minute before; the engine's word of now is enough.
    """
    node = view.of(Node).get(name)
    found = membership(node, view, now.engine) if node is not None else None
    if found is None:
        return
    if not isinstance(found, EngineMember):
        yield found.message
        return
    if found.host is None:
        return
    own = found.host.id
    others = [host for host in hosts_of_site(found.site) or () if host.id != own]
    yield from (f"{host.name} is {states.shown(host.status)} in the engine" for host in others if not _up(host))
    fit = [host for host in others if _up(host)]
    if not fit:
        yield "it is the only host of the engine's cluster that is up, and guests would have nowhere to go"
    elif is_self_hosted(found.site) and not any(_fit_for_engine(host) for host in fit):
        yield "no other host of the cluster can run the engine's machine"


def _up(host: EngineHost) -> bool:
    return host.status == states.UP


def _fit_for_engine(host: EngineHost) -> bool:
    return may_run_engine(host) and host.hosted_engine is not None and bool(host.hosted_engine.score)

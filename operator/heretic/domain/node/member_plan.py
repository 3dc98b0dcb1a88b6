"""What to do next in the engine for one Node: it joins, it is kept, it goes into maintenance and comes back."""

from collections.abc import Iterator

from heretic.api.v1alpha1 import Mode, Network, Node
from heretic.api.v1alpha1.node import NodeEngineStatus, Role
from heretic.domain.declared.mode import mode_of
from heretic.domain.declared.names import address_in
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineHost
from heretic.domain.engine.feature import AUTHORIZED_KEYS
from heretic.domain.engine.parse import states
from heretic.domain.engine.self_hosted import is_self_hosted, master_is_active, may_run_engine, roles_are_told
from heretic.domain.engine.site import LATER, EngineSite, hosts_of_site
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.maintenance import unwhole
from heretic.domain.host.rule import Part
from heretic.domain.node.member import EngineMember, Membership
from heretic.domain.node.member_labels import labels
from heretic.domain.node.member_steps import (
    ActivateHost,
    AddHost,
    AuthorizeEngine,
    DeactivateHost,
    ReinstallHost,
)
from heretic.domain.plan import Blocked, PlanItem, Wait, told_apart

SOON = 5.0
"""Seconds until a host that is on its way is looked at again."""

TRIES = 2
"""Installations that may fail: the first one and one more."""

_SSH_PORT = 22


def plan_member(node: Node, view: SiteView, found: Membership, facts: HostFacts, *, configured: bool) -> Part:
    """Plans what the Node's host needs in the engine.

    Args:
        node: The Node, with what this pass knows of its host in the engine in its status.
        view: The declared site.
        found: What it is in the engine.
        facts: Of the host.
        configured: Whether the host is configured as declared, so that it may be handed to the engine.
    """
    match found:
        case None:
            return Part()
        case Wait() | Blocked():
            return Part(obstacles=(found,))
    if node.spec.maintenance:
        items = list(_out(node, found))
    elif found.host is not None:
        items = [*_kept(node, view, found.site, found.host, facts), *labels(node, found.site, found.host)]
    elif configured:
        items = list(_joining(node, view, found.site, facts))
    else:
        why = f"{node.metadata.name} is added to the engine once it is configured"
        items = [Wait(Reason.WORK_IN_PROGRESS, why, SOON)]
    return Part(*told_apart(items))


def _joining(node: Node, view: SiteView, site: EngineSite, facts: HostFacts) -> Iterator[PlanItem]:
    """A host comes in alone (rule:one-network-at-a-time), and for the engine's machine not before the master domain."""
    name, self_hosted = node.metadata.name, is_self_hosted(site)
    if self_hosted and not master_is_active(site):
        yield Wait(
            Reason.DATA_CENTER_NOT_READY,
            f"{name} is added to the engine once the master storage domain of {site.data_center.name!r} is active: "
            "before that it could not be made able to run the engine's machine",
            LATER,
        )
        return
    if wait := _one_at_a_time(name, site):
        yield wait
        return
    missing = list(_authorized(site, view, facts))
    yield from missing
    if not missing:
        port = node.spec.ssh.port or (view.site.spec.ssh.port if view.site else None) or _SSH_PORT
        yield AddHost(
            engine=site.name,
            why=f"the engine has no host at {node.spec.address}, and role Hypervisor is declared",
            name=name,
            address=node.spec.address,
            port=port,
            cluster=site.cluster.id,
            serves_engine=self_hosted,
        )


def _one_at_a_time(name: str, site: EngineSite) -> Wait | None:
    for other in hosts_of_site(site) or ():
        if other.name != name and other.status in states.COMING | {states.LEAVING}:
            why = f"{name} waits until {other.name} is done, which is {states.shown(other.status)} in the engine"
            return Wait(Reason.WAITING_FOR_NODES, f"{why}: one host at a time", LATER)
    return None


def _authorized(site: EngineSite, view: SiteView, facts: HostFacts) -> Iterator[PlanItem]:
    """The engine logs in by its key; where the engine is only looked at, it is not let in either."""
    own = site.engine.spec
    if own.paused or mode_of(site.engine, view.site) is not Mode.APPLY:
        return
    key, file = site.facts.ssh_key, facts.files.get(AUTHORIZED_KEYS, NOT_OBSERVED)
    for what, fact in (("the engine's SSH key", key), (f"{facts.host}: {AUTHORIZED_KEYS}", file)):
        if isinstance(fact, Unknown):
            yield Wait(Reason.NOT_OBSERVED, f"{what} is not known: {fact.cause}", LATER)
            return
    if not isinstance(key, Known):
        return
    old = file.value.content if isinstance(file, Known) else ""
    if any(line == key.value or line.startswith(f"{key.value} ") for line in old.splitlines()):
        return
    line = f"{key.value} ovirt-engine {own.fqdn}, added by Heretic"
    before = old if not old or old.endswith("\n") else f"{old}\n"
    yield AuthorizeEngine(
        host=facts.host,
        why=f"the engine {own.fqdn} logs in by its key, which is not in {AUTHORIZED_KEYS}",
        line=line,
        content=f"{before}{line}\n",
        replaces_sha256=file.value.sha256 if isinstance(file, Known) else "",
        mode=file.value.mode if isinstance(file, Known) else "0600",
    )


def _kept(node: Node, view: SiteView, site: EngineSite, host: EngineHost, facts: HostFacts) -> Iterator[PlanItem]:
    name, said = node.metadata.name, words_of(node.status.engine)
    state = states.shown(host.status)
    if host.status == states.UP:
        if node.status.out_of_service:
            yield _healing(node, view)
    elif host.status == states.MAINTENANCE:
        why = f"{name} is in maintenance in the engine, and spec.maintenance is not set"
        yield ActivateHost(engine=site.name, why=why, id=host.id, name=host.name)
    elif host.status == states.INSTALL_FAILED:
        yield from _again(node, view, site, host, facts)
    elif host.status in states.COMING:
        yield Wait(Reason.WORK_IN_PROGRESS, f"{name} is {state} in the engine", SOON, keeps_slot=True)
    elif host.status == states.LEAVING:
        yield Wait(Reason.WORK_IN_PROGRESS, f"{name} is still {state} in the engine", SOON)
    elif host.status in states.SILENT:
        why = f"{name} is {state}: the engine does not reach it, and tries on. Look at vdsmd on the host"
        yield Wait(Reason.ENGINE_HOST_NOT_UP, f"{why}{said}", LATER)
    elif host.status == states.NON_OPERATIONAL:
        yield _not_operational(node, view, site, host)
    else:
        detail = f" ({host.detail})" if host.detail else ""
        yield Blocked(
            Reason.ENGINE_HOST_NOT_UP,
            f"{name} is {state}{detail} in the engine{said}. Look at vdsmd on the host, and choose Activate there",
        )


def _not_operational(node: Node, view: SiteView, site: EngineSite, host: EngineHost) -> Wait | Blocked:
    """A host that came without a network that the cluster requires is no fault: it gets it, and comes up by itself."""
    name, said = node.metadata.name, words_of(node.status.engine)
    again = "the engine then looks at it again within 5 minutes, or choose Activate there"
    required = {n.id: n.name for n in site.cluster.networks or () if n.required}
    lacks = required.keys() - host.networks if host.networks is not None else set()
    ours = {
        network.status.logical_network.id
        for network in view.of(Network).values()
        if network.status.logical_network and address_in(network, node)
    }
    if lacks and lacks <= ours:
        names = ", ".join(sorted(required[one] for one in lacks))
        why = f"{name} is NonOperational until it has what the cluster requires: {names}. It is attached"
        return Wait(Reason.WAITING_FOR_NETWORKS, f"{why}; {again}", LATER)
    if not lacks and host.networks is not None and host.detail == states.LACKED_NETWORK:
        why = f"{name} is NonOperational, and has every network that the cluster requires now"
        return Wait(Reason.WAITING_FOR_NETWORKS, f"{why}; {again}", LATER)
    detail = f" ({host.detail})" if host.detail else ""
    return Blocked(
        Reason.ENGINE_HOST_NOT_OPERATIONAL,
        f"{name} is NonOperational{detail} in the engine{said}. Correct what it says (a network, storage or processor "
        f"type that the cluster needs); {again}",
    )


def _again(node: Node, view: SiteView, site: EngineSite, host: EngineHost, facts: HostFacts) -> Iterator[PlanItem]:
    """One more try, and then it is a person's: an installation changes much on a host each time."""
    name, engine = node.metadata.name, node.status.engine
    if engine is not None and engine.failed_installs >= TRIES:
        yield Blocked(
            Reason.ENGINE_INSTALL_FAILED,
            f"the engine could not install {name}, {engine.failed_installs} times{words_of(engine)}. Correct that on "
            "the host (the engine keeps a log below /var/log/ovirt-engine/host-deploy), then choose Reinstall there",
        )
        return
    if wait := _one_at_a_time(host.name, site):
        yield wait
        return
    missing = list(_authorized(site, view, facts))
    yield from missing
    if not missing:
        yield ReinstallHost(
            engine=site.name,
            why=f"the engine could not install {name}{words_of(engine)}; it is tried once more",
            id=host.id,
            name=host.name,
            activate=True,
            serves_engine=is_self_hosted(site) and master_is_active(site),
        )


def _healing(node: Node, view: SiteView) -> Wait:
    """Nobody else may go before the site is known to be whole twice (rule:healed-twice)."""
    name = node.metadata.name
    against = "; ".join(unwhole(view)) or f"the volumes are whole since {node.status.whole_since}"
    why = f"{name} is back, and keeps the site's disruption slot until every volume is known to be healed twice"
    return Wait(Reason.WAITING_FOR_HEAL, f"{why}: {against}", 15.0, keeps_slot=True)


def _out(node: Node, found: EngineMember) -> Iterator[PlanItem]:
    """Out of service, for as long as it is declared."""
    host, site, name = found.host, found.site, node.metadata.name
    if host is None or host.status == states.INSTALL_FAILED:
        return
    state = states.shown(host.status)
    if host.status == states.LEAVING:
        yield Wait(Reason.WORK_IN_PROGRESS, f"guests are leaving {name} ({state})", SOON, keeps_slot=True)
    elif host.status in states.COMING:
        why = f"{name} is {state} in the engine, and is taken out of service when that is over"
        yield Wait(Reason.WORK_IN_PROGRESS, why, SOON)
    elif host.status != states.MAINTENANCE:
        yield DeactivateHost(
            engine=site.name,
            why=f"spec.maintenance is set, and {name} is {state} in the engine",
            node=name,
            id=host.id,
            stop_gluster=Role.STORAGE in node.spec.roles,
        )
    elif cannot_run_engine(found) and master_is_active(site) and not (node.status.engine or _NOTHING).reinstalled:
        yield ReinstallHost(
            engine=site.name,
            why=f"{name} cannot run the engine's machine, which only an installation changes",
            id=host.id,
            name=host.name,
            activate=False,
            serves_engine=True,
        )


_NOTHING = NodeEngineStatus()


def cannot_run_engine(found: EngineMember) -> bool:
    """Whether a host is known to lack what the engine's machine needs, where the engine runs on its own hosts."""
    host = found.host
    if host is None or not is_self_hosted(found.site) or may_run_engine(host):
        return False
    return roles_are_told(hosts_of_site(found.site) or ())


def words_of(engine: NodeEngineStatus | None) -> str:
    """The engine's own words of what went wrong, as the end of a sentence."""
    return f": {'; '.join(engine.last_words)}" if engine and engine.last_words else ""

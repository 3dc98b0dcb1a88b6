"""What is particular to each kind: which facts it needs, and which pure rules plan and report it."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from heretic.api.v1alpha1 import GlusterVolume, Network, Node, Resource, Site
from heretic.api.v1alpha1.gluster_volume import GlusterVolumeStatus
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.dependents import dependents
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Failure, Transient, is_lost
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.gluster.facts import PoolFacts
from heretic.domain.gluster.meanwhile import without_nodes
from heretic.domain.gluster.placement import groups_needed
from heretic.domain.gluster.plan import plan_volume, plan_volume_removal
from heretic.domain.gluster.report import report_volume
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.plan import plan_node, wants_disk
from heretic.domain.host.report import report_node
from heretic.domain.network.report import plan_network, report_network
from heretic.domain.plan import Blocked, Converged, Plan, Wait
from heretic.domain.report import Outcome, Report
from heretic.domain.site.plan import plan_site
from heretic.domain.site.report import report_site
from heretic.reconcile.metrics import show_volume
from heretic.reconcile.observer import Observer

UNREACHABLE_AFTER = 10.0
"""Seconds until a host that did not answer is asked again; hosts/ spaces the connection attempts themselves."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that one pass saw.

    Attributes:
        hosts: Facts of the hosts that concern the object, or why there are none.
        pool: Facts of the volumes; Unknown for kinds that need none.
        trusted_key: Host key that was accepted on first use, empty when none was.
    """

    hosts: Mapping[str, HostView]
    pool: Fact[PoolFacts] = NOT_OBSERVED
    trusted_key: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """The rules of one kind.

    Attributes:
        observe: Looks at the world; the number is the age in seconds up to which an earlier look will do.
        plan: What to do next.
        remove: What to do next for an object that is being deleted; Converged = it may go.
        report: What to say.
        glimpse: What is known now, without waiting; None for a kind that waits for nobody but its own host.
        conditions: The types of the kind's own conditions; where nothing could be seen, each of them is Unknown.
    """

    observe: Callable[[Resource, SiteView, Observer, float], Awaitable[Observed]]
    plan: Callable[[Resource, SiteView, Observed], Plan]
    remove: Callable[[Resource, SiteView, Observed], Plan]
    report: Callable[[Resource, SiteView, Observed, Outcome], Report]
    conditions: tuple[ConditionType, ...] = ()
    glimpse: Callable[[Resource, SiteView, Observer], Observed] | None = None


def _nothing_left(resource: Resource, view: SiteView, observed: Observed) -> Plan:
    """An object may go as soon as nothing that is not being deleted itself depends on it."""
    return dependents(resource.KIND, resource.metadata.name, view) or Converged(
        "nothing on the hosts is this object's alone; it is left as it is"
    )


async def _observe_node(resource: Resource, view: SiteView, observer: Observer, fresh: float) -> Observed:
    assert isinstance(resource, Node)
    name, namespace = resource.metadata.name, resource.metadata.namespace
    facts = await observer.host(namespace, view, resource, fresh)
    hosts: dict[str, HostView] = {name: facts}
    if isinstance(facts, HostFacts) and wants_disk(resource, view, facts, groups_needed(view, name)):
        # Before a disk is prepared, every other storage node is asked whether it sees the same one.
        hosts = {**await observer.storage_hosts(namespace, view, fresh), **hosts}
    return Observed(hosts, trusted_key=observer.trusted_key(namespace, name))


def _plan_node(resource: Resource, view: SiteView, observed: Observed) -> Plan:
    assert isinstance(resource, Node)
    name = resource.metadata.name
    facts = observed.hosts[name]
    if not isinstance(facts, HostFacts):
        return _without_host(facts)
    return plan_node(resource, view, facts, groups_needed(view, name), observed.hosts)


def _without_host(failure: Failure) -> Plan:
    """Nothing can be planned for a host that cannot be observed."""
    if isinstance(failure, Transient):
        return Wait(failure.reason, failure.message, UNREACHABLE_AFTER)
    return Blocked(failure.reason, failure.message)


def _report_node(resource: Resource, view: SiteView, observed: Observed, outcome: Outcome) -> Report:
    assert isinstance(resource, Node)
    report = report_node(resource, view, observed.hosts[resource.metadata.name], outcome, observed.hosts)
    trusted = observed.trusted_key or resource.status.trusted_host_key
    return replace(report, status=report.status.model_copy(update={"trusted_host_key": trusted}))


async def _observe_site(resource: Resource, view: SiteView, observer: Observer, fresh: float) -> Observed:
    return Observed(await observer.storage_hosts(resource.metadata.namespace, view, fresh))


def _glimpse_site(resource: Resource, view: SiteView, observer: Observer) -> Observed:
    return Observed(observer.known_hosts(resource.metadata.namespace, view))


def _glimpse_volume(resource: Resource, view: SiteView, observer: Observer) -> Observed:
    namespace = resource.metadata.namespace
    hosts = observer.known_hosts(namespace, view)
    return Observed(hosts, without_nodes(observer.known_pool(namespace), lost_in(hosts), view, hosts))


def lost_in(hosts: Mapping[str, HostView]) -> frozenset[str]:
    """Names of the hosts that give no sign of life."""
    return frozenset(n for n, seen in hosts.items() if not isinstance(seen, HostFacts) and is_lost(seen))


def _plan_site(resource: Resource, view: SiteView, observed: Observed) -> Plan:
    assert isinstance(resource, Site)
    return plan_site(resource, view, observed.hosts)


def _report_site(resource: Resource, view: SiteView, observed: Observed, outcome: Outcome) -> Report:
    assert isinstance(resource, Site)
    return report_site(resource, view, observed.hosts, outcome)


async def _observe_network(resource: Resource, view: SiteView, observer: Observer, fresh: float) -> Observed:
    return Observed({})


def _plan_network(resource: Resource, view: SiteView, observed: Observed) -> Plan:
    assert isinstance(resource, Network)
    return plan_network(resource, view)


def _report_network(resource: Resource, view: SiteView, observed: Observed, outcome: Outcome) -> Report:
    assert isinstance(resource, Network)
    return report_network(resource, view, outcome)


async def _observe_volume(resource: Resource, view: SiteView, observer: Observer, fresh: float) -> Observed:
    namespace = resource.metadata.namespace
    hosts = await observer.storage_hosts(namespace, view, fresh)
    pool = await observer.pool(namespace, view, hosts, fresh)
    # When a node dies, glusterd answers late: what became of the hosts meanwhile must be told now, not a pass later.
    return Observed(await observer.storage_hosts(namespace, view, math.inf), pool)


def _plan_volume(resource: Resource, view: SiteView, observed: Observed) -> Plan:
    assert isinstance(resource, GlusterVolume)
    return plan_volume(resource, view, observed.hosts, observed.pool)


def _remove_volume(resource: Resource, view: SiteView, observed: Observed) -> Plan:
    assert isinstance(resource, GlusterVolume)
    return plan_volume_removal(resource, view, observed.hosts, observed.pool)


def _report_volume(resource: Resource, view: SiteView, observed: Observed, outcome: Outcome) -> Report:
    assert isinstance(resource, GlusterVolume)
    report = report_volume(resource, view, observed.hosts, observed.pool, outcome)
    assert isinstance(report.status, GlusterVolumeStatus)
    show_volume(resource.metadata.namespace, resource.metadata.name, report.status)
    return report


_NODE = (
    *(ConditionType.REACHABLE, ConditionType.INSPECTED, ConditionType.CONFIGURED),
    *(ConditionType.DISKS_READY, ConditionType.MAINTENANCE),
)
_VOLUME = (
    *(ConditionType.BRICKS_READY, ConditionType.STARTED, ConditionType.QUORATE),
    *(ConditionType.HEALED, ConditionType.CAPACITY, ConditionType.DEGRADED),
)
_SITE = (ConditionType.POOL_FORMED, ConditionType.AVAILABLE, ConditionType.N_PLUS_ONE)
_NETWORK = (ConditionType.IN_SYNC,)

RULES: Mapping[str, Kind] = {
    Site.KIND: Kind(_observe_site, _plan_site, _nothing_left, _report_site, _SITE, _glimpse_site),
    Node.KIND: Kind(_observe_node, _plan_node, _nothing_left, _report_node, _NODE),
    Network.KIND: Kind(_observe_network, _plan_network, _nothing_left, _report_network, _NETWORK),
    GlusterVolume.KIND: Kind(_observe_volume, _plan_volume, _remove_volume, _report_volume, _VOLUME, _glimpse_volume),
}

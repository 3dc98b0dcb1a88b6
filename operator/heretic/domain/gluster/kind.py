"""GlusterVolume, as the loop knows it."""

from collections.abc import Iterable, Mapping

from heretic.api.v1alpha1 import GlusterVolume, HostedEngine, Network, Node, Site
from heretic.api.v1alpha1.gluster_volume import GlusterVolumeStatus
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.engine import engine_name
from heretic.domain.declared.names import storage_nodes
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.gluster.domain_removal import asks_engine
from heretic.domain.gluster.feature import GLUSTER
from heretic.domain.gluster.health import may_take_out
from heretic.domain.gluster.plan import plan_volume, plan_volume_removal
from heretic.domain.gluster.report import report_volume
from heretic.domain.gluster.seen import see
from heretic.domain.gluster.storage_domain import needs_engine, with_domain
from heretic.domain.host.facts import HostView
from heretic.domain.kind import Assessment, GaugeOf, Kind, Needs, Observed, OutageRule, Reference
from heretic.domain.plan import Plan
from heretic.domain.pool.look import POOL
from heretic.domain.pool.member import MEMBER
from heretic.domain.report import Report


def _needs(volume: GlusterVolume, view: SiteView, seen: Mapping[str, HostView]) -> Needs:
    engine = engine_name(view) if needs_engine(volume) or asks_engine(volume) else ""
    return Needs(frozenset(storage_nodes(view)), (POOL,), engine)


def _assess(volume: GlusterVolume, view: SiteView, observed: Observed) -> Assessment:
    hosts, pool, now = observed.hosts, observed.of(POOL), observed.now
    assessed = Assessment(plan_volume(volume, view, hosts, pool, now), report_volume(volume, view, hosts, pool, now))
    return with_domain(assessed, volume, see(volume, view, hosts, pool), view, observed.engine)


def _remove(volume: GlusterVolume, view: SiteView, observed: Observed) -> Plan:
    return plan_volume_removal(volume, view, observed.hosts, observed.of(POOL), observed.engine)


def _needs_before_outage(view: SiteView) -> Needs:
    return Needs(frozenset(storage_nodes(view)), (POOL,))


def _against_outage(node: str, view: SiteView, now: Observed, earlier: Observed) -> Iterable[str]:
    if node not in storage_nodes(view):
        return
    why = may_take_out(node, view, now.hosts, now.of(POOL), earlier.of(POOL))
    if why:
        yield why


def _references(volume: GlusterVolume) -> Iterable[Reference]:
    yield Reference(Site)
    for node in volume.spec.nodes or [brick.node for brick in volume.status.bricks]:
        yield Reference(Node, node)


def _bricks_up(report: Report) -> float | None:
    assert isinstance(report.status, GlusterVolumeStatus)
    return sum(brick.state == "Up" for brick in report.status.bricks)


def _heal_pending(report: Report) -> float | None:
    assert isinstance(report.status, GlusterVolumeStatus)
    pending = report.status.heal_pending
    return int(pending) if pending.isdigit() else None


GLUSTER_VOLUME = Kind(
    model=GlusterVolume,
    conditions=(
        ConditionType.BRICKS_READY,
        ConditionType.STARTED,
        ConditionType.QUORATE,
        ConditionType.HEALED,
        ConditionType.CAPACITY,
        ConditionType.DEGRADED,
        ConditionType.STORAGE_DOMAIN_ACTIVE,
    ),
    needs=_needs,
    assess=_assess,
    remove=_remove,
    reads=(Site, Node, Network, GlusterVolume, HostedEngine),
    refers_to=(Site, Node),
    references=_references,
    recorded=("volumeId", "sharded"),
    outage=OutageRule(_needs_before_outage, _against_outage),
    features=(GLUSTER,),
    sections=(MEMBER, BRICK_FOLDERS),
    gauges=(
        GaugeOf("heretic_bricks_up", "Bricks seen online.", "volume", _bricks_up),
        GaugeOf("heretic_heal_pending", "Entries that wait for heal; absent while unknown.", "volume", _heal_pending),
    ),
)

"""HostedEngine, as the loop knows it."""

from collections.abc import Iterable, Mapping

from heretic.api.v1alpha1 import HostedEngine, Node, Site
from heretic.api.v1alpha1.node import Role
from heretic.domain.conditions import ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.feature import ENGINE_HOST
from heretic.domain.host.facts import HostView
from heretic.domain.hosted_engine.agent import AGENT
from heretic.domain.hosted_engine.plan import plan_around, plan_engine
from heretic.domain.hosted_engine.report import report_engine
from heretic.domain.kind import Assessment, GaugeOf, Kind, Needs, Observed, Reference
from heretic.domain.report import Report


def _needs(engine: HostedEngine, view: SiteView, seen: Mapping[str, HostView]) -> Needs:
    able = (n for n, node in view.nodes.items() if Role.HYPERVISOR in node.spec.roles)
    return Needs(hosts=frozenset(able), engine=engine.metadata.name)


def _assess(engine: HostedEngine, view: SiteView, observed: Observed) -> Assessment:
    seen = observed.engine
    around = plan_around(engine, view, seen)
    return Assessment(plan_engine(engine, view, seen), report_engine(engine, seen, around, observed.hosts))


def _references(engine: HostedEngine) -> Iterable[Reference]:
    yield Reference(Site)


def _up(report: Report) -> float | None:
    states = {c.type: c.state for c in report.conditions}
    return {State.TRUE: 1.0, State.FALSE: 0.0}.get(states[ConditionType.ENGINE_UP])


HOSTED_ENGINE = Kind(
    model=HostedEngine,
    conditions=(
        ConditionType.ENGINE_UP,
        ConditionType.CLUSTER_READY,
        ConditionType.GLOBAL_MAINTENANCE,
        ConditionType.DEGRADED,
    ),
    needs=_needs,
    assess=_assess,
    reads=(Site, Node),
    refers_to=(Site,),
    references=_references,
    sections=(AGENT,),
    is_engine=True,
    features=(ENGINE_HOST,),
    recorded=("engineId", "dataCenterId", "clusterId"),
    gauges=(GaugeOf("heretic_engine_up", "1 while the engine answers.", "engine", _up),),
)

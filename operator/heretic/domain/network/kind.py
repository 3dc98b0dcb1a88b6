"""Network, as the loop knows it."""

from collections.abc import Mapping

from heretic.api.v1alpha1 import HostedEngine, Network, Node, Site
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.engine import engine_name
from heretic.domain.declared.view import SiteView
from heretic.domain.host.facts import HostView
from heretic.domain.kind import Assessment, Kind, Needs, Observed
from heretic.domain.network.engine_plan import plan_network_removal
from heretic.domain.network.report import plan_network, report_network
from heretic.domain.plan import Plan


def _needs(network: Network, view: SiteView, seen: Mapping[str, HostView]) -> Needs:
    return Needs(engine=engine_name(view))


def _assess(network: Network, view: SiteView, observed: Observed) -> Assessment:
    engine = observed.engine
    return Assessment(plan_network(network, view, engine), report_network(network, view, engine))


def _remove(network: Network, view: SiteView, observed: Observed) -> Plan:
    return plan_network_removal(network, view, observed.engine)


NETWORK = Kind(
    model=Network,
    conditions=(
        ConditionType.IN_SYNC,
        ConditionType.MTU_PROVED,
        ConditionType.LOGICAL_NETWORK_READY,
        ConditionType.HOSTS_ATTACHED,
        ConditionType.DEGRADED,
    ),
    needs=_needs,
    assess=_assess,
    remove=_remove,
    reads=(Site, Node, Network, HostedEngine),
)

"""Network, as the loop knows it."""

from heretic.api.v1alpha1 import Network, Node, Site
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.view import SiteView
from heretic.domain.kind import Assessment, Kind, Observed
from heretic.domain.network.report import plan_network, report_network


def _assess(network: Network, view: SiteView, observed: Observed) -> Assessment:
    return Assessment(plan_network(network, view), report_network(network, view))


NETWORK = Kind(model=Network, conditions=(ConditionType.IN_SYNC,), assess=_assess, reads=(Site, Node))

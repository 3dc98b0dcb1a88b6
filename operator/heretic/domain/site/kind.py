"""Site, as the loop knows it."""

from collections.abc import Mapping
from dataclasses import replace

from heretic.api.v1alpha1 import GlusterVolume, Network, Node, Site
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.names import storage_nodes
from heretic.domain.declared.view import SiteView
from heretic.domain.host.facts import HostView
from heretic.domain.kind import Assessment, Kind, Needs, Observed
from heretic.domain.site.plan import plan_site
from heretic.domain.site.report import report_site


def _needs(site: Site, view: SiteView, seen: Mapping[str, HostView]) -> Needs:
    return Needs(frozenset(storage_nodes(view)))


def _assess(site: Site, view: SiteView, observed: Observed) -> Assessment:
    report = report_site(site, view, observed.hosts)
    status = report.status.model_copy(update={"slot_holder": observed.slot_holder})
    return Assessment(plan_site(site, view, observed.hosts), replace(report, status=status))


SITE = Kind(
    model=Site,
    conditions=(ConditionType.POOL_FORMED, ConditionType.AVAILABLE, ConditionType.N_PLUS_ONE),
    needs=_needs,
    assess=_assess,
    reads=(Node, Network, GlusterVolume),
    recorded=("storage",),
)

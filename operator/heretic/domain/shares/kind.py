"""FileShare, as the loop knows it."""

from collections.abc import Iterable

from heretic.api.v1alpha1 import FileShare, GlusterVolume, Network, Node, Site
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.view import SiteView
from heretic.domain.kind import Assessment, Kind, Observed, Reference
from heretic.domain.shares.plan import plan_share
from heretic.domain.shares.report import report_share


def _assess(share: FileShare, view: SiteView, observed: Observed) -> Assessment:
    return Assessment(plan_share(share, view), report_share(share, view))


def _references(share: FileShare) -> Iterable[Reference]:
    yield Reference(Site)
    yield Reference(GlusterVolume, share.spec.volume)
    yield Reference(Network, share.spec.network)


FILE_SHARE = Kind(
    model=FileShare,
    conditions=(ConditionType.SERVED,),
    assess=_assess,
    reads=(Site, Node, Network, GlusterVolume, FileShare),
    refers_to=(Site, GlusterVolume, Network),
    references=_references,
)

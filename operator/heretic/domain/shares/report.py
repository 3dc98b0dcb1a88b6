"""What is said of a FileShare."""

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.file_share import FileShareStatus, ShareName
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.plan import first_obstacle
from heretic.domain.report import Report
from heretic.domain.shares.declared import obstacles
from heretic.domain.shares.plan import not_served


def report_share(share: FileShare, view: SiteView) -> Report:
    """Status and conditions."""
    why = first_obstacle(obstacles(share, view)) or not_served(share)
    served = Condition(ConditionType.SERVED, State.FALSE, why.reason, why.message)
    status = FileShareStatus(names=names_of(share))
    return Report(status, (served,), ready=frozenset({ConditionType.SERVED}))


def names_of(share: FileShare) -> list[ShareName]:
    """What the zone of the site's DNS must say."""
    return [ShareName(name=share.spec.host_name or share.metadata.name, addresses=share.spec.addresses)]

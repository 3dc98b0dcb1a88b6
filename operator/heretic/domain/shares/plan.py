"""What a FileShare lacks: what is declared first, then the cluster, then what it serves."""

from heretic.api.v1alpha1 import FileShare
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Plan, first_obstacle
from heretic.domain.shares.declared import obstacles


def not_served(share: FileShare) -> Blocked:
    """What this version does not do yet."""
    return Blocked(
        Reason.NOT_SUPPORTED,
        f"this version does not serve files over {share.spec.protocol.value} yet: it checks what is declared",
    )


def plan_share(share: FileShare, view: SiteView) -> Plan:
    """The next steps for a share, or why there are none."""
    return first_obstacle(obstacles(share, view)) or not_served(share)

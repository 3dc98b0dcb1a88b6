"""What stands in the way of a change, where several rules need to say it."""

from collections.abc import Mapping, Sequence

from heretic.domain.errors import Reason
from heretic.domain.host.facts import HostView
from heretic.domain.plan import Blocked, Wait
from heretic.domain.pool.peers import versions


def version_obstacle(nodes: Sequence[str], hosts: Mapping[str, HostView]) -> Wait | Blocked | None:
    """No configuration change while versions differ between nodes (rule:one-version)."""
    found = versions(nodes, hosts)
    if found is None:
        return Wait(Reason.NOT_OBSERVED, f"Gluster's version on {', '.join(nodes)} is not known everywhere")
    if len(set(found.values())) > 1:
        told = ", ".join(f"{node} {version}" for node, version in found.items())
        return Blocked(
            Reason.VERSIONS_DIFFER,
            f"the nodes run different versions of Gluster ({told}), so nothing is configured; bring them to one",
        )
    return None

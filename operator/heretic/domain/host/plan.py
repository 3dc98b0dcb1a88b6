"""The plan of one Node: its configuration, and the disks that declared volumes need."""

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import DiskSelection, Role
from heretic.domain.disks.candidates import blank
from heretic.domain.disks.layout import Choice
from heretic.domain.disks.selection import find, select
from heretic.domain.disks.steps import PrepareDisk
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.configuration import plan_configuration
from heretic.domain.host.facts import Disk, HostFacts
from heretic.domain.host.health import clock_obstacle, storage_obstacle
from heretic.domain.host.rule import Part
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Wait
from heretic.domain.site.view import SiteView


def plan_node(node: Node, view: SiteView, facts: HostFacts, groups_needed: frozenset[str]) -> Plan:
    """Plans what one host needs next.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of the host, from this pass.
        groups_needed: Volume groups that declared volumes will use on this host; a disk that no volume needs yet
            is chosen but not touched.

    Returns:
        The steps that this observation supports, with what stays in the way of the rest.
    """
    if node.spec.maintenance:
        return Converged("in maintenance: Heretic looks, and changes nothing on the host")
    configuration = plan_configuration(node, view, facts)
    disks = plan_disks(node, view, facts, groups_needed)
    configured = not configuration.steps and not configuration.obstacles
    steps = configuration.steps + (disks.steps if configured else ())
    obstacles = tuple(dict.fromkeys((*configuration.obstacles, *disks.obstacles)))
    if steps:
        return Proceed(steps, obstacles)
    blocked = [o for o in obstacles if isinstance(o, Blocked)]
    return next(iter([*blocked, *obstacles]), Converged("configured, and the disks that are needed are prepared"))


def plan_disks(node: Node, view: SiteView, facts: HostFacts, groups_needed: frozenset[str]) -> Part:
    """Plans the preparation of disks; the steps hold only on a host that is configured.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of the host.
        groups_needed: Volume groups that declared volumes will use on this host.
    """
    if Role.STORAGE not in node.spec.roles:
        return Part()
    if not isinstance(facts.disks, Known):
        cause = facts.disks.cause if isinstance(facts.disks, Unknown) else "none were listed"
        return Part(obstacles=(Wait(Reason.NOT_OBSERVED, f"{facts.host}: its disks are not known: {cause}"),))
    disks = facts.disks.value
    selection = select(node, view, disks)
    unprepared = [
        (choice, disk)
        for choice in selection.choices
        if choice.group in groups_needed and (disk := find(disks, choice.id)) and not disk.volume_group
    ]
    blocked_by = storage_obstacle(facts) if unprepared else clock_obstacle(facts)
    if blocked_by is not None:
        return Part(obstacles=(*selection.obstacles, blocked_by))
    steps = tuple(_prepare(node, choice, disk) for choice, disk in unprepared if blank(disk) is None)
    return Part(steps, selection.obstacles)


def _prepare(node: Node, choice: Choice, disk: Disk) -> PrepareDisk:
    named = node.spec.disks.selection is DiskSelection.BY_ID
    covered = "listed in spec.disks.ids" if named else "covered by spec.disks.selection Auto"
    return PrepareDisk(
        host=node.metadata.name,
        why=f"volumes need {choice.group}, and disk {choice.id} ({disk.path}) is blank and chosen for it",
        declared=f"disk {choice.id} is proven blank and {covered}",
        disk=choice.id,
        device=disk.device,
        group=choice.group,
    )

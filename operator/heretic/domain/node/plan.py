"""The plan of one Node: its configuration, and the disks that declared volumes need."""

from collections.abc import Iterable, Mapping, Sequence

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import DiskSelection, Role
from heretic.domain.declared.names import storage_nodes
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.candidates import blank
from heretic.domain.disks.erase import erase, to_erase
from heretic.domain.disks.identity import Likeness, compare, identity_of
from heretic.domain.disks.judge import judge
from heretic.domain.disks.layout import Choice
from heretic.domain.disks.observed import observed_disks, set_aside
from heretic.domain.disks.ownership import GUIDE, Ownership, node_tag
from heretic.domain.disks.selection import chosen_disk, select
from heretic.domain.disks.steps import PrepareDisk
from heretic.domain.errors import Failure, Reason, unobserved
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import Disk, HostFacts
from heretic.domain.host.feature import Feature, groups_needed
from heretic.domain.host.health import clock_obstacle, storage_obstacle
from heretic.domain.host.rule import Part
from heretic.domain.node.configuration import plan_configuration
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Step, Wait, first_obstacle

Others = Mapping[str, HostFacts | Failure]
"""What was seen in this pass of the other storage nodes."""


def plan_node(
    node: Node, view: SiteView, facts: HostFacts, features: Sequence[Feature], others: Others | None = None
) -> Plan:
    """Plans what one host needs next.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of the host, from this pass.
        features: What the roles of Nodes need; a disk of a volume group that none of them needs yet is chosen but
            not touched.
        others: The other storage nodes as seen in this pass; a disk is not prepared before each of them was asked
            whether it sees the same one.

    Returns:
        The steps that this observation supports, with what stays in the way of the rest.
    """
    if node.spec.maintenance:
        return Converged("in maintenance: Heretic looks, and changes nothing on the host")
    configuration = plan_configuration(node, view, facts, features)
    disks = plan_disks(node, view, facts, groups_needed(features, view, node.metadata.name), others)
    configured = not configuration.steps and not configuration.obstacles
    steps = configuration.steps + (disks.steps if configured else ())
    obstacles = tuple(dict.fromkeys((*configuration.obstacles, *disks.obstacles)))
    if steps:
        return Proceed(steps, obstacles)
    return first_obstacle(obstacles) or Converged("configured, and the disks that are needed are prepared")


def plan_disks(
    node: Node, view: SiteView, facts: HostFacts, groups: frozenset[str], others: Others | None = None
) -> Part:
    """Plans the preparation of disks; the steps hold only on a host that is configured.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of the host.
        groups: Volume groups that declared volumes will use on this host.
        others: The other storage nodes as seen in this pass.
    """
    if Role.STORAGE not in node.spec.roles:
        return Part()
    if not isinstance(facts.disks, Known):
        cause = facts.disks.cause if isinstance(facts.disks, Unknown) else "none were listed"
        return Part(obstacles=(Wait(Reason.NOT_OBSERVED, f"{facts.host}: its disks are not known: {cause}"),))
    observed = observed_disks(node, view, facts)
    left_node, disks = set_aside(node, facts.disks.value, observed)
    ownership = judge(node, view, facts)
    selection = select(left_node, view, disks, ownership)
    unprepared = _to_prepare(node, disks, selection.choices, groups, ownership)
    if observed:
        return _beside_observed(facts, unprepared, selection.obstacles)
    dirty = to_erase(node, view, disks, ownership)
    blocked_by = storage_obstacle(facts) if unprepared or dirty else clock_obstacle(facts)
    if blocked_by is not None:
        return Part(obstacles=(*selection.obstacles, blocked_by))
    steps: list[Step] = []
    obstacles: list[Wait | Blocked] = list(selection.obstacles)
    for choice, disk in unprepared:
        shared = _seen_by_others(node, view, disk, others or {})
        if shared is not None:
            obstacles.append(shared)
        else:
            steps.append(_prepare(node, choice, disk))
    if dirty is not None:
        identity, disk = dirty
        shared = _seen_by_others(node, view, disk, others or {})
        if shared is not None:
            obstacles.append(shared)
        else:
            steps.append(erase(node, identity, disk))
    return Part(tuple(steps), tuple(dict.fromkeys(obstacles)))


def wants_disk(node: Node, view: SiteView, facts: HostFacts, groups: frozenset[str]) -> bool:
    """Whether a disk of the host is to be prepared or may be erased, as far as the host itself and the records tell."""
    if Role.STORAGE not in node.spec.roles or not isinstance(facts.disks, Known) or observed_disks(node, view, facts):
        return False
    disks, ownership = facts.disks.value, judge(node, view, facts)
    if to_erase(node, view, disks, ownership) is not None:
        return True
    prepared = {d.volume_group for d in node.status.disks if d.use and d.prepared}
    if groups <= prepared:
        return False
    choices = select(node, view, disks, ownership).choices
    return bool(_to_prepare(node, disks, choices, groups, ownership))


def _to_prepare(
    node: Node,
    disks: tuple[Disk, ...],
    choices: tuple[Choice, ...],
    groups: frozenset[str],
    ownership: Ownership,
) -> tuple[tuple[Choice, Disk], ...]:
    """The chosen disks that volumes need and that are blank; none while anything on the host is not as recorded."""
    if ownership.obstacles:
        return ()
    prepared = {d.volume_group for d in node.status.disks if d.use and (d.prepared or d.pv_uuid)}
    return tuple(
        (choice, disk)
        for choice in choices
        if choice.group in groups
        and choice.group not in prepared
        and choice.group not in ownership.groups
        and (disk := chosen_disk(disks, choice, ownership)) is not None
        and blank(disk) is None
    )


def _seen_by_others(node: Node, view: SiteView, disk: Disk, others: Others) -> Wait | Blocked | None:
    """Whether another storage node sees the disk; None when all of them were asked and none does."""
    name, identity = node.metadata.name, identity_of(disk)
    for other in storage_nodes(view):
        if other == name:
            continue
        seen = others.get(other)
        if not isinstance(seen, HostFacts) or not isinstance(seen.disks, Known):
            why = "its disks are not known" if seen is None or isinstance(seen, HostFacts) else unobserved(other, seen)
            return Wait(
                Reason.WAITING_FOR_NODES,
                f"{name}: disk {disk.path} is written to once {other} was asked whether it sees the same one: {why}",
                10.0,
            )
        twin = next((d for d in seen.disks.value if compare(identity, identity_of(d)) is Likeness.SAME), None)
        if twin is not None:
            return Blocked(
                Reason.SHARED_DISK,
                f"{name}: disk {disk.path} ({identity}) is {twin.path} of {other} too: two hosts that write to one "
                f"disk destroy what is on it. It is left alone. Let one host only see it; {GUIDE}",
            )
    return None


def _beside_observed(
    facts: HostFacts, unprepared: Sequence[tuple[Choice, Disk]], obstacles: Iterable[Wait | Blocked]
) -> Part:
    """No disk is prepared on a node with bricks that Heretic did not lay out: two layouts cannot be accounted for.

    That the layout finds too few disks there is no news: what it would lay out is there in another form.
    """
    left = tuple(o for o in obstacles if o.reason is not Reason.NO_USABLE_DISK)
    waits = tuple(
        Wait(
            Reason.OBSERVED_ONLY,
            f"{facts.host}: volumes need {choice.group} on disk {choice.id}, and the node carries bricks that Heretic "
            "did not lay out: beside those it prepares no disk. Name other nodes in spec.nodes of the volume",
        )
        for choice, _ in unprepared
    )
    return Part(obstacles=(*left, *waits))


def _prepare(node: Node, choice: Choice, disk: Disk) -> PrepareDisk:
    named = node.spec.disks.selection is DiskSelection.BY_ID
    covered = "listed in spec.disks.ids" if named else "covered by spec.disks.selection Auto"
    return PrepareDisk(
        host=node.metadata.name,
        why=f"volumes need {choice.group}, and disk {choice.id} ({disk.path}) is blank and chosen for it",
        declared=f"disk {choice.id} is proven blank and {covered}",
        disk=choice.id,
        device=disk.device,
        path=disk.path,
        group=choice.group,
        tag=node_tag(node.metadata.uid),
        size=disk.size,
        wwn=disk.wwn,
        serial=disk.serial,
    )

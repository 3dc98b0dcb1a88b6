"""What a Node says of its host: status fields and conditions, all of them on every pass."""

from collections.abc import Mapping, Sequence

from heretic.api.quantity import format_bytes
from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import NodeDisk
from heretic.api.v1alpha1.node_facts import NodeFactsStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.candidates import usable
from heretic.domain.disks.judge import judge
from heretic.domain.disks.layout import Choice
from heretic.domain.disks.multipath import excluded_from_multipath
from heretic.domain.disks.observed import observed_disks, set_aside, told
from heretic.domain.disks.ownership import Ownership
from heretic.domain.disks.selection import chosen_disk, select
from heretic.domain.errors import Bug, Failure, Reason, unobserved
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.facts import Disk, HostFacts
from heretic.domain.host.feature import Feature, groups_needed
from heretic.domain.host.maintenance import maintenance_condition
from heretic.domain.host.profiles import Profile
from heretic.domain.host.rule import Part
from heretic.domain.node.configuration import known_profile, plan_configuration
from heretic.domain.node.interfaces import shown_interfaces
from heretic.domain.node.plan import Others, plan_disks
from heretic.domain.plan import Blocked, Wait
from heretic.domain.pool import glusterd
from heretic.domain.report import Report

READY = frozenset(
    {
        ConditionType.REACHABLE,
        ConditionType.INSPECTED,
        ConditionType.CONFIGURED,
        ConditionType.DISKS_READY,
    }
)
"""What a Node's Ready is made of."""

_MAXIMUM_DISKS = 64


def report_node(
    node: Node, view: SiteView, facts: HostFacts | Failure, features: Sequence[Feature], others: Others | None = None
) -> Report:
    """Says how a host is.

    When the host cannot be reached, what was last known of its disks and interfaces stays in status, and every
    condition that depends on seeing it is Unknown (rule:connectivity).

    Args:
        node: The Node as stored, with its last status.
        view: The declared site.
        facts: Of the host from this pass, or why there are none.
        features: What the roles of Nodes need.
        others: The other storage nodes, where the pass looked at them.
    """
    if isinstance(facts, HostFacts):
        return _seen(node, view, facts, features, others)
    state = State.UNKNOWN if isinstance(facts, Bug) else State.FALSE
    unseen = unobserved(node.metadata.name, facts)
    dependent = (ConditionType.INSPECTED, ConditionType.CONFIGURED, ConditionType.DISKS_READY, ConditionType.WIRED)
    return Report(
        status=node.status,
        conditions=(
            Condition(ConditionType.REACHABLE, state, facts.reason, facts.message),
            *(Condition(kind, State.UNKNOWN, facts.reason, unseen) for kind in dependent),
            maintenance_condition(node, view),
        ),
        ready=READY,
    )


def _seen(node: Node, view: SiteView, facts: HostFacts, features: Sequence[Feature], others: Others | None) -> Report:
    profile, name = known_profile(facts), node.metadata.name
    status = node.status.model_copy(
        update={
            "facts": _facts(facts, profile if isinstance(profile, Profile) else None) or node.status.facts,
            "disks": _disks(node, view, facts, judge(node, view, facts)),
            "interfaces": shown_interfaces(node, view, facts.interfaces),
        }
    )
    # Volumes are placed on recorded disks: what this pass chose counts already, or disks would seem unneeded.
    recorded = view
    if status != node.status:
        recorded = view.having(node.model_copy(update={"status": status}))
    configuration = plan_configuration(node, view, facts, features)
    disks = plan_disks(node, view, facts, groups_needed(features, recorded, name), others)
    seen = facts.disks.value if isinstance(facts.disks, Known) else ()
    aside = told(seen, observed_disks(node, view, facts))
    return Report(
        status=status,
        conditions=(
            Condition(ConditionType.REACHABLE, State.TRUE, Reason.AS_DECLARED, "SSH answers"),
            _inspected(node, facts),
            _part(ConditionType.CONFIGURED, configuration, "configured as declared"),
            _part(ConditionType.DISKS_READY, disks, aside or "the disks that volumes need are prepared"),
            maintenance_condition(node, view),
        ),
        ready=READY,
        summary="in maintenance" if node.spec.maintenance else "ready",
        notes=(aside,) if aside else (),
    )


def _inspected(node: Node, facts: HostFacts) -> Condition:
    """Whether everything that decisions are made from was seen.

    The Site counts data disks once all nodes are inspected, so a disk that multipath still hides has to come free
    before.
    """
    wanted: dict[str, Fact[object]] = {
        "operating system": facts.os,
        "processor": facts.cpu,
        "memory": facts.memory_bytes,
        "disks": facts.disks,
        "interfaces": facts.interfaces,
        "LVM": facts.volume_groups,
        "mounts": facts.mounts,
        "packages": facts.packages,
        "services": facts.services,
        "clock": facts.time,
    }
    for what, fact in wanted.items():
        if isinstance(fact, Unknown):
            text = f"{facts.host}: its {what} could not be seen: {fact.cause}"
            return Condition(ConditionType.INSPECTED, State.UNKNOWN, Reason.NOT_OBSERVED, text)
    held = [d for d in facts.disks.value if d.multipath] if isinstance(facts.disks, Known) else []
    if hidden := [disk.path for disk in held if excluded_from_multipath(node, disk)]:
        text = f"{facts.host}: multipath still holds {', '.join(hidden)}"
        return Condition(ConditionType.INSPECTED, State.FALSE, Reason.APPLYING, text)
    return Condition(ConditionType.INSPECTED, State.TRUE, Reason.AS_DECLARED, "everything that matters was seen")


def _part(kind: ConditionType, part: Part, good: str) -> Condition:
    """False while something is to be done or blocked, Unknown while it cannot be told."""
    blocked = next((o for o in part.obstacles if isinstance(o, Blocked)), None)
    if blocked is not None:
        return Condition(kind, State.FALSE, blocked.reason, blocked.message)
    if part.steps:
        return Condition(kind, State.FALSE, Reason.APPLYING, f"{part.steps[0]}: {part.steps[0].why}")
    wait = next((o for o in part.obstacles if isinstance(o, Wait)), None)
    if wait is not None:
        state = State.UNKNOWN if wait.reason is Reason.NOT_OBSERVED else State.FALSE
        return Condition(kind, state, wait.reason, wait.message)
    return Condition(kind, State.TRUE, Reason.AS_DECLARED, good)


def _facts(facts: HostFacts, profile: Profile | None) -> NodeFactsStatus | None:
    if not isinstance(facts.os, Known):
        return None
    cpu = facts.cpu.value if isinstance(facts.cpu, Known) else None
    packages = facts.packages.value if isinstance(facts.packages, Known) else {}
    return NodeFactsStatus(
        os=facts.os.value.name,
        platform=profile.name if profile else "",
        kernel=facts.os.value.kernel,
        cpu=cpu.model if cpu else "",
        cpus=cpu.count if cpu else 0,
        memory=format_bytes(facts.memory_bytes.value) if isinstance(facts.memory_bytes, Known) else "",
        gluster=packages.get(glusterd.PACKAGE, "") if profile else "",
    )


def _disks(node: Node, view: SiteView, facts: HostFacts, ownership: Ownership) -> list[NodeDisk]:
    """The disks as seen, with what is recorded of them; what was last known stays while they cannot be listed.

    A record (a disk with a use) is never removed and never falls back, whatever is seen: it ends with its Node.
    """
    if not isinstance(facts.disks, Known) or ownership.unknown:
        return node.status.disks
    seen, observed, name = facts.disks.value, observed_disks(node, view, facts), node.metadata.name
    return _DISKS.of(
        view, lambda: _shown_disks(node, view, seen, observed, ownership), node, seen, observed, ownership, name=name
    )


_DISKS = PerView[list[NodeDisk]]()
"""On a calm host each pass sees the same."""


def _shown_disks(
    node: Node, view: SiteView, seen: tuple[Disk, ...], observed: Mapping[str, tuple[str, ...]], ownership: Ownership
) -> list[NodeDisk]:
    left_node, left = set_aside(node, seen, observed)
    chosen = {
        disk.path: choice
        for choice in select(left_node, view, left, ownership).choices
        if (disk := chosen_disk(left, choice, ownership))
    }
    present = {disk.path: r for r in node.status.disks if r.use and (disk := ownership.present.get(r.id))}
    shown = [
        _observed(
            _disk(node, disk, present.get(disk.path), chosen.get(disk.path), ownership),
            observed.get(disk.path, ()),
            ownership.finding(disk),
        )
        for disk in seen
    ]
    gone = [r for r in node.status.disks if r.use and r.id not in ownership.present]
    shown += [r.model_copy(update={"finding": _GONE, "path": ""}) for r in gone]
    return sorted(shown, key=lambda d: (not d.use, d.id))[:_MAXIMUM_DISKS]


def _observed(disk: NodeDisk, places: Sequence[str], amiss: str) -> NodeDisk:
    """A disk under bricks that Heretic did not lay out says that, and not that it is dirty."""
    if not places:
        return disk
    said = f"in use by bricks (observed only): {', '.join(places)}"
    return disk.model_copy(update={"observed": True, "finding": f"{said}; {amiss}" if amiss else said})


_GONE = "not there"


def _disk(node: Node, disk: Disk, record: NodeDisk | None, choice: Choice | None, ownership: Ownership) -> NodeDisk:
    owned = ownership.owned_on(disk)
    dirty = None if owned else usable(disk, node.spec.disks)
    known = next((d.id for d in node.status.disks if d.id in disk.ids and not d.use), None)
    seen = NodeDisk(
        id=choice.id if choice else known or next(iter(disk.ids), disk.path),
        path=disk.path,
        wwn=disk.wwn,
        model=disk.model,
        serial=disk.serial,
        size_bytes=disk.size,
        sector_bytes=disk.logical_sector,
        media=_media(disk),
        use=choice.use if choice else "",
        volume_group=choice.group if choice else disk.volume_group,
        prepared=owned is not None,
        pv_uuid=owned.volume.uuid if owned and choice else "",
        vg_uuid=owned.volume.group_uuid if owned and choice else "",
        finding=ownership.finding(disk) or (dirty.text if dirty else ""),
    )
    return _kept(record, seen) if record else seen


def _kept(record: NodeDisk, seen: NodeDisk) -> NodeDisk:
    """What was recorded, with what is seen where nothing was recorded yet."""
    return seen.model_copy(
        update={
            "id": record.id,
            "wwn": record.wwn or seen.wwn,
            "model": record.model or seen.model,
            "serial": record.serial or seen.serial,
            "use": seen.use or record.use,
            "volume_group": record.volume_group or seen.volume_group,
            "prepared": record.prepared or seen.prepared,
            "pv_uuid": record.pv_uuid or seen.pv_uuid,
            "vg_uuid": record.vg_uuid or seen.vg_uuid,
        }
    )


def _media(disk: Disk) -> str:
    if disk.path.startswith("/dev/nvme"):
        return "NVMe"
    return "HDD" if disk.rotational else "SSD"

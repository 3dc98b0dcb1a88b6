"""Finds what is wrong with a site that was looked at: pure rules, from conditions, plans and facts to findings.

Conditions and plans are the same as the operator's own (cli/rehearse.py), so that verify and the operator can never
disagree. What no condition says (thin pools that fill up, failed jobs, versions) comes from the facts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from heretic.api.quantity import format_bytes
from heretic.api.v1alpha1 import Site
from heretic.cli.codes import CODES, Code, Severity
from heretic.cli.observe import SiteSight
from heretic.cli.rehearse import Rehearsed
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.disks.health import RAID_LETTERS, RAID_WORDS, Trouble, full_name, kind_of, trouble
from heretic.domain.disks.room import (
    DATA_ERROR,
    DATA_WARNING,
    METADATA_ERROR,
    METADATA_WARNING,
    names_of,
    over_committed,
    promised,
    volumes_in,
)
from heretic.domain.errors import Reason, unobserved
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, LogicalVolume
from heretic.domain.jobs import FailedJob, told
from heretic.domain.plan import Blocked, Proceed, Wait, steps_of
from heretic.domain.reasons import Stage
from heretic.reasons import explain


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: What kind of thing.
        namespace: Of the site.
        object: Kind and name of the object that it is about.
        message: Host, fact and numbers.
    """

    code: Code
    namespace: str
    object: str
    message: str


_OF_TYPE: Mapping[ConditionType, str] = {
    ConditionType.REACHABLE: "HVP-N001",
    ConditionType.INSPECTED: "HVP-N002",
    ConditionType.CONFIGURED: "HVP-N003",
    ConditionType.DISKS_READY: "HVP-D001",
    ConditionType.POOL_FORMED: "HVP-S001",
    ConditionType.AVAILABLE: "HVP-S002",
    ConditionType.N_PLUS_ONE: "HVP-S003",
    ConditionType.IN_SYNC: "HVP-W001",
    ConditionType.BRICKS_READY: "HVP-V001",
    ConditionType.STARTED: "HVP-V002",
    ConditionType.QUORATE: "HVP-V003",
    ConditionType.CAPACITY: "HVP-V007",
    ConditionType.ENGINE_UP: "HVP-E001",
    ConditionType.CLUSTER_READY: "HVP-E002",
}
"""Conditions that should be True."""

_OF_SITE = frozenset({ConditionType.AVAILABLE, ConditionType.N_PLUS_ONE})
"""Health of the whole site; reported whatever the reason."""

_AFTER_REACHABLE = frozenset({ConditionType.INSPECTED, ConditionType.CONFIGURED, ConditionType.DISKS_READY})
"""Conditions of a Node that nobody can know while its host is not reached; they are not reported again."""


def check(sight: SiteSight) -> tuple[Finding, ...]:
    """Everything that is wrong with a site.

    Args:
        sight: The site as it was seen.

    Returns:
        Errors first, then by code and object; each message of an object once.
    """
    unseen = tuple(unobserved(name, v) for name, v in sight.hosts.items() if not isinstance(v, HostFacts))
    found = [f for entry in sight.objects for f in _of_object(sight.namespace, entry, unseen)]
    found += [f for facts in sight.hosts.values() if isinstance(facts, HostFacts) for f in _of_host(sight, facts)]
    found += _versions(sight)
    once = {(f.object, f.message): f for f in reversed(found)}
    return tuple(sorted(once.values(), key=lambda f: (f.code.severity is not Severity.ERROR, f.code.id, f.object)))


def _of_object(namespace: str, entry: Rehearsed, unseen: Sequence[str]) -> Iterator[Finding]:
    """What is wrong with one object; that a host cannot be observed is reported at that host only."""
    title = f"{entry.key.kind} {entry.key.name}"

    def finding(code: str, message: str) -> Finding:
        return Finding(CODES[code], namespace, title, message)

    if entry.resource is None:
        assert isinstance(entry.outcome.plan, Blocked), "what cannot be parsed is blocked"
        yield finding("HVP-C001", entry.outcome.plan.message)
        return
    conditions = {c.type: c for c in entry.conditions}
    for condition in conditions.values():
        code = _code_of(condition, conditions)
        if code:
            yield finding(code, condition.message)
    plan = entry.outcome.plan
    ways = [plan, *(plan.pending if isinstance(plan, Proceed) else ()), entry.outcome.held]
    for way in ways:
        if isinstance(way, Blocked):
            yield finding(explain(way.reason).code or "HVP-C003", way.message)
        elif isinstance(way, Wait) and not any(host in way.message for host in unseen):
            yield finding(explain(way.reason).code or "HVP-C006", way.message)
    steps = steps_of(plan)
    if steps:
        more = f", and {len(steps) - 1} more" if len(steps) > 1 else ""
        yield finding("HVP-C004", f"{steps[0]} is needed, because {steps[0].why}{more}")


def _code_of(condition: Condition, all_of_object: Mapping[ConditionType, Condition]) -> str | None:
    """The code for one condition of an object; None when it is as it should be."""
    good = condition.state is State.TRUE
    match condition.type:
        case ConditionType.HEALED:
            return None if good else _heal_code(condition)
        case ConditionType.DEGRADED:
            if not good:
                return None
            if ConditionType.ENGINE_UP in all_of_object:
                return "HVP-E003"
            return "HVP-W002" if ConditionType.IN_SYNC in all_of_object else "HVP-V008"
        case ConditionType.MAINTENANCE:
            return "HVP-N004" if good or condition.reason is Reason.MAINTENANCE_UNSAFE else None
        case ConditionType.POWER_MANAGEMENT:
            return "HVP-N014" if condition.reason is Reason.FENCE_AGENT_FAILS else None
        case ConditionType.GLOBAL_MAINTENANCE:
            return "HVP-E004" if good else None
        case ConditionType.PAUSED:
            return "HVP-C007" if good else None
        case ConditionType.DELETION_BLOCKED:
            return "HVP-C005" if good else None
        case ConditionType.IN_SYNC if condition.state is State.UNKNOWN:
            return None
    if good or condition.type not in _OF_TYPE:
        return None
    if condition.type in _OF_SITE:
        return _OF_TYPE[condition.type]
    if _reported_by_plan(condition.reason):
        return None
    if condition.type is ConditionType.CAPACITY and condition.state is State.UNKNOWN:
        return "HVP-V009"
    engine = all_of_object.get(ConditionType.ENGINE_UP)
    if condition.type is ConditionType.CLUSTER_READY and engine and engine.state is not State.TRUE:
        return None
    reachable = all_of_object.get(ConditionType.REACHABLE)
    if condition.type in _AFTER_REACHABLE and reachable and reachable.state is not State.TRUE:
        return None
    return explain(condition.reason).code or _OF_TYPE[condition.type]


def _reported_by_plan(reason: Reason) -> bool:
    """Whether a condition is not True only because the plan has steps or waits; then the plan reports it."""
    return reason is Reason.SITE_NOT_FOUND or explain(reason).stage is Stage.BEGUN


def _heal_code(condition: Condition) -> str:
    if condition.reason is Reason.SPLIT_BRAIN:
        return "HVP-V006"
    return "HVP-V005" if condition.state is State.UNKNOWN else "HVP-V004"


def _of_host(sight: SiteSight, facts: HostFacts) -> Iterator[Finding]:
    def finding(code: str, message: str) -> Finding:
        return Finding(CODES[code], sight.namespace, f"Node {facts.host}", message)

    for volume in facts.logical_volumes.value if isinstance(facts.logical_volumes, Known) else ():
        for code, message in _of_volume(facts, volume):
            yield finding(code, message)
    for group in facts.volume_groups.value if isinstance(facts.volume_groups, Known) else ():
        if not group.complete:
            size = format_bytes(group.size)
            yield finding("HVP-D003", f"{facts.host}: volume group {group.name} ({size}) lacks a physical volume")
    for name, job in facts.jobs.value.items() if isinstance(facts.jobs, Known) else ():
        if isinstance(job, FailedJob):
            yield finding("HVP-N009", f"{facts.host}: {name} {told(job)}")
    if isinstance(facts.time, Known) and facts.time.value.synchronized is not True:
        said = "follows no server" if facts.time.value.synchronized is False else "does not answer"
        yield finding("HVP-N010", f"{facts.host}: its time service {said}")


def _of_volume(facts: HostFacts, volume: LogicalVolume) -> Iterator[tuple[str, str]]:
    """What is wrong with a logical volume, pool or not, with its code.

    A volume that is off, read-only or an invalid snapshot matters only when a brick is on it; its GlusterVolume reports
    that.
    """
    what = f"{facts.host}: {kind_of(volume)} {full_name(volume)}"
    pool = volume.is_pool or volume.is_vdo_pool
    found = trouble(volume)
    if found is not None and (pool or found.reason is Reason.POOL_FAILED):
        yield _code_of_trouble(found), f"{what} {found.text}"
    elif pool and (fullness := _fullness(volume)):
        yield fullness, f"{what} of {format_bytes(volume.size)}: {_shares(volume)}"
    elif volume.health in RAID_WORDS or volume.attributes[8:9] in RAID_LETTERS:
        yield "HVP-D010", f"{what}: {volume.health or f'lv_attr {volume.attributes}'}"
    if over_committed(facts, volume):
        inside = names_of(volumes_in(facts, volume.group, volume.name))
        told = (
            f"its volumes may need {format_bytes(promised(facts, volume))} of its {format_bytes(volume.size)}: {inside}"
        )
        yield "HVP-D008", f"{what}: {told}"


def _code_of_trouble(found: Trouble) -> str:
    if found.reason is Reason.DISK_NOT_FOUND:
        return "HVP-D003"
    return "HVP-D006" if found.state is State.UNKNOWN else "HVP-D007"


def _fullness(pool: LogicalVolume) -> str | None:
    """The code for a pool that takes writes; None for one that is known to have room."""
    data, metadata = pool.data_percent, pool.metadata_percent
    if data is None or (pool.is_pool and metadata is None):
        return "HVP-D006"
    if data >= DATA_ERROR or (metadata or 0) >= METADATA_ERROR:
        return "HVP-D005"
    return "HVP-D004" if data >= DATA_WARNING or (metadata or 0) >= METADATA_WARNING else None


def _shares(pool: LogicalVolume) -> str:
    shares = {"data": pool.data_percent} | ({"metadata": pool.metadata_percent} if pool.is_pool else {})
    return ", ".join(
        f"{what} {share:.1f} % full" if share is not None else f"LVM does not say how full its {what} is"
        for what, share in shares.items()
    )


def _versions(sight: SiteSight) -> list[Finding]:
    """Different versions of glusterd among the nodes (rule:one-version)."""
    running: dict[str, list[str]] = defaultdict(list)
    for name, node in sorted(sight.view.nodes.items()):
        if node.status.facts and node.status.facts.gluster and name not in sight.unseen:
            running[node.status.facts.gluster].append(name)
    if len(running) < 2:
        return []
    said = "; ".join(f"{version} on {', '.join(nodes)}" for version, nodes in sorted(running.items()))
    site = next(iter(sight.view.of(Site)), "")
    return [Finding(CODES["HVP-S004"], sight.namespace, f"Site {site}", f"Gluster {said}")]

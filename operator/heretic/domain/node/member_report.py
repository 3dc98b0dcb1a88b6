"""What a Node says of its host in the engine."""

from dataclasses import replace
from datetime import datetime, timedelta

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import NodeEngineStatus, NodeStatus, Role
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.stored import is_true
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineFacts, EngineHost
from heretic.domain.engine.parse import states
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.maintenance import others_against, unwhole
from heretic.domain.host.rule import Part
from heretic.domain.node.member import EngineMember, Membership, wants_membership
from heretic.domain.node.member_plan import cannot_run_engine
from heretic.domain.plan import Blocked, Wait
from heretic.domain.report import Report

_KIND = ConditionType.ENGINE_MEMBER
_WORDS = 5
_APART = timedelta(seconds=60)
"""Between the two looks that find a site whole (rule:healed-twice)."""


def status_with(node: Node, view: SiteView, status: NodeStatus, found: Membership) -> NodeStatus:
    """A Node's status with what the engine says of its host; what was recorded stays while it says nothing.

    Args:
        node: The Node as stored.
        view: The declared site.
        status: What else this pass says.
        found: What it is in the engine.
    """
    if isinstance(found, Wait | Blocked):
        return status
    if found is None or found.host is None:
        return status.model_copy(update={"engine": None, "out_of_service": False, "whole_since": ""})
    host, facts = found.host, found.site.facts
    before = node.status.engine if node.status.engine and node.status.engine.id == host.id else None
    out, since = _service(node, view, host, facts.identity.time)
    engine = _engine(node, host, facts, before, lacking=cannot_run_engine(found))
    return status.model_copy(update={"engine": engine, "out_of_service": out, "whole_since": since})


def _engine(
    node: Node, host: EngineHost, facts: EngineFacts, before: NodeEngineStatus | None, *, lacking: bool
) -> NodeEngineStatus:
    state, up = states.shown(host.status), host.status == states.UP
    failed = 0 if up or before is None else before.failed_installs
    if host.status == states.INSTALL_FAILED and (before is None or before.state != state):
        failed += 1
    again = node.spec.maintenance and lacking and before is not None
    return NodeEngineStatus(
        id=host.id,
        state=state,
        score=host.hosted_engine.score if host.hosted_engine else None,
        detail=host.detail,
        failed_installs=failed,
        reinstalled=bool(again and before and (before.reinstalled or host.status in states.COMING)),
        last_words=[] if up else _words(host, facts) or (before.last_words if before else []),
    )


def _words(host: EngineHost, facts: EngineFacts) -> list[str]:
    events = facts.recent.value if isinstance(facts.recent, Known) else ()
    return [e.text for e in events if e.host == host.id and e.severity != "normal"][-_WORDS:]


def _service(node: Node, view: SiteView, host: EngineHost, now: datetime | None) -> tuple[bool, str]:
    """Whether the host counts as out, and since when the site has been whole again."""
    if host.status in (states.MAINTENANCE, states.LEAVING):
        return True, ""
    if not node.status.out_of_service:
        return False, ""
    if host.status != states.UP or now is None:
        return True, ""
    if Role.STORAGE not in node.spec.roles:
        return False, ""
    if any(unwhole(view)):
        return True, ""
    since = node.status.whole_since
    if since and now - datetime.fromisoformat(since) >= _APART:
        return False, ""
    return True, since or now.isoformat(timespec="seconds")


def with_member(
    report: Report, node: Node, view: SiteView, found: Membership, part: Part, hidden: tuple[str, ...] = ()
) -> Report:
    """A Node's report with what concerns the engine.

    Args:
        report: Of the host itself.
        node: The Node, with the status that this pass writes.
        view: The declared site.
        found: What it is in the engine.
        part: What is done next in the engine.
        hidden: Disks with bricks that the next boot would not find (rule:devices-file).
    """
    conditions = tuple(
        _bootable(node, _maintenance(node, view, found, c), hidden) if c.type is ConditionType.MAINTENANCE else c
        for c in report.conditions
    )
    asked = found is not None and not node.spec.maintenance
    lacking = _lacking(found)
    return replace(
        report,
        status=node.status,
        conditions=(*conditions, _member(node, found, part)),
        ready=report.ready | {_KIND} if asked else report.ready,
        notes=(*report.notes, lacking) if lacking else report.notes,
    )


def _member(node: Node, found: Membership, part: Part) -> Condition:
    if found is None:
        why = "the site declares no engine" if wants_membership(node) else "the Node has no role Hypervisor"
        return Condition(_KIND, State.FALSE, Reason.ENGINE_NOT_DECLARED, why)
    if isinstance(found, Wait):
        return Condition(_KIND, State.UNKNOWN, found.reason, found.message)
    if isinstance(found, Blocked):
        return Condition(_KIND, State.FALSE, found.reason, found.message)
    host = found.host
    if host is not None and host.status == states.UP:
        said = f"host {host.name} is up in the engine"
        return Condition(
            _KIND, State.TRUE, Reason.AS_DECLARED, f"{said}; {_lacking(found)}" if _lacking(found) else said
        )
    if node.spec.maintenance:
        where = f"host {host.name} is {states.shown(host.status)} in the engine" if host else "it is not in the engine"
        return Condition(_KIND, State.FALSE, Reason.IN_MAINTENANCE, f"spec.maintenance is set; {where}")
    return not_done(_KIND, part) or Condition(_KIND, State.FALSE, Reason.WORK_IN_PROGRESS, "not up in the engine")


def not_done(kind: ConditionType, part: Part) -> Condition | None:
    """The condition of something of which a part is not done yet; what a person has to do is told first.

    Args:
        kind: Of the condition.
        part: What is done next, and what is in the way.
    """
    if blocked := next((o for o in part.obstacles if isinstance(o, Blocked)), None):
        return Condition(kind, State.FALSE, blocked.reason, blocked.message)
    if part.steps:
        return Condition(kind, State.FALSE, Reason.APPLYING, f"{part.steps[0]}: {part.steps[0].why}")
    if part.obstacles:
        return Condition(kind, State.FALSE, part.obstacles[0].reason, part.obstacles[0].message)
    return None


def _lacking(found: Membership) -> str:
    if not isinstance(found, EngineMember) or not cannot_run_engine(found):
        return ""
    return (
        "it cannot run the engine's machine, and only an installation changes that: set spec.maintenance, and Heretic "
        "installs it anew"
    )


def _maintenance(node: Node, view: SiteView, found: Membership, without: Condition) -> Condition:
    """Whether the host may be switched off: the engine has to say that it is in maintenance, too."""
    kind = ConditionType.MAINTENANCE
    if not node.spec.maintenance:
        if not node.status.out_of_service:
            return without
        why = "maintenance is over, and the host is brought back: up in the engine, its bricks, every volume healed"
        return Condition(kind, State.FALSE, Reason.WAITING_FOR_HEAL, why)
    if found is None or (isinstance(found, EngineMember) and found.host is None):
        return without
    latched = is_true(node, kind)
    if not isinstance(found, EngineMember):
        if latched:
            return Condition(
                kind, State.TRUE, Reason.AS_DECLARED, "in maintenance in the engine, when it last answered"
            )
        why = f"whether the host is in maintenance in the engine is not known: {found.message}"
        return Condition(kind, State.FALSE, Reason.MAINTENANCE_UNSAFE, f"do not switch it off: {why}")
    assert found.host is not None
    state = states.shown(found.host.status)
    if found.host.status not in (states.MAINTENANCE, states.INSTALL_FAILED):
        unsafe = without.state is not State.TRUE
        return Condition(
            kind,
            State.FALSE,
            Reason.MAINTENANCE_UNSAFE if unsafe else Reason.WORK_IN_PROGRESS,
            without.message
            if unsafe
            else f"do not switch it off: it is {state} in the engine, and has yet to leave service there",
        )
    against = () if latched else tuple(others_against(node, view))
    if against:
        why = f"do not switch {node.metadata.name} off, although it is {state} in the engine: {'; '.join(against)}"
        return Condition(kind, State.FALSE, Reason.MAINTENANCE_UNSAFE, why)
    return Condition(
        kind, State.TRUE, Reason.AS_DECLARED, f"{state} in the engine; Heretic changes nothing on the host"
    )


def _bootable(node: Node, maintenance: Condition, hidden: tuple[str, ...]) -> Condition:
    """An installation by the engine may have taken disks out of LVM's devices file; a boot then finds no bricks."""
    if maintenance.state is not State.TRUE or not hidden:
        return maintenance
    commands = "; ".join(f"`lvmdevices --yes --adddev {path}`" for path in hidden)
    why = f"do not switch {node.metadata.name} off: LVM's devices file lacks {', '.join(hidden)}, so that a boot would "
    remedy = f"find no bricks there. On the host: {commands}; or end the maintenance, and Heretic does it"
    return Condition(maintenance.type, State.FALSE, Reason.MAINTENANCE_UNSAFE, why + remedy)

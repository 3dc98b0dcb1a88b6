"""What a Node says of switching its host's power."""

from dataclasses import replace

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.power import FenceAgentStatus, PowerManagement, PowerManagementStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineFacts, EngineHost
from heretic.domain.engine.parse import states
from heretic.domain.engine.power import HostPower, password_key
from heretic.domain.engine.power_questions import FAILING, can_be_tested, declaration_hash
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.rule import Part
from heretic.domain.node.member import EngineMember, Membership
from heretic.domain.node.member_report import not_done
from heretic.domain.node.power_plan import differs, flags_as_declared, is_same
from heretic.domain.plan import Blocked, Wait
from heretic.domain.report import Report

_KIND = ConditionType.POWER_MANAGEMENT


def power_status(node: Node, found: Membership) -> PowerManagementStatus | None:
    """What this pass knows of switching the host; what was recorded stays while nothing new was asked.

    Args:
        node: The Node as stored.
        found: What it is in the engine.
    """
    power = node.spec.power_management
    if power is None or (isinstance(found, EngineMember) and found.host is None):
        return None
    before = node.status.power_management or PowerManagementStatus()
    if not isinstance(found, EngineMember) or found.host is None:
        return before
    host, facts = found.host, found.site.facts
    if node.status.engine is not None and node.status.engine.id not in ("", host.id):
        before = PowerManagementStatus()
    answer = facts.power.get(host.id)
    after = before.model_copy(update={"agents": _kept(power, host, facts, before, answer)})
    settled = _settled(power, host, after, before, answer)
    if settled != before.applied or _secrets(after) != _secrets(before):
        # Another declaration, other agents or another password: what was tested is not what is there now.
        after = after.model_copy(update={"applied": settled, "state": "", "tested": "", "message": "", "checked": ""})
    return _tested(after, answer, facts) if settled else after


def _kept(
    power: PowerManagement,
    host: EngineHost,
    facts: EngineFacts,
    before: PowerManagementStatus,
    answer: HostPower | None,
) -> list[FenceAgentStatus]:
    """The agents that are there and are Heretic's: recorded ones, and those that are declared."""
    recorded = {one.id: one for one in before.agents}
    if answer is not None and isinstance(answer.agents, Known):
        kept = [
            recorded.get(one.id, FenceAgentStatus(order=one.order or 0, id=one.id))
            for one in answer.agents.value
            if one.id in recorded or any(is_same(wanted, one) for wanted in power.agents)
        ]
    else:
        kept = before.agents
    return [
        one.model_copy(update={"secret": facts.given.get(password_key(host.id, one.order), one.secret)}) for one in kept
    ]


def _secrets(status: PowerManagementStatus) -> list[tuple[str, str]]:
    return sorted((one.id, one.secret) for one in status.agents)


def _settled(
    power: PowerManagement,
    host: EngineHost,
    after: PowerManagementStatus,
    before: PowerManagementStatus,
    answer: HostPower | None,
) -> str:
    """The declaration's hash where all that can be seen is as declared; "" where not, or where that is not known."""
    declared = declaration_hash(power)
    if not flags_as_declared(power, host):
        return ""
    if answer is None or not isinstance(answer.agents, Known):
        return declared if before.applied == declared else ""
    agents = answer.agents.value
    there = all(any(is_same(w, one) and not differs(w, one) for one in agents) for w in power.agents)
    return declared if there and len(after.agents) == len(power.agents) else ""


def _tested(status: PowerManagementStatus, answer: HostPower | None, facts: EngineFacts) -> PowerManagementStatus:
    now = facts.identity.time.isoformat(timespec="seconds") if facts.identity.time else ""
    if answer is None or not isinstance(answer.agents, Known):
        return status
    news = {"checked": now}
    if isinstance(answer.test, Known):
        test = answer.test.value
        state = states.shown(test.state) if test.state else FAILING
        news |= {"state": state, "message": test.message, "tested": now}
    return status.model_copy(update=news)


def with_power(report: Report, node: Node, view: SiteView, found: Membership, part: Part) -> Report:
    """A Node's report with what concerns switching its host.

    Args:
        report: Of everything else.
        node: The Node, with the status that this pass writes.
        view: The declared site.
        found: What it is in the engine.
        part: What is done next for it.
    """
    power = node.spec.power_management
    asked = power is not None and power.enabled and found is not None and not node.spec.maintenance
    return replace(
        report,
        conditions=(*report.conditions, _condition(node, view, found, part)),
        ready=report.ready | {_KIND} if asked else report.ready,
    )


def _condition(node: Node, view: SiteView, found: Membership, part: Part) -> Condition:
    power = node.spec.power_management
    if power is None or found is None:
        why = "spec.powerManagement is not set" if power is None else "the site declares no engine"
        return Condition(_KIND, State.FALSE, Reason.ENGINE_NOT_DECLARED, why)
    if isinstance(found, Wait | Blocked):
        state = State.UNKNOWN if isinstance(found, Wait) else State.FALSE
        return Condition(_KIND, state, found.reason, found.message)
    if unfinished := not_done(_KIND, part):
        return unfinished
    if not power.enabled:
        return Condition(_KIND, State.FALSE, Reason.ENGINE_NOT_DECLARED, "spec.powerManagement.enabled is false")
    status = node.status.power_management or PowerManagementStatus()
    if not status.applied:
        return Condition(_KIND, State.FALSE, Reason.WORK_IN_PROGRESS, "the engine has not all fence agents yet")
    return _of_test(node, view, status)


def _of_test(node: Node, view: SiteView, status: PowerManagementStatus) -> Condition:
    name = node.metadata.name
    if status.state == FAILING:
        why = f"no fence agent of {name} tells whether it has power: {status.message}"
        return Condition(_KIND, State.FALSE, Reason.FENCE_AGENT_FAILS, why)
    if status.state:
        why = f"the engine can switch {name}, which is {status.state}: asked at {status.tested}"
        return Condition(_KIND, State.TRUE, Reason.AS_DECLARED, why)
    if not can_be_tested(node, view):
        why = f"the fence agents of {name} are there, and not tested: that takes another host that is up"
        return Condition(_KIND, State.FALSE, Reason.WAITING_FOR_NODES, why)
    return Condition(_KIND, State.FALSE, Reason.WORK_IN_PROGRESS, f"the fence agents of {name} are being tested")

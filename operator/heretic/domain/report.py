"""The part of a report that is the same for every kind: Ready, Synced, Reconciling, Stalled, Paused, Drifted.

A kind's own report decides its own conditions; this module folds the plan and the results of the steps into the
common ones. It is called at the end of every pass, also of one whose observation failed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from heretic.api.v1alpha1.common import CommonStatus, Mode
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Bug, Failure, NeedsUser, Reason
from heretic.domain.plan import Blocked, Converged, Failed, Plan, Proceed, Started, Step, StepResult, Wait, steps_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass did with its plan.

    Attributes:
        plan: What planning said.
        results: Steps that were tried, with their results; steps of the plan that are not here were not tried.
        mode: The mode in force (the object's, else the Site's default).
        paused: Whether the object, the Site or the kill switch says to leave it alone.
        held: Why steps of the plan were not tried (slot, approval, window, lease), None when nothing held them.
        failure: A failure outside any step (a bug, the API server).
        removing: Whether the object is being deleted, and the plan is for its removal.
    """

    plan: Plan
    results: tuple[tuple[Step, StepResult], ...] = ()
    mode: Mode = Mode.APPLY
    paused: bool = False
    held: Wait | Blocked | None = None
    failure: Failure | None = None
    removing: bool = False

    @property
    def may_act(self) -> bool:
        """Whether mode and pause let steps run at all."""
        return self.mode is Mode.APPLY and not self.paused


@dataclass(frozen=True, slots=True)
class Report:
    """What one kind says of one object.

    Attributes:
        status: The kind's status fields, without conditions, plan and summary.
        conditions: The kind's own conditions, all of them, in any order.
        ready: Types among ``conditions`` that must be True for the object to be Ready.
        summary: One short line for the printer column when nothing is wrong.
        notes: What a user should know and nothing that is wrong; the first 16 are published.
    """

    status: CommonStatus
    conditions: tuple[Condition, ...]
    ready: frozenset[ConditionType]
    summary: str = ""
    notes: tuple[str, ...] = field(default=())


def condition_of(type_: ConditionType, plan: Plan) -> Condition:
    """What a plan means for the condition that tells whether a thing is as declared."""
    match plan:
        case Converged(why):
            return Condition(type_, State.TRUE, Reason.AS_DECLARED, why)
        case Proceed(steps):
            return Condition(type_, State.FALSE, Reason.WORK_IN_PROGRESS, steps[0].why)
        case Blocked(reason, message):
            return Condition(type_, State.FALSE, reason, message)
        case Wait(reason, message):
            return Condition(type_, State.UNKNOWN, reason, message)


def common_conditions(report: Report, outcome: Outcome) -> tuple[Condition, ...]:
    """Adds the conditions that every kind has.

    Args:
        report: The kind's own report.
        outcome: What the pass did.

    Returns:
        All conditions of the object: Ready, Synced, Drifted, Paused, the kind's own, and Reconciling or Stalled.
    """
    obstacle = _obstacle(outcome)
    wrong = _first_not_true(report)
    ready = _ready(report, outcome, wrong, obstacle)
    return (
        ready,
        _synced(outcome),
        _drifted(outcome),
        _paused(outcome),
        *report.conditions,
        *_progress(ready, outcome, obstacle),
        *_deletion(outcome, obstacle),
    )


def blind_conditions(own: Iterable[ConditionType], why: NeedsUser | Bug, *, removing: bool) -> tuple[Condition, ...]:
    """What is said of an object that was not worked on at all: it cannot be understood, or we made a mistake.

    Nothing was seen, so nothing is called good or bad; what an earlier pass found good must not stay so.

    Args:
        own: The types of the kind's own conditions.
        why: What happened.
        removing: Whether the object is being deleted.
    """
    unseen = f"not looked at: {why.message}"
    ready = State.UNKNOWN if isinstance(why, Bug) else State.FALSE
    types = (ConditionType.DRIFTED, ConditionType.PAUSED, *own)
    held = (ConditionType.DELETION_BLOCKED,) if removing else ()
    return (
        Condition(ConditionType.READY, ready, why.reason, why.message),
        Condition(ConditionType.SYNCED, State.FALSE, why.reason, why.message),
        *(Condition(kind, State.UNKNOWN, why.reason, unseen) for kind in types),
        *(Condition(kind, State.TRUE, why.reason, why.message) for kind in (ConditionType.STALLED, *held)),
    )


def _failures(outcome: Outcome) -> list[Failure]:
    failures: list[Failure] = [r.failure for _, r in outcome.results if isinstance(r, Failed)]
    return ([outcome.failure] if outcome.failure else []) + failures


def _obstacle(outcome: Outcome) -> Blocked | Wait | Failure | None:
    """The one thing to tell first: a bug, then what needs a person, then a failure, then a wait."""
    failures = _failures(outcome)
    pending = list(outcome.plan.pending) if isinstance(outcome.plan, Proceed) else [outcome.plan]
    blocked: list[Blocked | Wait | Failure] = [f for f in failures if isinstance(f, Bug)]
    blocked += [x for x in [_with_its_cause(outcome.held, pending), *pending] if isinstance(x, Blocked)]
    blocked += [f for f in failures if isinstance(f, NeedsUser)]
    rest: list[Blocked | Wait | Failure] = [f for f in failures if f not in blocked]
    rest += [x for x in [outcome.held, *pending] if isinstance(x, Wait)]
    return next(iter(blocked + rest), None)


def _with_its_cause(held: Wait | Blocked | None, pending: Sequence[Plan | Wait | Blocked]) -> Wait | Blocked | None:
    """An approval is waited for, beside an obstacle: the obstacle is the reason, and the message has the hash."""
    cause = next((p for p in pending if isinstance(p, Blocked)), None)
    if held is None or held.reason is not Reason.WAITING_FOR_APPROVAL or cause is None:
        return held
    return Blocked(cause.reason, f"{cause.message}. {held.message[:1].upper()}{held.message[1:]}")


def _first_not_true(report: Report) -> Condition | None:
    required = [c for c in report.conditions if c.type in report.ready and c.state is not State.TRUE]
    required.sort(key=lambda c: c.state is State.UNKNOWN)
    return next(iter(required), None)


def _ready(
    report: Report, outcome: Outcome, wrong: Condition | None, obstacle: Blocked | Wait | Failure | None
) -> Condition:
    if isinstance(obstacle, Bug):
        return Condition(ConditionType.READY, State.UNKNOWN, obstacle.reason, obstacle.message)
    if wrong is not None:
        state = State.UNKNOWN if wrong.state is State.UNKNOWN else State.FALSE
        if obstacle is not None and not isinstance(obstacle, Wait):
            return Condition(ConditionType.READY, state, obstacle.reason, obstacle.message)
        if wrong.reason is Reason.WORK_IN_PROGRESS and isinstance(outcome.plan, Proceed) and outcome.may_act:
            return Condition(ConditionType.READY, state, Reason.APPLYING, _next(outcome.plan.steps))
        return Condition(ConditionType.READY, state, wrong.reason, wrong.message)
    if obstacle is not None and not (isinstance(obstacle, Wait) and isinstance(outcome.plan, Converged)):
        return Condition(ConditionType.READY, State.FALSE, obstacle.reason, obstacle.message)
    due = _due(outcome)
    if due and outcome.may_act:
        return Condition(ConditionType.READY, State.FALSE, Reason.APPLYING, _next(due))
    return Condition(ConditionType.READY, State.TRUE, Reason.AS_DECLARED, report.summary or "as declared")


def _due(outcome: Outcome) -> tuple[Step, ...]:
    """The steps without which the object is not as declared; what is routine is not among them."""
    return tuple(step for step in steps_of(outcome.plan) if not step.routine)


def _next(steps: Sequence[Step]) -> str:
    more = f" and {len(steps) - 1} more" if len(steps) > 1 else ""
    return f"next: {steps[0]}{more}; because {steps[0].why}"


def _synced(outcome: Outcome) -> Condition:
    failures = _failures(outcome)
    if failures:
        return Condition(ConditionType.SYNCED, State.FALSE, failures[0].reason, failures[0].message)
    return Condition(ConditionType.SYNCED, State.TRUE, Reason.AS_DECLARED, "the last pass worked")


def _drifted(outcome: Outcome) -> Condition:
    tried = {step for step, result in outcome.results if not isinstance(result, Failed | Started)}
    left = [step for step in _due(outcome) if step not in tried]
    if left:
        return Condition(ConditionType.DRIFTED, State.TRUE, Reason.APPLYING, _next(left))
    if isinstance(outcome.plan, Wait):
        return Condition(ConditionType.DRIFTED, State.UNKNOWN, outcome.plan.reason, outcome.plan.message)
    return Condition(ConditionType.DRIFTED, State.FALSE, Reason.AS_DECLARED, "no difference found")


def _paused(outcome: Outcome) -> Condition:
    if outcome.paused:
        return Condition(ConditionType.PAUSED, State.TRUE, Reason.PAUSED, "paused: observing, changing nothing")
    return Condition(ConditionType.PAUSED, State.FALSE, Reason.AS_DECLARED, "not paused")


def _deletion(outcome: Outcome, obstacle: Blocked | Wait | Failure | None) -> tuple[Condition, ...]:
    if not outcome.removing or obstacle is None:
        return ()
    return (Condition(ConditionType.DELETION_BLOCKED, State.TRUE, obstacle.reason, obstacle.message),)


def _progress(ready: Condition, outcome: Outcome, obstacle: Blocked | Wait | Failure | None) -> tuple[Condition, ...]:
    if isinstance(obstacle, Blocked | NeedsUser | Bug):
        return (Condition(ConditionType.STALLED, State.TRUE, obstacle.reason, obstacle.message),)
    if ready.state is State.TRUE or (not outcome.may_act and isinstance(outcome.plan, Proceed)):
        return ()
    why = obstacle or ready
    return (Condition(ConditionType.RECONCILING, State.TRUE, why.reason, why.message),)

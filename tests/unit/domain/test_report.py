from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heretic.api.v1alpha1.common import CommonStatus, Mode
from heretic.domain.commands import Command, Script
from heretic.domain.conditions import Condition, ConditionType, State, merge
from heretic.domain.errors import Bug, NeedsUser, Reason, Transient
from heretic.domain.plan import (
    Blocked,
    Converged,
    Done,
    Failed,
    HostStep,
    Plan,
    Proceed,
    Started,
    Step,
    StepResult,
    Wait,
)
from heretic.domain.report import Outcome, Report, common_conditions
from kstatus import Health, kstatus


@dataclass(frozen=True, kw_only=True)
class Mend(HostStep):
    verb: ClassVar[str] = "Mend"

    def script(self) -> Script:
        return Script(done=(Command(("true",)),), actions=(Command(("true",)),))


STEP = Mend(host="node1", why="it is broken")
HEALED = Condition(ConditionType.HEALED, State.TRUE, Reason.AS_DECLARED, "nothing to heal")
UNHEALED = Condition(ConditionType.HEALED, State.FALSE, Reason.HEAL_PENDING, "7 entries wait")
UNKNOWN = Condition(ConditionType.HEALED, State.UNKNOWN, Reason.HEAL_UNKNOWN, "node2 did not answer")
FINE = Converged("as declared")
WAIT = Wait(Reason.WAITING_FOR_NODES, "node2 is not Ready")
BLOCKED = Blocked(Reason.FOREIGN_SIGNATURE, "disk sdb holds ext4")
RETRY = Transient(Reason.UNREACHABLE, "no route")
HUMAN = NeedsUser(Reason.HOST_KEY_MISMATCH, "another key")


def say(own: Condition, plan: Plan, **outcome: object) -> dict[str, Condition]:
    report = Report(CommonStatus(), (own,), frozenset({ConditionType.HEALED}))
    said = common_conditions(report, Outcome(plan, **outcome))  # type: ignore[arg-type]
    assert len({c.type for c in said}) == len(said), "each type once"
    return {c.type.value: c for c in said}


def health(own: Condition, plan: Plan, **outcome: object) -> Health:
    conditions = merge([], say(own, plan, **outcome).values(), generation=1, now="2026-01-01T00:00:00Z")
    return kstatus({"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "conditions": conditions}})


@pytest.mark.parametrize(
    ("own", "plan", "outcome", "ready", "reason", "expected"),
    [
        pytest.param(HEALED, FINE, {}, "True", "AsDeclared", Health.CURRENT, id="all is well"),
        pytest.param(UNHEALED, FINE, {}, "False", "HealPending", Health.IN_PROGRESS, id="healing by itself"),
        pytest.param(UNKNOWN, FINE, {}, "Unknown", "HealUnknown", Health.IN_PROGRESS, id="unknown is not healthy"),
        pytest.param(HEALED, Proceed((STEP,)), {}, "False", "Applying", Health.IN_PROGRESS, id="about to mend"),
        pytest.param(UNHEALED, WAIT, {}, "False", "HealPending", Health.IN_PROGRESS, id="waiting"),
        pytest.param(HEALED, WAIT, {}, "False", "WaitingForNodes", Health.IN_PROGRESS, id="waiting before anything"),
        pytest.param(UNHEALED, BLOCKED, {}, "False", "ForeignSignature", Health.FAILED, id="needs a person"),
        pytest.param(HEALED, BLOCKED, {}, "False", "ForeignSignature", Health.FAILED, id="blocked though healthy"),
        pytest.param(
            HEALED,
            Proceed((STEP,)),
            {"results": ((STEP, Failed(RETRY)),)},
            "False",
            "Unreachable",
            Health.IN_PROGRESS,
            id="a step failed and is tried again",
        ),
        pytest.param(
            HEALED,
            Proceed((STEP,)),
            {"results": ((STEP, Failed(HUMAN)),)},
            "False",
            "HostKeyMismatch",
            Health.FAILED,
            id="a step failed and needs a person",
        ),
        pytest.param(
            HEALED, FINE, {"failure": Bug("oops")}, "Unknown", "InternalError", Health.FAILED, id="a mistake of ours"
        ),
        pytest.param(
            HEALED,
            Proceed((STEP,)),
            {"held": Blocked(Reason.WAITING_FOR_APPROVAL, "approve it")},
            "False",
            "WaitingForApproval",
            Health.FAILED,
            id="waits for an approval",
        ),
        pytest.param(
            HEALED, Proceed((STEP,)), {"mode": Mode.PLAN}, "True", "AsDeclared", Health.CURRENT, id="only planning"
        ),
        pytest.param(HEALED, Proceed((STEP,)), {"paused": True}, "True", "AsDeclared", Health.CURRENT, id="paused"),
        pytest.param(
            HEALED,
            Proceed((STEP,), (BLOCKED,)),
            {},
            "False",
            "ForeignSignature",
            Health.FAILED,
            id="partly blocked",
        ),
    ],
)
def test_ready_and_kstatus(
    own: Condition, plan: Plan, outcome: dict[str, object], ready: str, reason: str, expected: Health
) -> None:
    said = say(own, plan, **outcome)
    assert (said["Ready"].state.value, said["Ready"].reason.value) == (ready, reason)
    assert health(own, plan, **outcome) is expected


def test_a_plan_that_is_only_shown_is_drift() -> None:
    said = say(HEALED, Proceed((STEP,)), mode=Mode.PLAN)
    assert said["Drifted"].state is State.TRUE
    assert "Mend on node1" in said["Drifted"].message


def test_synced_tells_that_the_last_pass_failed() -> None:
    said = say(HEALED, Proceed((STEP,)), results=((STEP, Failed(RETRY)),))
    assert said["Synced"].state is State.FALSE
    assert say(UNHEALED, FINE)["Synced"].state is State.TRUE, "sick hardware, but our pass worked"


def test_a_deletion_that_is_held_up_says_why() -> None:
    said = say(HEALED, Blocked(Reason.DEPENDENTS_EXIST, "used by Node node1"), removing=True)
    assert said["DeletionBlocked"].reason is Reason.DEPENDENTS_EXIST


owns = st.sampled_from([HEALED, UNHEALED, UNKNOWN])
results = st.sampled_from(
    [
        (),
        ((STEP, Done(True)),),
        ((STEP, Started("heretic-x")),),
        ((STEP, Failed(RETRY)),),
        ((STEP, Failed(HUMAN)),),
    ]
)
plans = st.sampled_from(
    [FINE, WAIT, BLOCKED, Proceed((STEP,)), Proceed((STEP,), (WAIT,)), Proceed((STEP,), (BLOCKED,))]
)


@given(
    owns,
    plans,
    results,
    st.sampled_from(list(Mode)),
    st.booleans(),
    st.sampled_from([None, RETRY, HUMAN, Bug("oops")]),
)
def test_never_both_reconciling_and_stalled_and_never_healthy_when_not(
    own: Condition,
    plan: Plan,
    done: tuple[tuple[Step, StepResult], ...],
    mode: Mode,
    paused: bool,
    failure: Transient | NeedsUser | Bug | None,
) -> None:
    said = say(own, plan, results=done, mode=mode, paused=paused, failure=failure)
    assert not ("Reconciling" in said and "Stalled" in said)
    assert said["Ready"].message
    if own.state is not State.TRUE:
        assert said["Ready"].state is not State.TRUE
    if said["Ready"].state is State.TRUE:
        assert "Reconciling" not in said
        assert "Stalled" not in said


def test_transition_times_change_only_when_the_status_flips() -> None:
    first = merge([], [UNHEALED], generation=1, now="2026-01-01T00:00:00Z")
    later = Condition(ConditionType.HEALED, State.FALSE, Reason.HEAL_PENDING, "3 entries wait")
    second = merge(first, [later], generation=2, now="2026-01-01T00:05:00Z")
    assert second[0]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert second[0]["observedGeneration"] == 2
    third = merge(second, [HEALED], generation=2, now="2026-01-01T00:09:00Z")
    assert third[0]["lastTransitionTime"] == "2026-01-01T00:09:00Z"

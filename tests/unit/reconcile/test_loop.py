"""The loop with its gates, its applier and its publisher; hosts, API server and rules are given by the tests."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import Mock

import pytest

import heretic.reconcile.gates
import heretic.reconcile.loop
import heretic.reconcile.publish
from heretic.api.v1alpha1.common import CommonStatus
from heretic.domain.commands import Command, Script
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Bug, NeedsUser, Reason, Transient
from heretic.domain.kind import Assessment, Observed
from heretic.domain.plan import (
    Converged,
    Failed,
    Plan,
    Proceed,
    Started,
    StepResult,
    Wait,
)
from heretic.domain.report import Report
from heretic.hosts.fence import Admission, Fence
from heretic.reconcile.apply import Applier
from heretic.reconcile.publish import Publisher
from heretic.reconcile.schedule import Pace, phase
from heretic.reconcile.slot import LEASE_NAME
from heretic.reconcile.store import Key
from sim.world import NAMESPACE, MemoryApi, Object
from unit.reconcile.loop_parts import DATA, RESYNC, Build, Dangerous, Disturbing, Loop, step


async def test_a_converged_object_is_written_once_and_rests(loop: Build, api: MemoryApi) -> None:
    tested = loop(lambda: Converged("as declared"))
    assert 0 < await tested.run_pass() <= RESYNC
    assert tested.condition("Ready")["status"] == "True"
    for _ in range(3):
        await tested.run_pass()
    assert api.status_writes == 1


async def test_a_status_is_put_together_only_where_it_may_be_news(
    loop: Build, api: MemoryApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Mock(wraps=heretic.reconcile.publish.build_status)
    monkeypatch.setattr(heretic.reconcile.publish, "build_status", build)
    tested = loop(lambda: Converged("as declared"))
    for _ in range(2):
        await tested.run_pass()
    before = build.call_count
    await tested.run_pass()
    assert build.call_count == before

    tested.parts.plan = lambda: Converged("as declared, and something else")
    await tested.run_pass()
    assert build.call_count > before, "what the pass did is news"

    await tested.run_pass()
    somebody_else = deepcopy(api.objects[DATA])
    somebody_else["status"]["summary"] = "written by somebody else"
    await api.replace_status("glustervolumes", somebody_else)
    await tested.run_pass()
    assert api.objects[DATA]["status"]["summary"] == "fine", "what somebody else wrote over it is put right"


async def test_what_a_report_notes_is_published_and_goes_when_it_is_no_longer_so(
    loop: Build, api: MemoryApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = loop(lambda: Converged("as declared"))
    for notes, shown in ((("options that nobody declared: a=on",), 1), (("many",) * 20, 16), ((), 0)):
        report = Report(CommonStatus(), (), frozenset(), "fine", notes=notes)
        tested.change(assess=lambda *_, said=report: Assessment(Converged("as declared"), said))
        await tested.run_pass()
        assert tuple(api.objects[DATA]["status"].get("notes", ())) == notes[:shown]


async def test_the_status_is_written_when_planning_fails(loop: Build) -> None:
    def broken() -> Plan:
        raise ZeroDivisionError

    tested = loop(broken)
    await tested.run_pass()
    assert tested.condition("Ready")["reason"] == "InternalError"
    assert tested.parts.performed == []


def fails(*_: object) -> Any:
    raise ZeroDivisionError("a secret of nobody")


async def fails_later(*_: object) -> Any:
    raise ZeroDivisionError("a secret of nobody")


@pytest.mark.parametrize("where", ["look", "assess", "gate", "apply", "publish"])
async def test_a_mistake_of_ours_anywhere_is_told_and_no_condition_stays_true(
    loop: Build, api: MemoryApi, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    healthy = Condition(ConditionType.HEALED, State.TRUE, Reason.AS_DECLARED, "nothing to heal")
    tested = loop(lambda: Converged("as declared"), conditions=(healthy,))
    await tested.run_pass()
    assert tested.condition("Ready")["status"] == tested.condition("Healed")["status"] == "True"

    tested.parts.plan = lambda: Proceed((step("one"),))
    whole = tested.kind.assess
    with monkeypatch.context() as broken:
        match where:
            case "look":
                broken.setattr(heretic.reconcile.loop, "look", fails_later)
            case "assess":
                tested.change(assess=fails)
            case "gate":
                broken.setattr(heretic.reconcile.gates, "check_approval", fails)
            case "apply":
                broken.setattr(Applier, "apply", fails_later)
            case "publish":
                broken.setattr(heretic.reconcile.publish, "build_status", fails)
        pauses = [await tested.run_pass() for _ in range(2)]
    tested.change(assess=whole)
    assert pauses == [2.0, 4.0], "the loop goes on, with growing pauses"
    for kind in ("Ready", "Synced", "Stalled"):
        assert tested.condition(kind)["reason"] == "InternalError"
        assert "the operator's log" in tested.condition(kind)["message"]
        assert "secret of nobody" not in tested.condition(kind)["message"]
    assert tested.condition("Ready")["status"] == "Unknown"
    assert tested.condition("Healed")["status"] == "Unknown"
    assert tested.parts.performed == []

    tested.parts.plan = lambda: Converged("as declared")
    await tested.run_pass()
    assert tested.condition("Ready")["status"] == "True"


async def test_a_mistake_that_cannot_even_be_written_ends_nothing(
    loop: Build, api: MemoryApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = loop(lambda: Converged("as declared"))
    monkeypatch.setattr(Publisher, "_write", fails_later)
    assert [await tested.run_pass() for _ in range(2)] == [2.0, 4.0]


RECORDED = {
    "volumeId": "11111111-2222-4333-8444-555555555555",
    "bricks": [{"node": "node1", "path": "/gluster_bricks/data/brick1/brick", "state": "Up", "newer": 7}],
    "conditions": [
        {"type": "Ready", "status": "True", "reason": "AsDeclared", "message": "", "lastTransitionTime": "2025-01-01"},
        {"type": "Healed", "status": "True", "reason": "AsDeclared", "message": "", "lastTransitionTime": "2025-01-01"},
    ],
}


async def test_a_spec_that_does_not_fit_is_said_and_nothing_is_done(loop: Build, api: MemoryApi) -> None:
    api.objects[DATA]["spec"]["size"] = "much"
    api.objects[DATA]["status"] = deepcopy(RECORDED)
    tested = loop(lambda: Proceed((step("one"),)))
    await tested.run_pass()
    assert tested.condition("Stalled")["reason"] == tested.condition("Ready")["reason"] == "InvalidSpec"
    assert "spec.size" in tested.condition("Ready")["message"]
    assert tested.condition("Drifted")["status"] == "Unknown"
    assert tested.parts.performed == []
    kept = {field: api.objects[DATA]["status"][field] for field in ("volumeId", "bricks")}
    assert kept == {field: RECORDED[field] for field in kept}, "what is recorded in the status stays"


SECOND = {"kind": "Site", "metadata": {"name": "second"}, "spec": {}}
BROKEN = {"kind": "Site", "metadata": {"name": "demo"}, "spec": {"mode": "Perhaps"}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (SECOND, "MoreThanOneSite"),
        (SECOND | {"spec": {"mode": "Perhaps"}}, "MoreThanOneSite"),
        (BROKEN, "InvalidSpec"),
        ({"kind": "Node", "metadata": {"name": "node2"}, "spec": {"address": 7}}, "InvalidSpec"),
        (None, "SiteNotFound"),
    ],
    ids=["two Sites", "a second one that cannot be read", "one that cannot be read", "a Node of it", "none"],
)
@pytest.mark.parametrize("own", [{}, {"mode": "Apply"}], ids=["no mode", "mode Apply"])
async def test_nothing_is_changed_while_it_is_not_known_what_is_declared(
    loop: Build, api: MemoryApi, change: Object | None, reason: str, own: Object
) -> None:
    api.apply({**api.objects[DATA], "spec": api.objects[DATA]["spec"] | own})
    if change is None:
        del api.objects[Key("Site", NAMESPACE, "demo")]
    else:
        api.apply(change)
    tested = loop(lambda: Proceed((step("one"),)))
    await tested.run_pass()
    assert tested.parts.performed == []
    assert tested.condition("Ready")["reason"] == reason


@pytest.mark.parametrize(
    ("failure", "pauses", "condition"),
    [
        (Transient(Reason.COMMAND_FAILED, "no"), [2.0, 4.0, 8.0], "Reconciling"),
        (Bug("ours"), [2.0, 4.0, 8.0], "Stalled"),
        (NeedsUser(Reason.DISK_FULL, "no room"), [RESYNC - (1.0 - RESYNC * phase(NAMESPACE)) % RESYNC] * 3, "Stalled"),
    ],
)
async def test_the_class_of_a_failure_decides_when_it_is_tried_again(
    loop: Build, failure: Transient | NeedsUser | Bug, pauses: list[float], condition: str
) -> None:
    tested = loop(lambda: Proceed((step("one"), step("two"))), answers={"one": Failed(failure)})
    assert [await tested.run_pass() for _ in range(3)] == pytest.approx(pauses, rel=0.05)
    assert tested.condition(condition)["reason"] == failure.reason
    assert tested.condition("Synced")["status"] == "False"
    assert tested.parts.performed == ["one"] * 3, "what comes after a failed step does not run"


async def test_success_ends_the_growing_of_pauses(loop: Build) -> None:
    tested = loop(lambda: Proceed((step("one"),)), answers={"one": Failed(Transient(Reason.COMMAND_FAILED, "no"))})
    assert [await tested.run_pass() for _ in range(2)] == [2.0, 4.0]
    tested.parts.answers.clear()
    assert await tested.run_pass() == 0.0, "after an effect it is looked again at once"
    tested.parts.answers["one"] = Failed(Transient(Reason.COMMAND_FAILED, "no"))
    assert await tested.run_pass() == 2.0


async def test_a_job_is_looked_at_when_it_says(loop: Build) -> None:
    tested = loop(lambda: Proceed((step("one"), step("two"))), answers={"one": Started("heretic-x", poll_after=5.0)})
    assert await tested.run_pass() == 5.0
    assert tested.parts.performed == ["one"], "what comes after it waits for its end"


async def test_the_same_plan_three_times_is_a_failure(loop: Build) -> None:
    tested = loop(lambda: Proceed((step("one"),)))
    assert [await tested.run_pass() for _ in range(2)] == [0.0, 0.0]
    assert await tested.run_pass() == 2.0
    assert tested.condition("Ready")["reason"] == "VerificationFailed"
    assert "3 times" in tested.condition("Ready")["message"]


async def test_plans_that_differ_are_progress(loop: Build) -> None:
    names = iter("abcdef")
    tested = loop(lambda: Proceed((step(next(names)),)))
    assert [await tested.run_pass() for _ in range(6)] == [0.0] * 6


async def test_a_lease_that_is_lost_stops_the_plan_where_it_is(loop: Build) -> None:
    tested = loop(lambda: Proceed((step("one"), step("two"), step("three"))))

    def lose(name: str) -> None:
        tested.parts.held = name != "two"

    tested.parts.on_perform = lose
    await tested.run_pass()
    assert tested.parts.performed == ["one", "two"]


async def test_the_kill_switch_stops_the_plan_where_it_is(loop: Build, tmp_path: Path) -> None:
    tested = loop(lambda: Proceed((step("one"), step("two"))))
    tested.parts.on_perform = lambda name: (tmp_path / "stop").touch()
    await tested.run_pass()
    assert tested.parts.performed == ["one"]
    await tested.run_pass()
    assert tested.parts.performed == ["one"]
    assert tested.condition("Paused")["status"] == "True"


async def test_without_the_lease_nothing_is_done_or_said(loop: Build, api: MemoryApi) -> None:
    tested = loop(lambda: Proceed((step("one"),)), held=False)
    assert await tested.run_pass() == 1.0
    assert tested.parts.performed == []
    assert api.status_writes == 0


@pytest.mark.parametrize(
    ("ordered", "expected"), [(True, {"a"}), (False, {"a", "c"})], ids=["ordered", "hosts side by side"]
)
async def test_a_failure_stops_its_host_or_an_ordered_plan(loop: Build, ordered: bool, expected: set[str]) -> None:
    steps = (step("a", "node1"), step("b", "node1"), step("c", "node2"))
    failed = {"a": Failed(Transient(Reason.COMMAND_FAILED, "no"))}
    tested = loop(lambda: Proceed(steps, ordered=ordered), answers=failed)
    await tested.run_pass()
    assert set(tested.parts.performed) == expected


@pytest.mark.parametrize(
    ("then", "spec"),
    [
        pytest.param(Converged("done"), {}, id="nothing is left to do"),
        pytest.param(Wait(Reason.WAITING_FOR_HEAL, "it heals"), {}, id="it waits"),
        pytest.param(Proceed((step("drop", kind=Dangerous),)), {}, id="the rest waits for an approval"),
        pytest.param(Proceed((step("next", kind=Disturbing),)), {"paused": True}, id="it was paused"),
        pytest.param(Proceed((step("next", kind=Disturbing),)), {"mode": "Plan"}, id="it may only plan"),
        pytest.param(Proceed((step("next", kind=Disturbing),)), {"size": "much"}, id="it is not understood any more"),
    ],
)
async def test_the_slot_goes_back_when_nothing_of_the_plan_may_run(
    loop: Build, api: MemoryApi, then: Plan, spec: Object
) -> None:
    plans: list[Plan] = [Proceed((step("stop", kind=Disturbing),)), then]
    tested = loop(lambda: plans.pop(0))
    await tested.run_pass()
    assert tested.parts.performed == ["stop"]
    assert api.leases[LEASE_NAME]["spec"]["holderIdentity"] == str(DATA)
    api.patch(DATA, spec)
    await tested.run_pass()
    assert tested.parts.performed == ["stop"]
    assert api.leases[LEASE_NAME]["spec"]["holderIdentity"] == ""


async def test_a_mistake_in_one_hosts_steps_ends_those_of_the_others(
    loop: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = loop(lambda: Proceed((step("one", "node1"), step("two", "node2"))))
    ended: list[str] = []
    answers: list[Callable[[], Fence]] = [lambda: Fence("here", 7, "operator")]

    async def lasts(settings: object, script: Script, *, admission: Admission) -> StepResult:
        action = script.actions[0]
        assert isinstance(action, Command)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(action.argv[0])
        raise AssertionError("it should have been ended")

    def fence() -> Fence:
        if not answers:
            raise ZeroDivisionError
        return answers.pop()()

    monkeypatch.setattr(tested.parts, "perform", lasts)
    monkeypatch.setattr(tested.parts, "fence", fence)
    async with asyncio.timeout(5):
        await tested.run_pass()
    assert ended == ["one"]
    assert tested.condition("Ready")["reason"] == "InternalError"


@pytest.mark.parametrize("spec", [{"paused": True}, {"mode": "Plan"}, {"mode": "Observe"}], ids=str)
async def test_a_hold_shows_the_difference_and_does_nothing(loop: Build, api: MemoryApi, spec: Object) -> None:
    api.apply({**api.objects[DATA], "spec": api.objects[DATA]["spec"] | spec})
    tested = loop(lambda: Proceed((step("one"),)))
    await tested.run_pass()
    assert tested.parts.performed == []
    assert tested.condition("Drifted")["status"] == "True"
    assert [s["verb"] for s in api.objects[DATA]["status"]["plan"]["steps"]] == ["Small"]


class TestALossDuringALongLook:
    """A host is lost while another one, or Gluster, takes long to answer."""

    LOST: ClassVar = {"node1": Transient(Reason.UNREACHABLE, "no answer")}

    def build(self, loop: Build, monkeypatch: pytest.MonkeyPatch, known: dict[str, Any]) -> tuple[Loop, asyncio.Event]:
        tested, answered = loop(lambda: Converged("as declared")), asyncio.Event()

        async def slow(*_: object) -> Observed:
            await answered.wait()
            return Observed(dict(known))

        def assess(resource: object, view: object, observed: Observed) -> Assessment:
            state = State.FALSE if observed.hosts else State.TRUE
            told = Condition(ConditionType.HEALED, state, Reason.PEER_DISCONNECTED, ", ".join(observed.hosts))
            report = Report(CommonStatus(), (told,), frozenset({ConditionType.HEALED}), "fine")
            return Assessment(Converged("as declared"), report)

        def glimpse(*_: object) -> Observed:
            return Observed(dict(known))

        tested.change(assess=assess)
        monkeypatch.setattr(heretic.reconcile.loop, "look", slow)
        monkeypatch.setattr(heretic.reconcile.loop, "glimpse", glimpse)
        tested.reconciler._pace = Pace(resync=RESYNC, patience=0.01)
        return tested, answered

    async def test_is_told_before_the_look_is_over_and_once(
        self, loop: Build, api: MemoryApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known: dict[str, Any] = {}
        tested, answered = self.build(loop, monkeypatch, known)
        answered.set()
        await tested.run_pass()
        assert tested.condition("Ready")["status"] == "True"
        answered.clear()
        looking = asyncio.create_task(tested.run_pass())
        await asyncio.sleep(0.05)
        assert api.status_writes == 1, "a slow look alone is no news"
        known |= self.LOST
        await asyncio.sleep(0.1)
        assert not looking.done()
        assert tested.condition("Ready")["status"] == "False"
        assert api.status_writes == 2
        answered.set()
        await looking
        await tested.run_pass()
        assert api.status_writes == 2, "what was told is not told again"

    async def test_that_was_told_before_is_no_news(
        self, loop: Build, api: MemoryApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tested, answered = self.build(loop, monkeypatch, dict(self.LOST))
        answered.set()
        await tested.run_pass()
        answered.clear()
        looking = asyncio.create_task(tested.run_pass())
        await asyncio.sleep(0.1)
        assert api.status_writes == 1
        answered.set()
        await looking

    async def test_leaves_nothing_running_when_the_pass_is_ended(
        self, loop: Build, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tested, _ = self.build(loop, monkeypatch, {})
        before = asyncio.all_tasks()
        looking = asyncio.create_task(tested.run_pass())
        await asyncio.sleep(0.05)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before


class TestDeletion:
    def leave(self, api: MemoryApi) -> None:
        api.objects[DATA]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    async def test_ends_when_nothing_is_left_to_do(self, loop: Build, api: MemoryApi) -> None:
        self.leave(api)
        tested = loop(lambda: Converged("orphaned"))
        tested.load()
        assert await tested.reconciler.finalize(DATA) is None

    async def test_that_waits_says_so(self, loop: Build, api: MemoryApi) -> None:
        self.leave(api)
        tested = loop(lambda: Wait(Reason.VOLUME_IN_USE, "mounted", 10.0))
        tested.load()
        assert await tested.reconciler.finalize(DATA) == 10.0
        assert tested.condition("DeletionBlocked")["reason"] == "VolumeInUse"

    async def test_of_what_cannot_be_understood_leaves_the_real_thing(self, loop: Build, api: MemoryApi) -> None:
        self.leave(api)
        api.objects[DATA]["spec"]["size"] = "much"
        tested = loop(lambda: Proceed((step("one"),)))
        tested.load()
        assert await tested.reconciler.finalize(DATA) is None
        assert tested.parts.performed == []

    async def test_and_destroy_needs_a_spec_that_can_be_read(self, loop: Build, api: MemoryApi) -> None:
        self.leave(api)
        api.objects[DATA]["spec"] |= {"size": "much", "deletionPolicy": "Destroy"}
        tested = loop(lambda: Converged("removed"))
        tested.load()
        assert await tested.reconciler.finalize(DATA) is not None
        assert tested.condition("DeletionBlocked")["reason"] == "InvalidSpec"
        assert "set deletionPolicy to Orphan" in tested.condition("DeletionBlocked")["message"]

    async def test_waits_for_who_may_use_it_and_cannot_be_understood(self, loop: Build, api: MemoryApi) -> None:
        site = Key("Site", NAMESPACE, "demo")
        api.objects[DATA]["spec"]["size"] = "much"
        for key in [k for k in api.objects if k.kind == "Node"]:
            del api.objects[key]
        api.objects[site]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        api.objects[site]["spec"]["mode"] = "Perhaps"
        tested = loop(lambda: Converged(""))
        tested.load()
        assert await tested.reconciler.finalize(site) is not None
        blocked = next(c for c in api.objects[site]["status"]["conditions"] if c["type"] == "DeletionBlocked")
        assert "GlusterVolume data (which cannot be understood)" in blocked["message"]

    async def test_is_no_matter_for_an_ordinary_pass(self, loop: Build, api: MemoryApi) -> None:
        self.leave(api)
        tested = loop(lambda: Proceed((step("one"),)))
        await tested.run_pass()
        assert tested.parts.performed == []

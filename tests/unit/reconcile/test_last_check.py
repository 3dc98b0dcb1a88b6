"""What is looked at once more right before a step that can harm, and how an approval is used up."""

from collections.abc import Callable

import pytest

from heretic.domain.errors import HereticError, Reason, Transient
from heretic.domain.plan import (
    Failed,
    Proceed,
    plan_hash,
)
from heretic.reconcile.gates import APPROVE
from heretic.reconcile.store import Key
from sim.world import NAMESPACE, MemoryApi, Object
from unit.reconcile.loop_parts import DATA, Build, Dangerous, Loop, step

STEPS = (step("safe"), step("gone", kind=Dangerous))
ORDERED = Proceed(STEPS, ordered=True)
DIGEST = plan_hash(f"uid-{DATA.kind}-{DATA.name}", 1, STEPS)


def approve(api: MemoryApi, word: str = DIGEST) -> None:
    api.apply(api.objects[DATA] | {"metadata": {"name": "data", "annotations": {APPROVE: word}}})


def words(api: MemoryApi) -> list[str]:
    return [used["word"] for used in api.objects[DATA]["status"].get("approvals") or []]


async def approved(loop: Build, api: MemoryApi, word: str = DIGEST) -> Loop:
    """A loop that has shown its plan, and whose plan was approved then."""
    tested = loop(lambda: ORDERED)
    await tested.run_pass()
    assert tested.parts.performed == []
    assert tested.condition("Stalled")["reason"] == "WaitingForApproval"
    approve(api, word)
    return tested


async def test_an_approval_is_recorded_before_the_first_step_and_holds_once(loop: Build, api: MemoryApi) -> None:
    tested = await approved(loop, api)
    recorded: list[list[str]] = []
    tested.parts.on_perform = lambda name: recorded.append(words(api))
    await tested.run_pass()
    assert tested.parts.performed == ["safe", "gone"]
    assert recorded == [[DIGEST], [DIGEST]]
    await tested.run_pass()
    assert tested.parts.performed == ["safe", "gone"], "once"
    assert tested.condition("Stalled")["reason"] == "WaitingForApproval"


async def test_an_approval_that_cannot_be_recorded_lets_nothing_run(
    loop: Build, api: MemoryApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> Object:
        raise HereticError(Transient(Reason.API_SERVER, "no answer"))

    tested = await approved(loop, api)
    monkeypatch.setattr(api, "replace_status", away)
    await tested.run_pass()
    assert tested.parts.performed == []


async def test_a_try_that_failed_can_be_approved_again(loop: Build, api: MemoryApi) -> None:
    tested = await approved(loop, api)
    tested.parts.answers["gone"] = Failed(Transient(Reason.COMMAND_FAILED, "busy"))
    await tested.run_pass()
    tested.parts.answers.clear()
    await tested.run_pass()
    assert tested.parts.performed == ["safe", "gone"], "the word was used up"
    approve(api, f"{DIGEST}.2")
    await tested.run_pass()
    assert tested.parts.performed == ["safe", "gone"] * 2
    assert words(api) == [DIGEST, f"{DIGEST}.2"]


async def test_an_approval_given_again_after_another_one_does_not_run_again(loop: Build, api: MemoryApi) -> None:
    tested = await approved(loop, api)
    await tested.run_pass()
    approve(api, f"{DIGEST}.b")
    await tested.run_pass()
    ran = list(tested.parts.performed)
    approve(api, DIGEST)
    await tested.run_pass()
    assert tested.parts.performed == ran


def change(**spec: object) -> Callable[[MemoryApi], None]:
    return lambda api: api.apply(api.objects[DATA] | {"spec": {**api.objects[DATA]["spec"], **spec}})


def pause_the_site(api: MemoryApi) -> None:
    key = Key("Site", NAMESPACE, "demo")
    api.apply(api.objects[key] | {"spec": {"paused": True}})


def recreate(api: MemoryApi) -> None:
    api.objects[DATA]["metadata"]["uid"] = "another"


def lose(api: MemoryApi) -> None:
    del api.objects[DATA]


def leave(api: MemoryApi) -> None:
    api.objects[DATA]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"


def withdraw(api: MemoryApi) -> None:
    api.objects[DATA]["metadata"]["annotations"] = {}


def occupy(api: MemoryApi) -> None:
    key = Key("Node", NAMESPACE, "node1")
    api.apply(api.objects[key] | {"spec": {**api.objects[key]["spec"], "maintenance": True}})


LATE: dict[str, Callable[[MemoryApi], None]] = {
    "paused": change(paused=True),
    "mode Observe": change(mode="Observe"),
    "deletionPolicy": change(deletionPolicy="Destroy"),
    "edited": change(size="11Gi"),
    "the Site paused": pause_the_site,
    "the Node in maintenance": occupy,
    "approval withdrawn": withdraw,
    "being deleted": leave,
    "deleted": lose,
    "deleted and made anew": recreate,
}


@pytest.mark.parametrize("changed", LATE)
async def test_what_changed_while_the_watch_is_late_stops_the_step(loop: Build, api: MemoryApi, changed: str) -> None:
    tested = await approved(loop, api)
    tested.load()
    LATE[changed](api)  # and the watch has not told yet
    await tested.reconciler.run_pass(DATA)
    assert tested.parts.performed == []
    assert changed in ("deleted", "deleted and made anew") or words(api) == []


async def test_what_changes_between_two_steps_stops_the_second(loop: Build, api: MemoryApi) -> None:
    tested = await approved(loop, api)
    tested.parts.on_perform = lambda name: withdraw(api)
    await tested.run_pass()
    assert tested.parts.performed == ["safe"]


async def test_a_declaration_that_cannot_be_read_again_stops_the_step(
    loop: Build, api: MemoryApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> Object:
        raise HereticError(Transient(Reason.API_SERVER, "no answer"))

    tested = await approved(loop, api)
    monkeypatch.setattr(api, "list", away)
    await tested.run_pass()
    assert tested.parts.performed == []
    assert words(api) == []
    assert tested.condition("Reconciling")["reason"] == "APIServer"

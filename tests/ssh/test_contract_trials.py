"""Trials: what every host, simulated or real, must do."""

import asyncio

import pytest

from heretic.domain.commands import Action, Command, Script, Trial
from heretic.domain.errors import Reason
from heretic.domain.plan import Done, StepResult
from sim.admission import Anybody
from ssh.perform import FALSE, TRUE, exists, failure, perform, touch
from ssh.targets import Target, eventually

TRIAL = "heretic-trial-bond"


def a_trial(target: Target, *proof: Command) -> Trial:
    """Of a change that makes the file "new"; what takes it back makes the file "old"."""
    return Trial(TRIAL, revert=(touch(target, "old"),), proof=proof, seconds=120)


async def tried(target: Target, *actions: Action, proof: tuple[Command, ...]) -> StepResult:
    script = Script((exists(target, "new"),), actions, trial=a_trial(target, *proof))
    return await target.hosts.perform(target.settings, script, admission=Anybody())


async def leave_unproved(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator makes the change, and dies before it can prove it."""
    monkeypatch.setattr("heretic.hosts.connections._PROOF_PAUSE", 1000.0)
    waiting = asyncio.create_task(tried(target, touch(target, "new"), proof=(FALSE,)))
    await eventually(lambda: target.on_trial(TRIAL) and target.read("new") is not None)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    # One step at a time: what it had sent has ended when this one is answered.
    await perform(target, FALSE, done=(TRUE,))


async def test_a_trial_that_is_proved_on_a_new_connection_stays(target: Target) -> None:
    await perform(target, TRUE, done=(TRUE,))
    before = target.hosts.counters["node1"].connects
    assert await tried(target, touch(target, "new"), proof=(TRUE, exists(target, "new"))) == Done(changed=True)
    assert target.hosts.counters["node1"].connects == before + 1
    assert not target.on_trial(TRIAL)
    assert target.read("old") is None


async def test_a_trial_whose_step_fails_is_taken_back_at_once(target: Target) -> None:
    result = await tried(target, touch(target, "half"), FALSE, proof=(TRUE,))
    assert "`false` failed" in failure(result, Reason.COMMAND_FAILED)
    await target.take_back(TRIAL)
    assert target.read("old") is not None


async def test_a_trial_that_nobody_proves_is_taken_back_by_the_host(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leave_unproved(target, monkeypatch)
    await target.take_back(TRIAL)
    assert target.read("old") is not None
    assert not target.on_trial(TRIAL)


async def proved(target: Target, within: float = 60) -> StepResult:
    """The operator proves a change that was made before."""
    script = Script((exists(target, "new"),), (touch(target, "new"),), trial=a_trial(target, TRUE))
    assert script.trial is not None
    until = asyncio.get_running_loop().time() + within
    return await target.hosts._prove(target.settings, script, script.trial, Anybody(), until)


async def test_a_proof_that_comes_too_late_proves_nothing(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    await leave_unproved(target, monkeypatch)
    await target.take_back(TRIAL)
    assert "proved too late" in failure(await proved(target), Reason.CHANGE_TAKEN_BACK)


async def test_a_trial_whose_last_answer_is_lost_stays_and_is_known_to(target: Target) -> None:
    target.server.faults.drop_after = 2
    assert await tried(target, touch(target, "new"), proof=(TRUE,)) == Done(changed=True)
    assert not target.on_trial(TRIAL)
    assert target.read("old") is None


async def test_where_no_answer_to_a_proof_comes_back_nobody_says_that_the_change_was_taken_back(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leave_unproved(target, monkeypatch)
    monkeypatch.setattr("heretic.hosts.connections._PROOF_PAUSE", 1.0)
    target.server.faults.drop_after = 1
    proving = asyncio.create_task(proved(target, within=2))
    await eventually(lambda: not target.on_trial(TRIAL))
    target.server.faults.refuse_login = True
    assert "whether the host kept it is not known" in failure(await proving, Reason.CONNECTION_LOST)


async def test_a_change_that_never_came_to_the_host_is_not_said_to_be_there(target: Target) -> None:
    assert "never came" in failure(await proved(target), Reason.CHANGE_TAKEN_BACK)


async def test_a_change_of_before_is_not_taken_for_the_one_that_never_came(target: Target) -> None:
    assert await tried(target, touch(target, "new"), proof=(TRUE,)) == Done(changed=True)
    target.remove("new")
    assert "never came" in failure(await proved(target), Reason.CHANGE_TAKEN_BACK)


async def test_a_trial_that_was_left_over_is_taken_back_before_the_next(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leave_unproved(target, monkeypatch)
    result = await tried(target, touch(target, "new"), proof=(TRUE,))
    assert "never proved" in failure(result, Reason.CHANGE_TAKEN_BACK)
    await target.take_back(TRIAL)
    assert target.read("old") is not None


async def test_what_is_there_already_needs_no_trial(target: Target) -> None:
    target.write("new", "")
    assert await tried(target, FALSE, proof=(FALSE,)) == Done(changed=False)
    assert not target.on_trial(TRIAL)

"""Jobs: what every host, simulated or real, must do."""

from dataclasses import replace

from heretic.domain.commands import Command, Job, Probe, PutFile
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.parse.jobs import parse_jobs, states
from heretic.domain.jobs import FailedJob, JobState, NeverRan, Succeeded
from heretic.domain.plan import Done, Started, StepResult
from ssh.perform import FALSE, TRUE, exists, failure, perform, touch
from ssh.targets import Target

UNIT = "heretic-deploy.service"


async def test_a_job_starts_once_and_ends_by_itself(target: Target) -> None:
    put = PutFile(target.path("a"), "new", secret=True)

    async def tried() -> StepResult:
        return await perform(
            target, put, touch(target, "b"), done=(exists(target, "b"),), guards=(TRUE,), job=Job("heretic-deploy")
        )

    assert await tried() == Started(UNIT)
    assert await tried() == Started(UNIT)
    assert target.starts(UNIT) == 1
    assert target.read("b") is None
    assert await target.finish_job(UNIT) == "inactive"
    assert target.read("a") == ("0644", "new")
    assert await tried() == Done(changed=False)
    assert target.starts(UNIT) == 1


async def test_a_failed_job_leaves_a_failed_unit_that_can_be_started_again(target: Target) -> None:
    async def tried(action: Command) -> StepResult:
        return await perform(target, action, done=(exists(target, "made"),), job=Job(UNIT))

    assert await tried(FALSE) == Started(UNIT)
    assert await target.finish_job(UNIT) == "failed"
    assert await tried(touch(target, "made")) == Started(UNIT)
    assert await target.finish_job(UNIT) == "inactive"
    assert await tried(FALSE) == Done(changed=False)


async def test_a_job_whose_effect_is_not_there_fails(target: Target) -> None:
    assert await perform(target, TRUE, done=(exists(target, "never"),), job=Job(UNIT)) == Started(UNIT)
    assert await target.finish_job(UNIT) == "failed"


async def test_a_job_waits_for_its_guards(target: Target) -> None:
    result = await perform(target, TRUE, done=(FALSE,), guards=(FALSE,), job=Job(UNIT))
    assert "the step may not start" in failure(result, Reason.VERIFICATION_FAILED)
    assert target.starts(UNIT) == 0


async def states_of(target: Target) -> dict[str, JobState]:
    batch = await target.hosts.probe(target.settings, [Probe("jobs", ("@jobs",), parse_jobs)])
    found = states(Known({}), parse_jobs(batch.outputs["jobs"]), None)
    assert isinstance(found, Known), found
    return {name: without_time(state) for name, state in found.value.items()}


def without_time(state: JobState) -> JobState:
    if isinstance(state, NeverRan):
        return state
    assert state.seconds is not None
    assert 0 <= state.seconds < 60
    return replace(state, seconds=None)


async def test_a_host_without_jobs_tells_of_none(target: Target) -> None:
    assert await states_of(target) == {}


async def test_a_host_keeps_that_a_job_succeeded(target: Target) -> None:
    await perform(target, touch(target, "a"), done=(exists(target, "a"),), job=Job(UNIT))
    await target.finish_job(UNIT)
    assert await states_of(target) == {UNIT: Succeeded()}


async def test_a_host_keeps_which_action_of_a_job_failed_and_how(target: Target) -> None:
    await perform(target, TRUE, FALSE, touch(target, "a"), done=(exists(target, "a"),), job=Job(UNIT))
    await target.finish_job(UNIT)
    assert await states_of(target) == {UNIT: FailedJob("failed: its action 2 exited 1")}
    assert target.read("a") is None


async def test_a_host_keeps_that_a_job_ran_without_its_effect(target: Target) -> None:
    await perform(target, TRUE, done=(TRUE, exists(target, "never")), job=Job(UNIT))
    await target.finish_job(UNIT)
    why = "ran to its end, and its condition 2 does not hold (exit status 1)"
    assert await states_of(target) == {UNIT: FailedJob(why)}


async def test_the_outcome_of_the_last_run_counts(target: Target) -> None:
    for action in (FALSE, touch(target, "a")):
        await perform(target, action, done=(exists(target, "a"),), job=Job(UNIT))
        await target.finish_job(UNIT)
    assert await states_of(target) == {UNIT: Succeeded()}

"""Tries of the long work that makes an engine: what became of each, when to stop, and how far the last one is.

How often it was tried is kept on the machine's disk, in the records of the jobs; the operator remembers nothing.
"""

from collections.abc import Callable, Mapping

from heretic.api.v1alpha1.self_hosted import DeploymentStatus
from heretic.domain.errors import Reason
from heretic.domain.jobs import FailedJob, JobState, LostJob, Running, Succeeded
from heretic.domain.plan import Blocked

TRIES = 2
"""Of one attempt; the second only where nothing was ever deployed."""

Cause = Callable[[FailedJob], tuple[Reason, str]]
"""Why a job of this work failed, and what it said of it."""


def last_try(jobs: Mapping[str, JobState], name: Callable[[int], str]) -> JobState | None:
    """What became of the last try of an attempt.

    Args:
        jobs: Of the machine.
        name: The unit of a try, by its number.
    """
    return next((job for n in range(TRIES, 0, -1) if (job := jobs.get(name(n))) is not None), None)


def failure_said(job: FailedJob | LostJob, cause: Cause) -> tuple[Reason, str]:
    """Why a try failed, and what it said of it."""
    if isinstance(job, FailedJob):
        return cause(job)
    return Reason.DEPLOYMENT_INTERRUPTED, "the host was booted, or somebody ended it"


def given_up(job: JobState | None, cause: Cause, *, what: str, logs: str, field: str) -> Blocked | None:
    """Why nothing more is tried; None while something is.

    Args:
        job: What became of the last try that an attempt has.
        cause: Why it failed.
        what: The work and where, for the message.
        logs: A sentence that says where more is said.
        field: Of the spec: what is raised for another attempt.
    """
    if not isinstance(job, FailedJob | LostJob):
        return None
    reason, said = failure_said(job, cause)
    return Blocked(
        reason,
        f"{what} failed {TRIES} times, the last time so: {said}. {logs}. Remove the cause, then raise {field}",
    )


def progress(
    before: DeploymentStatus, job: JobState | None, stage: Callable[[str], tuple[str, int] | None], cause: Cause
) -> dict[str, object]:
    """What of the status changes, by the last try.

    Args:
        before: The status as it is recorded.
        job: What became of the last try.
        stage: The stage that a line of the work's output belongs to, with percent; None for a line that tells none.
        cause: Why a try failed.
    """
    match job:
        case Running():
            if known := stage(job.stage):
                return {"stage": known[0], "percent": known[1]}
            return {"stage": "begun", "percent": 0} if before.stage in ("", "failed") else {}
        case FailedJob() | LostJob():
            return {"stage": "failed", "percent": None, "failure": failure_said(job, cause)[1][:2000]}
        case Succeeded():
            return {"stage": "deployed", "percent": 100, "failure": ""}
    return {}

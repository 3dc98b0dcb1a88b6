"""What becomes of long work on a host (see ``Job`` in commands.py)."""

from dataclasses import dataclass

from heretic.domain.commands import Command, Expect

JOB_PREFIX = "heretic-"
"""Of the units of jobs."""

RECORDS = "/var/lib/heretic/jobs"
"""Where a host keeps what became of each job, by the name of its unit."""

TRIAL_PREFIX = f"{JOB_PREFIX}trial-"
"""Of the units that take the change of a trial back."""


@dataclass(frozen=True, slots=True)
class NeverRan:
    """The host knows of no such job."""


@dataclass(frozen=True, slots=True)
class Running:
    """It is at work.

    Attributes:
        stage: The last line of its output that tells how far it is; "" = none did.
        seconds: Since it began, None when that is not known.
    """

    stage: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Its actions ran, and its effect was there afterwards.

    Attributes:
        seconds: Since then.
    """

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class FailedJob:
    """It ended without its effect.

    Attributes:
        why: How it ended, as the end of a sentence that begins with the job.
        tail: What it said last, in lines.
        seconds: Since then, None when that is not known.
    """

    why: str
    tail: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LostJob:
    """It was ended before it could tell how it went: the host was booted, or somebody ended it.

    Attributes:
        seconds: Since it was last heard of.
    """

    seconds: float | None = None


JobState = NeverRan | Running | Succeeded | FailedJob | LostJob


def told(job: FailedJob, lines: int = 3) -> str:
    """How a job ended and what it said last, as the end of a sentence that begins with its work.

    Args:
        job: What became of it.
        lines: How many of its last lines to quote.
    """
    said = " / ".join(line.strip() for line in job.tail[-lines:] if line.strip())
    return f"{job.why}, and said last: {said}" if said else job.why


def not_at_work(unit: str) -> Command:
    """That a job does not run now.

    Args:
        unit: Its name, or a pattern that systemd knows.
    """
    active = ("systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating", unit)
    return Command(active, expect=Expect.EMPTY)


def never_begun(unit: str) -> Command:
    """That a job was never begun on this host, which remembers each one for good.

    Args:
        unit: Its name.
    """
    return Command(("test", "!", "-e", f"{RECORDS}/{unit}"))

"""What an observation means for the version of an engine, and what is written on its machine meanwhile."""

import re
from dataclasses import dataclass

from heretic.domain.hosted_engine.upgrade.steps import job_name
from heretic.domain.plan import Blocked, Obstacle, PlanItem, Step, Wait

_NUMBERS = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_NOISE = re.compile(r"^\[ (?:INFO|DEBUG) +\]|^$")

Release = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class JudgedUpgrade:
    """What an observation means for the version of an engine.

    Attributes:
        items: What to do next, and what is in the way.
        stage: What is being done or waited for; "" = nothing is declared, "done" = it runs.
        active: Whether an upgrade was approved and is not over: then nothing else is done for the engine.
        failure: How it failed.
    """

    items: tuple[PlanItem, ...] = ()
    stage: str = ""
    active: bool = False
    failure: str = ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """What to do next."""
        return tuple(item for item in self.items if isinstance(item, Step))

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """What is in the way."""
        return tuple(item for item in self.items if isinstance(item, Wait | Blocked))


@dataclass(frozen=True, slots=True)
class Mark:
    """What is written on the machine while an upgrade goes on."""

    text: str
    version: str
    attempt: int
    ours: bool

    @property
    def job(self) -> str:
        """Name of the upgrade's unit."""
        return job_name(self.version, self.attempt)


def release(text: str) -> Release | None:
    """The three numbers of a version; None where it has not got them."""
    found = _NUMBERS.match(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def meaningful(tail: tuple[str, ...], most: int = 4) -> str:
    """The last lines of engine-setup that are no mere news.

    Args:
        tail: What it said last.
        most: How many lines to tell.
    """
    lines = [line.strip() for line in tail if not _NOISE.match(line.strip())]
    return " / ".join(lines[-most:])

"""States that something goes through in time, whoever asks or does not ask."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(kw_only=True)
class Timeline:
    """Where something is on its way.

    Attributes:
        steps: When it comes into which state; the first is past.
    """

    steps: list[tuple[datetime, Any]] = field(default_factory=list)

    def status(self, now: datetime) -> Any:
        """The state at a moment."""
        return next(status for when, status in reversed(self.steps) if when <= now)

    def since(self, now: datetime) -> datetime:
        """When it came into the state of a moment."""
        found: datetime = next(when for when, _ in reversed(self.steps) if when <= now)
        return found

    def go(self, now: datetime, *way: tuple[float, Any]) -> None:
        """Sets out from now: each state with the seconds that pass before it. What was ahead is not any more."""
        self.steps = []
        when = now
        for seconds, status in way:
            when += timedelta(seconds=seconds)
            self.steps.append((when, status))

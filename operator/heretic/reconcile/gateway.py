"""Every effect goes through here: it is counted and audited, and tests inject faults here.

An effect is anything that changes the world outside the operator: a script on a host, a write to the API server.
Nothing else in the operator changes anything, so the counters here are the proof that a converged site is left
alone, and a crash before or after each effect can be rehearsed (tests/integration/test_crash_sweep.py).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")


API_SERVER = "the API server"
"""Target of an effect on no host; with its spaces, no Node can have the name."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of the world, as it is announced before it happens.

    Attributes:
        object: Kind/namespace/name of the object for which it is done.
        generation: Of the object's spec.
        target: Name of a Node, or API_SERVER.
        verb: The step's verb, or what is written.
        risk: Safe, Disruptive or Destructive.
        arguments: The step's arguments, no secrets.
        why: What was observed and is declared.
        changed_by: Who last changed the spec and when, from managedFields.
    """

    object: str
    generation: int
    target: str
    verb: str
    risk: str = "Safe"
    arguments: dict[str, str] = field(default_factory=dict)
    why: str = ""
    changed_by: str = ""


class Faults(Protocol):
    """Where a test makes the operator die or a reply get lost."""

    async def before(self, effect: Effect) -> None:
        """Called before an effect happens."""

    async def after(self, effect: Effect) -> None:
        """Called after an effect happened and before anybody hears of it."""


class NoFaults:
    """The production case."""

    async def before(self, effect: Effect) -> None:
        """Nothing."""

    async def after(self, effect: Effect) -> None:
        """Nothing."""


class Audit(Protocol):
    """Where effects are written down."""

    def effect(self, effect: Effect, *, outcome: str, seconds: float) -> None:
        """Records one effect with its outcome and duration."""


class Gateway:
    """Performs effects.

    Args:
        audit: Takes every effect on a host, whatever its outcome.
        monotonic: Seconds, for durations.
        faults: Only tests give one.
    """

    def __init__(self, audit: Audit, *, monotonic: Callable[[], float], faults: Faults | None = None) -> None:
        self._audit = audit
        self._monotonic = monotonic
        self._faults = faults or NoFaults()

    async def perform(self, effect: Effect, action: Callable[[], Awaitable[T]], outcome: Callable[[T], str]) -> T:
        """Performs one effect.

        Args:
            effect: What is about to happen.
            action: Makes it happen.
            outcome: Names the result for the audit ("Done", "Unchanged", "Failed: …").

        Returns:
            What the action returned.
        """
        await self._faults.before(effect)
        begun = self._monotonic()
        said = "Interrupted"
        try:
            result = await action()
            said = outcome(result)
        except Exception as error:
            said = f"Raised: {error}"
            raise
        finally:
            self._audit.effect(effect, outcome=said, seconds=self._monotonic() - begun)
        await self._faults.after(effect)
        return result

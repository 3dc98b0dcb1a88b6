"""What was worked out before, for as long as it would be worked out from the same things."""

from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple, cast

from heretic.domain.facts import Fact, Known

S = TypeVar("S")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Memo:
    """The last result of each of several pure functions.

    Most of what a host says is the same at every look; what it was parsed into the last time is used again. It is
    the same object then, which is how others see at once that nothing changed. One result a function and name is
    kept, so that it holds hardly more than one look does.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[Callable[..., Any], str], tuple[tuple[Any, ...], Any]] = {}

    def of(self, work: Callable[[*Ts], T], *inputs: *Ts, name: str = "") -> T:
        """What ``work(*inputs)`` gives.

        Args:
            work: A function of a module, not one that is made for this call; its result must depend on the inputs
                alone, and nobody may change it.
            inputs: Compared with those of the last time.
            name: Tells apart what one function is asked about several things in one look.
        """
        last = self._last.get((work, name))
        if last is None or last[0] != inputs:
            last = self._last[work, name] = (inputs, work(*inputs))
        return cast("T", last[1])

    def part(self, work: Callable[[S], T], fact: Fact[S]) -> Fact[T]:
        """What ``work`` makes of the value of a fact; the fact itself where it has none."""
        return self.of(_applied, work, fact, name=f"{work.__module__}.{work.__qualname__}")


def _applied(work: Callable[[S], T], fact: Fact[S]) -> Fact[T]:
    return Known(work(fact.value)) if isinstance(fact, Known) else fact

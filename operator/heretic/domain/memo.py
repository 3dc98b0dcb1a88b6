"""What was worked out before, for as long as it would be worked out from the same things."""

from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple, cast

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Memo:
    """The last result of each of several pure functions.

    Most of what a host says is the same at every look; what it was parsed into the last time is used again. One
    result a function is kept, so that it never holds more than one look does.
    """

    def __init__(self) -> None:
        self._last: dict[Callable[..., Any], tuple[tuple[Any, ...], Any]] = {}

    def of(self, work: Callable[[*Ts], T], *inputs: *Ts) -> T:
        """What ``work(*inputs)`` gives.

        Args:
            work: A function of a module, not one that is made for this call; its result must depend on the inputs
                alone, and nobody may change it.
            inputs: Compared with those of the last time.
        """
        last = self._last.get(work)
        if last is None or last[0] != inputs:
            last = self._last[work] = (inputs, work(*inputs))
        return cast("T", last[1])

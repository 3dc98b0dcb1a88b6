"""One effect of the operator, found by its verb, is disturbed; what follows is done by the next, or by a late watch."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from enum import StrEnum

from heretic.reconcile.gateway import API_SERVER, Effect
from sim.world import DiedError, Object, Recorder, World

MOST, LATE_ROUNDS = 14, 2


class Disturbance(StrEnum):
    """What goes wrong at an effect."""

    BEFORE = "killed before the effect"
    AFTER = "killed after the effect, and the next operator is behind"
    UNHEARD = "reply lost while the watch is late"


class Struck(Recorder):
    """Dies at the first effect of a verb, or lets its reply be lost.

    Attributes:
        happened: Whether that effect was there.
    """

    def __init__(self, verb: str, how: Disturbance, lose: Callable[[Effect], None]) -> None:
        super().__init__()
        self.happened = False
        self._verb, self._how, self._lose = verb, how, lose

    async def before(self, effect: Effect) -> None:
        await super().before(effect)
        if self._is_it(effect) and self._how is not Disturbance.AFTER:
            self.happened = True
            if self._how is Disturbance.BEFORE:
                raise DiedError
            self._lose(effect)

    async def after(self, effect: Effect) -> None:
        await super().after(effect)
        if self._is_it(effect) and self._how is Disturbance.AFTER:
            self.happened = True
            raise DiedError

    def _is_it(self, effect: Effect) -> bool:
        return not self.happened and effect.target != API_SERVER and effect.verb == self._verb


async def disturb(
    world: World,
    verb: str,
    how: Disturbance,
    *,
    go: Callable[[], Awaitable[object]],
    lose: Callable[[Effect], None],
    start: Callable[..., Awaitable[object]] | None = None,
) -> None:
    """Lets the site go on until the effect happens, and disturbs it there.

    Args:
        world: The site; its operator is replaced.
        verb: Of the effect.
        how: What goes wrong.
        go: One round.
        lose: Lets the reply of an effect be lost.
        start: How an operator is started, where not in the usual way.
    """
    start = start or world.start_operator
    struck = Struck(verb, how, lose)
    await world.kill_operator()
    await start(struck)
    before: list[Object] = []

    async def until_it_happens() -> int:
        for _ in range(MOST):
            before[:] = deepcopy(list(world.api.objects.values()))
            await go()
            if struck.happened:
                return 0
        raise AssertionError(f"{verb} does not happen:\n{world.describe()}")

    if how is Disturbance.UNHEARD:
        await until_it_happens()
    else:
        assert await world.run_mortal(until_it_happens), "the operator lives"
        await world.kill_operator()
        await start()
    if how is Disturbance.AFTER:
        assert world._operator is not None
        for old in before:
            world._operator.store.put(old["kind"], old)
    world.late = how is not Disturbance.BEFORE
    for _ in range(LATE_ROUNDS):
        await go()
    world.late = False

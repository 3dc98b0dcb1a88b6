"""One effect of the operator, found by its verb, is disturbed; what follows is done by the next, or by a late watch.

A test that disturbs effects is a sweep: it says by ``strikes`` which verbs it strikes, and what it says is held against
what it did. So SWEEPS is a table that does not lie of what is struck where.
"""

import inspect
from collections.abc import Awaitable, Callable
from copy import deepcopy
from enum import StrEnum
from functools import wraps
from typing import Any, Protocol

import pytest

from heretic.reconcile.gateway import API_SERVER, Effect
from sim.engine.faults import EngineFaults, changes
from sim.world import DiedError, Object, Recorder, World

MOST, LATE_ROUNDS = 14, 2

Sweep = Callable[..., Awaitable[None]]

SWEEPS: dict[str, frozenset[str]] = {}
"""The verbs that each sweep strikes, by its name; of those modules that were imported."""

STRUCK: "set[tuple[str, Disturbance]]" = set()
"""What the sweep that runs has struck so far."""


class Disturbance(StrEnum):
    """What goes wrong at an effect. In ``disturb`` the next operator is behind, and a reply is lost to a late watch."""

    BEFORE = "killed before the effect"
    AFTER = "killed after the effect"
    UNHEARD = "reply lost"


class Replies(Protocol):
    """Somebody whose replies can get lost: 1 loses the next one."""

    drop_after: int


def strikes(*verbs: str) -> Callable[[Sweep], Sweep]:
    """Says of a test which verbs it strikes, and fails it where it has not.

    A test that takes ``verb`` runs for each of them, one that takes ``how`` for each disturbance; another one strikes
    all of them in one run.
    """

    def mark(test: Sweep) -> Sweep:
        @wraps(test)
        async def swept(**given: Any) -> None:
            STRUCK.clear()
            await test(**given)
            one_verb, one_way = given.get("verb"), given.get("how")
            said = {(v, h) for v in verbs for h in Disturbance if one_verb in (None, v) and one_way in (None, h)}
            missing = sorted(f"{verb}: {how}" for verb, how in said - STRUCK)
            assert not missing, f"{test.__name__} has not struck {missing}"

        SWEEPS[f"{test.__module__}::{test.__name__}"] = frozenset(verbs)
        taken = inspect.signature(test).parameters
        each = [pytest.mark.parametrize("how", Disturbance)] * ("how" in taken)
        each += [pytest.mark.parametrize("verb", verbs)] * ("verb" in taken)
        marked: Sweep = swept
        for one in each:
            marked = one(marked)
        return marked

    return mark


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
    replies: Callable[[Effect], Replies],
    start: Callable[..., Awaitable[object]] | None = None,
) -> None:
    """Lets the site go on until the effect happens, and disturbs it there.

    Args:
        world: The site; its operator is replaced.
        verb: Of the effect.
        how: What goes wrong.
        go: One round.
        replies: Whose reply to an effect it is that can be lost.
        start: How an operator is started, where not in the usual way.
    """
    start = start or world.start_operator
    unheard: list[Replies] = []

    def lose(effect: Effect) -> None:
        world.late = True
        unheard.append(replies(effect))
        if isinstance(unheard[0], EngineFaults):
            unheard[0].at = changes
        unheard[0].drop_after = 1

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
        assert [one.drop_after for one in unheard] == [0], f"no reply to {verb} was lost"
    else:
        assert await world.run_mortal(until_it_happens), "the operator lives"
        await world.kill_operator()
        await start()
    STRUCK.add((verb, how))
    if how is Disturbance.AFTER:
        for old in before:
            world.operator.store.put(old["kind"], old)
    world.late = how is not Disturbance.BEFORE
    for _ in range(LATE_ROUNDS):
        await go()
    world.late = False

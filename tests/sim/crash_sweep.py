"""A run in which nothing goes wrong, and the same run disturbed at each of its effects: the end is always the same.

The N effects are recorded once; then the operator dies right before each of them, right after each of them, and the
reply to each of them gets lost.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from heretic.reconcile.gateway import API_SERVER, Effect
from sim.blank_site import BlankSite
from sim.struck import STRUCK, Disturbance
from sim.world import Recorder, World

ROUNDS = 30


@dataclass(frozen=True)
class Moment:
    """The beginning of one round of the undisturbed run.

    Attributes:
        before: Effects that had happened by then.
        restore: Brings the world back to it.
    """

    before: int
    restore: Callable[[], None]


@dataclass(frozen=True)
class Undisturbed:
    """The run in which nothing went wrong.

    Attributes:
        effects: All that the operator did, in order.
        on_hosts: How often each host did what.
        state: What the hosts were like in the end.
        moments: The beginnings of its rounds.
        done: Whether the end is reached.
    """

    effects: list[Effect]
    on_hosts: Counter[Any]
    state: dict[str, str]
    moments: list[Moment]
    done: Callable[[], bool]

    def moment_of(self, number: int) -> Moment:
        """The round in which an effect (from 1) happened."""
        return next(m for m in reversed(self.moments) if m.before < number)


class LostReply:
    """Lets the reply to one effect get lost: it happened, and the operator never hears of it."""

    def __init__(self, site: BlankSite, at: int) -> None:
        self._site = site
        self._left = at
        self.struck = ""

    async def before(self, effect: Effect) -> None:
        if effect.target == API_SERVER:
            return
        self._left -= 1
        if self._left == 0:
            self.struck = effect.target
            self._site.servers[effect.target].faults.drop_after = 1

    async def after(self, effect: Effect) -> None:
        """Nothing."""


Start = Callable[[Any], Coroutine[Any, Any, object]]
"""Starts an operator with faults, or none."""


async def undisturbed(world: World, start: Start | None = None, done: Callable[[], bool] | None = None) -> Undisturbed:
    """Runs until all is Ready, or until something else is done."""
    recorder, done = Recorder(), done or world.ready
    await (start or world.start_operator)(recorder)
    moments: list[Moment] = []
    while not done():
        moments.append(Moment(len(recorder.effects), world.checkpoint()))
        assert len(moments) < ROUNDS, world.describe()
        await world.run(rounds=1, until=lambda: True)
    await world.kill_operator()
    assert world.site.refusals == []
    return Undisturbed(recorder.effects, Counter(world.site.effects), world.site.state(), moments, done)


def differences(world: World, expected: Undisturbed) -> list[str]:
    """All that is not as it is after a run in which nothing went wrong."""
    site = world.site
    state = site.state()
    found = [
        f"{path} is {state.get(path)}, not {expected.state.get(path)}"
        for path in sorted(state.keys() | expected.state.keys())
        if state.get(path) != expected.state.get(path)
    ]
    happened = Counter(site.effects)
    found += [f"done {n} times too often: {effect}" for effect, n in (happened - expected.on_hosts).items()]
    found += [f"not done: {effect}" for effect in expected.on_hosts - happened]
    found += [f"refused: {argv}" for argv in site.refusals]
    for name, machine in site.machines.items():
        found += [f"{name} has an orphan lock"] * machine.lock_held
        found += [f"{name} has a job that is {job.state}" for job in machine.jobs.values() if job.state != "inactive"]
    return found


Go = Callable[[], Awaitable[object]]
"""Rounds until the end is reached."""


async def killed(world: World, at: int, moment: str, start: Start, go: Go) -> None:
    """The operator dies, and the next one knows nothing of it."""
    await start(Recorder(at, moment))
    assert await world.run_mortal(go), "the operator did not die"
    await start(None)
    await go()


async def unheard(world: World, at: int, start: Start, go: Go) -> None:
    """The operator lives on, and does not know whether its effect happened."""
    fault = LostReply(world.site, at)
    await start(fault)
    await go()
    assert fault.struck, "no reply was lost"
    assert world.site.servers[fault.struck].faults.drop_after == 0, "the reply was not lost"


DISTURBANCES: Mapping[Disturbance, Callable[[World, int, Start, Go], Awaitable[None]]] = {
    Disturbance.BEFORE: lambda world, at, start, go: killed(world, at, "before", start, go),
    Disturbance.AFTER: lambda world, at, start, go: killed(world, at, "after", start, go),
    Disturbance.UNHEARD: unheard,
}


async def sweep(
    world: World,
    calm: Undisturbed,
    disturbance: Disturbance,
    start: Start | None = None,
    also: Callable[[], list[str]] = list,
) -> list[str]:
    """Everything that is wrong after one disturbance, at each effect in turn.

    Args:
        world: In which nothing runs.
        calm: The run that is disturbed.
        disturbance: What goes wrong at each of them.
        start: How an operator is started, where not in the usual way.
        also: What else was seen to be wrong meanwhile.
    """
    wrong: list[str] = []
    for number, effect in enumerate(calm.effects, 1):
        moment = calm.moment_of(number)
        moment.restore()
        try:
            await DISTURBANCES[disturbance](
                world,
                number - moment.before,
                start or world.start_operator,
                lambda: world.run(rounds=ROUNDS, until=calm.done),
            )
            STRUCK.add((effect.verb, disturbance))
            found = differences(world, calm) + also()
        except AssertionError as error:
            found = [str(error), *also()]
        await world.kill_operator()
        wrong += [f"effect {number} ({effect.verb} on {effect.target}): {text}" for text in found]
    return wrong

"""An engine is deployed and filled, and each effect on the way is disturbed: nothing is there twice in the end.

The hosts and the engine are simulated, the operator's loop and its connections are real. The effects of one undisturbed
run are recorded: the first try to deploy, the cleaning after it, the second one, and every change of the engine. Then
each of them is disturbed in a run of its own, which begins with the round in which it happens.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from heretic.domain.engine.call import ENGINE
from heretic.reconcile import outages
from heretic.reconcile.gateway import API_SERVER, Effect
from sim.engine.faults import changes
from sim.struck import STRUCK, Disturbance, strikes
from sim.world import Object, Recorder
from unit.hosted_engine.whole_site import WholeSite, whole_site

ROUNDS, LATE_ROUNDS = 20, 2
VERBS = Counter(
    DeployEngine=2,
    CleanAfterFailedDeployment=1,
    AuthorizeEngine=2,
    UpdateCluster=2,
    AddMacPool=1,
    AddHost=2,
    AddAffinityLabel=1,
    LabelHost=1,
    AddLogicalNetwork=2,
    AttachNetworkToCluster=2,
    AddStorageDomain=1,
    AttachStorageDomain=1,
    AttachNetworkToHost=3,
    UpdateClusterNetwork=1,
)
"""What an undisturbed run does: a step that is not here has not been thought of."""


@dataclass(frozen=True)
class Moment:
    """The beginning of a round of the undisturbed run.

    Attributes:
        before: Effects that had happened by then.
        objects: The objects of the API server at that time.
        restore: Brings the site back to it.
    """

    before: int
    objects: list[Object]
    restore: Callable[[], None]


@dataclass(frozen=True)
class Undisturbed:
    """The run in which nothing goes wrong: its effects, its moments, and what there is in the end."""

    effects: list[Effect]
    moments: list[Moment]
    made: dict[str, Any]
    writes: Counter[str]


async def rest(site: WholeSite, faults: Recorder) -> None:
    """Rounds until everything is Ready and a round did nothing."""
    for _ in range(ROUNDS):
        before = len(faults.effects)
        await site.run(1)
        if site.world.ready() and len(faults.effects) == before:
            return
    raise AssertionError(f"it does not come to rest:\n{site.world.describe()}")


async def undisturbed(site: WholeSite) -> Undisturbed:
    recorder, moments = Recorder(), []
    await site.world.start_operator(recorder)
    while not site.world.ready():
        objects = list(site.world.api.objects.values())
        moments.append(Moment(len(recorder.effects), objects, site.checkpoint()))
        assert len(moments) < ROUNDS, site.world.describe()
        await site.run(1)
    await rest(site, recorder)
    await site.world.kill_operator()
    return Undisturbed(recorder.effects, moments, site.made(), site.writes)


class Struck(Recorder):
    """Does something right before one effect."""

    def __init__(self, at: int, strike: Callable[[Effect], None]) -> None:
        super().__init__()
        self.at, self.strike = at, strike

    async def before(self, effect: Effect) -> None:
        await super().before(effect)
        if effect.target != API_SERVER and len(self.effects) == self.at:
            self.strike(effect)


async def killed(site: WholeSite, at: int, moment: str) -> Effect:
    struck = Recorder(at, moment)
    await site.world.start_operator(struck)
    assert await site.world.run_mortal(lambda: site.run(3)), "the operator did not die"
    return struck.effects[at - 1]


async def killed_before(site: WholeSite, at: int, _: Moment) -> Effect:
    """The operator dies right before the effect, and the next one knows nothing of it."""
    effect, recorder = await killed(site, at, "before"), Recorder()
    await site.world.start_operator(recorder)
    await rest(site, recorder)
    return effect


async def killed_and_behind(site: WholeSite, at: int, moment: Moment) -> Effect:
    """The operator dies right after the effect, and the next one is first shown what was there before."""
    effect, recorder = await killed(site, at, "after"), Recorder()
    operator = await site.world.start_operator(recorder)
    for old in moment.objects:
        operator.store.put(old["kind"], old)
    site.world.late = True
    await site.run(LATE_ROUNDS)
    site.world.late = False
    await rest(site, recorder)
    return effect


async def unheard(site: WholeSite, at: int, _: Moment) -> Effect:
    """The effect happens, the operator never hears of it, and for some rounds the watch brings nothing either."""

    def lose(effect: Effect) -> None:
        site.world.late = True
        if effect.target.startswith(ENGINE):
            site.server.faults.at = changes
            site.server.faults.drop_after = 1
        else:
            site.world.site.servers[effect.target].faults.drop_after = 1

    struck = Struck(at, lose)
    await site.world.start_operator(struck)
    await site.run(1 + LATE_ROUNDS)
    assert site.world.late, "the effect did not happen"
    site.world.late = False
    await rest(site, struck)
    left = [site.server.faults.drop_after, *(one.faults.drop_after for one in site.world.site.servers.values())]
    assert not any(left), "no reply was lost"
    return struck.effects[at - 1]


def differences(site: WholeSite, calm: Undisturbed, how: Disturbance) -> list[str]:
    """All that is not as it is after a run in which nothing went wrong.

    Where a reply is lost, HTTP sends a PUT again by itself: it says what shall be there, and makes nothing twice.
    """
    made = site.made()
    found = [f"{what}: {made[what]}, not {calm.made[what]}" for what in made if made[what] != calm.made[what]]
    again = site.writes - calm.writes
    found += [
        f"asked {n} times too often: {what}"
        for what, n in again.items()
        if not (how is Disturbance.UNHEARD and n == 1 and what.startswith("PUT "))
    ]
    found += [f"destroyed twice: {effect}" for effect in site.world.site.destroyed_twice()]
    return found + [f"refused: {what}" for what in [*site.world.site.refusals, *site.server.engine.refused]]


DISTURBANCES: dict[Disturbance, Callable[[WholeSite, int, Moment], Awaitable[Effect]]] = {
    Disturbance.BEFORE: killed_before,
    Disturbance.AFTER: killed_and_behind,
    Disturbance.UNHEARD: unheard,
}


@pytest.mark.timeout(600)
@strikes(*VERBS)
async def test_nothing_is_made_twice_and_nothing_deployed_twice_whichever_effect_is_disturbed(
    how: Disturbance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "APART", 0.0)  # the two looks before a host is touched may follow each other at once
    wrong: list[str] = []
    async with whole_site() as site:
        calm = await undisturbed(site)
        assert Counter(effect.verb for effect in calm.effects) == VERBS
        for number, effect in enumerate(calm.effects, 1):
            moment = next(one for one in reversed(calm.moments) if one.before < number)
            moment.restore()
            try:
                struck = await DISTURBANCES[how](site, number - moment.before, moment)
                STRUCK.add((struck.verb, how))
                found = differences(site, calm, how)
            except AssertionError as error:
                found = [str(error)]
            found += site.oracle.violations
            await site.world.kill_operator()
            site.server.faults.drop_after = 0
            wrong += [f"effect {number} ({effect.verb}): {text}" for text in found]
    assert not wrong, "\n".join(wrong[:40])

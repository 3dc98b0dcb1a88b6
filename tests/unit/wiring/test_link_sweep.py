"""Links change with the operator dying at every effect: no host ever needs a keyboard, and the end is the same."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from heretic.domain.wiring.profiles import TRIED
from heretic.reconcile.gateway import Effect
from sim.link_site import link_site
from sim.oracles import LINK_VERBS, LinkOracles
from sim.world import DiedError, Recorder
from unit.wiring.conftest import LinkWorld

TWIN = "node2"
"""Does what the other two do, and is spared to save time."""
ON_TRIAL = ("TryLinks", "ChangeLinks")
NODES, ROUNDS, CHANGES = 3, 40, {"gluster": {"mtu": 4000}, "mgmt": {"mtu": 2000}}


class LinkRecorder(Recorder):
    """Counts effects that concern links; the others have their own sweep."""

    async def before(self, effect: Effect) -> None:
        if effect.verb in LINK_VERBS:
            await super().before(effect)

    async def after(self, effect: Effect) -> None:
        if effect.verb in LINK_VERBS:
            await super().after(effect)


class LostReplies(LinkRecorder):
    """Lets the reply to one effect get lost."""

    def __init__(self, made: LinkWorld, at: int) -> None:
        super().__init__()
        self._made, self._lost = made, at

    async def before(self, effect: Effect) -> None:
        await super().before(effect)
        if effect.verb in LINK_VERBS and len(self.effects) == self._lost:
            self._made.site.servers[effect.target].faults.drop_after = 1


def as_declared(made: LinkWorld) -> bool:
    """Whether each link has what is declared, and nothing is left of a trial."""
    every = [made.links(name) for name in made.site.links]
    done = all(links.get("bond0", (0,))[0] == 4000 and links["eno1"][0] == 2000 for links in every)
    files = [path for machine in made.site.machines.values() for path in machine.files]
    return made.ready() and done and not any(path.startswith(TRIED) for path in files)


async def finish(made: LinkWorld) -> None:
    await made.run(rounds=ROUNDS, until=lambda: as_declared(made))


async def killed(made: LinkWorld, oracles: LinkOracles, at: int, moment: str) -> None:
    oracles.watch(await made.start_operator(LinkRecorder(at, moment)))
    assert await made.run_mortal(lambda: finish(made)), "the operator did not die"


async def killed_proving(made: LinkWorld, oracles: LinkOracles, at: int) -> None:
    recorder = LinkRecorder()

    def on_try(name: str) -> None:
        if len(recorder.effects) == at and made.site.machines[name].trials:
            made.site.on_try = lambda name: None
            raise DiedError

    made.site.on_try = on_try
    oracles.watch(await made.start_operator(recorder))
    await made.run_mortal(lambda: finish(made))


async def unheard(made: LinkWorld, oracles: LinkOracles, at: int) -> None:
    oracles.watch(await made.start_operator(LostReplies(made, at)))
    await finish(made)


async def booted(made: LinkWorld, oracles: LinkOracles, at: int) -> None:
    """The host boots when the operator dies after the effect."""
    await killed(made, oracles, at, "after")
    for machine in made.site.machines.values():
        machine.reboot()


async def without_manager(made: LinkWorld, oracles: LinkOracles, at: int) -> None:
    """NetworkManager is killed with the operator, and forgets its checkpoint."""
    await killed_proving(made, oracles, at)
    for links in made.site.links.values():
        links.manager.die()


DISTURBANCES: dict[str, Callable[[LinkWorld, LinkOracles, int], Coroutine[Any, Any, None]]] = {
    "killed before the effect": lambda made, oracles, at: killed(made, oracles, at, "before"),
    "killed after the effect": lambda made, oracles, at: killed(made, oracles, at, "after"),
    "killed before the proof": killed_proving,
    "reply lost": unheard,
    "killed and the hosts boot": booted,
    "killed before the proof, and NetworkManager, too": without_manager,
}


@dataclass(frozen=True)
class Calm:
    """The run in which nothing went wrong.

    Attributes:
        effects: All that was done to links.
        end: The links of each host after it.
        moments: What brings back the beginning of each round, with how many effects there had been.
    """

    effects: list[Effect]
    end: list[dict[str, Any]]
    moments: list[tuple[int, Callable[[], None]]]


async def undisturbed(made: LinkWorld) -> Calm:
    """From hosts that are configured but for their links to links that were changed."""
    configured = partial(made.condition, "Node", f"node{NODES}", "Configured")
    await made.start_operator()
    await made.run(rounds=12, until=lambda: configured().get("status") == "True")
    await made.kill_operator()
    for network, change in CHANGES.items():
        made.declare(network, **change)
    recorder, moments = LinkRecorder(), list[tuple[int, Callable[[], None]]]()
    await made.start_operator(recorder)
    while not as_declared(made):
        moments.append((len(recorder.effects), made.checkpoint()))
        assert len(moments) < ROUNDS, made.describe()
        await made.round()
    await made.kill_operator()
    return Calm(recorder.effects, [made.links(name) for name in made.site.links], moments)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("disturbance", DISTURBANCES)
async def test_no_host_needs_a_keyboard_and_the_end_is_the_same(disturbance: str) -> None:
    async with LinkWorld(link_site(nodes=NODES)) as made:
        made.pace = 10.0
        calm = await undisturbed(made)
        assert {effect.verb for effect in calm.effects} >= {"AskPorts", "TryLinks", "ChangeLinks", "KeepLinks"}
        for number, effect in enumerate(calm.effects, 1):
            if effect.target == TWIN or ("proof" in disturbance and effect.verb not in ON_TRIAL):
                continue
            before, restore = next(m for m in reversed(calm.moments) if m[0] < number)
            restore()
            made.site.on_try = lambda name: None
            oracles = LinkOracles(made.site)
            await DISTURBANCES[disturbance](made, oracles, number - before)
            await made.kill_operator()
            oracles.look("the disturbance")
            oracles.watch(await made.start_operator())
            await finish(made)
            where = f"{disturbance}, effect {number}, {effect.verb} on {effect.target}"
            assert (where, oracles.violations) == (where, [])
            assert [made.links(name) for name in made.site.links] == calm.end, where
            assert oracles.looks > 1
            await made.kill_operator()
        assert made.site.refusals == []


@pytest.mark.timeout(300)
async def test_a_change_that_cuts_every_host_off_disturbs_one_after_the_other() -> None:
    async with LinkWorld(link_site(nodes=NODES)) as made:
        made.pace = 10.0
        await made.start_operator()
        await made.run(rounds=12)
        before = [made.links(name) for name in made.site.links]
        made.declare("mgmt", vlan=77)
        oracles, deaths = LinkOracles(made.site), 0

        def die(name: str) -> None:
            if made.site.machines[name].trials and name not in tried:
                tried.add(name)
                raise DiedError

        tried = set[str]()
        while not all(made.tells("Stalled", name)[1] == "ChangeTakenBack" for name in made.site.links):
            made.site.on_try = die
            oracles.watch(made.operator)
            if await made.run_mortal(lambda: made.rounds(3)):
                deaths += 1
                await made.start_operator()
            assert oracles.looks < 200, made.describe()
        assert (deaths, oracles.violations) == (NODES, [])
        assert [made.links(name) for name in made.site.links] == before
        assert made.site.refusals == []

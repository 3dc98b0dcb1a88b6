"""A change of links with the operator dying at every effect of it."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from heretic.domain.wiring.profiles import TRIED
from heretic.reconcile.gateway import Effect
from sim.oracles import LINK_VERBS, LinkOracles
from sim.world import DiedError, Recorder
from unit.wiring.conftest import LinkWorld

TWIN = "node2"
"""Does what the other two do, and is spared to save time."""
ON_TRIAL = ("TryLinks", "ChangeLinks", "ConvertBond")
ROUNDS = 40


class SweptWorld(LinkWorld):
    """A World in which links are changed."""

    pace = 10.0
    changes: dict[str, dict[str, Any]]
    """Specs of Networks, by name."""
    verbs = LINK_VERBS
    """Of the effects at which the operator dies."""
    calm_before = False
    """Whether the hosts are as declared before the change; else ports are found and configured with it."""

    def change(self) -> None:
        """What a person does."""
        for network, change in self.changes.items():
            self.declare(network, **change)

    def is_changed(self, links: dict[str, Any]) -> bool:
        """Whether the links of one host are what the changes make of them."""
        raise NotImplementedError

    def as_declared(self) -> bool:
        """Whether each link has what is declared, and nothing is left of a trial."""
        files = [path for machine in self.site.machines.values() for path in machine.files]
        changed = all(self.is_changed(self.links(name)) for name in self.site.links)
        return self.ready() and changed and not any(path.startswith(TRIED) for path in files)

    async def finish(self) -> None:
        await self.run(rounds=ROUNDS, until=self.as_declared)


class LinkRecorder(Recorder):
    """Counts effects that concern links; the others have their own sweep."""

    def __init__(self, made: SweptWorld, at: int = 0, moment: str = "before") -> None:
        super().__init__(at, moment)
        self._verbs = made.verbs

    async def before(self, effect: Effect) -> None:
        if effect.verb in self._verbs:
            await super().before(effect)

    async def after(self, effect: Effect) -> None:
        if effect.verb in self._verbs:
            await super().after(effect)


class LostReplies(LinkRecorder):
    """Lets the reply to one effect get lost."""

    def __init__(self, made: SweptWorld, at: int) -> None:
        super().__init__(made)
        self._made, self._lost = made, at

    async def before(self, effect: Effect) -> None:
        await super().before(effect)
        if effect.verb in self._verbs and len(self.effects) == self._lost:
            self._made.site.servers[effect.target].faults.drop_after = 1


async def killed(made: SweptWorld, oracles: LinkOracles, at: int, moment: str) -> None:
    oracles.watch(await made.start_operator(LinkRecorder(made, at, moment)))
    assert await made.run_mortal(made.finish), "the operator did not die"


async def killed_proving(made: SweptWorld, oracles: LinkOracles, at: int) -> None:
    recorder = LinkRecorder(made)

    def on_try(name: str) -> None:
        if len(recorder.effects) == at and made.site.machines[name].trials:
            made.site.on_try = lambda name: None
            raise DiedError

    made.site.on_try = on_try
    oracles.watch(await made.start_operator(recorder))
    await made.run_mortal(made.finish)


async def unheard(made: SweptWorld, oracles: LinkOracles, at: int) -> None:
    oracles.watch(await made.start_operator(LostReplies(made, at)))
    await made.finish()


async def booted(made: SweptWorld, oracles: LinkOracles, at: int) -> None:
    """The host boots when the operator dies after the effect."""
    await killed(made, oracles, at, "after")
    for machine in made.site.machines.values():
        machine.reboot()


async def without_manager(made: SweptWorld, oracles: LinkOracles, at: int) -> None:
    """NetworkManager is killed with the operator, and forgets its checkpoint."""
    await killed_proving(made, oracles, at)
    for links in made.site.links.values():
        links.manager.die()


DISTURBANCES: dict[str, Callable[[SweptWorld, LinkOracles, int], Coroutine[Any, Any, None]]] = {
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


async def undisturbed(made: SweptWorld) -> Calm:
    """From hosts that are configured (their links, too, where that was before the change) to changed links."""
    last = f"node{len(made.site.links)}"
    configured = partial(made.condition, "Node", last, "Configured")
    await made.start_operator()
    if made.calm_before:
        await made.run(rounds=20)
    else:
        await made.run(rounds=12, until=lambda: configured().get("status") == "True")
    await made.kill_operator()
    made.change()
    recorder, moments = LinkRecorder(made), list[tuple[int, Callable[[], None]]]()
    await made.start_operator(recorder)
    while not (made.as_declared() and recorder.effects):
        moments.append((len(recorder.effects), made.checkpoint()))
        assert len(moments) < ROUNDS, made.describe()
        await made.round()
    await made.kill_operator()
    return Calm(recorder.effects, [made.links(name) for name in made.site.links], moments)


async def sweep(made: SweptWorld, disturbance: str) -> Calm:
    """The calm run, and the same again, disturbed at each effect: the end is the same, and no host needs a keyboard.

    Args:
        made: Its hosts.
        disturbance: Which.
    """
    calm = await undisturbed(made)
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
        await made.finish()
        where = f"{disturbance}, effect {number}, {effect.verb} on {effect.target}"
        assert (where, oracles.violations) == (where, [])
        assert [made.links(name) for name in made.site.links] == calm.end, where
        assert oracles.looks > 1
        await made.kill_operator()
    assert made.site.refusals == []
    return calm

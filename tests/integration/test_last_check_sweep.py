"""Right before each step that can lose data something changes that the watch does not tell: the step is not sent.

The same simulated hosts and real loop as in test_crash_sweep.py. A site comes up, and a volume of it is destroyed with
a person's approval; the disturbance strikes at each Destructive or Disruptive effect of either. The oracles of
sim/oracles.py look after every step.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from heretic.main import Operator, Options
from heretic.reconcile.gateway import API_SERVER, Effect
from heretic.reconcile.store import Key
from sim.blank_site import BlankSite, blank_site
from sim.block_devices import GIB, Filesystem, SimGroup, SimVolume, lvm_uuid
from sim.host_tools import data_disk
from sim.oracles import VOLUME, Oracles, approve, key_of
from sim.world import NAMESPACE, Recorder, World

ROUNDS = 40
LATE_ROUNDS = 3
"""For so long the watch is silent after something changed."""

APPROVE = "hvp.ovirt.life/approve"


@dataclass
class Strike:
    """Does something right before one effect, and only there.

    Attributes:
        at: The effect, from 1.
        does: What happens.
        struck: The effect, once it has come.
    """

    at: int
    does: Callable[[Effect], Coroutine[Any, Any, None]]
    struck: Effect | None = None

    async def before(self, effect: Effect) -> None:
        if effect.target == API_SERVER or self.struck is not None:
            return
        self.at -= 1
        if self.at == 0:
            self.struck = effect
            await self.does(effect)

    async def after(self, effect: Effect) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Change:
    """Something that changes while the watch is late.

    Attributes:
        does: What a person does.
        undone: How it is taken back; None = it stays, and what then becomes of the site is another matter.
        removal: Whether it makes sense only for a volume that is being destroyed.
        everywhere: Whether it holds for every object of the site, and not only for the one of the step.
    """

    does: Callable[[World, Key], None]
    undone: Callable[[World, Key], None] | None
    removal: bool = False
    everywhere: bool = False


def patched(spec: dict[str, Any], back: dict[str, Any]) -> Change:
    return Change(lambda w, k: w.api.patch(k, spec), lambda w, k: w.api.patch(k, back))


def of_site(spec: dict[str, Any], back: dict[str, Any]) -> Change:
    key = Key("Site", NAMESPACE, "demo")
    return Change(lambda w, k: w.api.patch(key, spec), lambda w, k: w.api.patch(key, back), everywhere=True)


CHANGES: dict[str, Change] = {
    "paused": patched({"paused": True}, {"paused": False}),
    "mode Plan": patched({"mode": "Plan"}, {"mode": "Apply"}),
    "site paused": of_site({"paused": True}, {"paused": False}),
    "site in mode Observe": of_site({"mode": "Observe"}, {"mode": "Apply"}),
    "made anew": Change(lambda w, k: w.api.recreate(k), None),
    "gone": Change(lambda w, k: w.api.lose(k), None, removal=True),
    "Orphan": Change(lambda w, k: w.api.patch(k, {"deletionPolicy": "Orphan"}), None, removal=True),
    "approval withdrawn": Change(
        lambda w, k: w.api.patch(k, annotations={APPROVE: None}), lambda w, k: None, removal=True
    ),
    "another approval": Change(
        lambda w, k: w.api.patch(k, annotations={APPROVE: "0123456789abcdef"}), lambda w, k: None, removal=True
    ),
}


@dataclass(frozen=True)
class Scenario:
    """Something that an operator does from beginning to end.

    Attributes:
        prepare: Brings the world to its beginning.
        ended: Whether it has come to its end.
        tend: What a person does between rounds.
    """

    prepare: Callable[[World], Coroutine[Any, Any, None]]
    ended: Callable[[World], bool]
    tend: Callable[[World, int], None]


async def nothing(world: World) -> None:
    """The site is blank."""


async def a_volume_is_deleted(world: World) -> None:
    await world.start_operator()
    await world.run(rounds=ROUNDS)
    world.api.patch(VOLUME, {"deletionPolicy": "Destroy"})
    await world.run(rounds=ROUNDS)
    world.api.delete(VOLUME)
    await world.kill_operator()


SCENARIOS = {
    "comes up": Scenario(nothing, World.ready, lambda world, number: None),
    "is destroyed": Scenario(
        a_volume_is_deleted, lambda world: VOLUME not in world.api.objects, lambda w, n: approve(w, VOLUME, n)
    ),
}


async def carry_on(
    world: World, scenario: Scenario, oracles: Oracles, *, rounds: int = ROUNDS, first: int = ROUNDS
) -> bool:
    """Rounds, numbered from a given one on, until the scenario has ended; returns whether it has."""
    for number in range(first, first + rounds):
        if scenario.ended(world):
            return True
        scenario.tend(world, number)
        await world.run(rounds=1, until=lambda: True)
        oracles.look()
    return scenario.ended(world)


async def start(world: World, oracles: Oracles, faults: Any = None) -> Operator:
    operator = await world.start_operator(faults)
    oracles.watch(operator)
    return operator


@dataclass
class Sweep:
    """One scenario, run once without a disturbance and then once for each effect that can lose data."""

    world: World
    scenario: Scenario
    moments: list[tuple[int, Callable[[], None]]]
    """Beginnings of rounds: how many effects there were before, and what brings the world back to it."""
    effects: list[Effect]
    state: dict[str, str]

    @property
    def dangerous(self) -> list[tuple[int, Effect]]:
        return [(n, effect) for n, effect in enumerate(self.effects, 1) if effect.risk != "Safe"]

    def restore(self, number: int) -> int:
        """Brings the world back to the round of an effect; returns the effect's number from there on."""
        before, restore = next((b, r) for b, r in reversed(self.moments) if b < number)
        restore()
        return number - before


async def undisturbed(world: World, scenario: Scenario) -> Sweep:
    await scenario.prepare(world)
    oracles, recorder = Oracles(world), Recorder()
    await start(world, oracles, recorder)
    moments: list[tuple[int, Callable[[], None]]] = []
    while not scenario.ended(world):
        assert len(moments) < ROUNDS, world.describe()
        moments.append((len(recorder.effects), world.checkpoint()))
        await carry_on(world, scenario, oracles, rounds=1, first=len(moments))
    await world.kill_operator()
    assert oracles.violations == []
    return Sweep(world, scenario, moments, recorder.effects, world.site.state())


def a_site() -> BlankSite:
    """Blank hosts; beside the blank disks are one that somebody filled, and one with a volume group of somebody's."""
    site = blank_site()
    site.machines["node2"].storage.disks["sdc"] = data_disk("sdc", node="node2", signature="ext4")
    theirs = site.machines["node3"].storage
    theirs.disks["sdd"] = data_disk("sdd", node="node3", signature="LVM2_member")
    theirs.disks["sdd"].group, theirs.disks["sdd"].pv_uuid = "backup", lvm_uuid()
    theirs.groups["backup"] = SimGroup("backup", "sdd", 200 * GIB)
    theirs.volumes["backup", "vmstore"] = SimVolume("backup", "vmstore", 10 * GIB, filesystem=Filesystem("xfs"))
    for machine in site.machines.values():
        machine.jobs_finish_at_once = False
    return site


async def changed(sweep: Sweep, at: int, change: Change) -> list[str]:
    """Something changes and the watch does not tell; later it does, and the change is taken back."""
    world, scenario = sweep.world, sweep.scenario
    oracles = Oracles(world)
    seen_after: list[int] = []

    async def strike(effect: Effect) -> None:
        world.late = True
        change.does(world, key_of(effect))
        seen_after.append(len(world.site.machines[effect.target].effects))

    fault = Strike(at, strike)
    await start(world, oracles, fault)
    while fault.struck is None:
        assert not scenario.ended(world), "the effect did not come"
        await carry_on(world, scenario, oracles, rounds=1)
    struck = next(t for t in oracles.tried if t.effect is fault.struck)
    found = [] if "ChangedMeanwhile" in struck.outcome else [f"the step was sent: {struck.outcome}"]
    judged = len(oracles.tried)
    for _ in range(LATE_ROUNDS):
        await world.round()
    late = oracles.tried[judged:]
    world.late = False
    if change.undone is not None:
        held = [t for t in late if change.everywhere or t.effect.object == fault.struck.object]
        found += [f"sent while the watch was late: {t}" for t in held if t.sent]
        change.undone(world, key_of(fault.struck))
        found += [] if await carry_on(world, scenario, oracles) else [f"it does not end: {world.describe()}"]
        found += differences(sweep)
    else:
        for _ in range(LATE_ROUNDS):
            await world.round()
        found += [
            f"done to what it was not approved for: {t}" for t in oracles.tried[judged:] if _ends(t.effect, t.sent)
        ]
    return found + oracles.look()


def _ends(effect: Effect, sent: bool) -> bool:
    return sent and effect.verb in ("StopVolume", "DeleteVolume", "RemoveLogicalVolume")


def differences(sweep: Sweep) -> list[str]:
    """What of the hosts is not as after the undisturbed run."""
    state = sweep.world.site.state()
    return [
        f"{path} is {state.get(path)}, not {sweep.state.get(path)}"
        for path in sorted(state.keys() | sweep.state.keys())
        if state.get(path) != sweep.state.get(path)
    ]


async def late_only(sweep: Sweep, at: int) -> list[str]:
    """The watch is silent for a while, and nothing has changed."""
    world, oracles = sweep.world, Oracles(sweep.world)

    async def strike(effect: Effect) -> None:
        world.late = True

    fault = Strike(at, strike)
    await start(world, oracles, fault)
    for number in range(ROUNDS):
        if sweep.scenario.ended(world):
            break
        sweep.scenario.tend(world, number)
        await world.run(rounds=1, until=lambda: True)
        oracles.look()
        world.late = world.late and number % (LATE_ROUNDS + 1) != 0
    assert fault.struck
    world.late = False
    found = [] if await carry_on(world, sweep.scenario, oracles) else [f"it does not end: {world.describe()}"]
    return found + differences(sweep) + oracles.look()


async def lease_lost(sweep: Sweep, at: int) -> list[str]:
    """Somebody deletes the operator's Lease; it takes a new one, with a greater token."""
    world, oracles = sweep.world, Oracles(sweep.world)

    async def strike(effect: Effect) -> None:
        world.api.leases.pop("heretic-operator")

    fault = Strike(at, strike)
    await start(world, oracles, fault)
    ended = await carry_on(world, sweep.scenario, oracles)
    assert fault.struck
    return ([] if ended else [f"it does not end: {world.describe()}"]) + differences(sweep) + oracles.look()


async def taken_over(sweep: Sweep, at: int) -> list[str]:
    """The Lease is deleted, another operator takes it and looks at the hosts; the step of the first comes late."""
    world, oracles = sweep.world, Oracles(sweep.world)
    first: list[Operator] = []
    others: list[Operator] = []

    async def strike(effect: Effect) -> None:
        world.api.leases.pop("heretic-operator")
        other = Operator(Options(namespaces=(NAMESPACE,)), world.api)  # type: ignore[arg-type]
        others.append(other)
        assert await other.leader.acquire()
        for key, obj in world.api.objects.items():
            other.store.put(key.kind, obj)
        view = other.store.view(NAMESPACE)
        for node in view.nodes.values():
            await other.observer.host(NAMESPACE, view, node, 0.0)
        oracles.replaced(first[0])

    fault = Strike(at, strike)
    first.append(await start(world, oracles, fault))
    while fault.struck is None:
        assert not sweep.scenario.ended(world), "the effect did not come"
        await carry_on(world, sweep.scenario, oracles, rounds=1)
    struck = next(t for t in oracles.tried if t.effect is fault.struck)
    # Where the strike took long, the first operator's own lease has run out before it sends anything.
    refused = any(reason in struck.outcome for reason in ("LockedByOtherOperator", "LeaseLost"))
    found = [] if refused else [f"it was not refused: {struck.outcome}"]
    for other in others:
        await other.hosts.close()
    await world.kill_operator()
    await start(world, oracles)
    ended = await carry_on(world, sweep.scenario, oracles)
    found += [] if ended else [f"it does not end: {world.describe()}"]
    return found + differences(sweep) + oracles.look()


DISTURBANCES: dict[str, Callable[[Sweep, int], Coroutine[Any, Any, list[str]]]] = {
    "the watch is late": late_only,
    "the Lease is deleted": lease_lost,
    "another operator takes over": taken_over,
}
for name, one in CHANGES.items():
    DISTURBANCES[name] = partial(changed, change=one)


MAKE_SENSE = [
    (scenario, disturbance)
    for scenario in SCENARIOS
    for disturbance in DISTURBANCES
    if scenario == "is destroyed" or disturbance not in CHANGES or not CHANGES[disturbance].removal
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("scenario", "disturbance"), MAKE_SENSE)
async def test_nothing_is_done_that_no_longer_holds(scenario: str, disturbance: str) -> None:
    async with World(a_site()) as world:
        sweep = await undisturbed(world, SCENARIOS[scenario])
        assert sweep.dangerous, "nothing here can lose data"
        wrong: list[str] = []
        for number, effect in sweep.dangerous:
            at = sweep.restore(number)
            world.late = False
            try:
                found = await DISTURBANCES[disturbance](sweep, at)
            except AssertionError as error:
                found = [str(error)]
            await world.kill_operator()
            wrong += [f"effect {number} ({effect.verb} on {effect.target}): {text}" for text in found]
    assert not wrong, "\n".join(wrong[:40])

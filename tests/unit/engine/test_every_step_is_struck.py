"""Every step that acts on an engine is struck by a sweep: killed before and after it, a lost reply, a late watch.

Which steps there are is read off the package, which of them are struck off the sweeps: each of these is held against
what it did when it runs (sim/struck.py). So a step that nobody strikes has its name here.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import heretic.domain
from heretic.domain.engine.call import EngineStep
from heretic.domain.engine.machine import EngineMachineStep
from heretic.domain.node.power_steps import AddFenceAgent
from heretic.domain.plan import HostStep, Step
from sim.struck import STRUCK, SWEEPS, Disturbance, strikes

AT_ENGINES = (EngineStep, EngineMachineStep)
PACKAGES = ("heretic.domain.engine", "heretic.domain.hosted_engine")
OTHERS = ("unit.shares.",)
"""Where sweeps of other subjects are, which say what is struck by a law of their own."""
UNIT = Path(__file__).parents[1]


def below(step: Any) -> Iterator[type[Step]]:
    for one in step.__subclasses__():
        yield one
        yield from below(one)


def steps_for_engines() -> dict[str, type[Step]]:
    """By verb: what is done in an engine or on its machine, what stands beside that, what the engine's code names."""
    for module in pkgutil.walk_packages(heretic.domain.__path__, "heretic.domain."):
        importlib.import_module(module.name)
    every = {step for step in below(Step) if not inspect.isabstract(step) and hasattr(step, "verb")}
    every = {step for step in every if step.__module__.startswith("heretic.")}
    homes = {step.__module__ for step in every if issubclass(step, AT_ENGINES)}
    named = {
        value
        for name, module in list(sys.modules.items())
        if f"{name}.".startswith(tuple(f"{package}." for package in PACKAGES))
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Step)
    }
    return {step.verb: step for step in every if step.__module__ in homes or step in named}


def sweeps() -> dict[str, list[str]]:
    """By verb: the sweeps that strike it."""
    for path in sorted(UNIT.rglob("test_*.py")):
        if "strikes(" in path.read_text() and path != Path(__file__):
            importlib.import_module(".".join(("unit", *path.relative_to(UNIT).with_suffix("").parts)))
    found: dict[str, list[str]] = {}
    for name, verbs in SWEEPS.items():
        if name.startswith("unit.") and not name.startswith((__name__, *OTHERS)):
            for verb in verbs:
                found.setdefault(verb, []).append(name)
    return found


def test_every_step_for_an_engine_is_struck_by_a_sweep() -> None:
    steps, struck = steps_for_engines(), sweeps()
    assert sorted(steps.keys() - struck.keys()) == [], "nobody kills the operator or loses the reply at these"
    assert sorted(struck.keys() - steps.keys()) == [], "these are no steps for an engine"


def test_the_steps_on_hosts_and_of_a_password_are_among_them() -> None:
    steps = steps_for_engines()
    assert issubclass(steps["AddFenceAgent"], AddFenceAgent)
    assert {"AuthorizeEngine", "DeployEngine", "RestoreEngine", "MountBackupVolume", "GeneratePassword"} <= steps.keys()
    assert issubclass(steps["RestoreEngine"], HostStep)
    assert "StopVolume" not in steps


@pytest.mark.parametrize("done", [set(), {Disturbance.BEFORE}, {Disturbance.BEFORE, Disturbance.AFTER}])
async def test_a_sweep_that_does_not_strike_what_it_says_fails(done: set[Disturbance]) -> None:
    name = f"{__name__}::striking"

    async def striking() -> None:
        STRUCK.update(("AddHost", how) for how in done)

    sweep = strikes("AddHost")(striking)
    assert SWEEPS.pop(name) == {"AddHost"}
    with pytest.raises(AssertionError, match=r"has not struck .*AddHost: reply lost"):
        await sweep()


async def test_a_sweep_of_one_verb_and_one_way_is_held_against_just_that() -> None:
    async def striking(verb: str, how: Disturbance) -> None:
        STRUCK.add((verb, how))

    sweep = strikes("AddHost", "LabelHost")(striking)
    SWEEPS.pop(f"{__name__}::striking")
    await sweep(verb="LabelHost", how=Disturbance.AFTER)

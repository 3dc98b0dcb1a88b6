"""Every step of file servers is struck by a sweep: killed before it, killed after it, its reply lost.

Which steps there are is read off the package, which of them are struck off the sweeps: each of these is held against
what it did when it runs (sim/struck.py). So a step that nobody strikes has its name here.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import heretic.domain.shares
from heretic.domain.plan import Step
from sim.struck import SWEEPS

SWEPT_IN = ("integration.test_share_sweep", "unit.shares.test_nfs_site")


def below(step: Any) -> Iterator[type[Step]]:
    for one in step.__subclasses__():
        yield one
        yield from below(one)


def steps_of_shares() -> set[str]:
    """Verbs of all steps that the subject has."""
    package = heretic.domain.shares
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    every = (step for step in below(Step) if step.__module__.startswith(f"{package.__name__}."))
    return {step.verb for step in every if not inspect.isabstract(step) and hasattr(step, "verb")}


def struck() -> set[str]:
    """Verbs that the sweeps strike."""
    for name in SWEPT_IN:
        importlib.import_module(name)
    return {verb for sweep, verbs in SWEEPS.items() if sweep.startswith(SWEPT_IN) for verb in verbs}


def test_every_step_of_file_servers_is_struck_by_a_sweep() -> None:
    assert sorted(steps_of_shares() - struck()) == [], "nobody kills the operator or loses the reply at these"
    assert sorted(struck() - steps_of_shares()) == [], "these are no steps of file servers"


def test_the_steps_of_the_domain_and_of_maintenance_are_among_them() -> None:
    wanted = {"JoinDomain", "LeaveDomain", "StartWinbind", "TakeServerOut", "TakeServerBack", "AddExport"}
    assert wanted <= steps_of_shares()

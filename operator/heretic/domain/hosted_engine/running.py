"""Which machines run on each host that may run the engine's: a section of its facts, while a restore is declared."""

from dataclasses import dataclass

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.engine import declared_engine
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.host.parse.reading import NOT_INSTALLED, read
from heretic.domain.host.section import Answers, Section
from heretic.domain.hosted_engine.first_host import RUNNING_MACHINES, is_to_be_restored


@dataclass(frozen=True, slots=True)
class RunningMachines:
    """What runs on a host.

    Attributes:
        names: By libvirt; Absent on a host without it, where none can run.
    """

    names: Fact[tuple[str, ...]] = NOT_OBSERVED


def _parse(output: Output) -> Fact[tuple[str, ...]]:
    return read(
        output,
        "the list of machines",
        lambda text: tuple(line.strip() for line in text.splitlines() if line.strip()),
        absent=(NOT_INSTALLED,),
    )


_NAMES = Probe("running-machines", RUNNING_MACHINES, _parse, timeout=20)


def _assemble(answers: Answers) -> RunningMachines:
    return RunningMachines(answers.parsed(_NAMES.name, _parse))


def _restores(view: SiteView) -> bool:
    engine = declared_engine(view)
    return isinstance(engine, HostedEngine) and is_to_be_restored(engine)


RUNNING = Section(
    name="running machines",
    assemble=_assemble,
    unseen=RunningMachines(),
    probes=(_NAMES,),
    roles=frozenset({Role.HYPERVISOR}),
    wanted=_restores,
)

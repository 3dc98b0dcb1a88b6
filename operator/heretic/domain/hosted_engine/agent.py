"""What a host that may run the engine's machine says of it: a section of its facts."""

from dataclasses import dataclass

from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Probe
from heretic.domain.declared.engine import engine_name
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.host.section import Answers, Section
from heretic.domain.hosted_engine.parse.vm_status import VmStatus, parse_host_id, parse_vm_status

CONFIGURATION = "/etc/ovirt-hosted-engine/hosted-engine.conf"
"""Written at the end of a deployment."""

_STATUS = Probe("vm-status", ("hosted-engine", "--vm-status", "--json"), parse_vm_status, timeout=30)


@dataclass(frozen=True, slots=True)
class Agent:
    """The hosted engine as one host knows it.

    Attributes:
        host_id: Number of the host; Absent where nothing was ever deployed on it.
        status: What it knows of the engine's machine; Absent likewise.
    """

    host_id: Fact[int] = NOT_OBSERVED
    status: Fact[VmStatus] = NOT_OBSERVED


def _assemble(answers: Answers) -> Agent:
    return answers.of(_agent, answers.text(CONFIGURATION), answers.parsed(_STATUS.name, parse_vm_status))


def _agent(configuration: Fact[str], status: Fact[VmStatus]) -> Agent:
    return Agent(parse_host_id(configuration), status)


def _declares_an_engine(view: SiteView) -> bool:
    return bool(engine_name(view))


AGENT = Section(
    name="agent of the hosted engine",
    assemble=_assemble,
    unseen=Agent(),
    probes=(_STATUS,),
    files=(CONFIGURATION,),
    roles=frozenset({Role.HYPERVISOR}),
    wanted=_declares_an_engine,
)

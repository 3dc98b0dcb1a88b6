"""Whether the engine's machine runs, by what all hosts say together (rule:engine-good)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from heretic.domain.errors import Reason, unobserved
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.hosted_engine.agent import AGENT
from heretic.domain.hosted_engine.parse.vm_status import AgentReport, VmStatus

_NOT_RUNNING = frozenset({"down", "down_unexpected", "down_missing"})


class MachineState(StrEnum):
    """Of the engine's machine."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MachineHealth:
    """What the hosts say of the engine's machine.

    Attributes:
        state: Up, Down or Unknown.
        why: What was seen, as a whole sentence.
        runs_on: How the host calls itself that runs it; "" = none is known to.
    """

    state: MachineState
    why: str
    runs_on: str = ""


def machine_health(hosts: Mapping[str, HostView]) -> MachineHealth:
    """Judges the engine's machine. What one host could not tell is no proof of anything.

    Args:
        hosts: What is known of the hosts that may run it, by Node.

    Returns:
        Up: exactly one host said so a moment ago, and that the engine in it is good. Down: every host that ever took
        part said a moment ago that the machine does not run there. Else Unknown.
    """
    reports = _newest(hosts)
    if not reports:
        return MachineHealth(
            MachineState.UNKNOWN, "; ".join(_silences(hosts)) or "no host may run the engine's machine"
        )
    running = [report for report in reports if report.good]
    if len(running) == 1:
        return MachineHealth(MachineState.UP, f"{running[0].hostname} runs the engine's machine", running[0].hostname)
    if running:
        names = ", ".join(report.hostname for report in running)
        return MachineHealth(MachineState.UNKNOWN, f"several hosts say that they run the engine's machine: {names}")
    said = "; ".join(map(_said, reports))
    if all(report.live and report.vm in _NOT_RUNNING for report in reports):
        return MachineHealth(MachineState.DOWN, f"no host runs the engine's machine: {said}")
    return MachineHealth(MachineState.UNKNOWN, f"no host is known to run the engine's machine: {said}")


def scores(hosts: Mapping[str, HostView]) -> dict[str, int]:
    """How fit each host is to run the engine's machine, by Node; one whose agent is silent is not in it."""
    live = {report.host_id: report.score for report in _newest(hosts) if report.live}
    numbers = {name: seen[AGENT].host_id for name, seen in hosts.items() if isinstance(seen, HostFacts)}
    return {name: live[n.value] for name, n in numbers.items() if isinstance(n, Known) and n.value in live}


def agents_in_trouble(hosts: Mapping[str, HostView], in_service: Collection[str]) -> Iterator[tuple[Reason, str]]:
    """What ails the agents that look after the engine's machine, one sentence each, on hosts that can be asked.

    Args:
        hosts: What is known of the hosts that may run it, by Node.
        in_service: Those that the engine does not keep in maintenance itself.
    """
    newest = {report.host_id: report for report in _newest(hosts)}
    for name, seen in sorted(hosts.items()):
        agent = seen[AGENT] if isinstance(seen, HostFacts) else None
        if agent is None or not isinstance(agent.host_id, Known):
            continue
        own = newest.get(agent.host_id.value)
        if isinstance(agent.status, Unknown) and agent.status != NOT_OBSERVED:
            yield Reason.ENGINE_BROKER_DOWN, f"{name} tells nothing of the engine's machine: {agent.status.cause}"
        elif own is not None and not own.live:
            yield Reason.ENGINE_AGENT_SILENT, f"the agent of {name} is silent, and what it said last is old"
        elif own is not None and own.maintenance and name in in_service:
            yield (
                Reason.MAINTENANCE_LEFT_ON,
                f"{name} is up and leaves the engine's machine to others; end that on it with `hosted-engine "
                "--set-maintenance --mode=none`",
            )


def global_maintenance(hosts: Mapping[str, HostView]) -> bool | None:
    """Whether nobody watches over the engine's machine; None where no host tells, or they differ."""
    said = {status.global_maintenance for status in _statuses(hosts)}
    return said.pop() if len(said) == 1 else None


def _statuses(hosts: Mapping[str, HostView]) -> Iterator[VmStatus]:
    for name in sorted(hosts):
        seen = hosts[name]
        status = seen[AGENT].status if isinstance(seen, HostFacts) else None
        if isinstance(status, Known):
            yield status.value


def _newest(hosts: Mapping[str, HostView]) -> list[AgentReport]:
    """The newest report of each host that any host has of it; of equally old ones, the one that is live."""
    newest: dict[int, AgentReport] = {}
    for status in _statuses(hosts):
        for report in status.hosts:
            known = newest.get(report.host_id)
            if known is None or (report.time, report.live) > (known.time, known.live):
                newest[report.host_id] = report
    return [newest[number] for number in sorted(newest)]


def _silences(hosts: Mapping[str, HostView]) -> Iterator[str]:
    for name in sorted(hosts):
        seen = hosts[name]
        if not isinstance(seen, HostFacts):
            yield unobserved(name, seen)
            continue
        match seen[AGENT].status:
            case Absent():
                yield f"no engine was deployed on {name}"
            case Unknown(cause):
                yield f"{name}: {cause}"


def _said(report: AgentReport) -> str:
    said = f"{report.hostname}: machine {report.vm}, engine {report.health}"
    more = ", ".join(filter(None, (report.detail, report.reason)))
    return f"{said}{f' ({more})' if more else ''}{'' if report.live else ', and that is old'}"

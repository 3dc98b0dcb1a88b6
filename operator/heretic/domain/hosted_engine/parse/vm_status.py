"""``hosted-engine --vm-status --json`` and its configuration file (rule:vm-status-output)."""

import re
from dataclasses import dataclass

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.parse.reading import NotUnderstood, Row, as_row, flag, integer, load, read, text_of

_GLOBAL = "global_maintenance"
_NEVER = "You must run deploy first"
_UNFINISHED = 2
"""Exit status while a deployment is under way, or was left before its end."""


@dataclass(frozen=True, slots=True)
class AgentReport:
    """What the agent of one host wrote down for the others.

    Attributes:
        host_id: Number of the host among those that may run the engine's machine.
        hostname: As the host calls itself.
        time: When it was written, seconds since some moment that is the host's own.
        live: Whether it was written a moment ago. What a host wrote before it died stays there for ever.
        vm: State of the machine on this host: up, down, down_unexpected, down_missing, unknown and so on.
        health: Of the engine in it: good, bad, unknown.
        detail: For people.
        reason: Why it is not good, for people.
        score: How fit the host is to run the machine, 3400 at best.
        maintenance: Whether the host leaves the machine to others.
    """

    host_id: int
    hostname: str
    time: int
    live: bool
    vm: str
    health: str
    detail: str
    reason: str
    score: int
    maintenance: bool

    @property
    def good(self) -> bool:
        """Whether the engine runs here and works, as was told a moment ago."""
        return self.live and self.vm == "up" and self.health == "good"


@dataclass(frozen=True, slots=True)
class VmStatus:
    """What one host knows of the engine's machine.

    Attributes:
        hosts: In the order of their numbers.
        global_maintenance: Whether nobody starts or ends the machine.
    """

    hosts: tuple[AgentReport, ...]
    global_maintenance: bool


def parse_vm_status(output: Output) -> Fact[VmStatus]:
    """Reads the answer.

    Absent is the host's own word that no engine was ever deployed on it. While the broker is away, the program prints
    a traceback or the text form of a Python dictionary with any exit status: that is Unknown, and never "down".
    """
    if output.rc == 1 and _NEVER in output.stdout + output.stderr:
        return Absent()
    if output.rc == _UNFINISHED:
        return Unknown("a deployment of the engine is under way on this host, or was left before its end")
    return read(output, "hosted-engine --vm-status", _status)


def _status(text: str) -> VmStatus:
    rows = load(text)
    odd = [key for key in rows if key != _GLOBAL and not key.isdecimal()]
    if odd or _GLOBAL not in rows:
        raise NotUnderstood(f"an entry is {odd[0]!r}" if odd else f"there is no {_GLOBAL}")
    hosts = (_host(as_row(row, f"host {key}")) for key, row in rows.items() if key != _GLOBAL)
    return VmStatus(tuple(sorted(hosts, key=lambda host: host.host_id)), flag(rows, _GLOBAL))


def _host(row: Row) -> AgentReport:
    engine = as_row(row.get("engine-status"), "engine-status")
    return AgentReport(
        host_id=integer(row, "host-id"),
        hostname=text_of(row, "hostname"),
        time=integer(row, "host-ts"),
        live=flag(row, "live-data"),
        vm=_word(engine, "vm"),
        health=_word(engine, "health"),
        detail=text_of(engine, "detail"),
        reason=text_of(engine, "reason"),
        score=integer(row, "score"),
        maintenance=flag(row, "maintenance"),
    )


def _word(row: Row, key: str) -> str:
    word = text_of(row, key)
    if not word:
        raise NotUnderstood(f"there is no {key} in engine-status")
    return word


def parse_host_id(conf: Fact[str]) -> Fact[int]:
    """The host's number in /etc/ovirt-hosted-engine/hosted-engine.conf; Absent where there is no such file.

    The file is written at the end of a deployment: where it is, an engine was deployed.
    """
    if not isinstance(conf, Known):
        return conf
    found = re.search(r"^host_id=(\d+)\s*$", conf.value, re.MULTILINE)
    return Known(int(found[1])) if found else Unknown("hosted-engine.conf does not tell the number of the host")

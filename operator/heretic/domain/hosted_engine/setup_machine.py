"""What is asked of the machine on which an engine shall be set up, while none is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.commands import Output, Probe
from heretic.domain.engine.machine import SETTINGS
from heretic.domain.facts import NOT_OBSERVED, Fact, Known
from heretic.domain.host.parse import jobs
from heretic.domain.host.section import NO_ANSWER
from heretic.domain.hosted_engine.parse import first_host as parse
from heretic.domain.hosted_engine.parse import setup_machine as parse_machine
from heretic.domain.hosted_engine.variables import PASSWORD
from heretic.domain.jobs import JobState
from heretic.domain.memo import Memo
from heretic.domain.shared import SharedFact, stays

PROGRAM = "/usr/bin/engine-setup"
AUTHORITY = "/etc/pki/ovirt-engine/ca.pem"
DONE = "/etc/ovirt-engine-setup.conf.d/20-setup-ovirt-post.conf"
"""Written at the very end of engine-setup."""

ROOM_AT = "/var"
TRACES = (
    "find",
    SETTINGS,
    "/etc/ovirt-engine-setup.conf.d",
    "/etc/pki/ovirt-engine",
    *("-name", "10-setup-*.conf", "-o", "-name", "20-setup-ovirt-post.conf", "-o", "-name", "ca.pem"),
)
"""Lists what engine-setup leaves and the packages do not. The folders are the packages', so that a list proves it."""


@dataclass(frozen=True, slots=True)
class SetupMachine:
    """What the machine says that matters before, during and after a setup.

    Attributes:
        setup: Whether engine-setup is there.
        release: Major release of EL; Absent on another distribution.
        traces: What an earlier setup left.
        addresses: What the engine's name resolves to there; Absent where it does not.
        names: What the first of these is called; Absent where it has no name.
        own: The machine's own addresses.
        memory: Bytes.
        room: Free bytes below /var.
        listening: TCP ports that are taken.
        firewall: State of firewalld, in systemd's word.
        authority: What signs the engine's certificate; Absent before there is an engine.
        jobs: Of ours, by unit.
        password: Whether the password that a setup is given lies there, in memory.
    """

    setup: Fact[bool] = NOT_OBSERVED
    release: Fact[int] = NOT_OBSERVED
    traces: Fact[tuple[str, ...]] = NOT_OBSERVED
    addresses: Fact[tuple[str, ...]] = NOT_OBSERVED
    names: Fact[tuple[str, ...]] = NOT_OBSERVED
    own: Fact[tuple[str, ...]] = NOT_OBSERVED
    memory: Fact[int] = NOT_OBSERVED
    room: Fact[int] = NOT_OBSERVED
    listening: Fact[frozenset[int]] = NOT_OBSERVED
    firewall: Fact[str] = NOT_OBSERVED
    authority: Fact[str] = NOT_OBSERVED
    jobs: Fact[Mapping[str, JobState]] = NOT_OBSERVED
    password: Fact[bool] = NOT_OBSERVED


def _jobs(output: Output) -> Fact[Mapping[str, JobState]]:
    return jobs.states(Known({}), jobs.parse_jobs(output), None)


_PARSERS: Mapping[str, Any] = {
    "setup": parse.parse_present,
    "release": parse_machine.parse_release,
    "traces": parse.parse_lines,
    "addresses": parse.parse_addresses,
    "names": parse.parse_names,
    "own": parse_machine.parse_own,
    "memory": parse_machine.parse_memory,
    "room": parse.parse_room,
    "listening": parse_machine.parse_listening,
    "firewall": parse.parse_firewall,
    "authority": parse.parse_authority,
    "jobs": _jobs,
    "password": parse.parse_present,
}


def is_to_be_set_up(engine: HostedEngine) -> bool:
    """Whether Heretic sets this engine up, and none was ever seen at its name."""
    return engine.spec.standalone is not None and not engine.status.engine_id


def setup_machine(engine: HostedEngine) -> SharedFact[SetupMachine]:
    """The fact, for one declared engine of a site."""
    return SharedFact(
        name="machine before engine-setup",
        whom=lambda view, hosts: engine.metadata.name,
        nobody="there is no such engine",
        probes=lambda before: tuple(_probes(engine, before)),
        assemble=_assemble,
        without=stays,
        of_engine=True,
    )


def _probes(engine: HostedEngine, before: SetupMachine | None) -> list[Probe[object]]:
    asked: dict[str, tuple[str, ...]] = {
        "setup": ("find", PROGRAM, "-maxdepth", "0"),
        "release": ("cat", "/etc/os-release"),
        "traces": TRACES,
        "addresses": ("getent", "ahostsv4", engine.spec.fqdn),
        "own": ("hostname", "-I"),
        "memory": ("cat", "/proc/meminfo"),
        "room": ("stat", "-f", "-c", "%S %a", ROOM_AT),
        "listening": ("ss", "-Hltn"),
        "firewall": ("systemctl", "is-active", "firewalld.service"),
        "authority": ("cat", AUTHORITY),
        "jobs": ("@jobs",),
        "password": ("find", PASSWORD, "-maxdepth", "0"),
    }
    if before and isinstance(before.addresses, Known) and before.addresses.value:
        asked["names"] = ("getent", "hosts", before.addresses.value[0])
    return [Probe(name, argv, _PARSERS[name], timeout=20) for name, argv in asked.items()]


def _assemble(machine: str, outputs: Mapping[str, Output], memo: Memo) -> SetupMachine:
    return SetupMachine(**{name: work(outputs.get(name, NO_ANSWER)) for name, work in _PARSERS.items()})

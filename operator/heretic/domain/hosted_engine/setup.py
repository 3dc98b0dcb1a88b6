"""What to do next for an engine on a machine of its own that does not exist yet: look, and set it up once."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from heretic.api.quantity import format_bytes
from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.self_hosted import DeploymentStatus
from heretic.domain.commands import SecretRef
from heretic.domain.engine.site import LATER, without_engine
from heretic.domain.errors import Failure, Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.hosted_engine.deploy import answering
from heretic.domain.hosted_engine.hindrance import (
    GIB,
    EngineNameSeen,
    Hindrance,
    name_hindrances,
    not_known,
    told_at_once,
)
from heretic.domain.hosted_engine.password import lost_password, with_password
from heretic.domain.hosted_engine.setup_machine import DONE, ROOM_AT, SetupMachine
from heretic.domain.hosted_engine.setup_stages import answers, setup_failure, setup_stage
from heretic.domain.hosted_engine.setup_steps import SETUP_JOB, ForgetSetupPassword, SetUpEngine, setup_name
from heretic.domain.hosted_engine.tries import TRIES, failure_said, given_up, last_try, progress
from heretic.domain.jobs import FailedJob, JobState, LostJob, Running, Succeeded
from heretic.domain.plan import Blocked, Obstacle, Plan, Proceed, Wait

RELEASE = 9
MEMORY, ROOM = 4 * GIB, 25 * GIB
"""Bytes without which engine-setup refuses, or the engine does not run for long."""

PORTS = frozenset({80, 443, 5432})
"""That the engine's web server and its database take."""

POLL = 15.0
"""Seconds between two looks at a setup."""

_PASSWORD = "password"  # noqa: S105 - the key in the Secret


def plan_setup(engine: HostedEngine, fact: Fact[SetupMachine], why: Failure) -> Plan:
    """Plans the setup of an engine that was never seen.

    Args:
        engine: What is declared; of deployment Standalone, without a recorded engine.
        fact: What its machine says.
        why: Why no engine was seen.
    """
    fqdn = engine.spec.fqdn
    if not isinstance(fact, Known):
        cause = fact.cause if isinstance(fact, Unknown) else "it was not asked yet"
        return Wait(Reason.NOT_OBSERVED, f"what the machine {fqdn} says is not known: {cause}", LATER)
    machine = fact.value
    if not isinstance(machine.jobs, Known):
        cause = machine.jobs.cause if isinstance(machine.jobs, Unknown) else "they were not told"
        return Wait(Reason.NOT_OBSERVED, f"the jobs of {fqdn} are not known: {cause}", LATER)
    jobs = {name: job for name, job in machine.jobs.value.items() if name.startswith(f"{SETUP_JOB}-")}
    for job in jobs.values():
        if isinstance(job, Running):
            stage = setup_stage(job.stage)
            said = f": {stage[0]}" if stage else ""
            return Wait(Reason.WORK_IN_PROGRESS, f"{fqdn}: engine-setup is at work{said}", POLL)
    stopped = _living(engine, machine, jobs, why) or answering(engine, why) or _given_up(engine, jobs)
    if machine.password == Known(True) and any(isinstance(job, FailedJob | LostJob) for job in jobs.values()):
        left = "a setup that failed has left the password of the engine's administrator in memory"
        forget = ForgetSetupPassword(engine=engine.metadata.name, fqdn=fqdn, why=left)
        return Proceed((forget,), (stopped,) if stopped else ())
    return stopped or with_password(_next(engine, machine, jobs), engine, why)


def _last(engine: HostedEngine, jobs: Mapping[str, JobState]) -> JobState | None:
    assert engine.spec.standalone is not None
    return last_try(jobs, partial(setup_name, engine.spec.standalone.attempt))


def _living(engine: HostedEngine, machine: SetupMachine, jobs: Mapping[str, JobState], why: Failure) -> Obstacle | None:
    """rule:engine-never-redeployed: what a setup left is an engine, or may be one."""
    fqdn = engine.spec.fqdn
    if any(isinstance(job, Succeeded) for job in jobs.values()):
        return without_engine(lost_password(engine, why))
    if machine.setup != Known(True):
        return None  # told by the checks; nothing is begun without it
    if not isinstance(machine.traces, Known):
        cause = machine.traces.cause if isinstance(machine.traces, Unknown) else "there was no answer"
        return Wait(Reason.NOT_OBSERVED, f"whether {fqdn} has an engine is not known: {cause}", LATER)
    traces = machine.traces.value
    if not traces:
        return None
    failed = _last(engine, jobs)
    if not isinstance(failed, FailedJob | LostJob):
        return Blocked(
            Reason.ENGINE_DEPLOYED_BEFORE,
            f"an engine was set up on {fqdn} already ({', '.join(traces[:3])}). If it is the one that is meant, "
            "declare it with deployment Existing",
        )
    reason, said = failure_said(failed, setup_failure)
    if DONE in traces:
        return Blocked(
            reason,
            f"the engine was set up on {fqdn}, and the end of it failed: {said}. It is not set up again: see "
            "`systemctl status ovirt-engine` there. Once it answers, it is kept",
        )
    return Blocked(
        reason,
        f"engine-setup on {fqdn} failed, and left {', '.join(traces[:3])}: {said}. It is not run again over that: "
        "run `engine-cleanup` there, then raise spec.standalone.attempt",
    )


def _given_up(engine: HostedEngine, jobs: Mapping[str, JobState]) -> Blocked | None:
    assert engine.spec.standalone is not None
    return given_up(
        jobs.get(setup_name(engine.spec.standalone.attempt, TRIES)),
        setup_failure,
        what=f"engine-setup on {engine.spec.fqdn}",
        logs="Its logs are in /var/log/ovirt-engine/setup there",
        field="spec.standalone.attempt",
    )


def _next(engine: HostedEngine, machine: SetupMachine, jobs: Mapping[str, JobState]) -> Plan:
    spec, fqdn, before = engine.spec.standalone, engine.spec.fqdn, _last(engine, jobs)
    assert spec is not None
    again = isinstance(before, FailedJob | LostJob)
    found = tuple(setup_hindrances(engine, machine))
    if found:
        obstacle = told_at_once(found)
        if not isinstance(before, FailedJob | LostJob):
            return obstacle
        said = failure_said(before, setup_failure)[1]
        return replace(
            obstacle, message=f"engine-setup failed once: {said}. Before it is run again: {obstacle.message}"
        )
    step = SetUpEngine(
        engine=engine.metadata.name,
        fqdn=fqdn,
        why=f"{'nothing is left of a setup that failed' if again else 'no engine was ever set up'} on {fqdn}",
        job=setup_name(spec.attempt, 2 if again else 1),
        answers=answers(
            fqdn, spec.organization or fqdn.partition(".")[2], firewall=machine.firewall == Known("active")
        ),
        password=SecretRef(engine.spec.credentials_ref.name, _PASSWORD),
    )
    return Proceed((step,))


def setup_hindrances(engine: HostedEngine, machine: SetupMachine) -> Iterator[Hindrance]:
    """Everything that is in the way of a setup; nothing when it may begin."""
    fqdn = engine.spec.fqdn
    facts: dict[str, Fact[object]] = {
        "the distribution": machine.release,
        "the presence of engine-setup": machine.setup,
        "the list of addresses": machine.own,
        "the memory": machine.memory,
        f"the free space in {ROOM_AT}": machine.room,
        "the list of ports that are taken": machine.listening,
    }
    for what, fact in facts.items():
        if isinstance(fact, Unknown):
            yield not_known(what, fqdn, fact)
    if isinstance(machine.release, Known) and machine.release.value != RELEASE:
        yield Hindrance(
            Reason.UNSUPPORTED_PLATFORM,
            f"{fqdn} runs EL {machine.release.value}, and the engine is set up on EL {RELEASE}",
        )
    if machine.setup == Known(False):
        yield Hindrance(
            Reason.ENGINE_TOOLS_MISSING,
            f"{fqdn} has not got engine-setup. Install the package ovirt-engine there, out of "
            "oVirt's repository for EL 9",
        )
    yield from _name(engine, machine)
    if isinstance(machine.memory, Known) and machine.memory.value < MEMORY - GIB // 4:
        # A machine of 4 GiB shows some less: the kernel keeps a part.
        yield Hindrance(
            Reason.DOES_NOT_FIT,
            f"{fqdn} has {format_bytes(machine.memory.value)} of memory, and the engine needs {format_bytes(MEMORY)}",
        )
    if isinstance(machine.room, Known) and machine.room.value < ROOM:
        yield Hindrance(
            Reason.DOES_NOT_FIT,
            f"{ROOM_AT} of {fqdn} has {format_bytes(machine.room.value)} free, and the engine needs "
            f"{format_bytes(ROOM)}",
        )
    if isinstance(machine.listening, Known) and (taken := PORTS & machine.listening.value):
        said = ", ".join(map(str, sorted(taken)))
        yield Hindrance(
            Reason.ENGINE_DEPLOYED_BEFORE,
            f"somebody listens on {said} of {fqdn}, which the engine needs. Find out who, and stop it",
        )


def _name(engine: HostedEngine, machine: SetupMachine) -> Iterator[Hindrance]:
    def wrong(address: str) -> str:
        own = not isinstance(machine.own, Known) or address in machine.own.value
        return "" if own and not address.startswith("127.") else "its machine has not got in the network"

    spec = engine.spec
    seen = EngineNameSeen(spec.fqdn, spec.address, "its machine", machine.addresses, machine.names)
    yield from name_hindrances(seen, wrong)


def setup_status(engine: HostedEngine, fact: Fact[SetupMachine]) -> DeploymentStatus:
    """How far the setup is, for the object's status.

    Args:
        engine: With its last status.
        fact: What its machine says.
    """
    before = engine.status.deployment
    if not isinstance(fact, Known) or not isinstance(fact.value.jobs, Known):
        return before
    last = _last(engine, fact.value.jobs.value)
    return before.model_copy(update=progress(before, last, setup_stage, setup_failure))


def setup_authority(fact: Fact[SetupMachine]) -> str:
    """What signs the certificate of the engine that was set up, as its machine has it; "" = not known yet.

    Only of an engine that Heretic has set up there: another one is not trusted before somebody declares it.
    """
    machine = fact.value if isinstance(fact, Known) else None
    if machine is None or not isinstance(machine.jobs, Known) or not isinstance(machine.authority, Known):
        return ""
    return machine.authority.value if any(name.startswith(f"{SETUP_JOB}-") for name in machine.jobs.value) else ""

"""What to do next for an engine on a machine of its own that does not exist yet: look, and set it up once."""

from collections.abc import Iterator, Mapping

from heretic.api.quantity import format_bytes
from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.self_hosted import DeploymentStatus
from heretic.domain.commands import SecretRef
from heretic.domain.engine.site import LATER, without_engine
from heretic.domain.errors import Failure, Reason
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.hosted_engine.deploy import answering, told_at_once
from heretic.domain.hosted_engine.password import lost_password, with_password
from heretic.domain.hosted_engine.prechecks import GIB, Hindrance
from heretic.domain.hosted_engine.setup_machine import DONE, ROOM_AT, SetupMachine
from heretic.domain.hosted_engine.setup_stages import answers, setup_failure, setup_stage
from heretic.domain.hosted_engine.setup_steps import SETUP_JOB, SetUpEngine, setup_name
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
    return stopped or with_password(_next(engine, machine, jobs), engine, why)


def _tried(engine: HostedEngine, jobs: Mapping[str, JobState], number: int) -> JobState | None:
    assert engine.spec.standalone is not None
    return jobs.get(setup_name(engine.spec.standalone.attempt, number))


def _living(engine: HostedEngine, machine: SetupMachine, jobs: Mapping[str, JobState], why: Failure) -> Obstacle | None:
    """rule:engine-never-redeployed: what a setup left is an engine, or may be one."""
    fqdn = engine.spec.fqdn
    if any(isinstance(job, Succeeded) for job in jobs.values()):
        return without_engine(lost_password(engine, why))
    if machine.setup != Known(True):
        return None
    if isinstance(machine.traces, Unknown):
        return Wait(Reason.NOT_OBSERVED, f"whether {fqdn} has an engine is not known: {machine.traces.cause}", LATER)
    traces = machine.traces.value if isinstance(machine.traces, Known) else ()
    if not traces:
        return None
    failed = next((job for n in (2, 1) if isinstance(job := _tried(engine, jobs, n), FailedJob | LostJob)), None)
    if failed is not None and DONE not in traces:
        reason, said = _failure(failed)
        return Blocked(
            reason,
            f"engine-setup on {fqdn} failed, and left {', '.join(traces[:3])}: {said}. It is not run again over that: "
            "run `engine-cleanup` there, then raise spec.standalone.attempt",
        )
    return Blocked(
        Reason.ENGINE_DEPLOYED_BEFORE,
        f"an engine was set up on {fqdn} already ({', '.join(traces[:3])}). If it is the one that is meant, declare it "
        "with deployment Existing",
    )


def _failure(job: FailedJob | LostJob) -> tuple[Reason, str]:
    if isinstance(job, FailedJob):
        return setup_failure(job)
    return Reason.DEPLOYMENT_FAILED, "the machine was booted, or somebody ended it"


def _given_up(engine: HostedEngine, jobs: Mapping[str, JobState]) -> Blocked | None:
    job = _tried(engine, jobs, 2)
    if not isinstance(job, FailedJob | LostJob):
        return None
    reason, said = _failure(job)
    return Blocked(
        reason,
        f"engine-setup on {engine.spec.fqdn} failed twice, the last time so: {said}. Its logs are in "
        "/var/log/ovirt-engine/setup there. Remove the cause, then raise spec.standalone.attempt",
    )


def _next(engine: HostedEngine, machine: SetupMachine, jobs: Mapping[str, JobState]) -> Plan:
    found = tuple(setup_hindrances(engine, machine))
    if found:
        return told_at_once(found)
    spec, fqdn = engine.spec.standalone, engine.spec.fqdn
    assert spec is not None
    again = isinstance(_tried(engine, jobs, 1), FailedJob | LostJob)
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
        "its distribution": machine.release,
        "whether engine-setup is there": machine.setup,
        "the addresses of its name": machine.addresses,
        "its own addresses": machine.own,
        "its memory": machine.memory,
        f"the free space in {ROOM_AT}": machine.room,
        "the ports that are taken": machine.listening,
    }
    for what, fact in facts.items():
        if isinstance(fact, Unknown):
            yield Hindrance(Reason.NOT_OBSERVED, f"{fqdn}: {what} is not known: {fact.cause}")
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
    fqdn = engine.spec.fqdn
    if isinstance(machine.addresses, Absent) or machine.addresses == Known(()):
        why = f"{fqdn} cannot resolve its own name. Enter it at the site's name server, forward and reverse"
        yield Hindrance(Reason.ENGINE_NAME_WRONG, why)
    if not isinstance(machine.addresses, Known) or not machine.addresses.value:
        return
    addresses = machine.addresses.value
    own = machine.own.value if isinstance(machine.own, Known) else addresses
    for address in addresses:
        if address not in own or address.startswith("127."):
            yield Hindrance(
                Reason.ENGINE_NAME_WRONG, f"on {fqdn} that name resolves to {address}, which is no address of it"
            )
    if isinstance(machine.names, Unknown):
        why = f"the name of {addresses[0]} by the name server is not known: {machine.names.cause}"
        yield Hindrance(Reason.NOT_OBSERVED, why)
    elif machine.names == Absent() or (isinstance(machine.names, Known) and fqdn not in machine.names.value):
        said = ", ".join(machine.names.value) if isinstance(machine.names, Known) else "no name"
        why = f"{addresses[0]} leads back to {said} and not to {fqdn}. Enter it in the reverse zone"
        yield Hindrance(Reason.ENGINE_NAME_WRONG, why)


def setup_status(engine: HostedEngine, fact: Fact[SetupMachine]) -> DeploymentStatus:
    """How far the setup is, for the object's status.

    Args:
        engine: With its last status.
        fact: What its machine says.
    """
    before = engine.status.deployment
    if not isinstance(fact, Known) or not isinstance(fact.value.jobs, Known):
        return before
    jobs = fact.value.jobs.value
    changes: dict[str, object] = {}
    match next((job for n in (2, 1) if (job := _tried(engine, jobs, n)) is not None), None):
        case Running(line):
            if stage := setup_stage(line):
                changes = {"stage": stage[0], "percent": stage[1]}
            elif before.stage in ("", "failed"):
                changes = {"stage": "begun", "percent": 0}
        case (FailedJob() | LostJob()) as job:
            changes = {"stage": "failed", "percent": None, "failure": _failure(job)[1][:2000]}
        case Succeeded():
            changes = {"stage": "deployed", "percent": 100, "failure": ""}
    return before.model_copy(update=changes)


def setup_authority(fact: Fact[SetupMachine]) -> str:
    """What signs the certificate of the engine that was set up, as its machine has it; "" = not known yet."""
    authority = fact.value.authority if isinstance(fact, Known) else None
    return authority.value if isinstance(authority, Known) else ""

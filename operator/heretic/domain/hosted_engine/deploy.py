"""What to do next for an engine that does not exist yet: look, deploy it once, and never where one was.

How often it was tried is kept on the host's disk, in the records of the jobs; the operator remembers nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.self_hosted import DeploymentStatus
from heretic.api.v1alpha1.site import SSH_PRIVATE_KEY
from heretic.domain.commands import SecretRef
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.site import LATER, without_engine
from heretic.domain.errors import Failure, Reason, Transient, unobserved
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.hosted_engine.agent import AGENT
from heretic.domain.hosted_engine.cpu import common_cpu_type
from heretic.domain.hosted_engine.deploy_steps import (
    CLEAN_JOB,
    DEPLOY_JOB,
    CleanAfterFailedDeployment,
    DeployEngine,
    clean_name,
    job_name,
)
from heretic.domain.hosted_engine.first_host import LOCAL_MACHINE, FirstHost, brick_on, engine_volume, first_node
from heretic.domain.hosted_engine.health import machine_health
from heretic.domain.hosted_engine.password import lost_password, with_password
from heretic.domain.hosted_engine.prechecks import DeploymentGround, Hindrance, hindrances, interface_of
from heretic.domain.hosted_engine.stages import failure_of, stage_of, task_of
from heretic.domain.hosted_engine.variables import as_text, variables
from heretic.domain.jobs import FailedJob, JobState, LostJob, Running, Succeeded
from heretic.domain.plan import Blocked, Obstacle, Plan, Proceed, Wait

POLL = 15.0
"""Seconds between two looks at a deployment."""

_TRIES = 2
"""Of one attempt; the second only where nothing was ever deployed."""

_PASSWORD = "password"  # noqa: S105 - the key in the Secret


@dataclass(frozen=True, slots=True)
class DeploymentSite(DeploymentGround):
    """What a deployment is planned from, once all of it is known.

    Attributes:
        jobs: Of the host on which it is deployed.
    """

    jobs: Mapping[str, JobState]

    @property
    def tries(self) -> Mapping[str, JobState]:
        """The jobs that deployed, of all attempts."""
        return {name: job for name, job in self.jobs.items() if name.startswith(f"{DEPLOY_JOB}-")}

    def tried(self, number: int) -> JobState | None:
        """What became of one try of the declared attempt."""
        return self.jobs.get(job_name(self.spec.attempt, number))


def plan_deployment(
    engine: HostedEngine, view: SiteView, hosts: Mapping[str, HostView], first: Fact[FirstHost], why: Failure
) -> Plan:
    """Plans the deployment of an engine that was never seen.

    Args:
        engine: What is declared; of deployment SelfHosted, without a recorded engine.
        view: The declared site.
        hosts: What is known of the hosts that may run its machine.
        first: What the host says on which it is deployed.
        why: Why no engine was seen.
    """
    site = _known(engine, view, hosts, first)
    if not isinstance(site, DeploymentSite):
        return site
    stopped = _at_work(site) or _living(site, why) or _answering(engine, why) or _given_up(site)
    return stopped or with_password(_next(site), engine, why)


def _known(
    engine: HostedEngine, view: SiteView, hosts: Mapping[str, HostView], first: Fact[FirstHost]
) -> DeploymentSite | Obstacle:
    spec, node = engine.spec.self_hosted, first_node(engine, view)
    assert spec is not None
    if not node:
        if named := engine.status.deployment.first_node or spec.first_node:
            return Blocked(Reason.NODE_NOT_FOUND, f"there is no Node {named}, on which the engine is to be deployed")
        return Wait(
            Reason.ENGINE_VOLUME_NOT_READY,
            f"GlusterVolume {spec.storage_volume} has no brick on a Node of role Hypervisor yet. The engine is "
            "deployed on one that holds a brick of it",
        )
    facts = hosts.get(node)
    if not isinstance(facts, HostFacts):
        why = unobserved(node, facts) if facts else f"{node} has not the role Hypervisor"
        return Wait(Reason.NODE_NOT_READY, why)
    if not isinstance(first, Known) or first.value.host != node:
        cause = first.cause if isinstance(first, Unknown) else "it was not asked yet"
        return Wait(Reason.NOT_OBSERVED, f"what {node} says of a deployment is not known: {cause}", LATER)
    if not isinstance(facts.jobs, Known):
        cause = facts.jobs.cause if isinstance(facts.jobs, Unknown) else "they were not told"
        return Wait(Reason.NOT_OBSERVED, f"the jobs of {node} are not known: {cause}", LATER)
    return DeploymentSite(engine, spec, view, hosts, first.value, facts, facts.jobs.value)


def _at_work(site: DeploymentSite) -> Wait | None:
    for name, job in sorted(site.jobs.items()):
        if isinstance(job, Running) and name.startswith((f"{DEPLOY_JOB}-", f"{CLEAN_JOB}-")):
            cleaning = name.startswith(CLEAN_JOB)
            stage = stage_of(job.stage)
            said = stage.name if stage else task_of(job.stage)
            what = "cleaning up after a deployment that failed" if cleaning else "deploying the engine"
            return Wait(Reason.WORK_IN_PROGRESS, f"{site.first.host}: {what}{f': {said}' if said else ''}", POLL)
    return None


def was_deployed(hosts: Mapping[str, HostView], first: FirstHost) -> bool:
    """Whether any host knows of an engine, so that none may be deployed ever again."""
    return first.deployed == Known(True) or any(isinstance(number, Known) for number in _numbers(hosts).values())


def _numbers(hosts: Mapping[str, HostView]) -> dict[str, Fact[int]]:
    """What each host that was seen says of its number among the hosts of an engine."""
    return {name: seen[AGENT].host_id for name, seen in sorted(hosts.items()) if isinstance(seen, HostFacts)}


def _living(site: DeploymentSite, why: Failure) -> Obstacle | None:
    """rule:engine-never-redeployed: an engine that lives, or once lived, is waited for or left to a person."""
    if was_deployed(site.hosts, site.first):
        failed = next((job for job in site.tries.values() if isinstance(job, FailedJob)), None)
        machine = machine_health(site.hosts).why
        if failed is not None and not any(isinstance(job, Succeeded) for job in site.tries.values()):
            reason, said = failure_of(failed)
            return Blocked(
                reason,
                f"the engine was deployed on {site.first.host}, and the end of it failed: {said}. {machine}. It is not "
                "deployed again: see `hosted-engine --vm-status` there",
            )
        return without_engine(lost_password(site.engine, why))
    for name, number in _numbers(site.hosts).items():
        if isinstance(number, Unknown):
            why_not = f"whether {name} knows of an engine is not known: {number.cause}"
            return Wait(Reason.NOT_OBSERVED, why_not, LATER)
    if any(isinstance(job, Succeeded) for job in site.tries.values()):
        return Blocked(
            Reason.ENGINE_DEPLOYED_BEFORE,
            f"an engine was deployed on {site.first.host}, and the host does not know of it any more. Nothing is "
            "deployed over it: restore it, or delete this object (Orphan) and empty the volume by hand",
        )
    return None


def _answering(engine: HostedEngine, why: Failure) -> Obstacle | None:
    """Only where nobody takes connections at the engine's name, there is no engine.

    Without a password nobody can ask; then nothing but the password is planned.
    """
    if why.reason in (Reason.ENGINE_UNREACHABLE, Reason.CREDENTIALS_NOT_MADE):
        return None
    if isinstance(why, Transient) or why.reason in (Reason.CREDENTIALS_MISSING, Reason.INTERNAL_ERROR):
        return without_engine(why)
    return Blocked(
        Reason.ENGINE_DEPLOYED_BEFORE,
        f"something answers at {engine.spec.fqdn} already ({why.message}). If it is the engine that is meant, "
        "declare it with deployment Existing; else take its name or address away from it",
    )


def _given_up(site: DeploymentSite) -> Blocked | None:
    job = site.tried(_TRIES)
    if not isinstance(job, FailedJob | LostJob):
        return None
    reason, said = _failure(job)
    return Blocked(
        reason,
        f"the deployment on {site.first.host} failed {_TRIES} times, the last time so: {said}. `journalctl -u "
        f"{job_name(site.spec.attempt, _TRIES)}` there says more. Remove the cause, then raise spec.selfHosted.attempt",
    )


def _failure(job: FailedJob | LostJob) -> tuple[Reason, str]:
    if isinstance(job, FailedJob):
        return failure_of(job)
    return Reason.DEPLOYMENT_FAILED, "the host was booted, or somebody ended it"


def _next(site: DeploymentSite) -> Plan:
    engine, node, ssh = site.engine, site.first.host, site.view.site
    assert ssh is not None, "without a Site no host was seen"
    volume = engine_volume(engine, site.view)
    brick = brick_on(volume, node)
    if site.tries and isinstance(site.first.machines, Known) and LOCAL_MACHINE in site.first.machines.value:
        return _clean(site, brick)
    found = hindrances(site)
    if found:
        return _told(found)
    if volume is None or not brick:
        return Wait(Reason.ENGINE_VOLUME_NOT_READY, f"GlusterVolume {site.spec.storage_volume} has no brick on {node}")
    again = isinstance(site.tried(1), FailedJob | LostJob)
    cpus = [seen.cpu for seen in site.hosts.values() if isinstance(seen, HostFacts)]
    declared = site.view.nodes[node]
    told = variables(
        engine,
        site.view,
        volume,
        declared,
        interface=interface_of(site.facts, declared.spec.address, site.spec.network_interface),
        cpu_type=common_cpu_type([cpu.value for cpu in cpus if isinstance(cpu, Known)]),
    )
    step = DeployEngine(
        host=node,
        why="nothing is left of a deployment that failed" if again else "no engine was ever deployed in this site",
        fqdn=engine.spec.fqdn,
        brick=brick,
        job=job_name(site.spec.attempt, 2 if again else 1),
        variables=as_text(told),
        password=SecretRef(engine.spec.credentials_ref.name, _PASSWORD),
        root_key=SecretRef(ssh.spec.ssh.credentials_ref.name, SSH_PRIVATE_KEY, public=True),
    )
    return Proceed((step,))


def _clean(site: DeploymentSite, brick: str) -> Plan:
    node, job = site.first.host, site.jobs.get(clean_name(site.spec.attempt))
    if isinstance(job, FailedJob):
        return Blocked(
            Reason.DEPLOYMENT_LEFTOVERS,
            f"what a failed deployment left on {node} could not be taken away: it {job.why}. Run "
            "`ovirt-hosted-engine-cleanup` there, then raise spec.selfHosted.attempt",
        )
    if site.first.domain != Known(()) or not brick:
        return Blocked(
            Reason.ENGINE_VOLUME_NOT_EMPTY,
            f"the deployment on {node} failed after it had begun to write on GlusterVolume {site.spec.storage_volume}. "
            "Nothing is deployed over it: empty it by hand where no engine ever ran there, and run "
            "`ovirt-hosted-engine-cleanup` on the host",
        )
    step = CleanAfterFailedDeployment(
        host=node,
        why=f"a deployment failed, and left a machine {LOCAL_MACHINE}",
        declared="spec.deployment is SelfHosted, and the machine is of Heretic's own try",
        brick=brick,
        job=clean_name(site.spec.attempt),
    )
    return Proceed((step,))


def _told(found: tuple[Hindrance, ...]) -> Obstacle:
    """All of it in one message; what needs a person first."""
    needs = [f for f in found if f.reason not in (Reason.NOT_OBSERVED, Reason.ENGINE_VOLUME_NOT_READY)]
    message = "; ".join(f.message for f in (*needs, *(f for f in found if f not in needs)))
    if needs:
        return Blocked(needs[0].reason, message)
    return Wait(found[0].reason, message, LATER)


def deployment_status(
    engine: HostedEngine, view: SiteView, hosts: Mapping[str, HostView], first: Fact[FirstHost]
) -> DeploymentStatus:
    """How far the deployment is, for the object's status.

    Args:
        engine: With its last status.
        view: The declared site.
        hosts: What is known of the hosts that may run its machine.
        first: What the host says on which it is deployed.
    """
    before, site = engine.status.deployment, _known(engine, view, hosts, first)
    if not isinstance(site, DeploymentSite):
        return before
    changes: dict[str, object] = {"first_node": site.first.host}
    last = next((job for n in (2, 1) if (job := site.tried(n)) is not None), None)
    match last:
        case Running():
            stage = stage_of(last.stage)
            if stage is not None:
                changes |= {"stage": stage.name, "percent": stage.percent}
            elif before.stage in ("", "failed"):
                changes |= {"stage": "begun", "percent": 0}
        case FailedJob() | LostJob():
            changes |= {"stage": "failed", "percent": None, "failure": _failure(last)[1][:2000]}
        case Succeeded():
            changes |= {"stage": "deployed", "percent": 100, "failure": ""}
    return before.model_copy(update=changes)


def authority_of(hosts: Mapping[str, HostView], first: Fact[FirstHost]) -> str:
    """What signs the certificate of the engine that was deployed, as its first host trusts it; "" = not known yet."""
    if not isinstance(first, Known) or isinstance(first.value.authority, Absent | Unknown):
        return ""
    return first.value.authority.value if was_deployed(hosts, first.value) else ""

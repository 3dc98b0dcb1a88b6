"""What to do next for an engine that does not exist yet: look, deploy it once, and never where one was."""

from collections.abc import Mapping
from typing import Any

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.self_hosted import DeploymentStatus
from heretic.api.v1alpha1.site import SSH_PRIVATE_KEY
from heretic.domain.commands import SecretRef
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.site import LATER, without_engine
from heretic.domain.errors import Failure, Reason, Transient
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.hosted_engine.bridge_port import interface_of
from heretic.domain.hosted_engine.cpu import common_cpu_type
from heretic.domain.hosted_engine.deploy_steps import (
    CLEAN_JOB,
    DEPLOY_JOB,
    CleanAfterFailedDeployment,
    DeployEngine,
    RestoreEngine,
    clean_name,
)
from heretic.domain.hosted_engine.deployment_site import (
    DeploymentSite,
    known_site,
    numbers,
    was_deployed,
)
from heretic.domain.hosted_engine.first_host import LOCAL_MACHINE, FirstHost, brick_on, engine_volume
from heretic.domain.hosted_engine.health import machine_health
from heretic.domain.hosted_engine.hindrance import told_at_once
from heretic.domain.hosted_engine.password import lost_password, with_password
from heretic.domain.hosted_engine.prechecks import hindrances
from heretic.domain.hosted_engine.restore import former_engine, restore_hindrances
from heretic.domain.hosted_engine.stages import failure_of, stage_of, task_of
from heretic.domain.hosted_engine.tries import TRIES, given_up, progress
from heretic.domain.hosted_engine.variables import as_text, variables
from heretic.domain.jobs import FailedJob, LostJob, Running, Succeeded
from heretic.domain.plan import Blocked, Obstacle, Plan, Proceed, Wait

POLL = 15.0
"""Seconds between two looks at a deployment."""

_PASSWORD = "password"  # noqa: S105 - the key in the Secret


def plan_deployment(
    engine: HostedEngine, view: SiteView, hosts: Mapping[str, HostView], first: Fact[FirstHost], why: Failure
) -> Plan:
    """Plans the deployment of an engine that was never seen, or that shall be restored.

    Args:
        engine: What is declared; of deployment SelfHosted, without a recorded engine, or with a restore.
        view: The declared site.
        hosts: What is known of the hosts that may run its machine.
        first: What the host says on which it is deployed.
        why: Why no engine was seen.
    """
    site = known_site(engine, view, hosts, first)
    if not isinstance(site, DeploymentSite):
        return site
    if at_work := _at_work(site):
        return at_work
    former = site.restore is not None and site.once_lived
    in_the_way = former_engine(site, why) if former else _living(site, why) or answering(engine, why)
    stopped = in_the_way or _given_up(site)
    return stopped or with_password(_next(site, former=former), engine, why)


def _at_work(site: DeploymentSite) -> Wait | None:
    for name, job in sorted(site.jobs.items()):
        if isinstance(job, Running) and name.startswith((f"{DEPLOY_JOB}-", f"{CLEAN_JOB}-")):
            cleaning = name.startswith(CLEAN_JOB)
            stage = stage_of(job.stage)
            said = stage.name if stage else task_of(job.stage)
            what = "cleaning up after a deployment that failed" if cleaning else "deploying the engine"
            return Wait(Reason.WORK_IN_PROGRESS, f"{site.first.host}: {what}{f': {said}' if said else ''}", POLL)
    return None


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
    for name, number in numbers(site.hosts).items():
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


def answering(engine: HostedEngine, why: Failure) -> Obstacle | None:
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
    told = given_up(
        site.tried(TRIES),
        failure_of,
        what=f"the deployment on {site.first.host}",
        logs=f"`journalctl -u {site.job(TRIES)}` there says more",
        field="spec.selfHosted.attempt",
    )
    if told and isinstance(site.first.domain, Known) and site.first.domain.value:
        # Else nobody is told before that attempt is made.
        return _written(site, "; then raise spec.selfHosted.attempt")
    return told


def _written(site: DeploymentSite, then: str = "") -> Blocked:
    node = site.first.host
    return Blocked(
        Reason.ENGINE_VOLUME_NOT_EMPTY,
        f"the deployment on {node} failed after it had begun to write on GlusterVolume {site.spec.storage_volume}. "
        "Nothing is deployed over it: empty it by hand where no engine ever ran there, and run "
        f"`ovirt-hosted-engine-cleanup` on the host{then}",
    )


def _next(site: DeploymentSite, *, former: bool) -> Plan:
    node = site.first.host
    brick = brick_on(engine_volume(site.engine, site.view), node)
    if site.tries and isinstance(site.first.machines, Known) and LOCAL_MACHINE in site.first.machines.value:
        return _clean(site, brick)
    found = (*hindrances(site, former=former), *restore_hindrances(site))
    if found:
        return told_at_once(found)
    if not brick:
        return Wait(Reason.ENGINE_VOLUME_NOT_READY, f"GlusterVolume {site.spec.storage_volume} has no brick on {node}")
    again = isinstance(site.tried(1), FailedJob | LostJob)
    told = _told_to_role(site, brick, number=2 if again else 1)
    if not former:
        why = "nothing is left of a deployment that failed" if again else "no engine was ever deployed in this site"
        return Proceed((DeployEngine(why=why, **told),))
    assert site.restore is not None
    step = RestoreEngine(
        why=f"restore {site.restore.id} is declared, and an engine once lived in this site",
        declared="a person has approved the first try of this restore" if again else "",
        restore=site.restore.id,
        **told,
    )
    return Proceed((step,))


def _told_to_role(site: DeploymentSite, brick: str, *, number: int) -> dict[str, Any]:
    engine, node, ssh, volume = site.engine, site.first.host, site.view.site, engine_volume(site.engine, site.view)
    assert ssh is not None, "without a Site no host was seen"
    assert volume is not None, "without a volume there is no brick"
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
    return {
        "host": node,
        "fqdn": engine.spec.fqdn,
        "brick": brick,
        "job": site.job(number),
        "variables": as_text(told),
        "password": SecretRef(engine.spec.credentials_ref.name, _PASSWORD),
        "root_key": SecretRef(ssh.spec.ssh.credentials_ref.name, SSH_PRIVATE_KEY, public=True),
        "backup": site.restore.file if site.restore else "",
    }


def _clean_name(site: DeploymentSite) -> str:
    return clean_name(site.spec.attempt, site.restore.id if site.restore else "")


def _clean(site: DeploymentSite, brick: str) -> Plan:
    node, job = site.first.host, site.jobs.get(_clean_name(site))
    if isinstance(job, FailedJob):
        return Blocked(
            Reason.DEPLOYMENT_LEFTOVERS,
            f"what a failed deployment left on {node} could not be taken away: it {job.why}. Run "
            "`ovirt-hosted-engine-cleanup` there, then raise spec.selfHosted.attempt",
        )
    if site.first.domain != Known(()) or not brick:
        return _written(site)
    step = CleanAfterFailedDeployment(
        host=node,
        why=f"a deployment failed, and left a machine {LOCAL_MACHINE}",
        declared="spec.deployment is SelfHosted, and the machine is of Heretic's own try",
        brick=brick,
        job=_clean_name(site),
    )
    return Proceed((step,))


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
    before, site = engine.status.deployment, known_site(engine, view, hosts, first)
    if not isinstance(site, DeploymentSite):
        return before
    changes = {"first_node": site.first.host} | progress(before, site.last, _stage, failure_of)
    if isinstance(site.last, Succeeded) and site.restore:
        changes |= {"restored": site.restore.id}
    return before.model_copy(update=changes)


def _stage(line: str) -> tuple[str, int] | None:
    found = stage_of(line)
    return (found.name, found.percent) if found else None


def authority_of(hosts: Mapping[str, HostView], first: Fact[FirstHost]) -> str:
    """What signs the certificate of the engine that was deployed, as its first host trusts it; "" = not known yet."""
    if not isinstance(first, Known) or isinstance(first.value.authority, Absent | Unknown):
        return ""
    return first.value.authority.value if was_deployed(hosts, first.value) else ""

"""What a restore needs besides what a deployment does: a backup that fits, and nothing that still lives.

The restored engine knows what there was when the backup was made. What lives on meanwhile it does not see: it takes
the guests of the first host for down, and would start them a second time.
"""

from collections.abc import Iterator, Mapping

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.node import Role
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.site import LATER, without_engine
from heretic.domain.errors import Failure, Reason, Transient
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.hosted_engine.agent import AGENT
from heretic.domain.hosted_engine.deploy_steps import job_name
from heretic.domain.hosted_engine.deployment_site import DeploymentSite
from heretic.domain.hosted_engine.first_host import first_node, is_to_be_restored
from heretic.domain.hosted_engine.health import global_maintenance
from heretic.domain.hosted_engine.hindrance import Hindrance
from heretic.domain.hosted_engine.running import RUNNING
from heretic.domain.hosted_engine.stages import failure_of
from heretic.domain.hosted_engine.tries import TRIES, failure_said
from heretic.domain.jobs import FailedJob, LostJob, Running, Succeeded
from heretic.domain.plan import Blocked, Obstacle, Wait

_ENGINE_MACHINE = "HostedEngine"


def former_engine(site: DeploymentSite, why: Failure) -> Obstacle | None:
    """What keeps a restore from beginning where an engine once lived (rule:engine-never-redeployed).

    Args:
        site: What the deployment is planned from, with a restore.
        why: Why no engine was seen.
    """
    if any(isinstance(site.tried(number), Succeeded) for number in range(1, TRIES + 1)):
        return without_engine(why)
    if isinstance(site.last, FailedJob | LostJob) and site.first.deployed == Known(True):
        reason, said = failure_said(site.last, failure_of)
        return Blocked(
            reason,
            f"the restore on {site.first.host} failed, and the host knows of an engine: {said}. Nothing is restored "
            "over it: see `hosted-engine --vm-status` there. To begin anew on an empty volume, raise "
            "spec.selfHosted.attempt, which asks for an approval again",
        )
    if why.reason is Reason.ENGINE_UNREACHABLE:
        return None
    if isinstance(why, Transient) or why.reason in (Reason.CREDENTIALS_MISSING, Reason.INTERNAL_ERROR):
        return without_engine(why)
    return Blocked(Reason.RESTORE_UNSAFE, _refused(site.engine, f"something answers at its name ({why.message})"))


def restore_of_living(engine: HostedEngine, view: SiteView, hosts: Mapping[str, HostView]) -> Obstacle | None:
    """What is said of a restore that was never done, while the engine answers.

    Args:
        engine: What is declared; its engine was seen.
        view: The declared site.
        hosts: What is known of the hosts that may run its machine.
    """
    spec = engine.spec.self_hosted
    if spec is None or spec.restore is None or not is_to_be_restored(engine):
        return None
    node = first_node(engine, view)
    facts = hosts.get(node)
    if not isinstance(facts, HostFacts) or not isinstance(facts.jobs, Known):
        return Wait(
            Reason.NOT_OBSERVED, f"whether restore {spec.restore.id} was done is not known; see Node {node}", LATER
        )
    names = [job_name(spec.attempt, number, spec.restore.id) for number in range(1, TRIES + 1)]
    if any(isinstance(facts.jobs.value.get(name), Running | Succeeded) for name in names):
        return None
    return Blocked(Reason.RESTORE_UNSAFE, _refused(engine, "the engine answers"))


def _refused(engine: HostedEngine, what: str) -> str:
    spec = engine.spec.self_hosted
    name = spec.restore.id if spec and spec.restore else ""
    return (
        f"restore {name} is declared, and {what}. Nothing is restored over an engine that lives. If it is meant, set "
        "global maintenance and shut its machine down (`hosted-engine --vm-shutdown`); else take "
        "spec.selfHosted.restore away"
    )


def restore_hindrances(site: DeploymentSite) -> tuple[Hindrance, ...]:
    """Everything that is in the way of a restore, besides what would be in that of a deployment; none without one."""
    if site.restore is None:
        return ()
    return (*_backup(site), *_machines(site), *_maintenance(site))


def _backup(site: DeploymentSite) -> Iterator[Hindrance]:
    first, restore = site.first, site.restore
    assert restore is not None
    if not isinstance(first.backup, Known):
        cause = first.backup.cause if isinstance(first.backup, Unknown) else "it holds none"
        yield Hindrance(
            Reason.BACKUP_UNUSABLE,
            f"the version in the backup {restore.file} on {first.host} cannot be read: {cause}. Copy there what "
            "engine-backup wrote",
        )
        return
    known = first.appliance_version
    if restore.engine_version is None and isinstance(known, Unknown):
        yield Hindrance(
            Reason.NOT_OBSERVED, f"the version of the appliance on {first.host} is not known: {known.cause}"
        )
        return
    version = restore.engine_version or (known.value if isinstance(known, Known) else "")
    if not version:
        yield Hindrance(
            Reason.BACKUP_UNUSABLE,
            f"{first.host} has not got the package ovirt-engine-appliance, so that its version cannot be compared "
            f"with the backup's, {first.backup.value}. Install it there",
        )
    elif not takes(version, first.backup.value):
        yield Hindrance(
            Reason.BACKUP_UNUSABLE,
            f"the backup is of an engine {first.backup.value}, and the appliance holds {version}. An engine takes "
            "backups of its own version and of the one before. Install the appliance that belongs to the backup",
        )


def takes(engine: str, backup: str) -> bool:
    """Whether an engine takes a backup, by the first two numbers: of its own version, or of the one before.

    What comes after these is compared by engine-backup itself: the appliance's package does not tell it.

    Args:
        engine: Its version.
        backup: Version of the engine in the backup.
    """
    (major, minor), (old_major, old_minor) = _numbers(engine), _numbers(backup)
    return major == old_major and minor - old_minor in (0, 1)


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.partition("-")[0].split(".")[:2]
    return int(major), int(minor)


def _machines(site: DeploymentSite) -> Iterator[Hindrance]:
    """The engine's machine runs on no host, and nothing at all on the first one."""
    for name, node in sorted(site.view.nodes.items()):
        if Role.HYPERVISOR not in node.spec.roles:
            continue
        seen = site.hosts.get(name)
        if not isinstance(seen, HostFacts):
            yield Hindrance(
                Reason.NODE_NOT_READY,
                f"whether the engine's machine runs on {name} is not known; see Node {name}. If the host is gone for "
                "ever, take its role Hypervisor away",
            )
            continue
        running = seen[RUNNING].names
        if isinstance(running, Unknown):
            yield Hindrance(Reason.NOT_OBSERVED, f"the machines that run on {name} are not known: {running.cause}")
        names = running.value if isinstance(running, Known) else ()
        if _ENGINE_MACHINE in names:
            yield Hindrance(Reason.RESTORE_UNSAFE, _refused(site.engine, f"{name} runs the engine's machine"))
        elif names and name == site.first.host:
            yield Hindrance(
                Reason.RESTORE_UNSAFE,
                f"{name} runs {', '.join(names[:5])}. The restored engine would take these for down, and start them a "
                "second time on another host: shut them down first",
            )


def _maintenance(site: DeploymentSite) -> Iterator[Hindrance]:
    """rule:engine-in-global-maintenance: else other hosts start the former machine in the middle of it."""
    agents = [seen[AGENT].status for seen in site.hosts.values() if isinstance(seen, HostFacts)]
    if any(isinstance(status, Known) for status in agents) and global_maintenance(site.hosts) is not True:
        yield Hindrance(
            Reason.RESTORE_UNSAFE,
            "hosts look after the former engine's machine, and would start it again. Run `hosted-engine "
            "--set-maintenance --mode=global` on one of them",
        )

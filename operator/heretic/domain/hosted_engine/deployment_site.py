"""What a deployment is planned from, once all of it is known; and what was tried before."""

from collections.abc import Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.engine_restore import EngineRestore
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.site import LATER
from heretic.domain.errors import Reason, unobserved
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.hosted_engine.agent import AGENT
from heretic.domain.hosted_engine.deploy_steps import DEPLOY_JOB, job_name
from heretic.domain.hosted_engine.first_host import FirstHost, first_node, is_to_be_restored
from heretic.domain.hosted_engine.prechecks import DeploymentGround
from heretic.domain.hosted_engine.tries import last_try
from heretic.domain.jobs import JobState, Succeeded
from heretic.domain.plan import Blocked, Obstacle, Wait


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

    @property
    def restore(self) -> EngineRestore | None:
        """The restore that is declared and was never done."""
        return self.spec.restore if is_to_be_restored(self.engine) else None

    def job(self, number: int) -> str:
        """The unit of one try of the declared attempt."""
        return job_name(self.spec.attempt, number, self.restore.id if self.restore else "")

    def tried(self, number: int) -> JobState | None:
        """What became of one try of the declared attempt."""
        return self.jobs.get(self.job(number))

    @property
    def last(self) -> JobState | None:
        """What became of the last try of the declared attempt."""
        return last_try(self.jobs, self.job)

    @property
    def once_lived(self) -> bool:
        """Whether there is, or was, an engine, by what was recorded, by what hosts know, or by an earlier job."""
        tried = any(isinstance(job, Succeeded) for job in self.tries.values())
        return bool(self.engine.status.engine_id) or tried or was_deployed(self.hosts, self.first)


def known_site(
    engine: HostedEngine, view: SiteView, hosts: Mapping[str, HostView], first: Fact[FirstHost]
) -> DeploymentSite | Obstacle:
    """What a deployment is planned from; an obstacle while something of it is not known.

    Args:
        engine: What is declared; of deployment SelfHosted.
        view: The declared site.
        hosts: What is known of the hosts that may run its machine.
        first: What the host says on which it is deployed.
    """
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


def was_deployed(hosts: Mapping[str, HostView], first: FirstHost) -> bool:
    """Whether any host knows of an engine, so that none may be deployed ever again."""
    return first.deployed == Known(True) or any(isinstance(number, Known) for number in numbers(hosts).values())


def numbers(hosts: Mapping[str, HostView]) -> dict[str, Fact[int]]:
    """What each host that was seen says of its number among the hosts of an engine."""
    return {name: seen[AGENT].host_id for name, seen in sorted(hosts.items()) if isinstance(seen, HostFacts)}

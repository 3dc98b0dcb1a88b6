"""What a HostedEngine says of its deployment, until an engine was seen."""

from collections.abc import Mapping
from dataclasses import replace

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.hosted_engine import HostedEngineStatus
from heretic.api.v1alpha1.self_hosted import DeploymentStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact
from heretic.domain.host.facts import HostView
from heretic.domain.hosted_engine.deploy import authority_of, deployment_status
from heretic.domain.hosted_engine.first_host import FirstHost, is_to_be_restored
from heretic.domain.hosted_engine.setup import setup_authority, setup_status
from heretic.domain.hosted_engine.setup_machine import SetupMachine
from heretic.domain.plan import Blocked, Plan, Proceed, Wait
from heretic.domain.report import Report


def with_deployment(
    report: Report,
    engine: HostedEngine,
    view: SiteView,
    hosts: Mapping[str, HostView],
    first: Fact[FirstHost],
    plan: Plan,
    *,
    up: bool,
) -> Report:
    """The report of an engine that Heretic deploys.

    Until an engine was seen, the condition EngineUp tells how far the deployment is and all that is in its way, and the
    authority of the engine that is coming up is recorded, so that nobody has to pin it.

    Args:
        report: Of the engine.
        engine: With its last status.
        view: The declared site.
        hosts: What is known of the hosts that may run its machine.
        first: What the host says on which it is deployed.
        plan: What is done next.
        up: Whether the engine was seen.
    """
    status = report.status
    assert isinstance(status, HostedEngineStatus)
    if status.engine_id and not is_to_be_restored(engine):
        return _deployed(report, status)
    deployment = deployment_status(engine, view, hosts, first)
    authority = authority_of(hosts, first) or status.certificate_authority
    if up:
        return replace(report, status=status.model_copy(update={"deployment": deployment}))
    return _on_its_way(report, deployment, authority, plan)


def with_setup(report: Report, engine: HostedEngine, machine: Fact[SetupMachine], plan: Plan) -> Report:
    """Likewise, of an engine that Heretic sets up on a machine of its own.

    Args:
        report: Of the engine.
        engine: With its last status.
        machine: What the machine says.
        plan: What is done next.
    """
    status = report.status
    assert isinstance(status, HostedEngineStatus)
    if status.engine_id:
        return _deployed(report, status)
    authority = setup_authority(machine) or engine.status.certificate_authority
    return _on_its_way(report, setup_status(engine, machine), authority, plan)


def _deployed(report: Report, status: HostedEngineStatus) -> Report:
    done = status.deployment.model_copy(update={"stage": "deployed", "percent": 100, "failure": ""})
    return replace(report, status=status.model_copy(update={"deployment": done}))


def _on_its_way(report: Report, deployment: DeploymentStatus, authority: str, plan: Plan) -> Report:
    status = report.status
    assert isinstance(status, HostedEngineStatus)
    shown = f"{deployment.stage}, {deployment.percent}%" if deployment.percent is not None else deployment.stage
    return replace(
        report,
        status=status.model_copy(update={"deployment": deployment, "certificate_authority": authority}),
        conditions=tuple(_instead(condition, plan) for condition in report.conditions),
        summary=report.summary or shown,
    )


def _instead(condition: Condition, plan: Plan) -> Condition:
    if condition.type is not ConditionType.ENGINE_UP:
        return condition
    match plan:
        case Proceed(steps):
            return replace(condition, state=State.FALSE, reason=Reason.WORK_IN_PROGRESS, message=steps[0].why)
        case Wait() | Blocked():
            state = condition.state if plan.reason is condition.reason else State.FALSE
            return replace(condition, state=state, reason=plan.reason, message=plan.message)
        case _:
            return condition

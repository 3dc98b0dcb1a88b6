"""What a HostedEngine says of its version."""

from dataclasses import replace

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.engine_upgrade import EngineUpgradeStatus
from heretic.api.v1alpha1.hosted_engine import HostedEngineStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known
from heretic.domain.hosted_engine.backup.look import MachineFacts
from heretic.domain.hosted_engine.upgrade.judged import JudgedUpgrade
from heretic.domain.plan import first_obstacle
from heretic.domain.report import Report


def with_upgrade(report: Report, engine: HostedEngine, judged: JudgedUpgrade, machine: Fact[MachineFacts]) -> Report:
    """The report with what is known of an upgrade.

    Args:
        report: Of the engine.
        engine: The object.
        judged: Of its version.
        machine: What its machine says.
    """
    status, declared = report.status, engine.spec.upgrade
    assert isinstance(status, HostedEngineStatus)
    offered = machine.value.offered if isinstance(machine, Known) else None
    told = EngineUpgradeStatus()
    if declared is not None or judged.stage:
        told = EngineUpgradeStatus(
            version=declared.version if declared else engine.status.upgrade.version,
            stage=judged.stage,
            offered=offered.value if isinstance(offered, Known) else engine.status.upgrade.offered,
            failure=judged.failure,
        )
    condition = _condition(engine, judged)
    return replace(
        report, status=status.model_copy(update={"upgrade": told}), conditions=(*report.conditions, condition)
    )


def _condition(engine: HostedEngine, judged: JudgedUpgrade) -> Condition:
    kind, declared = ConditionType.ENGINE_UPGRADED, engine.spec.upgrade
    obstacle = first_obstacle(judged.obstacles)
    if declared is None and not judged.active:
        return Condition(kind, State.FALSE, Reason.ENGINE_NOT_DECLARED, "no version is declared (spec.upgrade)")
    if obstacle is not None:
        return Condition(kind, State.FALSE, obstacle.reason, obstacle.message)
    if judged.steps:
        return Condition(kind, State.FALSE, Reason.WORK_IN_PROGRESS, judged.steps[0].why)
    if judged.stage == "done" and declared is not None:
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, f"the engine runs {declared.version}")
    return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, "which version the engine runs was not seen")

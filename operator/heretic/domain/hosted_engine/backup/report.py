"""What a HostedEngine says of its backups."""

from dataclasses import replace
from datetime import datetime, timedelta

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.engine_backup import EngineBackupStatus
from heretic.api.v1alpha1.hosted_engine import HostedEngineStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.hosted_engine.backup.plan import JudgedBackups
from heretic.domain.report import Report

LATE = timedelta(hours=6)
"""How long a backup may be due before the newest one counts as old."""


def with_backups(report: Report, engine: HostedEngine, judged: JudgedBackups, now: datetime | None) -> Report:
    """The report with what is known of backups.

    Args:
        report: Of the engine.
        engine: The object, with its last status.
        judged: Of its backups.
        now: Wall clock; None where it is not known.
    """
    status, fresh = report.status, fresh_condition(engine, judged, now)
    assert isinstance(status, HostedEngineStatus)
    conditions = tuple(_degraded(condition, engine, fresh) for condition in report.conditions)
    told = status.model_copy(update={"backup": _status(engine, judged)})
    return replace(report, status=told, conditions=(*conditions, fresh))


def _status(engine: HostedEngine, judged: JudgedBackups) -> EngineBackupStatus:
    """What was recorded stays while it cannot be looked at."""
    before = engine.status.backup
    if engine.spec.backup is None:
        return EngineBackupStatus()
    if not isinstance(judged.backups, Known):
        return before.model_copy(update={"failure": judged.failure or before.failure})
    newest = judged.newest
    if newest is None:
        return EngineBackupStatus(count=0, failure=judged.failure)
    return EngineBackupStatus(
        taken=f"{newest.name.taken:%Y-%m-%dT%H:%M:%SZ}",
        place=f"{judged.place}/{newest.file}",
        sha256=newest.sha256,
        bytes=newest.size,
        version=newest.name.version,
        count=len(judged.backups.value),
        failure=judged.failure,
    )


def fresh_condition(engine: HostedEngine, judged: JudgedBackups, now: datetime | None) -> Condition:
    """Whether there is a backup as new as the schedule wants it, proved where it is kept.

    Args:
        engine: The object, with its last status.
        judged: Of its backups.
        now: Wall clock; None where it is not known.
    """
    kind = ConditionType.BACKUP_FRESH
    if engine.spec.backup is None:
        return Condition(kind, State.FALSE, Reason.ENGINE_NOT_DECLARED, "no backups are declared (spec.backup)")
    if judged.obstacles:
        first = judged.obstacles[0]
        return Condition(kind, State.FALSE, first.reason, f"{first.message}{_last(engine)}")
    if not judged.place:
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, "the engine was not seen yet")
    if isinstance(judged.backups, Unknown) or now is None:
        cause = judged.backups.cause if isinstance(judged.backups, Unknown) else "the time is not known"
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, f"backups are not known: {cause}{_last(engine)}")
    newest = judged.newest
    said = (
        f"the newest backup is {_age(now - newest.name.taken)} old: {judged.place}/{newest.file}"
        if newest
        else (f"there is no proved backup in {judged.place}")
    )
    if judged.failure:
        return Condition(kind, State.FALSE, Reason.BACKUP_FAILED, f"{judged.failure}; {said}. It is tried every hour")
    if judged.due is None:
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, said)
    why = f"; the engine's machine cannot be asked: {judged.unreached}" if judged.unreached else ""
    since = f"{said}; one is due since {judged.due:%Y-%m-%d %H:%M} UTC{why}"
    if newest is not None and now - judged.due < LATE:
        return Condition(kind, State.TRUE, Reason.WORK_IN_PROGRESS, since)
    begun = newest is None and (judged.at_work or any(step.routine for step in judged.steps))
    return Condition(kind, State.FALSE, Reason.WORK_IN_PROGRESS if begun else Reason.BACKUP_OLD, since)


def _last(engine: HostedEngine) -> str:
    last = engine.status.backup
    return f". The newest that was seen is of {last.taken}: {last.place}" if last.taken else ""


def _age(age: timedelta) -> str:
    """In whole days: a status that changes with every hour is written every hour."""
    match age.days:
        case days if days < 1:
            return "less than a day"
        case 1:
            return "a day"
        case days:
            return f"{days} days"


def _degraded(condition: Condition, engine: HostedEngine, fresh: Condition) -> Condition:
    """An engine without the backups that it shall have works, and is not as it should be."""
    wrong = fresh.state is State.FALSE and fresh.reason not in (Reason.WORK_IN_PROGRESS, Reason.ENGINE_NOT_DECLARED)
    if condition.type is not ConditionType.DEGRADED or not wrong or condition.state is State.UNKNOWN:
        return condition
    if condition.state is State.TRUE:
        return replace(condition, message=f"{condition.message}; {fresh.message}")
    return replace(condition, state=State.TRUE, reason=fresh.reason, message=fresh.message)

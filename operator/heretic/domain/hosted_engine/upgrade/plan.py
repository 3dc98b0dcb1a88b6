"""What to do next for the version of the engine: check, a fresh backup, an approval, maintenance, engine-setup, health.

How far an upgrade is stands on the engine's machine: what a person approved, and what became of the job. The operator
remembers nothing, so an upgrade goes on where it was, and is never begun twice.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.engine_upgrade import EngineUpgrade
from heretic.domain.commands import Probe
from heretic.domain.engine.facts import EngineFacts, EngineHost, EngineView
from heretic.domain.engine.site import LATER, cluster_of, hosts_of
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.hosted_engine.backup.look import MachineFacts
from heretic.domain.hosted_engine.backup.names import BackupName
from heretic.domain.hosted_engine.backup.plan import AGAIN, JudgedBackups
from heretic.domain.hosted_engine.maintenance import able_hosts, live_hosts, plan_maintenance, said_by
from heretic.domain.hosted_engine.upgrade.judged import JudgedUpgrade, Mark, Release, meaningful, release
from heretic.domain.hosted_engine.upgrade.room import ASKED, against_room
from heretic.domain.hosted_engine.upgrade.steps import (
    CHECK_JOB,
    MARK,
    OFFERED,
    BeginUpgrade,
    CheckUpgrade,
    EndUpgrade,
    UpgradeEngine,
    job_name,
)
from heretic.domain.jobs import FailedJob, JobState, LostJob, Running, Succeeded, told
from heretic.domain.plan import Blocked, Obstacle, PlanItem, Wait

FRESH = timedelta(hours=24)
"""How old the proved backup may be with which an upgrade is begun; another one is made right before engine-setup."""

POLL = 15.0
"""Seconds between two looks at an upgrade."""

_MARK = re.compile(r"(\d+\.\d+\.\d+) (\d+) maintenance-(is-ours|stays)")


def runs_declared(engine: HostedEngine) -> bool:
    """Whether the engine, as it was seen last, has the declared version, or none is declared."""
    declared = engine.spec.upgrade
    return declared is None or release(engine.status.version) == release(declared.version)


def is_at_rest(engine: HostedEngine) -> bool:
    """Whether no upgrade is to be begun, or was not ended: then the machine is not asked about versions."""
    return runs_declared(engine) and engine.status.upgrade.stage in ("", "done")


def upgrade_probes(engine: HostedEngine) -> tuple[Probe[object], ...]:
    """What the engine's machine is asked while an upgrade is declared and not over."""
    if is_at_rest(engine):
        return ()
    return (
        Probe("mark", ("cat", MARK), lambda output: Known(output)),
        Probe("offered", OFFERED, lambda output: Known(output), timeout=45),
        Probe("space", ASKED, lambda output: Known(output)),
    )


def judge_upgrade(
    engine: HostedEngine,
    seen: EngineView,
    machine: Fact[MachineFacts],
    backups: JudgedBackups,
    now: datetime | None,
) -> JudgedUpgrade:
    """Judges the version of an engine that was recorded.

    Args:
        engine: The object.
        seen: What is known of the engine.
        machine: What its machine says.
        backups: What is known of its backups.
        now: Wall clock; None where it is not known.
    """
    if not engine.status.engine_id or is_at_rest(engine):
        return JudgedUpgrade(stage="done" if engine.spec.upgrade else "")
    if not isinstance(machine, Known):
        cause = machine.cause if isinstance(machine, Unknown) else "it was not asked"
        before = engine.status.upgrade
        wait = Wait(Reason.NOT_OBSERVED, f"the engine's machine cannot be asked about its upgrade: {cause}", LATER)
        return JudgedUpgrade((wait,), before.stage, active=False, failure=before.failure)
    facts = machine.value
    if isinstance(facts.mark, Unknown) or not isinstance(facts.jobs, Known):
        wait = Wait(Reason.NOT_OBSERVED, "whether an upgrade of the engine is going on is not known", LATER)
        return JudgedUpgrade((wait,), engine.status.upgrade.stage)
    if isinstance(facts.mark, Known):
        return _going_on(engine, seen, facts, facts.mark.value, now)
    if engine.spec.upgrade is None:
        return JudgedUpgrade()
    return _to_begin(engine, engine.spec.upgrade, seen, facts, backups, now)


def _going_on(
    engine: HostedEngine, seen: EngineView, facts: MachineFacts, text: str, now: datetime | None
) -> JudgedUpgrade:
    """An upgrade that a person approved."""
    found = _MARK.fullmatch(text.strip())
    if found is None:
        why = f"the mark of an upgrade on the engine's machine is not understood: {text.strip()[:80]!r}. Remove it"
        return JudgedUpgrade((Blocked(Reason.ENGINE_UPGRADE_FAILED, why),), "not understood", active=True)
    mark = Mark(text.strip(), found[1], int(found[2]), found[3] == "is-ours")
    job = facts.jobs.value.get(mark.job) if isinstance(facts.jobs, Known) else None
    declared = engine.spec.upgrade
    is_meant = declared is not None and (declared.version, declared.attempt) == (mark.version, mark.attempt)
    match job:
        case Running(stage):
            said = stage.partition("Stage:")[2].strip() or stage
            wait = Wait(Reason.WORK_IN_PROGRESS, f"upgrading the engine to {mark.version}: {said or 'begun'}", POLL)
            return JudgedUpgrade((wait,), said or "begun", active=True)
        case Succeeded():
            return _after(engine, seen, mark)
        case _ if not is_meant:
            return _ended(engine, seen, mark, "taken back")
        case FailedJob() | LostJob():
            return _failed(mark, job)
    if release(mark.version) == _running(seen):
        return _after(engine, seen, mark)
    return JudgedUpgrade(tuple(_setup(engine, seen, mark, now)), "global maintenance", active=True)


def _failed(mark: Mark, job: FailedJob | LostJob) -> JudgedUpgrade:
    if isinstance(job, FailedJob):
        said = meaningful(job.tail)
        how = f"{job.why}, and said last: {said}" if said else told(job)
    else:
        how = "was ended by a boot, or by somebody, before it was over"
    left = ". Global maintenance stays on, so that no host restarts the machine meanwhile" if mark.ours else ""
    why = (
        f"the upgrade of the engine to {mark.version} {how}{left}. It is not begun again by itself. See `journalctl -u "
        f"{mark.job}` and /var/log/ovirt-engine/setup on the engine's machine. Mend it there with engine-setup, or "
        "restore the backup; then raise spec.upgrade.attempt, or declare the version that runs"
    )
    return JudgedUpgrade((Blocked(Reason.ENGINE_UPGRADE_FAILED, why),), "failed", active=True, failure=how[:2000])


def _running(seen: EngineView) -> Release | None:
    return release(seen.identity.version) if isinstance(seen, EngineFacts) else None


def _after(engine: HostedEngine, seen: EngineView, mark: Mark) -> JudgedUpgrade:
    """engine-setup has ended well: the engine has to say so itself."""
    if not isinstance(seen, EngineFacts):
        wait = Wait(Reason.ENGINE_NOT_ANSWERING, f"the upgraded engine is waited for: {seen.message}", LATER)
        return JudgedUpgrade((wait,), "waiting for the engine", active=True)
    if _running(seen) != release(mark.version):
        why = (
            f"engine-setup ended well, and the engine says that it is {seen.identity.version}, not {mark.version}. See "
            "its log on the machine, then raise spec.upgrade.attempt, or declare the version that runs"
        )
        return JudgedUpgrade((Blocked(Reason.ENGINE_UPGRADE_FAILED, why),), "failed", active=True, failure=why)
    return _ended(engine, seen, mark, "ending global maintenance")


def _ended(engine: HostedEngine, seen: EngineView, mark: Mark, stage: str) -> JudgedUpgrade:
    """Global maintenance ends where the upgrade began it, and then the mark goes."""
    if mark.ours and engine.spec.global_maintenance is not True:
        if not isinstance(seen, EngineFacts):
            wait = Wait(Reason.ENGINE_NOT_ANSWERING, f"global maintenance is ended later: {seen.message}", LATER)
            return JudgedUpgrade((wait,), stage, active=True)
        hosts = hosts_of(cluster_of(engine, seen), seen)
        item = plan_maintenance(engine, seen, hosts, wanted=False)
        if item is not None:
            return JudgedUpgrade((item,), stage, active=True)
    end = EndUpgrade(
        engine=engine.metadata.name,
        why=f"the upgrade to {mark.version} is over",
        fqdn=engine.spec.fqdn,
        marked=mark.text,
    )
    return JudgedUpgrade((end,), stage, active=True)


def _setup(engine: HostedEngine, seen: EngineView, mark: Mark, now: datetime | None) -> Iterator[PlanItem]:
    """Global maintenance, read back from every host, and then engine-setup (rule:engine-in-global-maintenance)."""
    if not isinstance(seen, EngineFacts) or now is None:
        why = seen.message if not isinstance(seen, EngineFacts) else "the time is not known"
        yield Wait(Reason.WAITING_FOR_ENGINE, f"the upgrade to {mark.version} waits for the engine: {why}", LATER)
        return
    hosts = hosts_of(cluster_of(engine, seen), seen)
    if not isinstance(hosts, Known):
        yield Wait(Reason.NOT_OBSERVED, "the hosts that look after the engine's machine are not known", LATER)
        return
    if able_hosts(hosts.value) and (item := plan_maintenance(engine, seen, hosts, wanted=True)):
        yield item
        return
    yield UpgradeEngine(
        engine=engine.metadata.name,
        why=f"the engine is {seen.identity.version}, {mark.version} is declared and approved",
        declared=f"spec.upgrade, and an approval that is written down on the machine: {mark.text}",
        fqdn=engine.spec.fqdn,
        version=mark.version,
        attempt=mark.attempt,
        marked=mark.text,
        backup=str(BackupName(engine.spec.fqdn, engine.status.version, now)),
    )


def _to_begin(
    engine: HostedEngine,
    declared: EngineUpgrade,
    seen: EngineView,
    facts: MachineFacts,
    backups: JudgedBackups,
    now: datetime | None,
) -> JudgedUpgrade:
    if not isinstance(seen, EngineFacts) or now is None:
        return JudgedUpgrade(stage=engine.status.upgrade.stage)
    running, wanted = _running(seen), release(declared.version)
    if running == wanted:
        return JudgedUpgrade(stage="done")
    if running is None or wanted is None:
        why = f"the engine's version {seen.identity.version!r} is not understood"
        return JudgedUpgrade((Wait(Reason.NOT_OBSERVED, why, LATER),), "waiting")
    if refused := _refused(seen.identity.version, running, declared.version, wanted):
        return JudgedUpgrade((refused,), "refused")
    name = job_name(declared.version, declared.attempt)
    done_before = facts.jobs.value.get(name) if isinstance(facts.jobs, Known) else None
    if done_before is not None and not isinstance(done_before, Running):
        why = (
            f"attempt {declared.attempt} at {declared.version} was made before, and the engine is "
            f"{seen.identity.version}. Raise spec.upgrade.attempt to have it tried again"
        )
        return JudgedUpgrade((Blocked(Reason.ENGINE_UPGRADE_FAILED, why),), "failed", failure=why)
    if items := tuple(_check(engine, declared, facts)):
        return JudgedUpgrade(items, "checking what is offered")
    if items := tuple(_backup(backups, now)):
        return JudgedUpgrade(items, "waiting for a fresh backup")
    if items := tuple(against_room(facts.space, backups.newest.size if backups.newest else 0)):
        return JudgedUpgrade(items, "waiting for room")
    return JudgedUpgrade(tuple(_begin(engine, declared, seen, backups)), "waiting for approval")


def _refused(old: str, running: Release, new: str, wanted: Release) -> Blocked | None:
    if wanted < running:
        why = f"the engine is {old}, and {new} is declared: an engine is never downgraded. Declare what runs"
        return Blocked(Reason.ENGINE_UPGRADE_REFUSED, why)
    if wanted[0] != running[0] or wanted[1] > running[1] + 1:
        why = f"the engine is {old}, and {new} is declared: an engine is upgraded one minor version after the other"
        return Blocked(Reason.ENGINE_UPGRADE_REFUSED, why)
    return None


def _check(engine: HostedEngine, declared: EngineUpgrade, facts: MachineFacts) -> Iterator[PlanItem]:
    """What the repositories offer; they are read by a job, at most once an hour."""
    if facts.offered == Known(declared.version):
        return
    job = facts.jobs.value.get(CHECK_JOB) if isinstance(facts.jobs, Known) else None
    if isinstance(job, Running):
        yield Wait(Reason.WORK_IN_PROGRESS, "the engine's machine reads its repositories", POLL)
        return
    if _is_lately(job):
        offered = facts.offered.value if isinstance(facts.offered, Known) else "nothing that is understood"
        how = f": {told(job)}" if isinstance(job, FailedJob) else ""
        yield Blocked(
            Reason.ENGINE_UPGRADE_NOT_OFFERED,
            f"{declared.version} is declared, and the repositories of the engine's machine offer {offered or 'nothing'}"
            f"{how}. Enable the repository that has it, or declare what is offered",
        )
        return
    yield CheckUpgrade(
        engine=engine.metadata.name,
        why=f"{declared.version} is declared, and whether it is offered is not known",
        fqdn=engine.spec.fqdn,
        version=declared.version,
    )


def _is_lately(job: JobState | None) -> bool:
    match job:
        case Succeeded(seconds) | FailedJob(_, _, seconds) | LostJob(seconds):
            return seconds is None or timedelta(seconds=seconds) < AGAIN
    return False


def _backup(backups: JudgedBackups, now: datetime) -> Iterator[Obstacle]:
    """Nothing is begun without a proved backup (rule:backups-elsewhere)."""
    newest = backups.newest
    if newest is None or now - newest.name.taken > FRESH or backups.failure or backups.obstacles:
        why = f"before the upgrade a fresh backup is made and fetched{_why(backups)}"
        yield Wait(Reason.WAITING_FOR_BACKUP, why, POLL)
    elif backups.at_work:
        yield Wait(Reason.WORK_IN_PROGRESS, "a backup is being made or fetched; the upgrade waits for it", POLL)


def _why(backups: JudgedBackups) -> str:
    if backups.failure:
        return f", and that failed: {backups.failure}"
    if backups.obstacles:
        return f": {backups.obstacles[0].message}"
    return f": {backups.backups.cause}" if isinstance(backups.backups, Unknown) else ""


def _begin(
    engine: HostedEngine, declared: EngineUpgrade, seen: EngineFacts, backups: JudgedBackups
) -> Iterator[PlanItem]:
    hosts = hosts_of(cluster_of(engine, seen), seen)
    if not isinstance(hosts, Known):
        yield Wait(Reason.NOT_OBSERVED, "the hosts that look after the engine's machine are not known", LATER)
        return
    is_off = _is_off(hosts.value)
    if is_off is None:
        why = "whether global maintenance is on is not told by every host that is up; an upgrade waits for that"
        yield Wait(Reason.NOT_OBSERVED, why, LATER)
        return
    assert backups.newest is not None
    yield BeginUpgrade(
        engine=engine.metadata.name,
        why=f"the engine is {seen.identity.version}, and {declared.version} is declared and offered",
        fqdn=engine.spec.fqdn,
        old=seen.identity.version,
        version=declared.version,
        attempt=declared.attempt,
        ours=is_off,
        backup=backups.newest.file,
    )


def _is_off(hosts: tuple[EngineHost, ...]) -> bool | None:
    """Whether global maintenance is off on a self-hosted engine; None while that is not known."""
    if not able_hosts(hosts):
        return False
    said = set(said_by(live_hosts(hosts)).values())
    return None if not said or None in said or len(said) > 1 else said == {False}

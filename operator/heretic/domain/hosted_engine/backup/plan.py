"""What to do next for backups of the engine: make one when it is due, fetch it, keep so many."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Fact, Known, Unknown
from heretic.domain.hosted_engine.backup.look import (
    KeptFacts,
    MachineFacts,
    ProvedBackup,
    authorized,
    backup_job,
    kept_fact,
    machine_fact,
    proved,
)
from heretic.domain.hosted_engine.backup.names import BackupName, last_due
from heretic.domain.hosted_engine.backup.place import BackupPlace, folder_of, place_of
from heretic.domain.hosted_engine.backup.steps import (
    FETCH_JOB,
    PART,
    STAGED,
    AuthorizeBackups,
    BackUpEngine,
    FetchBackup,
    MakeBackupKey,
    MountBackupVolume,
    RemoveOldBackups,
    RemoveStagedBackups,
)
from heretic.domain.jobs import FailedJob, JobState, LostJob, Running, told
from heretic.domain.kind import Observed
from heretic.domain.plan import Blocked, Obstacle, Step

AGAIN = timedelta(hours=1)
"""After a backup that failed, the next one is tried."""

LEAST_ROOM = 2**30
"""Free bytes without which no backup is begun where none is known to be smaller."""

COMMENT = "heretic-engine-backup"
"""Ends the line of authorized_keys that is ours."""


@dataclass(frozen=True, slots=True)
class JudgedBackups:
    """What an observation means for the backups of an engine.

    Attributes:
        place: Where they are kept, for messages; "" = none are declared.
        backups: The proved ones, the oldest first; Unknown = they could not be looked at.
        due: Since when a newer one is due; None where none is, or the time is not known.
        failure: How the last try failed, where none succeeded since.
        unreached: Why the engine's machine cannot be asked; "" = it can.
        at_work: Whether a backup is being made or fetched.
        steps: What to do next.
        obstacles: What is in the way.
    """

    place: str = ""
    backups: Fact[tuple[ProvedBackup, ...]] = NOT_OBSERVED
    due: datetime | None = None
    failure: str = ""
    unreached: str = ""
    at_work: bool = False
    steps: tuple[Step, ...] = ()
    obstacles: tuple[Obstacle, ...] = field(default=())

    @property
    def newest(self) -> ProvedBackup | None:
        """The newest proved one, where they could be looked at."""
        return self.backups.value[-1] if isinstance(self.backups, Known) and self.backups.value else None


def judge_backups(
    engine: HostedEngine, view: SiteView, observed: Observed, newer_than: datetime | None = None
) -> JudgedBackups:
    """Judges the backups of an engine that was recorded.

    Args:
        engine: The object.
        view: The declared site.
        observed: What was seen.
        newer_than: Something else that asks for a backup: from after this time.
    """
    if engine.spec.backup is None or not engine.status.engine_id:
        return JudgedBackups()
    node, folder = folder_of(engine)
    place = place_of(engine, view, observed.hosts, observed.engine)
    shown = f"{node}:{folder}"
    if not isinstance(place, BackupPlace):
        blocked = (place,) if isinstance(place, Blocked) else ()
        return JudgedBackups(shown, Unknown(place.message), obstacles=blocked)
    if not place.is_mounted:
        why = f"{place.source}, on which the engine's backups are kept, is not mounted there"
        mount = MountBackupVolume(host=node, why=why, source=place.source, folder=folder)
        return JudgedBackups(shown, Unknown(f"{place.source} is not mounted on {node}"), steps=(mount,))
    kept = observed.of(kept_fact(node, folder, engine.spec.fqdn))
    if not isinstance(kept, Known):
        return JudgedBackups(shown, Unknown(kept.cause if isinstance(kept, Unknown) else "it was not asked"))
    if not isinstance(kept.value.path, Known) or kept.value.path.value != folder:
        return JudgedBackups(shown, Unknown(f"{shown} is no folder"), obstacles=_no_folder(kept.value, shown))
    machine = observed.of(machine_fact(engine))
    work = _Work(engine, view, place, kept.value, machine, observed.now, newer_than)
    return JudgedBackups(
        shown,
        work.backups,
        work.due,
        work.failure,
        machine.cause if isinstance(machine, Unknown) else "",
        work.at_work,
        tuple(work.steps()),
        tuple(work.obstacles()),
    )


def _no_folder(kept: KeptFacts, shown: str) -> tuple[Obstacle, ...]:
    if isinstance(kept.path, Unknown):
        return ()
    if isinstance(kept.path, Known):
        why = f"{shown} is a link, or leads through one, to {kept.path.value}: declare that folder"
    else:
        why = f"{shown} does not exist: make it, or declare another one"
    return (Blocked(Reason.BACKUP_PLACE_UNFIT, why),)


class _Work:
    """What there is to do, once both ends were asked."""

    def __init__(
        self,
        engine: HostedEngine,
        view: SiteView,
        place: BackupPlace,
        kept: KeptFacts,
        machine: Fact[MachineFacts],
        now: datetime | None,
        newer_than: datetime | None,
    ) -> None:
        assert engine.spec.backup is not None
        self.engine, self.view, self.place, self.kept, self.now = engine, view, place, kept, now
        self.spec = engine.spec.backup
        self.machine = machine.value if isinstance(machine, Known) else MachineFacts()
        self.backups = proved(kept.files, kept.sums, engine.spec.fqdn)
        known = self.backups.value if isinstance(self.backups, Known) else ()
        self.newest = known[-1] if known else None
        self.due = self._due(newer_than)
        self.failure = self._failure()

    def _due(self, newer_than: datetime | None) -> datetime | None:
        if self.now is None or not isinstance(self.backups, Known):
            return None
        since = max(filter(None, (last_due(self.spec.schedule, self.now), newer_than)))
        return since if self.newest is None or self.newest.name.taken < since else None

    def _failure(self) -> str:
        ended = [*self._ended(backup_job(self.machine), "engine-backup on the engine's machine")]
        ended += self._ended(self._fetching(), f"the transfer to {self.place.node}")
        return "; ".join(text for _, text in ended)

    def _ended(self, job: JobState | None, what: str) -> Iterator[tuple[datetime, str]]:
        """A job that failed after the newest backup was taken."""
        if self.now is None or not isinstance(job, FailedJob | LostJob):
            return
        at = self.now - timedelta(seconds=job.seconds or 0.0)
        if self.newest is not None and at <= self.newest.name.taken:
            return
        how = told(job) if isinstance(job, FailedJob) else "was ended by a boot or by somebody"
        yield at, f"{what} {how}"

    @property
    def at_work(self) -> bool:
        """Whether a job makes or fetches a backup."""
        return any(isinstance(job, Running) for job in (backup_job(self.machine), self._fetching()))

    def _fetching(self) -> JobState | None:
        jobs = self.place.facts.jobs
        return jobs.value.get(FETCH_JOB) if isinstance(jobs, Known) else None

    def _may_try(self, job: JobState | None) -> bool:
        """Whether a job may be begun: it does not run, and did not fail a short time ago."""
        if isinstance(job, FailedJob | LostJob):
            return job.seconds is not None and timedelta(seconds=job.seconds) >= AGAIN
        return not isinstance(job, Running)

    def obstacles(self) -> Iterator[Obstacle]:
        """What only a person can change, told while a backup is due."""
        if self.due is None or self._staged() is not None:
            return
        size = self.newest.size if self.newest else 0
        rooms = (("the engine's machine", self.machine.room, 2), (self.place.node, self.kept.room, 1))
        for where, room, times in rooms:
            needed = max(LEAST_ROOM, int(size * 1.1) * times)
            if isinstance(room, Known) and room.value < needed:
                yield Blocked(
                    Reason.BACKUP_NO_ROOM,
                    f"a backup of the engine is due, and {where} has {room.value >> 20} MiB free for it; it takes "
                    f"{needed >> 20} MiB. Make room there",
                )

    def steps(self) -> Iterator[Step]:
        """What to do next; on each side in order."""
        staged = self._staged()
        if staged is not None:
            yield from self._fetch(staged)
        elif self.due is not None and not any(True for _ in self.obstacles()):
            yield from self._make(self.due)
        yield from self._tidy()

    def _staged(self) -> ProvedBackup | None:
        """The newest whole backup on the engine's machine that the host does not keep."""
        there = proved(self.machine.staged, self.machine.sums, self.engine.spec.fqdn)
        known = self.backups.value if isinstance(self.backups, Known) else None
        if not isinstance(there, Known) or known is None:
            return None
        kept = {(one.file, one.sha256) for one in known}
        newest = self.newest.name.taken if self.newest else None
        new = (one for one in reversed(there.value) if newest is None or one.name.taken > newest)
        return next((one for one in new if (one.file, one.sha256) not in kept), None)

    def _make(self, due: datetime) -> Iterator[Step]:
        name = self.engine.metadata.name
        if not isinstance(self.machine.jobs, Known) or not isinstance(self.machine.staged, Known):
            return
        access = tuple(self._access())
        if access:
            yield from access
            return
        if authorized(self.machine.keys) is None or not self._may_try(backup_job(self.machine)):
            return
        assert self.now is not None
        made = BackupName(self.engine.spec.fqdn, self.engine.status.version, self.now)
        why = f"a backup is due since {due:%Y-%m-%d %H:%M} UTC, and the newest is {self._age()}"
        yield BackUpEngine(engine=name, why=why, fqdn=self.engine.spec.fqdn, name=str(made))

    def _age(self) -> str:
        return f"of {self.newest.name.taken:%Y-%m-%d %H:%M} UTC" if self.newest else "not there: there is none"

    def _access(self) -> Iterator[Step]:
        """The host gets a key, and the machine lets it read backups and nothing else."""
        match self.kept.key:
            case Known(key):
                text = authorized(self.machine.keys)
                line = f'restrict,command="internal-sftp -R -d {STAGED}" {key} {COMMENT}'
                if text is not None and line not in text.splitlines():
                    yield self._authorize(text, line)
            case Unknown():
                return
            case _:
                yield MakeBackupKey(host=self.place.node, why="it has no key with which to fetch backups of the engine")

    def _authorize(self, text: str, line: str) -> Step:
        others = [one for one in text.splitlines() if not one.endswith(f" {COMMENT}")]
        return AuthorizeBackups(
            engine=self.engine.metadata.name,
            why=f"{self.place.node} cannot fetch backups from the engine's machine yet",
            fqdn=self.engine.spec.fqdn,
            line=line,
            content="".join(f"{one}\n" for one in (*others, line)),
            replaces_sha256=hashlib.sha256(text.encode()).hexdigest() if isinstance(self.machine.keys, Known) else "",
        )

    def _fetch(self, staged: ProvedBackup) -> Iterator[Step]:
        access = tuple(self._access())
        if access:
            yield from access
            return
        if not isinstance(self.place.facts.jobs, Known) or not self._may_try(self._fetching()):
            return
        spec = self.engine.spec
        yield FetchBackup(
            host=self.place.node,
            why=f"the backup {staged.file} lies on the engine's machine alone",
            name=staged.file,
            folder=self.place.folder,
            sha256=staged.sha256,
            machine=spec.address or spec.fqdn,
            port=spec.ssh.port,
            known_hosts=known_hosts(self.engine, self.view),
        )

    def _tidy(self) -> Iterator[Step]:
        if isinstance(self.backups, Known) and isinstance(self.machine.staged, Known):
            kept = {one.file for one in self.backups.value}
            job, there = backup_job(self.machine), self.machine.staged.value
            over = sorted(n for n in there if n in kept or (n.endswith(PART) and isinstance(job, FailedJob | LostJob)))
            if over and not isinstance(job, Running):
                yield RemoveStagedBackups(
                    engine=self.engine.metadata.name,
                    why="they are kept elsewhere, or are what is left of a backup that failed",
                    declared="spec.backup says where backups are kept, and these were proved there, or are not whole",
                    fqdn=self.engine.spec.fqdn,
                    names=tuple(over),
                )
        if isinstance(self.backups, Known) and len(self.backups.value) > self.spec.keep:
            old, stay = self.backups.value[: -self.spec.keep], self.backups.value[-self.spec.keep :]
            if not isinstance(self._fetching(), Running):
                yield RemoveOldBackups(
                    host=self.place.node,
                    why=f"{len(self.backups.value)} backups of the engine are kept, {self.spec.keep} are declared",
                    declared=f"spec.backup.keep is {self.spec.keep}",
                    folder=self.place.folder,
                    names=tuple(one.file for one in old),
                    newest=stay[-1].file,
                    sha256=stay[-1].sha256,
                    others=tuple(one.file for one in stay[:-1]),
                )


def known_hosts(engine: HostedEngine, view: SiteView) -> str:
    """The keys that the engine's machine may show, as a file known_hosts.

    Args:
        engine: The object.
        view: The declared site.
    """
    address, port = engine.spec.address or engine.spec.fqdn, engine.spec.ssh.port
    place = address if port == 22 else f"[{address}]:{port}"
    keys = engine.spec.host_keys or [engine.status.trusted_host_key]
    lines = [f"{place} {' '.join(key.split()[:2])}" for key in keys if key]
    signers = view.site.spec.ssh.host_certificate_authorities if view.site else []
    lines += [f"@cert-authority {place} {' '.join(key.split()[:2])}" for key in signers]
    return "".join(f"{line}\n" for line in lines)

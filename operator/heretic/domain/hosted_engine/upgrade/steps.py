"""Steps of an upgrade, all on the engine's machine; global maintenance is set through the engine."""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Job, PutFile, Script
from heretic.domain.engine.machine import EngineMachineStep, is_of
from heretic.domain.hosted_engine.backup.steps import BACKUP_JOB, LOG, STAGED, verified_backup
from heretic.domain.jobs import JOB_PREFIX, never_begun, not_at_work
from heretic.domain.plan import Risk

CHECK_JOB = f"{JOB_PREFIX}engine-upgrade-check.service"
UPGRADE_JOB = f"{JOB_PREFIX}engine-upgrade"
MARK = "/var/lib/heretic/engine-upgrade"
"""Says on the engine's machine, for good, which upgrade a person has approved, until it is over."""

ANSWERS = "/run/heretic/engine-upgrade.answers"
ANSWERS_TEXT = """\
# Written by Heretic. What is not answered here has a default, and what has none ends engine-setup.
[environment:default]
OVESETUP_DIALOG/confirmSettings=bool:True
OVESETUP_CORE/engineStop=bool:True
OSETUP_RPMDISTRO/enableUpgrade=bool:True
OSETUP_RPMDISTRO/requireRollback=bool:True
"""

STAGES = r"^\[ INFO  \] Stage: "
"""Lines of engine-setup that tell how far it is (grep)."""

INSTALLED = ("rpm", "--query", "--queryformat", "%{VERSION}", "ovirt-engine")
OFFERED = (
    "dnf",
    "--quiet",
    "--cacheonly",
    "repoquery",
    "--latest-limit=1",
    "--queryformat=%{version}\\n",
    "ovirt-engine-setup",
)
"""The newest version that the repositories offer, as they were when they were read last."""

_HOUR = 3600


def job_name(version: str, attempt: int) -> str:
    """The unit of an upgrade, by which the machine remembers that it was begun.

    Args:
        version: To which.
        attempt: As declared.
    """
    return f"{UPGRADE_JOB}-{version}-{attempt}.service"


@dataclass(frozen=True, kw_only=True)
class CheckUpgrade(EngineMachineStep):
    """Has the engine's machine read its repositories, as a job: does it offer the declared version?

    Attributes:
        version: The declared one.
    """

    verb: ClassVar[str] = "CheckUpgrade"
    routine: ClassVar[bool] = True

    version: str

    def script(self) -> Script:
        """Ends well where that version is offered; it changes nothing but what is known of the repositories."""
        return Script(
            done=(Command(OFFERED, timeout=50, expect=Expect.EQUALS, text=self.version),),
            guards=(is_of(self.fqdn),),
            actions=(Command(("engine-upgrade-check",), timeout=900),),
            job=Job(CHECK_JOB, limit=1000),
        )


@dataclass(frozen=True, kw_only=True)
class BeginUpgrade(EngineMachineStep):
    """Writes down on the engine's machine that its upgrade was approved; nothing of it is begun before.

    An upgrade cannot be taken back but by a restore, so it takes an approval that names it.

    Attributes:
        old: The version that runs.
        version: The declared one.
        attempt: Likewise.
        ours: Whether global maintenance is to be ended afterwards, because it was off before.
        backup: The proved backup that there is of the old version; a newer one voids no approval.
        mark: Where it is written.
    """

    verb: ClassVar[str] = "BeginUpgrade"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    old: str
    version: str
    attempt: int
    ours: bool
    backup: str = field(repr=False)
    mark: str = field(default=MARK, repr=False)

    def script(self) -> Script:
        """Only on the machine of that engine, and where no other upgrade was begun."""
        text = mark_text(self.version, self.attempt, ours=self.ours)
        return Script(
            done=(Command(("grep", "-qxF", text, self.mark)),),
            guards=(is_of(self.fqdn), Command(("test", "!", "-e", self.mark))),
            actions=(PutFile(self.mark, f"{text}\n", mode="0600", replaces_sha256=""),),
        )


def mark_text(version: str, attempt: int, *, ours: bool) -> str:
    """The one line that says which upgrade was approved.

    Args:
        version: To which.
        attempt: As declared.
        ours: Whether global maintenance is to be ended afterwards.
    """
    return f"{version} {attempt} {'maintenance-is-ours' if ours else 'maintenance-stays'}"


@dataclass(frozen=True, kw_only=True)
class UpgradeEngine(EngineMachineStep):
    """Upgrades the engine, as a job: a backup on its own disk, the setup packages, then engine-setup.

    Attributes:
        version: The declared one.
        attempt: Likewise.
        marked: What is written on the machine: a person has approved just this.
        backup: Name of the file with the backup that is made right before.
        mark: Where it is written.
        staged: Where that backup lies, until it is fetched like the others.
        log: Where the backup's log is.
        answers: The file with the answers.
    """

    verb: ClassVar[str] = "UpgradeEngine"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    version: str
    attempt: int
    marked: str
    backup: str
    mark: str = field(default=MARK, repr=False)
    staged: str = field(default=STAGED, repr=False)
    log: str = field(default=LOG, repr=False)
    answers: str = field(default=ANSWERS, repr=False)

    def script(self) -> Script:
        """Is done when the declared version is installed, and its service runs (rule:engine-in-global-maintenance).

        An attempt is begun once, whatever became of it. Setup of another version, which the repositories offer since a
        person approved, is not run.
        """
        name = job_name(self.version, self.attempt)
        return Script(
            done=(
                Command(INSTALLED, expect=Expect.EQUALS, text=self.version),
                Command(("systemctl", "is-active", "ovirt-engine.service"), expect=Expect.EQUALS, text="active"),
            ),
            guards=(
                is_of(self.fqdn),
                Command(("grep", "-qxF", self.marked, self.mark)),
                not_at_work(BACKUP_JOB),
                not_at_work(f"{UPGRADE_JOB}-*"),
                never_begun(name),
            ),
            actions=(
                *verified_backup(self.backup, self.staged, self.log),
                Command(("dnf", "--assumeyes", "upgrade", "ovirt-*setup*"), timeout=_HOUR),
                Command(("rpm", "--query", f"ovirt-engine-setup-{self.version}")),
                PutFile(self.answers, ANSWERS_TEXT, mode="0600"),
                Command(("engine-setup", "--accept-defaults", f"--config-append={self.answers}"), timeout=2 * _HOUR),
            ),
            job=Job(name, limit=4 * _HOUR, stage=STAGES, tail=60),
        )


@dataclass(frozen=True, kw_only=True)
class EndUpgrade(EngineMachineStep):
    """Takes away what says that an upgrade is going on.

    Attributes:
        marked: What is written there.
        mark: Where.
    """

    verb: ClassVar[str] = "EndUpgrade"

    marked: str
    mark: str = field(default=MARK, repr=False)

    def script(self) -> Script:
        """Only that of this upgrade, and not while it runs."""
        return Script(
            done=(Command(("test", "!", "-e", self.mark)),),
            guards=(
                is_of(self.fqdn),
                Command(("grep", "-qxF", self.marked, self.mark)),
                not_at_work(f"{UPGRADE_JOB}-*"),
            ),
            actions=(Command(("rm", "-f", self.mark)),),
        )

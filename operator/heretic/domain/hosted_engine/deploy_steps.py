"""Steps of a deployment. Nothing else in Heretic calls what they call."""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Action, Command, Expect, Job, PutFile, Script, SecretRef
from heretic.domain.hosted_engine.agent import CONFIGURATION
from heretic.domain.hosted_engine.first_host import (
    CHECK_DEPLOYED,
    LOCAL_MACHINE,
    MACHINES,
    RUNNER,
    RUNNING_MACHINES,
    in_brick,
)
from heretic.domain.hosted_engine.stages import TASKS
from heretic.domain.hosted_engine.variables import PASSWORD, PLAYBOOK, PLAYBOOK_TEXT, ROOT_KEY, VARIABLES
from heretic.domain.jobs import JOB_PREFIX, not_at_work
from heretic.domain.plan import HostStep, Risk

DEPLOY_JOB, CLEAN_JOB = f"{JOB_PREFIX}engine-deploy", f"{JOB_PREFIX}engine-clean"
_CLEAN_UP = Command(("ovirt-hosted-engine-cleanup", "-q"), timeout=900)
KEPT = "/var/lib/heretic"
"""Where a host keeps what Heretic has done on it."""

LIMIT = 3 * 3600
"""Seconds for a deployment."""


def job_name(attempt: int, number: int, restore: str = "") -> str:
    """The unit of a try, by which the host remembers that it was made.

    Args:
        attempt: As declared.
        number: Of the tries of this attempt, from 1.
        restore: Id of the restore; "" = a new engine is deployed.
    """
    return f"{DEPLOY_JOB}-{_of(restore)}{attempt}-{number}.service"


def clean_name(attempt: int, restore: str = "") -> str:
    """The unit that cleans up between the tries of an attempt."""
    return f"{CLEAN_JOB}-{_of(restore)}{attempt}.service"


def _of(restore: str) -> str:
    return f"{restore}-" if restore else ""


def never_deployed(brick: str) -> tuple[Command, ...]:
    """Proof that no engine ever was on this host and volume (rule:engine-never-redeployed).

    The folder of the configuration is listed, which has to be there, and so is the brick: a list that could not be read
    proves nothing.
    """
    folder, _, name = CONFIGURATION.rpartition("/")
    return (
        Command(("find", folder, "-maxdepth", "1", "-name", name), expect=Expect.EMPTY),
        Command(in_brick(brick), expect=Expect.EMPTY),
        Command(MACHINES, expect=Expect.LACKS, text="HostedEngine"),
    )


@dataclass(frozen=True, kw_only=True)
class _RunRole(HostStep):
    """Runs oVirt's role hosted_engine_setup on a host, as a job.

    Attributes:
        fqdn: Of the engine.
        brick: Of the engine's volume on this host.
        job: Name of the unit.
        variables: The file that the role is given.
        password: Of the engine's administrator, and of root in its machine.
        root_key: What shall be able to log in as root on the engine's machine.
        backup: The file out of which it is made; "" = it is a new engine.
    """

    fqdn: str
    brick: str
    job: str
    variables: str
    password: SecretRef = field(repr=False)
    root_key: SecretRef = field(repr=False)
    backup: str = ""

    def _guards(self) -> tuple[Command, ...]:
        alone = (
            Command(MACHINES, expect=Expect.LACKS, text=LOCAL_MACHINE),
            not_at_work(f"{DEPLOY_JOB}-*"),
        )
        return (*alone, *_restorable(self.backup)) if self.backup else alone

    def _actions(self) -> tuple[Action, ...]:
        return (
            PutFile(PLAYBOOK, PLAYBOOK_TEXT, mode="0600"),
            PutFile(VARIABLES, self.variables, mode="0600"),
            PutFile(PASSWORD, self.password, mode="0600", secret=True),
            PutFile(ROOT_KEY, self.root_key, mode="0600"),
            Command((*RUNNER, "--inventory", "localhost,", "--extra-vars", f"@{VARIABLES}", PLAYBOOK), timeout=LIMIT),
        )

    def _job(self) -> Job:
        return Job(self.job, limit=LIMIT + 60, stage=TASKS, tail=60)


def _restorable(backup: str) -> tuple[Command, ...]:
    """The restored engine takes for down what runs on this host, and would start it on another one a second time."""
    return (Command(("test", "-s", backup)), Command(RUNNING_MACHINES, expect=Expect.EMPTY))


@dataclass(frozen=True, kw_only=True)
class DeployEngine(_RunRole):
    """Deploys an engine where none ever was: a new one, or one out of a backup."""

    verb: ClassVar[str] = "DeployEngine"

    def script(self) -> Script:
        """Starts it where it is proved once more, on the host, that no engine ever was."""
        return Script(
            done=(Command(CHECK_DEPLOYED),),
            guards=(*never_deployed(self.brick), *self._guards()),
            actions=self._actions(),
            job=self._job(),
        )


@dataclass(frozen=True, kw_only=True)
class RestoreEngine(_RunRole):
    """Deploys an engine out of a backup where one once lived, and takes away first what the host knows of that.

    The volume of the former engine is not touched: the new one's is empty. It needs an approval; the second try is
    covered by that of the first, of which the host keeps the record.

    Attributes:
        restore: Id of the restore.
    """

    verb: ClassVar[str] = "RestoreEngine"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    restore: str

    def script(self) -> Script:
        """Starts it where nothing runs on the host and nothing lies on the volume. A file tells that it was done."""
        done = f"{KEPT}/engine-restored-{self.restore}"
        return Script(
            done=(Command(("test", "-e", done)),),
            guards=(Command(in_brick(self.brick), expect=Expect.EMPTY), *self._guards()),
            actions=(_CLEAN_UP, *self._actions(), PutFile(done, f"{self.job}\n", mode="0600")),
            job=self._job(),
        )


@dataclass(frozen=True, kw_only=True)
class CleanAfterFailedDeployment(HostStep):
    """Takes away what a failed deployment left on a host on which no engine ever was.

    The deployment itself declares it: what is taken away was made by it, and guards prove that there is no engine.

    Attributes:
        brick: Of the engine's volume on this host.
        job: Name of the unit.
    """

    verb: ClassVar[str] = "CleanAfterFailedDeployment"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    brick: str
    job: str

    def script(self) -> Script:
        """Calls oVirt's own program for it."""
        return Script(
            done=(Command(MACHINES, expect=Expect.LACKS, text=LOCAL_MACHINE), Command(("test", "!", "-e", PASSWORD))),
            guards=never_deployed(self.brick),
            actions=(
                _CLEAN_UP,
                Command(("rm", "-f", PASSWORD, VARIABLES, PLAYBOOK, ROOT_KEY)),
            ),
            job=Job(self.job),
        )

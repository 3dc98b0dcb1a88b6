"""The step that sets an engine up on a machine of its own. Nothing else in Heretic calls engine-setup for that."""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Job, PutFile, Script, SecretRef
from heretic.domain.engine.machine import EngineMachineStep, is_of
from heretic.domain.hosted_engine.setup_machine import DONE, TRACES
from heretic.domain.hosted_engine.variables import FOLDER, PASSWORD
from heretic.domain.jobs import JOB_PREFIX, not_at_work

SETUP_JOB = f"{JOB_PREFIX}engine-setup"
ANSWERS = f"{FOLDER}/answers"
STAGES = r"^\[ INFO  \] Stage: "
"""Lines that tell how far it is; for grep."""

LIMIT = 7200
"""Seconds for a setup."""


def setup_name(attempt: int, number: int) -> str:
    """The unit of a try, by which the machine remembers that it was made.

    Args:
        attempt: As declared.
        number: Of the tries of this attempt, from 1.
    """
    return f"{SETUP_JOB}-{attempt}-{number}.service"


@dataclass(frozen=True, kw_only=True)
class SetUpEngine(EngineMachineStep):
    """Runs engine-setup on a machine on which no engine is, as a job. It asks nobody anything.

    Attributes:
        job: Name of the unit.
        answers: The file of answers; no secret is among them.
        password: Of the engine's administrator.
    """

    verb: ClassVar[str] = "SetUpEngine"

    job: str
    answers: str
    password: SecretRef = field(repr=False)

    def script(self) -> Script:
        """Starts it where the machine lists what a setup leaves, and there is nothing of it.

        The password is read by the program as a second file of answers, which is in memory and made there.
        """
        # The program reads both files as ConfigParser does, to which a percent sign is the beginning of a reference.
        as_answer = r"s|%|%%|g;1s|^|[environment:default]\nOVESETUP_CONFIG/adminPassword=str:|"
        appended = (f"--config-append={ANSWERS}", f"--config-append={PASSWORD}")
        return Script(
            done=(Command(("test", "-e", DONE)), is_of(self.fqdn)),
            guards=(Command(TRACES, expect=Expect.EMPTY), not_at_work(f"{SETUP_JOB}-*")),
            actions=(
                PutFile(ANSWERS, self.answers, mode="0600"),
                PutFile(PASSWORD, self.password, mode="0600", secret=True),
                Command(("sed", "-i", as_answer, PASSWORD)),
                Command(("env", "LC_ALL=C.UTF-8", "engine-setup", "--offline", *appended), timeout=LIMIT),
                Command(("rm", "-f", PASSWORD, ANSWERS)),
            ),
            job=Job(self.job, limit=LIMIT + 60, stage=STAGES, tail=60),
        )


@dataclass(frozen=True, kw_only=True)
class ForgetSetupPassword(EngineMachineStep):
    """Removes the password that a setup was given and did not remove, because it failed before."""

    verb: ClassVar[str] = "ForgetSetupPassword"

    def script(self) -> Script:
        """Not while a setup reads it. There may be no engine, so nothing proves whose machine it is but its key."""
        files = (PASSWORD, ANSWERS)
        return Script(
            done=tuple(Command(("test", "!", "-e", file)) for file in files),
            guards=(not_at_work(f"{SETUP_JOB}-*"),),
            actions=(Command(("rm", "-f", *files)),),
        )

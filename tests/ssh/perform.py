"""Small steps on a host, simulated or real, for the contract tests."""

from heretic.domain.commands import Action, Command, Job, Script
from heretic.domain.errors import Reason
from heretic.domain.plan import Failed, StepResult
from sim.admission import Anybody
from ssh.targets import Target

TRUE = Command(("true",))
FALSE = Command(("false",))
HANGS = Command(("sleep", "30"), timeout=1)


async def perform(
    target: Target,
    *actions: Action,
    done: tuple[Command, ...],
    guards: tuple[Command, ...] = (),
    job: Job | None = None,
    admission: Anybody | None = None,
) -> StepResult:
    return await target.hosts.perform(
        target.settings, Script(done, actions, guards, job), admission=admission or Anybody()
    )


def exists(target: Target, name: str) -> Command:
    return Command(("test", "-e", target.path(name)))


def touch(target: Target, name: str) -> Command:
    return Command(("touch", target.path(name)))


def failure(result: StepResult, reason: Reason) -> str:
    assert isinstance(result, Failed), result
    assert result.failure.reason is reason, result
    assert result.failure.message.startswith("node1: ")
    return result.failure.message

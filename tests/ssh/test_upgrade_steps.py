"""Upgrades of an engine by real shells, over SSH; programs of oVirt and of packages are stand-ins."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from heretic.domain.commands import Probe, Script
from heretic.domain.engine.machine import EngineMachineStep
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.parse.jobs import parse_jobs, states
from heretic.domain.hosted_engine.backup.steps import BACKUP_JOB, STAGED
from heretic.domain.hosted_engine.upgrade.judged import meaningful
from heretic.domain.hosted_engine.upgrade.steps import (
    ANSWERS,
    CHECK_JOB,
    MARK,
    BeginUpgrade,
    CheckUpgrade,
    EndUpgrade,
    UpgradeEngine,
    job_name,
    mark_text,
)
from heretic.domain.jobs import RECORDS, FailedJob, JobState
from heretic.domain.plan import Done, Failed, Started, StepResult
from heretic.hosts import Hosts
from sim.admission import Anybody
from ssh.engine_machine import FQDN, EngineMachine
from ssh.targets import SHELLS, ShellServer, ShellTarget

JOB, MARKED = job_name("4.5.8", 1), mark_text("4.5.8", 1, ours=True)
BACKUP = f"{FQDN}_4.5.7_20261128T060000Z.backup"
CHECK = CheckUpgrade(engine="engine", why="", fqdn=FQDN, version="4.5.8")
BEGIN = BeginUpgrade(
    engine="engine", why="", fqdn=FQDN, old="4.5.7", version="4.5.8", attempt=1, ours=True, backup=BACKUP
)
UPGRADE = UpgradeEngine(engine="engine", why="", fqdn=FQDN, version="4.5.8", attempt=1, marked=MARKED, backup=BACKUP)
END = EndUpgrade(engine="engine", why="", fqdn=FQDN, marked=MARKED)
STEPS: dict[str, EngineMachineStep] = {step.verb: step for step in (CHECK, BEGIN, UPGRADE, END)}


class Rig(ShellTarget):
    """The engine's machine behind an SSH server."""

    def __init__(self, hosts: Hosts, server: ShellServer) -> None:
        super().__init__(hosts, server)
        self.machine = EngineMachine(server)

    async def send(self, script: Script) -> StepResult:
        return await self.hosts.perform(self.settings, script, admission=Anybody())

    async def perform(self, step: EngineMachineStep) -> StepResult:
        return await self.send(step.script())

    async def once_more(self, step: EngineMachineStep) -> StepResult:
        """The same step over a new connection, after one that broke."""
        async with asyncio.timeout(10):
            while True:
                result = await self.perform(step)
                if not (isinstance(result, Failed) and result.failure.reason is Reason.CONNECTION_LOST):
                    return result
                await asyncio.sleep(0.02)

    async def told(self, unit: str) -> JobState | None:
        """What the machine tells of a job."""
        batch = await self.hosts.probe(self.settings, [Probe("jobs", ("@jobs",), parse_jobs)])
        found = states(Known({}), parse_jobs(batch.outputs["jobs"]), None)
        assert isinstance(found, Known), found
        return found.value.get(unit)

    def file(self, path: str) -> str:
        found = self.machine.kept(path)
        return found.read_text() if found.exists() else ""


@pytest.fixture(params=list(SHELLS.values()), ids=list(SHELLS))
async def rig(request: pytest.FixtureRequest, hosts: Hosts, tmp_path: Path) -> AsyncIterator[Rig]:
    server = ShellServer(shell=request.param, sandbox=tmp_path)
    server.prepare()
    await server.start()
    yield Rig(hosts, server)
    await hosts.close()
    await server.stop()


async def test_an_engine_is_checked_marked_upgraded_and_the_mark_taken_away_each_once(rig: Rig) -> None:
    rig.machine.write("offered", "4.5.7\n")
    assert await rig.perform(CHECK) == Started(CHECK_JOB)
    assert await rig.finish_job(CHECK_JOB) == "inactive"
    assert await rig.perform(CHECK) == Done(changed=False)
    assert [await rig.perform(BEGIN) for _ in range(2)] == [Done(changed=True), Done(changed=False)]
    assert (rig.file(MARK), rig.machine.kept(MARK).stat().st_mode & 0o777) == (f"{MARKED}\n", 0o600)
    assert await rig.perform(UPGRADE) == Started(JOB)
    assert rig.machine.did == []
    assert await rig.finish_job(JOB) == "inactive"
    assert rig.machine.did == ["backup", "verify", "dnf", "setup"]
    assert rig.file(f"{STAGED}/{BACKUP}") == "backup\n"
    assert "requireRollback=bool:True" in rig.file(ANSWERS)
    assert await rig.perform(UPGRADE) == Done(changed=False)
    assert rig.starts(JOB) == 1
    assert [await rig.perform(END) for _ in range(2)] == [Done(changed=True), Done(changed=False)]
    assert not rig.machine.kept(MARK).exists()


def other_engine(rig: Rig) -> None:
    rig.machine.set_up_as(f"other.{FQDN}")


def other_mark(rig: Rig) -> None:
    rig.machine.keep(MARK, f"{mark_text('4.5.8', 2, ours=True)}\n")


GUARDS: dict[tuple[str, int], tuple[Callable[[Rig], None], ...]] = {
    ("CheckUpgrade", 1): (lambda rig: rig.machine.write("offered", "4.5.7"), other_engine),
    ("BeginUpgrade", 1): (other_engine,),
    ("BeginUpgrade", 2): (lambda rig: rig.machine.keep(MARK, f"{mark_text('4.5.9', 1, ours=True)}\n"),),
    ("UpgradeEngine", 1): (lambda rig: rig.machine.keep(MARK, MARKED), other_engine),
    ("UpgradeEngine", 2): (other_mark,),
    ("UpgradeEngine", 3): (
        lambda rig: rig.machine.keep(MARK, MARKED),
        lambda rig: rig.machine.at_work(BACKUP_JOB),
    ),
    ("UpgradeEngine", 4): (
        lambda rig: rig.machine.keep(MARK, MARKED),
        lambda rig: rig.machine.at_work(job_name("4.5.8", 7)),
    ),
    ("UpgradeEngine", 5): (
        lambda rig: rig.machine.keep(MARK, MARKED),
        lambda rig: rig.machine.keep(f"{RECORDS}/{JOB}", "act 8 1 boot unit\n"),
    ),
    ("EndUpgrade", 1): (lambda rig: rig.machine.keep(MARK, MARKED), other_engine),
    ("EndUpgrade", 2): (other_mark,),
    ("EndUpgrade", 3): (lambda rig: rig.machine.keep(MARK, MARKED), lambda rig: rig.machine.at_work(JOB)),
}
"""For each guard of each step what stands against it alone."""


def test_every_guard_of_every_step_has_a_situation_of_its_own() -> None:
    assert set(GUARDS) == {
        (verb, number) for verb, step in STEPS.items() for number in range(1, len(step.script().guards) + 1)
    }


@pytest.mark.parametrize(("verb", "number"), GUARDS, ids=[f"{verb} {number}" for verb, number in GUARDS])
async def test_each_guard_stops_its_step_and_without_it_nothing_would(rig: Rig, verb: str, number: int) -> None:
    for change in GUARDS[verb, number]:
        change(rig)
    marked = rig.file(MARK)
    script = STEPS[verb].script()
    result = await rig.send(script)
    assert isinstance(result, Failed), result
    assert "the step may not start" in result.failure.message
    assert (rig.machine.did, rig.file(MARK), rig.starts(JOB)) == ([], marked, 0)
    without = replace(script, guards=tuple(one for n, one in enumerate(script.guards, 1) if n != number))
    result = await rig.send(without)
    said = result.failure.message if isinstance(result, Failed) else ""
    assert "the step may not start" not in said, "another guard stands against it, too: this one proves nothing"


@pytest.mark.parametrize(
    ("broken", "said", "did"),
    [
        ({"fails-backup": "tar: No space left on device"}, "No space left on device", ["backup"]),
        ({"fails-verify": "FATAL: the archive is broken"}, "the archive is broken", ["backup", "verify"]),
        ({"fails-dnf": "Error: Not enough free disk space"}, "Not enough free disk", ["backup", "verify", "dnf"]),
        ({"offered": "4.5.9\n"}, "ovirt-engine-setup-4.5.8 is not installed", ["backup", "verify", "dnf"]),
        ({"fails-setup": "[ ERROR ] schema.sh failed"}, "schema.sh failed", ["backup", "verify", "dnf", "setup"]),
        ({"global-maintenance": None}, "not in Global Maintenance", ["backup", "verify", "dnf", "setup"]),
        ({"stays-down": ""}, "", ["backup", "verify", "dnf", "setup"]),
    ],
)
async def test_what_fails_ends_the_attempt_where_it_is_and_is_never_begun_again(
    rig: Rig, broken: dict[str, str | None], said: str, did: list[str]
) -> None:
    rig.machine.keep(MARK, f"{MARKED}\n")
    for name, text in broken.items():
        (rig.machine.folder / name).unlink() if text is None else rig.machine.write(name, text)
    assert await rig.perform(UPGRADE) == Started(JOB)
    assert await rig.finish_job(JOB) == "failed"
    assert rig.machine.did == did
    told = await rig.told(JOB)
    assert isinstance(told, FailedJob)
    assert said in " ".join((told.why, meaningful(told.tail)))
    assert rig.file(MARK) == f"{MARKED}\n", "what a person approved is not forgotten"
    whole = rig.machine.kept(f"{STAGED}/{BACKUP}").exists()
    assert whole is ("dnf" in did), "only a backup that was verified has a name"
    for name in broken:
        (rig.machine.folder / name).unlink(missing_ok=True)
    result = await rig.perform(UPGRADE)
    assert isinstance(result, Failed)
    assert (rig.machine.did, rig.starts(JOB)) == (did, 1)


@pytest.mark.parametrize("verb", STEPS)
async def test_a_reply_that_is_lost_is_no_second_effect(rig: Rig, verb: str) -> None:
    if verb in ("UpgradeEngine", "EndUpgrade"):
        rig.machine.keep(MARK, f"{MARKED}\n")
    if verb == "CheckUpgrade":
        rig.machine.write("offered", "4.5.7\n")
    rig.server.faults.drop_after = 1
    assert isinstance(await rig.perform(STEPS[verb]), Failed)
    assert rig.server.faults.drop_after == 0
    again = await rig.once_more(STEPS[verb])
    match verb:
        case "BeginUpgrade" | "EndUpgrade":
            assert again == Done(changed=False)
        case _:
            job = CHECK_JOB if verb == "CheckUpgrade" else JOB
            assert (again, rig.starts(job)) == (Started(job), 1)
    assert rig.file(MARK) == ("" if verb in ("CheckUpgrade", "EndUpgrade") else f"{MARKED}\n")


async def test_what_a_killed_job_left_does_not_let_the_next_attempt_take_it_for_whole(rig: Rig) -> None:
    rig.machine.keep(MARK, f"{MARKED}\n")
    rig.machine.keep(f"{STAGED}/{BACKUP}.part", "half")
    assert await rig.perform(UPGRADE) == Started(JOB)
    assert await rig.finish_job(JOB) == "inactive"
    assert [path.name for path in rig.machine.kept(STAGED).iterdir()] == [BACKUP]

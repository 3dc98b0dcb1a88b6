"""An engine is made out of a backup once: where none ever was by the declaration, where one lived by an approval."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from heretic.domain.commands import SecretRef
from heretic.domain.errors import NeedsUser, Reason, Transient
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.hosted_engine.agent import AGENT, CONFIGURATION
from heretic.domain.hosted_engine.deploy import plan_deployment
from heretic.domain.hosted_engine.deploy_steps import DeployEngine, RestoreEngine, clean_name, job_name
from heretic.domain.hosted_engine.first_host import LOCAL_MACHINE, FirstHost
from heretic.domain.hosted_engine.restore import takes
from heretic.domain.hosted_engine.running import RUNNING, RunningMachines
from heretic.domain.jobs import FailedJob, JobState, LostJob, Succeeded
from heretic.domain.plan import Blocked, HostStep, Plan, Risk, Wait, steps_of
from sim.addresses import PREFIX
from sim.deployment import DOMAIN, Deployer, silent_engine
from sim.engine.server import EngineServer
from sim.host_tools import storage_machine
from sim.machine import File
from sim.world import Recorder
from unit.hosted_engine.deploying import KEY, Deployment, spec, undeployed
from unit.hosted_engine.test_deploy_plan import AWAY, BRICK, FAILED, deploying, verdict
from unit.hosted_engine.test_deploy_plan import site as declared_site
from unit.hosted_engine.test_prechecks import FIRST as HOST

FILE = "/root/engine.backup"
RESTORE = {"id": "flood", "file": FILE}
ONE, TWO, CLEAN = job_name(1, 1, "flood"), job_name(1, 2, "flood"), clean_name(1, "flood")
APPROVE = "hvp.ovirt.life/approve"
GOOD = replace(HOST, backup=Known("4.5.7"), appliance_version=Known("4.5"))
LIVED = {"engineId": "e-1"}
NOTHING: RunningMachines = RunningMachines(Known(()))


def planned(
    first: FirstHost = GOOD,
    why: Transient | NeedsUser = AWAY,
    *,
    running: dict[str, RunningMachines] | None = None,
    lost: str = "",
    jobs: dict[str, JobState] | None = None,
    status: dict[str, Any] | None = None,
    **more: Any,
) -> Plan:
    """What is done of a restore, unless something is changed."""
    engine, view, hosts = declared_site(jobs=jobs, status=status, **({"restore": RESTORE} | more))
    for name, seen in hosts.items():
        assert isinstance(seen, HostFacts)
        found = (running or {}).get(name, NOTHING)
        hosts[name] = replace(seen, sections={AGENT.name: seen[AGENT], RUNNING.name: found})
    if lost:
        hosts[lost] = Transient(Reason.UNREACHABLE, "no answer")
    return plan_deployment(engine, view, hosts, Known(first), why)


@pytest.mark.parametrize(
    ("made", "step", "approved", "job"),
    [
        (lambda: planned(), DeployEngine, False, ONE),
        (lambda: planned(jobs={ONE: FAILED}), DeployEngine, False, TWO),
        (lambda: planned(status=LIVED), RestoreEngine, True, ONE),
        (lambda: planned(replace(GOOD, deployed=Known(True))), RestoreEngine, True, ONE),
        (lambda: planned(jobs={job_name(1, 1): Succeeded()}), RestoreEngine, True, ONE),
        (lambda: planned(jobs={job_name(1, 1, "fire"): Succeeded()}, status=LIVED), RestoreEngine, True, ONE),
        (lambda: planned(jobs={ONE: LostJob()}, status=LIVED), RestoreEngine, False, TWO),
        (
            lambda: planned(jobs={ONE: FAILED, TWO: FAILED}, status=LIVED, attempt=2),
            RestoreEngine,
            True,
            job_name(2, 1, "flood"),
        ),
        (lambda: planned(replace(GOOD, machines=Known(("HostedEngine",))), status=LIVED), RestoreEngine, True, ONE),
    ],
)
def test_a_restore_needs_an_approval_exactly_where_an_engine_once_lived(
    made: Callable[[], Plan], step: type[HostStep], approved: bool, job: str
) -> None:
    (found,) = steps_of(made())
    assert isinstance(found, DeployEngine | RestoreEngine)
    assert (type(found), found.needs_approval, found.job, found.backup) == (step, approved, job, FILE)
    told = json.loads(found.variables)
    assert (told["he_restore_from_file"], told["he_remove_appliance_rpm"]) == (FILE, False)


@pytest.mark.parametrize(
    ("made", "kind", "reason", "said"),
    [
        (lambda: planned(replace(GOOD, backup=Unknown("tar: Cannot open"))), Blocked, Reason.BACKUP_UNUSABLE, FILE),
        (lambda: planned(replace(GOOD, backup=Known("4.6.1"))), Blocked, Reason.BACKUP_UNUSABLE, "holds 4.5"),
        (lambda: planned(replace(GOOD, backup=Known("4.3.10"))), Blocked, Reason.BACKUP_UNUSABLE, "4.3.10"),
        (
            lambda: planned(replace(GOOD, appliance_version=Absent())),
            Blocked,
            Reason.BACKUP_UNUSABLE,
            "Install it there",
        ),
        (lambda: planned(replace(GOOD, appliance_version=Unknown("slow"))), Wait, Reason.NOT_OBSERVED, "slow"),
        (
            lambda: planned(
                replace(GOOD, backup=Known("4.5.1")),
                restore=RESTORE | {"engineVersion": "4.4"},
                appliance="/root/a.ova",
            ),
            Blocked,
            Reason.BACKUP_UNUSABLE,
            "holds 4.4",
        ),
        (
            lambda: planned(running={"node3": RunningMachines(Known(("HostedEngine",)))}, status=LIVED),
            Blocked,
            Reason.RESTORE_UNSAFE,
            "node3 runs the engine's machine",
        ),
        (
            lambda: planned(running={"node1": RunningMachines(Known(("mail",)))}, status=LIVED),
            Blocked,
            Reason.RESTORE_UNSAFE,
            "node1 runs mail",
        ),
        (
            lambda: planned(running={"node1": RunningMachines(Known(("mail",)))}),
            Blocked,
            Reason.RESTORE_UNSAFE,
            "second time",
        ),
        (
            lambda: planned(running={"node2": RunningMachines(Unknown("no answer"))}, status=LIVED),
            Wait,
            Reason.NOT_OBSERVED,
            "node2",
        ),
        (lambda: planned(lost="node3", status=LIVED), Blocked, Reason.NODE_NOT_READY, "node3"),
        (
            lambda: planned(replace(GOOD, domain=Known((DOMAIN,))), status=LIVED),
            Blocked,
            Reason.ENGINE_VOLUME_NOT_EMPTY,
            DOMAIN,
        ),
        (
            lambda: planned(why=NeedsUser(Reason.ENGINE_LOGIN_REFUSED, "no"), status=LIVED),
            Blocked,
            Reason.RESTORE_UNSAFE,
            "something answers",
        ),
        (
            lambda: planned(why=Transient(Reason.ENGINE_NOT_ANSWERING, "503"), status=LIVED),
            Wait,
            Reason.ENGINE_NOT_ANSWERING,
            "503",
        ),
        (
            lambda: planned(why=NeedsUser(Reason.CREDENTIALS_MISSING, "make it"), status=LIVED),
            Blocked,
            Reason.CREDENTIALS_MISSING,
            "make it",
        ),
        (lambda: planned(jobs={ONE: Succeeded()}, status=LIVED), Wait, Reason.ENGINE_UNREACHABLE, ""),
        (lambda: planned(jobs={ONE: FAILED, TWO: FAILED}, status=LIVED), Blocked, Reason.DEPLOYMENT_FAILED, "attempt"),
        (
            lambda: planned(replace(GOOD, deployed=Known(True)), jobs={ONE: FailedJob("exited 2")}, status=LIVED),
            Blocked,
            Reason.DEPLOYMENT_FAILED,
            "Nothing is restored over it",
        ),
    ],
)
def test_a_restore_does_not_begin_while_anything_speaks_against_it(
    made: Callable[[], Plan], kind: type[Plan], reason: Reason, said: str
) -> None:
    plan = made()
    assert isinstance(plan, Wait | Blocked), plan
    assert (type(plan), plan.reason) == (kind, reason), plan.message
    assert said in plan.message


def test_what_a_failed_restore_left_is_cleaned_before_the_second_try() -> None:
    left = replace(GOOD, machines=Known((LOCAL_MACHINE,)))
    (step,) = steps_of(planned(left, jobs={ONE: FAILED}, status=LIVED))
    assert (step.verb, getattr(step, "job", "")) == ("CleanAfterFailedDeployment", CLEAN)


@pytest.mark.parametrize(
    ("engine", "backup", "taken"),
    [
        ("4.5", "4.5.7", True),
        ("4.5", "4.4.10.7", True),
        ("4.5-20260101", "4.5.7-1.el9", True),
        ("4.4", "4.5.0", False),
        ("4.5", "4.3.10", False),
        ("5.0", "4.5.7", False),
        ("4.10", "4.9.1", True),
    ],
)
def test_an_engine_takes_a_backup_of_its_own_version_and_of_the_one_before(
    engine: str, backup: str, taken: bool
) -> None:
    assert takes(engine, backup) is taken


@pytest.fixture
def host() -> Deployer:
    machine = storage_machine("node1")
    machine.jobs_finish_at_once = False
    machine.files[FILE] = File("backup 4.5.7")
    machine.files[CONFIGURATION] = File("host_id=1\n")
    return Deployer(machine, EngineServer(), {}, {})


STEP = RestoreEngine(
    host="node1",
    why="",
    fqdn="e",
    brick=BRICK,
    job=ONE,
    variables="{}",
    password=SecretRef("heretic-engine", "password"),
    root_key=SecretRef("heretic-ssh", "ssh-privatekey", public=True),
    backup=FILE,
    restore="flood",
)


@pytest.mark.parametrize(
    "change",
    [
        lambda host: host.domain.append(DOMAIN),
        lambda host: host.running.append("HostedEngine"),
        lambda host: host.running.append("mail"),
        lambda host: host.libvirt.append(LOCAL_MACHINE),
        lambda host: host.machine.files.pop(FILE),
        deploying,
    ],
    ids=["a domain", "the engine's machine runs", "a guest runs", "a temporary machine", "no backup", "another one"],
)
def test_each_guard_of_a_restore_stops_it_on_the_host(host: Deployer, change: Callable[[Deployer], object]) -> None:
    change(host)
    assert verdict(host, STEP).startswith("guard")
    assert (host.cleaned, ONE in host.machine.job_starts) == (0, False)


def test_a_restore_that_was_done_is_done_for_good_on_the_host(host: Deployer) -> None:
    assert STEP.risk is Risk.DESTRUCTIVE
    assert verdict(host, STEP).startswith("started")
    host.machine.job_starts.clear()
    host.machine.jobs.clear()
    host.machine.files["/var/lib/heretic/engine-restored-flood"] = File("")
    assert verdict(host, STEP).startswith("unchanged")
    assert host.machine.job_starts == []


@pytest.fixture
def server() -> Iterator[EngineServer]:
    with silent_engine() as server:
        yield server


@pytest.fixture
async def site(server: EngineServer) -> AsyncIterator[Deployment]:
    async with undeployed(server) as found:
        found.first.machine.files[FILE] = File("backup 4.5.7")
        yield found


def dies(site: Deployment) -> None:
    """The engine's machine and its volume are lost; a person has emptied the volume and set global maintenance."""
    site.server.stop()
    site.first.running.clear()
    site.first.libvirt.clear()
    site.first.domain.clear()
    site.first.maintenance = True


async def lived(site: Deployment) -> dict[str, str]:
    """An engine lives, then it dies, and its restore is declared.

    Returns:
        The engine's ids of its hosts, by address.
    """
    await site.run()
    assert site.says("Ready")["status"] == "True"
    before = ids(site)
    dies(site)
    site.world.api.apply(spec(site.server, restore=RESTORE))
    return before


def ids(site: Deployment) -> dict[str, str]:
    return {host.address: host.id for host in site.server.engine.state.hosts.values()}


async def approve(site: Deployment) -> None:
    await site.run(1)
    assert site.says("Ready")["status"] == "False"
    plan = site.status["plan"]
    assert [step["verb"] for step in plan["steps"]] == ["RestoreEngine"]
    site.world.api.patch(KEY, annotations={APPROVE: plan["hash"]})


async def test_an_engine_that_died_is_restored_by_an_approval_and_its_hosts_are_the_same_as_before(
    site: Deployment,
) -> None:
    before = await lived(site)
    await site.run(3)
    assert (site.starts[1:], site.first.cleaned) == ([], 0), "nothing is done without a person's word"
    await approve(site)
    await site.run()
    assert site.starts[1:] == [ONE], site.world.describe()
    assert site.says("Ready")["status"] == "True", site.world.describe()
    assert (site.status["deployment"]["restored"], site.first.cleaned) == ("flood", 1)
    assert site.first.told[1]["he_restore_from_file"] == FILE
    after = ids(site)
    assert {at for at in before if before[at] == after[at]} == {f"{PREFIX}12", f"{PREFIX}13"}
    for node in site.hosts:
        assert site.world.condition("Node", node, "EngineMember")["status"] == "True"
        number = site.world.api.objects[KEY._replace(kind="Node", name=node)]["spec"]["address"]
        stored = site.world.api.objects[KEY._replace(kind="Node", name=node)]["status"]["engine"]["id"]
        assert stored == after[number]
    dies(site)
    await site.run(2)
    assert site.starts[1:] == [ONE], "a restore is done once"


async def test_out_of_a_backup_an_engine_is_deployed_where_none_ever_was(site: Deployment) -> None:
    site.world.api.apply(spec(site.server, restore=RESTORE))
    await site.run_until_seen()
    await site.run(1)
    assert (site.starts, site.first.cleaned) == ([ONE], 0)
    assert site.status["deployment"]["restored"] == "flood"


async def test_a_restore_is_refused_while_the_engine_lives(site: Deployment) -> None:
    await site.run_until_seen()
    site.world.api.apply(spec(site.server, restore=RESTORE))
    await site.run(2)
    assert len(site.starts) == 1
    assert site.says("Stalled")["reason"] == "RestoreUnsafe"
    assert site.says("EngineUp")["status"] == "True", "what there is of the engine is kept meanwhile"


async def test_hosts_that_would_start_the_former_machine_again_hold_a_restore(site: Deployment) -> None:
    await lived(site)
    site.first.maintenance = False
    await site.run(2)
    assert site.says("EngineUp")["reason"] == "RestoreUnsafe"
    assert "--set-maintenance --mode=global" in site.says("EngineUp")["message"]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_operator_that_is_killed_at_the_restore_begins_no_second_one(site: Deployment, moment: str) -> None:
    await lived(site)
    await approve(site)
    await site.world.kill_operator()
    await site.world.start_operator(Recorder(1, moment))
    assert await site.world.run_mortal(lambda: site.run(2))
    await site.world.start_operator()
    await site.run(3)
    assert (site.starts[1:], site.first.cleaned) == ([ONE], 1)


async def test_a_late_watch_begins_no_second_restore(site: Deployment) -> None:
    await lived(site)
    await approve(site)
    await site.world.round()
    site.world.late = True
    await site.run(4)
    site.world.late = False
    await site.run(3)
    assert (site.starts[1:], site.first.cleaned) == ([ONE], 1)


async def test_a_backup_that_engine_backup_refuses_is_told_and_tried_twice(site: Deployment) -> None:
    await lived(site)
    site.first.backup_fails = True
    await approve(site)
    await site.run(6)
    assert site.starts[1:] == [ONE, TWO]
    assert site.says("EngineUp")["reason"] == "RestoreFailed"
    assert "restored" not in site.status["deployment"]

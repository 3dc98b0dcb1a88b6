"""When an engine is deployed and when it never is: by plans, and by the guards of the steps on the host itself."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1 import GlusterVolume, HostedEngine
from heretic.domain.commands import Action, PutFile, SecretRef
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Failure, NeedsUser, Reason, Transient
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.hosted_engine.agent import AGENT, CONFIGURATION, Agent
from heretic.domain.hosted_engine.deploy import authority_of, deployment_status, plan_deployment
from heretic.domain.hosted_engine.deploy_steps import (
    CleanAfterFailedDeployment,
    DeployEngine,
    clean_name,
    job_name,
)
from heretic.domain.hosted_engine.first_host import LOCAL_MACHINE, FirstHost
from heretic.domain.hosted_engine.stages import TASKS
from heretic.domain.jobs import FailedJob, JobState, LostJob, Running, Succeeded
from heretic.domain.plan import Blocked, HostStep, Plan, Proceed, Wait, steps_of
from heretic.hosts.fence import Fence
from heretic.hosts.frames import parse_frames
from heretic.hosts.script import render_step
from sim.deployment import DOMAIN, Deployer
from sim.engine.server import EngineServer
from sim.host_tools import storage_machine
from sim.machine import File, SimJob
from sim.protocol import run_script
from sim.role_variables import ROLE_VARIABLES
from unit.hosted_engine.test_prechecks import FIRST, ground

AWAY = Transient(Reason.ENGINE_UNREACHABLE, "cannot connect to engine.mgmt.private")
BRICK = "/gluster_bricks/engine/brick1/brick"
BRICKS = [{"node": f"node{n}", "path": BRICK, "state": "Up"} for n in (1, 2, 3)]
NEVER: Fact[int] = Absent()
FAILED = FailedJob("exited 2")


def site(
    jobs: Mapping[str, JobState] | None = None,
    agents: Mapping[str, Fact[int]] | None = None,
    status: dict[str, Any] | None = None,
    **spec: Any,
) -> tuple[HostedEngine, SiteView, dict[str, HostView]]:
    """An engine that may be deployed, unless something is changed."""
    made = ground(**spec)
    volume = next(iter(made.view.of(GlusterVolume).values()))
    bricked = volume.model_copy(update={"status": volume.status.model_validate(_stored(volume) | {"bricks": BRICKS})})
    hosts: dict[str, HostView] = {}
    for name, seen in made.hosts.items():
        assert isinstance(seen, HostFacts)
        agent = Agent((agents or {}).get(name, NEVER), Absent())
        hosts[name] = replace(seen, jobs=Known(dict(jobs or {})), sections={AGENT.name: agent})
    engine = made.engine.model_copy(update={"status": made.engine.status.model_validate(status or {})})
    return engine, made.view.having(bricked), hosts


def _stored(volume: GlusterVolume) -> dict[str, Any]:
    return volume.status.model_dump(by_alias=True, mode="json")


def planned(first: FirstHost = FIRST, why: Failure = AWAY, **more: Any) -> Plan:
    engine, view, hosts = site(**more)
    return plan_deployment(engine, view, hosts, Known(first), why)


def jobs_of(plan: Plan) -> list[tuple[str, str]]:
    return [(step.verb, getattr(step, "job", "")) for step in steps_of(plan)]


ONE, TWO, CLEAN = job_name(1, 1), job_name(1, 2), clean_name(1)
LEFT = replace(FIRST, machines=Known((LOCAL_MACHINE,)))


@pytest.mark.parametrize(
    ("made", "steps"),
    [
        (lambda: planned(), [("DeployEngine", ONE)]),
        (lambda: planned(jobs={ONE: FAILED}), [("DeployEngine", TWO)]),
        (lambda: planned(jobs={ONE: LostJob()}), [("DeployEngine", TWO)]),
        (lambda: planned(LEFT, jobs={ONE: FAILED}), [("CleanAfterFailedDeployment", CLEAN)]),
        (lambda: planned(LEFT, jobs={ONE: LostJob()}), [("CleanAfterFailedDeployment", CLEAN)]),
        (lambda: planned(jobs={ONE: FAILED, TWO: FAILED}, attempt=2), [("DeployEngine", job_name(2, 1))]),
        (
            lambda: planned(LEFT, jobs={ONE: FAILED, TWO: FAILED}, attempt=2),
            [("CleanAfterFailedDeployment", clean_name(2))],
        ),
    ],
)
def test_an_engine_is_deployed_where_it_is_proved_that_there_is_none(
    made: Callable[[], Plan], steps: list[tuple[str, str]]
) -> None:
    plan = made()
    assert isinstance(plan, Proceed), plan
    assert jobs_of(plan) == steps


@pytest.mark.parametrize(
    ("made", "kind", "reason"),
    [
        (lambda: planned(jobs={ONE: Running("TASK [x : Add host] **")}), Wait, Reason.WORK_IN_PROGRESS),
        (lambda: planned(jobs={job_name(7, 2): Running()}), Wait, Reason.WORK_IN_PROGRESS),
        (lambda: planned(LEFT, jobs={ONE: FAILED, CLEAN: Running()}), Wait, Reason.WORK_IN_PROGRESS),
        (lambda: planned(replace(FIRST, deployed=Known(True))), Wait, Reason.ENGINE_UNREACHABLE),
        (lambda: planned(agents={"node3": Known(3)}), Wait, Reason.ENGINE_UNREACHABLE),
        (lambda: planned(agents={"node3": Unknown("no answer")}), Wait, Reason.NOT_OBSERVED),
        (lambda: planned(agents={"node1": Known(1)}, jobs={ONE: FAILED}), Blocked, Reason.DEPLOYMENT_FAILED),
        (
            lambda: planned(agents={"node1": Known(1)}, jobs={ONE: FAILED, TWO: Succeeded()}),
            Wait,
            Reason.ENGINE_UNREACHABLE,
        ),
        (lambda: planned(jobs={ONE: Succeeded()}), Blocked, Reason.ENGINE_DEPLOYED_BEFORE),
        (lambda: planned(jobs={ONE: Succeeded()}, attempt=2), Blocked, Reason.ENGINE_DEPLOYED_BEFORE),
        (lambda: planned(jobs={ONE: FAILED, TWO: FAILED}), Blocked, Reason.DEPLOYMENT_FAILED),
        (lambda: planned(jobs={ONE: FAILED, TWO: LostJob()}), Blocked, Reason.DEPLOYMENT_INTERRUPTED),
        (lambda: planned(LEFT, jobs={ONE: FAILED, CLEAN: FAILED}), Blocked, Reason.DEPLOYMENT_LEFTOVERS),
        (lambda: planned(LEFT), Blocked, Reason.DEPLOYMENT_LEFTOVERS),
        (
            lambda: planned(replace(LEFT, domain=Known((DOMAIN,))), jobs={ONE: FAILED}),
            Blocked,
            Reason.ENGINE_VOLUME_NOT_EMPTY,
        ),
        (
            lambda: planned(replace(LEFT, domain=Unknown("no answer")), jobs={ONE: FAILED}),
            Blocked,
            Reason.ENGINE_VOLUME_NOT_EMPTY,
        ),
        (
            lambda: planned(why=NeedsUser(Reason.ENGINE_CERTIFICATE_NOT_PINNED, "it offers a certificate")),
            Blocked,
            Reason.ENGINE_DEPLOYED_BEFORE,
        ),
        (lambda: planned(why=NeedsUser(Reason.ENGINE_LOGIN_REFUSED, "no")), Blocked, Reason.ENGINE_DEPLOYED_BEFORE),
        (
            lambda: planned(why=NeedsUser(Reason.CREDENTIALS_MISSING, "make it")),
            Blocked,
            Reason.CREDENTIALS_MISSING,
        ),
        (
            lambda: planned(why=Transient(Reason.ENGINE_NOT_ANSWERING, "503")),
            Wait,
            Reason.ENGINE_NOT_ANSWERING,
        ),
        (lambda: planned(replace(FIRST, host="node2")), Wait, Reason.NOT_OBSERVED),
        (lambda: planned(firstNode="node9"), Blocked, Reason.NODE_NOT_FOUND),
        (lambda: planned(replace(FIRST, room=Unknown("no answer"))), Wait, Reason.NOT_OBSERVED),
    ],
)
def test_an_engine_is_not_deployed_while_anything_speaks_against_it(
    made: Callable[[], Plan], kind: type[Plan], reason: Reason
) -> None:
    plan = made()
    assert isinstance(plan, Wait | Blocked), plan
    assert (type(plan), plan.reason) == (kind, reason), plan.message


def test_a_machine_with_a_prefix_and_a_test_of_the_network_are_told_to_the_role() -> None:
    engine, view, hosts = site(
        address="172.20.10.5",
        gateway="172.20.10.1",
        networkTest="Tcp",
        testAddress="172.20.10.1:22",
        appliance="/root/a.ova",
        virtualMachine={"prefix": 24, "nameServers": ["172.20.10.2", "172.20.10.3"], "macAddress": "00:16:3e:00:00:01"},
    )
    (step,) = steps_of(plan_deployment(engine, view, hosts, Known(FIRST), AWAY))
    assert isinstance(step, DeployEngine)
    told = json.loads(step.variables)
    assert told.keys() <= ROLE_VARIABLES
    assert {name: told[name] for name in EXTRA} == EXTRA


EXTRA = {
    "he_appliance_ova": "/root/a.ova",
    "he_cluster_cpu_type": "Intel Nehalem Family",
    "he_dns_addr": "172.20.10.2,172.20.10.3",
    "he_gateway": "172.20.10.1",
    "he_network_test": "tcp",
    "he_tcp_t_address": "172.20.10.1",
    "he_tcp_t_port": "22",
    "he_vm_ip_addr": "172.20.10.5",
    "he_vm_ip_prefix": 24,
    "he_vm_mac_addr": "00:16:3e:00:00:01",
}


def test_the_first_node_stays_the_recorded_one() -> None:
    first = replace(FIRST, host="node2")
    assert planned(first, status={"deployment": {"firstNode": "node2"}}) != planned()
    (step,) = steps_of(planned(first, status={"deployment": {"firstNode": "node2"}}, firstNode="node3"))
    assert isinstance(step, HostStep)
    assert step.host == "node2"


@pytest.mark.parametrize(
    ("job", "before", "stage", "percent"),
    [
        (Running("TASK [x : Add host] **"), {}, "adding the first host", 50),
        (
            Running("TASK [x : debug] **"),
            {"stage": "adding the first host", "percent": 50},
            "adding the first host",
            50,
        ),
        (Running("TASK [x : debug] **"), {"stage": "failed"}, "begun", 0),
        (FAILED, {"stage": "adding the first host", "percent": 50}, "failed", None),
        (Succeeded(), {}, "deployed", 100),
    ],
)
def test_how_far_a_deployment_is(job: JobState, before: dict[str, Any], stage: str, percent: int | None) -> None:
    engine, view, hosts = site(jobs={ONE: job}, status={"deployment": before | {"firstNode": "node1"}})
    status = deployment_status(engine, view, hosts, Known(FIRST))
    assert (status.stage, status.percent) == (stage, percent)


def test_an_authority_is_believed_only_of_a_host_on_which_an_engine_was_deployed() -> None:
    _, _, hosts = site()
    told = replace(FIRST, authority=Known("PEM"))
    assert authority_of(hosts, Known(told)) == ""
    assert authority_of(hosts, Known(replace(told, deployed=Known(True)))) == "PEM"


@pytest.fixture
def host() -> Deployer:
    machine = storage_machine("node1")
    machine.jobs_finish_at_once = False
    return Deployer(machine, EngineServer(), {}, {})


DEPLOY = DeployEngine(
    host="node1",
    why="",
    fqdn="e",
    brick=BRICK,
    job=ONE,
    variables="{}",
    password=SecretRef("heretic-engine", "password"),
    root_key=SecretRef("heretic-ssh", "ssh-privatekey", public=True),
)
CLEANING = CleanAfterFailedDeployment(host="node1", why="", brick=BRICK, job=CLEAN)


def verdict(host: Deployer, step: HostStep) -> str:
    script = step.script()
    with_password = tuple(_filled(action) for action in script.actions)
    text = render_step(replace(script, actions=with_password), Fence())
    (frame,) = parse_frames(run_script(host.machine, text).encode())
    return str(frame.name)


def _filled(action: Action) -> Action:
    return (
        replace(action, content="secret")
        if isinstance(action, PutFile) and isinstance(action.content, SecretRef)
        else action
    )


def configured(host: Deployer) -> None:
    host.machine.files[CONFIGURATION] = File("host_id=1\n")


def deploying(host: Deployer) -> None:
    host.machine.jobs["heretic-engine-deploy-1-2.service"] = SimJob("heretic-engine-deploy-1-2.service", lambda: 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda host: host.domain.append(DOMAIN),
        lambda host: host.libvirt.append("HostedEngine"),
        lambda host: host.libvirt.append(LOCAL_MACHINE),
        deploying,
    ],
    ids=["a domain", "the engine's machine", "a temporary machine", "another deployment"],
)
def test_each_guard_of_a_deployment_stops_it_on_the_host(host: Deployer, change: Callable[[Deployer], None]) -> None:
    change(host)
    assert verdict(host, DEPLOY).startswith("guard")
    assert ONE not in host.machine.job_starts


@pytest.mark.parametrize(
    "change",
    [configured, lambda host: host.domain.append(DOMAIN), lambda host: host.libvirt.append("HostedEngine")],
    ids=["a configuration", "a domain", "the engine's machine"],
)
def test_each_guard_of_a_clean_up_stops_it_on_the_host(host: Deployer, change: Callable[[Deployer], None]) -> None:
    host.libvirt.append(LOCAL_MACHINE)
    change(host)
    assert verdict(host, CLEANING).startswith("guard")
    assert (host.cleaned, host.machine.job_starts) == (0, [])


def test_on_a_host_that_has_an_engine_a_deployment_is_done_already(host: Deployer) -> None:
    configured(host)
    assert verdict(host, DEPLOY).startswith("unchanged")
    assert host.machine.job_starts == []


def test_without_anything_in_the_way_both_begin(host: Deployer) -> None:
    assert verdict(host, DEPLOY).startswith("started")
    host.libvirt.append(LOCAL_MACHINE)
    assert verdict(host, CLEANING).startswith("started")
    assert host.machine.job_starts == [ONE, CLEAN]


def test_lines_that_tell_the_stage_are_those_of_tasks() -> None:
    assert DEPLOY.script().job is not None
    assert DEPLOY.script().job.stage == TASKS  # type: ignore[union-attr]

"""A password that nobody gave is made once, before the engine is deployed, and is nowhere but in its Secret."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from heretic.domain.errors import NeedsUser, Reason, Transient
from heretic.domain.facts import Known
from heretic.domain.generated import GeneratePassword
from heretic.domain.hosted_engine.deploy import plan_deployment
from heretic.domain.hosted_engine.deploy_steps import job_name
from heretic.domain.plan import Blocked, Proceed
from sim.admission import Anybody
from sim.blank_site import declared
from sim.deployment import silent_engine
from sim.engine.server import EngineServer
from sim.world import Recorder
from unit.hosted_engine.deploying import FIRST, KEY, Deployment, undeployed
from unit.hosted_engine.test_deploy_plan import FAILED, planned
from unit.hosted_engine.test_deploy_plan import site as declared_site
from unit.hosted_engine.test_prechecks import FIRST as HOST

SECRET = "heretic-engine"
NOT_MADE = Transient(Reason.CREDENTIALS_NOT_MADE, "it is not there")


@pytest.fixture
def server() -> Iterator[EngineServer]:
    with silent_engine() as server:
        yield server


@pytest.fixture
async def site(server: EngineServer) -> AsyncIterator[Deployment]:
    async with undeployed(server) as found:
        del found.world.api.secrets[SECRET]
        yield found


async def test_a_password_is_made_and_the_engine_that_is_deployed_has_it(
    site: Deployment, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await site.world.kill_operator()
    await site.world.start_operator(audit_log=tmp_path / "audit")
    await site.world.round()
    assert (site.world.api.secrets_made, site.starts) == ([SECRET], [])
    await site.run_until_seen()
    assert (site.world.api.secrets_made, site.starts) == ([SECRET], [FIRST])
    made = site.world.api.secrets[SECRET]
    password = made["password"].decode()
    assert (made["username"], len(password), password.isalnum()) == (b"admin@internal", 32, True)
    assert site.server.engine.sso.passwords["admin"] == password
    said = [json.dumps([*site.world.api.objects.values()]), json.dumps(site.world.api.events), caplog.text]
    said += [(tmp_path / "audit").read_text(), "".join(capfd.readouterr())]
    for host in site.hosts.values():
        said += [file.content for file in host.machine.files.values()]
        said += [" ".join(argv) for argv in host.machine.ran]
    assert "GeneratePassword" in said[3]
    assert [text for text in said if password in text] == []


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_operator_that_is_killed_at_it_makes_no_second_password(site: Deployment, moment: str) -> None:
    await site.world.kill_operator()
    await site.world.start_operator(Recorder(1, moment))
    assert await site.world.run_mortal(lambda: site.run(1))
    before = dict(site.world.api.secrets)
    assert len(before) == (moment == "after")
    await site.world.start_operator()
    await site.run_until_seen()
    assert site.world.api.secrets_made == [SECRET]
    assert before.items() <= site.world.api.secrets.items()


async def test_an_answer_that_was_lost_makes_no_second_password(site: Deployment) -> None:
    site.world.api.lose_next_secret = True
    await site.world.round()
    made = dict(site.world.api.secrets[SECRET])
    await site.run_until_seen()
    assert (site.world.api.secrets_made, site.world.api.secrets[SECRET]) == ([SECRET], made)


async def test_a_secret_that_somebody_makes_in_the_same_moment_is_the_one_that_counts(site: Deployment) -> None:
    step = GeneratePassword(why="", secret=SECRET, user="admin@internal", made_for="HostedEngine/engine")
    site.world.api.secrets[SECRET] = {"password": b"mine"}
    executor = site.world.operator.reconciler._applier._executors["Secret"]
    view = site.world.operator.store.view("demo")
    result = await executor.perform(KEY, view, step, Anybody())
    assert (str(result), site.world.api.secrets[SECRET]) == ("Done(changed=False)", {"password": b"mine"})


async def test_a_secret_without_a_password_is_told_and_left_alone(site: Deployment) -> None:
    site.world.api.secrets[SECRET] = {"username": b"admin@internal"}
    await site.run(2)
    assert site.says("EngineUp")["reason"] == "CredentialsMissing"
    assert (site.world.api.secrets, site.starts) == ({SECRET: {"username": b"admin@internal"}}, [])


async def test_the_secret_of_an_engine_that_was_seen_is_not_made_anew(site: Deployment) -> None:
    await site.run_until_seen()
    del site.world.api.secrets[SECRET]
    site.world.operator.at_engines._access.forget("demo")
    await site.run(1)
    assert site.says("EngineUp")["reason"] == "CredentialsMissing"
    assert site.world.api.secrets_made == [SECRET]


async def test_no_password_is_made_for_an_engine_that_exists(site: Deployment) -> None:
    fields = {"fqdn": "engine.mgmt.private", "address": site.server.address, "port": site.server.port}
    site.world.api.lose(KEY)
    site.world.api.apply(declared(KEY.kind, KEY.name, fields | {"deployment": "Existing"}))
    await site.run(2)
    assert site.says("EngineUp")["reason"] == "CredentialsMissing"
    assert site.world.api.secrets_made == []


async def test_nothing_is_made_in_mode_plan(site: Deployment) -> None:
    site.world.api.patch(KEY, {"mode": "Plan"})
    await site.run(2)
    assert site.world.api.secrets_made == []
    assert "GeneratePassword" in json.dumps(site.status["plan"])


def test_what_else_is_in_the_way_is_told_at_the_same_time() -> None:
    plan = planned(natSubnet="172.20.10.0/24", why=NOT_MADE)
    assert isinstance(plan, Proceed)
    assert [step.verb for step in plan.steps] == ["GeneratePassword"]
    assert [obstacle.reason for obstacle in plan.pending] == [Reason.NAT_SUBNET_CLASHES]


@pytest.mark.parametrize("agents", [{"node3": Known(3)}, {"node1": Known(1)}])
def test_a_secret_that_was_lost_after_the_deployment_is_told_because_a_new_one_would_open_nothing(
    agents: dict[str, Known[int]],
) -> None:
    plan = planned(agents=agents, why=NOT_MADE)
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.CREDENTIALS_MISSING
    assert "with that password" in plan.message


def test_no_password_is_made_for_a_deployment_that_was_given_up() -> None:
    engine, view, hosts = declared_site(jobs={job_name(1, 1): FAILED, job_name(1, 2): FAILED})
    plan = plan_deployment(engine, view, hosts, Known(HOST), NOT_MADE)
    assert isinstance(plan, Blocked)
    refused = NeedsUser(Reason.ENGINE_LOGIN_REFUSED, "")
    assert isinstance(plan_deployment(engine, view, hosts, Known(HOST), refused), Blocked)

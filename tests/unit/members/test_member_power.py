"""The engine's fence agents of a host are those that its Node declares, and it is asked whether they work."""

from typing import Any

import pytest
from ovirtsdk4 import types

from sim.addresses import PREFIX
from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.host_life import Status
from sim.engine.hosts import make_host
from sim.engine.messages import HttpRequest
from sim.engine.power import PowerDevice, agents_of
from sim.engine.state import named
from sim.world import DiedError, Recorder
from unit.members.conftest import MemberWorld

BMC, OTHER, NODE = "10.9.0.1", "10.9.0.2", "node1"
AGENT = {
    "order": 1,
    "type": "redfish",
    "address": BMC,
    "username": "admin",
    "credentialsRef": {"name": "bmc"},
    "options": [{"name": "ssl_insecure", "value": "1"}],
}


def power(*agents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"agents": list(agents or (AGENT,)), **more}


@pytest.fixture
async def up(site: MemberWorld) -> MemberWorld:
    """Three hosts that are up, and a device that switches the first."""
    site.state.devices[BMC] = PowerDevice()
    site.world.api.secrets["bmc"] = {"password": b"secret"}
    for number, name in enumerate(site.world.site.machines, 11):
        there = make_host(site.state, types.Host(name=name, address=f"{PREFIX}{number}"), DEFAULT_CLUSTER)
        site.state.lives[there.id].go(site.state.now(), (0, Status.UP))
    await site.until(site.all_members)
    return site


def host(site: MemberWorld) -> Any:
    return named(site.state.hosts, NODE)


def agents(site: MemberWorld) -> list[Any]:
    return agents_of(site.state, host(site).id)


def told(site: MemberWorld) -> tuple[str, str]:
    condition = site.tells("PowerManagement", NODE)
    return condition["status"], condition["reason"]


def works(site: MemberWorld) -> bool:
    return told(site) == ("True", "AsDeclared")


def changes(site: MemberWorld) -> list[str]:
    """What was changed of hosts; a test changes nothing."""
    return [one for one in site.writes if "/hosts/" in one and not one.split("?")[0].endswith("/fence")]


def asked(site: MemberWorld, since: int) -> list[str]:
    """What was asked about fence agents."""
    return [one for one in site.server.engine.requests[since:] if "/fenceagents" in one or "/fence" in one]


async def declared(site: MemberWorld, **more: Any) -> None:
    site.declare(NODE, powerManagement=power(**more))
    await site.until(lambda: works(site))


async def test_an_agent_is_made_enabled_and_tested_as_declared(up: MemberWorld) -> None:
    assert told(up) == ("False", "EngineNotDeclared")
    await declared(up, kdumpDetection=False)
    (agent,) = agents(up)
    assert (agent.type, agent.address, agent.username, agent.password) == ("redfish", BMC, "admin", "secret")
    assert [(one.name, one.value) for one in agent.options] == [("ssl_insecure", "1")]
    assert (host(up).power_management.enabled, host(up).power_management.kdump_detection) == (True, False)
    seen = up.seen(NODE)["powerManagement"]
    assert seen["state"] == "On"
    assert seen["agents"][0]["id"] == agent.id


async def test_nothing_that_is_stored_or_told_has_the_password(up: MemberWorld) -> None:
    up.world.api.secrets["bmc"] = {"password": b"correct horse"}
    up.state.devices[BMC].password = "correct horse"
    await declared(up)
    assert agents(up)[0].password == "correct horse"
    assert "correct horse" not in str(up.world.api.objects)


async def test_a_host_as_declared_costs_no_request_until_an_hour_is_over(up: MemberWorld) -> None:
    await declared(up)
    await up.rounds(2)
    before, writes = len(up.server.engine.requests), len(changes(up))
    await up.rounds(6, seconds=60)
    assert asked(up, before) == []
    await up.rounds(2, seconds=3600)
    assert len(asked(up, before)) in (2, 4), "the agents and a test, each hour"
    assert len(changes(up)) == writes


async def test_what_was_changed_by_hand_is_found_within_an_hour_and_taken_back(up: MemberWorld) -> None:
    await declared(up)
    agents(up)[0].username = "somebody"
    await up.rounds(4, seconds=1300)
    await up.until(lambda: works(up))
    assert agents(up)[0].username == "admin"


async def test_power_management_that_was_switched_off_by_hand_is_switched_on(up: MemberWorld) -> None:
    await declared(up)
    host(up).power_management.enabled = False
    await up.rounds(1)
    await up.until(lambda: works(up))
    assert host(up).power_management.enabled


async def test_a_changed_secret_is_given_once_and_tested(up: MemberWorld) -> None:
    await declared(up)
    first = up.seen(NODE)["powerManagement"]
    up.world.api.secrets["bmc"] = {"password": b"rotated"}
    up.state.devices[BMC].password = "rotated"
    before = len(changes(up))
    await up.until(lambda: agents(up)[0].password == "rotated", seconds=60)
    await up.until(lambda: works(up))
    await up.rounds(3)
    assert len(changes(up)) == before + 1
    second = up.seen(NODE)["powerManagement"]
    assert second["agents"][0]["id"] == first["agents"][0]["id"]
    assert second["agents"][0]["secret"] != first["agents"][0]["secret"]
    assert second["tested"] > first["tested"]


async def test_an_operator_that_starts_gives_no_password_again(up: MemberWorld) -> None:
    await declared(up)
    before = len(changes(up))
    await up.world.kill_operator()
    await up.world.start_operator()
    await up.rounds(3)
    assert len(changes(up)) == before
    assert works(up)


async def test_a_device_that_does_not_answer_is_told_with_the_engines_words_and_tried_again(up: MemberWorld) -> None:
    up.state.devices[BMC].answers = False
    up.declare(NODE, powerManagement=power())
    await up.until(lambda: told(up) == ("False", "FenceAgentFails"))
    assert "Power Management device does not answer" in up.tells("PowerManagement", NODE)["message"]
    assert up.seen(NODE)["powerManagement"]["state"] == "Failing"
    assert up.tells("Ready", NODE)["status"] == "False"
    up.state.devices[BMC].answers = True
    await up.until(lambda: works(up), rounds=5, seconds=200)


async def test_a_host_without_power_is_told_and_never_switched(up: MemberWorld) -> None:
    up.state.devices[BMC].on = False
    await declared(up)
    assert up.seen(NODE)["powerManagement"]["state"] == "Off"
    assert not up.state.devices[BMC].on
    assert up.state.powered == {}


async def test_an_agent_that_is_declared_no_more_is_removed_and_others_are_left_alone(up: MemberWorld) -> None:
    await declared(up)
    other = AGENT | {"order": 2, "type": "ipmilan", "address": OTHER, "options": []}
    up.state.devices[OTHER] = PowerDevice()
    up.declare(NODE, powerManagement=power(AGENT, other))
    await up.until(lambda: works(up) and len(agents(up)) == 2)
    up.declare(NODE, powerManagement=power(other))
    await up.until(lambda: works(up) and len(agents(up)) == 1)
    assert agents(up)[0].address == OTHER
    up.declare(NODE, powerManagement=None)
    await up.rounds(3)
    assert len(agents(up)) == 1
    assert "powerManagement" not in up.seen(NODE)


async def test_an_option_that_is_declared_no_more_goes_with_its_agent(up: MemberWorld) -> None:
    await declared(up)
    before, since = agents(up)[0].id, len(changes(up))
    up.declare(NODE, powerManagement=power(AGENT | {"options": []}))
    await up.until(lambda: works(up) and agents(up)[0].id != before)
    assert not agents(up)[0].options
    # An engine may keep the last agent of a host that it may switch, and enables nothing that has none.
    kinds = ["PUT", "DELETE", "POST", "PUT"]
    assert [one.split()[0] for one in changes(up)[since:]] == kinds
    assert host(up).power_management.enabled


async def test_an_agent_of_somebody_else_is_not_taken(up: MemberWorld) -> None:
    theirs = types.Agent(address="10.9.0.9", type="apc", order=1, username="a", password="b", host=host(up))
    up.state.insert(up.state.fence_agents, theirs)
    up.declare(NODE, powerManagement=power())
    await up.until(lambda: told(up) == ("False", "FenceAgentNotOurs"), rounds=5)
    await up.rounds(2)
    assert [one.address for one in agents(up)] == ["10.9.0.9"]
    assert not host(up).power_management.enabled, "the engine would use that agent"
    up.declare(NODE, powerManagement=power(AGENT | {"order": 2}))
    await up.until(lambda: works(up))
    up.declare(NODE, powerManagement=power(enabled=False, agents=[]))
    await up.until(lambda: len(agents(up)) == 1)
    assert [one.address for one in agents(up)] == ["10.9.0.9"]


async def test_an_agent_that_is_the_declared_one_is_taken_over_and_given_the_password(up: MemberWorld) -> None:
    options = [types.Option(name="ssl_insecure", value="1")]
    there = types.Agent(
        address=BMC, type="redfish", order=1, username="admin", password="old", host=host(up), options=options
    )
    up.state.insert(up.state.fence_agents, there)
    await declared(up)
    (agent,) = agents(up)
    assert (agent.id, agent.password) == (there.id, "secret")


async def test_power_management_that_is_not_enabled_keeps_its_agents(up: MemberWorld) -> None:
    up.declare(NODE, powerManagement=power(enabled=False))
    await up.until(lambda: len(agents(up)) == 1)
    await up.rounds(3)
    assert not host(up).power_management.enabled
    assert told(up) == ("False", "EngineNotDeclared")
    assert up.tells("Ready", NODE)["status"] == "True"


async def test_a_secret_that_is_missing_is_told(up: MemberWorld) -> None:
    del up.world.api.secrets["bmc"]
    up.declare(NODE, powerManagement=power())
    await up.rounds(3)
    assert "Secret bmc does not exist" in up.world.describe()
    up.world.api.secrets["bmc"] = {"password": b"secret"}
    await up.until(lambda: works(up), seconds=60)


def changing(request: HttpRequest) -> bool:
    return (
        request.method in ("POST", "PUT", "DELETE")
        and not request.path.endswith("/fence")
        and "/hosts/" in request.path
    )


async def rotated(site: MemberWorld) -> None:
    """Another password and another address: an agent goes, another comes, both with what the Secret has now."""
    site.world.api.secrets["bmc"] = {"password": b"rotated"}
    site.state.devices[OTHER] = PowerDevice(password="rotated")
    site.declare(NODE, powerManagement=power(AGENT | {"address": OTHER}))


def is_rotated(site: MemberWorld) -> bool:
    there = [(one.address, one.password) for one in agents(site)]
    return works(site) and there == [(OTHER, "rotated")] and host(site).power_management.enabled


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_a_reply_that_is_lost_makes_no_agent_twice(up: MemberWorld, number: int) -> None:
    await declared(up)
    up.server.faults.at, up.server.faults.drop_after = changing, number
    await rotated(up)
    await up.until(lambda: is_rotated(up), seconds=60)
    assert up.server.faults.drop_after == 0


async def test_a_reply_that_is_lost_leaves_no_password_out(up: MemberWorld) -> None:
    await declared(up)
    up.server.faults.at, up.server.faults.drop_after = changing, 1
    up.world.api.secrets["bmc"] = {"password": b"rotated"}
    up.state.devices[BMC].password = "rotated"
    await up.until(lambda: agents(up)[0].password == "rotated", seconds=60)
    await up.until(lambda: works(up))
    assert up.server.faults.drop_after == 0


async def test_a_watch_that_is_late_makes_an_agent_once(up: MemberWorld) -> None:
    since = len(changes(up))
    up.declare(NODE, powerManagement=power())
    await up.rounds(1)
    up.world.late = True
    await up.rounds(6)
    up.world.late = False
    await up.until(lambda: works(up))
    assert [one.split()[0] for one in changes(up)[since:]] == ["POST", "PUT"]


async def test_the_only_host_cannot_be_tested(lone: MemberWorld) -> None:
    lone.state.devices[BMC] = PowerDevice()
    lone.world.api.secrets["bmc"] = {"password": b"secret"}
    await lone.until(lone.all_members)
    lone.declare(NODE, powerManagement=power())
    await lone.until(lambda: told(lone) == ("False", "WaitingForNodes"))
    assert len(agents(lone)) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_an_operator_that_is_killed_at_an_effect_leaves_what_the_next_one_ends(
    up: MemberWorld, number: int, moment: str
) -> None:
    """The engine may not switch the host, its agent goes, another comes, it may switch it again."""
    await declared(up)
    await up.world.kill_operator()
    await rotated(up)
    await up.world.start_operator(Recorder(number, moment))
    with pytest.raises(DiedError):
        await up.rounds(8)
    await up.world.kill_operator()
    await up.world.start_operator()
    await up.until(lambda: is_rotated(up))


async def test_what_is_observed_only_is_told_and_left(up: MemberWorld) -> None:
    await declared(up)
    up.declare(NODE, mode="Observe", powerManagement=power(AGENT | {"username": "other"}))
    before = len(changes(up))
    await up.rounds(4)
    assert told(up)[0] == "False"
    assert "it is not as declared" in up.tells("PowerManagement", NODE)["message"]
    assert len(changes(up)) == before

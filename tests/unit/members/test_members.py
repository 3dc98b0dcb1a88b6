"""Nodes of role Hypervisor become hosts of the engine, and stay that."""

import pytest
from ovirtsdk4 import types

from sim.addresses import PREFIX
from sim.engine.calls import add_event
from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.host_life import Status
from sim.engine.hosts import make_host
from sim.engine.messages import HttpRequest
from sim.world import DiedError, Recorder
from unit.members.conftest import MemberWorld

KEYS = "/root/.ssh/authorized_keys"


def posts(site: MemberWorld, end: str = "/hosts") -> int:
    return sum(one.startswith("POST") and one.endswith(end) for one in site.writes)


async def test_hosts_are_added_one_at_a_time_and_let_the_engine_in_by_its_key(site: MemberWorld) -> None:
    kept = "ssh-ed25519 AAAAC3Nz admin"
    machine = site.world.site.machines["node2"]
    machine.put(KEYS, f"{kept}\n", "0600", None)
    await site.until(site.all_members, seconds=25)
    assert posts(site) == 3
    assert site.installing == 1
    key = site.server.engine._ssh_key.public.rsplit(" ", 1)[0]
    line = f"{key} ovirt-engine engine.example.test, added by Heretic"
    assert machine.files[KEYS].content == f"{kept}\n{line}\n"
    assert site.world.site.machines["node1"].files[KEYS].content == f"{line}\n"
    added = {host.name: (host.address, host.cluster.id) for host in site.state.hosts.values()}
    assert added["node3"] == (f"{PREFIX}13", DEFAULT_CLUSTER)
    assert site.seen()["engine"]["id"] in site.state.hosts
    assert site.seen()["engine"]["state"] == "Up"
    assert site.tells("Ready")["status"] == "True"


async def test_a_pass_over_hosts_that_are_up_writes_nothing(lone: MemberWorld) -> None:
    await lone.until(lone.ready)
    await lone.rounds(1)
    writes, changes, effects = len(lone.writes), lone.world.api.status_writes, len(lone.world.site.effects)
    before = len(lone.server.engine.requests)
    await lone.rounds(2)
    assert (len(lone.writes), lone.world.api.status_writes) == (writes, changes)
    assert len(lone.world.site.effects) == effects
    assert len(lone.server.engine.requests) - before == 2 * 8


async def test_a_host_that_was_removed_by_hand_is_added_again(lone: MemberWorld) -> None:
    await lone.until(lone.all_members)
    lone.state.hosts.clear()
    lone.state.lives.clear()
    await lone.rounds(1)
    assert lone.tells("EngineMember")["status"] == "False"
    await lone.until(lone.all_members)
    assert posts(lone) == 2


async def test_a_host_that_was_put_in_maintenance_by_hand_is_told_and_activated(lone: MemberWorld) -> None:
    await lone.until(lone.all_members)
    lone.declare(mode="Observe")
    lone.state.lives[lone.seen()["engine"]["id"]].go(lone.clock(), (0, Status.MAINTENANCE))
    await lone.rounds(2)
    assert "spec.maintenance is not set" in lone.tells("EngineMember")["message"]
    assert lone.state_of() == "maintenance"
    lone.declare(mode="Apply")
    await lone.until(lone.all_members)
    assert posts(lone, "/activate") == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("verb", ["AuthorizeEngine", "AddHost"])
async def test_an_operator_that_is_killed_at_an_effect_adds_nothing_twice(
    lone: MemberWorld, verb: str, moment: str
) -> None:
    class AtVerb(Recorder):
        async def before(self, effect):  # type: ignore[no-untyped-def]
            if moment == "before" and effect.verb == verb:
                raise DiedError

        async def after(self, effect):  # type: ignore[no-untyped-def]
            if moment == "after" and effect.verb == verb:
                raise DiedError

    await lone.world.kill_operator()
    await lone.world.start_operator(AtVerb())
    with pytest.raises(DiedError):
        await lone.until(lone.all_members)
    await lone.world.kill_operator()
    await lone.world.start_operator()
    await lone.until(lone.all_members)
    assert posts(lone) == 1
    assert lone.world.site.machines["node1"].files[KEYS].content.count("ssh-rsa") == 1


async def test_a_reply_that_is_lost_adds_nothing_twice(lone: MemberWorld) -> None:
    def adding(request: HttpRequest) -> bool:
        return request.method == "POST" and request.path.endswith("/hosts")

    lone.server.faults.at, lone.server.faults.drop_after = adding, 1
    await lone.until(lone.all_members)
    assert posts(lone) == 1
    assert len(lone.state.hosts) == 1


async def test_an_installation_that_fails_is_tried_once_more_and_then_told(lone: MemberWorld) -> None:
    lone.state.broken = set(lone.state.reachable)
    await lone.until(lambda: lone.state_of() == "install_failed")
    host = lone.seen()["engine"]["id"]
    said = "Failed to execute Ansible host-deploy role on host node1"
    add_event(lone.state, 505, said, severity="error", host=types.Host(id=host, name="node1"))
    await lone.until(lambda: bool(lone.tells("Stalled")))
    await lone.rounds(5)
    assert (posts(lone), posts(lone, "/install")) == (1, 1)
    told = lone.tells("EngineMember")
    assert (told["status"], told["reason"]) == ("False", "EngineInstallFailed")
    assert said in told["message"]
    assert "choose Reinstall there" in told["message"]
    assert lone.seen()["engine"]["lastWords"] == [said]
    lone.state.broken = set()
    lone.state.lives[host].install(lone.clock(), fails=False, reboot=False, activate=True)
    await lone.until(lone.ready)
    assert lone.seen()["engine"].get("failedInstalls", 0) == 0
    assert not lone.seen()["engine"].get("lastWords")


async def test_what_the_engine_refuses_is_told_in_its_words(lone: MemberWorld) -> None:
    lone.state.reachable = set()
    await lone.rounds(8)
    assert lone.tells("Stalled")["reason"] == "EngineRefuses"
    assert "Connecting to host via SSH has failed" in lone.tells("Stalled")["message"]
    assert lone.state.hosts == {}
    lone.state.reachable = {f"{PREFIX}11"}
    await lone.until(lone.all_members)


async def test_a_host_of_the_nodes_name_at_another_address_is_told_and_left_alone(lone: MemberWorld) -> None:
    _put(lone, "node1", "198.18.10.99")
    await lone.rounds(8)
    told = lone.tells("EngineMember")
    assert (told["status"], told["reason"]) == ("False", "EngineHostNotOurs")
    assert "198.18.10.99" in told["message"]
    assert posts(lone) == 0
    assert lone.tells("Configured")["status"] == "True"


async def test_a_host_at_the_nodes_address_is_taken_over_whatever_it_is_called(lone: MemberWorld) -> None:
    host = _put(lone, "ovirt-a", f"{PREFIX}11")
    await lone.until(lone.ready)
    assert lone.seen()["engine"]["id"] == host
    assert posts(lone) == 0
    lone.state.hosts[host].name = "renamed"
    await lone.rounds(2)
    assert lone.tells("EngineMember")["message"] == "host renamed is up in the engine"


async def test_a_host_that_is_not_operational_is_told_with_the_engines_words(lone: MemberWorld) -> None:
    await lone.until(lone.all_members)
    host = lone.seen()["engine"]["id"]
    lone.state.lives[host].go(lone.clock(), (0, Status.NON_OPERATIONAL))
    said = "Host node1 does not comply with the cluster Default networks, the following networks are missing: 'storage'"
    add_event(lone.state, 519, said, severity="warning", host=types.Host(id=host, name="node1"))
    await lone.rounds(2)
    told = lone.tells("EngineMember")
    assert (told["status"], told["reason"]) == ("False", "EngineHostNotOperational")
    assert said in told["message"]
    assert posts(lone, "/activate") == 0


async def test_nothing_is_done_to_hosts_for_an_engine_that_is_only_observed(lone: MemberWorld) -> None:
    lone.change(mode="Observe")
    await lone.rounds(8)
    assert KEYS not in lone.world.site.machines["node1"].files
    assert "in mode Observe" in lone.tells("Reconciling")["message"]
    assert lone.writes == []


async def test_an_engine_that_is_away_keeps_no_host_from_its_own_work(lone: MemberWorld) -> None:
    lone.server.faults.unavailable = -1
    await lone.rounds(8)
    assert lone.tells("Configured")["status"] == "True"
    assert (lone.tells("EngineMember")["status"], lone.tells("EngineMember")["reason"]) == (
        "Unknown",
        "WaitingForEngine",
    )


@pytest.mark.parametrize(
    ("roles", "engine", "told"),
    [
        (["Storage"], True, "the Node has no role Hypervisor"),
        (["Storage", "Hypervisor"], False, "the site declares no engine"),
    ],
)
async def test_where_nothing_is_declared_a_node_is_ready_without_an_engine(
    lone: MemberWorld, roles: list[str], engine: bool, told: str
) -> None:
    lone.declare(roles=roles)
    if not engine:
        lone.world.api.lose(next(key for key in lone.world.api.objects if key.kind == "HostedEngine"))
    await lone.until(lone.ready)
    member = lone.tells("EngineMember")
    assert (member["status"], member["reason"], member["message"]) == ("False", "EngineNotDeclared", told)
    assert posts(lone) == 0


def _put(site: MemberWorld, name: str, address: str) -> str:
    """Somebody added a host by hand."""
    host = make_host(site.state, types.Host(name=name, address=address), DEFAULT_CLUSTER)
    site.state.lives[host.id].go(site.clock(), (0, Status.UP))
    return str(host.id)

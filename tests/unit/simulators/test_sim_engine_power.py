"""Power management in the simulated engine: agents, the fence action, and what the engine fences by itself."""

from collections.abc import Callable
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.fence_agents import AGENT_TYPES
from sim.engine.host_life import HostTrouble, Status
from sim.engine.hosts import find_again, lose
from unit.simulators.engine_hosts import agent, give_power, hosts_up
from unit.simulators.engine_site import EngineSite

PM = types.PowerManagement


def events(site: EngineSite) -> list[int]:
    return [event.code for event in site.server.engine.state.events.values()]


def test_an_agent_is_added_changed_and_removed_and_keeps_its_password_to_itself(told: EngineSite) -> None:
    (host,) = hosts_up(told, "node1")
    agents = host.fence_agents_service()
    options = [types.Option(name="lanplus", value="1")]
    made = agents.add(agent(type="redfish", order=2, port=443, options=options))
    assert (made.type, made.order, made.port, made.username, made.password) == ("redfish", 2, 443, "admin", None)
    assert [(option.name, option.value) for option in made.options] == [("lanplus", "1")]
    assert made.href.endswith(f"/fenceagents/{made.id}")
    agents.add(agent(address="198.51.100.12", order=1))
    assert [found.address for found in agents.list()] == ["198.51.100.12", "198.51.100.11"]
    agents.agent_service(made.id).update(types.Agent(address="198.51.100.99"))
    assert agents.agent_service(made.id).get().address == "198.51.100.99"
    assert told.server.engine.state.fence_agents[made.id].password == "secret"
    agents.agent_service(made.id).remove()
    assert [found.order for found in agents.list()] == [1]
    with pytest.raises(ovirtsdk4.NotFoundError):
        agents.agent_service(made.id).get()


@pytest.mark.parametrize("kind", sorted(AGENT_TYPES))
def test_every_type_of_agent_is_accepted(told: EngineSite, kind: str) -> None:
    (host,) = hosts_up(told, "node1")
    assert host.fence_agents_service().add(agent(type=kind)).type == kind


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (agent(type="nonsense"), "not supported"),
        (agent(password=None, order=None), r"Agent \[order, password\] required for add"),
    ],
)
def test_an_agent_that_cannot_work_is_refused(told: EngineSite, given: Any, text: str) -> None:
    (host,) = hosts_up(told, "node1")
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        host.fence_agents_service().add(given)
    assert refused.value.code == 400
    assert host.fence_agents_service().list() == []


def test_power_management_is_not_enabled_without_an_agent(told: EngineSite) -> None:
    (host,) = hosts_up(told, "node1")
    with pytest.raises(ovirtsdk4.Error, match="no Agent") as refused:
        host.update(types.Host(power_management=PM(enabled=True)))
    assert refused.value.code == 400
    host.update(types.Host(power_management=PM(enabled=False, kdump_detection=False)))
    host.fence_agents_service().add(agent())
    shown = host.update(types.Host(power_management=PM(enabled=True))).power_management
    assert (shown.enabled, shown.kdump_detection, shown.automatic_pm_enabled) == (True, False, True)
    assert host.get().power_management.enabled is True


def test_a_host_is_renamed_but_not_to_a_name_that_is_taken(told: EngineSite) -> None:
    first, _ = hosts_up(told, "node1", "node2")
    assert first.update(types.Host(name="node9")).name == "node9"
    with pytest.raises(ovirtsdk4.Error, match="already in use"):
        first.update(types.Host(name="node2"))


def test_what_no_update_of_a_host_reads_is_refused(site: EngineSite) -> None:
    (host,) = hosts_up(site, "node1")
    with pytest.raises(ovirtsdk4.Error):
        host.update(types.Host(power_management=PM(address="198.51.100.11")))
    assert "address of power_management" in site.server.engine.refused[0]


def test_the_power_of_a_host_is_asked_for_through_another(told: EngineSite) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    device = give_power(told, host)
    assert host.fence(fence_type="status").status is types.PowerManagementStatus.ON
    device.on = False
    assert host.fence(fence_type="STATUS").status is types.PowerManagementStatus.OFF


def without_agents(site: EngineSite, host: Any) -> None:
    for found in host.fence_agents_service().list():
        host.fence_agents_service().agent_service(found.id).remove()


def wrong_password(site: EngineSite, host: Any) -> None:
    site.server.engine.state.devices["198.51.100.11"].password = "changed"


def no_answer(site: EngineSite, host: Any) -> None:
    site.server.engine.state.devices["198.51.100.11"].answers = False


def other_down(site: EngineSite, host: Any) -> None:
    lose(site.server.engine.state, "node2")
    site.clock.go(minutes=2)


@pytest.mark.parametrize("breaks", [without_agents, wrong_password, no_answer, other_down])
def test_a_power_that_nobody_can_tell_is_a_fault_inside_of_a_200(
    told: EngineSite, breaks: Callable[[EngineSite, Any], None]
) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    give_power(told, host)
    breaks(told, host)
    with pytest.raises(ovirtsdk4.Error, match="does not answer") as refused:
        host.fence(fence_type="status")
    assert refused.value.code == 200


def test_a_host_in_maintenance_is_stopped_and_started_after_the_quiet_time(told: EngineSite) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    device = give_power(told, host)
    host.deactivate()
    told.clock.go(minutes=1)
    host.fence(fence_type="stop")
    assert (host.get().status, device.on) == (Status.DOWN, False)
    told.clock.go(seconds=60)
    with pytest.raises(ovirtsdk4.Error, match="retry in 120 Sec") as refused:
        host.fence(fence_type="start")
    assert refused.value.code == 409
    told.clock.go(seconds=120)
    host.fence(fence_type="start")
    assert (host.get().status, device.on) == (Status.REBOOT, True)
    told.clock.go(minutes=3)
    assert host.get().status is Status.UP
    assert events(told)[-2:] == [21, 20]


def test_a_restart_counts_as_a_stop_and_a_start_and_keeps_maintenance(told: EngineSite) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    give_power(told, host)
    host.deactivate()
    told.clock.go(minutes=1)
    host.fence(fence_type="restart")
    assert host.get().status is Status.REBOOT
    told.clock.go(seconds=150)
    assert host.get().status is Status.MAINTENANCE
    for operation in ("stop", "start", "restart"):
        with pytest.raises(ovirtsdk4.Error, match="retry in 30 Sec"):
            host.fence(fence_type=operation)


def test_a_host_that_is_up_is_restarted_into_maintenance_where_that_is_wanted(told: EngineSite) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    give_power(told, host)
    host.fence(fence_type="restart", maintenance_after_restart=True)
    told.clock.go(minutes=5)
    assert host.get().status is Status.MAINTENANCE


def restarted_engine(site: EngineSite, host: Any) -> None:
    site.server.engine.state.started = site.server.engine.state.now()


def disabled(site: EngineSite, host: Any) -> None:
    host.update(types.Host(power_management=PM(enabled=False)))


@pytest.mark.parametrize(
    ("before", "operation", "code", "text"),
    [
        (None, "stop", 409, "has to be in Maintenance"),
        (None, "start", 409, "Down ,Non Responsive or Maintenance"),
        (None, "nonsense", 400, "isn't a valid value"),
        (None, None, 400, r"Action \[fenceType\] required for fence"),
        (None, "manual", 409, "Host has been rebooted"),
        (disabled, "restart", 409, "is disabled"),
        (without_agents, "restart", 409, "no Agent"),
        (restarted_engine, "restart", 409, "right after the start"),
        (other_down, "restart", 409, "no other Host"),
        (no_answer, "restart", 400, "does not answer"),
    ],
)
def test_the_fence_action_is_refused(
    told: EngineSite, before: Callable[[EngineSite, Any], None] | None, operation: str | None, code: int, text: str
) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    give_power(told, host)
    if before:
        before(told, host)
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        host.fence(fence_type=operation)
    assert refused.value.code == code
    assert host.get().status is Status.UP


def test_a_real_restart_of_the_engine_begins_the_time_in_which_it_fences_nothing(told: EngineSite) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    give_power(told, host)
    told.server.restart()
    again = told.connect().hosts_service().host_service(host.get().id)
    with pytest.raises(ovirtsdk4.Error, match="right after the start"):
        again.fence(fence_type="restart")
    told.clock.go(seconds=300)
    again.fence(fence_type="restart")


def test_another_host_of_the_data_center_is_no_proxy_where_only_the_cluster_is_wanted(told: EngineSite) -> None:
    host, other = hosts_up(told, "node1", "node2")
    give_power(told, host)
    state = told.server.engine.state
    cluster = (
        told.connect()
        .clusters_service()
        .add(types.Cluster(name="second", data_center=types.DataCenter(name="Default")))
    )
    state.hosts[other.get().id].cluster = types.Cluster(id=cluster.id)
    host.fence(fence_type="status")
    only = [types.PmProxy(type=types.PmProxyType.CLUSTER)]
    host.update(types.Host(power_management=PM(pm_proxies=only)))
    with pytest.raises(ovirtsdk4.Error, match="no other Host"):
        host.fence(fence_type="restart")


def policy(site: EngineSite, **values: Any) -> None:
    cluster = site.connect().clusters_service().cluster_service(DEFAULT_CLUSTER)
    cluster.update(types.Cluster(fencing_policy=types.FencingPolicy(**values)))


CONNECTIVITY = types.SkipIfConnectivityBroken(enabled=True, threshold=50)
LEASES = types.SkipIfSdActive(enabled=True)


@pytest.mark.parametrize(
    ("trouble", "rules", "expected", "code"),
    [
        pytest.param(HostTrouble(), {}, [(63, "reboot"), (183, "initializing"), (189, "up")], 121, id="fenced"),
        pytest.param(HostTrouble(by_ssh=True), {}, [(66, "initializing"), (72, "up")], None, id="soft fencing"),
        pytest.param(
            HostTrouble(dumps=True), {}, [(63, "kdumping"), (183, "reboot"), (303, "initializing")], None, id="kdump"
        ),
        pytest.param(HostTrouble(lasts=True), {}, [(63, "reboot"), (183, "non_responsive")], 121, id="no help"),
        pytest.param(HostTrouble(), {"enabled": False}, [], 9003, id="fencing disabled"),
        pytest.param(HostTrouble(), {"skip_if_connectivity_broken": CONNECTIVITY}, [], 9003, id="connectivity"),
        pytest.param(HostTrouble(renews_leases=True), {"skip_if_sd_active": LEASES}, [], 9003, id="leases renewed"),
        pytest.param(
            HostTrouble(), {"skip_if_sd_active": LEASES}, [(90, "reboot"), (210, "initializing")], 121, id="none"
        ),
    ],
)
def test_the_engine_fences_a_host_that_does_not_respond_as_the_policy_of_its_cluster_says(
    told: EngineSite, trouble: HostTrouble, rules: dict[str, Any], expected: list[tuple[int, str]], code: int | None
) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    give_power(told, host)
    policy(told, **rules)
    known = len(events(told))
    lose(told.server.engine.state, "node1", trouble)
    found: list[tuple[int, str]] = []
    for second in range(1, 310):
        told.clock.go(seconds=1)
        told.server.engine.state.settle()
        key, life = next(iter(told.server.engine.state.lives.items()))
        state = life.status(told.clock()).value
        if not found or found[-1][1] != state:
            found.append((second, state))
    later = [entry for entry in found if entry[0] >= 63 and entry != (63, "non_responsive")]
    assert later[: len(expected)] == expected
    assert bool(later) == bool(expected)
    assert key == host.get().id
    assert events(told)[known:] == ([code] if code else [])


@pytest.mark.parametrize(
    ("before", "code"),
    [(other_down, 9004), (wrong_password, 9002), (restarted_engine, 9003), (disabled, None)],
)
def test_what_the_engine_cannot_fence_stays_as_it_is(
    told: EngineSite, before: Callable[[EngineSite, Any], None], code: int | None
) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    give_power(told, host)
    before(told, host)
    known = len(events(told))
    lose(told.server.engine.state, "node1")
    told.clock.go(minutes=4)
    assert host.get().status is Status.NON_RESPONSIVE
    assert events(told)[known:] == ([code] if code else [])
    host.fence(fence_type="manual")
    assert host.get().status is Status.NON_RESPONSIVE


def test_a_host_that_came_back_in_time_is_not_fenced_however_far_the_clock_jumps(told: EngineSite) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    give_power(told, host)
    known = len(events(told))
    lose(told.server.engine.state, "node1")
    told.clock.go(seconds=30)
    find_again(told.server.engine.state, "node1")
    told.clock.go(minutes=20)
    assert host.get().status is Status.UP
    assert events(told)[known:] == []

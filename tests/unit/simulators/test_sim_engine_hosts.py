"""The life of hosts in the simulated engine: states in time, and what each forbids."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.host_life import HostLife, Lasting, Status
from sim.engine.hosts import find_again, lose
from sim.engine.self_hosted import deploy_hosted_engine
from unit.simulators.engine_site import START, EngineSite, states

ADDRESS = "192.0.2.11"
LASTING = Lasting(install=180, reboot=120, initialize=6, prepare=10, notice=3, connecting=60)


def up() -> HostLife:
    life = HostLife(LASTING)
    life.go(START, (0, Status.UP))
    return life


def in_maintenance() -> HostLife:
    life = HostLife(LASTING)
    life.go(START, (0, Status.MAINTENANCE))
    return life


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"fails": False, "reboot": True, "activate": True},
            [(0, "installing"), (180, "reboot"), (300, "initializing"), (306, "up")],
        ),
        (
            {"fails": False, "reboot": False, "activate": True},
            [(0, "installing"), (180, "initializing"), (186, "up")],
        ),
        (
            {"fails": False, "reboot": True, "activate": False},
            [(0, "installing"), (180, "reboot"), (300, "maintenance")],
        ),
        ({"fails": True, "reboot": True, "activate": True}, [(0, "installing"), (180, "install_failed")]),
    ],
)
def test_an_installation_takes_its_time(options: dict[str, bool], expected: list[tuple[int, str]]) -> None:
    life = HostLife(LASTING)
    life.install(START, **options)
    assert states(life, START) == expected


def test_a_host_that_is_up_is_prepared_for_maintenance_and_comes_back() -> None:
    life = up()
    life.deactivate(START)
    assert states(life, START) == [(0, "preparing_for_maintenance"), (10, "maintenance")]
    later = START + timedelta(hours=1)
    life.activate(later)
    assert states(life, later) == [(0, "unassigned"), (3, "initializing"), (9, "up")]


def test_a_host_that_is_cut_off_is_connecting_for_a_minute_and_then_does_not_respond() -> None:
    life = up()
    life.lose(START)
    assert states(life, START) == [(0, "up"), (3, "connecting"), (63, "non_responsive")]
    back = START + timedelta(minutes=5)
    life.return_to(back)
    assert states(life, back) == [(0, "non_responsive"), (3, "initializing"), (9, "up")]


def test_a_host_that_does_not_respond_is_in_maintenance_at_once() -> None:
    life = up()
    life.lose(START)
    later = START + timedelta(minutes=5)
    life.deactivate(later)
    assert states(life, later) == [(0, "maintenance")]


def test_a_host_in_maintenance_is_not_missed() -> None:
    life = in_maintenance()
    life.lose(START)
    life.return_to(START)
    assert states(life, START) == [(0, "maintenance")]


@pytest.fixture
def hosts(told: EngineSite) -> Any:
    told.server.engine.state.reachable.add(ADDRESS)
    return told.connect().hosts_service()


def add(hosts: Any, name: str = "node1", address: str = ADDRESS, **options: Any) -> Any:
    ssh = types.Ssh(authentication_method=types.SshAuthenticationMethod.PUBLICKEY, port=22)
    cluster = types.Cluster(id=DEFAULT_CLUSTER)
    made = hosts.add(types.Host(name=name, address=address, cluster=cluster, ssh=ssh), **options)
    return hosts.host_service(made.id)


def test_a_host_is_added_maintained_activated_and_removed(told: EngineSite, hosts: Any) -> None:
    host = add(hosts)
    assert host.get().status is Status.INSTALLING
    told.clock.go(minutes=6)
    assert host.get().status is Status.UP
    host.deactivate(reason="a disk", stop_gluster_service=True)
    told.clock.go(minutes=1)
    assert host.get().status is Status.MAINTENANCE
    host.activate()
    told.clock.go(minutes=1)
    assert host.get().status is Status.UP
    lose(told.server.engine.state, "node1")
    told.clock.go(minutes=2)
    assert host.get().status is Status.NON_RESPONSIVE
    find_again(told.server.engine.state, "node1")
    told.clock.go(minutes=1)
    host.deactivate()
    told.clock.go(minutes=1)
    host.remove()
    assert hosts.list() == []


def test_a_failed_installation_is_repeated_when_its_cause_is_gone(told: EngineSite, hosts: Any) -> None:
    told.server.engine.state.broken.add(ADDRESS)
    host = add(hosts)
    told.clock.go(minutes=6)
    assert host.get().status is Status.INSTALL_FAILED
    told.server.engine.state.broken.clear()
    host.install(activate=True)
    told.clock.go(minutes=6)
    assert host.get().status is Status.UP


@pytest.mark.parametrize(
    ("again", "code"),
    [
        pytest.param(lambda hosts: add(hosts, address="192.0.2.12"), 409, id="name taken"),
        pytest.param(lambda hosts: add(hosts, name="node2"), 409, id="address taken"),
        pytest.param(lambda hosts: add(hosts, name="node 2", address="192.0.2.12"), 400, id="no name for a host"),
        pytest.param(lambda hosts: add(hosts, name="node2", address="192.0.2.12"), 409, id="no SSH"),
    ],
)
def test_a_second_host_is_refused(hosts: Any, again: Callable[[Any], Any], code: int) -> None:
    add(hosts)
    with pytest.raises(ovirtsdk4.Error) as refused:
        again(hosts)
    assert refused.value.code == code
    assert len(hosts.list()) == 1


@pytest.mark.parametrize(
    ("after", "change", "text"),
    [
        (0, "deactivate", "currently in progress"),
        (0, "activate", "currently in progress"),
        (0, "install", "currently in progress"),
        (0, "remove", "currently in progress"),
        (6, "activate", "already Up"),
        (6, "install", "Maintenance mode first"),
        (6, "remove", "Maintenance mode first"),
    ],
)
def test_a_state_forbids_what_does_not_fit(told: EngineSite, hosts: Any, after: int, change: str, text: str) -> None:
    host = add(hosts)
    told.clock.go(minutes=after)
    before = host.get().status
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        getattr(host, change)()
    assert refused.value.code == 409
    assert host.get().status is before


def test_a_host_in_maintenance_is_not_maintained_twice(told: EngineSite, hosts: Any) -> None:
    host = add(hosts, activate=False)
    told.clock.go(minutes=6)
    assert host.get().status is Status.MAINTENANCE
    with pytest.raises(ovirtsdk4.Error, match="already in Maintenance"):
        host.deactivate()


def test_the_hosted_engine_of_a_host_is_told_only_to_who_asks_for_all(told: EngineSite, hosts: Any) -> None:
    deploy_hosted_engine(told.server.engine.state, host="node0", address="192.0.2.10")
    host = add(hosts, deploy_hosted_engine=True)
    told.clock.go(minutes=6)
    assert host.get().hosted_engine is None
    assert host.get(all_content=True).hosted_engine.score == 3400
    host.deactivate()
    told.clock.go(minutes=1)
    shown = hosts.list(all_content=True)[1].hosted_engine
    assert (shown.score, shown.local_maintenance) == (0, True)

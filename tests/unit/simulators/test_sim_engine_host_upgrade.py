"""Upgrades, certificates and approval of hosts in the simulated engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.host_life import HostLife, Lasting, Status
from sim.engine.host_upgrade import register
from sim.engine.hosts import lose
from unit.simulators.engine_hosts import hosts_up
from unit.simulators.engine_site import EngineSite

START = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = "192.0.2.11"


@pytest.fixture
def host(told: EngineSite) -> Any:
    (made,) = hosts_up(told, "node1")
    return made


def codes(site: EngineSite, since: int) -> list[int]:
    return [event.code for event in site.connections[0].system_service().events_service().list(from_=since)][::-1]


def last(site: EngineSite) -> int:
    return len(site.server.engine.state.events)


def with_updates(site: EngineSite, host: Any) -> None:
    site.server.engine.state.updates.add(ADDRESS)
    host.upgrade_check()
    site.clock.go(minutes=1)
    assert host.get().update_available is True


def test_a_check_tells_by_events_and_in_the_host_whether_there_are_updates(told: EngineSite, host: Any) -> None:
    told.server.engine.state.updates.add(ADDRESS)
    before = last(told)
    host.upgrade_check()
    assert (codes(told, before), host.get().update_available) == ([884], False)
    told.clock.go(seconds=30)
    assert (codes(told, before), host.get().update_available) == ([884, 885], True)
    told.server.engine.state.updates.clear()
    host.upgrade_check()
    told.clock.go(seconds=30)
    assert host.get().update_available is False


@pytest.mark.parametrize(
    ("before", "reboot", "expected"),
    [
        (
            Status.UP,
            True,
            "0 preparing_for_maintenance 10 maintenance 13 installing 313 reboot 433 initializing 439 up",
        ),
        (Status.UP, False, "0 preparing_for_maintenance 10 maintenance 13 installing 313 initializing 319 up"),
        (Status.MAINTENANCE, True, "0 installing 300 reboot 420 maintenance"),
        (Status.MAINTENANCE, False, "0 installing 300 maintenance"),
        (
            Status.NON_OPERATIONAL,
            True,
            "0 preparing_for_maintenance 10 maintenance 13 installing 313 reboot 433 initializing 439 up",
        ),
    ],
)
def test_an_upgrade_brings_a_host_back_to_where_it_was(before: Any, reboot: bool, expected: str) -> None:
    life = HostLife(Lasting())
    life.go(START, (0, before))
    life.upgrade(START, fails=False, reboot=reboot)
    found = [f"{(when - START) // timedelta(seconds=1)} {status.value}" for when, status in life.steps]
    assert " ".join(found) == expected


@pytest.mark.parametrize(("options", "code"), [({}, 888), ({"reboot": True}, 888), ({"reboot": False}, 842)])
def test_an_upgrade_is_told_by_events_and_leaves_no_updates(
    told: EngineSite, host: Any, options: dict[str, bool], code: int
) -> None:
    with_updates(told, host)
    before = last(told)
    host.upgrade(timeout=60, **options)
    told.clock.go(seconds=312)
    assert host.get().status is Status.INSTALLING
    assert codes(told, before) == [840]
    told.clock.go(seconds=1)
    assert codes(told, before) == [840, code]
    told.clock.go(minutes=3)
    assert (host.get().status, host.get().update_available) == (Status.UP, False)


def test_a_failed_upgrade_leaves_the_host_as_a_failed_installation(told: EngineSite, host: Any) -> None:
    with_updates(told, host)
    told.server.engine.state.broken.add(ADDRESS)
    before = last(told)
    host.upgrade()
    told.clock.go(minutes=6)
    assert (host.get().status, host.get().update_available) == (Status.INSTALL_FAILED, True)
    assert codes(told, before) == [840, 841]


def test_a_host_without_known_updates_is_not_upgraded(told: EngineSite, host: Any) -> None:
    told.server.engine.state.updates.add(ADDRESS)
    with pytest.raises(ovirtsdk4.Error, match="no available updates") as refused:
        host.upgrade()
    assert refused.value.code == 409
    assert host.get().status is Status.UP


@pytest.mark.parametrize("call", ["upgrade", "upgrade_check", "refresh"])
def test_nothing_is_done_on_a_host_that_is_not_reached(told: EngineSite, host: Any, call: str) -> None:
    lose(told.server.engine.state, "node1")
    told.clock.go(minutes=2)
    with pytest.raises(ovirtsdk4.Error, match="while Host is non_responsive") as refused:
        getattr(host, call)()
    assert refused.value.code == 409


@pytest.mark.parametrize("call", ["upgrade", "upgrade_check", "refresh", "enroll_certificate"])
def test_nothing_is_done_on_a_host_that_is_busy(told: EngineSite, host: Any, call: str) -> None:
    host.deactivate()
    with pytest.raises(ovirtsdk4.Error, match="currently in progress"):
        getattr(host, call)()


def test_a_host_that_is_up_is_refreshed(told: EngineSite, host: Any) -> None:
    host.refresh()
    assert host.get().status is Status.UP


@pytest.mark.parametrize(
    ("broken", "status", "code"), [(False, Status.MAINTENANCE, 851), (True, Status.INSTALL_FAILED, 852)]
)
def test_a_certificate_is_enrolled_in_maintenance(
    told: EngineSite, host: Any, broken: bool, status: Any, code: int
) -> None:
    with pytest.raises(ovirtsdk4.Error, match="must be in maintenance") as refused:
        host.enroll_certificate()
    assert refused.value.code == 409
    host.deactivate()
    told.clock.go(minutes=1)
    if broken:
        told.server.engine.state.broken.add(ADDRESS)
    before = last(told)
    host.enroll_certificate()
    assert host.get().status is Status.INSTALLING
    told.clock.go(seconds=20)
    assert host.get().status is status
    assert codes(told, before) == [850, code]


def test_a_host_that_registered_itself_is_approved_into_a_cluster_and_installed(told: EngineSite) -> None:
    register(told.server.engine.state, "node9", "192.0.2.19")
    system = told.connect()
    (found,) = system.hosts_service().list()
    host = system.hosts_service().host_service(found.id)
    assert found.status is Status.PENDING_APPROVAL
    assert host.nics_service().list() == []
    cluster = system.clusters_service().add(types.Cluster(name="hc", data_center=types.DataCenter(name="Default")))
    with pytest.raises(ovirtsdk4.NotFoundError):
        host.approve(cluster=types.Cluster(name="nowhere"))
    host.approve(cluster=types.Cluster(name="hc"), reboot=False)
    assert host.get().status is Status.INSTALLING
    told.clock.go(minutes=4)
    assert (host.get().status, host.get().cluster.id) == (Status.UP, cluster.id)
    with pytest.raises(ovirtsdk4.Error, match="can be approved") as refused:
        host.approve()
    assert refused.value.code == 409


def test_a_host_that_waits_for_approval_is_removed(told: EngineSite) -> None:
    register(told.server.engine.state, "node9", "192.0.2.19")
    hosts = told.connect().hosts_service()
    hosts.host_service(hosts.list()[0].id).remove()
    assert hosts.list() == []

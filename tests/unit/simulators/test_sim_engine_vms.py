"""Virtual machines in the simulated engine: states in time, where they run, and what stands against it."""

from collections.abc import Callable
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER
from sim.engine.host_life import Status
from sim.engine.hosts import find_again, lose
from sim.engine.vm_life import VmLasting, VmLife, VmStatus
from unit.simulators.engine_site import START, elements, recorded_43, states
from unit.simulators.storage_site import StorageSite, gluster

LASTING = VmLasting(launch=2, boot=20, shutdown=30, stop=3, migrate=20)
PINNED = types.VmAffinity.PINNED


@pytest.mark.parametrize(
    ("change", "expected", "moves"),
    [
        (
            lambda life: life.start(START, "b"),
            [(0, "wait_for_launch"), (2, "powering_up"), (22, "up")],
            [(0, "b")],
        ),
        (lambda life: life.end(START, kindly=True), [(0, "powering_down"), (30, "down")], [(0, "a"), (30, None)]),
        (lambda life: life.end(START, kindly=False), [(0, "powering_down"), (3, "down")], [(0, "a"), (3, None)]),
        (lambda life: life.migrate(START, "b"), [(0, "migrating"), (20, "up")], [(0, "a"), (20, "b")]),
    ],
)
def test_a_machine_changes_in_time(
    change: Callable[[VmLife], None], expected: list[tuple[int, str]], moves: list[tuple[int, str | None]]
) -> None:
    life = VmLife.up(START, LASTING, "a")
    change(life)
    assert states(life, START) == expected
    assert [((when - START).total_seconds(), host) for when, host in life.hosts.steps] == moves


@pytest.fixture
def vms(stores: StorageSite) -> Any:
    """The machines of a data center that is up, with a second host."""
    stores.attach("engine", gluster("engine"))
    stores.site.add_host(stores.system.hosts_service(), "node2", "192.0.2.12")
    return stores.system.vms_service()


def add(vms: Any, name: str = "guest", **values: Any) -> Any:
    cluster, blank = types.Cluster(id=DEFAULT_CLUSTER), types.Template(name="Blank")
    made = vms.add(types.Vm(name=name, cluster=cluster, template=blank, **values))
    return vms.vm_service(made.id)


def pin(stores: StorageSite, host: str = "node1") -> Any:
    (found,) = [one for one in stores.state.hosts.values() if one.name == host]
    return types.VmPlacementPolicy(affinity=PINNED, hosts=[types.Host(id=found.id)])


def test_a_machine_is_made_started_moved_and_removed(stores: StorageSite, vms: Any) -> None:
    vm = add(vms, memory=2 << 30)
    assert (vm.get().status, vm.get().host, vm.get().memory) == (VmStatus.DOWN, None, 2 << 30)
    vm.start()
    assert vm.get().status is VmStatus.WAIT_FOR_LAUNCH
    stores.site.clock.go(minutes=1)
    assert vm.get().status is VmStatus.UP
    first = vm.get().host.id
    vm.migrate()
    assert (vm.get().status, vm.get().host.id) == (VmStatus.MIGRATING, first)
    stores.site.clock.go(minutes=1)
    assert (vm.get().status, vm.get().host.id != first) == (VmStatus.UP, True)
    vm.migrate(host=types.Host(id=first))
    stores.site.clock.go(minutes=1)
    assert vm.get().host.id == first
    assert [found.summary.active for found in stores.system.hosts_service().list()] == [1, 0]
    assert stores.system.get().summary.vms.active == 1
    vm.shutdown()
    stores.site.clock.go(minutes=1)
    vm.start()
    vm.stop()
    stores.site.clock.go(minutes=1)
    vm.remove()
    assert vms.list() == []


@pytest.mark.parametrize(("recorded", "running"), [("vm_off", False), ("vm_on", True)])
def test_a_machine_has_the_elements_that_a_real_engine_showed(
    stores: StorageSite, vms: Any, recorded: str, running: bool
) -> None:
    """But for what lies in collections that are left out, and what is told from inside."""
    vm = add(vms)
    vm.start()
    stores.site.clock.go(minutes=1)
    if not running:
        vm.stop()
        stores.site.clock.go(minutes=1)
    theirs = elements(recorded_43("vms.xml")[recorded])
    theirs["fields"] -= {"cpu_profile", "large_icon", "small_icon", "quota", "fqdn"}
    theirs["fields"] -= {"guest_operating_system", "guest_time_zone"}
    if running:
        theirs["fields"] -= {"stop_time"}
    assert elements(stores.site.listed("vms")["guest"]) == theirs


@pytest.mark.parametrize(
    ("running", "change", "text"),
    [
        (False, lambda vm: vm.stop(), "not running"),
        (False, lambda vm: vm.shutdown(), "not running"),
        (False, lambda vm: vm.migrate(), "VM is down"),
        (True, lambda vm: vm.start(), "VM is running"),
        (True, lambda vm: vm.remove(), "VM is running"),
    ],
)
def test_a_state_forbids_what_does_not_fit(
    stores: StorageSite, vms: Any, running: bool, change: Callable[[Any], None], text: str
) -> None:
    vm = add(vms)
    if running:
        vm.start()
        stores.site.clock.go(minutes=1)
    before = vm.get().status
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        change(vm)
    assert refused.value.code == 409
    assert vm.get().status is before


def test_a_machine_that_is_protected_or_whose_name_is_taken(stores: StorageSite, vms: Any) -> None:
    vm = add(vms, delete_protected=True)
    with pytest.raises(ovirtsdk4.Error, match="Delete protection"):
        vm.remove()
    with pytest.raises(ovirtsdk4.Error, match="already in use"):
        add(vms)
    other = add(vms, "other")
    with pytest.raises(ovirtsdk4.Error, match="already in use"):
        other.update(types.Vm(name="guest"))
    vm.update(types.Vm(delete_protected=False, comment="c"))
    vm.remove()
    assert [found.name for found in vms.list()] == ["other"]


def test_without_a_data_center_that_is_up_there_is_no_machine(stores: StorageSite) -> None:
    with pytest.raises(ovirtsdk4.Error, match="Unknown Data Center status") as refused:
        add(stores.system.vms_service())
    assert refused.value.code == 409


def test_a_host_moves_its_machines_away_before_it_rests(stores: StorageSite, vms: Any) -> None:
    vm = add(vms)
    vm.start()
    stores.site.clock.go(minutes=1)
    assert vm.get().host.id == stores.host.get().id
    stores.host.deactivate()
    assert vm.get().status is VmStatus.MIGRATING
    stores.site.clock.go(seconds=15)
    assert stores.host.get().status is types.HostStatus.PREPARING_FOR_MAINTENANCE
    stores.site.clock.go(seconds=5)
    assert stores.host.get().status is types.HostStatus.MAINTENANCE
    assert vm.get().host.id != stores.host.get().id
    stores.host.remove()


def test_a_host_with_a_machine_that_cannot_move_does_not_rest(stores: StorageSite, vms: Any) -> None:
    vm = add(vms, placement_policy=pin(stores))
    vm.start()
    stores.site.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.Error, match="non-migratable VMs are: guest") as refused:
        stores.host.deactivate()
    assert refused.value.code == 409
    assert stores.host.get().status is types.HostStatus.UP
    with pytest.raises(ovirtsdk4.Error, match="pinned"):
        vm.migrate()


def test_the_only_host_does_not_rest_while_a_machine_runs(stores: StorageSite, vms: Any) -> None:
    second = stores.system.hosts_service().list(search="name=node2")[0]
    stores.system.hosts_service().host_service(second.id).deactivate()
    vm = add(vms)
    vm.start()
    stores.site.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.Error, match="no other host") as refused:
        stores.host.deactivate()
    assert refused.value.code == 409
    with pytest.raises(ovirtsdk4.Error, match="scheduling constraints"):
        vm.migrate()


def test_of_a_machine_on_a_lost_host_nobody_knows(stores: StorageSite, vms: Any) -> None:
    vm = add(vms)
    vm.start()
    stores.site.clock.go(minutes=1)
    lose(stores.state, "node1")
    stores.site.clock.go(minutes=2)
    assert vm.get().status is VmStatus.UNKNOWN
    find_again(stores.state, "node1")
    stores.site.clock.go(minutes=1)
    assert vm.get().status is VmStatus.UP


def test_a_machine_on_a_lost_host_is_down_once_somebody_confirms_that_the_host_was_rebooted(
    stores: StorageSite, vms: Any
) -> None:
    vm = add(vms)
    vm.start()
    stores.site.clock.go(minutes=1)
    lose(stores.state, "node1")
    stores.site.clock.go(minutes=2)
    stores.host.fence(fence_type="manual")
    assert (vm.get().status, vm.get().host) == (VmStatus.DOWN, None)
    vm.start()
    find_again(stores.state, "node1")
    stores.site.clock.go(minutes=1)
    assert vm.get().status is VmStatus.UP
    assert vm.get().host.id != stores.host.get().id


def test_an_upgrade_moves_machines_away_first(stores: StorageSite, vms: Any) -> None:
    vm = add(vms)
    vm.start()
    stores.state.updates.add(stores.host.get().address)
    stores.host.upgrade_check()
    stores.site.clock.go(minutes=1)
    stores.host.upgrade()
    stores.site.clock.go(seconds=20)
    assert stores.host.get().status is types.HostStatus.MAINTENANCE
    assert vm.get().host.id != stores.host.get().id
    stores.site.clock.go(minutes=10)
    assert (stores.host.get().status, vm.get().status) == (types.HostStatus.UP, VmStatus.UP)


def test_the_only_host_is_not_upgraded_while_a_machine_runs(stores: StorageSite, vms: Any) -> None:
    second = stores.system.hosts_service().list(search="name=node2")[0]
    stores.system.hosts_service().host_service(second.id).deactivate()
    add(vms).start()
    stores.state.updates.add(stores.host.get().address)
    stores.host.upgrade_check()
    stores.site.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.Error, match="no other host"):
        stores.host.upgrade()
    assert stores.host.get().status is types.HostStatus.UP


def test_a_host_that_does_not_respond_does_not_rest_with_a_machine(stores: StorageSite, vms: Any) -> None:
    add(vms).start()
    stores.site.clock.go(minutes=1)
    lose(stores.state, "node1")
    stores.site.clock.go(minutes=2)
    with pytest.raises(ovirtsdk4.Error, match="do not respond") as refused:
        stores.host.deactivate()
    assert refused.value.code == 409


@pytest.mark.parametrize(
    ("way", "ends"),
    [
        ([(0, Status.REBOOT), (120, Status.UP)], True),
        ([(0, Status.DOWN)], True),
        ([(0, Status.CONNECTING), (5, Status.UP)], False),
    ],
)
def test_a_machine_ends_where_the_power_of_its_host_does(
    stores: StorageSite, vms: Any, way: list[tuple[float, Any]], ends: bool
) -> None:
    vm = add(vms)
    vm.start()
    stores.site.clock.go(minutes=1)
    stores.state.lives[vm.get().host.id].go(stores.site.clock(), *way)
    stores.site.clock.go(minutes=5)
    assert (vm.get().status, vm.get().host is None) == (VmStatus.DOWN if ends else VmStatus.UP, ends)
    if ends:
        vm.start()
        assert vm.get().status is VmStatus.WAIT_FOR_LAUNCH


def test_a_host_to_which_a_machine_is_pinned_is_not_removed(stores: StorageSite, vms: Any) -> None:
    add(vms, placement_policy=pin(stores))
    stores.host.deactivate()
    stores.site.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.Error, match="pinned") as refused:
        stores.host.remove()
    assert refused.value.code == 409


def test_a_machine_starts_where_it_may(stores: StorageSite, vms: Any) -> None:
    add(vms, "pinned", placement_policy=pin(stores, "node2")).start()
    assert [host.summary.total for host in stores.system.hosts_service().list()] == [0, 1]
    center = types.DataCenter(id=DEFAULT_DATA_CENTER)
    empty = stores.system.clusters_service().add(types.Cluster(name="empty", data_center=center))
    made = vms.add(types.Vm(name="alone", cluster=empty, template=types.Template(name="Blank")))
    with pytest.raises(ovirtsdk4.Error, match="scheduling constraints") as refused:
        vms.vm_service(made.id).start()
    assert refused.value.code == 409


def test_a_cluster_goes_when_it_has_neither_hosts_nor_machines(stores: StorageSite, vms: Any) -> None:
    system = stores.system
    center = types.DataCenter(id=DEFAULT_DATA_CENTER)
    made = system.clusters_service().add(types.Cluster(name="other", data_center=center))
    other = system.clusters_service().cluster_service(made.id)
    default = system.clusters_service().cluster_service(DEFAULT_CLUSTER)
    with pytest.raises(ovirtsdk4.Error, match="one or more Hosts") as refused:
        default.remove()
    assert refused.value.code == 409
    vm = vms.add(types.Vm(name="guest", cluster=made, template=types.Template(name="Blank")))
    with pytest.raises(ovirtsdk4.Error, match="VMs") as refused:
        other.remove()
    assert refused.value.code == 409
    vms.vm_service(vm.id).remove()
    other.remove()
    assert stores.site.names("clusters") == ["Default"]

"""The engine's own machine, host and storage in the simulated engine."""

from collections.abc import Callable
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_DATA_CENTER
from sim.engine.hosts import lose
from sim.engine.self_hosted import deploy_hosted_engine
from unit.simulators.engine_site import EngineSite


@pytest.fixture
def deployed(told: EngineSite) -> Any:
    """The engine's API after a self-hosted deployment."""
    deploy_hosted_engine(told.server.engine.state, mount_options="backup-volfile-servers=node2:node3")
    return told.connect()


def host_of(system: Any, name: str = "node1") -> Any:
    (found,) = [host for host in system.hosts_service().list() if host.name == name]
    return system.hosts_service().host_service(found.id)


def role(system: Any, name: str = "node1") -> Any:
    return host_of(system, name).get(all_content=True).hosted_engine


def machine(system: Any) -> Any:
    (found,) = [vm for vm in system.vms_service().list() if vm.name == "HostedEngine"]
    return system.vms_service().vm_service(found.id)


def attached(system: Any) -> Any:
    return system.data_centers_service().data_center_service(DEFAULT_DATA_CENTER).storage_domains_service()


def test_after_a_deployment_there_are_its_host_its_storage_and_its_machine(deployed: Any) -> None:
    (host,) = deployed.hosts_service().list(all_content=True)
    assert (host.name, host.status, host.summary.active) == ("node1", types.HostStatus.UP, 1)
    told = host.hosted_engine
    assert (told.configured, told.active, told.score) == (True, True, 3400)
    assert (told.global_maintenance, told.local_maintenance) == (False, False)
    (domain,) = attached(deployed).list()
    assert (domain.name, domain.status.value, domain.master) == ("hosted_storage", "active", True)
    assert (domain.storage.address, domain.storage.path) == ("node1", "/engine")
    assert domain.storage.mount_options == "backup-volfile-servers=node2:node3"
    vm = machine(deployed).get()
    assert (vm.origin, vm.status.value, vm.host.id) == ("managed_hosted_engine", "up", host.id)
    (center,) = deployed.data_centers_service().list()
    assert center.status is types.DataCenterStatus.UP


def test_its_storage_does_not_rest(deployed: Any) -> None:
    domain = attached(deployed).storage_domain_service(attached(deployed).list()[0].id)
    with pytest.raises(ovirtsdk4.Error, match="self hosted engine") as refused:
        domain.deactivate()
    assert refused.value.code == 409
    with pytest.raises(ovirtsdk4.Error, match="status is Active") as refused:
        domain.remove()
    assert refused.value.code == 409


@pytest.mark.parametrize(
    "change",
    [
        types.Vm(high_availability=types.HighAvailability(enabled=True)),
        types.Vm(delete_protected=True),
        types.Vm(stateless=True),
        types.Vm(bios=types.Bios(type=types.BiosType.Q35_OVMF)),
        types.Vm(cluster=types.Cluster(name="other")),
    ],
)
def test_most_of_its_machine_is_fixed(deployed: Any, change: Any) -> None:
    with pytest.raises(ovirtsdk4.Error, match="locked") as refused:
        machine(deployed).update(change)
    assert refused.value.code == 409


def test_memory_and_sockets_of_its_machine_can_be_changed(deployed: Any) -> None:
    cpu = types.Cpu(topology=types.CpuTopology(sockets=4))
    machine(deployed).update(types.Vm(memory=24 << 30, cpu=cpu, delete_protected=False))
    found = machine(deployed).get()
    assert (found.memory, found.cpu.topology.sockets, found.cpu.topology.cores) == (24 << 30, 4, 1)


@pytest.mark.parametrize("change", [lambda vm: vm.remove(), lambda vm: vm.start()])
def test_its_machine_runs(deployed: Any, change: Callable[[Any], None]) -> None:
    with pytest.raises(ovirtsdk4.Error, match="VM is running") as refused:
        change(machine(deployed))
    assert refused.value.code == 409


def test_a_second_host_can_run_it_once_it_is_up(told: EngineSite, deployed: Any) -> None:
    hosts = deployed.hosts_service()
    told.add_host(hosts, "node3", "192.0.2.13")
    told.add_host(hosts, "node2", "192.0.2.12", deploy_hosted_engine=True)
    assert role(deployed, "node2").score == 3400
    assert role(deployed, "node3") is None
    assert host_of(deployed, "node2").get().hosted_engine is None


def test_a_host_that_is_being_installed_tells_nothing_of_it(told: EngineSite, deployed: Any) -> None:
    told.server.engine.state.reachable.add("192.0.2.12")
    ssh = types.Ssh(authentication_method=types.SshAuthenticationMethod.PUBLICKEY)
    given = types.Host(name="node2", address="192.0.2.12", cluster=types.Cluster(name="Default"), ssh=ssh)
    deployed.hosts_service().add(given, deploy_hosted_engine=True)
    assert role(deployed, "node2") is None
    told.clock.go(minutes=6)
    assert role(deployed, "node2").configured is True


def test_a_host_that_rests_gives_it_away_and_keeps_itself_out(told: EngineSite, deployed: Any) -> None:
    told.add_host(deployed.hosts_service(), "node3", "192.0.2.13")
    told.add_host(deployed.hosts_service(), "node2", "192.0.2.12", deploy_hosted_engine=True)
    first = host_of(deployed)
    first.deactivate()
    assert (role(deployed).local_maintenance, role(deployed).score) == (True, 0)
    told.clock.go(minutes=1)
    assert machine(deployed).get().host.id == host_of(deployed, "node2").get().id
    assert (role(deployed).local_maintenance, role(deployed).score) == (True, 0)
    first.activate()
    told.clock.go(minutes=1)
    assert (role(deployed).local_maintenance, role(deployed).score) == (False, 3400)


@pytest.mark.parametrize("other", [None, "no part in it", "no score"])
def test_without_an_alternate_its_host_does_not_rest(told: EngineSite, deployed: Any, other: str | None) -> None:
    if other:
        deploy = other == "no score"
        key = told.add_host(deployed.hosts_service(), "node2", "192.0.2.12", deploy_hosted_engine=deploy).get().id
        told.server.engine.state.lives[key].score = 0
    with pytest.raises(ovirtsdk4.Error, match="no alternate hosts") as refused:
        host_of(deployed).deactivate()
    assert refused.value.code == 409
    assert host_of(deployed).get().status is types.HostStatus.UP


def test_global_maintenance_is_told_by_every_host_somewhat_later(told: EngineSite, deployed: Any) -> None:
    told.add_host(deployed.hosts_service(), "node2", "192.0.2.12", deploy_hosted_engine=True)
    for enabled in (True, False):
        machine(deployed).maintenance(maintenance_enabled=enabled)
        assert role(deployed).global_maintenance is not enabled
        told.clock.go(seconds=5)
        assert [role(deployed, name).global_maintenance for name in ("node1", "node2")] == [enabled, enabled]


def test_global_maintenance_is_of_its_machine_alone_and_says_what(told: EngineSite, deployed: Any) -> None:
    with pytest.raises(ovirtsdk4.Error, match="maintenanceEnabled") as refused:
        machine(deployed).maintenance()
    assert refused.value.code == 400
    vms = deployed.vms_service()
    cluster, blank = types.Cluster(name="Default"), types.Template(name="Blank")
    other = vms.add(types.Vm(name="guest", cluster=cluster, template=blank))
    with pytest.raises(ovirtsdk4.Error) as refused:
        vms.vm_service(other.id).maintenance(maintenance_enabled=True)
    assert role(deployed).global_maintenance is False


def test_global_maintenance_needs_the_host_of_its_machine(told: EngineSite, deployed: Any) -> None:
    lose(told.server.engine.state, "node1")
    told.clock.go(minutes=2)
    with pytest.raises(ovirtsdk4.Error, match="not configured") as refused:
        machine(deployed).maintenance(maintenance_enabled=True)
    assert refused.value.code == 409


def test_a_host_can_give_up_its_part(told: EngineSite, deployed: Any) -> None:
    second = told.add_host(deployed.hosts_service(), "node2", "192.0.2.12", deploy_hosted_engine=True)
    second.deactivate()
    told.clock.go(minutes=1)
    second.install(undeploy_hosted_engine=True, activate=True)
    told.clock.go(minutes=6)
    assert role(deployed, "node2") is None

"""What the simulated engine leaves out of storage and virtual machines: each is refused, as its README says."""

from collections.abc import Callable
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER
from sim.engine.self_hosted import deploy_hosted_engine
from unit.simulators.engine_site import EngineSite
from unit.simulators.storage_site import LUN, Kind, Purpose, StorageSite, gluster, nfs, storage_site, units


@pytest.fixture
def left(site: EngineSite) -> StorageSite:
    """A data center with one domain."""
    made = storage_site(site)
    made.attach("engine", gluster("engine"))
    return made


def refused(left: StorageSite, call: Callable[[StorageSite], object]) -> None:
    with pytest.raises(ovirtsdk4.Error, match="text/plain"):
        call(left)
    assert len(left.site.server.engine.refused) == 1


def domain(left: StorageSite) -> Any:
    return left.domain(left.attached.list()[0].id)


Calls = dict[str, Callable[[StorageSite], object]]

OF_STORAGE: Calls = {
    "local storage": lambda s: s.add("o", types.HostStorage(type=Kind.LOCALFS, path="/data")),
    "managed storage": lambda s: s.add("o", types.HostStorage(type=Kind.MANAGED_BLOCK_STORAGE)),
    "storage of OpenStack": lambda s: s.add("o", types.HostStorage(type=Kind.CINDER)),
    "a connection of its own": lambda s: s.add("o", types.HostStorage(id="c", type=Kind.NFS, path="/iso", address="n")),
    "an image domain": lambda s: s.add("o", nfs("iso"), types.StorageDomainType.IMAGE),
    "ISO images on units": lambda s: s.add("o", units(Kind.FCP, LUN), Purpose.ISO),
    "a unit that nobody reaches": lambda s: s.add("o", units(Kind.FCP, "other")),
    "a host with an unknown id": lambda s: s.system.storage_domains_service().add(
        types.StorageDomain(name="o", type=Purpose.DATA, storage=nfs("iso"), host=types.Host(id="other"))
    ),
    "more storage for one": lambda s: domain(s).update(types.StorageDomain(storage=nfs("iso"))),
    "a backup domain": lambda s: domain(s).update(types.StorageDomain(backup=True)),
    "whether it is attached": lambda s: domain(s).is_attached(host=types.Host(name="node1")),
    "fewer units": lambda s: domain(s).reduce_luns(),
    "larger units": lambda s: domain(s).refresh_luns(),
    "its list of machines": lambda s: domain(s).update_ovf_store(),
    "disks": lambda s: domain(s).disks_service().list(),
    "another master": lambda s: center(s).set_master(storage_domain=s.attached.list()[0]),
    "a data center by force": lambda s: center(s).remove(force=True),
}


def center(left: StorageSite) -> Any:
    return left.system.data_centers_service().data_center_service(DEFAULT_DATA_CENTER)


@pytest.mark.parametrize("what", OF_STORAGE)
def test_of_storage(left: StorageSite, what: str) -> None:
    refused(left, OF_STORAGE[what])


def running(left: StorageSite) -> Any:
    vm = add(left)
    vm.start()
    left.site.clock.go(minutes=1)
    return vm


def add(left: StorageSite, **values: Any) -> Any:
    given = {"cluster": types.Cluster(id=DEFAULT_CLUSTER), "template": types.Template(name="Blank"), **values}
    vms = left.system.vms_service()
    return vms.vm_service(vms.add(types.Vm(name="guest", **given)).id)


OF_MACHINES: Calls = {
    "another template": lambda s: add(s, template=types.Template(name="centos")),
    "a cluster with an unknown id": lambda s: add(s, cluster=types.Cluster(id="other")),
    "what runs inside": lambda s: add(s, initialization=types.Initialization(host_name="guest")),
    "how it is scheduled": lambda s: add(s, cpu=types.Cpu(mode=types.CpuMode.HOST_PASSTHROUGH)),
    "disks": lambda s: add(s).disk_attachments_service().list(),
    "interfaces": lambda s: add(s).nics_service().list(),
    "snapshots": lambda s: add(s).snapshots_service().list(),
    "a start with more": lambda s: add(s).start(use_cloud_init=True),
    "a removal by force": lambda s: add(s).remove(force=True),
    "memory while it runs": lambda s: running(s).update(types.Vm(memory=2 << 30)),
    "a reboot": lambda s: running(s).reboot(),
    "sleep": lambda s: running(s).suspend(),
    "a move by force": lambda s: running(s).migrate(force=True),
}


def test_of_a_data_center_with_machines_and_storage(left: StorageSite) -> None:
    add(left)
    left.attached.storage_domain_service(left.attached.list()[0].id).deactivate()
    left.site.clock.go(minutes=1)
    refused(left, lambda s: center(s).remove())


@pytest.mark.parametrize("what", OF_MACHINES)
def test_of_machines(left: StorageSite, what: str) -> None:
    refused(left, OF_MACHINES[what])


@pytest.mark.parametrize(
    "call",
    [
        lambda vm: vm.stop(),
        lambda vm: vm.shutdown(),
        lambda vm: vm.update(types.Vm(cpu=types.Cpu(topology=types.CpuTopology(cores=2)))),
    ],
)
def test_of_the_engines_own_machine(site: EngineSite, call: Callable[[Any], None]) -> None:
    own = deploy_hosted_engine(site.server.engine.state)
    with pytest.raises(ovirtsdk4.Error, match="text/plain"):
        call(site.connect().vms_service().vm_service(own.vm))
    assert len(site.server.engine.refused) == 1

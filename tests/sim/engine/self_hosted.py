"""An engine as it is after a self-hosted deployment: its first host, its own storage, its own machine."""

from collections.abc import Mapping
from typing import Any

from ovirtsdk4 import types

from sim.engine.domain_life import DomainLife, DomainStatus
from sim.engine.host_life import Status
from sim.engine.hosts import make_host
from sim.engine.state import EngineState, SelfHosted, named
from sim.engine.storage import Kind, StoragePlace, places_of
from sim.engine.storage_domains import new_domain
from sim.engine.timeline import Timeline
from sim.engine.vm_defaults import new_vm
from sim.engine.vm_life import VmLife


def deploy_hosted_engine(
    state: EngineState,
    *,
    host: str = "node1",
    address: str = "192.0.2.11",
    storage: str = "node1:/engine",
    mount_options: str | None = None,
    fqdn: str = "engine.example.test",
    cluster: str = "Default",
) -> SelfHosted:
    """Makes an engine look so.

    Args:
        state: Of the engine.
        host: Name of its first host, which is up.
        address: Of that host.
        storage: The volume with its own storage, as `address:/volume`.
        mount_options: Of that.
        fqdn: Under which the machine is reached.
        cluster: Name of the cluster of host and machine.
    """
    at = named(state.clusters, cluster)
    assert at
    assert at.data_center
    state.reachable.add(address)
    first = make_host(state, types.Host(name=host, address=address), at.id)
    first_life = state.lives[first.id]
    first_life.hosted_engine = True
    first_life.go(state.now(), (0, Status.UP))
    domain = _own_storage(state, at.data_center.id, storage, mount_options)
    machine = new_vm(
        state,
        "HostedEngine",
        at.id,
        description="Hosted engine VM",
        fqdn=fqdn,
        memory=16 << 30,
        origin="managed_hosted_engine",
    )
    state.vm_lives[machine.id] = VmLife.up(state.now(), state.vm_lasting, first.id)
    watched = Timeline()
    watched.go(state.now(), (0, False))
    state.self_hosted = SelfHosted(machine.id, domain.id, watched)
    return state.self_hosted


def deploy_as_told(state: EngineState, told: Mapping[str, Any]) -> SelfHosted:
    """What oVirt's role hosted_engine_setup makes of the variables that it is told, in a cluster that is there.

    Args:
        state: Of the engine.
        told: The variables.
    """
    return deploy_hosted_engine(
        state,
        host=told["he_host_name"],
        address=told["he_host_address"],
        storage=f"{told['he_storage_domain_addr']}:{told['he_storage_domain_path']}",
        mount_options=told["he_mount_options"] or None,
        fqdn=told["he_fqdn"],
        cluster=told["he_cluster"],
    )


def restore_as_told(state: EngineState, told: Mapping[str, Any]) -> SelfHosted:
    """Likewise, out of a backup of this very state: the first host and the former machine are taken out of it first.

    Args:
        state: Of the engine.
        told: The variables.
    """
    for host in [one for one in state.hosts.values() if one.address == told["he_host_address"]]:
        del state.hosts[host.id], state.lives[host.id]
    for machine in [one for one in state.vms.values() if one.name == "HostedEngine"]:
        del state.vms[machine.id], state.vm_lives[machine.id]
    former = named(state.storage_domains, "hosted_storage")
    if former is not None:
        former.name, former.master = "hosted_storage_old_20261128T020000", False
    return deploy_as_told(state, told)


def _own_storage(state: EngineState, data_center: str, place: str, mount_options: str | None) -> Any:
    """The first domain of the data center, which holds its metadata."""
    address, _, path = place.partition(":")
    storage = types.HostStorage(
        type=Kind.GLUSTERFS, address=address, path=path, vfs_type="glusterfs", mount_options=mount_options
    )
    wanted = types.StorageDomain(name="hosted_storage", type=types.StorageDomainType.DATA, storage=storage)
    made = new_domain(state, wanted)
    made.master = True
    state.storage_domains[made.id] = made
    (key,) = places_of(storage)
    state.storage.setdefault(key, StoragePlace()).domain = made
    life = DomainLife(state.storage_lasting)
    life.go(state.now(), (0, DomainStatus.ACTIVE))
    state.attachments[data_center, made.id] = life
    state.data_centers[data_center].storage_format = made.storage_format
    return made

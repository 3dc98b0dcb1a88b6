"""Storage domains and virtual machines as long as no host could carry them: how each is refused."""

from typing import Any, NoReturn

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Operations, lookup
from sim.engine.messages import NotToldError, conflict, incomplete
from sim.engine.render import Listing


def _add_domain(call: Call) -> NoReturn:
    body = call.body("storage_domain", ("name", "type", "storage", "host"))
    if not body.host or not (body.host.id or body.host.name):
        raise incomplete("StorageDomain", "host.id|name")
    try:
        lookup(call.state.hosts, body.host, "Hosts")
    except KeyError as error:
        raise NotToldError("a storage domain by a host with an unknown id") from error
    raise NotToldError("a storage domain")


def _add_vm(call: Call) -> NoReturn:
    body = call.body("vm", ("name", "cluster", "template"))
    if not body.cluster or not (body.cluster.id or body.cluster.name):
        raise incomplete("Vm", "cluster.id|name")
    try:
        cluster = lookup(call.state.clusters, body.cluster, "Cluster")
    except KeyError as error:
        raise NotToldError("a virtual machine in a cluster with an unknown id") from error
    with call.job(f"Creating VM {body.name} in Cluster {cluster.name}"):
        data_center = call.state.data_centers[cluster.data_center.id] if cluster.data_center else None
        if data_center and data_center.status is types.DataCenterStatus.UNINITIALIZED:
            raise conflict("Cannot add VM. Unknown Data Center status.")
    raise NotToldError("a virtual machine")


def _empty(root: str, table: str) -> Any:
    def listing(call: Call) -> Listing:
        if getattr(call.state, table):
            raise NotToldError(f"a list of {table} that is not empty")
        return Listing(root)

    return listing


OPERATIONS: Operations = {
    (services.StorageDomainsService, "list"): _empty("storage_domains", "storage_domains"),
    (services.StorageDomainsService, "add"): _add_domain,
    (services.VmsService, "list"): _empty("vms", "vms"),
    (services.VmsService, "add"): _add_vm,
}

"""Virtual machines as long as no host could carry them: how they are refused."""

from typing import NoReturn

from ovirtsdk4 import services

from sim.engine.attachments import PoolStatus, data_center_status
from sim.engine.calls import Call, Operations, lookup
from sim.engine.messages import NotToldError, conflict, incomplete
from sim.engine.render import Listing


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
        if data_center and data_center_status(call.state, data_center.id) is PoolStatus.UNINITIALIZED:
            raise conflict("Cannot add VM. Unknown Data Center status.")
    raise NotToldError("a virtual machine")


def _list(call: Call) -> Listing:
    if call.state.vms:
        raise NotToldError("a list of virtual machines that is not empty")
    return Listing("vms")


OPERATIONS: Operations = {
    (services.VmsService, "list"): _list,
    (services.VmsService, "add"): _add_vm,
}

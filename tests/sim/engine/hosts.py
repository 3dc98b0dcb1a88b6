"""Hosts, storage domains and virtual machines before any host is up: how each of them is refused."""

import re
from typing import Any, NoReturn

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Operations, lookup
from sim.engine.messages import FaultError, NotToldError, conflict, incomplete, invalid
from sim.engine.render import Listing

_NAME = re.compile(r"[\w.-]+", re.ASCII)
_NO_SSH = (
    "Cannot add Host. Connecting to host via SSH has failed, verify that the host is reachable (IP address, routable "
    "address etc.) You may refer to the engine.log file for further details."
)
_NO_HOSTED_ENGINE = (
    "Cannot add Host. You are using an unmanaged hosted engine VM. Please add the first storage domain in order to "
    "start the hosted engine import process."
)


def _add_host(call: Call) -> NoReturn:
    body = call.body("host")
    for name in ("name", "address"):
        if not getattr(body, name):
            raise incomplete("Host", name)
    if not body.cluster:
        raise NotToldError("a host without a cluster")
    try:
        cluster = lookup(call.state.clusters, body.cluster, "Cluster")
    except KeyError:
        cluster = None
    with call.job(f"Adding new Host {body.name} to Cluster {cluster.name if cluster else body.cluster.id}"):
        if cluster is None:
            raise invalid("Cannot add Host. Cluster ID is not valid.")
        if not _NAME.fullmatch(body.name):
            raise invalid(
                'Host name must be formed of alphanumeric characters, numbers or "-_.", Attribute: vdsStatic.name'
            )
        publickey = body.ssh and body.ssh.authentication_method is types.SshAuthenticationMethod.PUBLICKEY
        if not publickey and not body.root_password:
            raise invalid("Cannot install Host with empty password.")
        if call.flag("deploy_hosted_engine") and not call.state.first_domain:
            raise conflict(_NO_HOSTED_ENGINE)
        if body.address not in call.state.reachable:
            raise conflict(_NO_SSH)
    raise NotToldError("a host that is reached over SSH")


def _no_host(call: Call) -> NoReturn:
    raise (FaultError(404, "Entity not found: Host") if call.key not in call.state.hosts else NotToldError("a host"))


def _add_domain(call: Call) -> NoReturn:
    body = call.body("storage_domain")
    if not body.host or not (body.host.id or body.host.name):
        raise incomplete("StorageDomain", "host.id|name")
    try:
        lookup(call.state.hosts, body.host, "Hosts")
    except KeyError as error:
        raise NotToldError("a storage domain by a host with an unknown id") from error
    raise NotToldError("a storage domain")


def _add_vm(call: Call) -> NoReturn:
    body = call.body("vm")
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
    (services.HostsService, "list"): _empty("hosts", "hosts"),
    (services.HostsService, "add"): _add_host,
    (services.HostNicsService, "list"): _no_host,
    (services.StorageDomainsService, "list"): _empty("storage_domains", "storage_domains"),
    (services.StorageDomainsService, "add"): _add_domain,
    (services.VmsService, "list"): _empty("vms", "vms"),
    (services.VmsService, "add"): _add_vm,
}

"""Hosts: how they are refused, added, maintained and removed. Their states in time are in host_life.py."""

import re
from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed, lookup
from sim.engine.gluster_checks import has_bricks, refuse_for_gluster, start_gluster, stop_gluster
from sim.engine.host_calls import BUSY, the_host
from sim.engine.host_life import HostLife, HostTrouble, Status
from sim.engine.host_net import new_net
from sim.engine.hosted_engine import role_of
from sim.engine.messages import NotToldError, busy, conflict, incomplete, invalid
from sim.engine.placements import move_away, pinned_to, summary_of
from sim.engine.provider_use import provide
from sim.engine.render import Item, Listing, shown
from sim.engine.routes import API
from sim.engine.state import EngineState, named
from sim.engine.treatment import watch

_NAME = re.compile(r"[\w.-]+", re.ASCII)
_NO_SSH = (
    "Cannot add Host. Connecting to host via SSH has failed, verify that the host is reachable (IP address, routable "
    "address etc.) You may refer to the engine.log file for further details."
)
_NO_HOSTED_ENGINE = (
    "Cannot add Host. You are using an unmanaged hosted engine VM. Please add the first storage domain in order to "
    "start the hosted engine import process."
)
_BAD_NAME = 'Host name must be formed of alphanumeric characters, numbers or "-_.", Attribute: vdsStatic.name'
_SETTABLE = ("name", "comment", "address", "cluster", "ssh", "root_password")
_INSTALLATION = ("activate", "deploy_hosted_engine", "undeploy_hosted_engine", "reboot", "ssh", "root_password")


def host_item(call: Call, value: Any) -> Item:
    """A host as it is now."""
    life = call.state.lives[value.id]
    status = life.status(call.state.now())
    now = {"status": status, "summary": summary_of(call.state, value)}
    if status is Status.NON_OPERATIONAL:
        now["status_detail"] = life.detail
    if call.all_content:
        now["network_operation_in_progress"] = False
        now["hosted_engine"] = role_of(call.state, value)
    return Item(shown(value, **now), f"{API}/hosts/{value.id}")


def _list(call: Call) -> Listing:
    return Listing("hosts", [host_item(call, value) for value in call.state.hosts.values()])


def _get(call: Call) -> Item:
    return host_item(call, call.the(call.state.hosts))


def _add(call: Call) -> Created:
    body = call.body("host", _SETTABLE)
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
        _check(call, body)
    return Created(host_item(call, _new(call, body, cluster.id)))


def _check(call: Call, body: Any) -> None:
    state = call.state
    check_name(body.name)
    if not _publickey(body) and not body.root_password:
        raise invalid("Cannot install Host with empty password.")
    if named(state.hosts, body.name):
        raise conflict("Cannot add Host. The Host name is already in use.")
    if any(host.address == body.address for host in state.hosts.values()):
        raise conflict("Cannot add Host. The Host address is already in use.")
    if call.flag("deploy_hosted_engine") and not state.self_hosted:
        raise conflict(_NO_HOSTED_ENGINE)
    if body.address not in state.reachable:
        raise conflict(_NO_SSH)


def check_name(name: str) -> None:
    """Refuses what is no name for a host."""
    if not _NAME.fullmatch(name):
        raise invalid(_BAD_NAME)


def _publickey(body: Any) -> bool:
    return bool(body.ssh and body.ssh.authentication_method is types.SshAuthenticationMethod.PUBLICKEY)


def _new(call: Call, body: Any, cluster: str) -> Any:
    state = call.state
    made = make_host(state, body, cluster)
    life = state.lives[made.id]
    life.hosted_engine = call.flag("deploy_hosted_engine")
    provide(state, made)
    # Both are the default here, and only here.
    activate, reboot = (call.request.query.get(name) != "false" for name in ("activate", "reboot"))
    life.install(state.now(), fails=made.address in state.broken, reboot=reboot, activate=activate)
    return made


def make_host(state: EngineState, body: Any, cluster: str) -> Any:
    """A host of which the engine knows what stands in a body, and that has no state yet."""
    made = types.Host(
        name=body.name,
        comment=body.comment or "",
        address=body.address,
        cluster=types.Cluster(id=cluster),
        external_status=types.ExternalStatus.OK,
        kdump_status=types.KdumpStatus.UNKNOWN,
        ksm=types.Ksm(enabled=False),
        port=54321,
        power_management=types.PowerManagement(
            automatic_pm_enabled=True, enabled=False, kdump_detection=True, pm_proxies=[]
        ),
        protocol=types.HostProtocol.STOMP,
        spm=types.Spm(priority=5, status=types.SpmStatus.NONE),
        ssh=types.Ssh(port=(body.ssh and body.ssh.port) or 22),
        type=types.HostType.RHEL,
        update_available=False,
    )
    state.insert(state.hosts, made)
    new_net(state, made)
    state.lives[made.id] = HostLife(state.lasting)
    return made


def _install(call: Call) -> Performed:
    value, life, status = the_host(call)
    body = call.body("action", _INSTALLATION)
    if status in BUSY:
        raise busy()
    if status not in (Status.MAINTENANCE, Status.INSTALL_FAILED, Status.NON_RESPONSIVE):
        raise conflict("Please move Host to Maintenance mode first.")
    kept = life.hosted_engine and not body.undeploy_hosted_engine
    life.hosted_engine = kept or bool(body.deploy_hosted_engine)
    reboot = True if body.reboot is None else body.reboot
    provide(call.state, value)
    fails = value.address in call.state.broken
    life.install(call.state.now(), fails=fails, reboot=reboot, activate=bool(body.activate))
    return Performed()


def _activate(call: Call) -> Performed:
    value, life, status = the_host(call)
    call.body("action")
    if status is Status.UP:
        raise conflict("Cannot activate Host. Host is already Up.")
    if status in BUSY:
        raise busy()
    if status not in (Status.MAINTENANCE, Status.NON_OPERATIONAL):
        raise NotToldError(f"the activation of a host that is {status.value}")
    life.activate(call.state.now())
    start_gluster(call.state, value, life)
    return Performed()


def _deactivate(call: Call) -> Performed:
    value, life, status = the_host(call)
    body = call.body("action", ("reason", "stop_gluster_service"))
    if status is Status.MAINTENANCE:
        raise conflict("Cannot switch Host to Maintenance mode. Host is already in Maintenance mode.")
    if status in BUSY:
        raise busy()
    if status not in (Status.UP, Status.CONNECTING, Status.NON_RESPONSIVE, Status.DOWN, Status.NON_OPERATIONAL):
        raise NotToldError(f"the maintenance of a host that is {status.value}")
    if body.stop_gluster_service:
        refuse_for_gluster(call, value)
    life.deactivate(call.state.now(), at_least=move_away(call.state, value))
    if body.stop_gluster_service:
        stop_gluster(call.state, value, life)
    return Performed()


def _remove(call: Call) -> Performed:
    value, _, status = the_host(call)
    if status in BUSY:
        raise busy()
    if status not in (Status.MAINTENANCE, Status.INSTALL_FAILED, Status.PENDING_APPROVAL):
        raise conflict("Cannot remove Host. Host is operational. Please switch Host to Maintenance mode first.")
    state = call.state
    if has_bricks(state, value):
        raise conflict("Cannot remove Host. Server having Gluster volume.")
    if bound := [vm.name for vm in state.vms.values() if value.id in pinned_to(vm)]:
        raise conflict(f"Cannot remove Host. The following VMs are pinned to it: {', '.join(bound)}.")
    state.host_labels = {at: None for at in state.host_labels if at[1] != value.id}
    state.fence_agents = {key: agent for key, agent in state.fence_agents.items() if agent.host.id != value.id}
    del state.hosts[value.id], state.lives[value.id], state.nets[value.id]
    return Performed()


def lose(state: EngineState, name: str, trouble: HostTrouble | None = None) -> None:
    """The engine does not reach a host any more, and treats it when it does not respond."""
    state.settle()
    host = named(state.hosts, name)
    assert host, name
    state.lives[host.id].lose(state.now(), trouble or HostTrouble())
    watch(state, host.id)


def find_again(state: EngineState, name: str) -> None:
    """The engine reaches a host again."""
    state.settle()
    host = named(state.hosts, name)
    assert host, name
    state.lives[host.id].return_to(state.now())


OPERATIONS: Operations = {
    (services.HostsService, "list"): _list,
    (services.HostsService, "add"): _add,
    (services.HostService, "get"): _get,
    (services.HostService, "remove"): _remove,
    (services.HostService, "install"): _install,
    (services.HostService, "activate"): _activate,
    (services.HostService, "deactivate"): _deactivate,
}

"""What makes virtual machines run, move and end; and the maintenance of the engine's own."""

from typing import Any

from ovirtsdk4 import services

from sim.engine.calls import Call, Operations, Performed, lookup
from sim.engine.hosted_engine import global_maintenance, is_hosted_engine, role_of
from sim.engine.messages import NotToldError, PlainError, conflict, incomplete
from sim.engine.placements import host_of, hosts_for, pinned, vm_status
from sim.engine.state import EngineState
from sim.engine.vm_life import VmLife, VmStatus

_NO_HOST = "Cannot {} VM. There is no host that satisfies current scheduling constraints."


def _the(call: Call) -> tuple[Any, VmLife, Any]:
    value = call.the(call.state.vms)
    return value, call.state.vm_lives[value.id], vm_status(call.state, value)


def _start(call: Call) -> Performed:
    value, life, status = _the(call)
    call.body("action")
    if status is not VmStatus.DOWN:
        raise conflict("Cannot run VM. VM is running.")
    if not (hosts := hosts_for(call.state, value)):
        raise conflict(_NO_HOST.format("run"))
    life.start(call.state.now(), hosts[0].id)
    return Performed()


def _end(verb: str, *, kindly: bool) -> Any:
    def end(call: Call) -> Performed:
        value, life, status = _the(call)
        call.body("action", ("reason",))
        if is_hosted_engine(call.state, value):
            raise NotToldError("the end of the engine's own machine")
        if status is VmStatus.DOWN:
            raise conflict(f"Cannot {verb} VM. VM is not running.")
        if status not in (VmStatus.UP, VmStatus.POWERING_UP, VmStatus.WAIT_FOR_LAUNCH):
            raise NotToldError(f"to {verb} a virtual machine that is {status.value}")
        life.end(call.state.now(), kindly=kindly)
        return Performed()

    return end


def _migrate(call: Call) -> Performed:
    value, life, status = _the(call)
    body = call.body("action", ("host",))
    if status is not VmStatus.UP:
        raise conflict(f"Cannot migrate VM. VM is {status.value}.")
    if pinned(value):
        raise conflict("Cannot migrate VM. VM is pinned to Host.")
    here = host_of(call.state, value) or ""
    hosts = hosts_for(call.state, value, without=here)
    if body.host:
        hosts = [host for host in hosts if host is _target(call.state, body.host)]
    if not hosts:
        raise conflict(_NO_HOST.format("migrate"))
    life.migrate(call.state.now(), hosts[0].id)
    return Performed()


def _target(state: EngineState, given: Any) -> Any:
    try:
        return lookup(state.hosts, given, "Host")
    except KeyError as error:
        raise NotToldError("a migration to a host with an unknown id") from error


def _maintenance(call: Call) -> Performed:
    """Global maintenance: nobody watches over the engine's machine. Hosts tell of it somewhat later."""
    state = call.state
    value = call.the(state.vms)
    body = call.body("action", ("maintenance_enabled",))
    if body.maintenance_enabled is None:
        raise incomplete("Action", "maintenanceEnabled", "maintenance")
    if not state.self_hosted or not is_hosted_engine(state, value):
        raise PlainError(
            400,
            "Moving to maintenance mode is currently only available for the VM containing the hosted engine.",
        )
    host = host_of(state, value)
    role = role_of(state, state.hosts[host]) if host else None
    if role is None or not role.active:
        raise conflict("Cannot edit Cluster. Hosted Engine is not configured on the Host.")
    before = global_maintenance(state)
    state.self_hosted.maintenance.go(state.now(), (0, before), (state.lasting.notice, body.maintenance_enabled))
    return Performed()


OPERATIONS: Operations = {
    (services.VmService, "start"): _start,
    (services.VmService, "stop"): _end("stop", kindly=False),
    (services.VmService, "shutdown"): _end("shutdown", kindly=True),
    (services.VmService, "migrate"): _migrate,
    (services.VmService, "maintenance"): _maintenance,
}

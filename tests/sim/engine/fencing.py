"""The fence action: a person, or a client, switches a host."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Operations, Performed
from sim.engine.host_calls import BUSY, the_host
from sim.engine.host_life import HostLife, Status
from sim.engine.messages import FaultError, conflict, incomplete, invalid
from sim.engine.placements import end_vms_on
from sim.engine.power import against, device_of, note_power, proxy_of, unfit_for_power

_STARTABLE = (Status.DOWN, Status.NON_RESPONSIVE, Status.REBOOT, Status.MAINTENANCE)
_NO_STOP = "Cannot perform Stop operation, Host has to be in Maintenance mode in order to be stopped."
_NO_START = (
    "Cannot perform Start operation, Host has to be in one of the following statuses: Down ,Non Responsive or "
    "Maintenance."
)
_CODES = {"start": 20, "stop": 21, "restart": 41}
_REBOOTED = 494
_NO_ANSWER = "Power Management device does not answer."


def _fence(call: Call) -> Performed:
    value, life, status = the_host(call)
    body = call.body("action", ("fence_type", "maintenance_after_restart"))
    if body.fence_type is None:
        raise incomplete("Action", "fenceType", "fence")
    match body.fence_type.lower():
        case "status":
            return _status(call, value, body)
        case "manual":
            return _confirm(call, value, status)
        case "start" | "stop" | "restart" as operation:
            return _switch(call, value, life, operation, bool(body.maintenance_after_restart))
    names = ", ".join(f"'{kind.value}'" for kind in types.FenceType)
    detail = f"The string '{body.fence_type.upper()}' isn't a valid value for the 'FenceType' enumerated type."
    raise FaultError(400, f"{detail} Valid values are: {names}.", "Invalid value")


def _status(call: Call, value: Any, body: Any) -> Performed:
    """Whether a host has power. That nobody can tell is an answer, too: 200, and a fault inside of the action."""
    device = None
    if not unfit_for_power(call.state, value) and proxy_of(call.state, value, call.state.now()):
        device = device_of(call.state, value.id)
    told = types.Action(fence_type=body.fence_type, status="complete")
    if device is None:
        told.status = "failed"
        told.fault = types.Fault(reason=_NO_ANSWER)
    else:
        status = types.PowerManagementStatus.ON if device.on else types.PowerManagementStatus.OFF
        told.power_management = types.PowerManagement(status=status)
    return Performed(told=told)


def _confirm(call: Call, value: Any, status: Any) -> Performed:
    """Somebody says that the host was rebooted. The engine believes it: its machines are down, its own state stays."""
    if status is Status.UP or status in BUSY:
        raise conflict("Cannot confirm 'Host has been rebooted'. Host is not in a state for it.")
    end_vms_on(call.state, value)
    call.event(_REBOOTED, f"Manual fence for host {value.name} was started.")
    return Performed()


def _switch(call: Call, value: Any, life: HostLife, operation: str, maintenance: bool) -> Performed:
    now = call.state.now()
    status = life.status(now)
    refused = [against(call.state, value, operation, now)]
    if operation == "stop" and status is not Status.MAINTENANCE:
        refused.append(_NO_STOP)
    if operation == "start" and status not in _STARTABLE:
        refused.append(_NO_START)
    if texts := [text for text in refused if text]:
        raise conflict(", ".join(texts))
    device = device_of(call.state, value.id)
    if device is None:
        # Not a question of the state: the operation was tried.
        raise invalid(_NO_ANSWER)
    device.on = operation != "stop"
    if operation == "stop":
        life.power_off(now)
    else:
        life.boot(now, maintenance=maintenance or status is Status.MAINTENANCE)
    note_power(call.state, value.id, operation, now)
    done = {"start": "started", "stop": "stopped", "restart": "restarted"}[operation]
    call.event(_CODES[operation], f"Host {value.name} was {done} by {call.user}.")
    return Performed()


OPERATIONS: Operations = {(services.HostService, "fence"): _fence}

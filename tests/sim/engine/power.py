"""Power management: the devices that switch hosts, and what stands against switching one.

The checks and their order are those of the engine's sources.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from ovirtsdk4 import types

from sim.engine.host_life import Status
from sim.engine.state import EngineState

STARTING = timedelta(seconds=300)
"""So long after its start the engine fences nothing."""
QUIET = timedelta(seconds=180)
"""So long an operation forbids the one that would undo or repeat it."""

# What has to be past before an operation. A restart is a stop and a start, too.
_BEFORE = {"stop": "start", "start": "stop", "restart": "restart"}
_COUNTS_AS = {"stop": ("stop",), "start": ("start",), "restart": ("stop", "start", "restart")}
_UNREACHABLE = (Status.DOWN, Status.REBOOT, Status.KDUMPING, Status.NON_RESPONSIVE, Status.PENDING_APPROVAL)
_PROXIES = (types.PmProxyType.CLUSTER, types.PmProxyType.DC)

DISABLED = "Power Management is disabled on Host."
NO_AGENT = "Power Management is enabled for Host but no Agent type selected."
NO_PROXY = "There is no other Host in the Data Center that can be used to test the Power Management settings."
AT_STARTUP = "Power Management operations are not allowed right after the start of the engine."


@dataclass
class PowerDevice:
    """What switches a host: its BMC, or a socket.

    Attributes:
        username: Who may.
        password: Of the user.
        on: The host has power.
        answers: The device can be reached.
    """

    username: str = "admin"
    password: str = "secret"
    on: bool = True
    answers: bool = True


def agents_of(state: EngineState, host: str) -> list[Any]:
    """The fence agents of a host, in the order in which they are tried."""
    found = [agent for agent in state.fence_agents.values() if agent.host.id == host]
    return sorted(found, key=lambda agent: agent.order)


def device_of(state: EngineState, host: str) -> PowerDevice | None:
    """The first device that does what its agent says; None: none does."""
    for agent in agents_of(state, host):
        device: PowerDevice | None = state.devices.get(agent.address)
        if device and device.answers and (device.username, device.password) == (agent.username, agent.password):
            return device
    return None


def proxy_of(state: EngineState, host: Any, at: datetime) -> Any | None:
    """The host that would speak to the device: of the same cluster, else of the same data center."""
    for source in [proxy.type for proxy in host.power_management.pm_proxies or ()] or _PROXIES:
        for other in state.hosts.values():
            near = _place(state, other, source) == _place(state, host, source)
            wanted = not near if source is types.PmProxyType.OTHER_DC else near
            if other.id != host.id and wanted and state.lives[other.id].status(at) not in _UNREACHABLE:
                return other
    return None


def _place(state: EngineState, host: Any, source: Any) -> str | None:
    if source is types.PmProxyType.CLUSTER:
        return str(host.cluster.id)
    data_center = state.clusters[host.cluster.id].data_center
    return data_center.id if data_center else None


def against(state: EngineState, host: Any, operation: str, at: datetime) -> str | None:
    """What stands against an operation that somebody wants; None: nothing."""
    if unfit := unfit_for_power(state, host):
        return unfit
    if at < state.started + STARTING:
        return AT_STARTUP
    if (left := quiet_left(state, host.id, operation, at)) > 0:
        return f" Power Management operation {operation} is still running, please retry in {left} Sec."
    return None if proxy_of(state, host, at) else NO_PROXY


def unfit_for_power(state: EngineState, host: Any) -> str | None:
    """Why a host cannot be switched at all."""
    if not host.power_management.enabled:
        return DISABLED
    return None if agents_of(state, host.id) else f"{NO_AGENT}, {DISABLED}"


def quiet_left(state: EngineState, host: str, operation: str, at: datetime) -> int:
    """Seconds until an operation may be done again."""
    last = state.powered.get((host, _BEFORE[operation]))
    return ceil((last + QUIET - at).total_seconds()) if last else 0


def note_power(state: EngineState, host: str, operation: str, at: datetime) -> None:
    """Remembers that a host was switched."""
    for name in _COUNTS_AS[operation]:
        state.powered[host, name] = at

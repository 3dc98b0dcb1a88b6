"""What calls about one host share."""

from typing import Any

from sim.engine.calls import Call
from sim.engine.host_life import HostLife, Status

BUSY = (Status.INSTALLING, Status.REBOOT, Status.UNASSIGNED, Status.INITIALIZING, Status.PREPARING_FOR_MAINTENANCE)
"""States in which something goes on that nothing else may disturb."""


def the_host(call: Call) -> tuple[Any, HostLife, Any]:
    """The host in the path, its life, and its state now."""
    value = call.the(call.state.hosts)
    life = call.state.lives[value.id]
    return value, life, life.status(call.state.now())

"""The engine's own virtual machine: which hosts may run it, and whether anybody watches over it."""

from typing import Any

from ovirtsdk4 import types

from sim.engine.host_life import HostLife, Status
from sim.engine.state import EngineState


def global_maintenance(state: EngineState) -> bool:
    """Nobody watches over the engine's machine."""
    return bool(state.self_hosted and state.self_hosted.maintenance.status(state.now()))


def is_hosted_engine(state: EngineState, vm: Any) -> bool:
    """It is the engine's own machine."""
    return bool(state.self_hosted and state.self_hosted.vm == vm.id)


def role_of(state: EngineState, host: Any) -> Any | None:
    """What a host tells of the engine's machine; None: it has no part in it, or was not up yet."""
    life: HostLife = state.lives[host.id]
    status = life.status(state.now())
    new = any(step is Status.INSTALLING for _, step in life.steps) and status is not Status.UP
    if not life.hosted_engine or new:
        return None
    kept = status in (Status.PREPARING_FOR_MAINTENANCE, Status.MAINTENANCE)
    return types.HostedEngine(
        configured=True,
        active=status is Status.UP or kept,
        score=life.score if status is Status.UP else 0,
        global_maintenance=global_maintenance(state),
        local_maintenance=kept,
    )


def may_run_it(state: EngineState, host: Any) -> bool:
    """A host that the engine's machine can move to."""
    role = role_of(state, host)
    return bool(role and role.active and role.score)

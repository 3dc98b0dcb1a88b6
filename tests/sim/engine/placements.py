"""On which host which virtual machine runs, and where it could run."""

from typing import Any

from ovirtsdk4 import types

from sim.engine.host_life import Status
from sim.engine.hosted_engine import is_hosted_engine, may_run_it
from sim.engine.messages import conflict
from sim.engine.state import EngineState
from sim.engine.vm_life import VmStatus

_PINNED = types.VmAffinity.PINNED
_NO_ALTERNATE = (
    "Cannot switch Host to Maintenance mode. There are no alternate hosts to run the Hosted Engine virtual machine."
)


def host_of(state: EngineState, vm: Any) -> str | None:
    """Where a machine runs. It ends where the power of its host does."""
    life = state.vm_lives[vm.id]
    host = life.host(state.now())
    if host is None:
        return None
    here = state.lives[host]
    boot = here.last_boot(state.now())
    gone = here.status(state.now()) is Status.DOWN or (boot and boot > life.hosts.since(state.now()))
    return None if gone else host


def vm_status(state: EngineState, vm: Any) -> Any:
    """The state of a machine. Of one on a host that does not respond nobody knows it."""
    host = host_of(state, vm)
    if host is None:
        return VmStatus.DOWN
    if state.lives[host].status(state.now()) is Status.NON_RESPONSIVE:
        return VmStatus.UNKNOWN
    return state.vm_lives[vm.id].status(state.now())


def vms_on(state: EngineState, host: str) -> list[Any]:
    """The machines that run on a host."""
    return [vm for vm in state.vms.values() if host_of(state, vm) == host]


def end_vms_on(state: EngineState, host: Any) -> None:
    """Somebody has said that nothing runs on a host any more."""
    for vm in vms_on(state, host.id):
        state.vm_lives[vm.id].lost(state.now())


def summary_of(state: EngineState, host: Any) -> Any:
    """How many machines a host runs."""
    found = [vm_status(state, vm) for vm in vms_on(state, host.id)]
    migrating = found.count(VmStatus.MIGRATING)
    return types.VmSummary(active=len(found) - migrating, migrating=migrating, total=len(found))


def pinned_to(vm: Any) -> list[str]:
    """The ids of the only hosts on which a machine may run; none: it may run on any."""
    return [host.id for host in vm.placement_policy.hosts or ()] if pinned(vm) else []


def pinned(vm: Any) -> bool:
    """It never moves by itself, nor because its host is to rest."""
    return bool(vm.placement_policy.affinity is _PINNED)


def hosts_for(state: EngineState, vm: Any, without: str = "") -> list[Any]:
    """The hosts on which a machine could run."""
    allowed = pinned_to(vm)
    return [
        host
        for host in state.hosts.values()
        if host.id != without
        and host.cluster.id == vm.cluster.id
        and state.lives[host.id].status(state.now()) is Status.UP
        and (not allowed or host.id in allowed)
        and (not is_hosted_engine(state, vm) or may_run_it(state, host))
    ]


def move_away(state: EngineState, host: Any) -> float:
    """Moves all machines from a host to others; tells how many seconds that takes.

    Raises:
        EngineError: One of them cannot move; then none does.
    """
    found = vms_on(state, host.id)
    if found and state.lives[host.id].status(state.now()) in (Status.CONNECTING, Status.NON_RESPONSIVE):
        raise conflict(
            f"Cannot switch the following Hosts to Maintenance mode: {host.name}.\nThe Hosts do not respond, and "
            "virtual machines run on them."
        )
    if any(is_hosted_engine(state, vm) and not hosts_for(state, vm, without=host.id) for vm in found):
        raise conflict(_NO_ALTERNATE)
    if names := [vm.name for vm in found if pinned(vm)]:
        raise conflict(
            f"Cannot switch the following Hosts to Maintenance mode: {host.name}.\nOne or more running VMs are "
            f"indicated as non-migratable. The non-migratable VMs are: {' , '.join(names)}."
        )
    if any(not hosts_for(state, vm, without=host.id) for vm in found):
        cluster = state.clusters[host.cluster.id].name
        raise conflict(
            f"Cannot switch the following Hosts to Maintenance mode: {host.name}.\nThe following Hosts have running "
            f"VMs and cannot be switched to maintenance mode since there is no other host in the Cluster: {cluster}."
        )
    for vm in found:
        state.vm_lives[vm.id].migrate(state.now(), hosts_for(state, vm, without=host.id)[0].id)
    return max((state.vm_lives[vm.id].lasting.migrate for vm in found), default=0.0)

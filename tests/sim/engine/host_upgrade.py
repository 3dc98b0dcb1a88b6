"""Upgrades of hosts, their certificates, their approval: what goes on on a host for a while."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Operations, Performed, add_event, lookup
from sim.engine.host_calls import BUSY, the_host
from sim.engine.host_life import ANSWERING, HostLife, Status
from sim.engine.host_net import new_net
from sim.engine.hosts import make_host
from sim.engine.messages import NotToldError, busy, conflict
from sim.engine.placements import move_away
from sim.engine.state import EngineState, named

_REACHED = (Status.UP, Status.MAINTENANCE, Status.NON_OPERATIONAL)
_STARTED, _FAILED, _FINISHED, _FINISHED_WITH_REBOOT = 840, 841, 842, 888
_CHECK_STARTED, _CHECK_FINISHED = 884, 885
_ENROLL_STARTED, _ENROLL_FINISHED, _ENROLL_FAILED = 850, 851, 852


def _tell(state: EngineState, code: int, host: Any, what: str, severity: str = "normal") -> None:
    text = what.format(name=host.name)
    add_event(state, code, text, severity=severity, host=types.Host(id=host.id, name=host.name))


def _reached(call: Call, verb: str) -> tuple[Any, HostLife, Any]:
    """The host in the path, where the engine can have something done on it."""
    value, life, status = the_host(call)
    if status in BUSY:
        raise busy()
    if status not in _REACHED:
        raise conflict(f"Cannot {verb} Host. Operation can not be performed while Host is {status.value}.")
    return value, life, status


def _check(call: Call) -> Performed:
    """The answer does not wait for what is found: events tell it."""
    value, life, _ = _reached(call, "check for upgrades of")
    call.body("action")
    _tell(call.state, _CHECK_STARTED, value, "Started to check for available updates on host {name}.")
    when = call.state.now() + timedelta(seconds=life.lasting.check)
    call.state.at(when, partial(_checked, call.state, value.id))
    return Performed()


def _checked(state: EngineState, key: str, at: datetime) -> None:
    if host := state.hosts.get(key):
        host.update_available = host.address in state.updates
        found = "found updates" if host.update_available else "no updates available"
        text = f"Check for available updates on host {{name}} was completed successfully with message '{found}.'."
        _tell(state, _CHECK_FINISHED, host, text)


def _upgrade(call: Call) -> Performed:
    value, life, status = _reached(call, "upgrade")
    body = call.body("action", ("reboot", "timeout"))
    if not value.update_available:
        raise conflict("Cannot upgrade Host. There are no available updates for the host.")
    reboot = body.reboot is not False
    fails = value.address in call.state.broken
    ahead = move_away(call.state, value) if status in ANSWERING else 0
    _tell(call.state, _STARTED, value, "Host {name} upgrade was started.")
    life.upgrade(call.state.now(), fails=fails, reboot=reboot, at_least=ahead)
    if fails:
        ends = next(when for when, at in life.steps if at is Status.INSTALL_FAILED)
    else:
        ends = next(when for when, at in reversed(life.steps) if at is Status.INSTALLING)
        ends += timedelta(seconds=life.lasting.upgrade)
    call.state.at(ends, partial(_upgraded, call.state, value.id, fails, reboot))
    return Performed()


def _upgraded(state: EngineState, key: str, fails: bool, reboot: bool, at: datetime) -> None:
    host = state.hosts.get(key)
    if host is None:
        return
    if fails:
        _tell(state, _FAILED, host, "Failed to upgrade Host {name}.", severity="error")
        return
    host.update_available = False
    state.updates.discard(host.address)
    if reboot:
        _tell(state, _FINISHED_WITH_REBOOT, host, "Host {name} upgrade was completed, the Host will be rebooted.")
    else:
        _tell(state, _FINISHED, host, "Host {name} upgrade was completed successfully.")


def _enroll(call: Call) -> Performed:
    value, life, status = the_host(call)
    call.body("action")
    if status in BUSY:
        raise busy()
    if status is not Status.MAINTENANCE:
        raise conflict("Cannot enroll certificate for Host. Host must be in maintenance mode.")
    fails = value.address in call.state.broken
    _tell(call.state, _ENROLL_STARTED, value, "Enrolling certificate for host {name} was started.")
    life.enroll(call.state.now(), fails=fails)
    call.state.at(life.steps[-1][0], partial(_enrolled, call.state, value.id, fails))
    return Performed()


def _enrolled(state: EngineState, key: str, fails: bool, at: datetime) -> None:
    if host := state.hosts.get(key):
        if fails:
            _tell(state, _ENROLL_FAILED, host, "Failed to enroll certificate for host {name}.", severity="error")
        else:
            _tell(state, _ENROLL_FINISHED, host, "Enrolling certificate for host {name} was completed successfully.")


def _refresh(call: Call) -> Performed:
    """All that is known of a host is known anyway."""
    _reached(call, "refresh capabilities of")
    call.body("action")
    return Performed()


def _approve(call: Call) -> Performed:
    value, life, status = the_host(call)
    body = call.body("action", ("activate", "reboot", "cluster"))
    if status not in (Status.PENDING_APPROVAL, Status.INSTALL_FAILED):
        raise conflict("Cannot approve Host. Host is not in a state that can be approved.")
    if body.cluster:
        try:
            cluster = lookup(call.state.clusters, body.cluster, "Cluster")
        except KeyError as error:
            raise NotToldError("an approval into a cluster with an unknown id") from error
        value.cluster = types.Cluster(id=cluster.id)
        new_net(call.state, value)
    fails = value.address in call.state.broken
    activate, reboot = body.activate is not False, body.reboot is not False
    life.install(call.state.now(), fails=fails, reboot=reboot, activate=activate)
    return Performed()


def register(state: EngineState, name: str, address: str, cluster: str = "Default") -> None:
    """A host tells the engine that it would like to belong to it, and waits for an approval."""
    state.settle()
    found = named(state.clusters, cluster)
    assert found, cluster
    made = make_host(state, types.Host(name=name, address=address), found.id)
    state.lives[made.id].go(state.now(), (0, Status.PENDING_APPROVAL))


OPERATIONS: Operations = {
    (services.HostService, "upgrade_check"): _check,
    (services.HostService, "upgrade"): _upgrade,
    (services.HostService, "enroll_certificate"): _enroll,
    (services.HostService, "refresh"): _refresh,
    (services.HostService, "approve"): _approve,
}

"""What the engine does by itself about a host that does not respond: soft fencing, kdump, fencing by policy."""

from datetime import datetime, timedelta
from typing import Any

from ovirtsdk4 import types

from sim.engine.calls import add_event
from sim.engine.gluster_checks import spared_for_gluster
from sim.engine.host_life import Status
from sim.engine.power import STARTING, device_of, note_power, proxy_of, unfit_for_power
from sim.engine.state import EngineState

_LEASE_CHECK = timedelta(seconds=90)
_SYSTEM_RESTART, _FAILED, _SKIPPED, _NO_PROXY = 121, 9002, 9003, 9004
_CUT_OFF = (Status.CONNECTING, Status.NON_RESPONSIVE)


def watch(state: EngineState, host: str) -> None:
    """Treats a host as soon as it does not respond, if that lies ahead."""
    for when, status in state.lives[host].steps:
        if status is Status.NON_RESPONSIVE:
            state.at(when, lambda moment: _treat(state, host, moment))


def _treat(state: EngineState, key: str, at: datetime) -> None:
    host, life = state.hosts.get(key), state.lives.get(key)
    if host is None or life is None or life.trouble is None or life.status(at) is not Status.NON_RESPONSIVE:
        return
    if at < state.started + STARTING:
        _tell(state, _SKIPPED, host, "was not fenced: the engine has just been started")
        return
    policy = state.clusters[host.cluster.id].fencing_policy
    if why := _forbidden(state, host, policy, at):
        _tell(state, _SKIPPED, host, why)
        return
    if life.trouble.by_ssh:
        life.return_to(at)
        return
    if unfit_for_power(state, host):
        return
    if life.trouble.dumps and host.power_management.kdump_detection:
        life.dump(at)
        return
    seen = life.steps[0][0]
    if policy.skip_if_sd_active.enabled and at < seen + _LEASE_CHECK:
        state.at(seen + _LEASE_CHECK, lambda moment: _fence(state, key, moment))
    else:
        _fence(state, key, at)


def _forbidden(state: EngineState, host: Any, policy: Any, at: datetime) -> str | None:
    """What in the cluster's policy forbids any treatment."""
    if not policy.enabled:
        return "became Non Responsive and was not restarted due to disabled fencing in the Cluster Fencing Policy"
    if policy.skip_if_connectivity_broken.enabled:
        hosts = [key for key, other in state.hosts.items() if other.cluster.id == host.cluster.id]
        broken = sum(state.lives[key].status(at) in _CUT_OFF for key in hosts)
        percents = 100 * broken // len(hosts)
        if percents >= policy.skip_if_connectivity_broken.threshold:
            return f"was not fenced: {percents}% of the hosts of its cluster have connectivity issues"
    return None


def _fence(state: EngineState, key: str, at: datetime) -> None:
    """Restarts it. The quiet time is for persons: it does not hold the engine back."""
    host, life = state.hosts.get(key), state.lives.get(key)
    if host is None or life is None or life.trouble is None or life.status(at) is not Status.NON_RESPONSIVE:
        return
    proxy = proxy_of(state, host, at)
    if proxy is None:
        _tell(state, _NO_PROXY, host, "was not fenced: no proxy host was found")
        return
    if why := _spared(state, host, at):
        _tell(state, _SKIPPED, host, f"became Non Responsive and was not restarted due to Fencing Policy: {why}")
        return
    device = device_of(state, key)
    if device is None:
        _tell(state, _FAILED, host, "could not be fenced: its power management does not answer")
        return
    device.on = True
    life.boot(at, maintenance=False)
    note_power(state, key, "restart", at)
    _tell(state, _SYSTEM_RESTART, host, f"was restarted using power management, by proxy {proxy.name}", "warning")


def _spared(state: EngineState, host: Any, at: datetime) -> str | None:
    """What the proxy sees that the cluster's policy spares a host for."""
    policy = state.clusters[host.cluster.id].fencing_policy
    trouble = state.lives[host.id].trouble
    if policy.skip_if_sd_active.enabled and trouble and trouble.renews_leases:
        return "it still renews its leases on storage"
    return spared_for_gluster(state, host, policy, at)


def _tell(state: EngineState, code: int, host: Any, what: str, severity: str = "alert") -> None:
    add_event(state, code, f"Host {host.name} {what}.", severity=severity, host=types.Host(id=host.id, name=host.name))

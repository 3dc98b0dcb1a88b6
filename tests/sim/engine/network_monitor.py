"""Hosts that lack a network which their cluster requires: they become non-operational, and recover by themselves."""

from datetime import datetime, timedelta
from typing import Any

from sim.engine.host_life import HostLife, Status
from sim.engine.host_net import carries, net_of
from sim.engine.state import EngineState

RECOVERY = timedelta(minutes=5)
"""So often the engine looks whether a host that is not operational would be."""
UNREACHABLE, LINK_DOWN = "network_unreachable", "network_interface_is_down"


def monitor(state: EngineState) -> None:
    """Lets hosts become non-operational and operational, where that is due. To be called after every change."""
    now = state.now()
    for host in state.hosts.values():
        life = state.lives[host.id]
        ails = lacking(state, host)
        when, last = life.steps[-1]
        if last is Status.UP and ails and life.trouble is None:
            # Before the last look nothing ailed it, or it was not up.
            since = when if when >= state.monitored else now
            life.steps.append((since + timedelta(seconds=life.lasting.notice), Status.NON_OPERATIONAL))
            life.detail = ails
        elif last is Status.NON_OPERATIONAL and not ails and life.detail:
            _recover(life, when, now)
    state.monitored = now


def _recover(life: HostLife, since: datetime, now: datetime) -> None:
    if now < since:
        # Nobody had noticed yet.
        life.steps.pop()
    else:
        rounds = (now - since) // RECOVERY + 1
        life.recover(since + rounds * RECOVERY)
    life.detail = ""


def lacked(state: EngineState, cluster: str, network: str) -> bool:
    """Whether a host of a cluster that works lacks a network that is required there."""
    if not state.cluster_networks[cluster, network].required:
        return False
    for key, host in state.hosts.items():
        works = state.lives[key].status(state.now()) in (Status.UP, Status.NON_OPERATIONAL)
        has = [wired.network for wired in net_of(state, host).now.attachments.values()]
        if host.cluster.id == cluster and works and network not in has:
            return True
    return False


def lacking(state: EngineState, host: Any) -> str | None:
    """What a host lacks of its cluster's required networks, in the engine's word; None: nothing."""
    net = net_of(state, host)
    wired = {found.network: found for found in net.now.attachments.values()}
    required = [
        key for (cluster, key), use in state.cluster_networks.items() if cluster == host.cluster.id and use.required
    ]
    if not all(key in wired for key in required):
        return UNREACHABLE
    return None if all(carries(net, wired[key].interface) for key in required) else LINK_DOWN

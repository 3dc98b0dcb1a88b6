"""Which storage domain is attached to which data center, and what that makes of both."""

from typing import Any

from ovirtsdk4 import types

from sim.engine.domain_life import DomainLife, DomainStatus
from sim.engine.host_life import Status
from sim.engine.state import EngineState

DATA = types.StorageDomainType.DATA
PoolStatus = types.DataCenterStatus


def attached(state: EngineState, data_center: str) -> list[Any]:
    """The domains of a data center."""
    return [state.storage_domains[key] for at, key in state.attachments if at == data_center and _holds(state, at, key)]


def data_centers_of(state: EngineState, domain: str) -> list[str]:
    """The ids of the data centers that a domain is attached to."""
    return [at for at, key in state.attachments if key == domain and _holds(state, at, key)]


def life_of(state: EngineState, data_center: str, domain: str) -> DomainLife | None:
    """The way of a domain in a data center; None: it is not attached there."""
    return state.attachments.get((data_center, domain)) if _holds(state, data_center, domain) else None


def _holds(state: EngineState, data_center: str, domain: str) -> bool:
    life = state.attachments.get((data_center, domain))
    return life is not None and life.status(state.now()) is not DomainStatus.UNATTACHED


def domain_status(state: EngineState, data_center: str, domain: str) -> Any:
    """The state of an attached domain. Without a host nobody knows whether it is active."""
    found = state.attachments[data_center, domain].status(state.now())
    if found is DomainStatus.ACTIVE and not hosts_up(state, data_center):
        return DomainStatus.UNKNOWN
    return found


def hosts_up(state: EngineState, data_center: str) -> list[Any]:
    """The hosts of a data center that work."""
    clusters = [key for key, at in state.clusters.items() if at.data_center and at.data_center.id == data_center]
    found = [host for host in state.hosts.values() if host.cluster.id in clusters]
    return [host for host in found if state.lives[host.id].status(state.now()) is Status.UP]


def master_of(state: EngineState, data_center: str) -> Any | None:
    """The domain that holds the metadata of a data center. One that is lost gives way to another that is active."""
    master = next((domain for domain in attached(state, data_center) if domain.master), None)
    if master and domain_status(state, data_center, master.id) is DomainStatus.INACTIVE:
        return hand_over(state, data_center, master) or master
    return master


def heir(state: EngineState, data_center: str, master: Any) -> Any | None:
    """The domain that could hold the metadata instead."""
    for domain in attached(state, data_center):
        active = domain_status(state, data_center, domain.id) is DomainStatus.ACTIVE
        if domain is not master and domain.type is DATA and active:
            return domain
    return None


def hand_over(state: EngineState, data_center: str, master: Any) -> Any | None:
    """Lets another domain hold the metadata, if there is one that can."""
    found = heir(state, data_center, master)
    if found:
        master.master, found.master = False, True
    return found


def data_center_status(state: EngineState, data_center: str) -> Any:
    """The state of a data center follows from the domain that holds its metadata."""
    master = master_of(state, data_center)
    if master is None:
        return PoolStatus.UNINITIALIZED
    life = state.attachments[data_center, master.id]
    match domain_status(state, data_center, master.id):
        case DomainStatus.ACTIVE:
            return PoolStatus.UP
        case DomainStatus.LOCKED if life.fresh:
            return PoolStatus.UNINITIALIZED
        case DomainStatus.LOCKED | DomainStatus.PREPARING_FOR_MAINTENANCE | DomainStatus.MAINTENANCE:
            return PoolStatus.MAINTENANCE
    return PoolStatus.PROBLEMATIC

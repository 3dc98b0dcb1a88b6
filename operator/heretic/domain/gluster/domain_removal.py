"""The storage domain of a volume that is being destroyed goes first: out of use, out of its data center, forgotten.

Nothing is formatted, and a domain that others rely on stays: then the volume stays, too.
"""

from heretic.api.v1alpha1 import GlusterVolume, HostedEngine
from heretic.api.v1alpha1.common import DeletionPolicy
from heretic.api.v1alpha1.gluster_volume import FUNCTIONS, Purpose
from heretic.api.v1alpha1.storage_domain import HOSTED_STORAGE
from heretic.domain.declared.engine import declared_engine
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import AttachedDomain, EngineView, StorageDomain
from heretic.domain.engine.parse import domain_states, states
from heretic.domain.engine.site import LATER, EngineSite, engine_site
from heretic.domain.engine.storage.plan import homes_of, host_up
from heretic.domain.engine.storage.steps import (
    DeactivateStorageDomain,
    DetachStorageDomain,
    RemoveStorageDomain,
    SeeNoStorageDomain,
)
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.gluster.placement import gluster_name
from heretic.domain.gluster.storage_domain import place_of
from heretic.domain.plan import Blocked, Converged, Obstacle, Plan, Proceed, Step, Wait

_INSTEAD = "set deletionPolicy to Orphan to let the object go and keep volume and domain"


def asks_engine(volume: GlusterVolume) -> bool:
    """Whether the end of a volume depends on the engine: it is to be destroyed, and a domain can lie on it."""
    can_be = volume.spec.purpose in FUNCTIONS or volume.spec.purpose is Purpose.ENGINE
    return can_be and volume.spec.deletion_policy is DeletionPolicy.DESTROY


def last_look(volume: GlusterVolume, view: SiteView) -> SeeNoStorageDomain | None:
    """The step before a volume is stopped; None where no engine could have a domain on it."""
    engine = declared_engine(view)
    if not isinstance(engine, HostedEngine) or not asks_engine(volume):
        return None
    why = f"{gluster_name(volume)} is stopped next, and nothing in the engine may need it"
    return SeeNoStorageDomain(engine=engine.metadata.name, why=why, place=place_of(volume, view))


def plan_domain_removal(volume: GlusterVolume, view: SiteView, seen: EngineView) -> Plan:
    """What to do before a volume may be destroyed.

    Args:
        volume: The object that is being deleted.
        view: The declared site.
        seen: What is known of the engine.

    Returns:
        Converged where no storage domain lies on it.
    """
    name, recorded = gluster_name(volume), volume.status.storage_domain
    if not asks_engine(volume):
        return Converged(f"no storage domain can lie on {name}")
    site = engine_site(view, seen)
    if site is None and recorded is not None:
        return Blocked(
            Reason.VOLUME_IN_USE,
            f"{name} is the storage domain {recorded.name!r} of an engine that is not declared any more: declare it, "
            f"so that the domain can be detached, or {_INSTEAD}",
        )
    if site is None:
        return Converged("the site declares no engine")
    if not isinstance(site, EngineSite):
        return _said(site, f"{name} is not destroyed while it is not known whether a storage domain lies on it")
    domains = site.facts.storage_domains
    if not isinstance(domains, Known):
        return Wait(Reason.WAITING_FOR_ENGINE, f"{name} is not destroyed: the engine's storage domains are not known")
    place = place_of(volume, view)
    there = [one for one in domains.value if (recorded and one.id == recorded.id) or place.holds(one)]
    if not there:
        return Converged(f"no storage domain lies on {name}")
    if len(there) > 1 or there[0].name == HOSTED_STORAGE or volume.spec.purpose is Purpose.ENGINE:
        told = ", ".join(repr(one.name) for one in there)
        return Blocked(
            Reason.VOLUME_IN_USE,
            f"the engine's storage domain {told} lies on {name}, and Heretic does not take it away; {_INSTEAD}",
        )
    return _end(there[0], name, site)


def _said(obstacle: Obstacle, what: str) -> Obstacle:
    message = f"{what}: {obstacle.message}; or {_INSTEAD}"
    return Wait(obstacle.reason, message, LATER) if isinstance(obstacle, Wait) else Blocked(obstacle.reason, message)


def _end(domain: StorageDomain, volume: str, site: EngineSite) -> Plan:
    homes = homes_of(domain.id, site)
    if isinstance(homes, Unknown):
        return Wait(Reason.WAITING_FOR_ENGINE, f"where {domain.name!r} is attached is not known: {homes.cause}", LATER)
    mine, other = homes
    if other:
        return Blocked(
            Reason.VOLUME_IN_USE,
            f"the storage domain {domain.name!r} on {volume} belongs to the data center {other!r}; detach it there, or "
            f"{_INSTEAD}",
        )
    host = host_up(site)
    if isinstance(host, Wait):
        return _said(host, f"the storage domain {domain.name!r} cannot be taken away")
    why = f"{volume} is being deleted with deletionPolicy Destroy, and the storage domain lies on it"
    remove = RemoveStorageDomain(engine=site.name, why=why, domain=domain.id, name=domain.name, host=host)
    if mine is None:
        return Proceed((remove,), ordered=True)
    out = _out(mine, site, why)
    return Proceed((*out, remove), ordered=True) if isinstance(out, tuple) else out


def _out(mine: AttachedDomain, site: EngineSite, why: str) -> tuple[Step, ...] | Obstacle:
    """What takes a domain out of its data center."""
    if mine.status in domain_states.ON_ITS_WAY:
        told = f"the storage domain {mine.name!r} is {states.shown(mine.status)}; the engine is at it"
        return Wait(Reason.STORAGE_DOMAIN_BUSY, told, LATER)
    if mine.master and not _heir(mine, site):
        return Blocked(
            Reason.VOLUME_IN_USE,
            f"the storage domain {mine.name!r} holds the metadata of the data center {site.data_center.name!r}, and no "
            f"other data domain is active that could take it over: activate or declare one, or {_INSTEAD}",
        )
    at = {"engine": site.name, "why": why, "data_center": site.data_center.id, "domain": mine.id, "name": mine.name}
    match mine.status:
        case domain_states.ACTIVE:
            return DeactivateStorageDomain(**at), DetachStorageDomain(**at)
        case domain_states.MAINTENANCE:
            return (DetachStorageDomain(**at),)
        case status:
            return Blocked(
                Reason.STORAGE_DOMAIN_NOT_ACTIVE,
                f"the storage domain {mine.name!r} is {states.shown(status)}, so it cannot be detached in order; see "
                f"to it that hosts reach it, or {_INSTEAD}",
            )


def _heir(mine: AttachedDomain, site: EngineSite) -> bool:
    """Whether another data domain could hold the metadata."""
    listed, domains = site.facts.attached.get(site.data_center.id), site.facts.storage_domains
    assert isinstance(domains, Known)
    data = {one.id for one in domains.value if one.purpose == "data"}
    others = listed.value if isinstance(listed, Known) else ()
    return any(one.id != mine.id and one.id in data and one.status == domain_states.ACTIVE for one in others)

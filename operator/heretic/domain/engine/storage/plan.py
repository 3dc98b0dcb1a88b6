"""What to do next for one storage domain: made, attached, active, called as declared. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heretic.domain.engine.facts import AttachedDomain, StorageDomain
from heretic.domain.engine.parse import domain_states, states
from heretic.domain.engine.site import LATER, EngineSite, hosts_of_site
from heretic.domain.engine.storage.steps import (
    ActivateStorageDomain,
    AddBlockDomain,
    AddStorageDomain,
    AttachStorageDomain,
    UpdateStorageDomain,
)
from heretic.domain.engine.storage.values import WantedDomain, where
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.plan import Blocked, Obstacle, PlanItem, Step, Wait

UP = "up"
_NEW = "uninitialized"


@dataclass(frozen=True, slots=True)
class JudgedDomain:
    """What a look at the engine means for one declared storage domain.

    Attributes:
        items: Steps, and what is in the way; none where all is as declared.
        found: The domain, where it is there and known to be the one that is meant.
        attached: Likewise, as the site's data center has it.
        known: Whether the engine told all of that.
        note: How it differs in what cannot be changed while it is used; "" = it does not.
    """

    items: tuple[PlanItem, ...]
    found: StorageDomain | None = None
    attached: AttachedDomain | None = None
    known: bool = True
    note: str = ""

    @property
    def state(self) -> str:
        """In the engine's words; "" where it is not known, or the domain is not there."""
        if self.attached is not None:
            return self.attached.status
        return domain_states.UNATTACHED if self.found and self.known and not self.blocked else ""

    @property
    def blocked(self) -> bool:
        """Whether what is there is not what is declared, and a person has to say what is right."""
        return any(isinstance(item, Blocked) for item in self.items)

    @property
    def active(self) -> bool:
        """Whether guests can use the declared domain."""
        return self.known and not self.blocked and self.state == domain_states.ACTIVE


def judge_domain(wanted: WantedDomain, recorded: str, site: EngineSite) -> JudgedDomain:
    """Holds a declared storage domain against the engine.

    Args:
        wanted: As declared.
        recorded: The engine's id of it; "" = none was recorded.
        site: What of the engine is this site's.
    """
    domains = site.facts.storage_domains
    if not isinstance(domains, Known):
        return _unknown("storage domains", domains, None)
    found = find(wanted, recorded, domains.value)
    if isinstance(found, Blocked):
        return JudgedDomain((found,))
    if found is None:
        return JudgedDomain(tuple(_add(wanted, site)))
    homes = homes_of(found.id, site)
    if isinstance(homes, Unknown):
        return _unknown("attached storage domains", homes, found)
    mine, other = homes
    if other:
        return JudgedDomain((_elsewhere(found, other),), found)
    wrong = _purpose(wanted, found)
    items = (wrong,) if wrong else tuple(_keep(wanted, found, mine, domains.value, site))
    return JudgedDomain(items, found, mine, note=_note(wanted, found))


def _unknown(what: str, fact: Unknown | Absent, found: StorageDomain | None) -> JudgedDomain:
    cause = fact.cause if isinstance(fact, Unknown) else "they were not listed"
    why = f"the engine's {what} are not known: {cause}"
    return JudgedDomain((Wait(Reason.WAITING_FOR_ENGINE, why, LATER),), found, known=False)


def find(wanted: WantedDomain, recorded: str, domains: Sequence[StorageDomain]) -> StorageDomain | Blocked | None:
    """The domain that is meant: the recorded one, else the one that lies in the declared place, whatever its name.

    Args:
        wanted: As declared.
        recorded: Id; "" = none.
        domains: All of the engine.

    Returns:
        None where it has yet to be made; Blocked where another one is in its way.
    """
    here = [one for one in domains if wanted.place.is_at(one)]
    found = next((one for one in domains if recorded and one.id == recorded), next(iter(here), None))
    if found is None:
        namesake = next((one for one in domains if one.name == wanted.name), None)
        return _taken(wanted, namesake) if namesake else None
    untold = wanted.place.units and found.storage == wanted.place.storage and found.units is None
    if found not in here and not untold:
        return Blocked(
            Reason.STORAGE_DOMAIN_DIFFERS,
            f"the storage domain {found.name!r} lies at {where(found)}, and {wanted.place} is declared. A domain "
            "cannot be moved: declare where it lies, or give the new one another name",
        )
    if len(here) > 1:
        ids = ", ".join(f"{one.name!r} ({one.id})" for one in here)
        return Blocked(
            Reason.ENGINE_NAME_AMBIGUOUS,
            f"{len(here)} storage domains lie at {wanted.place}: {ids}; remove all but one",
        )
    if found.name != wanted.name and (other := next((one for one in domains if one.name == wanted.name), None)):
        return _taken(wanted, other)
    return found


def _taken(wanted: WantedDomain, other: StorageDomain) -> Blocked:
    return Blocked(
        Reason.STORAGE_DOMAIN_DIFFERS,
        f"the engine has another storage domain {other.name!r} ({other.id}), which lies at {where(other)} and not at "
        f"{wanted.place}. It is left alone: declare another name, or rename that one in the engine",
    )


def homes_of(domain: str, site: EngineSite) -> tuple[AttachedDomain | None, str] | Unknown:
    """Where a domain is attached.

    Args:
        domain: Its id.
        site: What of the engine is this site's.

    Returns:
        As the site's data center has it, and the name of another data center that has it; Unknown where any data center
        did not tell.
    """
    mine, other = None, ""
    centers = site.facts.data_centers
    for center in centers.value if isinstance(centers, Known) else ():
        listed = site.facts.attached.get(center.id, Unknown(f"{center.name} was not asked"))
        if not isinstance(listed, Known):
            return Unknown(f"data center {center.name!r}: {getattr(listed, 'cause', 'nothing was listed')}")
        found = next((one for one in listed.value if one.id == domain), None)
        if found is not None and center.id == site.data_center.id:
            mine = found
        elif found is not None:
            other = center.name
    return mine, other


def _elsewhere(found: StorageDomain, other: str) -> Blocked:
    return Blocked(
        Reason.STORAGE_DOMAIN_DIFFERS,
        f"the storage domain {found.name!r} belongs to the data center {other!r}. It is left there: detach it in the "
        "engine if it is meant for this site",
    )


def _purpose(wanted: WantedDomain, found: StorageDomain) -> Blocked | None:
    if found.purpose == wanted.purpose:
        return None
    return Blocked(
        Reason.STORAGE_DOMAIN_DIFFERS,
        f"the storage domain {found.name!r} is for {found.purpose}, and {wanted.purpose} is declared; what a domain is "
        "for cannot be changed",
    )


def host_up(site: EngineSite) -> str | Wait:
    """Name of a host of the site's cluster by which the engine reaches storage."""
    hosts = hosts_of_site(site)
    if hosts is None:
        return Wait(Reason.WAITING_FOR_ENGINE, "the engine's hosts are not known", LATER)
    up = sorted(one.name for one in hosts if one.status == states.UP)
    if up:
        return up[0]
    why = f"no host of the cluster {site.cluster.name!r} is up, and the engine reaches storage through one"
    return Wait(Reason.HOSTS_NOT_UP, why, LATER)


def _add(wanted: WantedDomain, site: EngineSite) -> Iterator[PlanItem]:
    host = host_up(site)
    if isinstance(host, Wait):
        yield host
        return
    units = wanted.place.units
    make = AddBlockDomain if units else AddStorageDomain
    yield make(
        declared=f"the units {', '.join(units)} are named for it" if units else "",
        engine=site.name,
        why=f"the engine has no storage domain {wanted.name!r}",
        name=wanted.name,
        purpose=wanted.purpose,
        place=wanted.place,
        host=host,
        settings=wanted.settings,
    )


def _keep(
    wanted: WantedDomain,
    found: StorageDomain,
    mine: AttachedDomain | None,
    domains: Sequence[StorageDomain],
    site: EngineSite,
) -> Iterator[PlanItem]:
    if mine is None:
        why = f"the storage domain {found.name!r} is not attached to the data center {site.data_center.name!r}"
        yield _attach_obstacle(wanted, site) or AttachStorageDomain(why=why, **_in(site, found))
        return
    match mine.status:
        case domain_states.ACTIVE:
            yield from _update(wanted, found, site)
        case domain_states.MAINTENANCE:
            why = f"the storage domain {found.name!r} is in maintenance"
            yield _activate_obstacle(mine, site) or ActivateStorageDomain(why=why, **_in(site, found))
        case status if status in domain_states.ON_ITS_WAY:
            told = f"the storage domain {found.name!r} is {states.shown(status)}; the engine is at it"
            yield Wait(Reason.STORAGE_DOMAIN_BUSY, told, LATER)
        case status:
            unheard = (
                f"hosts do not reach {where(found)}" if status in domain_states.UNREACHED else "nobody knows this word"
            )
            yield Wait(
                Reason.STORAGE_DOMAIN_NOT_ACTIVE,
                f"the storage domain {found.name!r} is {states.shown(status)}: {unheard}. The engine tries again by "
                "itself; its events tell more",
                LATER,
            )


def _in(site: EngineSite, found: StorageDomain) -> dict[str, str]:
    return {"engine": site.name, "data_center": site.data_center.id, "domain": found.id, "name": found.name}


def _attach_obstacle(wanted: WantedDomain, site: EngineSite) -> Obstacle | None:
    host, center = host_up(site), site.data_center
    if isinstance(host, Wait):
        return host
    if center.status == UP:
        return None
    listed = site.facts.attached.get(center.id)
    first = isinstance(listed, Known) and not listed.value
    if center.status == _NEW and first and wanted.purpose == "data":
        return None
    needs = "; its first storage domain must be one for data" if center.status == _NEW and first else ""
    return Wait(
        Reason.DATA_CENTER_NOT_READY,
        f"the data center {center.name!r} is {states.shown(center.status)}{needs}, so {wanted.name!r} is not attached",
        LATER,
    )


def _activate_obstacle(mine: AttachedDomain, site: EngineSite) -> Obstacle | None:
    host, center = host_up(site), site.data_center
    if isinstance(host, Wait):
        return host
    if mine.master or center.status == UP:
        return None
    told = f"the data center {center.name!r} is {states.shown(center.status)}, so {mine.name!r} is not activated"
    return Wait(Reason.DATA_CENTER_NOT_READY, told, LATER)


def _update(wanted: WantedDomain, found: StorageDomain, site: EngineSite) -> Iterator[Step]:
    there = {
        "name": found.name,
        "comment": found.comment,
        "description": found.description,
        "warning_low_space_indicator": found.warning,
    }
    changes = tuple(
        (name, value) for name, value in (("name", wanted.name), *wanted.settings) if there.get(name) != value
    )
    if changes:
        told = ", ".join(f"{name} is {there.get(name)!r} and {value!r} is declared" for name, value in changes)
        why = f"storage domain {found.name!r}: {told}"
        yield UpdateStorageDomain(engine=site.name, why=why, domain=found.id, settings=changes)


def _note(wanted: WantedDomain, found: StorageDomain) -> str:
    different = wanted.place.lacks(found)
    if not different:
        return ""
    return (
        f"the mount of the storage domain {found.name!r} {different}. The engine changes that only in maintenance, so "
        "it is left to you: put the domain into maintenance, edit its connection, and activate it"
    )

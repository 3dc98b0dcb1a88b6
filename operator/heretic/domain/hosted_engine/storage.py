"""Storage domains that the engine's object declares: those on storage that is not the site's own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from heretic.api.v1alpha1 import GlusterVolume, HostedEngine
from heretic.api.v1alpha1.engine_domains import EngineStorageDomain, ISCSIDomain, NFSVersion
from heretic.api.v1alpha1.hosted_engine import HostedEngineStatus
from heretic.api.v1alpha1.storage_domain import StorageDomainStatus
from heretic.domain.commands import SecretRef
from heretic.domain.declared.names import same_name
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineFacts, EngineView
from heretic.domain.engine.parse import domain_states, states
from heretic.domain.engine.site import EngineSite, data_center_of, engine_site
from heretic.domain.engine.storage.plan import JudgedDomain, judge_domain
from heretic.domain.engine.storage.report import domain_status
from heretic.domain.engine.storage.values import GLUSTER, DomainPlace, Portal, WantedDomain, settings_of
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.plan import Blocked, Plan, beside, told_apart
from heretic.domain.report import Report

_VERSIONS = {
    NFSVersion.AUTO: "auto",
    NFSVersion.V3: "v3",
    NFSVersion.V4: "v4",
    NFSVersion.V4_0: "v4_0",
    NFSVersion.V4_1: "v4_1",
    NFSVersion.V4_2: "v4_2",
}
_FINE = frozenset({domain_states.ACTIVE, domain_states.MAINTENANCE, *domain_states.ON_ITS_WAY})


def judged_domains(engine: HostedEngine, view: SiteView, seen: EngineView) -> Mapping[str, JudgedDomain]:
    """Each declared domain by its name; none while the data center or the cluster cannot be relied on."""
    site = engine_site(view, seen)
    if not isinstance(site, EngineSite):
        return {}
    recorded = {one.name: one.id for one in engine.status.storage_domains}
    judged = {
        declared.name: judge_domain(wanted(declared), recorded.get(declared.name, ""), site)
        for declared in engine.spec.storage_domains
    }
    claims = tuple(_claims(engine, view, judged))
    return {name: _alone(name, one, claims) for name, one in judged.items()}


def _claims(
    engine: HostedEngine, view: SiteView, judged: Mapping[str, JudgedDomain]
) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Who declares what: a name, how to call it, and the places and domains that it stands for."""
    for declared in engine.spec.storage_domains:
        place, found = place_of(declared), judged[declared.name].found
        at = place.units or (f"{same_name(place.address)}:{place.path.rstrip('/')}",)
        mine = frozenset((*at, *((found.id,) if found else ())))
        yield declared.name, f"storage domain {declared.name!r}", mine
    for name, volume in view.of(GlusterVolume).items():
        if volume.spec.storage_domain is not None and volume.status.storage_domain is not None:
            yield "", f"GlusterVolume {name}", frozenset((volume.status.storage_domain.id,))


def _alone(name: str, judged: JudgedDomain, claims: Sequence[tuple[str, str, frozenset[str]]]) -> JudgedDomain:
    """What two declare is left as it is: each would take it from the other again and again."""
    mine = next(places for own, _, places in claims if own == name)
    others = [shown for own, shown, places in claims if own != name and places & mine]
    if not others:
        return judged
    why = (
        f"the storage domain {name!r} is declared where {', '.join(others)} lies, too. Nothing is done for it: take "
        "all but one of them away, or name another place"
    )
    return replace(judged, items=(Blocked(Reason.INVALID_SPEC, why),))


def wanted(declared: EngineStorageDomain) -> WantedDomain:
    """A domain in the engine's words."""
    purpose = declared.function.value.lower()
    return WantedDomain(declared.name, purpose, place_of(declared), settings_of(declared))


def place_of(declared: EngineStorageDomain) -> DomainPlace:
    """Where it lies."""
    if (nfs := declared.nfs) is not None:
        version = _VERSIONS[nfs.version]
        return DomainPlace("nfs", nfs.address, nfs.path, options=nfs.options, nfs_version=version)
    if (gluster := declared.gluster) is not None:
        return DomainPlace(GLUSTER, gluster.address, gluster.path, vfs_type=GLUSTER, options=gluster.options)
    if (posix := declared.posix) is not None:
        at, kind = posix.address or "", posix.vfs_type
        return DomainPlace("posixfs", at, posix.path, vfs_type=kind, options=posix.options)
    if (iscsi := declared.iscsi) is not None:
        return DomainPlace("iscsi", units=tuple(iscsi.luns), portal=_portal(iscsi))
    assert declared.fibre_channel is not None
    return DomainPlace("fcp", units=tuple(declared.fibre_channel.luns))


def _portal(iscsi: ISCSIDomain) -> Portal:
    chap = iscsi.chap_secret_ref
    if chap is None:
        return Portal(iscsi.address, iscsi.port, iscsi.target)
    user, password = SecretRef(chap.name, "username"), SecretRef(chap.name, "password")
    return Portal(iscsi.address, iscsi.port, iscsi.target, user, password)


def with_domains(plan: Plan, judged: Mapping[str, JudgedDomain]) -> Plan:
    """Adds what the domains need to what is planned around the engine: one that is stuck keeps no other one waiting."""
    return beside(plan, *told_apart(item for domain in judged.values() for item in domain.items))


def domain_statuses(engine: HostedEngine, judged: Mapping[str, JudgedDomain]) -> list[StorageDomainStatus]:
    """What is recorded of each, under its declared name."""
    before = {one.name: one for one in engine.status.storage_domains}
    if not judged:
        return [one for one in engine.status.storage_domains if one.name in _names(engine)]
    said = ((name, domain_status(one, before.get(name))) for name, one in judged.items())
    return [one.model_copy(update={"name": name}) for name, one in said if one is not None]


def _names(engine: HostedEngine) -> set[str]:
    return {declared.name for declared in engine.spec.storage_domains}


def domains_in_trouble(engine: HostedEngine, facts: EngineFacts) -> list[str]:
    """Domains of the site's data center that hosts do not reach, whoever declared them."""
    center = data_center_of(engine, facts)
    listed = facts.attached.get(center.value.id) if isinstance(center, Known) else None
    there = listed.value if isinstance(listed, Known) else ()
    return sorted(f"storage domain {d.name} is {states.shown(d.status)}" for d in there if d.status not in _FINE)


def with_domain_report(report: Report, engine: HostedEngine, judged: Mapping[str, JudgedDomain]) -> Report:
    """Adds the declared domains to what is said of the engine."""
    assert isinstance(report.status, HostedEngineStatus)
    status = report.status.model_copy(update={"storage_domains": domain_statuses(engine, judged)})
    notes = tuple(one.note for one in judged.values() if one.note)
    return replace(report, status=status, notes=(*report.notes, *notes))

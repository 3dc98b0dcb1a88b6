"""The storage domain that a volume is in the engine: what is declared, what there is, what to do next."""

from dataclasses import replace

from heretic.api.v1alpha1 import GlusterVolume
from heretic.api.v1alpha1.gluster_volume import FUNCTIONS, GlusterVolumeStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.names import peer_name, peer_names, storage_nodes
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineView
from heretic.domain.engine.site import EngineSite, engine_site
from heretic.domain.engine.storage.plan import JudgedDomain, judge_domain
from heretic.domain.engine.storage.report import domain_condition, domain_status
from heretic.domain.engine.storage.values import GLUSTER, DomainPlace, WantedDomain, settings_of
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.gluster.conditions import quorate, started
from heretic.domain.gluster.placement import gluster_name
from heretic.domain.gluster.seen import SeenVolume
from heretic.domain.kind import Assessment
from heretic.domain.plan import Converged, Plan, Proceed, Step, Wait, obstacles_of, steps_of, told_apart


def needs_engine(volume: GlusterVolume) -> bool:
    """Whether a pass over a volume looks at the engine."""
    return volume.spec.storage_domain is not None or volume.status.storage_domain is not None


def place_of(volume: GlusterVolume, view: SiteView, nodes: tuple[str, ...] = ()) -> DomainPlace:
    """Where a volume's storage domain lies.

    Hosts get a volume's layout from the first server that answers, so each of those that hold data is named.

    Args:
        volume: The object.
        view: The declared site.
        nodes: Those that hold its data.
    """
    names = [peer_name(view, node) for node in nodes]
    backup = f"backup-volfile-servers={':'.join(names[1:])}" if names[1:] else ""
    every = {name for node in storage_nodes(view) for name in peer_names(view, node)}
    return DomainPlace(
        storage=GLUSTER,
        address=names[0] if names else "",
        path=f"/{gluster_name(volume)}",
        names=tuple(sorted(every)),
        vfs_type=GLUSTER,
        options=backup,
    )


def with_domain(
    assessed: Assessment, volume: GlusterVolume, seen: SeenVolume, view: SiteView, engine: EngineView
) -> Assessment:
    """Adds what concerns the engine to what was found about a volume.

    What stands in the way in the engine never keeps the volume's own work waiting.

    Args:
        assessed: Plan and report without the engine.
        volume: The object.
        seen: What was seen of the volume.
        view: The declared site.
        engine: What is known of the engine.
    """
    judged = _judge(volume, seen, view, engine)
    assert isinstance(assessed.report.status, GlusterVolumeStatus)
    if isinstance(judged, Condition):
        kept = None if _is_gone(volume, view, engine) else volume.status.storage_domain
        status = assessed.report.status.model_copy(update={"storage_domain": kept})
        report = replace(assessed.report, status=status, conditions=(*assessed.report.conditions, judged))
        return replace(assessed, report=report)
    told = domain_status(judged, volume.status.storage_domain)
    report = replace(
        assessed.report,
        status=assessed.report.status.model_copy(update={"storage_domain": told}),
        conditions=(*assessed.report.conditions, domain_condition(judged)),
        ready=assessed.report.ready | {ConditionType.STORAGE_DOMAIN_ACTIVE},
        notes=(*assessed.report.notes, *((judged.note,) if judged.note else ())),
    )
    return Assessment(_merged(assessed.plan, judged), report)


def _judge(volume: GlusterVolume, seen: SeenVolume, view: SiteView, engine: EngineView) -> JudgedDomain | Condition:
    """The domain; a condition where there is none to have."""
    declared = volume.spec.storage_domain
    if declared is None:
        return _nothing("no storage domain is declared")
    site = engine_site(view, engine)
    if site is None:
        return _nothing("the site declares no engine, so there is nothing to have the storage domain in")
    if not isinstance(site, EngineSite):
        return JudgedDomain((site,), known=False)
    recorded = volume.status.storage_domain
    function = declared.function or FUNCTIONS[volume.spec.purpose][0]
    wanted = WantedDomain(
        name=declared.name or volume.metadata.name,
        purpose=function.value.lower(),
        place=place_of(volume, view, _data_nodes(seen)),
        settings=settings_of(declared),
    )
    judged = judge_domain(wanted, recorded.id if recorded else "", site)
    waits = _not_served(seen)
    if waits and any(isinstance(item, Step) for item in judged.items):
        return replace(judged, items=(waits,))
    return judged


def _nothing(why: str) -> Condition:
    return Condition(ConditionType.STORAGE_DOMAIN_ACTIVE, State.FALSE, Reason.ENGINE_NOT_DECLARED, why)


def _is_gone(volume: GlusterVolume, view: SiteView, engine: EngineView) -> bool:
    """Whether the recorded domain is known to be there no more; what nobody could look at stays recorded."""
    recorded, site = volume.status.storage_domain, engine_site(view, engine)
    if recorded is None or not isinstance(site, EngineSite) or not isinstance(site.facts.storage_domains, Known):
        return recorded is None
    return all(one.id != recorded.id for one in site.facts.storage_domains.value)


def _data_nodes(seen: SeenVolume) -> tuple[str, ...]:
    return tuple(dict.fromkeys(b.node for b in seen.bricks if b.node and not b.brick.arbiter))


def _not_served(seen: SeenVolume) -> Wait | None:
    """Hosts mount what is served; what is not is never given to them."""
    for condition in (started(seen), quorate(seen)):
        if condition.state is not State.TRUE:
            return Wait(
                Reason.VOLUME_NOT_STARTED, f"the storage domain waits for the volume: {condition.message}", 10.0
            )
    return None


def _merged(plan: Plan, judged: JudgedDomain) -> Plan:
    own, obstacles = told_apart(judged.items)
    if isinstance(plan, Proceed) and plan.ordered:
        return plan
    steps = (*steps_of(plan), *own)
    if steps:
        return Proceed(steps, (*obstacles_of(plan), *obstacles))
    if isinstance(plan, Converged) and obstacles:
        return obstacles[0]
    return plan

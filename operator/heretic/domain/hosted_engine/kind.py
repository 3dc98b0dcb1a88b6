"""HostedEngine, as the loop knows it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from heretic.api.v1alpha1 import GlusterVolume, HostedEngine, Network, Node, Site
from heretic.api.v1alpha1.hosted_engine import HostedEngineStatus
from heretic.api.v1alpha1.node import Role
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.engine import declared_engine
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineFacts
from heretic.domain.engine.feature import ENGINE_HOST
from heretic.domain.engine.site import is_other_engine
from heretic.domain.facts import Unknown
from heretic.domain.host.facts import HostView
from heretic.domain.hosted_engine.agent import AGENT
from heretic.domain.hosted_engine.backup.look import kept_fact, lasting, machine_fact
from heretic.domain.hosted_engine.backup.place import folder_of
from heretic.domain.hosted_engine.backup.plan import JudgedBackups, judge_backups
from heretic.domain.hosted_engine.backup.report import with_backups
from heretic.domain.hosted_engine.deploy import plan_deployment
from heretic.domain.hosted_engine.deployment_report import with_deployment, with_setup
from heretic.domain.hosted_engine.first_host import first_host, is_to_be_deployed, is_to_be_restored
from heretic.domain.hosted_engine.plan import plan_around, with_maintenance
from heretic.domain.hosted_engine.report import report_engine
from heretic.domain.hosted_engine.restore import restore_of_living
from heretic.domain.hosted_engine.running import RUNNING
from heretic.domain.hosted_engine.setup import plan_setup
from heretic.domain.hosted_engine.setup_machine import is_to_be_set_up, setup_machine
from heretic.domain.hosted_engine.storage import judged_domains, with_domain_report, with_domains
from heretic.domain.hosted_engine.upgrade.judged import JudgedUpgrade
from heretic.domain.hosted_engine.upgrade.plan import FRESH, is_at_rest, judge_upgrade, upgrade_probes
from heretic.domain.hosted_engine.upgrade.report import with_upgrade
from heretic.domain.kind import Assessment, GaugeOf, Kind, Needs, Observed, Reference, as_number
from heretic.domain.plan import Blocked, Converged, beside
from heretic.domain.shared import SharedFact


def _needs(engine: HostedEngine, view: SiteView, seen: Mapping[str, HostView]) -> Needs:
    able = (n for n, node in view.nodes.items() if Role.HYPERVISOR in node.spec.roles)
    asked = is_to_be_deployed(engine) or is_to_be_restored(engine)
    shared: tuple[SharedFact[Any], ...] = (first_host(engine, view),) if asked else ()
    shared = (setup_machine(engine),) if is_to_be_set_up(engine) else shared
    node, folder = folder_of(engine)
    if not node or not engine.status.engine_id:
        return Needs(hosts=frozenset(able), shared=shared, engine=engine.metadata.name)
    kept = lasting(kept_fact(node, folder, engine.spec.fqdn), seen.get(node))
    keeper = frozenset({node}) & view.nodes.keys()
    return Needs(
        frozenset(able) | keeper, (*shared, machine_fact(engine, upgrade_probes(engine)), kept), engine.metadata.name
    )


def _assess(engine: HostedEngine, view: SiteView, observed: Observed) -> Assessment:
    seen, hosts, first = observed.engine, observed.hosts, observed.of(first_host(engine, view))
    around, domains = plan_around(engine, view, seen), judged_domains(engine, view, seen)
    plan = with_maintenance(with_domains(around, domains), engine, view, seen)
    backups = _backups(engine, view, observed)
    machine = observed.of(machine_fact(engine))
    upgrade = _upgrade(engine, view, observed, backups)
    plan = beside(plan, (*backups.steps, *upgrade.steps), (*backups.obstacles, *upgrade.obstacles))
    if upgrade.active:
        # Nothing else is done in an engine that is being upgraded.
        plan = beside(Converged("an upgrade goes on"), upgrade.steps, upgrade.obstacles)
    report = with_domain_report(report_engine(engine, seen, around, hosts), engine, domains)
    assert isinstance(report.status, HostedEngineStatus)
    trusted = observed.trusted_key or engine.status.trusted_host_key
    report = replace(report, status=report.status.model_copy(update={"trusted_host_key": trusted}))
    report = with_upgrade(with_backups(report, engine, backups, observed.now), engine, upgrade, machine)
    alone = not isinstance(declared_engine(view), Blocked)
    if engine.spec.standalone is not None and alone:
        before = observed.of(setup_machine(engine))
        if is_to_be_set_up(engine) and not isinstance(seen, EngineFacts):
            plan = plan_setup(engine, before, seen)
        return Assessment(plan, with_setup(report, engine, before, plan))
    if engine.spec.self_hosted is None:
        return Assessment(plan, report)
    if alone and isinstance(seen, EngineFacts):
        refused = restore_of_living(engine, view, hosts)
        plan = beside(plan, (), (refused,) if refused else ())
    elif not isinstance(seen, EngineFacts) and alone and (is_to_be_deployed(engine) or is_to_be_restored(engine)):
        plan = plan_deployment(engine, view, hosts, first, seen)
    up = isinstance(seen, EngineFacts)
    return Assessment(plan, with_deployment(report, engine, view, hosts, first, plan, up=up))


def _backups(engine: HostedEngine, view: SiteView, observed: Observed) -> JudgedBackups:
    """Nothing is backed up while it is not sure which engine is meant."""
    if isinstance(declared_engine(view), Blocked):
        return JudgedBackups()
    if isinstance(observed.engine, EngineFacts) and (other := is_other_engine(engine, observed.engine)):
        return JudgedBackups(":".join(folder_of(engine)), Unknown(other.message))
    fresh = observed.now - FRESH if observed.now and engine.spec.upgrade and not is_at_rest(engine) else None
    return judge_backups(engine, view, observed, fresh)


def _upgrade(engine: HostedEngine, view: SiteView, observed: Observed, backups: JudgedBackups) -> JudgedUpgrade:
    """Nothing is upgraded while it is not sure which engine is meant."""
    seen = observed.engine
    if isinstance(declared_engine(view), Blocked) or (isinstance(seen, EngineFacts) and is_other_engine(engine, seen)):
        return JudgedUpgrade()
    return judge_upgrade(engine, seen, observed.of(machine_fact(engine)), backups, observed.now)


def _references(engine: HostedEngine) -> Iterable[Reference]:
    yield Reference(Site)
    if engine.spec.self_hosted is not None:
        yield Reference(GlusterVolume, engine.spec.self_hosted.storage_volume)
    if engine.spec.backup is not None:
        yield Reference(Node, engine.spec.backup.node)
        if engine.spec.backup.volume:
            yield Reference(GlusterVolume, engine.spec.backup.volume)


HOSTED_ENGINE = Kind(
    model=HostedEngine,
    conditions=(
        ConditionType.ENGINE_UP,
        ConditionType.CLUSTER_READY,
        ConditionType.GLOBAL_MAINTENANCE,
        ConditionType.BACKUP_FRESH,
        ConditionType.ENGINE_UPGRADED,
        ConditionType.DEGRADED,
    ),
    needs=_needs,
    assess=_assess,
    reads=(Site, Node, Network, GlusterVolume),
    refers_to=(Site, GlusterVolume, Node),
    references=_references,
    sections=(AGENT, RUNNING),
    is_engine=True,
    features=(ENGINE_HOST,),
    recorded=("engineId", "dataCenterId", "clusterId", "certificateAuthority", "trustedHostKey"),
    gauges=(GaugeOf("heretic_engine_up", "1 while the engine answers.", "engine", as_number(ConditionType.ENGINE_UP)),),
)

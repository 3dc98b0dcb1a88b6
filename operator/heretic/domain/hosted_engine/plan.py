"""What to do next for the engine itself: its data center, then its cluster."""

from collections.abc import Iterator

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.declared.engine import declared_engine
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import DataCenter, EngineCluster, EngineFacts, EngineView
from heretic.domain.engine.site import (
    cluster_of,
    data_center_of,
    hosts_of,
    is_other_engine,
    not_told_apart,
    without_engine,
)
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.hosted_engine.mac_pool import plan_pool, pool_of
from heretic.domain.hosted_engine.maintenance import plan_maintenance
from heretic.domain.hosted_engine.steps import AddCluster, AddDataCenter, ClusterValues, RenameDataCenter, UpdateCluster
from heretic.domain.hosted_engine.values import cluster_values
from heretic.domain.plan import Blocked, Converged, Obstacle, Plan, Proceed, Step, Wait, beside, obstacles_of, steps_of


def with_maintenance(plan: Plan, engine: HostedEngine, view: SiteView, seen: EngineView) -> Plan:
    """Adds whether the engine's own machine is left alone, which comes first.

    Args:
        plan: What else is done for the engine.
        engine: The object.
        view: The declared site.
        seen: What is known of the engine.
    """
    alone = not isinstance(declared_engine(view), Blocked)
    if not alone or not isinstance(seen, EngineFacts) or is_other_engine(engine, seen):
        return plan
    item = plan_maintenance(
        engine, seen, hosts_of(cluster_of(engine, seen), seen), wanted=engine.spec.global_maintenance
    )
    if isinstance(item, Step):
        return Proceed((item, *steps_of(plan)), obstacles_of(plan))
    return beside(plan, (), (item,) if item else ())


def plan_around(engine: HostedEngine, view: SiteView, seen: EngineView) -> Plan:
    """Plans what is around an engine that runs: data center, cluster and what they use.

    Args:
        engine: The object.
        view: The declared site.
        seen: What is known of the engine.

    Returns:
        The next steps. Nothing is planned in an engine other than the recorded one, or on what is not known.
    """
    only = declared_engine(view)
    if isinstance(only, Blocked):
        return only
    if not isinstance(seen, EngineFacts):
        return without_engine(seen)
    return is_other_engine(engine, seen) or _plan_site(engine, seen)


def _plan_site(engine: HostedEngine, facts: EngineFacts) -> Plan:
    data_center, cluster = data_center_of(engine, facts), cluster_of(engine, facts)
    if isinstance(data_center, Unknown):
        return not_told_apart("data centers", facts.data_centers, data_center)
    if isinstance(cluster, Unknown):
        return not_told_apart("clusters", facts.clusters, cluster)
    pool = pool_of(engine, facts)
    wanted = [
        *_data_center(engine, data_center),
        *plan_pool(engine, facts),
        *_cluster(engine, data_center, cluster, pool.value.id if isinstance(pool, Known) else ""),
    ]
    obstacle = next((item for item in wanted if isinstance(item, Wait | Blocked)), None)
    steps = tuple(item for item in wanted if isinstance(item, Step))
    if steps:
        return Proceed(steps, (obstacle,) if obstacle else ())
    return obstacle or Converged("data center and cluster are as declared")


def _data_center(engine: HostedEngine, found: Fact[DataCenter]) -> Iterator[Step | Obstacle]:
    name, target = engine.spec.data_center.name, engine.metadata.name
    if not isinstance(found, Known):
        yield AddDataCenter(engine=target, why=f"the engine has no data center {name!r}", name=name)
    elif found.value.local:
        yield Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"the data center {found.value.name!r} is for local storage, and hosts of a site share theirs. Declare "
            "another name in spec.dataCenter, or remove that data center in the engine",
        )
    elif found.value.name != name:
        why = f"the data center is called {found.value.name!r}, and {name!r} is declared"
        yield RenameDataCenter(engine=target, why=why, id=found.value.id, name=name)


def _cluster(
    engine: HostedEngine, data_center: Fact[DataCenter], found: Fact[EngineCluster], mac_pool: str
) -> Iterator[Step | Obstacle]:
    if not isinstance(data_center, Known):
        return
    home, values, target = data_center.value, cluster_values(engine, mac_pool), engine.metadata.name
    if not isinstance(found, Known):
        why = f"the engine has no cluster {values.name!r}"
        yield AddCluster(engine=target, why=why, data_center=home.id, values=values)
        return
    cluster = found.value
    if cluster.data_center != home.id:
        yield Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"the cluster {cluster.name!r} is not in the data center {home.name!r}, and the engine moves no cluster to "
            "another one. Declare the data center that it is in, or another name in spec.cluster",
        )
        return
    different = tuple(differences(cluster, values))
    if different:
        why = f"cluster {cluster.name!r}: {'; '.join(different)}"
        yield UpdateCluster(engine=target, why=why, id=cluster.id, values=values)


def differences(cluster: EngineCluster, values: ClusterValues) -> Iterator[str]:
    """How a cluster differs from what is declared, one phrase each. What the engine left out differs, too.

    Args:
        cluster: As the engine shows it.
        values: As declared.
    """
    fencing, rules = cluster.fencing, values.fencing
    pairs: tuple[tuple[str, object, object], ...] = (
        ("name", cluster.name, values.name),
        ("CPU type", cluster.cpu_type, values.cpu_type or cluster.cpu_type),
        ("migration policy", cluster.migration_policy, values.migration_policy or cluster.migration_policy),
        ("MAC pool", cluster.mac_pool, values.mac_pool or cluster.mac_pool),
        ("Gluster service", cluster.gluster, True),
        ("virt service", cluster.virt, True),
        ("fencing", fencing.enabled, rules.enabled),
        ("fencing skipped while bricks are up", fencing.spares_bricks, True),
        ("fencing skipped where a volume would lose its quorum", fencing.spares_quorum, True),
        ("fencing skipped while the storage lease is active", fencing.spares_leases, rules.spares_leases),
        ("fencing skipped while connectivity is broken", fencing.spares_islands, rules.spares_islands),
        ("connectivity threshold", fencing.island_percent, rules.island_percent),
    )
    for what, there, wanted in pairs:
        if there != wanted:
            yield f"{what} is {_shown(there)}, {_shown(wanted)} is declared"


def _shown(value: object) -> str:
    match value:
        case None:
            return "not told"
        case bool():
            return "on" if value else "off"
        case _:
            return str(value) or "unset"

"""What a HostedEngine declares of its cluster, in the engine's words."""

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.engine_cluster import MigrationPolicy
from heretic.domain.hosted_engine.steps import ClusterValues, FencingRules

_POLICIES = {
    MigrationPolicy.LEGACY: "00000000-0000-0000-0000-000000000000",
    MigrationPolicy.MINIMAL_DOWNTIME: "80554327-0569-496b-bdeb-fcbbf52b827b",
    MigrationPolicy.SUSPEND_WORKLOAD: "80554327-0569-496b-bdeb-fcbbf52b827c",
    MigrationPolicy.POST_COPY: "a7aeedb2-8d66-4e51-bb22-32595027ce71",
}
"""The ids that every engine has for them (oVirt's Ansible module ovirt_cluster names the same)."""


def cluster_values(engine: HostedEngine, mac_pool: str) -> ClusterValues:
    """What the cluster is declared to have.

    Args:
        engine: The object.
        mac_pool: Id of the declared MAC pool; "" where none is declared, or it has yet to be made.
    """
    cluster, fencing = engine.spec.cluster, engine.spec.cluster.fencing
    return ClusterValues(
        name=cluster.name,
        cpu_type=cluster.cpu_type,
        migration_policy=_POLICIES[cluster.migration_policy] if cluster.migration_policy else "",
        fencing=FencingRules(
            enabled=fencing.enabled,
            spares_leases=fencing.skip_if_storage_lease_active,
            spares_islands=fencing.skip_if_connectivity_broken,
            island_percent=fencing.connectivity_threshold,
        ),
        mac_pool=mac_pool,
    )

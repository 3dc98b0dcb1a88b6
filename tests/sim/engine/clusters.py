"""Clusters."""

from copy import deepcopy
from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed, lookup
from sim.engine.catalogue import cpu_types
from sim.engine.cluster_networks import attach_management_network, management_network
from sim.engine.data_centers import LEVEL, version
from sim.engine.messages import FaultError, NotToldError, conflict, invalid, mandatory
from sim.engine.provider_use import take_provider, use_provider
from sim.engine.render import Item, Listing, ref, shown
from sim.engine.routes import API
from sim.engine.state import EngineState, merged, named

NO_POLICY = "b4ed2332-a7ac-4d5f-9596-99a439cb2812"
"""The scheduling policy `none`, which new clusters have."""
_UNKNOWN_LEVEL = (
    'java.lang.NullPointerException: Cannot invoke "org.ovirt.engine.core.bll.CommandBase.getParameters()" '
    'because "commandBase" is null'
)
# What a client may say of a cluster; the rest was not told.
_SETTABLE = frozenset(
    (
        *("name", "description", "comment", "data_center", "cpu", "virt_service", "gluster_service", "fencing_policy"),
        *("migration", "scheduling_policy", "mac_pool", "version", "ballooning_enabled", "ksm", "memory_policy"),
        *("switch_type", "firewall_type", "threads_as_cores", "error_handling", "ha_reservation", "bios_type"),
        "external_network_providers",
    )
)


def _fencing_policy() -> Any:
    return types.FencingPolicy(
        enabled=True,
        skip_if_connectivity_broken=types.SkipIfConnectivityBroken(enabled=False, threshold=50),
        skip_if_gluster_bricks_up=False,
        skip_if_gluster_quorum_not_met=False,
        skip_if_sd_active=types.SkipIfSdActive(enabled=False),
    )


def new_cluster(state: EngineState, name: str, data_center: str, key: str = "", **values: Any) -> Any:
    """A cluster as it is when nothing was said of it but its name; with the management network of its data center."""
    inherit = types.InheritableBoolean.INHERIT
    made = types.Cluster(
        name=name,
        description="",
        comment="",
        ballooning_enabled=True,
        cpu=types.Cpu(architecture=types.Architecture.UNDEFINED, type=""),
        data_center=types.DataCenter(id=data_center),
        error_handling=types.ErrorHandling(on_error=types.MigrateOnError.MIGRATE),
        fencing_policy=_fencing_policy(),
        fips_mode=types.FipsMode.UNDEFINED,
        firewall_type=types.FirewallType.FIREWALLD,
        gluster_service=False,
        ha_reservation=False,
        ksm=types.Ksm(enabled=True, merge_across_nodes=True),
        log_max_memory_used_threshold=95,
        log_max_memory_used_threshold_type=types.LogMaxMemoryUsedThresholdType.PERCENTAGE,
        mac_pool=types.MacPool(id=next(k for k, pool in state.mac_pools.items() if pool.default_pool)),
        memory_policy=types.MemoryPolicy(
            over_commit=types.MemoryOverCommit(percent=100),
            transparent_huge_pages=types.TransparentHugePages(enabled=False),
        ),
        migration=types.MigrationOptions(
            auto_converge=inherit,
            bandwidth=types.MigrationBandwidth(assignment_method=types.MigrationBandwidthAssignmentMethod.AUTO),
            compressed=inherit,
            encrypted=inherit,
            parallel_migrations_policy=types.ParallelMigrationsPolicy.DISABLED,
        ),
        required_rng_sources=[types.RngSource.URANDOM],
        scheduling_policy=types.SchedulingPolicy(id=NO_POLICY),
        switch_type=types.SwitchType.LEGACY,
        threads_as_cores=False,
        trusted_service=False,
        tunnel_migration=False,
        upgrade_in_progress=False,
        upgrade_percent_complete=0,
        version=version(),
        virt_service=True,
        vnc_encryption=True,
    )
    for field, value in values.items():
        setattr(made, field, value)
    state.insert(state.clusters, made, key)
    attach_management_network(state, made.id, data_center)
    return made


def _item(call: Call, value: Any, changed: bool = False) -> Item:
    """A cluster, which a change shows at another place than a look, and with its management network."""
    if not changed or value.data_center is None:
        return Item(shown(value), f"{API}/clusters/{value.id}")
    place = f"datacenters/{value.data_center.id}/clusters"
    network = management_network(call.state, value.id)
    pointed = ref(types.Network, network, f"{place}/{value.id}/networks") if network else None
    return Item(shown(value, management_network=pointed), f"{API}/{place}/{value.id}")


def _list(call: Call) -> Listing:
    found = list(call.state.clusters.values())
    if call.route.path != "clusters":
        parent = call.parent(call.state.data_centers, "DataCenter")
        found = [value for value in found if value.data_center and value.data_center.id == parent.id]
        if found:
            raise NotToldError("the clusters of a data center that has some")
    return Listing("clusters", [_item(call, value) for value in found])


def _get(call: Call) -> Item:
    return _item(call, call.the(call.state.clusters))


def _add(call: Call) -> Created:
    if call.route.path != "clusters":
        raise NotToldError("a cluster that is added below its data center")
    body = call.body("cluster", _SETTABLE)
    state = call.state
    if not body.data_center or not (body.data_center.id or body.data_center.name):
        names = "'cluster.data_center.id' or 'cluster.data_center.name'"
        raise mandatory(f"Parameters {names} are mandatory but both were not provided.")
    if not body.name:
        raise mandatory("Parameter 'cluster.name' is mandatory but was not provided.")
    try:
        data_center = lookup(state.data_centers, body.data_center, "Datacenter")
    except KeyError as error:
        raise NotToldError("a cluster in a data center with an unknown id") from error
    body.data_center = None
    provider = take_provider(state, body)
    _check(body, "create")
    if named(state.clusters, body.name):
        raise conflict("Cannot create Cluster. Cluster name is already in use.")
    # The values of the policy `none`.
    values: dict[str, Any] = {
        "custom_scheduling_policy_properties": [
            types.Property(name="HighUtilization", value="80"),
            types.Property(name="CpuOverCommitDurationMinutes", value="2"),
        ]
    }
    if body.cpu and body.cpu.type:
        values["bios_type"] = types.BiosType.Q35_OVMF
    made = new_cluster(state, body.name, data_center.id, **values)
    use_provider(state, made.id, provider)
    state.clusters[made.id] = _changed(made, body)
    return Created(_item(call, state.clusters[made.id], changed=True))


def _update(call: Call) -> Item:
    value = call.the(call.state.clusters)
    body = call.body("cluster", _SETTABLE)
    if body.data_center:
        if not value.data_center or body.data_center.id != value.data_center.id:
            raise conflict("Cannot change Data Center association when editing a Cluster.")
        body.data_center = None
    provider = take_provider(call.state, body)
    _check(body, "edit")
    if body.name not in (None, value.name) and named(call.state.clusters, body.name):
        raise conflict("Cannot edit Cluster. Cluster name is already in use.")
    use_provider(call.state, value.id, provider)
    call.state.clusters[value.id] = _changed(value, body)
    return _item(call, call.state.clusters[value.id], changed=True)


def _changed(value: Any, body: Any) -> Any:
    made = merged(value, body)
    if body.fencing_policy:
        # What is not said of fencing is not kept: it becomes what it is in a new cluster.
        made.fencing_policy = merged(_fencing_policy(), body.fencing_policy)
    if made.cpu.type and made.cpu.architecture is types.Architecture.UNDEFINED:
        made.cpu = deepcopy(made.cpu)
        made.cpu.architecture = types.Architecture.X86_64
    return made


def _check(body: Any, verb: str) -> None:
    if body.version and (body.version.major, body.version.minor) != LEVEL:
        if f"{body.version.major}.{body.version.minor}" in cpu_types():
            raise NotToldError("a cluster of an older level")
        raise FaultError(500, _UNKNOWN_LEVEL)
    level = f"{LEVEL[0]}.{LEVEL[1]}"
    if body.cpu and body.cpu.type and body.cpu.type not in cpu_types()[level]:
        raise invalid(f"Cannot {verb} Cluster. The chosen CPU is not supported.")


def _remove(call: Call) -> Performed:
    value = call.the(call.state.clusters)
    state = call.state
    if any(host.cluster.id == value.id for host in state.hosts.values()):
        raise conflict("Cannot remove Cluster. Host Cluster contains one or more Hosts.")
    if any(vm.cluster.id == value.id for vm in state.vms.values()):
        raise conflict("Cannot remove Cluster. Host Cluster contains one or more VMs.")
    state.cluster_providers.pop(value.id, None)
    state.cluster_networks = {at: of for at, of in state.cluster_networks.items() if at[0] != value.id}
    state.affinity_groups = {k: v for k, v in state.affinity_groups.items() if v.cluster.id != value.id}
    del state.clusters[value.id]
    return Performed()


OPERATIONS: Operations = {
    (services.ClustersService, "list"): _list,
    (services.ClustersService, "add"): _add,
    (services.ClusterService, "get"): _get,
    (services.ClusterService, "update"): _update,
    (services.ClusterService, "remove"): _remove,
}

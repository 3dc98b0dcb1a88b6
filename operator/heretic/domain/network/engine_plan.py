"""What to do next for the logical network that a Network stands for."""

from collections.abc import Iterator
from dataclasses import dataclass

from heretic.api.v1alpha1 import Network
from heretic.api.v1alpha1.common import DeletionPolicy
from heretic.api.v1alpha1.network import NetworkRole
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import ClusterNetwork, EngineFacts, EngineView, LogicalNetwork
from heretic.domain.engine.host_networks import MANAGEMENT, is_vital
from heretic.domain.engine.site import (
    LATER,
    EngineSite,
    engine_site,
    hosts_of_site,
    not_told_apart,
    recorded_or_named,
)
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Absent, Fact, Known, Unknown
from heretic.domain.network.logical import (
    DEFAULT_MTU,
    VM,
    DeclaredNetwork,
    claimed_by_others,
    name_of,
    wanted,
)
from heretic.domain.network.profiles import plan_profile
from heretic.domain.network.steps import (
    AddLogicalNetwork,
    AttachNetworkToCluster,
    ClusterUse,
    NetworkValues,
    RemoveLogicalNetwork,
    UpdateClusterNetwork,
    UpdateLogicalNetwork,
    UpdateNetworkOfHosts,
    UpdateVitalNetwork,
)
from heretic.domain.network.sync_plan import in_sync_said, plan_sync
from heretic.domain.plan import Blocked, Converged, Obstacle, Plan, Proceed, Step, Wait, told_apart


@dataclass(frozen=True, slots=True)
class _SeenNetwork:
    """A logical network as the engine has it.

    Attributes:
        site: Where in the engine the site lives.
        network: In the data center.
        used: In the cluster; None where it is not attached.
    """

    site: EngineSite
    network: LogicalNetwork
    used: ClusterNetwork | None


def plan_logical_network(network: Network, view: SiteView, seen: EngineView) -> Plan | None:
    """Plans the logical network of one Network.

    Args:
        network: The object.
        view: The declared site.
        seen: What is known of its engine.

    Returns:
        None where nothing is to be in an engine: the site declares none, or the role has nothing there.
    """
    site = engine_site(view, seen)
    if site is None:
        return None
    want = wanted(network, view)
    if want is None:
        return None
    if not isinstance(site, EngineSite):
        return site
    if isinstance(want, Blocked):
        return want
    match find(network, site):
        case Unknown() as unknown:
            listed = NOT_OBSERVED if want.management else site.facts.networks
            return not_told_apart("networks", listed, unknown)
        case Absent():
            return _missing(want, site)
        case Known(there):
            return _plan_seen(network, view, want, site, there)


def find(network: Network, site: EngineSite) -> Fact[LogicalNetwork]:
    """The logical network that a Network stands for: by its id, its place in the cluster, or its name."""
    recorded = network.status.logical_network.id if network.status.logical_network else ""
    if not isinstance(site.facts.networks, Known):
        return site.facts.networks
    here = tuple(one for one in site.facts.networks.value if one.data_center == site.data_center.id)
    if network.spec.role is NetworkRole.MANAGEMENT:
        if site.cluster.networks is None or any(one.usages is None for one in site.cluster.networks):
            return Unknown(f"those of cluster {site.cluster.name!r} were not told")
        recorded = next((one.id for one in site.cluster.networks if MANAGEMENT in (one.usages or ())), "")
        return recorded_or_named(Known(here), recorded, "") if recorded else Absent()
    return recorded_or_named(Known(here), recorded, name_of(network))


def _missing(want: DeclaredNetwork, site: EngineSite) -> Plan:
    if want.management:
        return Blocked(
            Reason.ENGINE_OBJECT_GONE,
            f"cluster {site.cluster.name!r} has no management network; give it one in the engine",
        )
    values = NetworkValues(
        name=want.name, vlan=want.vlan or 0, mtu=want.mtu, for_machines=want.for_machines is not False
    )
    why = f"data center {site.data_center.name!r} has no network {want.name!r}"
    return Proceed((AddLogicalNetwork(engine=site.name, why=why, data_center=site.data_center.id, values=values),))


def _plan_seen(
    network: Network, view: SiteView, want: DeclaredNetwork, site: EngineSite, there: LogicalNetwork
) -> Plan:
    if there.mtu is None or there.for_machines is None:
        return Wait(Reason.NOT_OBSERVED, f"MTU and use of network {there.name!r} were not told", LATER)
    if site.cluster.networks is None:
        return Wait(Reason.NOT_OBSERVED, f"the networks of cluster {site.cluster.name!r} were not told", LATER)
    used = next((one for one in site.cluster.networks if one.id == there.id), None)
    seen = _SeenNetwork(site, there, used)
    items = [
        *_in_data_center(want, seen),
        *_in_cluster(network, view, want, seen),
        *plan_profile(network, there, site),
    ]
    if not items:  # a change of the network itself reaches the hosts, too
        items = [*plan_sync(network, there, site, view, vital=_is_vital(want, seen))]
    steps, obstacles = told_apart(items)
    if steps:
        return Proceed(steps, obstacles, ordered=True)
    if obstacles:
        return obstacles[0]
    said = in_sync_said(there, site)
    return Converged(f"network {there.name!r} is in data center and cluster as declared{said}")


def _in_data_center(want: DeclaredNetwork, seen: _SeenNetwork) -> Iterator[Step | Obstacle]:
    there, facts = seen.network, seen.site.facts
    others = facts.networks.value if isinstance(facts.networks, Known) else ()
    taken = [one for one in others if one.name == want.name and one.data_center == there.data_center]
    if there.name != want.name and taken:
        yield Blocked(
            Reason.ENGINE_NAME_AMBIGUOUS,
            f"the network that is kept here (id {there.id}) is called {there.name!r}, and another one (id "
            f"{taken[0].id}) has the name {want.name!r}; rename or remove that one in the engine",
        )
        return
    for_machines = there.for_machines if want.for_machines is None else want.for_machines
    mtu = there.mtu if (there.mtu or DEFAULT_MTU) == want.mtu else want.mtu
    assert mtu is not None
    assert for_machines is not None
    pairs: tuple[tuple[str, object, object], ...] = (
        ("name", there.name, want.name),
        ("VLAN", there.vlan or "none", want.vlan or "none"),
        ("MTU", there.mtu or DEFAULT_MTU, want.mtu),
        ("use by guests", _on(there.for_machines), _on(for_machines)),
    )
    different = [f"{what} is {is_so}, {shall} is declared" for what, is_so, shall in pairs if is_so != shall]
    if different:
        values = NetworkValues(name=want.name, vlan=want.vlan or 0, mtu=mtu, for_machines=for_machines)
        why = f"network {there.name!r}: {'; '.join(different)}"
        on_hosts = (there.vlan, there.mtu, there.for_machines) != (want.vlan, mtu, for_machines)
        update = _update(seen, want) if on_hosts else UpdateLogicalNetwork
        yield update(engine=seen.site.name, why=why, id=there.id, values=values)


def _update(seen: _SeenNetwork, want: DeclaredNetwork) -> type[UpdateLogicalNetwork]:
    """Which step changes a network as hosts have it: the engine does it on all of them at once."""
    if hosts_of_site(seen.site) == ():
        return UpdateLogicalNetwork
    return UpdateVitalNetwork if _is_vital(want, seen) else UpdateNetworkOfHosts


def _is_vital(want: DeclaredNetwork, seen: _SeenNetwork) -> bool:
    usages = want.usages | ((seen.used.usages if seen.used else None) or frozenset())
    return want.management or is_vital(usages)


def _on(value: object) -> str:
    return "on" if value else "off"


def _in_cluster(
    network: Network, view: SiteView, want: DeclaredNetwork, seen: _SeenNetwork
) -> Iterator[Step | Obstacle]:
    there, site = seen.network, seen.site
    for_machines = there.for_machines if want.for_machines is None else want.for_machines
    what = {"engine": site.name, "cluster": site.cluster.id, "network": there.id}
    required = want.management or (want.required and is_safe_to_require(there, site))
    if seen.used is None:
        use = ClusterUse(required=required, roles=tuple(sorted(want.usages)), for_machines=bool(for_machines))
        yield AttachNetworkToCluster(
            **what, why=f"cluster {site.cluster.name!r} has no network {there.name!r}", use=use
        )
        return
    if seen.used.usages is None or seen.used.required is None:
        yield Wait(Reason.NOT_OBSERVED, f"what the cluster uses network {there.name!r} for was not told", LATER)
        return
    has = seen.used.usages - {VM}
    roles = want.usages
    if want.management:
        # What another Network claims leaves when that one is attached; taken away earlier, the engine gives it back.
        roles |= {MANAGEMENT} | (has & claimed_by_others(network, view))
    required = required or (want.required and seen.used.required)
    different = [f"usages are {_words(has)}, {_words(roles)} are declared"] if has != roles else []
    if seen.used.required != required:
        different.append(f"required is {_on(seen.used.required)}, {_on(required)} is declared")
    if different:
        use = ClusterUse(required=required, roles=tuple(sorted(roles)), for_machines=bool(for_machines))
        why = f"network {there.name!r} in cluster {site.cluster.name!r}: {'; '.join(different)}"
        yield UpdateClusterNetwork(**what, why=why, use=use)


def is_safe_to_require(network: LogicalNetwork, site: EngineSite) -> bool:
    """Whether no host of the cluster would be taken out where it becomes required: each is known to have it."""
    hosts = hosts_of_site(site)
    return bool(hosts) and all(host.networks is not None and network.id in host.networks for host in hosts or ())


def _words(usages: frozenset[str]) -> str:
    return " ".join(sorted(usages)) or "none"


def plan_network_removal(network: Network, view: SiteView, seen: EngineView) -> Plan:
    """Plans the end of one Network: by default its logical network stays.

    Args:
        network: The object that is being deleted.
        view: The declared site.
        seen: What is known of its engine.
    """
    recorded = network.status.logical_network.id if network.status.logical_network else ""
    if network.spec.deletion_policy is DeletionPolicy.ORPHAN or not recorded:
        return Converged("what is in the engine stays as it is")
    site = engine_site(view, seen)
    if site is None:
        return Converged("the site declares no engine in which anything could be removed")
    if not isinstance(site, EngineSite):
        return site
    instead = "to let the object go and keep the network, set deletionPolicy to Orphan"
    if not isinstance(site.facts.networks, Known):
        return Wait(Reason.NOT_OBSERVED, f"the engine's networks are not known; {instead}", LATER)
    there = next((one for one in site.facts.networks.value if one.id == recorded), None)
    if there is None:
        return Converged("its logical network is not in the engine any more")
    used = manages(there, site.facts)
    if used:
        return Blocked(
            Reason.DEPENDENTS_EXIST, f"{there.name!r} is {used} management network, which is never removed; {instead}"
        )
    why = "the object is being deleted with deletionPolicy Destroy"
    return Proceed((RemoveLogicalNetwork(engine=site.name, why=why, id=there.id, name=there.name),))


def manages(network: LogicalNetwork, facts: EngineFacts) -> str:
    """Whose management network it is; "" where it is known to be nobody's."""
    if not isinstance(facts.clusters, Known):
        return "perhaps a"
    for cluster in facts.clusters.value:
        for one in cluster.networks or ():
            if one.id == network.id and (one.usages is None or MANAGEMENT in one.usages):
                return f"cluster {cluster.name!r}'s"
    return ""

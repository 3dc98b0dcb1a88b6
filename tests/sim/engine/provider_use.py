"""Which network provider clusters and hosts use: a host gets that of its cluster when it is installed."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Operations
from sim.engine.messages import BareError, FaultError, NotToldError
from sim.engine.render import Item, Listing, ref
from sim.engine.routes import API
from sim.engine.state import EngineState


def take_provider(state: EngineState, body: Any) -> str | None:
    """The id of the provider that the body of a cluster names, which is taken out of it: it is told in a collection.

    Empty: none. None: nothing is said of it.
    """
    given, body.external_network_providers = body.external_network_providers, None
    if given is None:
        return None
    if len(given) > 1:
        raise NotToldError("a cluster with two network providers")
    for one in given:
        for key, value in state.providers.items():
            if one.id == key or (not one.id and one.name == value.name):
                return key
        raise NotToldError("a cluster with an unknown network provider")
    return ""


def use_provider(state: EngineState, cluster: str, provider: str | None) -> None:
    """Gives a cluster what `take_provider` has found. Its hosts get it when they are installed the next time."""
    if provider is not None:
        state.cluster_providers.pop(cluster, None)
    if provider:
        state.cluster_providers[cluster] = provider


def provide(state: EngineState, host: Any) -> None:
    """Configures a host that is installed for the provider of its cluster."""
    state.host_providers.pop(host.id, None)
    if provider := state.cluster_providers.get(host.cluster.id):
        state.host_providers[host.id] = provider


def _of_cluster(call: Call) -> Listing:
    cluster = call.parent(call.state.clusters, "Cluster")
    key = call.state.cluster_providers.get(cluster.id)
    found = [Item(types.ExternalProvider(id=key), f"{API}/openstacknetworkproviders/{key}")] if key else []
    return Listing("external_providers", found)


def _of_host(call: Call) -> Listing:
    host = call.state.hosts.get(call.route.ids[0])
    if host is None:
        raise FaultError(404, "Entity not found: Host")
    key = call.state.host_providers.get(host.id)
    if key is None:
        return Listing("external_network_provider_configurations")
    value = types.ExternalNetworkProviderConfiguration(
        id=key,
        host=ref(types.Host, host.id),
        external_network_provider=ref(types.ExternalProvider, key, "openstacknetworkproviders"),
    )
    href = f"{API}/hosts/{host.id}/externalnetworkproviderconfigurations/{key}"
    return Listing("external_network_provider_configurations", [Item(value, href)])


def _one_of_host(call: Call) -> Item:
    for item in _of_host(call).items:
        if item.value.id == call.key:
            return item
    raise BareError(404)


OPERATIONS: Operations = {
    (services.ClusterExternalProvidersService, "list"): _of_cluster,
    (services.ExternalNetworkProviderConfigurationsService, "list"): _of_host,
    (services.ExternalNetworkProviderConfigurationService, "get"): _one_of_host,
}

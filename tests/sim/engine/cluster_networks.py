"""Networks as clusters use them: required or not, and for what."""

from dataclasses import dataclass
from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed
from sim.engine.messages import BareError, NotToldError, conflict
from sim.engine.network_monitor import lacked
from sim.engine.render import Item, Listing, shown
from sim.engine.routes import API
from sim.engine.state import EngineState

_Usage = types.NetworkUsage
# In this order the engine lists them.
_ROLES = (_Usage.DISPLAY, _Usage.MIGRATION, _Usage.MANAGEMENT, _Usage.DEFAULT_ROUTE, _Usage.GLUSTER)
# A cluster has at most one network of each role. These it has always: the management network where no other was chosen.
_READ = ("name", "required", "usages")
_ALWAYS = frozenset({_Usage.DISPLAY, _Usage.MIGRATION, _Usage.DEFAULT_ROUTE})


@dataclass
class Attachment:
    """A network in a cluster.

    Attributes:
        required: A host without it becomes non-operational.
        roles: What the cluster uses it for.
    """

    required: bool
    roles: set[Any]


def attach_management_network(state: EngineState, cluster: str, data_center: str) -> None:
    """Gives a new cluster the ovirtmgmt of its data center, in all roles but that for Gluster."""
    for network in state.networks.values():
        if network.name == "ovirtmgmt" and network.data_center.id == data_center:
            roles = {*_ALWAYS, _Usage.MANAGEMENT}
            state.cluster_networks[cluster, network.id] = Attachment(required=True, roles=roles)


def management_network(state: EngineState, cluster: str) -> str | None:
    """The id of a cluster's management network."""
    for (owner, network), attachment in state.cluster_networks.items():
        if owner == cluster and _Usage.MANAGEMENT in attachment.roles:
            return network
    return None


def is_management(state: EngineState, network: str) -> bool:
    """Whether a cluster has that network as its management network."""
    return any(
        at == network and _Usage.MANAGEMENT in attachment.roles
        for (_, at), attachment in state.cluster_networks.items()
    )


def _item(state: EngineState, cluster: str, network: str) -> Item:
    value = state.networks[network]
    attachment = state.cluster_networks[cluster, network]
    status = types.NetworkStatus.OPERATIONAL
    if lacked(state, cluster, network):
        status = types.NetworkStatus.NON_OPERATIONAL
    in_cluster = shown(
        value,
        cluster=types.Cluster(id=cluster),
        display=_Usage.DISPLAY in attachment.roles,
        required=attachment.required,
        status=status,
        usages=[*value.usages, *(role for role in _ROLES if role in attachment.roles)],
        network_labels=None,
    )
    return Item(shown(in_cluster), f"{API}/clusters/{cluster}/networks/{network}", links=False)


def _list(call: Call) -> Listing:
    cluster = call.parent(call.state.clusters, "Cluster")
    found = [network for owner, network in call.state.cluster_networks if owner == cluster.id]
    found.sort(key=lambda network: call.state.networks[network].name)
    return Listing("networks", [_item(call.state, cluster.id, network) for network in found])


def _get(call: Call) -> Item:
    cluster, network, _ = _attached(call)
    return _item(call.state, cluster, network)


def _add(call: Call) -> Created:
    state = call.state
    cluster = call.parent(state.clusters, "Cluster")
    body = call.body("network", _READ)
    network = state.networks.get(body.id)
    if network is None or not cluster.data_center or network.data_center.id != cluster.data_center.id:
        raise NotToldError("a cluster's network that its data center has not got")
    if (cluster.id, network.id) in state.cluster_networks:
        raise conflict("Logical Network is already attached to Cluster.")
    required = True if body.required is None else body.required
    state.cluster_networks[cluster.id, network.id] = Attachment(required, roles=set())
    _use(state, cluster.id, network.id, body)
    return Created(_item(state, cluster.id, network.id))


def _update(call: Call) -> Item:
    cluster, network, attachment = _attached(call)
    body = call.body("network", _READ)
    if body.required is not None:
        attachment.required = body.required
    _use(call.state, cluster, network, body)
    return _item(call.state, cluster, network)


def _remove(call: Call) -> Performed:
    cluster, network, attachment = _attached(call)
    if _Usage.MANAGEMENT in attachment.roles:
        raise NotToldError("the detachment of the management network")
    _set_roles(call.state, cluster, network, set())
    del call.state.cluster_networks[cluster, network]
    return Performed()


def leave_clusters(state: EngineState, network: str) -> None:
    """Takes a network from all clusters; its roles return to their management networks."""
    for cluster in [owner for owner, at in state.cluster_networks if at == network]:
        _set_roles(state, cluster, network, set())
        del state.cluster_networks[cluster, network]


def _attached(call: Call) -> tuple[str, str, Attachment]:
    cluster = call.parent(call.state.clusters, "Cluster").id
    network = call.key
    attachment = call.state.cluster_networks.get((cluster, network))
    if attachment is None:
        raise BareError(404)
    return cluster, network, attachment


def _use(state: EngineState, cluster: str, network: str, body: Any) -> None:
    if body.usages is None:
        return
    # For virtual machines or not is said in the data center; here it is passed over.
    roles = set(body.usages) - {_Usage.VM}
    had = state.cluster_networks[cluster, network].roles
    if (_Usage.MANAGEMENT in roles) != (_Usage.MANAGEMENT in had):
        raise NotToldError("another management network")
    _set_roles(state, cluster, network, roles)


def _set_roles(state: EngineState, cluster: str, network: str, roles: set[Any]) -> None:
    """Gives a network its roles, and takes them from the one that had them."""
    for (owner, other), attachment in state.cluster_networks.items():
        if owner == cluster and other != network:
            attachment.roles -= roles
    state.cluster_networks[cluster, network].roles = roles
    taken = {
        role
        for (owner, _), attachment in state.cluster_networks.items()
        if owner == cluster
        for role in attachment.roles
    }
    if management := management_network(state, cluster):
        state.cluster_networks[cluster, management].roles |= _ALWAYS - taken


OPERATIONS: Operations = {
    (services.ClusterNetworksService, "list"): _list,
    (services.ClusterNetworksService, "add"): _add,
    (services.ClusterNetworkService, "get"): _get,
    (services.ClusterNetworkService, "update"): _update,
    (services.ClusterNetworkService, "remove"): _remove,
}

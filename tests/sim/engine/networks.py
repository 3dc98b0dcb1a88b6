"""Logical networks of data centers, and their labels."""

from datetime import timedelta
from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed, lookup
from sim.engine.cluster_networks import is_management, leave_clusters
from sim.engine.host_net import spread
from sim.engine.host_nics import NIC_LABELS
from sim.engine.messages import BareError, NotToldError, conflict, incomplete, invalid
from sim.engine.render import Item, Listing, ref, shown
from sim.engine.routes import API
from sim.engine.state import EngineState, merged
from sim.engine.vnic_profiles import new_profile

VM = types.NetworkUsage.VM
_LINUX_NAME = 15
# The network is gone at once; the job that takes it from hosts goes on. How long was not recorded.
_REMOVAL = timedelta(seconds=5)
_SETTABLE = frozenset({"name", "description", "comment", "mtu", "vlan", "usages", "data_center", "stp"})
# What a network is used for in clusters is set there.
_OF_CLUSTERS = frozenset({"display", "migration", "management", "default_route", "gluster"})


def new_network(state: EngineState, name: str, data_center: str, key: str = "", **values: Any) -> Any:
    """A network for virtual machines, of which nothing is said but its name; with its vNIC profile."""
    made = types.Network(
        name=name,
        description="",
        comment="",
        data_center=types.DataCenter(id=data_center),
        mtu=0,
        port_isolation=False,
        stp=False,
        usages=[VM],
    )
    for field, value in values.items():
        setattr(made, field, value)
    state.insert(state.networks, made, key)
    plain = len(name) <= _LINUX_NAME and " " not in name
    made.vdsm_name = name if plain else f"on{made.id.replace('-', '')}"[:_LINUX_NAME]
    if VM in made.usages:
        new_profile(state, name, made.id)
    return made


def add_management_network(state: EngineState, data_center: str) -> None:
    """Each new data center has one."""
    new_network(state, "ovirtmgmt", data_center, description="Default Management Network")


def _item(value: Any, changed: bool = False, links: bool = True) -> Item:
    """A network, which a change shows at another place than a look."""
    place = f"datacenters/{value.data_center.id}/networks" if changed else "networks"
    return Item(shown(value, network_labels=None), f"{API}/{place}/{value.id}", links=links)


def _list(call: Call) -> Listing:
    return Listing("networks", [_item(value) for value in call.state.networks.values()])


def _list_of_data_center(call: Call) -> Listing:
    parent = call.parent(call.state.data_centers, "DataCenter")
    found = [value for value in call.state.networks.values() if value.data_center.id == parent.id]
    return Listing("networks", [_item(value, links=False) for value in found])


def _get(call: Call) -> Item:
    return _item(call.the(call.state.networks))


def _add(call: Call) -> Created:
    state = call.state
    body = call.body("network", _SETTABLE)
    given = body.data_center
    if not given or not (given.id or given.name):
        raise incomplete("Network", "dataCenter.name|id")
    if not body.name:
        raise incomplete("Network", "name")
    try:
        data_center = lookup(state.data_centers, given, "DataCenter")
    except KeyError as error:
        raise NotToldError("a network in a data center with an unknown id") from error
    body.data_center = None
    with call.job(f"Adding network {body.name} to Data Center: {data_center.name}"):
        _check(body)
        _check_name(state, body.name, data_center.id, "add")
        if body.vlan and body.vlan.id is None:
            body.vlan = None
        values = {name: getattr(body, name) for name in _SETTABLE if getattr(body, name) is not None}
        made = new_network(state, values.pop("name"), data_center.id, **values)
    call.event(
        942,
        f"Finished adding Network {made.name} to Data Center: {data_center.name}",
        data_center=ref(types.DataCenter, data_center.id, name=data_center.name),
    )
    return Created(_item(made, changed=True))


def _update(call: Call) -> Item:
    state = call.state
    value = call.the(state.networks)
    body = call.body("network", _SETTABLE)
    data_center = state.data_centers[value.data_center.id]
    if body.data_center:
        raise NotToldError("a change of the data center of a network")
    with call.job(f"Updating network {value.name} on Data Center: {data_center.name}"):
        _check(body)
        if body.name not in (None, value.name):
            _check_name(state, body.name, data_center.id, "edit")
            _check_unused(state, value, "edit")
        state.networks[value.id] = merged(value, body)
        if body.vlan and body.vlan.id is None:
            state.networks[value.id].vlan = None
        spread(state, value.id)
    call.event(
        1114,
        f"Finished Network {value.name} update on Data Center: {data_center.name}",
        data_center=ref(types.DataCenter, data_center.id, name=data_center.name),
    )
    return _item(state.networks[value.id], changed=True)


def _remove(call: Call) -> Performed:
    state = call.state
    value = call.the(state.networks)
    data_center = state.data_centers[value.data_center.id]
    with call.job(f"Removing network {value.name} from Data Center: {data_center.name}", _REMOVAL) as job:
        if is_management(state, value.id):
            raise invalid(f"The Management Network ('{value.name}') is mandatory and cannot be removed.")
        _check_unused(state, value, "remove")
        leave_clusters(state, value.id)
        state.vnic_profiles = {k: v for k, v in state.vnic_profiles.items() if v.network.id != value.id}
        del state.networks[value.id]
    return Performed(job)


def _check(body: Any) -> None:
    if body.vlan and body.vlan.id is not None and not 0 <= int(body.vlan.id) <= 4094:
        raise invalid("VLAN ID must be a number between 0 and 4094., Attribute: network.vlanId")
    if body.mtu and not body.mtu >= 68:
        raise invalid("mtu value invalid, Attribute: network.mtu")
    if any(usage.value in _OF_CLUSTERS for usage in body.usages or ()):
        raise NotToldError("a role of a network in clusters, told of the data center")


def _check_name(state: EngineState, name: str, data_center: str, verb: str) -> None:
    for value in state.networks.values():
        if value.name == name and value.data_center.id == data_center:
            raise conflict(
                f"Cannot {verb} Network. The name of the logical network '{name}' is already used by an existing "
                "logical network in the same data-center.\n-Please choose a different name."
            )


def _check_unused(state: EngineState, value: Any, verb: str) -> None:
    if machine := state.guests_of_networks.get(value.id):
        raise conflict(
            f"Cannot {verb} Network. The following VMs/Templates are using this network: {machine}.\n-Please remove "
            "the network from them and try again."
        )


def _label_item(value: Any, label: str) -> Item:
    made = types.NetworkLabel(id=label, network=ref(types.Network, value.id))
    return Item(made, f"{API}/networks/{value.id}/networklabels/{label}")


def _labels(call: Call) -> Listing:
    if call.route.path.startswith("hosts/"):
        return NIC_LABELS(call)
    value = call.parent(call.state.networks, "Network")
    return Listing("network_labels", [_label_item(value, label.id) for label in value.network_labels or ()])


def _add_label(call: Call) -> Created:
    _not_of_hosts(call)
    value = call.parent(call.state.networks, "Network")
    body = call.body("network_label")
    if not body.id:
        raise NotToldError("a label without an id")
    if value.network_labels:
        raise invalid("Cannot add Label. The specified network is already labeled.")
    if any(body.id in net.now.labels for net in call.state.nets.values()):
        raise NotToldError("a label of a network that interfaces have")
    value.network_labels = [body]
    return Created(_label_item(value, body.id))


def _not_of_hosts(call: Call) -> None:
    if call.route.path.startswith("hosts/"):
        raise NotToldError("a label of an interface that is not changed together with its networks")


def _remove_label(call: Call) -> Performed:
    _not_of_hosts(call)
    value = call.parent(call.state.networks, "Network")
    if call.key not in [label.id for label in value.network_labels or ()]:
        raise BareError(404)
    value.network_labels = None
    return Performed()


OPERATIONS: Operations = {
    (services.NetworksService, "list"): _list,
    (services.NetworksService, "add"): _add,
    (services.NetworkService, "get"): _get,
    (services.NetworkService, "update"): _update,
    (services.NetworkService, "remove"): _remove,
    (services.DataCenterNetworksService, "list"): _list_of_data_center,
    (services.NetworkLabelsService, "list"): _labels,
    (services.NetworkLabelsService, "add"): _add_label,
    (services.NetworkLabelService, "remove"): _remove_label,
}

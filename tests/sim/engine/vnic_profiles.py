"""vNIC profiles: what a virtual machine may do on a network."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed
from sim.engine.messages import NotToldError, conflict
from sim.engine.render import Item, Listing, shown
from sim.engine.routes import API
from sim.engine.state import EngineState

NO_MAC_SPOOFING = "d2370ab4-fee3-11e9-a310-8c1645ce738e"
"""The network filter that new profiles have."""


def new_profile(state: EngineState, name: str, network: str, key: str = "") -> Any:
    """A profile of which nothing is said but its name."""
    made = types.VnicProfile(
        name=name,
        network=types.Network(id=network),
        network_filter=types.NetworkFilter(id=NO_MAC_SPOOFING),
        pass_through=types.VnicPassThrough(mode=types.VnicPassThroughMode.DISABLED),
        port_mirroring=False,
    )
    return state.insert(state.vnic_profiles, made, key)


def _item(value: Any, changed: bool = False) -> Item:
    place = f"networks/{value.network.id}/vnicprofiles" if changed else "vnicprofiles"
    return Item(shown(value), f"{API}/{place}/{value.id}")


def _list(call: Call) -> Listing:
    return Listing("vnic_profiles", [_item(value) for value in call.state.vnic_profiles.values()])


def _list_of_network(call: Call) -> Listing:
    network = call.parent(call.state.networks, "Network")
    found = [value for value in call.state.vnic_profiles.values() if value.network.id == network.id]
    return Listing("vnic_profiles", [_item(value, changed=True) for value in found])


def _add(call: Call) -> Created:
    body = call.body("vnic_profile", ("name", "network"))
    if not body.name or not body.network or body.network.id not in call.state.networks:
        raise NotToldError("a vNIC profile without a name, or of no known network")
    for value in call.state.vnic_profiles.values():
        if (value.name, value.network.id) == (body.name, body.network.id):
            raise conflict(
                "Cannot add VM network interface profile. The VM network interface profile's name is already used by "
                "an existing profile for the same network.\n-Please choose a different name."
            )
    return Created(_item(new_profile(call.state, body.name, body.network.id), changed=True))


def _remove(call: Call) -> Performed:
    value = call.the(call.state.vnic_profiles)
    del call.state.vnic_profiles[value.id]
    return Performed()


OPERATIONS: Operations = {
    (services.VnicProfilesService, "list"): _list,
    (services.VnicProfilesService, "add"): _add,
    (services.VnicProfileService, "get"): lambda call: _item(call.the(call.state.vnic_profiles)),
    (services.VnicProfileService, "remove"): _remove,
    (services.AssignedVnicProfilesService, "list"): _list_of_network,
}

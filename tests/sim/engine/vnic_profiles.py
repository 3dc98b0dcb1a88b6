"""vNIC profiles: what a virtual machine may do on a network."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed
from sim.engine.catalogue import recorded
from sim.engine.messages import NotToldError, conflict
from sim.engine.render import Item, Listing, shown
from sim.engine.routes import API
from sim.engine.state import EngineState, merged

NO_MAC_SPOOFING = "d2370ab4-fee3-11e9-a310-8c1645ce738e"
"""The network filter that new profiles have."""
_SETTABLE = frozenset({"name", "network", "network_filter", "pass_through", "port_mirroring"})


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


def _filter(body: Any) -> Any:
    """The filter that a client names; an empty element says that there shall be none."""
    named = body.network_filter.id
    if named and named not in {one.get("id") for one in recorded("networkfilters")}:
        raise NotToldError("a vNIC profile with an unknown network filter")
    return types.NetworkFilter(id=named) if named else None


def _check_pass_through(value: Any) -> None:
    # The text was not recorded; the rule is that of the engine's VnicProfileValidator.
    through = value.pass_through and value.pass_through.mode is types.VnicPassThroughMode.ENABLED
    if through and (value.port_mirroring or value.network_filter):
        raise conflict(
            "Cannot edit VM network interface profile. A passthrough profile has no filter and no mirroring."
        )


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
    body = call.body("vnic_profile", _SETTABLE)
    if not body.name or not body.network or body.network.id not in call.state.networks:
        raise NotToldError("a vNIC profile without a name, or of no known network")
    for value in call.state.vnic_profiles.values():
        if (value.name, value.network.id) == (body.name, body.network.id):
            raise conflict(
                "Cannot add VM network interface profile. The VM network interface profile's name is already used by "
                "an existing profile for the same network.\n-Please choose a different name."
            )
    network = call.state.networks[body.network.id]
    if types.NetworkUsage.VM not in (network.usages or ()):
        raise NotToldError("a vNIC profile of a network that is not for virtual machines")
    chosen = _filter(body) if body.network_filter else types.NetworkFilter(id=NO_MAC_SPOOFING)
    made = new_profile(call.state, body.name, body.network.id)
    made.network_filter, made.port_mirroring = chosen, bool(body.port_mirroring)
    return Created(_item(made, changed=True))


def _update(call: Call) -> Item:
    state = call.state
    value = call.the(state.vnic_profiles)
    body = call.body("vnic_profile", _SETTABLE)
    if body.network and body.network.id != value.network.id:
        raise NotToldError("another network of a vNIC profile")
    changed = merged(value, body)
    if body.network_filter:
        changed.network_filter = _filter(body)
    _check_pass_through(changed)
    differs = (changed.port_mirroring, changed.pass_through.mode) != (value.port_mirroring, value.pass_through.mode)
    if differs and (machine := state.guests_of_networks.get(value.network.id)):
        # The text was not recorded; the rule is that of the engine's VnicProfileValidator.
        raise conflict(f"Cannot edit VM network interface profile. The following VM is using it: {machine}.")
    state.vnic_profiles[value.id] = changed
    return _item(changed, changed=True)


def _remove(call: Call) -> Performed:
    value = call.the(call.state.vnic_profiles)
    del call.state.vnic_profiles[value.id]
    return Performed()


OPERATIONS: Operations = {
    (services.VnicProfilesService, "list"): _list,
    (services.VnicProfilesService, "add"): _add,
    (services.VnicProfileService, "get"): lambda call: _item(call.the(call.state.vnic_profiles)),
    (services.VnicProfileService, "update"): _update,
    (services.VnicProfileService, "remove"): _remove,
    (services.AssignedVnicProfilesService, "list"): _list_of_network,
}

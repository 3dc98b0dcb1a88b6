"""External network providers (OVN), behind which nobody listens."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed
from sim.engine.messages import FaultError, NotToldError, invalid
from sim.engine.render import Item, Listing, shown
from sim.engine.routes import API
from sim.engine.state import named

_GIVEN = frozenset({"name", "url", "type", "requires_authentication", "external_plugin_type"})


def _item(value: Any) -> Item:
    return Item(shown(value), f"{API}/openstacknetworkproviders/{value.id}")


def _list(call: Call) -> Listing:
    found = call.state.providers.values()
    return Listing("openstack_network_providers", [_item(value) for value in found])


def _add(call: Call) -> Created:
    body = call.body("openstack_network_provider", _GIVEN)
    given = {name.removeprefix("_") for name, value in vars(body).items() if value is not None}
    if given != _GIVEN:
        raise NotToldError(f"a network provider with {', '.join(sorted(given ^ _GIVEN))} or without")
    if named(call.state.providers, body.name):
        raise NotToldError("a network provider whose name is taken")
    made = types.OpenStackNetworkProvider(
        name=body.name,
        description="",
        url=body.url,
        type=body.type,
        external_plugin_type=body.external_plugin_type,
        requires_authentication=body.requires_authentication,
        auto_sync=False,
        read_only=True,
        unmanaged=False,
    )
    return Created(_item(call.state.insert(call.state.providers, made)))


def _test(call: Call) -> Performed:
    call.body("action")
    call.the(call.state.providers)
    raise invalid("Failed to communicate with the external provider, see log for additional details.")


def _networks(call: Call) -> Listing:
    call.parent(call.state.providers, "Provider")
    raise FaultError(400, "engineexception: (failed with error connection refused and code 5050)")


def _remove(call: Call) -> Performed:
    value = call.the(call.state.providers)
    del call.state.providers[value.id]
    return Performed()


OPERATIONS: Operations = {
    (services.OpenstackNetworkProvidersService, "list"): _list,
    (services.OpenstackNetworkProvidersService, "add"): _add,
    (services.OpenstackNetworkProviderService, "get"): lambda call: _item(call.the(call.state.providers)),
    (services.OpenstackNetworkProviderService, "remove"): _remove,
    (services.OpenstackNetworkProviderService, "test_connectivity"): _test,
    (services.OpenstackNetworksService, "list"): _networks,
}

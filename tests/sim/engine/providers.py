"""External network providers (OVN). Behind each either somebody listens, who was told of, or nobody."""

from dataclasses import dataclass, field
from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed
from sim.engine.messages import FaultError, NotToldError, conflict, invalid
from sim.engine.render import Item, Listing, ref, shown
from sim.engine.routes import API
from sim.engine.state import merged, named

_REQUIRED = ("name", "url", "type")
_SETTABLE = (
    *_REQUIRED,
    *("description", "requires_authentication", "external_plugin_type", "username", "password", "authentication_url"),
    *("auto_sync", "read_only", "unmanaged"),
)
_NO_ANSWER = "Failed to communicate with the external provider, see log for additional details."


@dataclass
class NetworkServer:
    """What listens behind a provider.

    Attributes:
        certificate: PEM of who signed its own; empty: the engine trusts it anyway.
        networks: Their names, by their ids.
    """

    username: str = "admin@internal"
    password: str = "secret"
    certificate: str = ""
    networks: dict[str, str] = field(default_factory=dict)


def _item(value: Any) -> Item:
    """A provider without its password, which the engine keeps for itself."""
    return Item(shown(value, password=None), f"{API}/openstacknetworkproviders/{value.id}")


def _list(call: Call) -> Listing:
    found = call.state.providers.values()
    return Listing("openstack_network_providers", [_item(value) for value in found])


def _add(call: Call) -> Created:
    body = call.body("openstack_network_provider", _SETTABLE)
    if missing := [name for name in _REQUIRED if getattr(body, name) is None]:
        raise NotToldError(f"a network provider without {', '.join(missing)}")
    _check(call, body, "add")
    made = types.OpenStackNetworkProvider(
        description="", requires_authentication=False, auto_sync=False, read_only=True, unmanaged=False
    )
    return Created(_item(call.state.insert(call.state.providers, merged(made, body))))


def _update(call: Call) -> Item:
    value = call.the(call.state.providers)
    body = call.body("openstack_network_provider", _SETTABLE)
    if body.name != value.name:
        _check(call, body, "edit")
    call.state.providers[value.id] = merged(value, body)
    return _item(call.state.providers[value.id])


def _check(call: Call, body: Any, verb: str) -> None:
    if body.type not in (None, types.OpenStackNetworkProviderType.EXTERNAL):
        raise NotToldError(f"a network provider of the type {body.type.value}")
    if body.name and named(call.state.providers, body.name):
        raise conflict(f"Cannot {verb} Provider. The Provider name is already in use.")


def _answering(call: Call, value: Any) -> NetworkServer | None:
    """Who listens, if the engine gets on with it; None: the engine calls all else a failure to communicate."""
    server: NetworkServer | None = call.state.network_servers.get(value.url)
    if server is None or (server.certificate and server.certificate not in call.state.trusted):
        return None
    wrong = (value.username, value.password) != (server.username, server.password)
    return None if value.requires_authentication and wrong else server


def _test(call: Call) -> Performed:
    call.body("action")
    if _answering(call, call.the(call.state.providers)) is None:
        raise invalid(_NO_ANSWER)
    return Performed()


def _networks(call: Call) -> Listing:
    value = call.parent(call.state.providers, "Provider")
    if value.url not in call.state.network_servers:
        raise FaultError(400, "engineexception: (failed with error connection refused and code 5050)")
    server = _answering(call, value)
    if server is None:
        raise NotToldError("the networks of a provider that the engine does not get on with")
    place = f"openstacknetworkproviders/{value.id}"
    pointed = ref(types.OpenStackNetworkProvider, value.id)
    return Listing(
        "openstack_networks",
        [
            Item(
                types.OpenStackNetwork(id=key, name=name, openstack_network_provider=pointed),
                f"{API}/{place}/networks/{key}",
            )
            for key, name in server.networks.items()
        ],
    )


def _certificates(call: Call) -> Listing:
    """What the provider shows of itself, for a client to import."""
    value = call.parent(call.state.providers, "Provider")
    server: NetworkServer | None = call.state.network_servers.get(value.url)
    if server is None or not server.certificate:
        raise NotToldError("the certificates of a provider that shows none")
    href = f"{API}/openstacknetworkproviders/{value.id}/certificates/0"
    return Listing("certificates", [Item(types.Certificate(id="0", content=server.certificate), href)])


def _import(call: Call) -> Performed:
    call.the(call.state.providers)
    body = call.body("action", ("certificates",))
    given = [certificate.content for certificate in body.certificates or ()]
    if not given or not all(content and "BEGIN CERTIFICATE" in content for content in given):
        raise NotToldError("an import of what is no certificate")
    call.state.trusted |= set(given)
    return Performed()


def _remove(call: Call) -> Performed:
    value = call.the(call.state.providers)
    used = [
        call.state.clusters[key].name for key, provider in call.state.cluster_providers.items() if provider == value.id
    ]
    if used:
        raise conflict(f"Cannot remove Provider. The Provider is used by the following Clusters: {', '.join(used)}.")
    del call.state.providers[value.id]
    call.state.host_providers = {k: v for k, v in call.state.host_providers.items() if v != value.id}
    return Performed()


OPERATIONS: Operations = {
    (services.OpenstackNetworkProvidersService, "list"): _list,
    (services.OpenstackNetworkProvidersService, "add"): _add,
    (services.OpenstackNetworkProviderService, "get"): lambda call: _item(call.the(call.state.providers)),
    (services.OpenstackNetworkProviderService, "update"): _update,
    (services.OpenstackNetworkProviderService, "remove"): _remove,
    (services.OpenstackNetworkProviderService, "test_connectivity"): _test,
    (services.OpenstackNetworkProviderService, "import_certificates"): _import,
    (services.OpenstackNetworksService, "list"): _networks,
    (services.ExternalProviderCertificatesService, "list"): _certificates,
}

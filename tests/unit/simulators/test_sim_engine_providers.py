"""Network providers in the simulated engine: what the engine says of who listens there, and who uses them."""

from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.providers import NetworkServer
from unit.simulators.engine_hosts import hosts_up
from unit.simulators.engine_site import EngineSite

URL = "https://engine.example.test:9696"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
Provider = types.OpenStackNetworkProvider


def add(site: EngineSite, **changes: Any) -> Any:
    """A provider as engine-setup makes it."""
    values: dict[str, Any] = {
        "name": "ovirt-provider-ovn",
        "url": URL,
        "type": types.OpenStackNetworkProviderType.EXTERNAL,
        "external_plugin_type": "OVIRT_PROVIDER_OVN",
        "requires_authentication": True,
        "username": "admin@internal",
        "password": "secret",
        "authentication_url": "https://engine.example.test:35357/v2.0/",
        "auto_sync": True,
    }
    providers = site.connect().openstack_network_providers_service()
    return providers.provider_service(providers.add(Provider(**{**values, **changes})).id)


def listens(site: EngineSite, **values: Any) -> NetworkServer:
    server = site.server.engine.state.network_servers[URL] = NetworkServer(**values)
    return server


def test_a_provider_is_added_changed_and_removed_and_keeps_its_password_to_itself(told: EngineSite) -> None:
    provider = add(told)
    shown = provider.get()
    assert (shown.name, shown.auto_sync, shown.read_only, shown.unmanaged) == ("ovirt-provider-ovn", True, True, False)
    assert (shown.username, shown.password) == ("admin@internal", None)
    changed = provider.update(Provider(url="https://other.example.test:9696", read_only=False))
    assert (changed.url, changed.read_only, changed.auto_sync) == ("https://other.example.test:9696", False, True)
    provider.remove()
    assert told.connections[0].system_service().openstack_network_providers_service().list() == []


def test_a_name_that_is_taken_is_refused(told: EngineSite) -> None:
    add(told)
    with pytest.raises(ovirtsdk4.Error, match="already in use") as refused:
        add(told)
    assert refused.value.code == 409
    with pytest.raises(ovirtsdk4.Error, match="already in use"):
        add(told, name="second").update(Provider(name="ovirt-provider-ovn"))


@pytest.mark.parametrize(
    ("server", "given", "well"),
    [
        ({}, {}, True),
        ({}, {"password": "wrong"}, False),
        ({}, {"password": "wrong", "requires_authentication": False}, True),
        (None, {}, False),
        ({"certificate": CERTIFICATE}, {}, False),
    ],
)
def test_the_engine_tries_whether_it_gets_on_with_a_provider(
    told: EngineSite, server: dict[str, Any] | None, given: dict[str, Any], well: bool
) -> None:
    if server is not None:
        listens(told, **server)
    provider = add(told, **given)
    if well:
        provider.test_connectivity()
        return
    with pytest.raises(ovirtsdk4.Error, match="Failed to communicate with the external provider") as refused:
        provider.test_connectivity()
    assert refused.value.code == 400


def test_a_certificate_is_shown_imported_and_trusted(told: EngineSite) -> None:
    listens(told, certificate=CERTIFICATE, networks={"11": "guests"})
    provider = add(told)
    (shown,) = provider.certificates_service().list()
    provider.import_certificates(certificates=[types.Certificate(content=shown.content)])
    provider.test_connectivity()
    (network,) = provider.networks_service().list()
    assert (network.id, network.name) == ("11", "guests")


def cluster(site: EngineSite) -> Any:
    return site.connections[0].system_service().clusters_service().cluster_service(DEFAULT_CLUSTER)


def test_a_provider_that_a_cluster_uses_stays(told: EngineSite) -> None:
    provider = add(told)
    cluster(told).update(types.Cluster(external_network_providers=[types.ExternalProvider(name="ovirt-provider-ovn")]))
    (used,) = cluster(told).external_network_providers_service().list()
    assert used.id == provider.get().id
    cluster(told).update(types.Cluster(comment="another change"))
    with pytest.raises(ovirtsdk4.Error, match="used by the following Clusters: Default") as refused:
        provider.remove()
    assert refused.value.code == 409
    cluster(told).update(types.Cluster(external_network_providers=[]))
    assert cluster(told).external_network_providers_service().list() == []
    provider.remove()


def test_a_cluster_is_made_with_a_provider(told: EngineSite) -> None:
    provider = add(told)
    clusters = told.connections[0].system_service().clusters_service()
    given = [types.ExternalProvider(id=provider.get().id)]
    data_center = types.DataCenter(name="Default")
    made = clusters.add(types.Cluster(name="hc", data_center=data_center, external_network_providers=given))
    service = clusters.cluster_service(made.id)
    assert [used.id for used in service.external_network_providers_service().list()] == [provider.get().id]
    service.remove()
    provider.remove()


def test_a_host_has_the_provider_that_its_cluster_had_when_it_was_installed(told: EngineSite) -> None:
    provider = add(told)
    (host,) = hosts_up(told, "node1")
    configurations = host.external_network_provider_configurations_service()
    given = [types.ExternalProvider(id=provider.get().id)]
    cluster(told).update(types.Cluster(external_network_providers=given))
    assert configurations.list() == []
    host.deactivate()
    told.clock.go(minutes=1)
    host.install(activate=True)
    told.clock.go(minutes=6)
    (found,) = configurations.list()
    assert found.external_network_provider.id == provider.get().id
    assert configurations.configuration_service(found.id).get().host.id == host.get().id
    with pytest.raises(ovirtsdk4.NotFoundError):
        configurations.configuration_service("unknown").get()


def test_a_provider_that_is_not_known_is_not_used(site: EngineSite) -> None:
    clusters = site.connect().clusters_service()
    data_center = types.DataCenter(name="Default")
    given = [types.ExternalProvider(name="nobody")]
    with pytest.raises(ovirtsdk4.Error):
        clusters.add(types.Cluster(name="hc", data_center=data_center, external_network_providers=given))
    assert "unknown network provider" in site.server.engine.refused[0]
    assert site.names("clusters") == ["Default"]

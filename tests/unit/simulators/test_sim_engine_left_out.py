"""What the simulated engine leaves out of hosts, Gluster and providers: each is refused, as its README says."""

from collections.abc import Callable
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.gluster_world import TrueBrick, TrueVolume, gluster_changes
from unit.simulators.engine_hosts import agent, hosts_up
from unit.simulators.engine_site import EngineSite

PM = types.PowerManagement


def nic(host: Any) -> Any:
    return host.nics_service().nic_service(host.nics_service().list()[0].id)


def attachment(host: Any) -> Any:
    attachments = host.network_attachments_service()
    return attachments.attachment_service(attachments.list()[0].id)


Calls = dict[str, Callable[[Any], object]]

OF_HOSTS: Calls = {
    "networks of another host": lambda host: host.copy_host_networks(source_host=types.Host(id="any")),
    "unmanaged networks": lambda host: host.unmanaged_networks_service().list(),
    "an attachment alone": lambda host: host.network_attachments_service().add(types.NetworkAttachment()),
    "a changed attachment": lambda host: attachment(host).update(types.NetworkAttachment()),
    "a removed attachment": lambda host: attachment(host).remove(),
    "a label alone": lambda host: nic(host).network_labels_service().add(types.NetworkLabel(id="lan")),
    "a removed label": lambda host: nic(host).network_labels_service().label_service("lan").remove(),
    "virtual functions": lambda host: nic(host).update_virtual_functions_configuration(),
    "statistics of an interface": lambda host: nic(host).statistics_service().list(),
    "custom properties": lambda host: host.setup_networks(
        modified_network_attachments=[types.NetworkAttachment(properties=[])]
    ),
    "agents side by side": lambda host: host.fence_agents_service().add(agent(concurrent=True)),
    "an address of power management": lambda host: host.update(types.Host(power_management=PM(address="198.51.100.1"))),
    "another cluster": lambda host: host.update(types.Host(cluster=types.Cluster(name="other"))),
    "an image of an upgrade": lambda host: host.upgrade(image="node.iso"),
    "a removal by force": lambda host: host.remove(force=True),
    "agents with the host": lambda host: host.get(follow="fenceagents"),
    "hooks": lambda host: host.hooks_service().list(),
    "statistics": lambda host: host.statistics_service().list(),
}


@pytest.mark.parametrize("what", OF_HOSTS)
def test_of_a_host(site: EngineSite, what: str) -> None:
    (host,) = hosts_up(site, "node1")
    with pytest.raises(ovirtsdk4.Error, match="text/plain"):
        OF_HOSTS[what](host)
    assert len(site.server.engine.refused) == 1


OF_VOLUMES: Calls = {
    "start": lambda volume: volume.start(),
    "stop": lambda volume: volume.stop(),
    "removal": lambda volume: volume.remove(),
    "rebalancing": lambda volume: volume.rebalance(),
    "an option": lambda volume: volume.set_option(option=types.Option(name="nfs.disable", value="on")),
    "statistics": lambda volume: volume.statistics_service().list(),
    "removal of bricks": lambda volume: volume.gluster_bricks_service().remove(),
}


@pytest.mark.parametrize("what", OF_VOLUMES)
def test_of_gluster(site: EngineSite, what: str) -> None:
    with gluster_changes(site.server.engine.state, "Default") as gluster:
        gluster.volumes["data"] = TrueVolume([TrueBrick("node1", "/gluster_bricks/data")], id="data")
    cluster = site.connect().clusters_service().cluster_service(DEFAULT_CLUSTER)
    with pytest.raises(ovirtsdk4.Error, match="text/plain"):
        OF_VOLUMES[what](cluster.gluster_volumes_service().volume_service("data"))
    assert len(site.server.engine.refused) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"type": types.OpenStackNetworkProviderType.NEUTRON},
        {"url": None},
        {"tenant_name": "admin"},
        {"plugin_type": types.NetworkPluginType.OPEN_VSWITCH},
    ],
)
def test_of_providers(site: EngineSite, changes: dict[str, Any]) -> None:
    values = {"name": "ovn", "url": "https://ovn.test", "type": types.OpenStackNetworkProviderType.EXTERNAL, **changes}
    with pytest.raises(ovirtsdk4.Error, match="text/plain"):
        site.connect().openstack_network_providers_service().add(types.OpenStackNetworkProvider(**values))
    assert len(site.server.engine.refused) == 1

"""Networks of hosts in the simulated engine: interfaces, attachments, and changes of both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER
from sim.engine.host_life import Status
from sim.engine.host_net import NetworkCard, drift
from sim.engine.hosts import find_again, lose
from sim.engine.messages import HttpRequest
from unit.simulators.engine_hosts import hosts_up
from unit.simulators.engine_site import EngineSite

RECORDED = Path(__file__).parents[2] / "data/engine/4.3"
CARDS = {f"eth{n}": NetworkCard(f"52:54:00:00:00:{n:02x}", address=f"192.0.2.{11 + n}") for n in range(4)}
Nic, Attachment = types.HostNic, types.NetworkAttachment


@pytest.fixture
def host(told: EngineSite) -> Any:
    told.server.engine.state.ports["192.0.2.11"] = CARDS
    return hosts_up(told, "node1")[0]


def network(site: EngineSite, name: str, required: bool = False, **values: Any) -> str:
    """A network of the default cluster."""
    system = site.connect()
    data_center = types.DataCenter(id=DEFAULT_DATA_CENTER)
    made = system.networks_service().add(types.Network(name=name, data_center=data_center, **values))
    networks = system.clusters_service().cluster_service(DEFAULT_CLUSTER).networks_service()
    networks.add(types.Network(id=made.id, required=required))
    return str(made.id)


def attach(name: str, nic: str, **values: Any) -> Any:
    return Attachment(network=types.Network(name=name), host_nic=Nic(name=nic), **values)


def bond(name: str, *slaves: str, **options: str) -> Any:
    given = [types.Option(name=key, value=value) for key, value in options.items()]
    return Nic(name=name, bonding=types.Bonding(slaves=[Nic(name=slave) for slave in slaves], options=given))


def static(address: str) -> list[Any]:
    ip = types.Ip(address=address, netmask="255.255.255.0")
    return [types.IpAddressAssignment(assignment_method=types.BootProtocol.STATIC, ip=ip)]


def nics(host: Any) -> dict[str, Any]:
    return {nic.name: nic for nic in host.nics_service().list()}


def attachments(host: Any) -> dict[str, Any]:
    """By the names of their networks."""
    found = host.network_attachments_service().list()
    return {host._connection.follow_link(attached.network).name: attached for attached in found}


def paths(node: ET.Element, above: str = "") -> set[str]:
    at = f"{above}/{node.tag}"
    return {at} | {path for child in node for path in paths(child, at)}


@pytest.mark.parametrize(
    ("collection", "recording"), [("nics", "host-nics"), ("networkattachments", "host-networkattachments")]
)
def test_a_host_shows_what_hosts_of_a_real_engine_show(
    told: EngineSite, host: Any, collection: str, recording: str
) -> None:
    connection = told.connections[0]
    login = {"authorization": f"Bearer {connection.authenticate()}"}
    path = f"/ovirt-engine/api/hosts/{host.get().id}/{collection}"
    answer = told.server.engine.answer(HttpRequest("GET", path, headers=login))
    recorded = ET.fromstring((RECORDED / f"{recording}.xml").read_bytes())
    ours = ET.fromstring(answer.body)
    assert ours.tag == recorded.tag
    # Nobody told this engine of the router and of IPv6.
    unknown = {path for path in paths(recorded[0]) if "/ipv6/" in path or path.endswith(("/ipv6", "/gateway"))}
    assert paths(recorded[0]) - unknown <= paths(ours[0])
    assert paths(ours[0]) - paths(recorded[0]) <= {"/host_nic/speed"}


def test_a_new_host_has_the_management_network_on_its_first_card_once_it_is_installed(told: EngineSite) -> None:
    told.server.engine.state.reachable.add("192.0.2.11")
    hosts = told.connect().hosts_service()
    ssh = types.Ssh(authentication_method=types.SshAuthenticationMethod.PUBLICKEY)
    made = hosts.add(types.Host(name="node1", address="192.0.2.11", cluster=types.Cluster(id=DEFAULT_CLUSTER), ssh=ssh))
    host = hosts.host_service(made.id)
    assert (host.nics_service().list(), host.network_attachments_service().list()) == ([], [])
    told.clock.go(minutes=6)
    assert sorted(nics(host)) == ["eth0", "eth1"]
    (attached,) = host.network_attachments_service().list()
    assert attached.in_sync is True
    first, second = nics(host)["eth0"], nics(host)["eth1"]
    assert (attached.host_nic.id, first.ip.address) == (first.id, "192.0.2.11")
    assert (second.network, second.ip) == (None, None)


def test_a_bond_a_network_with_a_vlan_and_an_address_are_made_in_one_change(told: EngineSite, host: Any) -> None:
    network(told, "gluster", mtu=9000, usages=[], vlan=types.Vlan(id=11))
    host.setup_networks(
        modified_bonds=[bond("bond1", "eth2", "eth3", mode="1", miimon="100")],
        modified_network_attachments=[attach("gluster", "bond1", ip_address_assignments=static("198.51.100.11"))],
        check_connectivity=True,
        commit_on_success=True,
    )
    found = nics(host)
    assert sorted(found) == ["bond1", "bond1.11", "eth0", "eth1", "eth2", "eth3"]
    made = found["bond1"].bonding
    assert [option.value for option in made.options] == ["1", "100"]
    assert {slave.id for slave in made.slaves} == {found["eth2"].id, found["eth3"].id}
    device = found["bond1.11"]
    assert (device.base_interface, device.vlan.id, device.mtu, device.bridged) == ("bond1", 11, 9000, False)
    assert (device.ip.address, device.boot_protocol) == ("198.51.100.11", types.BootProtocol.STATIC)
    attached = attachments(host)["gluster"]
    assert attached.host_nic.id == found["bond1"].id
    assert [given.ip.address for given in attached.ip_address_assignments] == ["198.51.100.11"]
    reported = {one.name: (one.actual_value, one.expected_value) for one in attached.reported_configurations}
    assert reported["vlan"] == ("11", "11")
    assert reported["ipv4_address"] == ("198.51.100.11", "198.51.100.11")
    below = host.nics_service().nic_service(found["bond1"].id).network_attachments_service().list()
    assert [found.id for found in below] == [attached.id]


def test_a_network_is_moved_taken_off_and_its_bond_removed(told: EngineSite, host: Any) -> None:
    network(told, "lan")
    host.setup_networks(
        modified_bonds=[bond("bond1", "eth2", "eth3")], modified_network_attachments=[attach("lan", "bond1")]
    )
    assert [option.value for option in nics(host)["bond1"].bonding.options] == ["4", "100"]
    attached = attachments(host)["lan"]
    host.setup_networks(
        modified_network_attachments=[Attachment(id=attached.id, host_nic=Nic(name="eth1"))],
        removed_bonds=[Nic(id=nics(host)["bond1"].id)],
    )
    assert attachments(host)["lan"].host_nic.id == nics(host)["eth1"].id
    assert "bond1" not in nics(host)
    host.setup_networks(removed_network_attachments=[Attachment(id=attached.id)])
    assert set(attachments(host)) == {"ovirtmgmt"}


def test_a_label_brings_its_networks_and_takes_them_along(told: EngineSite, host: Any) -> None:
    key = network(told, "lan", vlan=types.Vlan(id=7))
    told.connect().networks_service().network_service(key).network_labels_service().add(types.NetworkLabel(id="guests"))
    host.setup_networks(modified_labels=[types.NetworkLabel(id="guests", host_nic=Nic(name="eth1"))])
    attached = attachments(host)["lan"]
    assert attached.host_nic.id == nics(host)["eth1"].id
    labels = host.nics_service().nic_service(attached.host_nic.id).network_labels_service()
    assert [label.id for label in labels.list()] == ["guests"]
    with pytest.raises(ovirtsdk4.Error, match="attached by a label"):
        host.setup_networks(removed_network_attachments=[Attachment(id=attached.id)])
    host.setup_networks(removed_labels=[types.NetworkLabel(id="guests")])
    assert set(attachments(host)) == {"ovirtmgmt"}


def removal_of_management(host: Any) -> dict[str, Any]:
    return {"removed_network_attachments": [Attachment(id=attachments(host)["ovirtmgmt"].id)]}


def removal_of_a_bond_in_use(host: Any) -> dict[str, Any]:
    host.setup_networks(
        modified_bonds=[bond("bond9", "eth2", "eth3")], modified_network_attachments=[attach("lan", "bond9")]
    )
    return {"removed_bonds": [Nic(name="bond9")]}


def slave_of_two_bonds(host: Any) -> dict[str, Any]:
    host.setup_networks(modified_bonds=[bond("bond9", "eth2", "eth3")])
    return {"modified_bonds": [bond("bond1", "eth1", "eth2")]}


def told_at_once(**change: Any) -> Callable[[Any], dict[str, Any]]:
    return lambda host: change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (removal_of_management, r"Management Network \('ovirtmgmt'\) is mandatory"),
        (removal_of_a_bond_in_use, "still in use"),
        (slave_of_two_bonds, "already in another bond"),
        (told_at_once(modified_bonds=[bond("bond1", "eth1")]), "less than two"),
        (told_at_once(modified_bonds=[bond("bond1", "eth1", "eth1")]), "less than two"),
        (told_at_once(modified_bonds=[bond("bond1", "eth0", "eth1")]), "'eth0' cannot become slave"),
        (told_at_once(modified_bonds=[bond("bond1", "eth1", "eth9")]), "'eth9' cannot be slave"),
        (told_at_once(modified_bonds=[bond("team1", "eth1", "eth2")]), "formatted incorrectly"),
        (told_at_once(removed_bonds=[Nic(name="bond7")]), "do not exist"),
        (told_at_once(modified_network_attachments=[attach("nowhere", "eth1")]), "do not exist in the Host's Cluster"),
        (told_at_once(modified_network_attachments=[attach("elsewhere", "eth1")]), "do not exist in the Host's"),
        (told_at_once(modified_network_attachments=[attach("lan", "eth9")]), "'eth9' does not exist"),
        (told_at_once(modified_network_attachments=[attach("lan", "eth0")]), "At most one VLAN-untagged"),
        (
            told_at_once(modified_network_attachments=[attach("lan", "eth1"), attach("lan", "eth2")]),
            "more than one interface",
        ),
        (
            told_at_once(
                modified_bonds=[bond("bond1", "eth1", "eth2")], modified_network_attachments=[attach("lan", "eth1")]
            ),
            "cannot become slave",
        ),
        (told_at_once(removed_network_attachments=[Attachment(id="unknown")]), "does not exist"),
        (told_at_once(removed_labels=[types.NetworkLabel(id="nothing")]), "does not exist"),
        (
            told_at_once(
                modified_network_attachments=[
                    attach(
                        "lan",
                        "eth1",
                        ip_address_assignments=[
                            types.IpAddressAssignment(assignment_method=types.BootProtocol.STATIC, ip=types.Ip())
                        ],
                    )
                ]
            ),
            "needs an address",
        ),
    ],
)
def test_a_change_that_cannot_be_is_refused_as_a_whole(
    told: EngineSite, host: Any, change: Callable[[Any], dict[str, Any]], text: str
) -> None:
    network(told, "lan")
    data_center = types.DataCenter(id=DEFAULT_DATA_CENTER)
    told.connect().networks_service().add(types.Network(name="elsewhere", data_center=data_center))
    given = change(host)
    before = told.server.engine.state.nets[host.get().id].now
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        host.setup_networks(**given)
    assert refused.value.code == 400
    assert told.server.engine.state.nets[host.get().id].now == before


@pytest.mark.parametrize("call", ["setup_networks", "sync_all_networks", "commit_net_config"])
def test_the_state_of_a_host_forbids_changes_of_its_networks(told: EngineSite, host: Any, call: str) -> None:
    host.deactivate()
    told.clock.go(seconds=1)
    with pytest.raises(ovirtsdk4.Error, match="preparing_for_maintenance") as refused:
        getattr(host, call)()
    assert refused.value.code == 409
    told.clock.go(minutes=1)
    getattr(host, call)()


def test_what_a_change_does_not_read_is_refused(site: EngineSite) -> None:
    (host,) = hosts_up(site, "node1")
    with pytest.raises(ovirtsdk4.Error):
        host.setup_networks(modified_bonds=[Nic(name="bond1", mtu=9000)])
    assert "mtu in a change of networks" in site.server.engine.refused[0]


def reboot(site: EngineSite, host: Any) -> None:
    site.server.engine.state.lives[host.get().id].boot(site.clock(), maintenance=False)
    site.clock.go(minutes=5)


@pytest.mark.parametrize("saved", ["not", "with the change", "afterwards"])
def test_a_change_that_was_not_saved_is_lost_at_the_next_boot(told: EngineSite, host: Any, saved: str) -> None:
    network(told, "lan")
    host.setup_networks(
        modified_network_attachments=[attach("lan", "eth1")], commit_on_success=saved == "with the change"
    )
    if saved == "afterwards":
        host.commit_net_config()
    assert set(attachments(host)) == {"ovirtmgmt", "lan"}
    reboot(told, host)
    assert ("lan" in attachments(host)) == (saved != "not")


def test_a_change_that_cuts_the_host_off_is_taken_back_where_that_is_wanted(told: EngineSite, host: Any) -> None:
    network(told, "lan")
    told.server.engine.state.nets[host.get().id].cuts = True
    with pytest.raises(ovirtsdk4.Error, match="rolled back") as refused:
        host.setup_networks(modified_network_attachments=[attach("lan", "eth1")], check_connectivity=True)
    assert refused.value.code == 400
    assert set(attachments(host)) == {"ovirtmgmt"}
    assert host.get().status is Status.UP


def test_a_change_that_cuts_the_host_off_loses_it_until_it_boots_otherwise(told: EngineSite, host: Any) -> None:
    network(told, "lan")
    told.server.engine.state.nets[host.get().id].cuts = True
    host.setup_networks(modified_network_attachments=[attach("lan", "eth1")], commit_on_success=True)
    told.clock.go(minutes=2)
    assert host.get().status is Status.NON_RESPONSIVE
    reboot(told, host)
    assert host.get().status is Status.UP
    assert set(attachments(host)) == {"ovirtmgmt"}


def test_a_drift_is_told_forbids_a_change_and_is_synchronised(told: EngineSite, host: Any) -> None:
    drift(told.server.engine.state, "node1", "ovirtmgmt", mtu="9000")
    attached = attachments(host)["ovirtmgmt"]
    assert attached.in_sync is False
    (wrong,) = [one for one in attached.reported_configurations if not one.in_sync]
    assert (wrong.name, wrong.actual_value, wrong.expected_value) == ("mtu", "9000", "1500")
    assert nics(host)["eth0"].custom_configuration is True
    moved = Attachment(id=attached.id, host_nic=Nic(name="eth1"))
    with pytest.raises(ovirtsdk4.Error, match="must be synchronized first: ovirtmgmt") as refused:
        host.setup_networks(modified_network_attachments=[moved])
    assert refused.value.code == 409
    host.setup_networks(
        modified_network_attachments=[moved], synchronized_network_attachments=[Attachment(id=attached.id)]
    )
    assert attachments(host)["ovirtmgmt"].in_sync is True
    drift(told.server.engine.state, "node1", "ovirtmgmt", bridged="false")
    assert attachments(host)["ovirtmgmt"].in_sync is False
    host.sync_all_networks()
    assert attachments(host)["ovirtmgmt"].in_sync is True


def test_a_changed_network_reaches_hosts_that_can_be_configured_and_no_others(told: EngineSite, host: Any) -> None:
    key = network(told, "lan")
    host.setup_networks(modified_network_attachments=[attach("lan", "eth1")])
    service = told.connect().networks_service().network_service(key)
    service.update(types.Network(mtu=9000))
    assert attachments(host)["lan"].in_sync is True
    assert nics(host)["eth1"].mtu == 9000
    told.server.engine.state.lives[host.get().id].power_off(told.clock())
    service.update(types.Network(mtu=4000))
    assert attachments(host)["lan"].in_sync is False


def test_a_network_that_left_the_cluster_left_its_hosts(told: EngineSite, host: Any) -> None:
    key = network(told, "lan")
    host.setup_networks(modified_network_attachments=[attach("lan", "eth1")])
    networks = told.connect().clusters_service().cluster_service(DEFAULT_CLUSTER).networks_service()
    networks.network_service(key).remove()
    assert set(attachments(host)) == {"ovirtmgmt"}


def test_a_host_that_lacks_a_required_network_is_not_operational_and_recovers(told: EngineSite, host: Any) -> None:
    network(told, "gluster", required=True)
    assert host.get().status is Status.UP
    told.clock.go(seconds=3)
    assert (host.get().status, host.get().status_detail) == (Status.NON_OPERATIONAL, "network_unreachable")
    host.setup_networks(modified_network_attachments=[attach("gluster", "eth1")])
    told.clock.go(seconds=299)
    assert host.get().status is Status.NON_OPERATIONAL
    told.clock.go(seconds=1)
    assert host.get().status is Status.INITIALIZING
    told.clock.go(seconds=6)
    assert (host.get().status, host.get().status_detail) == (Status.UP, None)


@pytest.mark.parametrize(
    ("required", "works", "status"),
    [
        (True, True, types.NetworkStatus.NON_OPERATIONAL),
        (True, False, types.NetworkStatus.OPERATIONAL),
        (False, True, types.NetworkStatus.OPERATIONAL),
    ],
)
def test_a_required_network_that_a_working_host_lacks_is_not_operational_in_its_cluster(
    told: EngineSite, host: Any, required: bool, works: bool, status: Any
) -> None:
    if not works:
        host.deactivate()
        told.clock.go(minutes=1)
    key = network(told, "gluster", required=required)
    networks = told.connect().clusters_service().cluster_service(DEFAULT_CLUSTER).networks_service()
    assert networks.network_service(key).get().status is status
    host.setup_networks(modified_network_attachments=[attach("gluster", "eth1")])
    assert networks.network_service(key).get().status is types.NetworkStatus.OPERATIONAL


def test_a_required_network_on_a_card_without_a_cable_is_told(told: EngineSite, host: Any) -> None:
    network(told, "gluster", required=True)
    host.setup_networks(modified_network_attachments=[attach("gluster", "eth1")])
    told.clock.go(seconds=10)
    assert host.get().status is Status.UP
    told.server.engine.state.nets[host.get().id].ports["eth1"].carrier = False
    assert nics(host)["eth1"].status is types.NicStatus.DOWN
    told.clock.go(seconds=3)
    assert (host.get().status, host.get().status_detail) == (Status.NON_OPERATIONAL, "network_interface_is_down")


def test_a_host_that_is_activated_without_a_required_network_is_not_operational_again(
    told: EngineSite, host: Any
) -> None:
    network(told, "gluster", required=True)
    told.clock.go(seconds=3)
    host.activate()
    told.clock.go(seconds=9)
    assert host.get().status is Status.UP
    told.clock.go(seconds=3)
    assert host.get().status is Status.NON_OPERATIONAL
    host.deactivate()
    assert host.get().status is Status.PREPARING_FOR_MAINTENANCE
    told.clock.go(seconds=10)
    assert host.get().status is Status.MAINTENANCE


def test_a_host_that_is_not_operational_is_missed_as_one_that_is_up(told: EngineSite, host: Any) -> None:
    network(told, "gluster", required=True)
    told.clock.go(seconds=3)
    lose(told.server.engine.state, "node1")
    told.clock.go(minutes=2)
    assert host.get().status is Status.NON_RESPONSIVE
    find_again(told.server.engine.state, "node1")
    told.clock.go(minutes=1)
    assert (host.get().status, host.get().status_detail) == (Status.NON_OPERATIONAL, "network_unreachable")


def test_interfaces_and_networks_of_all_hosts_are_told_in_one_answer(told: EngineSite, host: Any) -> None:
    (found,) = told.connect().hosts_service().list(follow="nics,networkattachments")
    assert [nic.name for nic in found.nics] == list(CARDS)
    (attached,) = found.network_attachments
    assert attached.in_sync is True

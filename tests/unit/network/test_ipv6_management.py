"""A management network of IPv6 alone: SSH reaches nodes by a name, and they have no other address in it."""

from typing import Any

import pytest

from heretic.api.v1alpha1 import Network, Node
from heretic.domain.conditions import ConditionType, State
from heretic.domain.declared.names import address_in, interfaces_in
from heretic.domain.declared.validate import faults
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import BodyElement
from heretic.domain.engine.host_networks import static
from heretic.domain.errors import Reason
from heretic.domain.network.report import report_network
from heretic.domain.wiring.wanted import LinkGroup, link_groups, neighbours
from heretic.kinds import KINDS
from sim.declared import network, node, view
from unit.wiring.link_hosts import leads, port

OWN = "fd00:20:10::11"
MANAGEMENT: dict[str, Any] = {
    "name": "mgmt",
    "role": "Management",
    "subnet": "fd00:20:10::/64",
    "gateway": "fd00:20:10::1",
    "probeAddress": "fd00:20:10::200",
    "nameServers": ["fd00:20:10::5"],
}


def host(number: int = 11, address: str = "", **more: Any) -> Node:
    name = f"n{number - 10}"
    own = {"network": "mgmt", "address": address or f"fd00:20:10::{number}"}
    return node(name, number, **({"address": f"{name}.mgmt.private", "addresses": [own]} | more))


def site(*nodes: Node) -> SiteView:
    return view(list(nodes), networks=[network(**MANAGEMENT)])


def test_it_is_taken_by_the_rules_of_the_api() -> None:
    spec = {key: value for key, value in MANAGEMENT.items() if key != "name"}
    parsed = KINDS.parse("Network", {"metadata": {"name": "mgmt", "namespace": "home"}, "spec": spec})
    assert isinstance(parsed, Network)
    assert parsed.spec.subnet == "fd00:20:10::/64"
    own = {"address": "n1.mgmt.private", "addresses": [{"network": "mgmt", "address": OWN}]}
    manifest = {"metadata": {"name": "n1", "namespace": "home"}, "spec": own}
    made = KINDS.parse("Node", manifest)
    assert isinstance(made, Node)
    assert made.spec.addresses[0].address == OWN


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        pytest.param((host(11), host(12), host(13)), None, id="sound"),
        pytest.param((host(11), host(12, "fd00:20:11::12")), Reason.ADDRESS_OUTSIDE_NETWORK, id="outside"),
        pytest.param((host(11), host(12, "172.20.10.12")), Reason.ADDRESS_OUTSIDE_NETWORK, id="of the other family"),
        pytest.param((host(11), host(12, OWN)), Reason.DUPLICATE_ADDRESS, id="twice"),
        pytest.param((host(11), host(12, "fd00:20:10::1")), Reason.DUPLICATE_ADDRESS, id="the router's"),
    ],
)
def test_its_addresses_are_held_against_each_other(nodes: tuple[Node, ...], reason: Reason | None) -> None:
    assert [fault.reason for fault in faults(site(*nodes))] == ([reason] if reason else [])


def test_it_is_the_nodes_address_on_its_link() -> None:
    of = host()
    assert address_in(network(**MANAGEMENT), of) == OWN
    assert interfaces_in(network(**MANAGEMENT), of) == (f"{OWN}/64",)


def test_its_link_has_that_address_its_router_and_no_ipv4() -> None:
    of, ports = host(), (port(1, "fe80::1/64"), port(2, "fe80::2/64"))
    (group,) = link_groups(of, site(of), ports, tuple(leads(one, "mgmt") for one in ports))
    assert isinstance(group, LinkGroup)
    assert (group.carries_management, group.routers, group.free) == (True, ("fd00:20:10::1",), True)
    bond = next(profile for profile in group.profiles if profile.link == "bond0")
    ipv4, ipv6 = bond.text.split("[ipv4]")[1].split("[ipv6]")
    assert "method=disabled" in ipv4
    assert f"{OWN}/64" in ipv6
    assert "gateway=fd00:20:10::1" in ipv6
    assert "dns=fd00:20:10::5" in ipv6


@pytest.mark.parametrize(
    ("addresses", "state"),
    [
        pytest.param([f"{OWN}/64", "fe80::1/64"], State.TRUE, id="there"),
        pytest.param(["fd00:20:10::110/64"], State.FALSE, id="one that begins alike"),
        pytest.param(["fe80::1/64"], State.FALSE, id="only what every link gives itself"),
    ],
)
def test_a_node_is_attached_where_its_port_has_the_address(addresses: list[str], state: State) -> None:
    seen = {"name": "eno1", "mtu": 1500, "carrier": True, "addresses": addresses}
    report = report_network(network(**MANAGEMENT), site(host(interfaces=[seen])))
    assert next(c for c in report.conditions if c.type is ConditionType.IN_SYNC).state is state


def test_router_probe_address_and_other_nodes_are_asked_by_their_addresses() -> None:
    of = host()
    asked = neighbours(of, site(of, host(12)), ("mgmt",))
    assert asked == ("fd00:20:10::1", "fd00:20:10::200", "fd00:20:10::12")


def test_the_engine_is_given_it_with_its_prefix_length() -> None:
    given = static(f"{OWN}/64")
    assert isinstance(given.content, tuple)
    assert given.content[1] == BodyElement(
        "ip", (BodyElement("address", OWN), BodyElement("netmask", "64"), BodyElement("version", "v6"))
    )

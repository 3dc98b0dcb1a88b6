"""An address that is there is found whatever kind of interface it is on."""

from typing import Any

import pytest

from heretic.api.v1alpha1.node import NodeStatus
from heretic.api.v1alpha1.node_interfaces import NodeInterface
from heretic.domain.commands import Output
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.interfaces import Interface
from heretic.domain.host.parse.ip import parse_interfaces
from heretic.domain.network.report import plan_network
from heretic.domain.node.report import report_node
from heretic.domain.plan import Blocked, Converged
from heretic.kinds import KINDS
from sim.declared import network, node, view

GLUSTER = network("gluster", "Gluster", "192.0.2.0/24", mtu=1500)
SPEC: dict[str, Any] = {"addresses": [{"network": "gluster", "address": "192.0.2.11"}]}
TAPS = tuple(Interface(f"vnet{i}", "", "tun", True, 1500, addresses=("fe80::1/64",)) for i in range(200))
BRIDGES = tuple(Interface(f"br{i}", "", "bridge", True, 1500) for i in range(100))
STRANGE = tuple(Interface(f"wg{i}", "", "wireguard", True, 1420, addresses=(f"10.9.{i}.1/24",)) for i in range(100))


def shown(*interfaces: Interface) -> list[NodeInterface]:
    of = node("n1", 11, **SPEC)
    facts = HostFacts("n1", interfaces=Known(interfaces))
    status = report_node(of, view([of], networks=[GLUSTER]), facts, KINDS.features).status
    assert isinstance(status, NodeStatus)
    return status.interfaces


def plan(found: list[NodeInterface]) -> Converged | Blocked:
    listed = [i.model_dump(by_alias=True, exclude_none=True) for i in found]
    said = plan_network(GLUSTER, view([node("n1", 11, interfaces=listed, **SPEC)], networks=[GLUSTER]))
    assert isinstance(said, Converged | Blocked)
    return said


LINKS = [
    "ether",
    "bond",
    "vlan",
    "bridge",
    "team",
    "ipoib",
    "infiniband",
    "openvswitch",
    "macvlan",
    "macvtap",
    "ipvlan",
    "dummy",
    "wireguard",
    "veth",
    "vxlan",
    "geneve",
    "vrf",
    "tun",
    "gre",
    "ipip",
    "sit",
    "macsec",
    "ifb",
    "bareudp",
    "hsr",
    "none",
    "what-nobody-thought-of",
]


@pytest.mark.parametrize("kind", LINKS)
def test_the_address_of_a_node_is_found_on_any_kind_of_interface(kind: str) -> None:
    port = Interface("port0", "", kind, True, 9000, addresses=("fe80::2/64", "192.0.2.11/24"))
    found = shown(*TAPS, port)
    assert [(i.name, i.mtu, i.network) for i in found] == [("port0", 9000, "gluster")]
    assert isinstance(plan(found), Converged)


@pytest.mark.parametrize("others", [TAPS, BRIDGES, STRANGE, TAPS + BRIDGES + STRANGE])
def test_what_has_a_declared_address_is_shown_before_all_others(others: tuple[Interface, ...]) -> None:
    storage = Interface("zz-storage", "", "macvlan", True, 1500, addresses=("192.0.2.11/24",))
    found = shown(*others, storage)
    assert "zz-storage" in [i.name for i in found]
    assert len(found) <= 64
    assert isinstance(plan(found), Converged)


def test_ports_come_before_what_is_virtual_and_keep_their_order() -> None:
    found = [i.name for i in shown(*STRANGE, *BRIDGES[:60])]
    assert found == [f"wg{i}" for i in range(4)] + [f"br{i}" for i in range(60)]


def test_a_declared_address_is_shown_before_the_many_others_of_its_interface() -> None:
    many = (*(f"2001:db8::{i:x}/64" for i in range(1, 40)), *(f"10.0.{i}.1/24" for i in range(40)), "192.0.2.11/24")
    (port,) = shown(Interface("port0", "", "ether", True, 1500, addresses=many))
    assert port.addresses[0] == "192.0.2.11/24"
    assert len(port.addresses) == 32


def test_without_an_address_guests_ports_are_left_out() -> None:
    assert [i.name for i in shown(*TAPS, Interface("eth0", "", "ether", None, 1500))] == ["eth0"]
    assert isinstance(plan(shown(*TAPS)), Blocked)


def test_the_address_of_a_host_that_speaks_a_routing_protocol_is_on_its_loopback() -> None:
    own = '{"local":"127.0.0.1","prefixlen":8},{"local":"::1","prefixlen":128}'
    entry = '{{"ifname":"lo","link_type":"loopback","flags":["UP","LOWER_UP"],"mtu":65536,"addr_info":[{}]}}'
    routed = entry.format(own + ',{"local":"192.0.2.11","prefixlen":32}')
    found = parse_interfaces(Output(0, f"[{routed}]", ""))
    assert isinstance(found, Known)
    (lo,) = found.value
    assert lo.addresses == ("192.0.2.11/32",)
    assert isinstance(plan(shown(lo)), Converged)
    assert parse_interfaces(Output(0, f"[{entry.format(own)}]", "")) == Known(())

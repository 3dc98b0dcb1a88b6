"""Whether bonds, VLANs and bridges that carry a network are as declared, held against what real links tell."""

from pathlib import Path
from typing import Any

import pytest

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.node import NodeStatus
from heretic.api.v1alpha1.node_interfaces import NodePort
from heretic.domain.commands import Output
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.interfaces import Bond, Interface
from heretic.domain.host.parse.ip import parse_interfaces
from heretic.domain.network.report import report_network
from heretic.domain.node.report import report_node
from heretic.kinds import KINDS
from sim.declared import network, node, view

CAPTURED = Path(__file__).parents[2] / "data" / "network" / "bonds.json"
"""Of Linux 7.2: ovirtmgmt on eno1; bond0 (active-backup) of eno2 and eno3, which has no link, and a VLAN on it; bond1
of eno4 and eno5, which LACP has joined."""


def links() -> tuple[Interface, ...]:
    found = parse_interfaces(Output(0, CAPTURED.read_text(), ""))
    assert isinstance(found, Known)
    return found.value


def seen(of: Network, address: str, **entry: Any) -> Node:
    """A node that has what was captured, as its status tells."""
    addresses = [{"network": of.metadata.name, "address": address} | entry]
    declared = node("n1", 11, addresses=addresses)
    facts = HostFacts("n1", interfaces=Known(links()))
    status = report_node(declared, view([declared], networks=[of]), facts, KINDS.features).status
    assert isinstance(status, NodeStatus)
    shown = [i.model_dump(by_alias=True, exclude_none=True) for i in status.interfaces]
    return node("n1", 11, interfaces=shown, addresses=addresses)


def condition(of: Network, node: Node, kind: ConditionType) -> Condition:
    report = report_network(of, view([node], networks=[of]))
    return next(c for c in report.conditions if c.type is kind)


def test_real_links_tell_how_they_lie_on_each_other() -> None:
    by_name = {link.name: link for link in links()}
    assert by_name["bond0"].bond == Bond("active-backup", 100, "layer2", "", active="eno2")
    assert by_name["bond1"].bond == Bond("802.3ad", 100, "layer2+3", "fast", partner="fa:a3:65:73:10:fe")
    vlan = by_name["bond0.12"]
    assert (vlan.kind, vlan.parent, vlan.vlan) == ("vlan", "bond0", 12)
    assert by_name["eno1"].master == "ovirtmgmt"
    assert [by_name[f"eno{i}"].mac for i in (2, 3)] == ["52:54:00:00:01:02", "52:54:00:00:01:03"]
    assert [by_name[f"eno{i}"].carrier for i in (2, 3)] == [True, False]
    assert "fd00:20:12::11/64" in vlan.addresses


STORAGE: dict[str, Any] = {"name": "gluster", "role": "Gluster", "subnet": "172.20.11.0/24"}
GUESTS: dict[str, Any] = {"name": "lan", "role": "LAN", "subnet": "172.20.12.0/24"}
IPV6 = {"subnet": "fd00:20:12::/64"}


@pytest.mark.parametrize(
    ("of", "entry", "says"),
    [
        pytest.param(STORAGE | {"bond": {}}, {}, "", id="active-backup is the default, and there"),
        pytest.param(STORAGE | {"bond": {"miimon": 100}}, {}, "", id="with its option"),
        pytest.param(STORAGE | {"bond": {"miimon": 50}}, {}, "option miimon 100, 50 is declared", id="another miimon"),
        pytest.param(
            STORAGE | {"bond": {"mode": "802.3ad"}}, {}, "bond0 of n1 has the bond option mode active", id="mode"
        ),
        pytest.param(GUESTS | {"vlan": 12}, {}, "", id="the VLAN is there"),
        pytest.param(GUESTS | {"vlan": 13}, {}, "bond0.12 of n1 has VLAN 12, VLAN 13 is declared", id="another VLAN"),
        pytest.param(STORAGE | {"vlan": 11}, {}, "bond0 of n1 has no VLAN", id="not tagged"),
        pytest.param(GUESTS | {"bond": {"mode": "balance-xor"}}, {}, "bond0", id="the bond below a VLAN counts"),
        pytest.param(GUESTS | {"ipv6": IPV6}, {"ipv6": "fd00:20:12::11"}, "", id="its IPv6 address is there"),
        pytest.param(
            GUESTS | {"ipv6": IPV6}, {"ipv6": "fd00:20:12::12"}, "has not the address fd00:20:12::12", id="it is not"
        ),
    ],
)
def test_what_carries_a_network_is_held_against_its_declaration(
    of: dict[str, Any], entry: dict[str, Any], says: str
) -> None:
    declared = network(**of)
    address = of["subnet"].replace("0/24", "11")
    found = condition(declared, seen(declared, address, **entry), ConditionType.IN_SYNC)
    assert found.state is (State.FALSE if says else State.TRUE), found.message
    assert says in found.message
    assert found.reason is (Reason.NETWORK_DIFFERS if says else Reason.AS_DECLARED)


def test_an_address_of_ipv6_alone_is_found_too() -> None:
    declared = network("lan", "LAN", "fd00:20:12::/64")
    found = condition(declared, seen(declared, "fd00:20:12::11"), ConditionType.IN_SYNC)
    assert found.state is State.TRUE, found.message


@pytest.mark.parametrize(
    ("of", "address", "state"),
    [
        pytest.param(STORAGE, "172.20.11.11", State.TRUE, id="on the bond"),
        pytest.param(GUESTS, "172.20.12.11", State.TRUE, id="on its VLAN"),
        pytest.param(
            {"name": "internal", "role": "Internal", "subnet": "172.20.10.0/24"},
            "172.20.10.11",
            State.FALSE,
            id="elsewhere",
        ),
    ],
)
def test_a_bond_that_lost_a_port_is_degraded_and_in_sync(of: dict[str, Any], address: str, state: State) -> None:
    declared = network(**of)
    attached = seen(declared, address)
    found = condition(declared, attached, ConditionType.DEGRADED)
    assert found.state is state
    assert (found.reason is Reason.BOND_PORT_DOWN) is (state is State.TRUE)
    assert ("no link on eno3 of n1" in found.message) is (state is State.TRUE)
    assert condition(declared, attached, ConditionType.IN_SYNC).state is State.TRUE


def test_a_bond_that_lost_a_card_is_degraded_too() -> None:
    declared = network(**STORAGE)
    attached = seen(declared, "172.20.11.11")
    gone = NodePort(mac="52:54:00:00:00:09", port="", networks=["gluster"], how="Carried")
    recorded = attached.model_copy(update={"status": attached.status.model_copy(update={"ports": [gone]})})
    found = condition(declared, recorded, ConditionType.DEGRADED)
    assert (found.state, "52:54:00:00:00:09" in found.message) == (State.TRUE, True)


def test_whether_a_bond_is_degraded_is_not_known_of_a_node_that_is_not_inspected() -> None:
    declared = network(**STORAGE)
    of = node("n1", 11, conditions=[], addresses=[{"network": "gluster", "address": "172.20.11.11"}])
    assert condition(declared, of, ConditionType.DEGRADED).state is State.UNKNOWN

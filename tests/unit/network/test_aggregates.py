"""A bond of 802.3ad that loses its switch later: every port has a link, and most carry nothing."""

import json

import pytest

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.node import NodeStatus
from heretic.api.v1alpha1.node_interfaces import NodePort
from heretic.domain.commands import Output
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.interfaces import Interface
from heretic.domain.host.parse.ip import parse_interfaces
from heretic.domain.network.report import report_network
from heretic.domain.node.report import report_node
from heretic.kinds import KINDS
from sim.declared import network, node, view
from unit.network.test_links import CAPTURED

OURS, NOBODY = "fa:a3:65:73:10:fe", "00:00:00:00:00:00"
ADDRESS = "172.20.13.11"
SWITCH = [NodePort(mac="52:54:00:00:01:05", port="eno5", networks=["lan"], how="Carried", switch="sw1 port 12")]

Ports = dict[str, tuple[int | None, int | None]]
"""By port: its aggregate, and its state in LACP. The states are those of hosts in the reports of the kernel's bugs:
63 and 61 work, 77 and 69 hear nobody, 7 waits for its partner, 15 is one whose partner does not let it send."""


def links(partner: str | None, active: int, ports: Ports, down: str = "") -> tuple[Interface, ...]:
    """What was captured of bond1, which has an address besides, with what the kernel tells of its aggregate instead."""
    rows = json.loads(CAPTURED.read_text())
    for row in rows:
        data = row.get("linkinfo", {})
        if row["ifname"] == "bond1":
            row["addr_info"].append({"family": "inet", "local": ADDRESS, "prefixlen": 24})
            if partner is None:
                del data["info_data"]["ad_info"]
            else:
                data["info_data"]["ad_info"] |= {"partner_mac": partner, "aggregator": active}
        if row["ifname"] in ports:
            own = data["info_slave_data"]
            told = dict(zip(("ad_aggregator_id", "ad_actor_oper_port_state"), ports[row["ifname"]], strict=True))
            for key, value in told.items():
                own[key] = value
                if value is None:
                    del own[key]
        if row["ifname"] == down:
            row["flags"] = ["NO-CARRIER", "BROADCAST", "MULTICAST", "SLAVE", "UP"]
    found = parse_interfaces(Output(0, json.dumps(rows), ""))
    assert isinstance(found, Known)
    return found.value


LAN = network("lan", "LAN", "172.20.13.0/24")
WORKS: Ports = {"eno4": (1, 63), "eno5": (1, 61)}
ALONE: Ports = {"eno4": (1, 69), "eno5": (2, 77)}


def told(seen: tuple[Interface, ...], of: Network = LAN) -> tuple[Condition, Condition]:
    """InSync and Degraded of a Network that lies on the bond."""
    addresses = [{"network": "lan", "address": ADDRESS}]
    declared = node("n1", 11, addresses=addresses)
    status = report_node(
        declared, view([declared], networks=[of]), HostFacts("n1", interfaces=Known(seen)), KINDS.features
    ).status
    assert isinstance(status, NodeStatus)
    shown = [i.model_dump(by_alias=True, exclude_none=True) for i in status.interfaces]
    stored: Node = node("n1", 11, interfaces=shown, addresses=addresses)
    stored = stored.model_copy(update={"status": stored.status.model_copy(update={"ports": SWITCH})})
    by_type = {c.type: c for c in report_network(of, view([stored], networks=[of])).conditions}
    return by_type[ConditionType.IN_SYNC], by_type[ConditionType.DEGRADED]


@pytest.mark.parametrize(
    ("seen", "aggregated"),
    [
        pytest.param(links(OURS, 1, WORKS), {"eno4": True, "eno5": True}, id="an aggregate of both"),
        pytest.param(links(NOBODY, 2, ALONE), {"eno4": False, "eno5": False}, id="nobody speaks LACP any more"),
        pytest.param(
            links(OURS, 1, {"eno4": (1, 63), "eno5": (2, 7)}), {"eno4": True, "eno5": False}, id="two aggregates"
        ),
        pytest.param(
            links(OURS, 1, {"eno4": (1, 63), "eno5": (1, 15)}),
            {"eno4": True, "eno5": False},
            id="in it, and may not send",
        ),
        pytest.param(links(OURS, 1, WORKS, down="eno5"), {"eno4": True, "eno5": None}, id="no link is told otherwise"),
        pytest.param(
            links(OURS, 1, {"eno4": (1, None), "eno5": (2, None)}), {"eno4": True, "eno5": False}, id="without states"
        ),
        pytest.param(
            links(OURS, 1, {"eno4": (1, 63), "eno5": (None, None)}), {"eno4": True, "eno5": None}, id="untold"
        ),
        pytest.param(links(None, 1, WORKS), {"eno4": None, "eno5": None}, id="no active aggregate"),
    ],
)
def test_what_the_kernel_tells_of_each_port(seen: tuple[Interface, ...], aggregated: dict[str, bool | None]) -> None:
    assert {link.name: link.aggregated for link in seen if link.name in aggregated} == aggregated
    assert {link.aggregated for link in seen if link.name not in aggregated} == {None}


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        pytest.param(
            links(NOBODY, 2, ALONE),
            "bond1 of n1 has no partner that speaks LACP, so one of its ports works and the others are idle: look at "
            "the LACP group of eno4, eno5 (sw1 port 12) on the switch",
            id="no partner",
        ),
        pytest.param(
            links(OURS, 1, {"eno4": (1, 63), "eno5": (2, 7)}),
            f"eno5 (sw1 port 12) of n1: no part of the aggregate of bond1 with {OURS}, though there is a link",
            id="a port in another aggregate",
        ),
    ],
)
def test_an_aggregate_that_is_not_whole_is_degraded_and_in_sync(seen: tuple[Interface, ...], says: str) -> None:
    in_sync, degraded = told(seen)
    assert (degraded.state, degraded.reason) == (State.TRUE, Reason.AGGREGATE_INCOMPLETE), degraded
    assert says in degraded.message
    assert in_sync.state is State.TRUE, in_sync


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(links(OURS, 1, WORKS), id="both ports work"),
        pytest.param(links(OURS, 1, {"eno4": (1, 63), "eno5": (None, None)}), id="one does not tell"),
    ],
)
def test_what_works_or_is_not_told_is_not_degraded(seen: tuple[Interface, ...]) -> None:
    assert told(seen)[1].state is State.FALSE


def test_a_lost_cable_and_a_lost_partner_are_told_together() -> None:
    _, degraded = told(links(NOBODY, 1, ALONE, down="eno5"))
    assert degraded.reason is Reason.BOND_PORT_DOWN
    assert "no link on eno5 of n1" in degraded.message
    assert "bond1 of n1 has no partner that speaks LACP" in degraded.message

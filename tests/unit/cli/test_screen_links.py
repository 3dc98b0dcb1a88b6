"""Networks and links on the screen of heretic status, from stored objects alone."""

from datetime import UTC, datetime
from typing import Any

import pytest

from heretic.cli import render, status
from heretic.cli.screen import Screen, compose
from heretic.cli.screen_links import MOST, LinkLine
from heretic.cli.status import picture

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def condition(type_: str, status: str) -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": "AsDeclared", "message": "", "observedGeneration": 1}


def link(name: str, kind: str = "ether", **more: Any) -> dict[str, Any]:
    carrier = {} if more.get("carrier", True) is None else {"carrier": True}
    return {"name": name, "kind": kind, "mtu": 9000, **carrier} | {k: v for k, v in more.items() if v is not None}


BOND = {"mode": "active-backup"}
LINKS = [
    link("eno1", speedMbps=1000, mtu=1500, addresses=["172.20.10.11/24"]),
    link("eno2", speedMbps=10000, master="bond0"),
    link("eno3", speedMbps=2500, master="bond0"),
    link("bond0", "bond", bond=BOND, addresses=["172.20.11.11/24"]),
    link("bond0.12", "vlan", parent="bond0", addresses=["172.20.12.11/24"]),
    link("eno4", carrier=False),
    link("eno5", carrier=None),
]
PORTS = [
    {"mac": "m2", "port": "eno2", "networks": ["gluster"], "how": "Carried", "switch": "sw1 port 3"},
    {"mac": "m4", "port": "eno4", "networks": [], "evidence": "nobody answered"},
]


def a_node(name: str = "node1", **changed: Any) -> tuple[str, dict[str, Any]]:
    seen = {"interfaces": LINKS, "ports": PORTS, "conditions": [condition("Ready", "True")]}
    return "Node", {"metadata": {"name": name, "generation": 1}, "spec": {}, "status": seen | changed}


def a_network(
    name: str, on: str = "", proved: str = "True", in_sync: bool | None = True, *, of: str = "node1", **spec: Any
) -> tuple[str, dict[str, Any]]:
    attached = {"node": of, "interface": on, "mtu": 9000 if on else 0, "inSync": in_sync}
    conditions = [condition("Ready", "True"), condition("MtuProved", proved)]
    seen = {
        "attachments": [{k: v for k, v in attached.items() if v not in (None, "")}],
        "conditions": conditions,
        "summary": "1/1 nodes attached",
    }
    declared = {"role": "Gluster", "subnet": "172.20.11.0/24", "mtu": 9000} | spec
    return "Network", {"metadata": {"name": name, "generation": 1}, "spec": declared, "status": seen}


def screen(*objects: tuple[str, dict[str, Any]]) -> Screen:
    return compose("demo", objects, NOW)


def line(found: Screen, network: str) -> LinkLine:
    return next(one for one in found.links if one.network == network)


@pytest.mark.parametrize(
    ("on", "shown", "ports"),
    [
        pytest.param("eno1", "eno1", "eno1 1G", id="a port"),
        pytest.param("bond0", "bond0 (active-backup)", "eno2 10G, eno3 2.5G", id="a bond"),
        pytest.param("bond0.12", "bond0.12 (active-backup)", "eno2 10G, eno3 2.5G", id="a VLAN on a bond"),
    ],
)
def test_what_carries_a_network_is_told_down_to_the_cables(on: str, shown: str, ports: str) -> None:
    found = line(screen(a_node(), a_network("gluster", on)), "gluster")
    assert (found.state, found.on, found.ports, found.mtu) == ("True", shown, ports, "9000")


def test_how_it_is_known_and_the_switch_are_told_where_nothing_is_wrong() -> None:
    assert line(screen(a_node(), a_network("gluster", "bond0")), "gluster").says == "sw1 port 3"


def test_spare_ports_are_told_with_what_they_lack() -> None:
    spare = {one.ports: (one.state, one.says) for one in screen(a_node()).links}
    assert spare == {"eno4 no link": ("-", "nobody answered"), "eno5 off": ("-", "")}


def test_a_port_that_leads_to_a_network_which_is_not_configured_is_told_with_it() -> None:
    records = [{"mac": "m4", "port": "eno4", "networks": ["lan"], "how": "Answered"}]
    found = screen(a_node(ports=records), a_network("lan", "", in_sync=False))
    assert (line(found, "lan").ports, line(found, "lan").says) == ("eno4 no link", "has not the declared address")
    assert "leads to lan, carries nothing" in [one.says for one in found.links]


SMALL = {"network": "gluster", "node": "node2", "address": "172.20.11.12", "mtu": 9000, "passed": 1500}
LACP = {"mode": "802.3ad", "partner": "fa:a3:65:73:10:fe"}
OUTSIDE = [
    one | {"bond": LACP} if one["name"] == "bond0" else one | {"aggregated": one["name"] != "eno3"} for one in LINKS
]
ALONE = [one | {"bond": {"mode": "802.3ad"}} if one["name"] == "bond0" else one for one in OUTSIDE]
CUT = [one | ({"carrier": False} if one["name"] == "eno3" else {}) for one in LINKS]


@pytest.mark.parametrize(
    ("node", "network", "state", "says"),
    [
        pytest.param(a_node(), a_network("gluster", "bond0", in_sync=False), "False", "not as declared", id="differs"),
        pytest.param(a_node(), a_network("gluster", "bond0", in_sync=None), "Unknown", "not known", id="unknown"),
        pytest.param(a_node(interfaces=CUT), a_network("gluster", "bond0"), "Degraded", "sw1 port 3", id="a cable"),
        pytest.param(
            a_node(interfaces=OUTSIDE), a_network("gluster", "bond0"), "Degraded", "aggregate: eno3", id="outside"
        ),
        pytest.param(
            a_node(interfaces=ALONE), a_network("gluster", "bond0"), "Degraded", "no LACP partner", id="no partner"
        ),
        pytest.param(
            a_node(paths=[SMALL]), a_network("gluster", "bond0"), "False", "reaches node2 with 1500 of 9000", id="MTU"
        ),
    ],
)
def test_what_is_wrong_with_a_link(node: Any, network: Any, state: str, says: str) -> None:
    found = line(screen(node, network), "gluster")
    assert found.state == state
    assert says in found.says


def test_what_is_wrong_comes_first_whatever_the_order_of_nodes() -> None:
    networks = (a_network("a", "eno1"), a_network("b", "bond0", in_sync=None), a_network("c", "", in_sync=False))
    assert [one.network for one in screen(a_node(), *networks).links] == ["c", "b", "a", "-", "-"]


@pytest.mark.parametrize(
    ("proved", "mtu"), [("True", "9000 proved"), ("False", "9000 not carried"), ("Unknown", "9000")]
)
def test_a_network_says_what_its_mtu_is_worth(proved: str, mtu: str) -> None:
    (found,) = screen(a_network("gluster", "bond0", proved, vlan=11)).networks
    assert (found.mtu, found.vlan, found.nodes) == (mtu, "11", "1/1")


def test_an_object_that_nobody_has_looked_at_says_nothing() -> None:
    bare = {"metadata": {"name": "gluster", "generation": 1}, "spec": {"role": "Gluster"}}
    found = screen(("Network", bare), ("Node", {"metadata": {"name": "node1"}, "spec": {}}))
    assert found.links == ()
    assert (found.networks[0].ready, found.networks[0].nodes, found.networks[0].mtu) == ("Pending", "-", "1500")


def test_a_large_site_shows_all_that_is_wrong_and_counts_the_rest() -> None:
    names = [f"node{number}" for number in range(MOST + 6)]
    many = [a_network(name, "", in_sync=False, of=name) for name in names] + [a_network("lan", "eno1")]
    console = render.console(no_color=True, width=render.SCREEN)
    shown = "\n".join(text.plain for text in picture(console, screen(*map(a_node, names), *many)))
    assert all(f"{name} " in shown for name in names)
    assert "more links without trouble; --output json shows all" in shown


def test_the_tables_fit_a_hundred_columns() -> None:
    console = render.console(no_color=True, width=render.SCREEN)
    objects = (a_node(), a_network("gluster", "bond0"), a_network("lan", "bond0.12", vlan=12))
    lines = [text.plain for text in status.picture(console, screen(*objects))]
    assert all(len(text) <= render.SCREEN for text in lines)
    assert any(text.split()[:4] == ["node1", "gluster", "True", "bond0"] for text in lines)

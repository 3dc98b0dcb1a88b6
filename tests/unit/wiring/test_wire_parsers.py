"""What the kernel and the program that asks ports tell: values of real ones, and Unknown for what is not understood."""

import json
from pathlib import Path
from typing import Any

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.wiring.facts import Asked, AskedPort, DefaultRoute, PortAnswer
from heretic.domain.wiring.parse.asked import parse_asked
from heretic.domain.wiring.parse.kernel import default_routes, parse_changes

DATA = Path(__file__).parents[2] / "data" / "network"
PORT: dict[str, Any] = {"mac": "a", "changes": 2, "answers": [], "taken": {}, "hears": [], "lldp": {}}


def read(name: str) -> Known[str]:
    return Known((DATA / name).read_text().strip())


def asked(**port: Any) -> Known[str]:
    return Known(f"key {json.dumps({'ports': {'eno1': PORT | port}})}")


def test_default_routes_of_a_real_host() -> None:
    assert default_routes(read("route"), read("ipv6_route")) == Known(
        (DefaultRoute("172.20.10.1", "ovirtmgmt", 0), DefaultRoute("fd00:20:12::1", "bond0.12", 1024))
    )


def test_a_host_without_ipv6_has_the_routes_of_ipv4() -> None:
    assert default_routes(read("route"), Absent()) == Known((DefaultRoute("172.20.10.1", "ovirtmgmt", 0),))


@pytest.mark.parametrize(
    ("ipv4", "ipv6"),
    [(Unknown("no"), Absent()), (Known("Iface\neth0 zz"), Absent()), (read("route"), Unknown("no"))],
)
def test_routes_that_cannot_be_read_are_unknown(ipv4: Any, ipv6: Any) -> None:
    assert isinstance(default_routes(ipv4, ipv6), Unknown)


def test_how_often_links_came_and_went() -> None:
    assert parse_changes(Output(0, "eno1 2\nbond0.12 0\n", "")) == Known({"eno1": 2, "bond0.12": 0})
    assert isinstance(parse_changes(Output(0, "eno1 x\n", "")), Unknown)


def test_ports_that_were_asked_in_a_real_network() -> None:
    """One machine has a port in each network, and answers for all of its addresses on each of them."""
    found = parse_asked(read("asked"))
    assert isinstance(found, Known)
    ports = found.value.ports
    proved = {name: {a.target for a in port.answers if a.echo} for name, port in ports.items()}
    assert proved == {"e1": set(), "e2": set(), "e3": {"172.20.11.1"}, "e4": set(), "e5": {"172.20.12.1", "fd00:12::1"}}
    assert {a.target for a in ports["e3"].answers} == {"172.20.10.1", "172.20.11.1", "172.20.12.1"}
    assert (ports["e1"].hears, ports["e4"].hears) == (frozenset({("e2", 0)}), frozenset({("e3", 0)}))


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        pytest.param({}, AskedPort("a", 2), id="no answer"),
        pytest.param({"error": "it is gone"}, AskedPort(error="it is gone"), id="not asked"),
        pytest.param(
            {"answers": [{"vlan": 12, "target": "x", "mac": "b", "echo": True, "mtu": 9000}]},
            AskedPort("a", 2, (PortAnswer(12, "x", "b", True, 9000),)),
            id="an answer",
        ),
        pytest.param(
            {"lldp": {"system": "sw1", "port": "12", "description": "up", "vlan": 7}},
            AskedPort("a", 2, switch="sw1 port 12 (up), VLAN 7"),
            id="a switch",
        ),
        pytest.param({"lldp": {"chassis": "c"}}, AskedPort("a", 2, switch="c port "), id="a switch of few words"),
    ],
)
def test_what_a_port_was_told(port: dict[str, Any], expected: AskedPort) -> None:
    assert parse_asked(asked(**port)) == Known(Asked("key", {"eno1": expected}))


def test_why_nothing_could_be_asked() -> None:
    assert parse_asked(Known('key {"error": "python3: not found"}')) == Known(Asked("key", error="python3: not found"))
    assert parse_asked(Absent()) == Absent()


@pytest.mark.parametrize(
    "text",
    ["", "key", "key []", 'key {"ports": []}', 'key {"ports": {"e": {}}}', "key {"],
)
def test_what_is_not_understood_is_unknown(text: str) -> None:
    assert isinstance(parse_asked(Known(text)), Unknown)


@pytest.mark.parametrize(
    "port", [{"changes": "x"}, {"hears": [["e1"]]}, {"hears": 1}, {"answers": [{}]}, {"taken": []}]
)
def test_a_port_that_is_not_understood_makes_all_unknown(port: dict[str, Any]) -> None:
    assert isinstance(parse_asked(asked(**port)), Unknown)

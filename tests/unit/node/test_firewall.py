"""Gluster's ports in firewalld: what counts is whether packets of the other nodes pass, however that is written."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heretic.domain.commands import Output
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.gluster.feature import GLUSTER
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.interfaces import Interface
from heretic.domain.host.parse.firewall import parse_zones
from heretic.domain.host.ports import common, ports_of, union, without
from heretic.domain.host.profiles import EL_9
from heretic.domain.host.rule import HostContext
from heretic.domain.host.steps import OpenFirewall
from heretic.domain.node import guards
from heretic.domain.plan import Blocked, PlanItem, Wait
from sim.declared import network, node, view

SERVICE, BRICKS = "glusterfs", "49152-60999/tcp"
CLOSED: set[tuple[str, str]] = {("public", SERVICE), ("public", BRICKS)}
OPEN: set[tuple[str, str]] = set()
PORTS = (
    Interface("ens3", "", "ether", True, 1500, addresses=("198.51.100.11/24",)),
    Interface("ens4", "", "ether", True, 9000, addresses=("192.0.2.11/24",)),
)


def zone(name: str = "public (default, active)", rich: Sequence[str] = (), **lists: str) -> str:
    """As firewalld 2 prints it, with a line that nobody needs."""
    values = {"target": "default", "interfaces": "ens3 ens4" if name.startswith("public") else ""} | lists
    lines = [f"  {key.replace('_', '-')}: {value}" for key, value in values.items()]
    return "\n".join([name, "  ingress-priority: 0", *lines, "  rich rules: ", *(f"\t{r}" for r in rich), ""])


def items(*zones: str, peers: Sequence[int] = (), default: str = "public") -> list[PlanItem]:
    nodes = [
        node(f"n{i}", i, addresses=[{"network": "gluster", "address": f"192.0.2.{i}"}]) for i in (11, *sorted(peers))
    ]
    site = view(nodes, networks=[network("gluster", "Gluster", "192.0.2.0/24")])
    seen = parse_zones(Output(0, "\n".join(zones), ""), Output(0, f"{default}\n", ""))
    assert isinstance(seen, Known), seen
    facts = HostFacts("n11", firewall=seen, interfaces=Known(PORTS))
    return list(guards.firewall(HostContext(nodes[0], site, facts, EL_9), GLUSTER))


def opened(found: list[PlanItem]) -> set[tuple[str, str]]:
    assert all(isinstance(item, OpenFirewall) for item in found), found
    return {(s.zone, what) for s in found if isinstance(s, OpenFirewall) for what in s.services + s.ports}


PEER = 'source address="192.0.2.12"'
NET = 'source address="192.0.2.0/24"'
LISTS: list[tuple[str, dict[str, str], set[tuple[str, str]]]] = [
    ("nothing is open", {"services": "ssh"}, CLOSED),
    ("the service alone", {"services": "ssh glusterfs"}, {("public", BRICKS)}),
    ("the service and a narrower range", {"services": SERVICE, "ports": "49152-49664/tcp"}, {("public", BRICKS)}),
    ("the service and a wider range", {"services": SERVICE, "ports": "49152-65535/tcp"}, OPEN),
    ("two ranges that touch", {"services": SERVICE, "ports": "49152-50000/tcp 50001-60999/tcp"}, OPEN),
    ("what the service opens counts", {"services": SERVICE, "ports": "49665-60999/tcp"}, OPEN),
    ("two ranges with a hole", {"services": SERVICE, "ports": "49152-50000/tcp 50002-60999/tcp"}, {("public", BRICKS)}),
    ("ports instead of the service", {"ports": "24007-24008/tcp 49152-60999/tcp"}, OPEN),
    ("single ports, glusterd's only", {"ports": "49152-60999/tcp 24007/tcp"}, OPEN),
    ("a list with commas", {"ports": "24007/tcp, 49152-60999/tcp"}, OPEN),
    ("everything", {"ports": "1-65535/tcp 1-65535/udp"}, OPEN),
    ("everything, port 0 too", {"ports": "0-65535/tcp"}, OPEN),
    ("everything of UDP alone", {"ports": "1-65535/udp"}, CLOSED),
    ("TCP as a protocol", {"protocols": "tcp"}, OPEN),
    ("another protocol", {"protocols": "sctp vrrp"}, CLOSED),
    ("any port at the other end", {"source_ports": "1-65535/tcp"}, OPEN),
    ("some ports at the other end", {"source_ports": "24007/tcp 49152-60999/tcp"}, CLOSED),
    ("the target accepts the rest", {"target": "ACCEPT"}, OPEN),
    ("the target drops the rest", {"target": "DROP"}, CLOSED),
    ("ICMP and masquerading are something else", {"icmp_block_inversion": "yes", "masquerade": "yes"}, CLOSED),
    ("forwarding is something else", {"forward": "yes", "forward_ports": "port=24007:proto=tcp:toport=1"}, CLOSED),
]


@pytest.mark.parametrize(("lists", "wanted"), [c[1:] for c in LISTS], ids=[c[0] for c in LISTS])
def test_lists_of_a_zone_are_read_as_sets_of_ports(lists: dict[str, str], wanted: set[tuple[str, str]]) -> None:
    assert opened(items(zone(**lists), peers=(12, 13))) == wanted
    assert opened(items(zone(**lists))) == wanted, "the same before there are other nodes"


RULES: list[tuple[str, list[str], set[tuple[str, str]]]] = [
    ("a network is accepted", [f'rule family="ipv4" {NET} accept'], OPEN),
    ("everybody is accepted", ["rule accept"], OPEN),
    ("one node only is accepted", [f'rule family="ipv4" {PEER} accept'], CLOSED),
    (
        "each node is accepted",
        [f'rule family="ipv4" {PEER} accept', 'rule family="ipv4" source address="192.0.2.13/32" accept'],
        OPEN,
    ),
    ("the service is accepted", [f'rule family="ipv4" {NET} service name="glusterfs" accept'], {("public", BRICKS)}),
    (
        "ports are accepted, and logged with a limit",
        [
            f'rule family="ipv4" {NET} port port="24007-24008" protocol="tcp" accept',
            f'rule family="ipv4" {NET} port port="49000-61000" protocol="tcp" log prefix="drop all: " level="info" '
            'limit value="3/m" accept',
        ],
        OPEN,
    ),
    ("TCP is accepted", [f'rule family="ipv4" {NET} protocol value="tcp" accept'], OPEN),
    ("UDP is accepted", [f'rule family="ipv4" {NET} port port="1-65535" protocol="udp" accept'], CLOSED),
    ("a limit is no promise", [f'rule family="ipv4" {NET} accept limit value="9/s"'], CLOSED),
    ("an address of another host", [f'rule family="ipv4" {NET} destination address="192.0.2.99" accept'], CLOSED),
    ("this host's address", [f'rule family="ipv4" {NET} destination address="192.0.2.11" accept'], OPEN),
    ("everybody but the nodes", [f'rule family="ipv4" source NOT {NET[7:]} accept'], CLOSED),
    ("everybody but a stranger", ['rule family="ipv4" source NOT address="203.0.113.0/24" accept'], OPEN),
    ("members of an ipset", ['rule source ipset="peers" accept'], CLOSED),
    ("a MAC address", ['rule source mac="02:00:00:00:00:01" accept'], CLOSED),
    ("IPv6", ['rule family="ipv6" accept'], CLOSED),
    ("a refusal of last resort lets lists pass", ['rule priority="32767" reject'], CLOSED),
    ("accepted before it is refused", [f'rule priority="-10" family="ipv4" {NET} accept', "rule drop"], OPEN),
    ("a stranger is refused", ['rule family="ipv4" source address="192.0.2.99" drop', "rule accept"], OPEN),
    ("a blocklist is refused", ['rule source ipset="blocklist" drop', "rule accept"], OPEN),
    ("only a log", [f'rule family="ipv4" {NET} log prefix="x" accept', "rule log audit"], OPEN),
    ("what nobody knows", ['rule hocus pocus="1" accept'], CLOSED),
]


@pytest.mark.parametrize(("rules", "wanted"), [c[1:] for c in RULES], ids=[c[0] for c in RULES])
def test_rich_rules_count_in_their_order(rules: list[str], wanted: set[tuple[str, str]]) -> None:
    assert opened(items(zone(rich=rules), peers=(12, 13))) == wanted


REFUSALS = [
    ("a network is dropped", f'rule family="ipv4" {NET} drop'),
    ("one node is rejected", f'rule family="ipv4" {PEER} reject type="icmp-port-unreachable"'),
    ("a port is dropped", 'rule port port="50000" protocol="tcp" drop'),
    ("all but strangers are dropped", 'rule family="ipv4" source NOT address="203.0.113.0/24" drop'),
    ("early", f'rule priority="-5" family="ipv4" {NET} service name="glusterfs" drop'),
]


@pytest.mark.parametrize("rule", [c[1] for c in REFUSALS], ids=[c[0] for c in REFUSALS])
@pytest.mark.parametrize("lists", [{}, {"services": SERVICE, "ports": BRICKS}, {"target": "ACCEPT"}])
def test_a_refusal_that_opening_does_not_mend_is_told_and_nothing_is_planned(rule: str, lists: dict[str, str]) -> None:
    (told,) = items(zone(rich=[rule], **lists), peers=(12, 13))
    assert isinstance(told, Blocked)
    assert told.reason is Reason.FIREWALL_REFUSES
    assert rule in told.message
    assert "zone public" in told.message


FINE = {"services": SERVICE, "ports": BRICKS}
ZONES: list[tuple[str, list[str], str, set[tuple[str, str]]]] = [
    ("a zone of the network wins", [zone(), zone("gluster (active)", sources="192.0.2.0/24", **FINE)], "public", OPEN),
    ("a larger network", [zone(), zone("gluster (active)", sources="192.0.0.0/16", target="ACCEPT")], "public", OPEN),
    ("with a netmask", [zone(), zone("gluster", sources="192.0.2.0/255.255.255.0", **FINE)], "public", OPEN),
    ("each node", [zone(), zone("gluster", sources="192.0.2.12 192.0.2.13", **FINE)], "public", OPEN),
    ("one node of two", [zone(), zone("gluster", sources="192.0.2.12", **FINE)], "public", CLOSED),
    (
        "the zone of the network is closed, that of the interface open",
        [zone(**FINE), zone("gluster", sources="192.0.2.0/24")],
        "public",
        {("gluster", SERVICE), ("gluster", BRICKS)},
    ),
    ("an ipset is not known", [zone(), zone("gluster", sources="ipset:nodes", **FINE)], "public", CLOSED),
    ("a MAC address is not known", [zone(), zone("x", sources="02:00:00:00:00:01", **FINE)], "public", CLOSED),
    ("another network", [zone(), zone("gluster", sources="203.0.113.0/24 fd00::/8", **FINE)], "public", CLOSED),
    ("by the interface", [zone(interfaces="ens3"), zone("gluster", interfaces="ens4", **FINE)], "public", OPEN),
    ("by the interface's pattern", [zone(interfaces="ens3"), zone("x", interfaces="ens4+", **FINE)], "public", OPEN),
    ("by default", [zone(interfaces="ens3"), zone("home", **FINE)], "home", OPEN),
]


@pytest.mark.parametrize(("zones", "default", "wanted"), [c[1:] for c in ZONES], ids=[c[0] for c in ZONES])
def test_the_zone_that_judges_the_packets_is_the_one_that_counts(
    zones: list[str], default: str, wanted: set[tuple[str, str]]
) -> None:
    assert opened(items(*zones, peers=(12, 13), default=default)) == wanted


def test_as_long_as_the_interface_is_not_known_no_zone_is_opened() -> None:
    of = node("n11", 11, addresses=[{"network": "gluster", "address": "192.0.2.11"}])
    site = view([of], networks=[network("gluster", "Gluster", "192.0.2.0/24")])
    zones = parse_zones(Output(0, zone(), ""), Output(0, "public\n", ""))
    for interfaces, words in ((Unknown("ip did not answer in time"), "did not answer"), (Known(PORTS[:1]), "on none")):
        facts = HostFacts("n11", firewall=zones, interfaces=interfaces)
        (told,) = guards.firewall(HostContext(of, site, facts, EL_9), GLUSTER)
        assert isinstance(told, Wait)
        assert words in told.message


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))), st.lists(st.tuples(st.integers(1, 40), st.just(5))))
def test_ranges_are_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    def members(parts: Sequence[tuple[int, int]]) -> set[int]:
        return {port for low, high in parts for port in range(max(low, 1), high + 1)}

    a, b = union(one), union(other)
    assert members(a) == members(one)
    assert members(without(a, b)) == members(one) - members(other)
    assert members(common(a, b)) == members(one) & members(other)


@given(
    st.lists(st.sampled_from(["24007/tcp", "49152-49664/tcp", "49665-60999/tcp", "49000-65535/tcp"]), max_size=3),
    st.lists(st.sampled_from(["ssh", "glusterfs"]), max_size=2),
    st.lists(st.sampled_from([rule for case in RULES for rule in case[1]] + [c[1] for c in REFUSALS]), max_size=4),
    st.sampled_from(["default", "DROP", "ACCEPT"]),
)
def test_what_is_planned_is_new_to_firewalld_and_is_enough(
    ports: list[str], services: list[str], rules: list[str], target: str
) -> None:
    def plan() -> list[PlanItem]:
        text = zone(rich=rules, target=target, ports=" ".join(ports), services=" ".join(services))
        return items(text, peers=(12, 13))

    for step in plan():
        if isinstance(step, Blocked):
            return
        assert isinstance(step, OpenFirewall)
        assert not set(step.services) & set(services)
        # firewalld calls a range enabled that lies in one of the listed ones
        assert not any(without(ports_of([p]), ports_of([listed])) == () for p in step.ports for listed in ports)
        ports, services = [*ports, *step.ports], [*services, *step.services]
    assert plan() == []


def test_what_is_no_port_is_left_out() -> None:
    assert ports_of(["ssh/tcp", "24007/tcp", "1-2/udp", "", "7-3/tcp"]) == ((24007, 24007),)

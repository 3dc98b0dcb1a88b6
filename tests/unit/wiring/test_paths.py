"""Packets of the declared size from node to node: what is asked, what it proves, and what a Network says of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from heretic.api.v1alpha1 import Network, Node
from heretic.domain.commands import Output
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.network.report import plan_network, report_network
from heretic.domain.plan import Blocked
from heretic.domain.wiring.facts import Wires
from heretic.domain.wiring.paths import PING, answers_of, carries, due_paths, proved
from sim.declared import network, node, view

CAPTURED = Path(__file__).parents[2] / "data" / "network" / "ping"
"""Between two network namespaces with a bridge in the middle; iputils 20221126 and 20240905."""
SUBNET, SUBNET6 = "172.20.11", "fd00:20:11:"


SEEN = Wires(changes=Known({}))


def gluster(**spec: Any) -> Network:
    return network("gluster", "Gluster", f"{SUBNET}.0/24", **({"mtu": 9000} | spec))


def host(number: int, mtu: int = 9000, **more: Any) -> Node:
    address = f"{SUBNET}.{10 + number}"
    link = {"name": "eno2", "mac": f"52:54:00:00:00:0{number}", "carrier": True, "mtu": mtu}
    return node(
        f"n{number}",
        10 + number,
        addresses=[{"network": "gluster", "address": address}],
        interfaces=[link | {"addresses": [f"{address}/24"]} | more],
    )


def told(of: Network, asker: Node, nodes: list[Node], sizes: dict[str, int]) -> Wires:
    """What a host tells whose packets get to each address up to a size; 0 = none, and no entry = not asked."""
    outputs: dict[str, Output] = {}
    for question in due_paths(asker, view(nodes, networks=[of]), SEEN):
        target, size = question.probe.argv[-1], int(question.probe.argv[-4]) + 28
        if target in sizes:
            passed = size <= sizes[target]
            outputs[question.probe.name] = Output(0, " bytes from ", "") if passed else Output(1, "", "")
    return Wires(passed=answers_of(outputs))


def having(asker: Node, of: Network, nodes: list[Node], wires: Wires) -> Node:
    """The node with what its host told in its status."""
    status = asker.status.model_copy(update={"paths": proved(asker, view(nodes, networks=[of]), wires)})
    return asker.model_copy(update={"status": status})


def condition(of: Network, nodes: list[Node]) -> Condition:
    report = report_network(of, view(nodes, networks=[of]))
    return next(c for c in report.conditions if c.type is ConditionType.MTU_PROVED)


def asked(of: Network, nodes: list[Node]) -> list[tuple[str, ...]]:
    return [question.probe.argv for question in due_paths(nodes[0], view(nodes, networks=[of]), SEEN)]


@pytest.mark.parametrize("platform", ["debian12", "debian13"])
def test_real_pings_tell_whether_a_packet_came_back(platform: str) -> None:
    meant = {
        "every link carries 9000": {9000: Known(True), 1500: Known(True)},
        "the switch carries 1500": {9000: Known(False), 1500: Known(True)},
        "the own port has 1500": {9000: Known(False), 1500: Known(True)},
        "nobody has the address": {1500: Known(False)},
    }
    for one in json.loads((CAPTURED / f"{platform}.json").read_text()):
        assert tuple(one["argv"][: len(PING)]) == PING
        found = carries(Output(one["rc"], one["stdout"], one["stderr"]))
        size = int(one["argv"][-4]) + (48 if ":" in one["argv"][-1] else 28)
        if one["case"] in meant:
            assert found == meant[one["case"]][size], one
        else:
            assert isinstance(found, Unknown), one


@pytest.mark.parametrize(
    ("output", "fact"),
    [
        pytest.param(Output(127, "", "sh: ping: not found"), Unknown("sh: ping: not found"), id="there is no ping"),
        pytest.param(Output(124, "", ""), Unknown("ping ended with 124"), id="it hangs"),
        pytest.param(Output(0, "PING\n", ""), Unknown("PING"), id="it ends well and shows no answer"),
        pytest.param(Output(0, "64 bytes from n2: (truncated)\n", ""), None, id="the answer is shorter"),
    ],
)
def test_what_is_no_answer_proves_nothing(output: Output, fact: Fact[bool] | None) -> None:
    assert isinstance(carries(output), Unknown)
    assert fact is None or carries(output) == fact


def test_each_other_node_is_asked_with_the_declared_size_and_a_smaller_one() -> None:
    ping = (*PING, "-s")
    assert asked(gluster(), [host(1), host(2)]) == [
        (*ping, "8972", "-I", f"{SUBNET}.11", f"{SUBNET}.12"),
        (*ping, "1472", "-I", f"{SUBNET}.11", f"{SUBNET}.12"),
    ]
    assert [argv[-4] for argv in asked(gluster(mtu=1500), [host(1), host(2)])] == ["1472", "1252"]
    assert [argv[-4] for argv in asked(gluster(mtu=1280), [host(1), host(2)])] == ["1252", "548"]


def test_over_ipv6_the_header_is_larger() -> None:
    of = network("lan", "LAN", f"{SUBNET6}:/64", mtu=9000)
    nodes = [
        node(
            f"n{i}",
            10 + i,
            addresses=[{"network": "lan", "address": f"{SUBNET6}:{i}"}],
            interfaces=[{"name": "eno2", "mac": "", "carrier": True, "mtu": 9000, "addresses": [f"{SUBNET6}:{i}/64"]}],
        )
        for i in (1, 2)
    ]
    assert [argv[-4] for argv in asked(of, nodes)] == ["8952", "1452"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(host(2, mtu=1500), id="its link is too small: that is told already"),
        pytest.param(host(2, carrier=False), id="it has no link"),
        pytest.param(host(2, addresses=[]), id="it has not got the address"),
        pytest.param(node("n2", 12), id="it is not in the network"),
        pytest.param(
            node("n2", 12, conditions=[], addresses=[{"network": "gluster", "address": f"{SUBNET}.12"}]),
            id="nobody has seen it",
        ),
    ],
)
def test_whom_nothing_can_be_proved_about_is_not_asked(other: Node) -> None:
    assert not asked(gluster(), [host(1), other])


def test_a_link_that_came_back_or_changed_is_asked_anew() -> None:
    def marks(nodes: list[Node], before: Wires) -> set[str]:
        return {question.mark for question in due_paths(nodes[0], view(nodes, networks=[gluster()]), before)}

    calm = marks([host(1), host(2)], Wires(changes=Known({"eno2": 1})))
    assert calm == marks([host(1), host(2)], Wires(changes=Known({"eno2": 1, "eno7": 5})))
    assert calm != marks([host(1), host(2)], Wires(changes=Known({"eno2": 3})))
    assert marks([host(1), host(2)], Wires()) == set(), "nobody knows yet what the answer would depend on"
    assert calm != marks([host(1), host(2, mtu=9216)], Wires(changes=Known({"eno2": 1})))
    assert calm != marks([host(1), host(2, mac="52:54:00:00:00:99")], Wires(changes=Known({"eno2": 1})))


PEER = f"{SUBNET}.12"


@pytest.mark.parametrize(
    ("sizes", "passed"),
    [
        pytest.param({PEER: 9000}, [9000], id="it gets there"),
        pytest.param({PEER: 1500}, [1500], id="only the smaller one does"),
        pytest.param({PEER: 0}, [], id="none does: nothing is proved"),
        pytest.param({}, [], id="nobody has asked"),
    ],
)
def test_only_where_a_smaller_packet_comes_back_the_other_one_is_lost(sizes: dict[str, int], passed: list[int]) -> None:
    of, nodes = gluster(), [host(1), host(2)]
    found = proved(nodes[0], view(nodes, networks=[of]), told(of, nodes[0], nodes, sizes))
    assert [path.passed for path in found] == passed


def test_what_was_proved_stays_until_it_is_asked_again() -> None:
    of, nodes = gluster(), [host(1), host(2)]
    knows = having(nodes[0], of, nodes, told(of, nodes[0], nodes, {PEER: 9000}))

    def kept(other: Node, wires: Wires, of: Network = of) -> list[int]:
        return [path.passed for path in proved(knows, view([knows, other], networks=[of]), wires)]

    assert kept(nodes[1], Wires()) == [9000]
    assert kept(node("n2", 12, conditions=[], addresses=[{"network": "gluster", "address": PEER}]), Wires()) == [9000]
    assert kept(nodes[1], told(of, knows, [knows, nodes[1]], {PEER: 0})) == []
    assert kept(nodes[1], told(of, knows, [knows, nodes[1]], {PEER: 1500})) == [1500]
    assert kept(nodes[1], Wires(), gluster(mtu=8000)) == []
    assert kept(node("n2", 12), Wires()) == []


def whole(of: Network, sizes: dict[str, int]) -> list[Node]:
    """Three nodes, each of which has asked the others."""
    nodes = [host(1), host(2), host(3)]
    return [having(one, of, nodes, told(of, one, nodes, sizes)) for one in nodes]


EVERYBODY = {f"{SUBNET}.{number}": 9000 for number in (11, 12, 13)}


def test_a_network_is_proved_once_each_node_reached_each_other_one() -> None:
    found = condition(gluster(), whole(gluster(), EVERYBODY))
    assert (found.state, found.reason) == (State.TRUE, Reason.AS_DECLARED)
    assert found.message == "packets of 9000 bytes get from each node to each other one"


def test_a_switch_that_carries_less_is_told_with_both_nodes_and_both_sizes() -> None:
    of = gluster()
    nodes = whole(of, EVERYBODY | {PEER: 1500})
    found = condition(of, nodes)
    assert (found.state, found.reason) == (State.FALSE, Reason.PATH_TOO_SMALL)
    assert "n1 reaches n2 (172.20.11.12) with packets of 1500 bytes, not of 9000 (ping -M do -s 1472 and 8972)" in (
        found.message
    )
    assert "n3 reaches n2" in found.message
    assert "n1 reaches n3" not in found.message
    plan = plan_network(of, view(nodes, networks=[of]))
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.PATH_TOO_SMALL
    assert ConditionType.MTU_PROVED in report_network(of, view(nodes, networks=[of])).ready


@pytest.mark.parametrize(
    ("sizes", "named"),
    [
        pytest.param({}, "n1 to n2", id="nobody was asked"),
        pytest.param(EVERYBODY | {PEER: 0}, "n1 to n2; n3 to n2", id="one drops every ping"),
    ],
)
def test_what_is_not_proved_is_unknown_and_leaves_a_network_ready(sizes: dict[str, int], named: str) -> None:
    of = gluster()
    nodes = whole(of, sizes)
    found = condition(of, nodes)
    assert (found.state, found.reason) == (State.UNKNOWN, Reason.NOT_OBSERVED)
    assert named in found.message
    assert ConditionType.MTU_PROVED not in report_network(of, view(nodes, networks=[of])).ready
    assert not isinstance(plan_network(of, view(nodes, networks=[of])), Blocked)


def test_a_node_that_is_away_leaves_it_unknown_whatever_was_proved_before() -> None:
    of = gluster()
    nodes = whole(of, EVERYBODY)
    away = nodes[1].model_copy(update={"status": nodes[1].status.model_copy(update={"conditions": []})})
    found = condition(of, [nodes[0], away, nodes[2]])
    assert found.state is State.UNKNOWN
    assert "n1 to n2" in found.message
    assert "n1 to n3" not in found.message


def test_a_node_alone_in_its_network_has_nothing_to_prove() -> None:
    found = condition(gluster(), [host(1)])
    assert (found.state, found.message) == (State.TRUE, "there are no two nodes in it")

"""When ports are asked where they lead, and what a Node says of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import NodeStatus
from heretic.api.v1alpha1.node_interfaces import NodePort, PortChoice
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Fact, Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.interfaces import Interface
from heretic.domain.kind import Observed
from heretic.domain.node.wiring import plan_wiring, with_wiring
from heretic.domain.report import Report
from heretic.domain.wiring.facts import Asked, AskedPort, PortAnswer, Wires
from heretic.domain.wiring.section import WIRES
from heretic.domain.wiring.steps import AskPorts
from heretic.kinds import KINDS
from sim.declared import network, node, view

SITE = [
    network("mgmt", "Management", "172.20.10.0/24"),
    network("gluster", "Gluster", "172.20.11.0/24", gateway="172.20.11.1"),
]
ADDRESS = [{"network": "gluster", "address": "172.20.11.11"}]
LIVE = Interface("eno1", "52:54:00:00:00:01", "ether", True, 1500, addresses=("172.20.10.11/24",))


def port(carrier: bool | None, *addresses: str) -> Interface:
    return Interface("eno2", "52:54:00:00:00:02", "ether", carrier, 1500, max_mtu=9000, addresses=addresses)


def facts(*links: Interface, asked: Fact[Asked] | None = None) -> HostFacts:
    wires = Wires(Known({link.name: 1 for link in links}), asked or Absent())
    return HostFacts("n1", interfaces=Known(links), sections={WIRES.name: wires})


def planned(seen: HostFacts, of: Node | None = None) -> list[str]:
    of = of or node("n1", 11, addresses=ADDRESS)
    return [step.verb for step in plan_wiring(of, view([of], networks=SITE), seen).steps]


def said(
    seen: HostFacts, records: list[NodePort] | None = None, choices: Sequence[PortChoice] = ()
) -> tuple[NodeStatus, Condition]:
    of = node("n1", 11, addresses=ADDRESS)
    of = of.model_copy(update={"spec": of.spec.model_copy(update={"interfaces": list(choices)})})
    of = of.model_copy(update={"status": of.status.model_copy(update={"ports": records or []})})
    report = with_wiring(Report(of.status, (), frozenset()), of, view([of], networks=SITE), seen, None)
    assert isinstance(report.status, NodeStatus)
    return report.status, next(c for c in report.conditions if c.type is ConditionType.WIRED)


def answered() -> tuple[HostFacts, AskPorts]:
    """A host that was asked what its plan asks, and answered."""
    of = node("n1", 11, addresses=ADDRESS)
    (step,) = plan_wiring(of, view([of], networks=SITE), facts(LIVE, port(True))).steps
    assert isinstance(step, AskPorts)
    told = AskedPort(port(True).mac, 1, (PortAnswer(0, "172.20.11.1", "02:00:00:00:00:01", True),))
    return facts(LIVE, port(True), asked=Known(Asked(step.key, {"eno2": told}))), step


@pytest.mark.parametrize(
    ("seen", "spec", "steps"),
    [
        pytest.param(facts(LIVE, port(None)), {}, ["SwitchPortOn"], id="a port is off"),
        pytest.param(facts(LIVE, port(True)), {}, ["AskPorts"], id="a port with a link, and a network is missing"),
        pytest.param(facts(LIVE, port(False)), {}, [], id="no link"),
        pytest.param(facts(LIVE, port(True, "172.20.11.11/24")), {}, [], id="nothing is missing"),
        pytest.param(facts(LIVE, port(True, "192.0.2.1/24")), {}, [], id="no port is free"),
        pytest.param(facts(LIVE, port(True)), {"maintenance": True}, [], id="in maintenance"),
        pytest.param(facts(LIVE, port(True)), {"addresses": []}, [], id="no address in a network that is missing"),
        pytest.param(HostFacts("n1"), {}, [], id="nothing seen"),
    ],
)
def test_ports_are_asked_where_something_is_missing(seen: HostFacts, spec: dict[str, Any], steps: list[str]) -> None:
    assert planned(seen, node("n1", 11, **({"addresses": ADDRESS} | spec))) == steps


def test_a_port_is_asked_once_until_its_link_comes_anew() -> None:
    seen, step = answered()
    assert planned(seen) == []
    assert step.targets == ("172.20.11.1",)
    assert '"source": "172.20.11.11"' in step.request
    again = Wires(Known({"eno1": 1, "eno2": 3}), seen[WIRES].asked)
    assert planned(HostFacts("n1", interfaces=seen.interfaces, sections={WIRES.name: again})) == ["AskPorts"]


def test_what_is_found_is_recorded() -> None:
    status, wired = said(answered()[0])
    assert [(p.port, p.networks, p.how) for p in status.ports] == [
        ("eno1", ["mgmt"], "Carried"),
        ("eno2", ["gluster"], "Answered"),
    ]
    assert wired.state is State.TRUE


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        pytest.param(facts(LIVE, port(True)), State.UNKNOWN, Reason.APPLYING, id="being asked"),
        pytest.param(facts(LIVE, port(False)), State.FALSE, Reason.NETWORK_WITHOUT_PORT, id="no port leads there"),
        pytest.param(HostFacts("n1"), State.UNKNOWN, Reason.NOT_OBSERVED, id="nothing seen"),
    ],
)
def test_what_is_missing_is_told(seen: HostFacts, state: State, reason: Reason) -> None:
    _, wired = said(seen)
    assert (wired.state, wired.reason) == (state, reason)


@pytest.mark.parametrize(
    ("most", "says"),
    [
        pytest.param(1500, "of at most 1500 bytes, 9000 are declared for gluster", id="less"),
        pytest.param(9000, "", id="just as much"),
        pytest.param(None, "", id="not known"),
    ],
)
def test_a_port_that_cannot_carry_the_declared_mtu_is_told(most: int | None, says: str) -> None:
    large = network("gluster", "Gluster", "172.20.11.0/24", mtu=9000)
    of = node("n1", 11, addresses=ADDRESS)
    small = replace(port(True, "172.20.11.11/24"), max_mtu=most)
    told = with_wiring(Report(of.status, (), frozenset()), of, view([of], networks=[large]), facts(LIVE, small), None)
    wired = next(c for c in told.conditions if c.type is ConditionType.WIRED)
    assert (wired.reason is Reason.PORT_TOO_SMALL) is bool(says), wired
    assert says in wired.message


def test_the_record_of_a_port_that_is_gone_stays() -> None:
    gone = NodePort(mac="52:54:00:00:00:09", port="eno9", networks=["gluster"], how="Answered")
    status, _ = said(facts(LIVE), [gone])
    assert [(p.mac, p.port, p.networks) for p in status.ports][1:] == [(gone.mac, "", ["gluster"])]


HAS_GLUSTER = facts(LIVE, port(True, "172.20.11.11/24"))


@pytest.mark.parametrize(
    ("records", "named", "says"),
    [
        pytest.param([("52:54:00:00:00:09", "")], {}, "by which n1 had gluster, is not there any more", id="a card"),
        pytest.param([("52:54:00:00:00:02", "eno2")], {}, "", id="it is there"),
        pytest.param([("52:54:00:00:00:02", "eth7")], {}, "", id="under another name"),
        pytest.param([("52:54:00:00:00:09", "")], {"52:54:00:00:00:09": []}, "", id="a person ended it"),
        pytest.param(
            [],
            {"eno9": ["gluster"]},
            "no such port (it has eno1, eno2)",
            id="a name",
        ),
        pytest.param([], {"eno9": []}, "", id="left alone, and not there"),
    ],
)
def test_a_port_that_vanished_is_told(records: list[tuple[str, str]], named: dict[str, list[str]], says: str) -> None:
    recorded = [NodePort(mac=mac, port=name, networks=["gluster"], how="Answered") for mac, name in records]
    choices = [PortChoice(port=name, networks=names) for name, names in named.items()]
    _, wired = said(HAS_GLUSTER, recorded, choices)
    assert (wired.reason is Reason.PORT_GONE) is bool(says), wired
    assert says in wired.message


def test_a_pass_writes_what_was_found() -> None:
    of = node("n1", 11, addresses=ADDRESS)
    seen = answered()[0]
    assessment = KINDS["Node"].assess(of, view([of], networks=SITE), Observed({"n1": seen}))
    assert isinstance(assessment.report.status, NodeStatus)
    assert [p.networks for p in assessment.report.status.ports] == [["mgmt"], ["gluster"]]
    assert {c.type for c in assessment.report.conditions} == set(KINDS["Node"].conditions)

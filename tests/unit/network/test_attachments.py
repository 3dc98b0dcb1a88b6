"""Whether nodes are attached to a network as declared."""

from typing import Any

import pytest

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.network import NetworkStatus
from heretic.domain.conditions import State
from heretic.domain.errors import Reason
from heretic.domain.network.report import plan_network, report_network
from heretic.domain.plan import Blocked, Converged, Wait
from sim.declared import INSPECTED, network, node, view

GLUSTER = network("gluster", "Gluster", "172.20.11.0/24", mtu=9000)
MANAGEMENT = network("mgmt", "Management", "172.20.10.0/24")


def port(name: str, address: str, mtu: int = 9000, **more: Any) -> dict[str, Any]:
    return {"name": name, "mtu": mtu, "addresses": [address], "carrier": True} | more


def attached(*interfaces: dict[str, Any], **spec: Any) -> Node:
    declared = {"addresses": [{"network": "gluster", "address": "172.20.11.11"}]} | spec
    return node("n1", 11, interfaces=list(interfaces), **declared)


RIGHT = port("eth1", "172.20.11.11/24")


@pytest.mark.parametrize(
    ("of", "in_sync", "says"),
    [
        pytest.param(attached(RIGHT), True, "", id="as declared"),
        pytest.param(attached(RIGHT | {"mtu": 9216}), True, "", id="a larger MTU carries the declared one"),
        pytest.param(attached(RIGHT | {"carrier": None}), True, "", id="no word about the link"),
        pytest.param(attached(port("eth0", "172.20.10.11/24")), False, "172.20.11.11 on none", id="address missing"),
        pytest.param(attached(port("eth1", "172.20.11.110/24")), False, "on none", id="an address that begins alike"),
        pytest.param(attached(RIGHT | {"mtu": 1500}), False, "MTU of 1500", id="MTU too small"),
        pytest.param(attached(RIGHT | {"carrier": False}), False, "no link", id="cable out"),
        pytest.param(attached(RIGHT, conditions=[]), None, "not known", id="node not inspected"),
    ],
)
def test_attachment(of: Node, in_sync: bool | None, says: str) -> None:
    site = view([of], networks=[GLUSTER])
    plan = plan_network(GLUSTER, site)
    report = report_network(GLUSTER, site)
    assert isinstance(report.status, NetworkStatus)
    (found,) = report.status.attachments
    condition, *_ = report.conditions
    assert found.in_sync is in_sync
    assert condition.state is {True: State.TRUE, False: State.FALSE, None: State.UNKNOWN}[in_sync]
    assert isinstance(plan, {True: Converged, False: Blocked, None: Wait}[in_sync])
    assert says in condition.message
    if isinstance(plan, Blocked):
        assert plan.reason is Reason.NETWORK_DIFFERS


@pytest.mark.parametrize(
    ("spec", "wired", "plan", "says"),
    [
        pytest.param({}, "False", Blocked, "Configure it on the host", id="nobody but a person configures it"),
        pytest.param({"configureLinks": True}, "False", Wait, "Heretic configures the links of n1", id="Heretic does"),
        pytest.param({"configureLinks": True}, "Unknown", Wait, "see Wired there", id="not known yet"),
        pytest.param({"configureLinks": True}, "True", Blocked, "Configure it on the host", id="its Node is content"),
    ],
)
def test_who_configures_what_differs(spec: dict[str, Any], wired: str, plan: type[Wait | Blocked], says: str) -> None:
    of = attached(conditions=[INSPECTED, INSPECTED | {"type": "Wired", "status": wired}], **spec)
    found = plan_network(GLUSTER, view([of], networks=[GLUSTER]))
    assert isinstance(found, Wait | Blocked)
    assert isinstance(found, plan)
    assert says in found.message


def test_the_ssh_address_counts_for_the_management_network() -> None:
    of = node("n1", 11, interfaces=[port("eth0", "172.20.10.11/24", 1500)])
    report = report_network(MANAGEMENT, view([of], networks=[MANAGEMENT]))
    assert isinstance(report.status, NetworkStatus)
    assert [(a.node, a.interface, a.in_sync) for a in report.status.attachments] == [("n1", "eth0", True)]


def test_nodes_without_an_address_in_the_network_do_not_count() -> None:
    of = view([node("n1", 11)], networks=[GLUSTER])
    assert isinstance(plan_network(GLUSTER, of), Converged)
    report = report_network(GLUSTER, of)
    assert isinstance(report.status, NetworkStatus)
    assert report.status.attachments == []

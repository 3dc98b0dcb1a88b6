"""Forming the trusted pool, and leaving alone what is not ours."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from heretic.api.v1alpha1 import GlusterVolume, Node
from heretic.domain.conditions import ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Wait
from heretic.domain.site.plan import plan_site
from heretic.domain.site.report import report_site
from lab.platforms import chosen
from sim.gluster_tools import INFO_FILE
from sim.site_rules import RuledSite, resource, ruled_site

NAMES = ("node1", "node2", "node3")
OP_VERSION = str(chosen().operating_version)


@pytest.fixture(scope="module")
def built() -> tuple[RuledSite, Callable[[], None], Callable[[], None]]:
    """A site whose hosts are configured, with glusterds that know nobody, and the way to the formed pool."""
    site = ruled_site(NAMES, {"lock": {"purpose": "Lock", "size": "1Gi"}})
    site.settle()
    formed = site.save()
    for glusterd in site.gluster.nodes.values():
        glusterd.knows.clear()
    return site, site.save(), formed


@pytest.fixture
def strangers(built: tuple[RuledSite, Callable[[], None], Callable[[], None]]) -> RuledSite:
    built[1]()
    return built[0]


@pytest.fixture
def formed(built: tuple[RuledSite, Callable[[], None], Callable[[], None]]) -> RuledSite:
    built[2]()
    return built[0]


def plan(site: RuledSite) -> Plan:
    site.look_again()
    return plan_site(site.site, site.view, site.observe())


def told(site: RuledSite) -> dict[ConditionType, tuple[State, Reason]]:
    site.look_again()
    report = report_site(site.site, site.view, site.observe())
    return {c.type: (c.state, c.reason) for c in report.conditions}


def test_the_first_node_probes_the_others_and_then_learns_its_own_name(strangers: RuledSite) -> None:
    first = plan(strangers)
    assert isinstance(first, Proceed)
    assert [(s.target.name, s.arguments()["peer"]) for s in first.steps] == [
        ("node1", "node2.gluster.private"),
        ("node1", "node3.gluster.private"),
    ]
    strangers.act(first)
    second = plan(strangers)
    assert isinstance(second, Proceed)
    assert [s.arguments()["peer"] for s in second.steps if s.target.name == "node2"] == ["node1.gluster.private"]
    for _ in range(4):
        strangers.act(plan(strangers))
    assert isinstance(plan(strangers), Converged)
    assert strangers.failures == []


def unconfigure(site: RuledSite) -> None:
    node = site.nodes["node3"]
    conditions = [c for c in node.status.conditions if c.type != "Configured"]
    site.nodes["node3"] = node.model_copy(update={"status": node.status.model_copy(update={"conditions": conditions})})


def other_pool(site: RuledSite) -> None:
    site.gluster.foreign["node2"] = ["elsewhere.example.org"]


def two_pools(site: RuledSite) -> None:
    nodes = site.gluster.nodes
    nodes["node2"].knows["node3"] = ["node3.gluster.private"]
    nodes["node3"].knows["node2"] = ["node2.gluster.private"]
    nodes["node1"].knows.clear()


def down(site: RuledSite) -> None:
    site.machines["node2"].units["glusterd.service"].active = "failed"


def older(site: RuledSite) -> None:
    site.machines["node3"].host.packages["glusterfs-server"] = "10.5-1"


@pytest.mark.parametrize(
    ("happens", "kind", "reason", "says"),
    [
        pytest.param(older, Blocked, Reason.VERSIONS_DIFFER, "node3 10.5", id="a node runs another version of Gluster"),
        pytest.param(unconfigure, Wait, Reason.WAITING_FOR_NODES, "node3", id="a node is not configured yet"),
        pytest.param(down, Wait, Reason.NOT_OBSERVED, "node2", id="a glusterd does not answer"),
        pytest.param(
            lambda s: s.gluster.power_cut("node3"), Wait, Reason.NOT_OBSERVED, "node3", id="a node does not answer"
        ),
        pytest.param(other_pool, Blocked, Reason.POOL_NOT_OURS, "elsewhere.example.org", id="a node has other peers"),
    ],
)
def test_no_node_is_taken_in(
    strangers: RuledSite,
    happens: Callable[[RuledSite], None],
    kind: type[Wait] | type[Blocked],
    reason: Reason,
    says: str,
) -> None:
    happens(strangers)
    planned = plan(strangers)
    assert isinstance(planned, kind), planned
    assert planned.reason is reason
    assert says in planned.message


def test_a_lone_node_joins_the_larger_pool(strangers: RuledSite) -> None:
    two_pools(strangers)
    planned = plan(strangers)
    assert isinstance(planned, Proceed)
    assert [(s.target.name, s.arguments()["peer"]) for s in planned.steps] == [("node2", "node1.gluster.private")]


def test_a_formed_pool_needs_nothing(formed: RuledSite) -> None:
    assert isinstance(plan(formed), Converged)
    states = told(formed)
    assert {t: s for t, (s, _) in states.items()} == dict.fromkeys(states, State.TRUE)


def test_a_rejected_peer_is_never_detached(formed: RuledSite) -> None:
    formed.gluster.nodes["node1"].rejected.add("node3")
    planned = plan(formed)
    assert isinstance(planned, Blocked)
    assert planned.reason is Reason.PEER_REJECTED
    assert told(formed)[ConditionType.POOL_FORMED] == (State.FALSE, Reason.PEER_REJECTED)


def at_another_op_version(site: RuledSite, name: str) -> None:
    files = site.machines[name].files
    files[INFO_FILE] = replace(files[INFO_FILE], content=files[INFO_FILE].content.replace(OP_VERSION, "70000"))


def test_members_that_an_op_version_keeps_apart_are_not_waited_for(formed: RuledSite) -> None:
    at_another_op_version(formed, "node3")
    formed.gluster.nodes["node1"].settling.add("node3")
    planned = plan(formed)
    assert isinstance(planned, Blocked)
    assert planned.reason is Reason.OP_VERSION_REFUSED
    assert f"node1 {OP_VERSION}, node2 {OP_VERSION}, node3 70000" in planned.message


def test_an_op_version_alone_is_nobodys_trouble(formed: RuledSite) -> None:
    at_another_op_version(formed, "node3")
    assert isinstance(plan(formed), Converged)


def test_a_peer_that_is_being_taken_in_is_waited_for(formed: RuledSite) -> None:
    formed.gluster.nodes["node1"].settling.add("node3")
    planned = plan(formed)
    assert isinstance(planned, Wait)
    assert planned.reason is Reason.WAITING_FOR_POOL


def test_a_dead_node_stays_a_member_and_the_site_stays_available(formed: RuledSite) -> None:
    formed.gluster.power_cut("node2")
    planned = plan(formed)
    assert isinstance(planned, Wait)
    assert planned.reason is Reason.PEER_DISCONNECTED
    assert "node2" in planned.message
    formed.round()
    states = told(formed)
    assert states[ConditionType.POOL_FORMED][0] is State.TRUE
    assert states[ConditionType.AVAILABLE][0] is State.TRUE
    assert states[ConditionType.N_PLUS_ONE] == (State.FALSE, Reason.PEER_DISCONNECTED)


def test_a_site_is_not_called_available_while_a_volume_of_it_was_never_seen(formed: RuledSite) -> None:
    formed.volumes["iso"] = resource(GlusterVolume, "iso", {"purpose": "ISO", "size": "5Gi"})
    assert told(formed)[ConditionType.AVAILABLE] == (State.UNKNOWN, Reason.QUORUM_UNKNOWN)
    formed.round()
    assert told(formed)[ConditionType.AVAILABLE][0] is State.TRUE, "known not to exist yet"


def test_a_node_object_that_vanished_is_missed(formed: RuledSite) -> None:
    del formed.nodes["node3"]
    planned = plan(formed)
    assert isinstance(planned, Blocked)
    assert planned.reason is Reason.NODE_NOT_FOUND


def test_a_new_node_is_reported_and_not_absorbed(formed: RuledSite) -> None:
    hosts = formed.observe()
    late = resource(Node, "node4", {"address": "172.20.10.99", "roles": ["Storage"]})
    view = formed.view.having(late)
    assert isinstance(plan_site(formed.site, view, hosts), Converged)
    report = report_site(formed.site, view, hosts)
    assert "node4" in report.notes[0]

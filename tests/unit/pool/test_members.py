"""Who a host is: told by recorded and observed UUIDs, whatever names Gluster prints and whether it answers or not."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from heretic.api.v1alpha1 import Site
from heretic.domain.commands import Output
from heretic.domain.conditions import ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.gluster.health import may_take_out
from heretic.domain.gluster.steps import RestartSelfHeal
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Wait, steps_of
from heretic.domain.pool.members import members
from heretic.domain.site.plan import plan_site
from heretic.domain.site.report import report_site
from sim.machine import Argv, Machine
from sim.site_rules import RuledSite, resource, ruled_site

NODES = ("node1", "node2", "node3")
OLD = dict(zip(NODES, ("srv-1", "srv-2", "srv-3"), strict=True))


@pytest.fixture(scope="module")
def built() -> tuple[RuledSite, Callable[[], None]]:
    site = ruled_site(volumes={"vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}})
    site.settle()
    return site, site.save()


@pytest.fixture
def site(built: tuple[RuledSite, Callable[[], None]]) -> RuledSite:
    """A running site of three nodes."""
    site, restore = built
    restore()
    return site


def uuid(site: RuledSite, node: str) -> str:
    return site.gluster.nodes[node].uuid


def forget(site: RuledSite) -> None:
    """The Site's status is as the version before wrote it."""
    peers = [p.model_copy(update={"uuid": ""}) for p in site.site.status.peers]
    site.site = site.site.model_copy(update={"status": site.site.status.model_copy(update={"peers": peers})})


def record(site: RuledSite) -> None:
    """A pass over the Site that changes nothing but its status."""
    site.look_again()
    report = report_site(site.site, site.view, site.observe())
    site.site = site.site.model_copy(update={"status": report.status})


def recorded(site: RuledSite) -> dict[str, str]:
    return {p.node: p.uuid for p in site.site.status.peers}


def site_plan(site: RuledSite) -> Plan:
    site.look_again()
    return plan_site(site.site, site.view, site.observe())


def rename(site: RuledSite, names: Callable[[str], list[str]], brick: Callable[[str], str] | None = None) -> None:
    """Peers are known by other names, first the primary one, and so are the hosts of bricks."""
    for glusterd in site.gluster.nodes.values():
        for peer in glusterd.knows:
            glusterd.knows[peer] = names(peer)
    for b in site.gluster.volumes["vmstore"].bricks:
        b.host = brick(b.node) if brick else names(b.node)[0]
    site.look_again()


SPELLINGS: dict[str, Callable[[str], list[str]]] = {
    "as Heretic names them": lambda n: [f"{n}.gluster.private"],
    "old names with ours beside": lambda n: [OLD[n], f"{n}.gluster.private"],
    "old names alone": lambda n: [OLD[n]],
    "old names with a domain": lambda n: [f"{OLD[n]}.example.org"],
    "upper case": lambda n: [f"{n}.Gluster.Private".upper()],
    "a dot at the end": lambda n: [f"{n}.gluster.private."],
    "short names": lambda n: [n],
    "names in the management domain": lambda n: [f"{n}.mgmt.private"],
    "storage addresses": lambda n: [f"172.20.11.1{n[-1]}"],
    "management addresses": lambda n: [f"172.20.10.1{n[-1]}"],
    "addresses that nobody declared": lambda n: [f"10.1.2.{n[-1]}"],
    "several foreign names": lambda n: [f"a-{OLD[n]}", f"b-{OLD[n]}", f"10.9.9.{n[-1]}"],
    "the names of each other": lambda n: [f"{NODES[NODES.index(n) - 1]}.gluster.private"],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("dead", ["node1", "node2"], ids=["the node that is asked first", "another one"])
def test_a_node_that_dies_is_told_by_its_uuid_whatever_its_names(site: RuledSite, spelling: str, dead: str) -> None:
    rename(site, SPELLINGS[spelling])
    assert not isinstance(site.plan_of("vmstore"), Blocked)
    site.gluster.power_cut(dead)
    plan = site_plan(site)
    assert isinstance(plan, Wait), plan
    assert plan.reason is Reason.PEER_DISCONNECTED
    assert f"not connected: {dead}" in plan.message
    plan = site.plan_of("vmstore")
    assert isinstance(plan, Wait), plan
    assert dead in plan.message
    told = {c.type: c for c in site.report_of("vmstore").conditions}
    degraded = told[ConditionType.DEGRADED]
    assert (degraded.state, degraded.reason) == (State.TRUE, Reason.PEER_DISCONNECTED)
    assert dead in degraded.message
    assert told[ConditionType.QUORATE].state is State.TRUE
    assert {b.node for b in site.status_of("vmstore").bricks} == set(NODES)


def test_a_name_of_ours_that_one_other_node_knows_is_enough(site: RuledSite) -> None:
    """Nothing is recorded, and the node that is asked knows the dead one by its old name alone."""
    forget(site)
    rename(site, lambda n: [OLD[n]])
    site.gluster.nodes["node3"].knows["node2"] = [OLD["node2"], "NODE2.gluster.private"]
    site.gluster.power_cut("node2")
    waits = site_plan(site)
    assert isinstance(waits, Wait)
    assert "not connected: node2" in waits.message
    plan = site.plan_of("vmstore")
    assert isinstance(plan, Wait), plan


def test_a_dead_peer_that_nobody_can_name_is_waited_for_and_never_told_to_be_detached(site: RuledSite) -> None:
    forget(site)
    rename(site, lambda n: [OLD[n]])
    site.gluster.power_cut("node2")
    for plan in (site_plan(site), site.plan_of("vmstore")):
        assert isinstance(plan, Wait), plan
        assert "detach" not in plan.message
        assert "node2" in plan.message
    site.gluster.power_on("node2")
    record(site)
    assert recorded(site) == {n: uuid(site, n) for n in NODES}


def test_a_peer_is_foreign_only_when_the_uuid_of_every_node_is_known(site: RuledSite) -> None:
    site.gluster.foreign["node1"] = ["elsewhere.example.org"]
    site.gluster.power_cut("node2")
    plan = site_plan(site)
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.POOL_NOT_OURS, "who node2 is is recorded"
    forget(site)
    rename(site, lambda n: [OLD[n]])
    plan = site_plan(site)
    assert isinstance(plan, Wait)
    assert "detach" not in plan.message


# --- what is recorded ---


def test_the_uuid_of_a_full_connected_member_is_recorded_and_kept(site: RuledSite) -> None:
    assert recorded(site) == {n: uuid(site, n) for n in NODES}
    site.gluster.power_cut("node2")
    record(site)
    assert recorded(site)["node2"] == uuid(site, "node2")


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda s: s.gluster.power_cut("node2"), id="its host does not answer"),
        pytest.param(lambda s: s.gluster.nodes["node1"].rejected.add("node2"), id="it is no full member"),
        pytest.param(lambda s: [g.knows.pop("node2", None) for g in s.gluster.nodes.values()], id="it is no peer"),
    ],
)
def test_no_uuid_is_recorded_on_a_claim(site: RuledSite, happens: Callable[[RuledSite], object]) -> None:
    forget(site)
    site.gluster.nodes["node3"].knows.pop("node2")
    happens(site)
    record(site)
    assert recorded(site)["node2"] == ""


def test_a_site_of_one_node_records_its_own() -> None:
    site = ruled_site(("node1",), {"lock": {"purpose": "Lock", "size": "1Gi"}})
    site.settle()
    assert recorded(site) == {"node1": uuid(site, "node1")}


# --- a host that is not the one it was ---


def reinstall(site: RuledSite, node: str = "node2") -> None:
    """The host was installed anew: its glusterd has a new UUID and knows nobody."""
    glusterd = site.gluster.nodes[node]
    site.gluster.reinstalled(node)
    assert glusterd.uuid not in recorded(site).values()
    site.look_again()


def refused(site: RuledSite, reason: Reason, *doubtful: str) -> str:
    """Every plan that concerns the hosts' identity is Blocked, no step configures anything with them."""
    plan = site_plan(site)
    assert isinstance(plan, Blocked), plan
    assert plan.reason is reason
    report = report_site(site.site, site.view, site.observe())
    formed = next(c for c in report.conditions if c.type is ConditionType.POOL_FORMED)
    assert (formed.state, formed.reason) == (State.FALSE, reason)
    site.gluster.volumes["vmstore"].options["network.ping-timeout"] = "42"
    volume = site.plan_of("vmstore")
    assert steps_of(volume) == (), volume
    found = [volume] if not isinstance(volume, Proceed) else volume.pending
    assert any(getattr(p, "reason", None) is reason for p in found), volume
    site.volumes["new"] = resource(type(site.volumes["vmstore"]), "new", {"purpose": "Lock", "size": "1Gi"})
    hosts = {s.target.name for s in steps_of(site.plan_of("new"))}
    assert hosts <= set(NODES) - set(doubtful)
    pool = site.ask_pool()
    assert may_take_out("node1", site.view, site.observe(), pool, pool) != ""
    return plan.message


def test_a_reinstalled_host_is_blocked_and_its_record_stays(site: RuledSite) -> None:
    before = uuid(site, "node2")
    reinstall(site)
    said = refused(site, Reason.PEER_REPLACED, "node2")
    assert before in said
    assert uuid(site, "node2") in said
    assert "node2" in said
    assert "detach" not in said
    record(site)
    assert recorded(site)["node2"] == before
    site.gluster.given_back("node2", before)
    assert not isinstance(site_plan(site), Blocked)


def test_a_reinstalled_host_is_told_by_its_peers_where_nothing_is_recorded(site: RuledSite) -> None:
    reinstall(site)
    forget(site)
    refused(site, Reason.PEER_REPLACED, "node2")


def test_hosts_whose_addresses_were_exchanged_are_told(site: RuledSite) -> None:
    one, other = site.gluster.nodes["node2"], site.gluster.nodes["node3"]
    one.uuid, other.uuid = other.uuid, one.uuid
    site.gluster.written_again("node2")
    site.gluster.written_again("node3")
    site.look_again()
    said = refused(site, Reason.PEER_REPLACED, "node2", "node3")
    assert "which is the one of node3" in said


@pytest.mark.parametrize("remembered", [True, False], ids=["recorded", "nothing recorded"])
def test_two_hosts_made_from_one_image_are_blocked(remembered: bool) -> None:
    site = ruled_site(volumes={"vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}})
    site.settle()
    if not remembered:
        forget(site)
    site.gluster.nodes["node3"].uuid = uuid(site, "node2")
    site.gluster.written_again("node3")
    said = refused(site, Reason.PEER_CLONED, "node2", "node3")
    assert "node2 and node3" in said
    assert "detach" not in said
    record(site)
    assert recorded(site)["node3"] != uuid(site, "node2")


def test_a_clone_of_a_host_that_is_out_is_not_taken_in() -> None:
    site = ruled_site()
    site.settle()
    peers = [p if p.node == "node2" else p.model_copy(update={"uuid": ""}) for p in site.site.status.peers]
    site.site = site.site.model_copy(update={"status": site.site.status.model_copy(update={"peers": peers})})
    site.gluster.nodes["node3"].uuid = uuid(site, "node2")
    site.gluster.written_again("node3")
    site.gluster.power_cut("node2")
    plan = site_plan(site)
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.PEER_CLONED


# --- other names in other answers ---


def respell(site: RuledSite, node: str, pattern: str, change: Callable[[str], str]) -> None:
    """Lets gluster print the names of hosts otherwise in some of its answers."""
    machine = site.machines[node]
    before = machine.tools["gluster"]

    def gluster(host: Machine, argv: Argv, stdin: str | None) -> Output | None:
        output = before(host, argv, stdin)
        if output is None or not re.search(pattern, " ".join(argv)):
            return output
        return replace(output, stdout=change(output.stdout))

    machine.tools["gluster"] = gluster
    site.look_again()


RESPELLED: dict[str, Callable[[str], str]] = {
    "upper case": lambda text: re.sub(r"node(\d)\.gluster\.private", r"NODE\1.Gluster.Private", text),
    "short": lambda text: re.sub(r"node(\d)\.gluster\.private", r"node\1", text),
    "old": lambda text: re.sub(r"node(\d)\.gluster\.private", r"srv-\1", text),
    "the asked host as localhost": lambda text: text.replace("node1.gluster.private", "localhost"),
}


@pytest.mark.parametrize("spelling", RESPELLED)
@pytest.mark.parametrize("answer", ["status all --xml", "status all detail", "heal .* summary"])
def test_an_answer_under_other_names_is_understood(spelling: str, answer: str) -> None:
    site = ruled_site(volumes={"vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}})
    site.settle()
    respell(site, "node1", answer, RESPELLED[spelling])
    assert isinstance(site.plan_of("vmstore"), Converged), site.plan_of("vmstore")
    status = site.status_of("vmstore")
    assert (status.bricks_up, status.heal_pending) == ("3/3", "0")
    assert all(b.size for b in status.bricks)
    pool = site.ask_pool()
    assert may_take_out("node1", site.view, site.observe(), pool, pool) == ""


@pytest.mark.parametrize("spelling", RESPELLED)
@pytest.mark.parametrize("node", NODES)
def test_a_self_heal_daemon_is_told_by_its_uuid(spelling: str, node: str) -> None:
    site = ruled_site(volumes={"vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}})
    site.settle()
    respell(site, "node1", "status all --xml", RESPELLED[spelling])
    site.gluster.nodes[node].self_heal = False
    steps = steps_of(site.plan_of("vmstore"))
    assert [(type(s), s.target.name) for s in steps] == [(RestartSelfHeal, node)]


def test_who_may_be_taken_out_is_decided_by_identity(site: RuledSite) -> None:
    """The names of the hosts led nowhere there, so the only copy on a node was not seen."""
    rename(site, lambda n: [OLD[n]])
    pool = site.ask_pool()
    assert may_take_out("node1", site.view, site.observe(), pool, pool) == ""
    assert isinstance(pool, Known)


def test_a_name_that_leads_to_two_nodes_leads_to_none(site: RuledSite) -> None:
    site.gluster.nodes["node1"].knows["node2"] = ["shared.example.org"]
    site.gluster.nodes["node1"].knows["node3"] = ["shared.example.org"]
    site.look_again()
    who = members(site.view, site.observe())
    assert who.node_of("", ("shared.example.org",)) is None
    assert who.node_of(uuid(site, "node3"), ("shared.example.org",)) == "node3"


def test_another_sites_record_is_of_no_use(site: RuledSite) -> None:
    site.site = resource(Site, "site", {})
    who = members(site.view, site.observe())
    assert {n: who.uuids[n] for n in NODES} == {n: uuid(site, n) for n in NODES}

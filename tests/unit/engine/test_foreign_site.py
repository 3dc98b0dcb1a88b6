"""What is made of an engine that tells less, or the same thing twice: nothing is concluded from what it left out."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from heretic.api.v1alpha1 import HostedEngine, Network, Node
from heretic.api.v1alpha1.node import NodeEngineStatus
from heretic.domain.conditions import ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineFacts, EngineHost, EngineIdentity, LogicalNetwork, MacPool
from heretic.domain.engine.host_parts import OwnMachine
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.hosted_engine.backup.steps import FetchBackup
from heretic.domain.hosted_engine.maintenance import maintenance_condition, plan_maintenance
from heretic.domain.hosted_engine.plan import plan_around
from heretic.domain.hosted_engine.report import report_engine
from heretic.domain.network.engine_plan import plan_logical_network
from heretic.domain.node.member import EngineMember, membership
from heretic.domain.node.member_plan import cannot_run_engine
from heretic.domain.plan import Blocked, Plan, Wait, obstacles_of
from heretic.kinds import KINDS
from unit.members.test_member_table import ADDRESS, SPEC, able, engine, engine_host

SITE = engine()
TWIN = "00000000-0000-0000-0000-00000000000f"


def declared(**spec: Any) -> HostedEngine:
    manifest = {
        "metadata": {"name": "engine", "namespace": "home"},
        "spec": {"fqdn": "engine.mgmt.private", "deployment": "Existing", **spec},
    }
    return HostedEngine.model_validate(manifest)


def the_obstacle(plan: Plan) -> Wait | Blocked:
    return obstacles_of(plan)[0]


def twice(facts: EngineFacts, of: str) -> EngineFacts:
    first = getattr(facts, of).value[0]
    both: dict[str, Any] = {of: Known((first, replace(first, id=TWIN)))}
    return replace(facts, **both)


@pytest.mark.parametrize(
    ("of", "what"), [("data_centers", "data centers"), ("clusters", "clusters"), ("mac_pools", "MAC pools")]
)
def test_two_things_of_one_name_need_a_person(of: str, what: str) -> None:
    pools = Known((MacPool("p", "home", False, frozenset()),))
    pool = {"name": "home", "ranges": [{"from": "02:00:00:00:00:00", "to": "02:00:00:00:00:ff"}]}
    one = declared(cluster={"macPool": pool})
    facts = twice(replace(SITE, mac_pools=pools), of)
    obstacle = the_obstacle(plan_around(one, SiteView.holding([one]), facts))
    assert isinstance(obstacle, Blocked)
    assert obstacle.reason is Reason.ENGINE_NAME_AMBIGUOUS
    assert f"of the engine's {what}, 2 are called" in obstacle.message
    assert TWIN in obstacle.message


@pytest.mark.parametrize(("of", "field"), [("data_centers", "data_center_id"), ("clusters", "cluster_id")])
def test_the_one_that_was_recorded_is_meant_whatever_has_its_name(of: str, field: str) -> None:
    one = declared()
    recorded = getattr(SITE, of).value[0].id
    one = one.model_copy(update={"status": one.status.model_copy(update={field: recorded})})
    plan = plan_around(one, SiteView.holding([one]), twice(SITE, of))
    assert all(o.reason is not Reason.ENGINE_NAME_AMBIGUOUS for o in obstacles_of(plan))


def test_two_networks_of_one_name_in_one_data_center_need_a_person() -> None:
    network = KINDS.parse(
        "Network", {"metadata": {"name": "lan", "namespace": "home"}, "spec": {"role": "LAN", "subnet": "10.0.0.0/24"}}
    )
    here = LogicalNetwork("1", "lan", "d", None, 0, True)
    facts = replace(SITE, networks=Known((here, replace(here, id=TWIN), replace(here, id="3", data_center="e"))))
    view = SiteView.holding([declared(), network])
    assert isinstance(network, Network)
    plan = plan_logical_network(network, view, facts)
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.ENGINE_NAME_AMBIGUOUS
    assert "2 are called 'lan'" in plan.message


def node(**status: Any) -> Node:
    found = KINDS.parse(
        "Node", {"metadata": {"name": "node1", "namespace": "home"}, "spec": SPEC | {"address": ADDRESS}}
    )
    assert isinstance(found, Node)
    return found.model_copy(update={"status": found.status.model_copy(update=status)})


@pytest.mark.parametrize("address", [ADDRESS, f"{ADDRESS}."])
def test_two_hosts_at_one_address_need_a_person_and_a_recorded_one_is_meant(address: str) -> None:
    facts = engine(engine_host("up"), engine_host("up", "other", address))
    view = SiteView.holding([declared(), node()])
    found = membership(node(), view, facts)
    assert isinstance(found, Blocked)
    assert found.reason is Reason.ENGINE_NAME_AMBIGUOUS
    assert "'node1' (id id-node1), 'other' (id id-other)" in found.message
    mine = membership(node(engine=NodeEngineStatus(id="id-other")), view, facts)
    assert isinstance(mine, EngineMember)
    assert mine.host is not None
    assert mine.host.id == "id-other"


@pytest.mark.parametrize(
    ("hosts", "lacking"),
    [
        pytest.param((engine_host("up", networks_changing=None),), False, id="all content is not told"),
        pytest.param((engine_host("up"),), True, id="it is, and the host has no part"),
        pytest.param(
            (engine_host("up", networks_changing=None), engine_host("up", "n2", "172.20.10.12", hosted_engine=able())),
            True,
            id="another host tells its part",
        ),
    ],
)
def test_no_host_is_installed_anew_for_what_an_engine_leaves_out(hosts: tuple[EngineHost, ...], lacking: bool) -> None:
    own = declared(deployment="SelfHosted", selfHosted={"storageVolume": "engine"})
    found = membership(node(), SiteView.holding([own, node()]), engine(*hosts))
    assert isinstance(found, EngineMember)
    assert cannot_run_engine(found) is lacking


def test_whether_global_maintenance_is_on_is_not_known_where_all_content_is_not_told() -> None:
    hosts = Known((engine_host("up", networks_changing=None),))
    condition = maintenance_condition(declared(), hosts)
    assert (condition.state, condition.reason) == (State.UNKNOWN, Reason.NOT_OBSERVED)
    assert "leaves out which of its hosts" in condition.message
    machine = replace(SITE, own_machine=Known(OwnMachine("vm", "")))
    plan = plan_maintenance(declared(), machine, hosts, wanted=True)
    assert isinstance(plan, Wait)
    assert plan.reason is Reason.NOT_OBSERVED


def test_an_engine_that_tells_no_version_is_up() -> None:
    one, facts = declared(), replace(SITE, identity=EngineIdentity("id", "", None))
    report = report_engine(one, facts, plan_around(one, SiteView.holding([one]), facts), {})
    (up,) = (c for c in report.conditions if c.type is ConditionType.ENGINE_UP)
    assert (up.state, up.message) == (State.TRUE, "the engine answers, and does not tell its version")
    assert report.summary == "engine, 0/0 hosts up"


def test_an_engine_that_exists_may_be_at_an_ipv6_address_and_no_other() -> None:
    assert declared(address="fd00:20:10::5").spec.address == "fd00:20:10::5"
    with pytest.raises(ValidationError, match="must be an IPv4 address, unless"):
        declared(address="fd00:20:10::5", deployment="SelfHosted", selfHosted={"storageVolume": "engine"})
    with pytest.raises(ValidationError, match="must be an IP address"):
        declared(address="engine.mgmt.private")


@pytest.mark.parametrize(("machine", "place"), [("10.0.0.5", "root@10.0.0.5:"), ("fd00::5", "root@[fd00::5]:")])
def test_a_backup_is_fetched_from_either_sort_of_address(machine: str, place: str) -> None:
    step = FetchBackup(
        host="n", why="", name="a_1.backup", folder="/b", sha256="0", machine=machine, port=22, known_hosts=""
    )
    words = [word for action in step.script().actions for word in getattr(action, "argv", ())]
    assert any(word.startswith(place) for word in words)

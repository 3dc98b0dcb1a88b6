"""What is planned for a host of an engine, by what host and engine say."""

from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1.node_interfaces import NodeAddress
from heretic.domain.conditions import ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import (
    AttachedDomain,
    ClusterNetwork,
    DataCenter,
    EngineCluster,
    EngineFacts,
    EngineHost,
    EngineIdentity,
    FencingFlags,
)
from heretic.domain.engine.feature import AUTHORIZED_KEYS
from heretic.domain.engine.host_parts import HostAttachment, HostedEngineRole
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.facts import FileContent, HostFacts
from heretic.domain.host.profiles import LVM_DEVICES_FILE
from heretic.domain.kind import Assessment, Observed
from heretic.domain.node.member_steps import AddHost
from heretic.domain.plan import Blocked, Plan, Proceed, Wait, steps_of
from heretic.kinds import KINDS
from sim.one_host import OneHost, node_resource, site_resource
from unit.node.one_node import CHOSEN, VOLUMES, settle

ADDRESS = "172.20.10.11"
SPEC: dict[str, Any] = {"roles": ["Storage", "Hypervisor"]}
KEY = Known("ssh-rsa AAAA")
ENGINE: dict[str, Any] = {
    "apiVersion": "hvp.ovirt.life/v1alpha1",
    "kind": "HostedEngine",
    "metadata": {"name": "engine", "uid": "u"},
    "spec": {"fqdn": "engine.mgmt.private", "deployment": "Existing"},
}


def engine_host(status: str, name: str = "node1", address: str = ADDRESS, **more: Any) -> EngineHost:
    plain: dict[str, Any] = {"detail": "", "cluster": "c", "networks_changing": False, "hosted_engine": None}
    plain["id"] = f"id-{name}"
    return EngineHost(name=name, address=address, status=status, **(plain | more))


def able(*, configured: bool = True) -> HostedEngineRole:
    return HostedEngineRole(configured, True, 3400, False, False)


def engine(*hosts: EngineHost, master: str = "active", key: Fact[str] = KEY) -> EngineFacts:
    flags = FencingFlags(True, True, True, True, True, 50)
    cluster = EngineCluster("c", "Default", "d", "", "4.7", True, True, flags, "", ())
    return EngineFacts(
        identity=EngineIdentity("id", "4.5.7", None),
        data_centers=Known((DataCenter("d", "Default", "up", False),)),
        clusters=Known((cluster,)),
        hosts=Known(hosts),
        attached={"d": Known((AttachedDomain("s", "hosted_storage", master, True),))},
        ssh_key=key,
    )


@pytest.fixture(scope="module")
def configured() -> OneHost:
    host = OneHost(node=node_resource(**SPEC), site=site_resource(CHOSEN), volumes=VOLUMES)
    settle(host)
    return host


def let_in(facts: HostFacts) -> HostFacts:
    """The same host, whose authorized_keys has the engine's key."""
    return replace(facts, files=dict(facts.files) | {AUTHORIZED_KEYS: file("ssh-rsa AAAA ovirt-engine\n")})


def file(content: str) -> Known[FileContent]:
    return Known(FileContent(content, "0" * 64, "0600"))


def assess(host: OneHost, seen: EngineFacts, facts: HostFacts | None = None, **spec: Any) -> Assessment:
    node = host.node.model_copy(update={"spec": host.node.spec.model_copy(update=spec)})
    view = SiteView.holding([host.site, node, *host.volumes, KINDS.parse("HostedEngine", ENGINE)])
    looked = let_in(host.observe()) if facts is None else facts
    return KINDS["Node"].assess(node, view, Observed({"node1": looked}, engine=seen))


def verbs(plan: Plan) -> list[str]:
    return [step.verb for step in steps_of(plan)]


def obstacle(plan: Plan) -> Wait | Blocked:
    (found,) = plan.pending if isinstance(plan, Proceed) else (plan,)
    assert isinstance(found, Wait | Blocked)
    return found


@pytest.mark.parametrize(
    ("status", "planned", "reason"),
    [
        ("up", [], None),
        ("maintenance", ["ActivateHost"], None),
        ("preparing_for_maintenance", [], Reason.WORK_IN_PROGRESS),
        ("installing", [], Reason.WORK_IN_PROGRESS),
        ("reboot", [], Reason.WORK_IN_PROGRESS),
        ("initializing", [], Reason.WORK_IN_PROGRESS),
        ("unassigned", [], Reason.WORK_IN_PROGRESS),
        ("install_failed", ["ReinstallHost"], None),
        ("connecting", [], Reason.ENGINE_HOST_NOT_UP),
        ("non_responsive", [], Reason.ENGINE_HOST_NOT_UP),
        ("down", [], Reason.ENGINE_HOST_NOT_UP),
        ("non_operational", [], Reason.ENGINE_HOST_NOT_OPERATIONAL),
        ("error", [], Reason.ENGINE_HOST_NOT_UP),
        ("a_word_of_another_version", [], Reason.ENGINE_HOST_NOT_UP),
    ],
)
def test_what_is_done_with_a_host_by_its_state(
    configured: OneHost, status: str, planned: list[str], reason: Reason | None
) -> None:
    assessed = assess(configured, engine(engine_host(status)))
    assert verbs(assessed.plan) == planned
    if reason is not None:
        assert obstacle(assessed.plan).reason is reason
    states = {c.type: c.state for c in assessed.report.conditions}
    assert states[ConditionType.ENGINE_MEMBER] is (State.TRUE if status == "up" else State.FALSE)


REQUIRED = ClusterNetwork("l", "lan", True, frozenset({"vm"}), "non_operational")
ELSEWHERE = ClusterNetwork("x", "storage9", True, frozenset({"vm"}), "non_operational")
LAN = {
    "apiVersion": "hvp.ovirt.life/v1alpha1",
    "kind": "Network",
    "metadata": {"name": "lan", "uid": "n"},
    "spec": {"role": "LAN", "subnet": "172.20.12.0/24"},
    "status": {"logicalNetwork": {"id": "l", "name": "lan"}},
}


@pytest.mark.parametrize(
    ("required", "attached", "detail", "reason", "told"),
    [
        pytest.param(
            (REQUIRED,), (), "network_unreachable", Reason.WAITING_FOR_NETWORKS, "requires: lan", id="it comes"
        ),
        pytest.param(
            (REQUIRED,), ("l",), "network_unreachable", Reason.WAITING_FOR_NETWORKS, "requires now", id="it is there"
        ),
        pytest.param(
            (REQUIRED,), ("l",), "network_interface_is_down", Reason.ENGINE_HOST_NOT_OPERATIONAL, "is_down", id="link"
        ),
        pytest.param(
            (ELSEWHERE,), (), "network_unreachable", Reason.ENGINE_HOST_NOT_OPERATIONAL, "Correct", id="nobody's"
        ),
        pytest.param((REQUIRED,), None, "", Reason.ENGINE_HOST_NOT_OPERATIONAL, "Correct", id="not told"),
    ],
)
def test_a_host_without_a_network_that_it_gets_is_no_fault(
    configured: OneHost,
    required: tuple[ClusterNetwork, ...],
    attached: tuple[str, ...] | None,
    detail: str,
    reason: Reason,
    told: str,
) -> None:
    there = None if attached is None else tuple(HostAttachment(one, one, True, ()) for one in attached)
    seen = engine(engine_host("non_operational", attachments=there, detail=detail))
    assert isinstance(seen.clusters, Known)
    seen = replace(seen, clusters=Known((replace(seen.clusters.value[0], networks=required),)))
    lan = KINDS.parse("Network", LAN)
    own = {"addresses": [NodeAddress(network="lan", address="172.20.12.11")]}
    node = configured.node.model_copy(update={"spec": configured.node.spec.model_copy(update=own)})
    view = SiteView.holding([configured.site, node, *configured.volumes, KINDS.parse("HostedEngine", ENGINE), lan])
    found = KINDS["Node"].assess(node, view, Observed({"node1": let_in(configured.observe())}, engine=seen))
    (member,) = (c for c in found.report.conditions if c.type is ConditionType.ENGINE_MEMBER)
    assert (member.state, member.reason) == (State.FALSE, reason)
    assert told in member.message


def test_item_25_a_new_host_of_a_self_hosted_engine_can_run_its_machine(configured: OneHost) -> None:
    """Domain page, section 5, item 25: that can only be decided when a host is added or installed anew."""
    other = engine_host("up", "node2", "172.20.10.12", hosted_engine=able())
    (step,) = steps_of(assess(configured, engine(other)).plan)
    assert isinstance(step, AddHost)
    assert step.serves_engine is True
    (plain,) = steps_of(assess(configured, engine(engine_host("up", "node2", "172.20.10.12"))).plan)
    assert isinstance(plain, AddHost)
    assert plain.serves_engine is False


def test_no_host_joins_a_self_hosted_engine_before_the_master_domain(configured: OneHost) -> None:
    other = engine_host("up", "node2", "172.20.10.12", hosted_engine=able())
    assessed = assess(configured, engine(other, master="locked"))
    assert verbs(assessed.plan) == []
    assert obstacle(assessed.plan).reason is Reason.DATA_CENTER_NOT_READY


def test_a_host_that_cannot_run_the_engines_machine_is_told_and_installed_anew_in_maintenance_only(
    configured: OneHost,
) -> None:
    other = engine_host("up", "node2", "172.20.10.12", hosted_engine=able())
    assessed = assess(configured, engine(other, engine_host("up")))
    assert verbs(assessed.plan) == []
    assert any("set spec.maintenance" in note for note in assessed.report.notes)
    assert verbs(assess(configured, engine(other, engine_host("maintenance")), maintenance=True).plan) == [
        "ReinstallHost"
    ]
    fit = engine_host("maintenance", hosted_engine=able())
    assert verbs(assess(configured, engine(other, fit), maintenance=True).plan) == []


@pytest.mark.parametrize("status", ["installing", "reboot", "initializing", "preparing_for_maintenance"])
def test_item_26_a_host_waits_while_another_one_is_on_its_way(configured: OneHost, status: str) -> None:
    """Domain page, section 5, item 26: one host at a time."""
    assessed = assess(configured, engine(engine_host(status, "node2", "172.20.10.12")))
    assert verbs(assessed.plan) == []
    assert obstacle(assessed.plan).reason is Reason.WAITING_FOR_NODES
    assert "node2" in obstacle(assessed.plan).message


def test_what_is_not_known_adds_no_host(configured: OneHost) -> None:
    unknown = configured.observe()
    unread = replace(unknown, files=dict(unknown.files) | {AUTHORIZED_KEYS: Unknown("it is no text")})
    for assessed in (
        assess(configured, engine(key=Unknown("no answer")), unknown),
        assess(configured, engine(), unread),
        assess(configured, replace(engine(), hosts=Unknown("no answer"))),
    ):
        assert verbs(assessed.plan) == []
        assert obstacle(assessed.plan).reason is Reason.NOT_OBSERVED


def test_item_6_a_host_is_added_only_when_the_devices_file_is_known(configured: OneHost) -> None:
    """Domain page, section 5, item 6: what LVM sees at the next boot."""
    facts = let_in(configured.observe())
    unread = replace(facts, files=dict(facts.files) | {LVM_DEVICES_FILE: Unknown("permission denied")})
    plan = assess(configured, engine(), unread).plan
    assert verbs(plan) == []
    assert isinstance(plan, Wait)
    assert verbs(assess(configured, engine(), facts).plan) == ["AddHost"]


def test_item_7_a_disk_that_an_installation_took_out_of_the_devices_file_comes_back_first(
    configured: OneHost,
) -> None:
    """Domain page, section 5, item 7: host-deploy leaves only its own devices there."""
    facts = let_in(configured.observe())
    evicted = replace(
        facts,
        files=dict(facts.files) | {LVM_DEVICES_FILE: file("IDTYPE=sys_wwid PVID=other\n")},
        packages=Known({}),
    )
    assert verbs(assess(configured, engine(engine_host("up")), evicted).plan)[0] == "AddToDevicesFile"
    assert verbs(assess(configured, engine(), evicted).plan)[0] == "AddToDevicesFile"
    assert "AddHost" not in verbs(assess(configured, engine(), evicted).plan)
    assert "AddToDevicesFile" not in verbs(assess(configured, engine(engine_host("up")), facts).plan)


def test_a_host_whose_boot_would_find_no_bricks_may_not_be_switched_off(configured: OneHost) -> None:
    facts = let_in(configured.observe())
    evicted = replace(facts, files=dict(facts.files) | {LVM_DEVICES_FILE: file("IDTYPE=sys_wwid PVID=other\n")})
    seen = engine(engine_host("maintenance"), engine_host("up", "node2", "172.20.10.12"))
    for looked, state in ((evicted, State.FALSE), (facts, State.TRUE)):
        assessed = assess(configured, seen, looked, maintenance=True)
        (said,) = (c for c in assessed.report.conditions if c.type is ConditionType.MAINTENANCE)
        assert said.state is state
    assert "lvmdevices --yes --adddev" in next(
        c.message
        for c in assess(configured, seen, evicted, maintenance=True).report.conditions
        if c.type is ConditionType.MAINTENANCE
    )

"""The cluster of file servers: in which order it comes to be, what is repaired, and what is told of it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Any

import pytest

from heretic.api.v1alpha1 import FileShare, GlusterVolume
from heretic.api.v1alpha1.node import Role
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.host.facts import HostFacts
from heretic.domain.kind import Assessment, Observed
from heretic.domain.plan import Blocked, Proceed, Risk, Wait, obstacles_of, steps_of
from heretic.domain.shares.cluster import see
from heretic.domain.shares.ctdb import texts
from heretic.domain.shares.ctdb.facts import CTDB, CtdbFacts
from heretic.domain.shares.ctdb.outage_steps import TakeServerOut
from heretic.domain.shares.ctdb.parse import FailedScript
from heretic.domain.shares.ctdb.steps import GivePublicAddresses
from heretic.kinds import KINDS
from sim.declared import INSPECTED, volume
from sim.site_rules import resource
from unit.shares.cluster_model import LOCK_ID, SPEC, STARTED, FileServers

NODES = "172.20.11.11\n172.20.11.12\n172.20.11.13\n"
ADDRESSES = "172.20.12.101/24 eth2\n172.20.12.102/24 eth2\n"
SERVING = ["MountVolume", "MakeFolder", "WriteFile", "PutGaneshaConfiguration", "StartGanesha", "PutEventScript"]
"""What comes once there are addresses."""
ADDED = [verb for verb in SERVING if verb != "MakeFolder"]
"""The same on a host that is added: folders are there already."""


def verbs(site: FileServers) -> list[str]:
    """Without repetitions."""
    return [verb for verb, _ in groupby(step.verb for step in site.steps)]


def told(found: Assessment, kind: ConditionType) -> Condition:
    return next(condition for condition in found.report.conditions if condition.type is kind)


@pytest.fixture
def site() -> FileServers:
    """One that is as declared."""
    made = FileServers()
    made.run()
    made.steps.clear()
    return made


def test_no_address_is_given_before_ctdb_runs_everywhere_on_a_lock_that_was_proved() -> None:
    site = FileServers()
    site.run()
    proof = ["HoldLock", "ProveLock", "ReleaseLock"]
    assert verbs(site) == ["MountLock", *proof, *proof, "WriteFile", "StartCtdb", "GivePublicAddresses", *SERVING]
    assert {host.proof for host in site.hosts.values()} == {LOCK_ID}
    assert {host.files[texts.NODES] for host in site.hosts.values()} == {NODES}


def test_addresses_are_given_to_hosts_with_data_only(site: FileServers) -> None:
    files = [host.files.get(texts.PUBLIC_ADDRESSES) for host in site.hosts.values()]
    assert files == [ADDRESSES, ADDRESSES, None]


def test_a_host_that_is_alone_has_nobody_to_keep_out() -> None:
    site = FileServers(servers=1)
    site.run()
    assert verbs(site) == ["MountLock", "WriteFile", "StartCtdb", "GivePublicAddresses", *SERVING]


def test_nothing_is_done_where_all_is_as_declared(site: FileServers) -> None:
    found = site.assess()
    assert steps_of(found.plan) == ()
    states = {c.type: c.state for c in found.report.conditions}
    assert states == {
        ConditionType.LOCK_READY: State.TRUE,
        ConditionType.CTDB_READY: State.TRUE,
        ConditionType.ADDRESSES_ASSIGNED: State.TRUE,
        ConditionType.SERVED: State.TRUE,
        ConditionType.DEGRADED: State.FALSE,
    }
    status = found.report.status.model_dump()
    assert (status["addresses_up"], status["addresses"], status["lock_volume"]) == ("2/2", SPEC["addresses"], "lock")
    assert [(s["number"], s["node"], s["state"]) for s in status["servers"]] == [
        (0, "n1", "OK"),
        (1, "n2", "OK"),
        (2, "n3", "OK"),
    ]


def change(path: str, content: str) -> Callable[[FileServers], None]:
    def edit(site: FileServers) -> None:
        site.hosts["n2"].files[path] = content

    return edit


def unmount(site: FileServers) -> None:
    site.hosts["n2"].mounted = ""


def forget_proof(site: FileServers) -> None:
    site.hosts["n1"].proof = ""


def stop_of(site: FileServers, name: str) -> None:
    site.hosts[name].states = None


def stop(site: FileServers) -> None:
    stop_of(site, "n2")


@pytest.mark.parametrize(
    ("spoil", "mended"),
    [
        (change(texts.CONFIGURATION, "[cluster]\n"), ["WriteFile"]),
        (change(texts.NODES, "172.20.11.12\n172.20.11.11\n172.20.11.13\n"), ["WriteFile"]),
        (change(texts.DROP_IN, ""), ["WriteFile"]),
        (change(texts.TUNABLES, "KeepaliveInterval=5\n"), ["WriteFile"]),
        (change(texts.PUBLIC_ADDRESSES, "172.20.12.101/24 eth2\n"), ["GivePublicAddresses"]),
        (unmount, ["MountLock"]),
        (forget_proof, ["HoldLock", "ProveLock", "ReleaseLock"]),
        (stop, ["StartCtdb"]),
    ],
)
def test_what_somebody_changed_is_mended(
    site: FileServers, spoil: Callable[[FileServers], None], mended: list[str]
) -> None:
    before = {name: dict(host.files) for name, host in site.hosts.items()}
    spoil(site)
    site.run()
    assert verbs(site) == mended
    assert {name: host.files for name, host in site.hosts.items()} == before


def test_addresses_that_ctdb_may_not_have_read_are_told_again(site: FileServers) -> None:
    site.hosts["n2"].marks = {texts.SERVICE}
    site.run()
    assert verbs(site) == ["GivePublicAddresses"]


def test_a_host_that_is_added_gets_the_next_number_whatever_its_name(site: FileServers) -> None:
    site.hosts = {"n0": type(site.hosts["n1"])(10), **site.hosts}
    site.run()
    assert site.hosts["n1"].files[texts.NODES] == f"{NODES}172.20.11.10\n"
    assert verbs(site)[-3 - len(ADDED) :] == ["StartCtdb", "ReloadNodes", "GivePublicAddresses", *ADDED]
    assert site.hosts["n0"].files[texts.PUBLIC_ADDRESSES] == ADDRESSES


def test_numbers_outlive_their_files_and_the_files_their_record(site: FileServers) -> None:
    site.hosts["n1"].files[texts.NODES] = "172.20.11.13\n"
    site.run()
    assert site.hosts["n1"].files[texts.NODES] == NODES
    turned = "172.20.11.13\n172.20.11.12\n172.20.11.11\n"
    for host in site.hosts.values():
        host.files[texts.NODES] = turned
        host.knows = tuple(turned.split())
    site.share = resource(FileShare, "files", SPEC)
    site.run()
    assert {host.files[texts.NODES] for host in site.hosts.values()} == {turned}


def test_a_line_never_gets_another_address(site: FileServers) -> None:
    site.run()
    moved = site.node("n2")
    moved = moved.model_copy(
        update={
            "spec": moved.spec.model_copy(
                update={"addresses": [e.model_copy(update={"address": "172.20.11.22"}) for e in moved.spec.addresses]}
            )
        }
    )
    site.instead = (moved,)
    plan = site.assess().plan
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.IMMUTABLE_DIFFERENCE
    assert "CTDB knows n2 by 172.20.11.12, and 172.20.11.22 is declared for it" in plan.message


def test_files_that_disagree_without_a_record_need_a_person(site: FileServers) -> None:
    site.share = resource(FileShare, "files", SPEC)
    site.hosts["n3"].files[texts.NODES] = "172.20.11.13\n172.20.11.12\n172.20.11.11\n"
    plan = site.assess().plan
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.CTDB_DIFFERS


def test_a_host_that_serves_no_files_any_more_counts_until_its_ctdb_has_ended_and_keeps_its_line(
    site: FileServers,
) -> None:
    site.instead = (site.node("n3", Role.STORAGE),)
    plan = site.run().plan
    assert isinstance(plan, Blocked)
    assert (plan.reason, "172.20.11.13" in plan.message) == (Reason.CTDB_DIFFERS, True)
    assert site.hosts["n1"].files[texts.NODES] == NODES
    assert site.steps == []
    stop_of(site, "n3")
    site.run()
    assert verbs(site) == ["WriteFile", "ReloadNodes"]
    for name in ("n1", "n2"):
        assert site.hosts[name].files[texts.NODES] == "172.20.11.11\n172.20.11.12\n#172.20.11.13\n"
    site.instead = ()
    site.run()
    assert site.hosts["n1"].files[texts.NODES] == NODES


def test_a_host_of_which_not_all_say_that_its_ctdb_has_ended_counts(site: FileServers) -> None:
    site.instead = (site.node("n3", Role.STORAGE),)
    looks = site.looks()
    told = looks["n1"]
    assert isinstance(told, HostFacts)
    stop_of(site, "n3")
    looks = site.looks() | {"n1": replace(told, sections={**told.sections, CTDB.name: CtdbFacts()})}
    lines = see(site.view, looks).lines
    assert not isinstance(lines, Wait | Blocked)
    assert [line.counts for line in lines] == [True, True, True]


def resting(site: FileServers, *names: str) -> None:
    for name, host in site.hosts.items():
        host.maintenance = name in names


def test_addresses_move_before_a_host_goes_into_maintenance_and_it_comes_back_after(site: FileServers) -> None:
    resting(site, "n1")
    (step,) = steps_of(site.assess().plan)
    assert isinstance(step, TakeServerOut)
    assert (step.target.name, step.number, step.risk) == ("n2", 0, Risk.DISRUPTIVE)
    found = site.run()
    assert verbs(site) == ["TakeServerOut"]
    assert told(found, ConditionType.ADDRESSES_ASSIGNED).message == ("172.20.12.101 on n2, 172.20.12.102 on n2")
    assert told(found, ConditionType.DEGRADED).reason is Reason.IN_MAINTENANCE
    resting(site)
    site.run()
    assert verbs(site) == ["TakeServerOut", "TakeServerBack"]
    assert site.out == set()


def test_what_is_done_on_the_others_does_not_wait_for_a_host_in_maintenance(site: FileServers) -> None:
    resting(site, "n1")
    site.run()
    site.hosts["n1"].states = None
    site.hosts["n2"].files[texts.TUNABLES] = ""
    site.run()
    assert verbs(site) == ["TakeServerOut", "WriteFile"]


def test_a_host_that_somebody_else_disabled_is_not_taken_back(site: FileServers) -> None:
    site.hosts["n1"].states = ("Disabled",)
    resting(site, "n1")
    site.run()
    resting(site)
    site.run()
    assert site.steps == []


@pytest.mark.parametrize("spoil", [lambda site: resting(site, "n1", "n2"), lambda site: None])
def test_addresses_stay_where_nobody_could_take_them(site: FileServers, spoil: Callable[[FileServers], None]) -> None:
    resting(site, "n1")
    site.hosts["n2"].states = ("Unhealthy",)
    spoil(site)
    words = told(site.run(), ConditionType.DEGRADED).message
    assert site.steps == []
    assert "the public addresses of n1 stay" in words


def test_one_host_is_taken_out_at_a_time(site: FileServers) -> None:
    resting(site, "n1")
    site.run()
    resting(site, "n1", "n2")
    words = told(site.run(), ConditionType.DEGRADED).message
    assert verbs(site) == ["TakeServerOut"]
    assert "the public addresses of n2 stay: n1 is taken out already" in words


def test_before_any_outage_of_a_host_its_addresses_go(site: FileServers) -> None:
    rule = KINDS["FileShare"].outage
    assert rule is not None
    (step,) = rule.before("n2", site.view, Observed(site.looks()))
    assert isinstance(step, TakeServerOut)
    site.apply(step)
    assert list(rule.before("n2", site.view, Observed(site.looks()))) == []
    assert list(rule.before("n3", site.view, Observed(site.looks()))) == []  # the arbiter has none
    site.share = resource(FileShare, "files", {**SPEC, "paused": True})
    assert list(rule.before("n1", site.view, Observed(site.looks()))) == []


def test_one_lost_host_holds_nobody_up(site: FileServers) -> None:
    site.hosts["n2"].lost = True
    site.hosts["n1"].files[texts.CONFIGURATION] = ""
    found = site.run()
    assert verbs(site) == ["WriteFile"]
    assert told(found, ConditionType.ADDRESSES_ASSIGNED).state is State.TRUE
    for kind, state in ((ConditionType.CTDB_READY, State.FALSE), (ConditionType.DEGRADED, State.TRUE)):
        condition = told(found, kind)
        assert (condition.state, condition.reason) == (state, Reason.CTDB_NOT_RUNNING)
    assert found.report.status.model_dump()["addresses"] == SPEC["addresses"]


def test_the_first_start_waits_for_every_host() -> None:
    site = FileServers()
    site.hosts["n3"].lost = True
    plan = site.assess().plan
    assert isinstance(plan, Wait)
    assert plan.reason is Reason.WAITING_FOR_NODES


def test_a_script_that_fails_is_told_with_its_words(site: FileServers) -> None:
    host = site.hosts["n1"]
    host.states, host.failed = ("Unhealthy",), (FailedScript("10.interface", "ERROR: No link"),)
    condition = told(site.assess(), ConditionType.DEGRADED)
    assert condition.reason is Reason.CTDB_NODE_UNHEALTHY
    assert condition.message == "n1 is Unhealthy; 10.interface: ERROR: No link"


def test_a_banned_host_is_told_and_addresses_that_nobody_has_are_missing(site: FileServers) -> None:
    site.hosts["n1"].states = ("Banned",)
    assert told(site.assess(), ConditionType.DEGRADED).reason is Reason.CTDB_NODE_BANNED
    site.hosts["n2"].states = ("Unhealthy",)
    condition = told(site.assess(), ConditionType.ADDRESSES_ASSIGNED)
    assert (condition.state, condition.reason) == (State.FALSE, Reason.ADDRESS_NOT_ASSIGNED)


def test_no_address_is_given_while_a_host_does_not_serve(site: FileServers) -> None:
    site.hosts["n1"].states = ("Unhealthy",)
    site.hosts["n2"].files[texts.PUBLIC_ADDRESSES] = ""
    plan = site.assess().plan
    assert isinstance(plan, Wait)
    assert plan.reason is Reason.CTDB_NODE_UNHEALTHY


def test_another_lock_than_declared_is_for_a_person(site: FileServers) -> None:
    site.hosts["n2"].lock = "/tmp/lock"
    plan = site.assess().plan
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.CTDB_DIFFERS


def test_what_lies_on_the_locks_place_is_not_covered(site: FileServers) -> None:
    site.hosts["n2"].mounted = "n1:/other"
    plan = site.assess().plan
    assert isinstance(plan, Blocked)
    assert (plan.reason, "n2" in plan.message) == (Reason.LOCK_NOT_MOUNTED, True)


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        (volume("lock", purpose="VirtualMachines"), Reason.LOCK_VOLUME_MISSING),
        (volume("lock", {"volumeId": LOCK_ID}, purpose="Lock"), Reason.VOLUME_NOT_STARTED),
        (volume("lock2", {"volumeId": "x", "conditions": [STARTED]}, purpose="Lock"), Reason.INVALID_SPEC),
    ],
)
def test_there_is_one_lock_volume_and_it_is_started(instead: GlusterVolume, reason: Reason) -> None:
    found = FileServers(instead).assess()
    (obstacle,) = obstacles_of(found.plan)
    assert obstacle.reason is reason
    assert told(found, ConditionType.LOCK_READY).reason is reason


def test_a_host_that_is_not_configured_yet_is_waited_for() -> None:
    site = FileServers()
    site.instead = (site.node("n1", conditions=(INSPECTED,)),)
    plan = site.assess().plan
    assert isinstance(plan, Wait)
    assert plan.reason is Reason.WAITING_FOR_NODES


def given_by(site: FileServers) -> str:
    return site.hosts["n1"].files[texts.PUBLIC_ADDRESSES]


def test_an_address_that_leaves_the_spec_is_taken_away_and_one_that_nobody_declared_stays(site: FileServers) -> None:
    for name in ("n1", "n2"):
        site.hosts[name].files[texts.PUBLIC_ADDRESSES] = f"172.20.12.9/24 eth2\n{ADDRESSES}"
    assert site.run().report.status.model_dump()["addresses"] == SPEC["addresses"]
    spec = site.share.spec.model_copy(update={"addresses": ["172.20.12.101"]})
    site.share = site.share.model_copy(update={"spec": spec})
    site.run()
    assert given_by(site) == "172.20.12.9/24 eth2\n172.20.12.101/24 eth2\n"
    assert site.assess().report.status.model_dump()["addresses"] == ["172.20.12.101"]


@pytest.mark.parametrize(
    ("spec", "given"),
    [({}, f"172.20.12.103/24 eth2\n{ADDRESSES}"), ({"paused": True}, ADDRESSES), ({"mode": "Plan"}, ADDRESSES)],
)
def test_what_another_share_declares_is_done_unless_it_may_not_act(
    site: FileServers, spec: dict[str, Any], given: str
) -> None:
    other = {**SPEC, "addresses": ["172.20.12.103"], "folders": [{"name": "else"}], **spec}
    site.instead = (resource(FileShare, "another", other),)
    site.run()
    assert given_by(site) == given


def test_addresses_are_given_by_one_host_after_the_other() -> None:
    site = FileServers()
    while not (steps := steps_of(plan := site.assess().plan)) or not isinstance(steps[0], GivePublicAddresses):
        for step in steps:
            site.apply(step)
    assert isinstance(plan, Proceed)
    assert (plan.ordered, len(steps)) == (True, 2)


def test_a_host_is_not_taken_out_while_nobody_could_take_its_addresses(site: FileServers) -> None:
    def against(node: str) -> list[str]:
        rule = KINDS["FileShare"].outage
        assert rule is not None
        looks = Observed(site.looks())
        return list(rule.against(node, site.view, looks, looks))

    assert against("n1") == []
    site.hosts["n2"].states = ("Unhealthy",)
    assert "n2" in against("n1")[0]
    assert against("n2") == []

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from heretic.api.v1alpha1 import Mode, Node, Resource, Site
from heretic.api.v1alpha1.site import MaintenanceWindow
from heretic.domain.approval import Approval, covered, hash_of
from heretic.domain.commands import Command, Script
from heretic.domain.declared.mode import mode_of
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import EngineCall, EngineStep
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, HostStep, Outage, Proceed, Risk, Wait, plan_hash
from heretic.kinds import KINDS
from heretic.reconcile.gates import (
    APPROVE,
    Passed,
    check_approval,
    check_engine,
    check_maintenance,
    check_one_target,
    check_slot,
    check_window,
    is_paused,
    outages_of,
)


class Pretended(HostStep):
    """A step that nothing here performs."""

    def script(self) -> Script:
        return Script(done=(Command(("true",)),), actions=(Command(("true",)),))


@dataclass(frozen=True, kw_only=True)
class Safe(Pretended):
    verb: ClassVar[str] = "WriteFile"


@dataclass(frozen=True, kw_only=True)
class InEngine(EngineStep):
    verb: ClassVar[str] = "AddNetwork"

    def call(self) -> EngineCall:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Disruptive(Pretended):
    verb: ClassVar[str] = "RestartService"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE


@dataclass(frozen=True, kw_only=True)
class Destructive(Pretended):
    verb: ClassVar[str] = "DeleteVolume"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE


@dataclass(frozen=True, kw_only=True)
class Reboot(Disruptive):
    verb: ClassVar[str] = "Reboot"
    seconds: int = 300

    @property
    def outage(self) -> Outage:
        return Outage(self.host, self.seconds)


@dataclass(frozen=True, kw_only=True)
class Wiping(Disruptive):
    """As if a step could be both."""

    verb: ClassVar[str] = "Wipe"


SAFE = Safe(host="node1", why="missing")
CALM_DOWN = Disruptive(host="node1", why="changed")
DELETE = Destructive(host="node1", why="deletionPolicy Destroy")
DECLARED = Destructive(host="node1", why="blank", declared="a blank disk named in spec.disks")


def volume(*, annotations: dict[str, str] | None = None, status: dict[str, Any] | None = None, **spec: Any) -> Resource:
    return KINDS.parse(
        "GlusterVolume",
        {
            "metadata": {
                "name": "data",
                "namespace": "demo",
                "uid": "u1",
                "generation": 3,
                "annotations": annotations or {},
            },
            "spec": {"purpose": "VirtualMachines", "size": "10Gi", **spec},
            "status": status or {},
        },
    )


def site(**spec: Any) -> Site:
    parsed = KINDS.parse("Site", {"metadata": {"name": "demo", "namespace": "demo"}, "spec": spec})
    assert isinstance(parsed, Site)
    return parsed


HASH = plan_hash("u1", 3, (DELETE,))


def test_a_declared_destructive_step_needs_no_approval() -> None:
    assert check_approval(volume(), Proceed((SAFE, DECLARED))) == Passed((SAFE, DECLARED))


@pytest.mark.parametrize(
    ("annotations", "status"),
    [
        pytest.param({}, {}, id="no approval"),
        pytest.param({APPROVE: "0123456789abcdef"}, {}, id="approval of another plan"),
        pytest.param({APPROVE: HASH}, {"lastApprovedPlan": HASH}, id="approval that was used up"),
    ],
)
def test_an_undeclared_destructive_step_is_held(annotations: dict[str, str], status: dict[str, Any]) -> None:
    passed = check_approval(volume(annotations=annotations, status=status), Proceed((DELETE,)))
    assert passed.steps == ()
    assert isinstance(passed.held, Blocked)
    assert passed.held.reason is Reason.WAITING_FOR_APPROVAL
    assert f"plan {HASH}" in passed.held.message
    assert "DeleteVolume on node1" in passed.held.message


ELSEWHERE = Safe(host="node2", why="missing")
AFTER = Safe(host="node1", why="comes after the deletion")


def test_what_needs_no_approval_goes_on_without_one_but_overtakes_nothing() -> None:
    plan = Proceed((SAFE, DELETE, AFTER, ELSEWHERE))
    assert covered(plan) == (DELETE,)
    assert check_approval(volume(), plan).steps == (SAFE, ELSEWHERE)
    approved = check_approval(volume(annotations={APPROVE: HASH}), plan)
    assert approved == Passed(plan.steps, approval=Approval(HASH, (DELETE,)))


def test_an_approval_outlives_changes_of_the_steps_beside_it() -> None:
    assert hash_of("u1", 3, Proceed((DELETE,))) == hash_of("u1", 3, Proceed((SAFE, DELETE, ELSEWHERE)))


def test_an_approval_of_an_ordered_plan_covers_all_of_it() -> None:
    plan = Proceed((SAFE, DELETE, ELSEWHERE), ordered=True)
    assert covered(plan) == plan.steps
    assert hash_of("u1", 3, plan) != HASH
    assert check_approval(volume(annotations={APPROVE: HASH}), plan).steps == ()
    assert check_approval(volume(annotations={APPROVE: hash_of("u1", 3, plan)}), plan).steps == plan.steps


def test_an_approval_lets_exactly_its_plan_through() -> None:
    passed = check_approval(volume(annotations={APPROVE: HASH}), Proceed((DELETE,)))
    assert passed == Passed((DELETE,), approval=Approval(HASH, (DELETE,)))


def test_the_hash_names_object_generation_and_targets() -> None:
    other_target = Destructive(host="node2", why=DELETE.why)
    other_words = Destructive(host="node1", why="other words")
    assert plan_hash("u1", 3, (other_words,)) == HASH
    assert (
        len(
            {
                HASH,
                plan_hash("u2", 3, (DELETE,)),
                plan_hash("u1", 4, (DELETE,)),
                plan_hash("u1", 3, (other_target,)),
            }
        )
        == 4
    )


@pytest.mark.parametrize(
    ("now", "inside"),
    [
        ("2026-11-21T21:59:59", False),  # a Saturday
        ("2026-11-21T22:00:00", True),
        ("2026-11-22T03:59:59", True),  # still open after midnight
        ("2026-11-22T04:00:00", False),
        ("2026-11-22T23:00:00", False),  # Sunday's is not declared
    ],
)
def test_disruptive_steps_wait_for_a_window(now: str, inside: bool) -> None:
    window = MaintenanceWindow(days=["Saturday"], start_time="22:00", duration_minutes=360)
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    passed = check_window(Passed((SAFE, CALM_DOWN)), [window], at)
    assert passed.steps == ((SAFE, CALM_DOWN) if inside else (SAFE,))
    assert (passed.held is None) == inside


def test_without_windows_disruptive_steps_may_always_run() -> None:
    assert check_window(Passed((CALM_DOWN,)), [], datetime.now(UTC)).steps == (CALM_DOWN,)


def test_a_taken_slot_holds_disruptive_steps_and_what_comes_after_them() -> None:
    passed = check_slot(Passed((SAFE, CALM_DOWN, AFTER, ELSEWHERE)), held_by_us=False, holder="Node/demo/node2")
    assert passed.steps == (SAFE, ELSEWHERE)
    assert isinstance(passed.held, Wait)
    assert "Node/demo/node2" in passed.held.message


def test_one_target_of_a_plan_is_disrupted_at_a_time_with_the_first_of_its_steps() -> None:
    reboots = tuple(Reboot(host=f"node{n}", why="an update asks for it") for n in (1, 2))
    drained = Disruptive(host="node2", why="an update asks for it")
    passed = check_one_target(Passed((SAFE, reboots[0], AFTER, drained, reboots[1])))
    assert passed.steps == (SAFE, reboots[0], AFTER)
    assert isinstance(passed.held, Wait)
    assert f"{drained} waits for {reboots[0]}" in passed.held.message


def test_a_plan_that_disrupts_one_target_or_none_passes_whole() -> None:
    passed = Passed((SAFE, CALM_DOWN, AFTER, ELSEWHERE))
    assert check_one_target(passed) is passed


def test_a_host_is_out_for_the_longest_time_that_a_step_takes_it_out() -> None:
    steps = [Reboot(host="node1", why="asked for", seconds=s) for s in (300, 900, 60)]
    assert outages_of((SAFE, CALM_DOWN, *steps)) == {"node1": Outage("node1", 900)}


def test_a_held_step_of_an_ordered_plan_holds_all_hosts() -> None:
    passed = check_slot(Passed((SAFE, CALM_DOWN, ELSEWHERE), ordered=True), held_by_us=False, holder="")
    assert passed.steps == (SAFE,)


@pytest.mark.parametrize("ordered", [True, False])
def test_an_approved_plan_is_not_begun_when_a_part_of_it_is_held(ordered: bool) -> None:
    both = (DELETE, CALM_DOWN) if ordered else (DELETE, Wiping(host="node2", why="asked for"))
    approved = Passed((SAFE, *both), approval=Approval(HASH, both), ordered=ordered)
    passed = check_slot(approved, held_by_us=False, holder="Node/demo/node2")
    assert passed.steps == (SAFE,)
    assert passed.approval is None, "it is not used up"


@pytest.mark.parametrize(
    ("own", "default", "expected"),
    [
        (None, None, Mode.APPLY),
        (None, "Plan", Mode.PLAN),
        ("Observe", "Apply", Mode.OBSERVE),
        ("Apply", "Plan", Mode.APPLY),
    ],
)
def test_the_objects_mode_goes_before_the_sites(own: str | None, default: str | None, expected: Mode) -> None:
    resource = volume(mode=own) if own else volume()
    assert mode_of(resource, site(mode=default) if default else site()) is expected


def test_paused_by_the_object_the_site_or_a_file(tmp_path: Path) -> None:
    switch = tmp_path / "stop"
    assert not is_paused(volume(), site(), switch)
    assert is_paused(volume(paused=True), site(), switch)
    assert is_paused(volume(), site(paused=True), switch)
    switch.touch()
    assert is_paused(volume(), site(), switch)


def node(name: str, *, maintenance: bool = False) -> Node:
    spec = {"address": "192.0.2.1", "maintenance": maintenance}
    found = KINDS.parse("Node", {"metadata": {"name": name, "namespace": "demo"}, "spec": spec})
    assert isinstance(found, Node)
    return found


@pytest.mark.parametrize(
    ("ordered", "left"),
    [(False, ("node2",)), (True, ())],
    ids=["other hosts go on", "but not what comes later in an ordered plan"],
)
def test_a_node_in_maintenance_is_asked_for_no_effect(ordered: bool, left: tuple[str, ...]) -> None:
    nodes = {"node1": node("node1", maintenance=True), "node2": node("node2")}
    steps = (SAFE, Safe(host="node2", why="missing"))
    passed = check_maintenance(Passed(steps, ordered=ordered), SiteView.holding(nodes.values()))
    assert tuple(s.target.name for s in passed.steps) == left
    assert isinstance(passed.held, Wait)
    assert passed.held.reason is Reason.IN_MAINTENANCE
    assert "node1 is in maintenance" in passed.held.message


def test_an_approval_is_not_used_up_while_a_host_of_its_plan_is_in_maintenance() -> None:
    approved = Passed((SAFE, DELETE), approval=Approval("word", (SAFE, DELETE)), ordered=True)
    passed = check_maintenance(approved, SiteView.holding([node("node1", maintenance=True)]))
    assert (passed.steps, passed.approval) == ((), None)


@pytest.mark.parametrize(
    ("site", "engine", "told"),
    [
        ({}, {}, ""),
        ({}, {"mode": "Observe"}, "HostedEngine engine is in mode Observe, so nothing is changed in it"),
        ({"mode": "Plan"}, {}, "HostedEngine engine is in mode Plan"),
        ({"mode": "Plan"}, {"mode": "Apply"}, ""),
        ({}, {"paused": True}, "HostedEngine engine is paused"),
    ],
)
def test_what_is_said_of_an_engine_holds_for_every_object_that_keeps_something_in_it(
    site: dict[str, Any], engine: dict[str, Any], told: str
) -> None:
    reached = {"fqdn": "engine.example.test", "deployment": "Existing"}
    view = SiteView.holding(
        [
            KINDS.parse("Site", {"metadata": {"name": "demo", "namespace": "demo"}, "spec": site}),
            KINDS.parse(
                "HostedEngine", {"metadata": {"name": "engine", "namespace": "demo"}, "spec": reached | engine}
            ),
        ]
    )
    passed = check_engine(Passed((SAFE, InEngine(engine="engine", why="missing"))), view)
    assert [s.verb for s in passed.steps] == ["WriteFile", *(() if told else ("AddNetwork",))]
    assert told in (passed.held.message if passed.held else "")
    assert bool(told) == (passed.held is not None)

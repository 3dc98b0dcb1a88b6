"""A heal that does not get on: it is asked for once, and told when that did not help (rule:heal-progress)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from heretic.api.v1alpha1.volume_status import HealProgress
from heretic.domain.commands import Output
from heretic.domain.conditions import ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.gluster.heal_progress import progress
from heretic.domain.gluster.steps import AskForHeal
from heretic.domain.plan import steps_of
from heretic.domain.pool.probes import heal_note, parse_note
from sim.site_rules import RuledSite, ruled_site

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
VOLUMES = {"vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}, "lock": {"purpose": "Lock", "size": "1Gi"}}


@pytest.fixture(scope="module")
def built() -> tuple[RuledSite, Callable[[], None]]:
    site = ruled_site(volumes=VOLUMES)
    site.settle()
    return site, site.save()


@pytest.fixture
def site(built: tuple[RuledSite, Callable[[], None]]) -> RuledSite:
    """Node2 was away while five files were written, and is back."""
    site, restore = built
    restore()
    site.now = NOON
    site.gluster.power_cut("node2")
    site.gluster.write("vmstore", 5)
    site.gluster.power_on("node2")
    site.round()
    return site


def later(site: RuledSite, seconds: float) -> None:
    """Time goes by, and a pass comes."""
    assert site.now is not None
    site.now += timedelta(seconds=seconds)
    site.round()


def asked(site: RuledSite) -> list[AskForHeal]:
    return [step for step in site.effects if isinstance(step, AskForHeal)]


def healed(site: RuledSite) -> tuple[State, Reason, str]:
    condition = next(c for c in site.report_of("vmstore").conditions if c.type is ConditionType.HEALED)
    return condition.state, condition.reason, condition.message


RECORDED = HealProgress(entries=7, since="2026-11-28T11:00:00+00:00")
NEW = "2026-11-28T12:00:00+00:00"


@pytest.mark.parametrize(
    ("before", "waiting", "now", "after"),
    [
        (None, 0, NOON, None),
        (None, 7, NOON, HealProgress(entries=7, since=NEW)),
        (RECORDED, 7, NOON, RECORDED),
        (RECORDED, 6, NOON, HealProgress(entries=6, since=NEW)),
        (RECORDED, 8, NOON, HealProgress(entries=8, since=NEW)),
        (RECORDED, 0, NOON, None),
        (RECORDED, None, NOON, RECORDED),
        (RECORDED, 6, None, RECORDED),
        (None, None, NOON, None),
        (None, 7, None, None),
    ],
    ids=[
        "nothing waits",
        "it begins",
        "as many as before",
        "fewer",
        "more",
        "it ends",
        "nobody knows",
        "nobody knows the time",
        "nobody ever knew",
        "it begins at a time that nobody knows",
    ],
)
def test_what_is_recorded_of_a_heal(
    before: HealProgress | None, waiting: int | None, now: datetime | None, after: HealProgress | None
) -> None:
    assert progress(before, waiting, now) == after


def test_a_heal_that_stands_for_two_minutes_is_asked_for_once(site: RuledSite) -> None:
    site.gluster.unhealable.add("vmstore")
    later(site, 119)
    assert asked(site) == []
    later(site, 1)
    (step,) = asked(site)
    assert step.why == "10 entries of vmstore wait to be healed, as many as at 2026-11-28T12:00:00+00:00"
    for _ in range(20):
        later(site, 60)
    assert site.gluster.asked_to_heal == ["vmstore"]


def test_a_heal_that_was_asked_for_ends_and_leaves_nothing_to_do(site: RuledSite) -> None:
    later(site, 120)
    later(site, 10)
    assert healed(site)[0] is State.TRUE
    assert site.status_of("vmstore").heal_progress is None
    assert list(steps_of(site.plan_of("vmstore"))) == []


def test_a_heal_that_gets_on_is_not_asked_for(site: RuledSite) -> None:
    brick = site.gluster.volumes["vmstore"].bricks[0]
    for left in (4, 3, 2, 1):
        later(site, 100)
        brick.pending = left
    later(site, 100)
    assert site.gluster.asked_to_heal == []


def test_another_standstill_is_asked_for_again(site: RuledSite) -> None:
    site.gluster.unhealable.add("vmstore")
    later(site, 120)
    site.gluster.volumes["vmstore"].bricks[0].pending = 2
    later(site, 60)
    later(site, 120)
    assert site.gluster.asked_to_heal == ["vmstore", "vmstore"]


def brick_down(site: RuledSite) -> None:
    site.gluster.power_cut("node3")


def daemon_down(site: RuledSite) -> None:
    site.gluster.nodes["node3"].self_heal_lost.add("vmstore")


def note_unreadable(site: RuledSite) -> None:
    for machine in site.machines.values():
        machine.seconds["@file"] = 99.0


@pytest.mark.parametrize("trouble", [brick_down, daemon_down, note_unreadable])
def test_nothing_is_asked_for_where_it_could_not_help_or_was_perhaps_asked_for(
    site: RuledSite, trouble: Callable[[RuledSite], None]
) -> None:
    trouble(site)
    assert site.now is not None
    site.now += timedelta(seconds=300)
    assert not [step for step in steps_of(site.plan_of("vmstore")) if isinstance(step, AskForHeal)]


@pytest.mark.parametrize(("timeout", "seconds"), [("", 1200), ("60", 120), ("3600", 7200)])
def test_a_standstill_is_told_after_two_turns_of_the_daemons(site: RuledSite, timeout: str, seconds: int) -> None:
    site.gluster.unhealable.add("vmstore")
    if timeout:
        site.gluster.volumes["vmstore"].options["cluster.heal-timeout"] = timeout
    later(site, seconds - 1)
    assert healed(site)[:2] == (State.FALSE, Reason.HEAL_PENDING)
    later(site, 1)
    state, reason, message = healed(site)
    assert (state, reason) == (State.FALSE, Reason.HEAL_STANDS_STILL)
    assert "5 on node1.gluster.private:/gluster_bricks/vmstore/brick1/brick" in message
    assert "glustershd.log on node1, node3;" in message
    site.gluster.volumes["vmstore"].bricks[0].pending = 4
    later(site, 1)
    assert healed(site)[1] is Reason.HEAL_PENDING


@pytest.mark.parametrize(
    ("output", "fact"),
    [
        (Output(0, "0644\nid 5 then\n", ""), Known("id 5 then")),
        (Output(1, "", ""), Known("")),
        (
            Output(2, "", "Input/output error\n"),
            Unknown("the note of the last heal cannot be read: Input/output error"),
        ),
    ],
)
def test_a_note_that_cannot_be_read_is_not_a_note_that_is_not_there(output: Output, fact: Known[str] | Unknown) -> None:
    assert parse_note(output) == fact


def test_an_ask_that_was_noted_is_not_repeated(site: RuledSite) -> None:
    """The operator died before it stored anything: the host knows."""
    later(site, 120)
    (step,) = asked(site)
    assert heal_note("vmstore") in site.machines[step.host].files
    assert site.perform(step)
    assert site.gluster.asked_to_heal == ["vmstore"]

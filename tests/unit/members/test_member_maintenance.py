"""A host goes into maintenance in the engine, and comes back: alone, and only while the site bears it."""

from collections.abc import Callable
from typing import Any

import pytest
from ovirtsdk4.services import HostService

from heretic.domain.commands import Output
from heretic.reconcile import outages
from sim.engine import api
from sim.engine.calls import Call
from sim.engine.host_life import Status
from sim.engine.messages import HttpRequest, conflict
from sim.world import DiedError, Recorder
from unit.members.conftest import MemberWorld

NODE = "node3"


@pytest.fixture
async def up(storage: MemberWorld, monkeypatch: pytest.MonkeyPatch) -> MemberWorld:
    """All hosts are up, a volume is whole, two looks may follow each other at once, and the operator is a new one."""
    monkeypatch.setattr(outages, "APART", 0.0)
    await storage.until(storage.ready, seconds=25)
    await storage.world.kill_operator()  # it has looked twice before it attached networks, and would count that
    await storage.world.start_operator()
    return storage


def sent(site: MemberWorld, action: str) -> int:
    return sum(one.endswith(f"/{action}") for one in site.writes)


async def test_a_host_leaves_and_comes_back_and_keeps_the_slot_until_the_site_is_whole_twice(up: MemberWorld) -> None:
    up.declare(NODE, maintenance=True)
    await up.rounds(1)
    assert "second look" in up.tells("Ready", NODE)["message"]
    assert up.tells("Maintenance", NODE)["status"] == "False"
    await up.until(lambda: up.tells("Maintenance", NODE)["status"] == "True")
    assert up.state_of(NODE) == "maintenance"
    assert sent(up, "deactivate") == 1
    assert up.tells("EngineMember", NODE)["reason"] == "InMaintenance"
    assert up.tells("Ready", NODE)["status"] == "True"
    up.world.site.pool.power_cut(NODE)
    await up.rounds(3)
    assert up.tells("Maintenance", NODE)["status"] == "True"
    assert up.seen(NODE)["outOfService"] is True

    up.world.site.pool.power_on(NODE)
    up.declare(NODE, maintenance=False)
    await up.until(lambda: up.state_of(NODE) == "up")
    assert sent(up, "activate") == 1
    await up.rounds(1, seconds=0)
    assert up.tells("Maintenance", NODE)["reason"] == "WaitingForHeal"
    up.declare("node2", maintenance=True)
    await up.rounds(3, seconds=1)
    assert up.state_of("node2") == "up"
    up.declare("node2", maintenance=False)
    await up.until(lambda: bool(up.seen(NODE).get("wholeSince")), seconds=0)
    await up.rounds(2, seconds=0)
    assert up.seen(NODE)["outOfService"] is True
    assert "disruption slot until every volume is known to be healed twice" in up.tells("Reconciling", NODE)["message"]
    up.clock.go(seconds=60)
    await up.until(up.ready)
    assert not up.seen(NODE).get("outOfService")
    assert up.tells("Maintenance", NODE)["status"] == "False"


def pending(site: MemberWorld) -> None:
    site.world.site.pool.volumes["engine"].bricks[0].pending = 3


def heal_unknown(site: MemberWorld) -> None:
    vars(site.world.site.pool)["_heal_summary"] = lambda _: Output(124, "", "")


def second_look_missing(site: MemberWorld) -> None:
    """Nobody waits for it here: the first look was a moment ago."""


def brick_unknown(site: MemberWorld) -> None:
    site.world.site.pool.locked = "engine"


def another_out(site: MemberWorld) -> None:
    site.declare("node2", maintenance=True)


def rebalance(site: MemberWorld) -> None:
    site.world.site.pool.volumes["engine"].tasks.append(("Rebalance", "1"))


def glusterd_down(site: MemberWorld) -> None:
    site.world.site.pool.nodes["node1"].alive = False


def _in_state(site: MemberWorld, name: str, state: Any) -> None:
    site.state.lives[site.seen(name)["engine"]["id"]].go(site.clock(), (0, state))


def host_down(site: MemberWorld) -> None:
    _in_state(site, "node2", Status.NON_OPERATIONAL)


def engine_away(site: MemberWorld) -> None:
    site.server.faults.unavailable = -1


def only_host(site: MemberWorld) -> None:
    for name in ("node1", "node2"):
        _in_state(site, name, Status.ERROR)


def engine_restored(site: MemberWorld) -> None:
    site.state.instance_id = "4c2b5a2e-0000-4000-8000-000000000000"


SITUATIONS: dict[Callable[[MemberWorld], None], str] = {
    pending: "engine is not known to be healed twice: copies wait to be healed",
    heal_unknown: "engine is not known to be healed twice: what waits is not known",
    brick_unknown: "not every brick of engine is known to run",
    another_out: "node2 is in maintenance",
    rebalance: "engine has a task in progress",
    glusterd_down: "not every storage node is a connected member of the trusted pool",
    host_down: "node2 is NonOperational in the engine",
    engine_away: "HostedEngine engine cannot be observed",
    engine_restored: "another engine",
    only_host: "the only host of the engine's cluster that is up",
    second_look_missing: "a second look, 3600 s after the first",
}


def test_there_are_ten_situations_and_each_says_something_else() -> None:
    assert len(SITUATIONS) >= 10
    assert not [(a, b) for a in SITUATIONS.values() for b in SITUATIONS.values() if a is not b and a in b]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda value: value.__name__)
async def test_a_host_stays_while_the_site_cannot_bear_its_loss(
    up: MemberWorld, situation: Callable[[MemberWorld], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if situation is second_look_missing:
        monkeypatch.setattr(outages, "APART", 3600.0)
    situation(up)
    up.declare(NODE, maintenance=True)
    await up.rounds(4)
    said = up.tells("Ready", NODE)["message"] + up.tells("Maintenance", NODE)["message"]
    assert SITUATIONS[situation] in said
    assert [told for told in SITUATIONS.values() if told in said] == [SITUATIONS[situation]]
    assert sent(up, "deactivate") == 0
    assert up.tells("Maintenance", NODE)["status"] == "False"
    assert "do not switch" in up.tells("Maintenance", NODE)["message"]


async def test_what_the_engine_refuses_keeps_the_host_and_is_told_in_its_words(
    up: MemberWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Cannot switch the following Host(s) to Maintenance mode: node3. The host is the SPM and has running tasks."

    def refuse(call: Call) -> None:
        raise conflict(said)

    monkeypatch.setitem(api.OPERATIONS, (HostService, "deactivate"), refuse)
    up.declare(NODE, maintenance=True)
    await up.rounds(3)
    assert sent(up, "deactivate") > 0
    assert said in up.tells("Stalled", NODE)["message"]
    assert up.tells("Maintenance", NODE)["status"] == "False"


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_operator_that_is_killed_at_the_effect_takes_the_same_host_out_and_no_other(
    up: MemberWorld, moment: str
) -> None:
    class AtVerb(Recorder):
        async def before(self, effect):  # type: ignore[no-untyped-def]
            if moment == "before" and effect.verb == "DeactivateHost":
                raise DiedError

        async def after(self, effect):  # type: ignore[no-untyped-def]
            if moment == "after" and effect.verb == "DeactivateHost":
                raise DiedError

    await up.world.kill_operator()
    await up.world.start_operator(AtVerb())
    up.declare(NODE, maintenance=True)
    with pytest.raises(DiedError):
        await up.rounds(6)
    await up.world.kill_operator()
    await up.world.start_operator()
    await up.until(lambda: up.tells("Maintenance", NODE)["status"] == "True")
    assert sent(up, "deactivate") == 1


async def test_a_lost_reply_takes_a_host_out_once(up: MemberWorld) -> None:
    def leaving(request: HttpRequest) -> bool:
        return request.path.endswith("/deactivate")

    up.server.faults.at, up.server.faults.drop_after = leaving, 1
    up.declare(NODE, maintenance=True)
    await up.until(lambda: up.tells("Maintenance", NODE)["status"] == "True")
    assert sent(up, "deactivate") == 1

"""A change of links that cuts SSH is back within its time, whatever became of the operator, and is told."""

from typing import Any

import pytest

from heretic.domain.wiring.link_steps import SECONDS
from heretic.domain.wiring.manager import TAKEN_BACK
from sim.addresses import PREFIX
from sim.link_site import link_site
from sim.network_manager import BUS
from unit.wiring.conftest import LinkWorld

WRONG: dict[str, dict[str, Any]] = {
    "a wrong VLAN": {"vlan": 77},
    "a wrong prefix length": {"subnet": f"{PREFIX}0/28", "gateway": None},
    "a gateway that is none": {"gateway": f"{PREFIX}77", "mtu": 2000},
}
RIGHT: dict[str, Any] = {"vlan": None, "subnet": f"{PREFIX}0/24", "gateway": f"{PREFIX}1", "mtu": 4000}


def prepared(made: LinkWorld, wrong: str) -> dict[str, Any]:
    if "gateway that" in wrong:
        made.site.desk = "203.0.113.5"
    made.declare("lan", gateway=None)
    return made.links()


async def stalls(made: LinkWorld, before: dict[str, Any]) -> None:
    await made.run(rounds=90, until=lambda: made.tells("Stalled")[0] == "True")
    status, reason, message = made.tells("Stalled")
    assert (status, reason) == ("True", "ChangeTakenBack"), made.describe()
    assert "the host took that back (2 times): nobody could prove it in time" in message
    effects = len(made.site.effects)
    await made.rounds(2)
    assert made.site.effects[effects:] == []
    assert made.links() == before
    made.declare("mgmt", **RIGHT)
    await made.run(rounds=8)
    assert made.links()["eno1"] == (4000, (f"{PREFIX}11/24",))
    assert made.tells("Stalled")[0] != "True"


@pytest.mark.parametrize("wrong", WRONG)
async def test_the_operator_waits_for_the_host_and_tells_what_came_back(one: LinkWorld, wrong: str) -> None:
    before = prepared(one, wrong)
    one.declare("mgmt", **WRONG[wrong])
    begun = one.site.clock.at
    await one.run(rounds=90, until=lambda: one.site.clock.at > begun + SECONDS and not one.on_trial())
    assert one.links() == before
    assert one.site.clock.at <= begun + SECONDS + 30
    await stalls(one, before)


@pytest.mark.parametrize("wrong", WRONG)
async def test_the_host_does_it_alone_where_the_operator_has_died(one: LinkWorld, wrong: str) -> None:
    before = prepared(one, wrong)
    one.declare("mgmt", **WRONG[wrong])
    await one.dies_proving()
    assert not one.site.reachable("node1")
    one.site.go(SECONDS)
    assert one.site.reachable("node1")
    assert one.links() == before
    await one.start_operator()
    await stalls(one, before)


@pytest.mark.parametrize("wrong", WRONG)
async def test_the_host_does_it_alone_where_the_operator_is_cut_off(one: LinkWorld, wrong: str) -> None:
    before = prepared(one, wrong)
    one.declare("mgmt", **WRONG[wrong])
    one.when_proving(one.site.cut_off)
    await one.run(rounds=90, until=lambda: bool(one.site.cut) and not one.on_trial())
    assert one.links() == before
    one.site.on_try = lambda name: None
    one.site.cut.clear()
    await stalls(one, before)


async def test_who_stops_to_answer_is_told_and_the_same_is_not_tried_again(one: LinkWorld) -> None:
    before = one.links()
    one.declare("mgmt", mtu=4000)
    one.when_proving(lambda _: one.site.there["mgmt"].clear())
    await one.run(rounds=90, until=lambda: one.tells("Stalled")[0] == "True")
    status, reason, message = one.tells("Stalled")
    assert (status, reason) == ("True", "ChangeTakenBack"), one.describe()
    assert f"(1 times): {PREFIX}1 did not answer any more" in message
    assert one.links() == before


async def test_a_new_router_must_answer(one: LinkWorld) -> None:
    before = one.links()
    one.declare("mgmt", gateway=f"{PREFIX}77", mtu=4000)
    await one.run(rounds=90, until=lambda: one.tells("Stalled")[0] == "True")
    status, reason, message = one.tells("Stalled")
    assert (status, reason) == ("True", "ChangeTakenBack"), one.describe()
    assert f"(1 times): {PREFIX}77 did not answer" in message
    assert one.links() == before
    one.site.there["mgmt"].add(f"{PREFIX}77")
    del one.site.machines["node1"].files[TAKEN_BACK]
    await one.run(rounds=8)
    assert one.links()["eno1"] == (4000, (f"{PREFIX}11/24",))
    assert one.site.links["node1"].manager.active["eno1"].gateway == f"{PREFIX}77"


async def test_a_router_that_is_down_anyway_stops_no_change(one: LinkWorld) -> None:
    one.site.there["mgmt"].clear()
    one.declare("mgmt", mtu=4000)
    await one.run(rounds=8)
    assert one.links()["eno1"] == (4000, (f"{PREFIX}11/24",))


async def test_a_right_change_whose_operator_was_cut_off_goes_through_when_it_is_back(one: LinkWorld) -> None:
    before = one.links()
    one.declare("mgmt", mtu=4000)
    one.when_proving(one.site.cut_off)
    await one.run(rounds=90, until=lambda: bool(one.site.cut) and not one.on_trial())
    assert one.links() == before
    one.site.on_try = lambda name: None
    one.site.cut.clear()
    await one.run(rounds=8)
    assert one.links()["eno1"] == (4000, (f"{PREFIX}11/24",))


async def test_what_a_dead_operator_left_on_trial_is_ended_first(one: LinkWorld) -> None:
    before = one.links()
    one.declare("mgmt", mtu=4000)
    await one.dies_proving()
    assert one.links() != before
    await one.start_operator()
    await one.rounds(2)
    assert one.tells("Ready")[1] == "WorkInProgress"
    assert "a change of its links is on trial" in one.tells("Ready")[2]
    one.site.go(SECONDS)
    assert one.links() == before
    await one.run(rounds=8)
    assert one.links()["eno1"] == (4000, (f"{PREFIX}11/24",))


async def test_a_checkpoint_of_somebody_else_is_left_to_end(one: LinkWorld) -> None:
    before = one.links()
    one.site.machines["node1"].run(("busctl", "call", *BUS, "CheckpointCreate", "aouu", "0", "60", "6"))
    one.declare("mgmt", mtu=4000)
    await one.rounds(3)
    assert one.links() == before
    assert "Checkpoints" in one.tells("Ready")[2]
    one.site.go(60)
    await one.run(rounds=8)
    assert one.links()["eno1"] == (4000, (f"{PREFIX}11/24",))


async def test_a_node_that_dies_within_the_trial_of_another_one_stalls_nobody(three: LinkWorld) -> None:
    tried: list[str] = []

    def die(name: str) -> None:
        if not tried:
            three.site.pool.power_cut("node3")
            three.site.servers["node3"].drop()
        tried.append(name)

    three.when_proving(die)
    three.declare("gluster", mtu=4000)
    await three.run(rounds=90, until=lambda: bool(tried) and not three.on_trial())
    (first,) = set(tried)
    told = three.site.machines[first].files[TAKEN_BACK].content.split()
    assert told[1:] == ["1", "172.20.11.13", "172.20.12.13", f"{PREFIX}13"]
    assert three.links(first)["bond0"][0] == 9000

    await three.rounds(4)
    assert set(tried) == {first}, "the site is not whole: nobody is disturbed again"
    assert three.tells("Ready", first)[1] == "MaintenanceUnsafe"
    assert three.tells("Stalled", first)[0] != "True", three.describe()

    three.site.pool.power_on("node3")
    await three.run(rounds=30, until=lambda: all(three.links(name)["bond0"][0] == 4000 for name in three.site.links))


async def test_one_node_after_the_other_and_none_while_the_site_is_not_whole() -> None:
    async with LinkWorld(link_site({"engine": {"purpose": "Engine", "size": "20Gi"}})) as made:
        await made.start_operator()
        await made.run(rounds=40)
        before = {name: made.links(name) for name in made.site.links}
        made.site.pool.kill_brick("engine", "node2")
        made.site.pool.write("engine", 3)
        made.declare("gluster", mtu=4000)
        await made.rounds(4)
        assert {name: made.links(name) for name in made.site.links} == before
        for name in made.site.links:
            assert made.tells("Ready", name)[1] in ("MaintenanceUnsafe", "WaitingForSlot"), made.describe()
        made.site.pool.nodes["node2"].machine.reboot()
        made.site.pool.heal()
        seen: list[list[str]] = []
        made.when_proving(lambda _: seen.append(made.on_trial()))
        await made.run(rounds=40, until=lambda: all(made.links(name)["bond0"][0] == 4000 for name in made.site.links))
        assert sorted(seen) == [["node1"], ["node2"], ["node3"]]
        assert made.site.refusals == []

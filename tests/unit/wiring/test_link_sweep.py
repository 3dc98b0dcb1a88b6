"""Links change with the operator dying at every effect: no host ever needs a keyboard, and the end is the same."""

from typing import Any

import pytest

from sim.link_site import link_site
from sim.oracles import LinkOracles
from sim.world import DiedError
from unit.wiring.conftest import LinkWorld
from unit.wiring.sweep import DISTURBANCES, SweptWorld, sweep

NODES = 3


class NewSizes(SweptWorld):
    """Ports are found and configured, and then two networks get another MTU."""

    changes: dict[str, dict[str, Any]] = {"gluster": {"mtu": 4000}, "mgmt": {"mtu": 2000}}

    def is_changed(self, links: dict[str, Any]) -> bool:
        return (links.get("bond0", (0,))[0], links["eno1"][0]) == (4000, 2000)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("disturbance", DISTURBANCES)
async def test_no_host_needs_a_keyboard_and_the_end_is_the_same(disturbance: str) -> None:
    async with NewSizes(link_site(nodes=NODES)) as made:
        calm = await sweep(made, disturbance)
        assert {effect.verb for effect in calm.effects} >= {"AskPorts", "TryLinks", "ChangeLinks", "KeepLinks"}


@pytest.mark.timeout(300)
async def test_a_change_that_cuts_every_host_off_disturbs_one_after_the_other() -> None:
    async with LinkWorld(link_site(nodes=NODES)) as made:
        made.pace = 10.0
        await made.start_operator()
        await made.run(rounds=12)
        before = [made.links(name) for name in made.site.links]
        made.declare("mgmt", vlan=77)
        oracles, deaths = LinkOracles(made.site), 0

        def die(name: str) -> None:
            if made.site.machines[name].trials and name not in tried:
                tried.add(name)
                raise DiedError

        tried = set[str]()
        while not all(made.tells("Stalled", name)[1] == "ChangeTakenBack" for name in made.site.links):
            made.site.on_try = die
            oracles.watch(made.operator)
            if await made.run_mortal(lambda: made.rounds(3)):
                deaths += 1
                await made.start_operator()
            assert oracles.looks < 200, made.describe()
        assert (deaths, oracles.violations) == (NODES, [])
        assert [made.links(name) for name in made.site.links] == before
        assert made.site.refusals == []

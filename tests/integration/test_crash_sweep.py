"""Blank hosts to Ready, with the operator dying at every single effect on the way: the end is always the same.

The hosts are simulated, the operator's loop, connections and scripts are real.
"""

import time

import pytest

from sim.blank_site import blank_site
from sim.crash_sweep import DISTURBANCES, sweep, undisturbed
from sim.struck import Disturbance
from sim.world import World


@pytest.mark.timeout(300)
@pytest.mark.parametrize("disturbance", DISTURBANCES)
async def test_the_end_is_the_same_whichever_effect_is_disturbed(
    disturbance: Disturbance, capsys: pytest.CaptureFixture[str]
) -> None:
    site = blank_site()
    for machine in site.machines.values():
        machine.jobs_finish_at_once = False
    async with World(site) as world:
        calm = await undisturbed(world)
        count = len(calm.effects)
        assert count > 40, "a site of three nodes and two volumes takes more than that"
        begun = time.monotonic()
        wrong = await sweep(world, calm, disturbance)
        with capsys.disabled():
            print(f"\n{disturbance}: {count} effects in {time.monotonic() - begun:.0f} s", end=" ")
    assert not wrong, "\n".join(wrong[:40])

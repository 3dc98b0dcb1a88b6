"""A site comes to serve files, with the operator dying at every single effect on the way.

The end is always the same; and after each effect no public address was given without a proved lock on every file
server, no two file servers were disturbed at once, and no folder was gone (sim/share_oracles.py).
"""

import time
from typing import Any

import pytest

from sim.crash_sweep import DISTURBANCES, sweep, undisturbed
from sim.share_oracles import ShareOracles
from sim.share_site import ShareWorld


@pytest.mark.timeout(600)
@pytest.mark.parametrize("disturbance", DISTURBANCES)
async def test_a_share_comes_to_be_served_whichever_effect_is_disturbed(
    disturbance: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ShareWorld()
    world, oracles = made.world, ShareOracles(made.servers)

    async def start(faults: Any) -> None:
        oracles.watch(await world.start_operator(faults))

    async with world:
        await world.start_operator()
        await world.run()
        await world.kill_operator()
        made.declare()
        calm = await undisturbed(world, start)
        assert oracles.take() == []
        assert len({effect.verb for effect in calm.effects}) > 15, "a share takes more than that"
        begun = time.monotonic()
        wrong = await sweep(world, calm, disturbance, start, oracles.take)
        with capsys.disabled():
            print(f"\n{disturbance}: {len(calm.effects)} effects in {time.monotonic() - begun:.0f} s", end=" ")
    assert not wrong, "\n".join(wrong[:40])

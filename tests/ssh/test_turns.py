"""Whose turn it is on one host, also when somebody who waits goes away."""

import asyncio

import pytest

from heretic.hosts.turns import Turns


@pytest.mark.parametrize("given_first", [True, False])
async def test_who_goes_away_in_the_moment_of_its_turn_costs_nobody_one_and_adds_none(given_first: bool) -> None:
    turns = Turns(1)
    await turns.take(1)
    waiting = asyncio.create_task(turns.take(1))
    await asyncio.sleep(0)
    for happens in (turns.give, waiting.cancel) if given_first else (waiting.cancel, turns.give):
        happens()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await turns.take(1)
    with pytest.raises(TimeoutError):
        await turns.take(0.01)

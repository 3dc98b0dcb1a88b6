"""A whole site finds out what its switches carry, and what that costs."""

from collections.abc import AsyncIterator

import pytest

from heretic.reconcile.metrics import ROUND_TRIPS
from sim.addresses import PREFIX
from sim.blank_site import blank_site
from sim.machine import Argv
from sim.world import NAMESPACE, World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(blank_site({})) as made:
        await made.start_operator()
        yield made


def pings(world: World) -> list[Argv]:
    return [argv for machine in world.site.machines.values() for argv in machine.ran if argv[0] == "ping"]


def state(world: World, network: str) -> tuple[str, str]:
    found = world.condition("Network", network, "MtuProved")
    return found["status"], found["reason"]


def proved(world: World) -> bool:
    return all(state(world, name) == ("True", "AsDeclared") for name in ("mgmt", "gluster"))


async def test_every_path_is_asked_once_an_operator_and_costs_no_round_trip_and_no_write(world: World) -> None:
    await world.run()
    await world.run(until=lambda: proved(world))
    assert len(pings(world)) == len(set(pings(world))) == 3 * 2 * 2 * 2, "nodes, peers, networks, sizes"
    before, written = {name: _round_trips(name) for name in world.site.machines}, world.api.status_writes
    for _ in range(2):
        await world.round()
    assert {name: _round_trips(name) - before[name] for name in before} == dict.fromkeys(before, 2.0)
    await world.kill_operator()
    await world.start_operator()
    for _ in range(3):
        await world.round()
        assert proved(world), "what is recorded counts until it is asked again"
    assert len(pings(world)) == 2 * len(set(pings(world)))
    assert world.api.status_writes == written
    assert not world.site.refusals


async def test_a_switch_that_carries_less_makes_its_network_not_ready_and_dropped_pings_do_not(world: World) -> None:
    for machine in world.site.machines.values():
        machine.host.carries |= {"172.20.11.12": 1400, **{f"{PREFIX}{number}": 0 for number in (11, 12, 13)}}
    await world.run(until=lambda: state(world, "gluster") == ("False", "PathTooSmall"))
    ready = world.condition("Network", "gluster", "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "PathTooSmall")
    assert "node1 reaches node2 (172.20.11.12) with packets of 1280 bytes, not of 1500" in ready["message"]
    assert "node1 reaches node3" not in ready["message"]
    assert state(world, "mgmt") == ("Unknown", "NotObserved")
    assert world.condition("Network", "mgmt", "Ready")["status"] == "True"


def _round_trips(node: str) -> float:
    found: float = ROUND_TRIPS.labels(namespace=NAMESPACE, host=f"{NAMESPACE}/{node}")._value.get()
    return found

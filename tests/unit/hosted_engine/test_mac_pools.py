"""The MAC pool of a cluster: made, kept, and given to the cluster."""

from typing import Any

import pytest
from ovirtsdk4 import types

from sim.engine.data_centers import new_mac_pool
from sim.engine.engine import DEFAULT_CLUSTER
from sim.world import DiedError, Recorder
from unit.hosted_engine.conftest import EngineWorld

POOL: dict[str, Any] = {"name": "home", "ranges": [{"from": "02:00:00:00:00:00", "to": "02:00:00:00:FF:ff"}]}


def pool(site: EngineWorld, name: str = "home") -> Any:
    return next((one for one in site.state.mac_pools.values() if one.name == name), None)


def used(site: EngineWorld) -> str:
    return str(site.state.mac_pools[site.state.clusters[DEFAULT_CLUSTER].mac_pool.id].name)


def ranges(site: EngineWorld) -> list[tuple[str, str]]:
    return [(one.from_, one.to) for one in pool(site).ranges]


async def test_a_declared_pool_is_made_and_the_cluster_uses_it(site: EngineWorld) -> None:
    site.change(cluster={"macPool": POOL})
    await site.settle()
    assert ranges(site) == [("02:00:00:00:00:00", "02:00:00:00:ff:ff")]
    assert pool(site).allow_duplicates is False
    assert used(site) == "home"
    assert site.status["macPoolId"] == pool(site).id
    assert site.says("Ready")["status"] == "True"


async def test_only_a_declared_pool_is_asked_for_and_a_calm_pass_writes_nothing(site: EngineWorld) -> None:
    site.change(cluster={"macPool": POOL})
    await site.settle()
    before, writes = len(site.server.engine.requests), site.writes
    await site.world.round()
    asked = site.server.engine.requests[before:]
    assert (len(asked), sum("macpools" in one for one in asked)) == (9, 1)
    assert site.writes == writes


async def test_without_a_declared_pool_the_cluster_keeps_its_own(site: EngineWorld) -> None:
    await site.settle()
    assert used(site) == "Default"
    assert not any("macpools" in one for one in site.server.engine.requests)


def _other_range(site: EngineWorld) -> None:
    pool(site).ranges = [types.Range(from_="56:00:00:00:00:00", to="56:00:00:00:00:ff")]


def _more(site: EngineWorld) -> None:
    pool(site).ranges.append(types.Range(from_="56:00:00:00:00:00", to="56:00:00:00:00:ff"))


def _duplicates(site: EngineWorld) -> None:
    pool(site).allow_duplicates = True


def _rename(site: EngineWorld) -> None:
    pool(site).name = "other"


def _take_away(site: EngineWorld) -> None:
    site.state.clusters[DEFAULT_CLUSTER].mac_pool = types.MacPool(id=pool(site, "Default").id)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_other_range, "56:00:00:00:00:00-56:00:00:00:00:ff; home, 02:00"),
        (_more, "56:00:00:00:00:00-56:00:00:00:00:ff"),
        (_duplicates, "duplicates allowed"),
        (_rename, "MAC pool 'other' is other,"),
        (_take_away, "MAC pool is"),
    ],
)
async def test_what_was_changed_by_hand_is_told_and_changed_back(site: EngineWorld, change: Any, told: str) -> None:
    site.change(cluster={"macPool": POOL})
    await site.settle()
    pools = len(site.state.mac_pools)
    change(site)
    site.change(mode="Observe")
    await site.settle()
    assert told in site.says("ClusterReady")["message"]
    assert site.says("Drifted")["status"] == "True"
    site.change(mode="Apply")
    await site.settle()
    assert site.says("Ready")["status"] == "True"
    assert ranges(site) == [("02:00:00:00:00:00", "02:00:00:00:ff:ff")]
    assert (pool(site).allow_duplicates, used(site), len(site.state.mac_pools)) == (False, "home", pools)


async def test_a_pool_of_that_name_is_taken_over(site: EngineWorld) -> None:
    there = new_mac_pool(
        site.state,
        "home",
        [types.Range(from_="56:00:00:00:00:00", to="56:00:00:00:00:ff")],
        allow_duplicates=False,
        default_pool=False,
    )
    site.change(cluster={"macPool": POOL})
    await site.settle()
    assert site.status["macPoolId"] == there.id
    assert ranges(site) == [("02:00:00:00:00:00", "02:00:00:00:ff:ff")]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
async def test_an_operator_that_is_killed_at_an_effect_makes_no_pool_twice(
    site: EngineWorld, number: int, moment: str
) -> None:
    await site.settle()
    await site.world.kill_operator()
    await site.world.start_operator(Recorder(number, moment))
    site.change(cluster={"macPool": POOL})
    with pytest.raises(DiedError):
        await site.settle()
    await site.world.kill_operator()
    await site.world.start_operator()
    await site.settle()
    assert sorted(one.name for one in site.state.mac_pools.values()) == ["Default", "home"]
    assert used(site) == "home"


async def test_a_reply_that_is_lost_makes_no_pool_twice(site: EngineWorld) -> None:
    await site.settle()
    site.change(cluster={"macPool": POOL})
    site.server.faults.drop_after = 1
    await site.settle()
    assert sorted(one.name for one in site.state.mac_pools.values()) == ["Default", "home"]

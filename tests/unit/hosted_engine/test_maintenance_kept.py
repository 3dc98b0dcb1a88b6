"""Global maintenance of an engine that is self-hosted: set, read back, and kept."""

from datetime import timedelta

import pytest

from sim.engine.host_life import Lasting
from sim.engine.hosted_engine import global_maintenance
from sim.engine.self_hosted import deploy_hosted_engine
from sim.world import DiedError, Recorder
from unit.hosted_engine.conftest import EngineWorld


@pytest.fixture
def hosted(site: EngineWorld) -> EngineWorld:
    """An engine whose own machine runs on its first host, which tells of a change at once."""
    site.state.lasting = Lasting(notice=0)
    deploy_hosted_engine(site.state, host="node1", address="192.0.2.11")
    return site


def is_on(site: EngineWorld) -> bool:
    return global_maintenance(site.state)


def set_by_hand(site: EngineWorld, *, on: bool) -> None:
    site.state.self_hosted.maintenance.go(site.state.now() - timedelta(seconds=1), (0, on))


async def test_it_is_set_as_declared_and_told_at_a_glance(hosted: EngineWorld) -> None:
    hosted.change(globalMaintenance=True)
    await hosted.settle()
    assert is_on(hosted)
    assert (hosted.says("GlobalMaintenance")["status"], hosted.says("Ready")["status"]) == ("True", "True")
    assert hosted.status["summary"].endswith("global maintenance")
    assert hosted.status["globalMaintenance"] is True
    hosted.change(globalMaintenance=False)
    await hosted.settle()
    assert not is_on(hosted)
    assert hosted.says("GlobalMaintenance")["status"] == "False"


async def test_what_is_not_declared_is_only_shown(hosted: EngineWorld) -> None:
    set_by_hand(hosted, on=True)
    await hosted.settle()
    assert is_on(hosted)
    told = hosted.says("GlobalMaintenance")
    assert (told["status"], told["reason"]) == ("True", "MaintenanceLeftOn")
    assert not any("vms" in one for one in hosted.server.engine.requests)


async def test_what_was_left_on_by_hand_is_told_and_in_apply_ended(hosted: EngineWorld) -> None:
    hosted.change(globalMaintenance=False)
    await hosted.settle()
    hosted.change(mode="Observe")
    set_by_hand(hosted, on=True)
    await hosted.settle()
    assert is_on(hosted)
    assert "and off is declared" in hosted.says("GlobalMaintenance")["message"]
    assert hosted.says("Drifted")["status"] == "True"
    hosted.change(mode="Apply")
    await hosted.settle()
    assert not is_on(hosted)
    assert hosted.says("Drifted")["status"] == "False"


async def test_an_engine_that_is_not_self_hosted_is_told(site: EngineWorld) -> None:
    deployed = deploy_hosted_engine(site.state, host="node1", address="192.0.2.11")
    site.state.lives[next(iter(site.state.hosts))].hosted_engine = False
    site.state.self_hosted = None
    assert deployed
    site.change(globalMaintenance=True)
    await site.settle()
    assert site.says("Stalled")["reason"] == "InvalidSpec"
    assert "not self-hosted" in site.says("Stalled")["message"]
    assert site.says("ClusterReady")["status"] == "True"


async def test_a_calm_pass_asks_no_more_than_without_it_and_writes_nothing(hosted: EngineWorld) -> None:
    hosted.change(globalMaintenance=True)
    await hosted.settle()
    before, writes = len(hosted.server.engine.requests), hosted.writes
    await hosted.world.round()
    assert len(hosted.server.engine.requests) - before == 8
    assert hosted.writes == writes


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_operator_that_is_killed_at_the_effect_goes_on(hosted: EngineWorld, moment: str) -> None:
    await hosted.settle()
    await hosted.world.kill_operator()
    await hosted.world.start_operator(Recorder(1, moment))
    hosted.change(globalMaintenance=True)
    with pytest.raises(DiedError):
        await hosted.settle()
    await hosted.world.kill_operator()
    await hosted.world.start_operator()
    await hosted.settle()
    assert is_on(hosted)
    assert sum("maintenance" in one for one in hosted.writes) == 1


async def test_a_reply_that_is_lost_is_judged_by_what_the_hosts_say(hosted: EngineWorld) -> None:
    await hosted.settle()
    hosted.change(globalMaintenance=True)
    hosted.server.faults.drop_after = 1
    await hosted.settle()
    assert is_on(hosted)
    assert hosted.says("Ready")["status"] == "True"

"""Gluster as the simulated engine sees it: late, and believing what it saw last."""

from collections.abc import Callable
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.gluster_world import TrueBrick, TrueGluster, TrueHook, TrueVolume, gluster_at, gluster_changes
from sim.engine.host_life import Status
from sim.engine.hosts import lose
from unit.simulators.engine_hosts import give_power, hosts_up
from unit.simulators.engine_site import EngineSite

VolumeStatus = types.GlusterVolumeStatus
NODES = ("node1", "node2", "node3")


def volume(folder: str = "/gluster_bricks/data", **options: str) -> TrueVolume:
    given = {"cluster.quorum-type": "auto"} | {name.replace("_", "."): value for name, value in options.items()}
    return TrueVolume([TrueBrick(node, folder) for node in NODES], options=given)


@pytest.fixture
def hosts(told: EngineSite) -> list[Any]:
    """Three hosts with a volume `data`, which the engine knows in full."""
    made = hosts_up(told, *NODES)
    cluster(told).update(types.Cluster(gluster_service=True))
    with gluster_changes(told.server.engine.state, "Default") as gluster:
        gluster.volumes["data"] = volume()
    # Twice, because a session of the client must not be idle for half an hour.
    for _ in range(2):
        told.clock.go(minutes=8, seconds=2)
        made[0].get()
    return made


def cluster(site: EngineSite) -> Any:
    return site.connections[0].system_service().clusters_service().cluster_service(DEFAULT_CLUSTER)


def volumes(site: EngineSite) -> dict[str, Any]:
    return {found.name: found for found in cluster(site).gluster_volumes_service().list()}


def bricks(site: EngineSite, name: str = "data") -> dict[str, Any]:
    """By the names of their hosts."""
    service = cluster(site).gluster_volumes_service().volume_service(volumes(site)[name].id)
    names = {key: host.name for key, host in site.server.engine.state.hosts.items()}
    return {names[brick.server_id]: brick for brick in service.gluster_bricks_service().list()}


def change(site: EngineSite) -> Any:
    return gluster_changes(site.server.engine.state, "Default")


def brick(gluster: TrueGluster, node: str) -> TrueBrick:
    return next(brick for brick in gluster.volumes["data"].bricks if brick.host == node)


def test_a_volume_is_shown_with_its_bricks_and_options(told: EngineSite, hosts: list[Any]) -> None:
    found = volumes(told)["data"]
    assert (found.status, found.replica_count, found.volume_type) == (
        VolumeStatus.UP,
        3,
        types.GlusterVolumeType.REPLICATE,
    )
    assert [(option.name, option.value) for option in found.options] == [("cluster.quorum-type", "auto")]
    assert cluster(told).gluster_volumes_service().volume_service(found.id).get().name == "data"
    shown = bricks(told)
    assert set(shown) == set(NODES)
    assert shown["node1"].name == "192.0.2.11:/gluster_bricks/data"
    assert shown["node1"].status is types.GlusterBrickStatus.UP


def test_a_cluster_without_gluster_has_neither_volumes_nor_hooks(told: EngineSite, hosts: list[Any]) -> None:
    cluster(told).update(types.Cluster(gluster_service=False))
    assert volumes(told) == {}
    assert cluster(told).gluster_hooks_service().list() == []


def test_a_volume_that_somebody_made_appears_at_the_next_look(told: EngineSite, hosts: list[Any]) -> None:
    with change(told) as gluster:
        gluster.volumes["other"] = volume("/gluster_bricks/other")
        del gluster.volumes["data"]
    assert set(volumes(told)) == {"data"}
    told.clock.go(seconds=15)
    assert set(volumes(told)) == {"other"}


def test_a_brick_that_died_is_up_for_the_engine_until_it_looks_at_bricks(told: EngineSite, hosts: list[Any]) -> None:
    with change(told) as gluster:
        brick(gluster, "node2").up = False
    told.clock.go(seconds=60)
    assert bricks(told)["node2"].status is types.GlusterBrickStatus.UP
    told.clock.go(seconds=900)
    assert bricks(told)["node2"].status is types.GlusterBrickStatus.DOWN


def test_a_stopped_volume_is_down_at_the_next_look(told: EngineSite, hosts: list[Any]) -> None:
    with change(told) as gluster:
        gluster.volumes["data"].up = False
    told.clock.go(seconds=15)
    assert volumes(told)["data"].status is VolumeStatus.DOWN


def test_what_no_host_can_be_asked_for_is_unknown(told: EngineSite, hosts: list[Any]) -> None:
    for node in NODES:
        lose(told.server.engine.state, node)
    told.clock.go(minutes=2)
    assert volumes(told)["data"].status is VolumeStatus.UNKNOWN
    assert bricks(told)["node1"].status is types.GlusterBrickStatus.UNKNOWN


def test_hooks_appear_two_hours_late(told: EngineSite, hosts: list[Any]) -> None:
    with change(told) as gluster:
        gluster.hooks["S30samba-start"] = TrueHook("start")
    for _ in range(6):
        assert cluster(told).gluster_hooks_service().list() == []
        told.clock.go(minutes=18)
    (hook,) = cluster(told).gluster_hooks_service().list()
    assert (hook.name, hook.gluster_command, hook.stage) == ("S30samba-start", "start", types.HookStage.POST)


def one_is_down(gluster: TrueGluster) -> None:
    brick(gluster, "node2").up = False


def unsynced(gluster: TrueGluster) -> None:
    brick(gluster, "node1").unsynced = 5


def unsynced_elsewhere(gluster: TrueGluster) -> None:
    brick(gluster, "node2").unsynced = 5


def nobody_can_tell(gluster: TrueGluster) -> None:
    brick(gluster, "node1").unsynced = None


def without_quorum(gluster: TrueGluster) -> None:
    gluster.volumes["data"].options.clear()
    one_is_down(gluster)


def two_of_three_demanded(gluster: TrueGluster) -> None:
    gluster.volumes["data"].options = {"cluster.quorum-type": "fixed", "cluster.quorum-count": "3"}


def stopped(gluster: TrueGluster) -> None:
    gluster.volumes["data"].up = False
    one_is_down(gluster)


@pytest.mark.parametrize(
    ("happens", "text"),
    [
        (one_is_down, "quorum will be lost for the following Volumes: data"),
        (two_of_three_demanded, "quorum will be lost"),
        (unsynced, "Unsynced entries present in following gluster bricks: node1:/gluster_bricks/data"),
        (unsynced_elsewhere, None),
        (nobody_can_tell, None),
        (without_quorum, None),
        (stopped, None),
    ],
)
def test_gluster_is_not_stopped_where_the_engine_knows_that_this_does_harm(
    told: EngineSite, hosts: list[Any], happens: Callable[[TrueGluster], None], text: str | None
) -> None:
    with change(told) as gluster:
        happens(gluster)
    told.clock.go(minutes=15)
    if text is None:
        hosts[0].deactivate(stop_gluster_service=True)
        return
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        hosts[0].deactivate(stop_gluster_service=True)
    assert refused.value.code == 409
    assert hosts[0].get().status is Status.UP


@pytest.mark.parametrize("happens", [one_is_down, unsynced])
def test_harm_that_the_engine_has_not_seen_yet_does_not_hold_it_back(
    told: EngineSite, hosts: list[Any], happens: Callable[[TrueGluster], None]
) -> None:
    with change(told) as gluster:
        happens(gluster)
    told.clock.go(minutes=1)
    hosts[0].deactivate(stop_gluster_service=True)


@pytest.mark.parametrize("happens", [one_is_down, unsynced])
def test_without_stopping_gluster_nothing_of_it_is_looked_at(
    told: EngineSite, hosts: list[Any], happens: Callable[[TrueGluster], None]
) -> None:
    with change(told) as gluster:
        happens(gluster)
    told.clock.go(minutes=15)
    hosts[0].deactivate()


def test_entries_are_looked_at_anew_when_a_client_wants_it(told: EngineSite, hosts: list[Any]) -> None:
    with change(told) as gluster:
        unsynced(gluster)
    told.clock.go(seconds=20)
    cluster(told).refresh_gluster_heal_status()
    with pytest.raises(ovirtsdk4.Error, match="Unsynced entries"):
        hosts[0].deactivate(stop_gluster_service=True)


def test_gluster_is_stopped_for_maintenance_and_started_by_the_activation(told: EngineSite, hosts: list[Any]) -> None:
    def is_up() -> bool:
        told.server.engine.state.settle()
        return brick(gluster_at(told.server.engine.state, DEFAULT_CLUSTER, told.clock()), "node1").up

    hosts[0].deactivate(stop_gluster_service=True)
    told.clock.go(seconds=9)
    assert is_up()
    told.clock.go(seconds=1)
    assert not is_up()
    hosts[0].activate()
    told.clock.go(seconds=8)
    assert not is_up()
    told.clock.go(seconds=1)
    assert is_up()
    hosts[0].deactivate()
    told.clock.go(minutes=1)
    assert is_up()


def test_a_host_with_bricks_is_not_removed(told: EngineSite, hosts: list[Any]) -> None:
    hosts[0].deactivate()
    told.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.Error, match="having Gluster volume") as refused:
        hosts[0].remove()
    assert refused.value.code == 409
    with change(told) as gluster:
        gluster.volumes.clear()
    told.clock.go(seconds=15)
    hosts[0].remove()


@pytest.mark.parametrize(
    ("rules", "happens", "fenced"),
    [
        ({"skip_if_gluster_bricks_up": True}, None, False),
        ({"skip_if_gluster_bricks_up": True}, "its brick is down", True),
        ({"skip_if_gluster_bricks_up": True}, "the check fails", True),
        ({"skip_if_gluster_quorum_not_met": True}, None, True),
        ({"skip_if_gluster_quorum_not_met": True}, "another brick is down", False),
        ({"skip_if_gluster_quorum_not_met": True}, "its brick is down", True),
        ({}, "another brick is down", True),
    ],
)
def test_a_host_that_does_not_respond_is_fenced_as_gluster_is_and_not_as_it_was_seen(
    told: EngineSite, hosts: list[Any], rules: dict[str, bool], happens: str | None, fenced: bool
) -> None:
    give_power(told, hosts[0])
    cluster(told).update(types.Cluster(fencing_policy=types.FencingPolicy(**rules)))
    with change(told) as gluster:
        brick(gluster, "node1").up = happens != "its brick is down"
        brick(gluster, "node2").up = happens != "another brick is down"
    told.server.engine.state.fence_check_fails = happens == "the check fails"
    lose(told.server.engine.state, "node1")
    told.clock.go(seconds=100)
    assert hosts[0].get().status is (Status.REBOOT if fenced else Status.NON_RESPONSIVE)

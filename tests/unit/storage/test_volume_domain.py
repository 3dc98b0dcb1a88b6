"""A volume that is a storage domain of the engine: made once, and kept."""

from typing import Any

import pytest
from ovirtsdk4.types import StorageDomainStatus

from sim.engine.engine import DEFAULT_DATA_CENTER
from sim.engine.faults import changes
from sim.engine.host_life import Status
from sim.world import DiedError, Recorder
from unit.storage.conftest import VolumeWorld

BOTH = "backup-volfile-servers=node2.gluster.private"
PLACE = "node1.gluster.private:/vmstore"
_MAINTENANCE: Any = StorageDomainStatus.MAINTENANCE


async def test_a_served_volume_becomes_an_active_domain_and_the_master(stored: VolumeWorld) -> None:
    stored.change_volume(storageDomain={})
    await stored.rest()
    made = stored.domain("vmstore")
    assert (made.type.value, made.storage.address, made.storage.path) == ("data", "node1.gluster.private", "/vmstore")
    assert made.storage.mount_options == BOTH
    assert stored.state_of("vmstore") == "active"
    assert stored.changes == ["add", "attach"]
    active = stored.says_volume("StorageDomainActive")
    assert active["status"] == "True"
    assert active["message"] == "the storage domain 'vmstore' is active and holds the metadata of the data center"
    assert stored.says_volume("Ready")["status"] == "True"
    told = {"id": made.id, "name": "vmstore", "state": "Active", "master": True}
    assert stored.volume_status["storageDomain"] == told


async def test_a_pass_over_a_domain_that_is_as_declared_changes_nothing(stored: VolumeWorld) -> None:
    stored.change_volume(storageDomain={"comment": "of the site", "warningLowSpace": 15})
    await stored.rest()
    assert stored.domain("vmstore").warning_low_space_indicator == 15
    asked, writes = len(stored.writes), stored.world.api.status_writes
    await stored.world.round()
    assert (len(stored.writes), stored.world.api.status_writes) == (asked, writes)


async def test_a_volume_that_declares_no_domain_says_so_and_is_ready(stored: VolumeWorld) -> None:
    await stored.rest()
    active = stored.says_volume("StorageDomainActive")
    assert (active["status"], active["reason"]) == ("False", "EngineNotDeclared")
    assert stored.says_volume("Ready")["status"] == "True"
    assert stored.changes == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_an_operator_that_is_killed_at_an_effect_makes_one_domain(
    stored: VolumeWorld, number: int, moment: str
) -> None:
    await stored.rest()  # the cluster is as declared
    stored.change_volume(storageDomain={})
    if number == 3:
        await stored.rest()
        stored.is_now("vmstore", "maintenance")
    await stored.world.kill_operator()
    await stored.world.start_operator(Recorder(1 if number == 3 else number, moment))
    with pytest.raises(DiedError):
        await stored.rest()
    await stored.world.kill_operator()
    await stored.world.start_operator()
    await stored.rest()
    assert stored.names == ["vmstore"]
    assert stored.state_of("vmstore") == "active"
    assert stored.changes == ["add", "attach"] + ["activate"] * (number == 3)
    assert stored.says_volume("Ready")["status"] == "True"


@pytest.mark.parametrize("number", [1, 2])
async def test_a_reply_that_is_lost_makes_one_domain(stored: VolumeWorld, number: int) -> None:
    await stored.rest()
    stored.change_volume(storageDomain={})
    stored.server.faults.at = changes
    stored.server.faults.drop_after = number
    await stored.rest()
    assert stored.server.faults.drop_after == 0
    assert stored.names == ["vmstore"]
    assert stored.changes == ["add", "attach"]
    assert stored.says_volume("Ready")["status"] == "True"


@pytest.mark.parametrize("mode", ["Observe", "Plan"])
async def test_what_is_only_observed_is_told_and_not_touched(stored: VolumeWorld, mode: str) -> None:
    stored.change_volume(storageDomain={}, mode=mode)
    await stored.rest()
    assert stored.names == []
    assert stored.says_volume("StorageDomainActive")["message"] == "the engine has no storage domain 'vmstore'"
    assert stored.says_volume("Drifted")["status"] == "True"
    stored.put("vmstore", PLACE, options=BOTH)
    stored.is_now("vmstore", "maintenance")
    await stored.rest()
    assert stored.says_volume("StorageDomainActive")["message"] == "the storage domain 'vmstore' is in maintenance"
    assert stored.volume_status["storageDomain"]["state"] == "Maintenance"
    assert stored.state_of("vmstore") == "maintenance"
    assert stored.changes == []


async def test_an_engine_that_is_only_observed_is_not_touched_for_a_volume(stored: VolumeWorld) -> None:
    stored.change(mode="Observe")
    stored.change_volume(storageDomain={})
    await stored.rest()
    assert stored.changes == []
    assert "HostedEngine engine is in mode Observe" in stored.says_volume("Reconciling")["message"]


async def test_a_domain_in_maintenance_is_activated_again(stored: VolumeWorld) -> None:
    stored.change_volume(storageDomain={})
    await stored.rest()
    stored.is_now("vmstore", "maintenance")
    await stored.rest()
    assert stored.state_of("vmstore") == "active"
    assert stored.changes == ["add", "attach", "activate"]


async def test_a_domain_that_was_detached_is_attached_again(stored: VolumeWorld) -> None:
    stored.put("first", "nas:/first", kind="nfs")
    stored.change_volume(storageDomain={})
    await stored.rest()
    key = stored.domain("vmstore").id
    del stored.state.attachments[DEFAULT_DATA_CENTER, key]
    await stored.rest()
    assert stored.state_of("vmstore") == "active"
    assert stored.domain("vmstore").id == key
    assert stored.changes == ["add", "attach", "attach"]


async def test_a_domain_of_another_name_on_the_volume_is_taken_over_and_renamed(stored: VolumeWorld) -> None:
    made = stored.put("old", "node2.gluster.private:/vmstore", options="backup-volfile-servers=node1.gluster.private")
    stored.change_volume(storageDomain={"name": "guests"})
    await stored.rest()
    assert stored.names == ["guests"]
    assert stored.volume_status["storageDomain"]["id"] == made.id
    assert stored.changes == ["update"]
    assert stored.says_volume("Ready")["status"] == "True"


async def test_another_domain_of_the_name_is_told_and_left_alone(stored: VolumeWorld) -> None:
    stored.put("vmstore", "nas:/vmstore", kind="nfs")
    stored.change_volume(storageDomain={})
    await stored.rest()
    active = stored.says_volume("StorageDomainActive")
    assert (active["status"], active["reason"]) == ("False", "StorageDomainDiffers")
    assert "lies at nfs nas:/vmstore" in active["message"]
    assert stored.says_volume("Stalled")["reason"] == "StorageDomainDiffers"
    assert stored.changes == []


async def test_two_domains_of_one_name_are_told_apart_by_where_they_lie(stored: VolumeWorld) -> None:
    stored.change_volume(storageDomain={})
    await stored.rest()
    mine = stored.domain("vmstore")
    stored.put("other", "nas:/vmstore", kind="nfs").name = "vmstore"
    stored.state.attachments[DEFAULT_DATA_CENTER, mine.id].go(stored.state.now(), (0, _MAINTENANCE))
    await stored.rest()
    assert stored.volume_status["storageDomain"]["id"] == mine.id
    assert stored.changes == ["add", "attach", "activate"]
    assert stored.says_volume("Ready")["status"] == "True"


async def test_a_domain_that_the_engine_works_on_is_waited_for(stored: VolumeWorld) -> None:
    stored.put("vmstore", PLACE, options=BOTH)
    stored.is_now("vmstore", "locked")
    stored.change_volume(storageDomain={})
    await stored.rest()
    active = stored.says_volume("StorageDomainActive")
    assert (active["status"], active["reason"]) == ("False", "StorageDomainBusy")
    assert "is Locked; the engine is at it" in active["message"]
    assert stored.changes == []


async def test_mount_options_that_lack_a_server_are_told_and_left_alone(stored: VolumeWorld) -> None:
    stored.put("vmstore", PLACE)
    stored.change_volume(storageDomain={})
    await stored.rest()
    assert stored.says_volume("Ready")["status"] == "True"
    (note,) = stored.volume_status["notes"]
    assert "does not name node2.gluster.private as a server" in note
    assert stored.changes == []


async def test_without_a_host_that_is_up_no_domain_is_asked_for(stored: VolumeWorld) -> None:
    stored.host_is(Status.MAINTENANCE)
    stored.change_volume(storageDomain={})
    await stored.rest()
    assert stored.says_volume("StorageDomainActive")["reason"] == "HostsNotUp"
    assert stored.changes == []


async def test_an_engine_that_is_away_does_not_keep_the_volume_from_being_repaired(stored: VolumeWorld) -> None:
    stored.change_volume(storageDomain={})
    await stored.rest()
    stored.server.faults.unavailable = -1
    volume = stored.world.site.pool.volumes["vmstore"]
    volume.options["network.ping-timeout"] = "42"
    await stored.rest()
    assert volume.options["network.ping-timeout"] != "42"
    active = stored.says_volume("StorageDomainActive")
    assert (active["status"], active["reason"]) == ("Unknown", "WaitingForEngine")
    assert stored.volume_status["storageDomain"]["name"] == "vmstore"
    assert stored.says_volume("Quorate")["status"] == "True"

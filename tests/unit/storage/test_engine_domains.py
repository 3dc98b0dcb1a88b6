"""Storage domains that the engine's object declares: made once, attached, kept active, and never taken away."""

import asyncio
from typing import Any

import pytest

from sim.engine.attached_domains import lose_storage
from sim.engine.faults import changes
from sim.world import DiedError, Recorder
from unit.storage.conftest import DomainWorld

GUESTS = {"name": "guests", "nfs": {"address": "nas", "path": "/guests"}}
IMAGES = {"name": "images", "function": "ISO", "nfs": {"address": "nas", "path": "/images"}}
PORTAL = {"address": "192.0.2.43", "target": "iqn.2026-01.test:a"}


@pytest.mark.parametrize(
    ("declared", "kind", "place"),
    [
        pytest.param({"nfs": {"address": "nas", "path": "/guests", "version": "V4_2"}}, "nfs", "/guests", id="nfs"),
        pytest.param({"gluster": {"address": "nas", "path": "/guests"}}, "glusterfs", "/guests", id="gluster"),
        pytest.param({"posix": {"path": "/dev/shared", "vfsType": "xfs"}}, "posixfs", "/dev/shared", id="posix"),
        pytest.param({"iscsi": {**PORTAL, "luns": ["lun1", "lun2"]}}, "iscsi", None, id="iscsi"),
        pytest.param(
            {"iscsi": {**PORTAL, "luns": ["lun1"], "chapSecretRef": {"name": "chap"}}}, "iscsi", None, id="iscsi, CHAP"
        ),
        pytest.param({"fibreChannel": {"luns": ["lun3"]}}, "fcp", None, id="fibre channel"),
    ],
)
async def test_a_domain_of_each_sort_is_made_and_active(
    shares: DomainWorld, declared: dict[str, Any], kind: str, place: str | None
) -> None:
    shares.world.api.secrets["chap"] = {"username": b"heretic", "password": b"a long secret"}
    shares.change(storageDomains=[{"name": "guests", **declared}])
    await shares.rest()
    made = shares.domain("guests")
    assert (made.storage.type.value, made.storage.path) == (kind, place)
    assert shares.state_of("guests") == "active"
    assert shares.status["storageDomains"] == [{"id": made.id, "name": "guests", "state": "Active", "master": True}]
    assert shares.changes == ["add", "attach"]
    assert shares.says("Ready")["status"] == "True"
    assert "a long secret" not in str(shares.world.api.objects)


async def test_the_first_one_for_data_is_attached_before_any_other(shares: DomainWorld) -> None:
    shares.change(storageDomains=[IMAGES, GUESTS])
    await shares.rest()
    assert (shares.domain("guests").master, shares.domain("images").master) == (True, False)
    assert [shares.state_of(name) for name in ("guests", "images")] == ["active", "active"]
    assert shares.says("Ready")["status"] == "True"


async def test_a_pass_over_domains_that_are_as_declared_changes_nothing(shares: DomainWorld) -> None:
    shares.change(storageDomains=[GUESTS, IMAGES])
    await shares.rest()
    writes, asked = shares.world.api.status_writes, len(shares.writes)
    before = len(shares.server.engine.requests)
    await shares.world.round()
    assert (shares.world.api.status_writes, len(shares.writes)) == (writes, asked)
    assert len(shares.server.engine.requests) - before <= 12


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_an_operator_that_is_killed_at_an_effect_makes_each_domain_once(
    shares: DomainWorld, number: int, moment: str
) -> None:
    shares.change(storageDomains=[GUESTS, IMAGES])
    await shares.world.kill_operator()
    await shares.world.start_operator(Recorder(number, moment))
    with pytest.raises(DiedError):
        await shares.rest()
    await shares.world.kill_operator()
    await shares.world.start_operator()
    await shares.rest()
    assert shares.names == ["guests", "images"]
    assert sorted(shares.changes) == ["add", "add", "attach", "attach"]
    assert shares.says("Ready")["status"] == "True"


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_a_reply_that_is_lost_makes_each_domain_once(shares: DomainWorld, number: int) -> None:
    shares.change(storageDomains=[GUESTS, IMAGES])
    shares.server.faults.at = changes
    shares.server.faults.drop_after = number
    await shares.rest()
    assert shares.server.faults.drop_after == 0
    assert shares.names == ["guests", "images"]
    assert sorted(shares.changes) == ["add", "add", "attach", "attach"]


async def test_a_watch_that_is_late_makes_each_domain_once(shares: DomainWorld) -> None:
    shares.change(storageDomains=[GUESTS])
    await shares.world.round()
    shares.world.late = True
    await shares.rest()
    assert shares.changes == ["add", "attach"]
    assert shares.state_of("guests") == "active"


async def test_drift_is_repaired_and_in_mode_observe_only_told(shares: DomainWorld) -> None:
    shares.change(storageDomains=[{**GUESTS, "comment": "disks"}])
    await shares.rest()
    shares.domain("guests").comment = "by hand"
    shares.change(mode="Observe")
    await shares.rest()
    assert shares.says("Drifted")["status"] == "True"
    assert "comment is 'by hand' and 'disks' is declared" in shares.says("Drifted")["message"]
    shares.is_now("guests", "maintenance")
    await shares.rest()
    assert shares.changes == ["add", "attach"]
    assert shares.status["storageDomains"][0]["state"] == "Maintenance"
    shares.change(mode="Apply")
    await shares.rest()
    assert shares.changes == ["add", "attach", "activate", "update"]
    assert shares.domain("guests").comment == "disks"


async def test_to_take_an_entry_away_leaves_the_domain(shares: DomainWorld) -> None:
    shares.change(storageDomains=[GUESTS])
    await shares.rest()
    shares.change(storageDomains=[])
    await shares.rest()
    assert shares.state_of("guests") == "active"
    assert shares.status.get("storageDomains", []) == []
    assert shares.changes == ["add", "attach"]


async def test_an_engine_that_is_deleted_leaves_its_domains(shares: DomainWorld) -> None:
    shares.change(storageDomains=[GUESTS])
    await shares.rest()
    shares.world.api.delete(next(key for key in shares.world.api.objects if key.kind == "HostedEngine"))
    await shares.world.round()
    await asyncio.sleep(0.2)  # the session ends beside it
    assert shares.state_of("guests") == "active"
    assert shares.changes == ["add", "attach"]


async def test_a_domain_whose_place_changed_is_told_and_left_alone(shares: DomainWorld) -> None:
    shares.change(storageDomains=[GUESTS])
    await shares.rest()
    shares.change(storageDomains=[{"name": "guests", "nfs": {"address": "other", "path": "/guests"}}])
    await shares.rest()
    assert shares.says("Stalled")["reason"] == "StorageDomainDiffers"
    assert "lies at nfs nas:/guests" in shares.says("Stalled")["message"]
    assert shares.changes == ["add", "attach"]


async def test_one_domain_that_is_stuck_keeps_no_other_one_waiting(shares: DomainWorld) -> None:
    shares.put("images", "other:/images", kind="nfs", attached=False)
    shares.change(storageDomains=[IMAGES, GUESTS])
    await shares.rest()
    assert shares.state_of("guests") == "active"
    assert shares.says("Stalled")["reason"] == "StorageDomainDiffers"
    assert shares.says("ClusterReady")["status"] == "True"


async def test_a_domain_that_hosts_do_not_reach_is_named(shares: DomainWorld) -> None:
    shares.put("by-hand", "other:/guests", kind="nfs")
    shares.change(storageDomains=[GUESTS])
    await shares.rest()
    assert shares.says("Degraded")["status"] == "False"
    lose_storage(shares.state, "by-hand")
    await shares.rest(minutes=10)
    assert shares.says("Degraded")["reason"] == "StorageDomainNotActive"
    assert shares.says("Degraded")["message"] == "storage domain by-hand is Inactive"


async def test_the_engines_refusal_is_told_in_its_words(shares: DomainWorld) -> None:
    shares.change(storageDomains=[{"name": "guests", "nfs": {"address": "nowhere", "path": "/guests"}}])
    for _ in range(2):
        await shares.world.round()
    assert shares.says("Synced")["reason"] == "EngineRefuses"
    assert "Problem while trying to mount target" in shares.says("Synced")["message"]
    assert shares.names == []

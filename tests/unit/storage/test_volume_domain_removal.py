"""The end of a volume that is a storage domain: first the domain, with an approval of its own; nothing is formatted."""

from typing import Any

import pytest

from heretic.domain.engine.call import unmet
from heretic.domain.engine.storage.steps import SeeNoStorageDomain
from heretic.domain.engine.storage.values import DomainPlace
from sim.engine.faults import changes
from sim.engine.host_life import Status
from sim.world import DiedError, Recorder
from unit.hosted_engine.conftest import KEY
from unit.storage.conftest import VOLUME, VolumeWorld

APPROVE = "hvp.ovirt.life/approve"
PLACE = "node1.gluster.private:/vmstore"


async def domain_of(stored: VolumeWorld, **spec: Any) -> None:
    """The volume is an active domain, another one is the master, and the volume is being deleted."""
    stored.put("first", "nas:/first", kind="nfs")
    stored.change_volume(storageDomain={}, **spec)
    await stored.rest()
    assert stored.state_of("vmstore") == "active"
    stored.world.api.delete(VOLUME)


def approve(stored: VolumeWorld) -> list[str]:
    """Approves the plan that waits; returns its verbs."""
    plan = stored.volume_status["plan"]
    assert plan["needsApproval"]
    stored.world.api.patch(VOLUME, annotations={APPROVE: plan["hash"]})
    return [step["verb"] for step in plan["steps"]]


async def test_by_default_domain_and_volume_stay(stored: VolumeWorld) -> None:
    await domain_of(stored)
    await stored.world.round()
    assert VOLUME not in stored.world.api.objects
    assert stored.state_of("vmstore") == "active"
    assert "vmstore" in stored.world.site.pool.volumes


async def test_the_domain_goes_before_the_volume_and_each_needs_an_approval(stored: VolumeWorld) -> None:
    await domain_of(stored, deletionPolicy="Destroy")
    await stored.rest()
    assert stored.state_of("vmstore") == "active"
    assert approve(stored) == ["DeactivateStorageDomain", "DetachStorageDomain", "RemoveStorageDomain"]
    await stored.world.round()
    await stored.rest()
    assert stored.names == ["first"]
    assert stored.state.storage[PLACE].domain is not None, "it was formatted"
    assert stored.changes == ["add", "attach", "deactivate", "detach", "remove"]
    assert "vmstore" in stored.world.site.pool.volumes
    assert approve(stored)[:3] == ["SeeNoStorageDomain", "StopVolume", "DeleteVolume"]
    await stored.world.round()
    assert "vmstore" not in stored.world.site.pool.volumes
    assert stored.changes == ["add", "attach", "deactivate", "detach", "remove"]
    await stored.world.round()
    assert VOLUME not in stored.world.api.objects


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_an_operator_that_is_killed_while_it_takes_a_domain_away_asks_again_for_the_rest(
    stored: VolumeWorld, number: int, moment: str
) -> None:
    await domain_of(stored, deletionPolicy="Destroy")
    await stored.rest()
    approve(stored)
    await stored.world.kill_operator()
    await stored.world.start_operator(Recorder(number, moment))
    with pytest.raises(DiedError):
        await stored.world.round()
    await stored.world.kill_operator()
    await stored.world.start_operator()
    stored.clock.go(minutes=1)
    await stored.rest()
    assert "vmstore" in stored.world.site.pool.volumes
    if "vmstore" in stored.names:
        assert approve(stored)[-1] == "RemoveStorageDomain"
        await stored.world.round()
        await stored.rest()
    assert stored.names == ["first"]
    assert stored.changes == ["add", "attach", "deactivate", "detach", "remove"]
    assert approve(stored)[:2] == ["SeeNoStorageDomain", "StopVolume"]


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_reply_that_is_lost_takes_a_domain_away_once(stored: VolumeWorld, number: int) -> None:
    await domain_of(stored, deletionPolicy="Destroy")
    await stored.rest()
    approve(stored)
    stored.server.faults.at = changes
    stored.server.faults.drop_after = number
    await stored.world.round()
    stored.clock.go(minutes=1)
    await stored.rest()
    assert stored.server.faults.drop_after == 0
    if "vmstore" in stored.names:
        approve(stored)
        await stored.world.round()
    assert stored.names == ["first"]
    # What deletes may be sent twice when its reply is lost: the second one finds nothing (decision 0038).
    assert list(dict.fromkeys(stored.changes)) == ["add", "attach", "deactivate", "detach", "remove"]
    assert stored.changes.count("deactivate") == 1
    assert stored.state.storage[PLACE].domain is not None, "it was formatted"


async def test_the_only_data_domain_stays_and_so_does_the_volume(stored: VolumeWorld) -> None:
    stored.change_volume(storageDomain={}, deletionPolicy="Destroy")
    await stored.rest()
    stored.world.api.delete(VOLUME)
    await stored.rest()
    blocked = stored.says_volume("DeletionBlocked")
    assert blocked["reason"] == "VolumeInUse"
    assert "no other data domain is active that could take it over" in blocked["message"]
    assert stored.changes == ["add", "attach"]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("locked", "StorageDomainBusy"),
        ("inactive", "StorageDomainNotActive"),
        ("maintenance", "WaitingForApproval"),
    ],
)
async def test_a_volume_is_never_stopped_while_a_domain_on_it_is_attached(
    stored: VolumeWorld, state: str, reason: str
) -> None:
    await domain_of(stored, deletionPolicy="Destroy")
    stored.is_now("vmstore", state)
    await stored.rest()
    assert stored.says_volume("DeletionBlocked")["reason"] == reason
    assert "StopVolume" not in [step["verb"] for step in stored.volume_status.get("plan", {}).get("steps", [])]
    assert "vmstore" in stored.world.site.pool.volumes


async def test_a_volume_is_not_destroyed_while_the_engine_is_away(stored: VolumeWorld) -> None:
    await domain_of(stored, deletionPolicy="Destroy")
    stored.server.faults.unavailable = -1
    await stored.rest()
    blocked = stored.says_volume("DeletionBlocked")
    assert blocked["reason"] == "WaitingForEngine"
    assert "set deletionPolicy to Orphan" in blocked["message"]


async def test_a_volume_is_not_destroyed_after_its_engine_is_not_declared_any_more(stored: VolumeWorld) -> None:
    await domain_of(stored, deletionPolicy="Destroy")
    stored.world.api.delete(KEY)
    await stored.rest()
    assert stored.says_volume("DeletionBlocked")["reason"] == "VolumeInUse"
    assert stored.state_of("vmstore") == "active"


async def test_a_domain_that_nobody_declared_keeps_its_volume_too(stored: VolumeWorld) -> None:
    stored.put("first", "nas:/first", kind="nfs")
    stored.put("by-hand", PLACE)
    stored.change_volume(deletionPolicy="Destroy")
    stored.world.api.delete(VOLUME)
    await stored.rest()
    assert approve(stored) == ["DeactivateStorageDomain", "DetachStorageDomain", "RemoveStorageDomain"]
    assert stored.state_of("by-hand") == "active"


async def test_the_engines_own_domain_is_never_taken_away(stored: VolumeWorld) -> None:
    stored.put("first", "nas:/first", kind="nfs")
    stored.put("hosted_storage", PLACE)
    stored.change_volume(deletionPolicy="Destroy")
    stored.world.api.delete(VOLUME)
    await stored.rest()
    assert "Heretic does not take it away" in stored.says_volume("DeletionBlocked")["message"]


async def test_without_a_host_that_is_up_the_domain_stays(stored: VolumeWorld) -> None:
    await domain_of(stored, deletionPolicy="Destroy")
    stored.host_is(Status.MAINTENANCE)
    await stored.rest()
    assert stored.says_volume("DeletionBlocked")["reason"] == "HostsNotUp"
    assert stored.changes == ["add", "attach"]


@pytest.mark.parametrize(
    ("there", "may"),
    [
        ([], True),
        ([{"type": "glusterfs", "address": "node2", "path": "/vmstore"}], False),
        ([{"type": "glusterfs", "address": "node1", "path": "vmstore"}], False),
        ([{"type": "glusterfs", "address": "elsewhere", "path": "/vmstore"}], True),
        ([{"type": "glusterfs", "address": "node1", "path": "/engine"}], True),
    ],
)
def test_the_last_look_before_a_volume_is_stopped(there: list[dict[str, str]], may: bool) -> None:
    place = DomainPlace("glusterfs", path="/vmstore", names=("node1", "node2"))
    call = SeeNoStorageDomain(engine="engine", why="", place=place).call()
    records = [{"id": str(n), "name": f"d{n}", "storage": storage} for n, storage in enumerate(there)]
    assert all(unmet(expect, records) is None for expect in call.done) is may
    assert call.guards == call.done, "its request must never be sent"

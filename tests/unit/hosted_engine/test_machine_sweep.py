"""Each effect on the engine's machine, and on the host that keeps its backups, is disturbed: it happens once."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from heretic.domain.engine.call import ENGINE
from heretic.domain.hosted_engine.backup.place import MOUNTED
from heretic.domain.hosted_engine.upgrade.steps import CHECK_JOB, MARK
from heretic.reconcile.gateway import Effect
from heretic.reconcile.store import Key
from sim.blank_site import declared
from sim.struck import Disturbance, Replies, disturb, strikes
from sim.world import NAMESPACE
from unit.hosted_engine.test_backups import Rig, rig
from unit.hosted_engine.test_upgrade import NEW, approve, declare, hosted, is_on

__all__ = ["hosted", "rig"]

BACKUPS = ("MakeBackupKey", "AuthorizeBackups", "BackUpEngine", "FetchBackup", "RemoveStagedBackups")
UPGRADE = ("CheckUpgrade", "BeginUpgrade", "SetGlobalMaintenance", "UpgradeEngine", "EndUpgrade")


async def strike(rig: Rig, verb: str, how: Disturbance) -> None:
    def replies(effect: Effect) -> Replies:
        if verb == "SetGlobalMaintenance":
            return rig.server.faults
        return (rig.engine.server if effect.target.startswith(ENGINE) else rig.world.site.servers[effect.target]).faults

    async def go() -> None:
        await rig.run(1)

    await disturb(rig.world, verb, how, go=go, replies=replies, start=rig.start)


@strikes(*BACKUPS)
async def test_a_backup_is_made_and_fetched_once(rig: Rig, verb: str, how: Disturbance) -> None:
    rig.declare()
    await strike(rig, verb, how)
    await rig.run()
    assert (len(rig.kept), rig.engine.backups, rig.engine.staged) == (1, 1, [])
    assert rig.says("BackupFresh")["status"] == "True"


@strikes("RemoveOldBackups")
async def test_an_old_backup_goes_and_the_new_ones_stay(rig: Rig, how: Disturbance) -> None:
    rig.declare(keep=2)
    for _ in range(2):
        await rig.run()
        rig.later(days=1)
    (_, second) = rig.kept
    await strike(rig, "RemoveOldBackups", how)
    await rig.run()
    assert len(rig.kept) == 2
    assert (rig.kept[0], rig.engine.backups) == (second, 3)
    assert rig.says("BackupFresh")["status"] == "True"


@pytest.fixture
async def volume(rig: Rig) -> Rig:
    """A volume for backups is there, and somebody else keeps it."""
    backups = declared("GlusterVolume", "backups", {"purpose": "Backup", "size": "20Gi", "mode": "Observe"})
    rig.world.api.apply(backups)
    key = Key("GlusterVolume", NAMESPACE, "backups")
    brick = {"node": "node1", "path": "/gluster_bricks/backups/brick", "state": "Unknown", "lvUuid": "lv-of-backups"}
    rig.world.api.objects[key].setdefault("status", {})["bricks"] = [brick]
    await rig.run(2)
    assert rig.world.api.objects[key]["status"].get("bricks"), rig.world.describe()
    return rig


PLACE = f"{MOUNTED}/backups"


@strikes("MountBackupVolume")
async def test_a_volume_for_backups_is_mounted_once(volume: Rig, how: Disturbance) -> None:
    volume.declare(path=None, volume="backups")
    await strike(volume, "MountBackupVolume", how)
    await volume.run()
    assert (len(volume.keeper.kept(PLACE)), volume.engine.backups) == (2, 1), volume.world.describe()
    assert volume.says("BackupFresh")["status"] == "True"
    assert volume.keeper.mounted.count(PLACE) == 1


async def test_a_volume_that_is_not_mounted_any_more_is_mounted_again_and_nothing_written_below(volume: Rig) -> None:
    volume.declare(path=None, volume="backups")
    await volume.run()
    before = volume.keeper.kept(PLACE)
    volume.keeper.unmount(PLACE)
    assert volume.keeper.kept(PLACE) == []
    await volume.world.round()
    said = volume.says("BackupFresh")
    assert (said["status"], "not mounted" in said["message"]) == ("Unknown", True)
    await volume.run()
    assert (volume.keeper.kept(PLACE), volume.engine.backups) == (before, 1)
    assert volume.says("BackupFresh")["status"] == "True"


async def test_a_clock_that_went_back_makes_no_backup_and_takes_none_away(rig: Rig) -> None:
    rig.declare(keep=2)
    for _ in range(2):
        await rig.run()
        rig.later(days=1)
    before = rig.kept
    rig.later(days=-30)
    await rig.run()
    assert (rig.kept, rig.engine.backups) == (before, 2)
    rig.later(days=31)
    await rig.run()
    assert (rig.kept[0], rig.engine.backups) == (before[1], 3)


async def to_check(rig: Rig) -> None:
    rig.engine.offered, rig.engine.released = "4.5.7", NEW
    declare(rig)


async def approved(rig: Rig) -> None:
    declare(rig)
    await approve(rig)


BEFORE: dict[str, Callable[[Rig], Awaitable[Any]]] = {"CheckUpgrade": to_check}


async def approve_again(rig: Rig) -> None:
    """An approval that was used up before the operator died is given once more."""
    await rig.run(2)
    if rig.says("Stalled").get("reason") == "WaitingForApproval":
        digest = rig.says("Stalled")["message"].split("plan ", 1)[1].split()[0]
        for again in (digest, f"{digest}.again"):
            rig.world.api.patch(Key("HostedEngine", NAMESPACE, "engine"), annotations={"hvp.ovirt.life/approve": again})
            await rig.run(2)


@strikes(*UPGRADE)
async def test_an_engine_is_upgraded_once(hosted: Rig, verb: str, how: Disturbance) -> None:
    await BEFORE.get(verb, approved)(hosted)
    await strike(hosted, verb, how)
    await approve_again(hosted)
    await hosted.run(12)
    assert hosted.engine.setups == 1, hosted.world.describe()
    assert (hosted.says("EngineUpgraded")["status"], is_on(hosted)) == ("True", False)
    assert MARK not in hosted.engine.machine.files
    assert hosted.engine.machine.job_starts.count(CHECK_JOB) == (verb == "CheckUpgrade")

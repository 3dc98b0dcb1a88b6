"""The engine is upgraded to a declared version: checked, backed up, approved, in global maintenance, once."""

from datetime import timedelta
from typing import Any

import pytest

from heretic.domain.commands import Output
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.hosted_engine.upgrade.room import against_room, parse_space
from heretic.domain.hosted_engine.upgrade.steps import MARK, job_name
from heretic.domain.plan import Wait
from sim.engine.host_life import Lasting
from sim.engine.hosted_engine import global_maintenance
from sim.engine.self_hosted import deploy_hosted_engine
from sim.world import Recorder
from unit.hosted_engine.conftest import KEY as ENGINE_KEY
from unit.hosted_engine.test_backups import Rig, rig

__all__ = ["rig"]
NEW, JOB = "4.5.8", job_name("4.5.8", 1)


@pytest.fixture
async def hosted(rig: Rig) -> Rig:
    """A self-hosted engine with a proved backup, whose machine is offered a newer version."""
    state = rig.server.engine.state
    state.lasting = Lasting(notice=0)
    deploy_hosted_engine(state, host="node1", address="192.0.2.11")

    def upgraded(version: str) -> bool:
        if not global_maintenance(state):
            return False
        state.build = int(version.rpartition(".")[2])
        return True

    rig.engine.upgraded, rig.engine.offered = upgraded, NEW
    rig.declare()
    await rig.run()
    assert rig.says("BackupFresh")["status"] == "True"
    return rig


def is_on(rig: Rig) -> bool:
    return global_maintenance(rig.server.engine.state)


def declare(rig: Rig, **upgrade: Any) -> None:
    rig.world.api.patch(ENGINE_KEY, {"upgrade": {"version": NEW} | upgrade})


async def approve(rig: Rig) -> None:
    """What a person does who reads the message, and does it."""
    await rig.run(3)
    said = rig.says("Stalled")
    assert said["reason"] == "WaitingForApproval", (said, rig.says("EngineUpgraded"))
    assert "BeginUpgrade" in said["message"]
    digest = said["message"].split("plan ", 1)[1].split()[0]
    rig.world.api.patch(ENGINE_KEY, annotations={"hvp.ovirt.life/approve": digest})
    rig.later(minutes=5)


async def test_an_engine_is_upgraded_once_after_an_approval(hosted: Rig) -> None:
    declare(hosted)
    await approve(hosted)
    assert (hosted.engine.setups, is_on(hosted), MARK in hosted.engine.machine.files) == (0, False, False)
    await hosted.run(12)
    assert hosted.says("EngineUpgraded")["status"] == "True", hosted.says("EngineUpgraded")
    assert hosted.engine.setups == 1
    assert not is_on(hosted), "global maintenance ends where the upgrade began it"
    assert MARK not in hosted.engine.machine.files
    assert hosted.world.api.objects[ENGINE_KEY]["status"]["version"].startswith(NEW)
    assert len(hosted.kept) == 2, "the backup that was made right before is fetched, too"
    await hosted.run(3)
    assert hosted.engine.setups == 1


async def test_global_maintenance_that_was_on_before_stays_on(hosted: Rig) -> None:
    state = hosted.server.engine.state
    assert state.self_hosted is not None
    state.self_hosted.maintenance.go(state.now() - timedelta(seconds=1), (0, True))
    declare(hosted)
    await approve(hosted)
    await hosted.run(12)
    assert hosted.says("EngineUpgraded")["status"] == "True"
    assert is_on(hosted)


async def test_a_failed_setup_is_told_with_its_words_kept_in_maintenance_and_not_repeated(hosted: Rig) -> None:
    hosted.engine.fails["setup"] = "the schema could not be upgraded"
    declare(hosted)
    await approve(hosted)
    await hosted.run(10)
    said = hosted.says("EngineUpgraded")
    assert (said["status"], said["reason"]) == ("False", "EngineUpgradeFailed")
    assert "the schema could not be upgraded" in said["message"]
    assert "spec.upgrade.attempt" in said["message"]
    assert hosted.says("Stalled")["reason"] == "EngineUpgradeFailed"
    assert (hosted.engine.setups, is_on(hosted)) == (1, True)
    hosted.engine.fails.clear()
    declare(hosted, attempt=2)
    await approve(hosted)
    await hosted.run(12)
    assert hosted.engine.setups == 2
    assert (hosted.says("EngineUpgraded")["status"], is_on(hosted)) == ("True", False)


@pytest.mark.parametrize(
    ("version", "words"),
    [("4.5.6", "never downgraded"), ("4.7.0", "one minor version"), ("5.0.0", "one minor version")],
)
async def test_a_downgrade_and_a_jump_are_refused(hosted: Rig, version: str, words: str) -> None:
    declare(hosted, version=version)
    await hosted.run(3)
    said = hosted.says("EngineUpgraded")
    assert said["reason"] == "EngineUpgradeRefused"
    assert words in said["message"]
    assert hosted.engine.setups == 0


async def test_what_the_repositories_do_not_offer_is_not_begun(hosted: Rig) -> None:
    hosted.engine.offered = "4.5.7"
    declare(hosted)
    await hosted.run(5)
    said = hosted.says("EngineUpgraded")
    assert said["reason"] == "EngineUpgradeNotOffered"
    assert "offer 4.5.7" in said["message"]
    assert hosted.engine.setups == 0


async def test_without_room_nobody_is_asked_to_approve_until_there_is_some(hosted: Rig) -> None:
    hosted.engine.files.space = (("a", 20 * 2**30), ("b", 2**30))
    declare(hosted)
    await hosted.run(5)
    said = hosted.says("EngineUpgraded")
    assert said["reason"] == "EngineUpgradeNoRoom"
    assert "/var has 1024 MiB free and needs " in said["message"]
    assert hosted.engine.setups == 0
    hosted.engine.files.space = (("a", 20 * 2**30), ("b", 20 * 2**30))
    hosted.later(minutes=11)
    await approve(hosted)


GIB = 2**30


@pytest.mark.parametrize(
    ("usr", "var", "backup", "told"),
    [
        (("a", 2 * GIB), ("b", 5 * GIB), GIB, []),
        (("a", 2 * GIB - 1), ("b", 5 * GIB), GIB, ["/usr has 2047 MiB free and needs 2048 MiB"]),
        (("a", 2 * GIB), ("b", 4 * GIB), GIB, ["/var has 4096 MiB free and needs 5120 MiB"]),
        (
            ("a", GIB),
            ("b", GIB),
            0,
            ["/usr has 1024 MiB free and needs 2048 MiB; /var has 1024 MiB free and needs 3072 MiB"],
        ),
        (("a", 6 * GIB), ("a", 6 * GIB), GIB, ["/usr and /var has 6144 MiB free and needs 7168 MiB"]),
        (("a", 7 * GIB), ("a", 7 * GIB), GIB, []),
    ],
)
def test_an_upgrade_needs_room_for_packages_downloads_and_two_backups(
    usr: tuple[str, int], var: tuple[str, int], backup: int, told: list[str]
) -> None:
    found = list(against_room(Known((usr, var)), backup))
    assert [one.reason for one in found] == [Reason.ENGINE_UPGRADE_NO_ROOM] * len(told)
    assert all(words in one.message for one, words in zip(found, told, strict=True))


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (Output(1, "", "stat: cannot read file system information for '/usr'"), "stat"),
        (Output(0, "a 4096 100\n", ""), "2 lines of three words"),
        (Output(0, "a 4096 100\nb 4096\n", ""), "2 lines of three words"),
        (Output(0, "a 4096 many\nb 4096 1\n", ""), "many"),
    ],
)
def test_room_that_is_not_known_is_waited_for(output: Output, cause: str) -> None:
    (found,) = against_room(parse_space(output), 0)
    assert isinstance(found, Wait)
    assert found.reason is Reason.NOT_OBSERVED
    assert cause in found.message


async def test_without_a_fresh_proved_backup_nobody_is_asked_to_approve(hosted: Rig) -> None:
    hosted.later(days=3)
    hosted.engine.fails["backup"] = "the database does not answer"
    declare(hosted)
    await hosted.run(5)
    said = hosted.says("EngineUpgraded")
    assert said["reason"] == "WaitingForBackup"
    assert "the database does not answer" in said["message"]
    assert hosted.says("Stalled") == {}
    assert hosted.engine.setups == 0


async def test_a_machine_that_boots_in_the_middle_is_told_and_not_upgraded_again(hosted: Rig) -> None:
    declare(hosted)
    await approve(hosted)
    hosted.engine.machine.jobs_finish_at_once = False
    for _ in range(4):
        await hosted.world.round()
    assert hosted.engine.machine.job_starts[-1] == JOB, "UpgradeEngine begins it"
    hosted.engine.machine.outcomes[JOB] = ("running", 0, 0, ("[ INFO  ] Stage: Misc configuration",))
    await hosted.world.round()
    assert "Misc configuration" in hosted.says("EngineUpgraded")["message"]
    hosted.engine.machine.reboot()
    await hosted.run(4)
    assert hosted.says("EngineUpgraded")["reason"] == "EngineUpgradeFailed"
    assert hosted.engine.machine.job_starts.count(JOB) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 5))
async def test_an_operator_that_is_killed_at_any_effect_upgrades_once(hosted: Rig, number: int, moment: str) -> None:
    declare(hosted)
    await approve(hosted)
    await hosted.world.kill_operator()
    await hosted.start(Recorder(number, moment))
    assert await hosted.world.run_mortal(lambda: hosted.run(12))
    await hosted.start()
    await hosted.run(3)
    if hosted.says("Stalled").get("reason") == "WaitingForApproval":
        await approve(hosted)
        hosted.world.api.patch(
            ENGINE_KEY,
            annotations={
                "hvp.ovirt.life/approve": hosted.says("Stalled")["message"].split("plan ", 1)[1].split()[0] + ".again"
            },
        )
    await hosted.run(12)
    assert hosted.engine.setups == 1
    assert (hosted.says("EngineUpgraded")["status"], is_on(hosted)) == ("True", False)

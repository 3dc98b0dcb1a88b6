"""The engine is backed up on time, and its backups fetched, proved and kept: through the real loop."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from heretic.domain.hosted_engine.backup.names import SUM
from heretic.domain.hosted_engine.backup.steps import AUTHORIZED_KEYS, BACKUP_JOB, FETCH_JOB, KEY, STAGED
from heretic.reconcile.store import Key
from sim.addresses import PREFIX
from sim.backups import BackedUpMachine, BackupKeeper
from sim.blank_site import blank_site, declared
from sim.engine.server import EngineServer
from sim.machine import File, Machine
from sim.server import SimServer
from sim.world import NAMESPACE, Object, Recorder, World
from unit.hosted_engine.conftest import FQDN
from unit.hosted_engine.conftest import KEY as ENGINE_KEY

MORNING = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
OLD_KEY = "ssh-ed25519 AAAAold admin@desk\n"


@dataclass
class Rig:
    """A site whose engine has a machine, and a host that keeps its backups.

    Attributes:
        world: The API and the operator.
        engine: The engine's machine.
        keeper: The host.
        server: The engine's API.
        now: What the operator's clock says.
    """

    world: World
    engine: BackedUpMachine
    keeper: BackupKeeper
    server: EngineServer
    now: datetime = MORNING

    async def start(self, *faults: Recorder) -> None:
        operator = await self.world.start_operator(*faults)
        operator.reconciler._now = lambda: self.now

    async def run(self, rounds: int = 8) -> None:
        """Rounds, with jobs ending in between."""
        for _ in range(rounds):
            await self.world.round()
            for machine in (self.engine.machine, self.keeper.machine):
                for job in list(machine.jobs.values()):
                    job.finish()

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def declare(self, **backup: Any) -> None:
        spec = {"node": "node1", "path": "/srv/backup"} | backup
        self.world.api.patch(ENGINE_KEY, {"backup": {name: value for name, value in spec.items() if value}})

    def says(self, type_: str) -> Object:
        return self.world.condition(ENGINE_KEY.kind, ENGINE_KEY.name, type_)

    @property
    def status(self) -> Object:
        found: Object = self.world.api.objects[ENGINE_KEY]["status"].get("backup", {})
        return found

    @property
    def kept(self) -> list[str]:
        """The proved backups where they are kept."""
        return [name for name in self.keeper.kept() if f"{name}{SUM}" in self.keeper.kept()]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    blank = blank_site({}, nodes=1)
    machine = SimServer(Machine("engine"), address=f"{PREFIX}5")
    server = EngineServer(address=f"{PREFIX}5", names=(FQDN,))
    with server:
        async with World(blank, [declared("Site", "demo", {})]) as world:
            await machine.start()
            engine = BackedUpMachine(machine, FQDN)
            engine.machine.files[AUTHORIZED_KEYS] = File(OLD_KEY)
            keeper = BackupKeeper(blank.machines["node1"], engine)
            password = next(iter(server.engine.sso.passwords.values()))
            world.api.secrets["heretic-engine"] = {"username": b"admin@internal", "password": password.encode()}
            world.api.apply(declared("Node", "node1", blank.node_spec("node1")))
            spec = {
                "fqdn": FQDN,
                "address": server.address,
                "port": server.port,
                "deployment": "Existing",
                "certificateAuthority": server.engine.authority.pem,
                "ssh": {"port": machine.port},
                "hostKeys": [" ".join(machine.host_key_line.split()[:2])],
            }
            world.api.apply(declared("HostedEngine", "engine", spec))
            found = Rig(world, engine, keeper, server)
            await found.start()
            await found.run(4)
            yield found
            await machine.stop()
            assert engine.machine.refusals == []
            assert [argv for argv in keeper.machine.refusals if argv[0] in ("sftp", "find", "mount", "test")] == []


async def test_without_a_declaration_nothing_is_asked_of_the_machine(rig: Rig) -> None:
    assert rig.engine.server.scripts == 0
    assert (rig.says("BackupFresh")["status"], rig.says("BackupFresh")["reason"]) == ("False", "EngineNotDeclared")
    assert rig.says("Degraded")["status"] == "False"


async def test_a_backup_is_made_verified_fetched_proved_and_taken_off_the_machine(rig: Rig) -> None:
    rig.declare()
    await rig.run()
    (name,) = rig.kept
    assert name == f"{FQDN}_{rig.world.api.objects[ENGINE_KEY]['status']['version']}_20261128T060000Z.backup"
    assert rig.says("BackupFresh")["status"] == "True", rig.world.describe()
    assert "less than a day" in rig.says("BackupFresh")["message"]
    assert f"node1:/srv/backup/{name}" in rig.says("BackupFresh")["message"]
    assert rig.status["place"] == f"node1:/srv/backup/{name}"
    assert (rig.status["taken"], rig.status["count"]) == ("2026-11-28T06:00:00Z", 1)
    assert rig.status["sha256"] == rig.keeper.machine.files[f"/srv/backup/{name}"].sha256
    assert rig.engine.staged == []
    assert rig.engine.backups == 1
    keys = rig.engine.machine.files[AUTHORIZED_KEYS].content
    assert keys.startswith(OLD_KEY)
    assert len(keys.splitlines()) == 2
    assert "PRIVATE" not in keys
    assert rig.says("Ready")["status"] == "True"


async def test_between_two_times_nothing_is_made_written_or_even_asked(rig: Rig) -> None:
    rig.declare()
    await rig.run()
    operator = rig.world.operator
    scripts, writes = rig.engine.server.scripts, rig.world.api.status_writes
    for _ in range(5):
        rig.later(hours=2)
        await operator.reconciler.run_pass(ENGINE_KEY)
    assert rig.engine.server.scripts - scripts <= 1, "one look that lasts"
    assert (rig.engine.backups, rig.world.api.status_writes) == (1, writes)
    assert rig.says("Ready")["status"] == "True"


async def test_times_that_were_missed_are_made_up_for_by_one_backup(rig: Rig) -> None:
    rig.declare(schedule={"times": ["01:30", "13:30"]})
    await rig.run()
    rig.later(hours=9)
    await rig.run()
    assert len(rig.kept) == 2
    await rig.world.kill_operator()
    rig.later(days=5)
    await rig.start()
    await rig.run()
    assert (len(rig.kept), rig.engine.backups) == (3, 3)
    assert rig.says("BackupFresh")["status"] == "True"


async def test_only_declared_days_count(rig: Rig) -> None:
    rig.declare(schedule={"days": ["Sunday"], "times": ["01:30"]})
    await rig.run()
    for _ in range(7):  # from Saturday to the Saturday after
        rig.later(days=1)
        await rig.run(6)
    assert len(rig.kept) == 2, "the first at once, the second on Sunday"


async def test_old_backups_go_after_a_new_one_was_proved_and_those_of_others_stay(rig: Rig) -> None:
    others = {"/srv/backup/other.example.test_4.5.7_20200101T000000Z.backup": "x", "/srv/backup/letter.part": "y"}
    for path, content in others.items():
        rig.keeper.machine.files[path] = File(content)
    rig.declare(keep=2)
    names: list[str] = []
    for _ in range(4):
        await rig.run()
        names.append(rig.kept[-1])
        rig.later(days=1)
    assert rig.kept == names[-2:]
    assert all(path in rig.keeper.machine.files for path in others)


async def test_the_newest_backup_is_read_again_before_an_older_one_goes(rig: Rig) -> None:
    rig.declare(keep=2)
    for _ in range(2):
        await rig.run()
        rig.later(days=1)
    before = rig.kept
    rig.keeper.machine.tools["sha256sum"], real = (lambda *_: None), rig.keeper.machine.tools["sha256sum"]
    newest = f"/srv/backup/{FQDN}_4.5_20261201T000000Z.backup"
    rig.keeper.machine.files[newest] = File("it rots")
    rig.keeper.machine.files[f"{newest}{SUM}"] = File(f"{'0' * 64}  {newest.rpartition('/')[2]}\n")
    rig.keeper.machine.tools["sha256sum"] = real
    await rig.run()
    assert set(before) <= set(rig.kept), "the only good ones stay"
    assert rig.says("Synced")["status"] == "False"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("backup", "the database does not answer"),
        ("verify", "the archive is broken"),
        ("full", "No space left on device"),
        ("transfer", "failed"),
    ],
)
async def test_a_backup_that_fails_is_told_and_tried_again_and_spoils_none_before_it(
    rig: Rig, how: str, words: str
) -> None:
    rig.declare()
    await rig.run()
    good = rig.kept
    rig.later(days=1)
    if how == "full":
        rig.engine.size = rig.engine.files.room + 1
    elif how == "transfer":
        rig.engine.mangled = True
    else:
        rig.engine.fails[how] = words
    await rig.run()
    said = rig.says("BackupFresh")
    assert (said["status"], said["reason"]) == ("False", "BackupFailed")
    assert words in said["message"]
    assert (rig.says("Degraded")["status"], rig.says("Degraded")["reason"]) == ("True", "BackupFailed")
    assert rig.says("Ready")["status"] == "True", "the engine works"
    assert words in rig.status["failure"]
    assert rig.kept == good
    assert rig.engine.backups == 2, "not at every pass"
    assert [name for name in rig.engine.staged if name.endswith(".part")] == []
    rig.engine.size, rig.engine.mangled = 100, False
    rig.engine.fails.clear()
    rig.engine.machine.job_age = rig.keeper.machine.job_age = 3601
    rig.later(hours=1.1)
    await rig.run()
    assert len(rig.kept) == 2, rig.world.describe()
    assert rig.says("BackupFresh")["status"] == "True"
    assert not rig.status.get("failure")


async def test_where_there_is_no_room_none_is_begun(rig: Rig) -> None:
    rig.engine.files.room = 2**20
    rig.declare()
    await rig.run()
    assert rig.engine.backups == 0
    assert (rig.says("BackupFresh")["reason"], rig.says("Stalled")["reason"]) == ("BackupNoRoom", "BackupNoRoom")
    assert "the engine's machine has 1 MiB free" in rig.says("BackupFresh")["message"]


@pytest.mark.parametrize(
    ("mounts", "backup", "words"),
    [
        ({}, {}, "is on the root filesystem"),
        ({"/srv/backup": ("tmpfs", "tmpfs")}, {}, "is in memory"),
        (
            {"/srv/backup": ("node1.gluster.private:/engine", "fuse.glusterfs")},
            {},
            "storage of the engine's own machine",
        ),
        ({"/srv": ("/dev/sdz1", "xfs")}, {"path": "/srv/none"}, "does not exist"),
        ({"/srv": ("/dev/sdz1", "xfs")}, {"path": "/srv/link"}, "leads through one, to /srv/backup"),
        ({}, {"path": None, "volume": "engine"}, "is for engines' machines"),
        ({}, {"path": None, "volume": "none"}, "there is no GlusterVolume none"),
        ({}, {"node": "node7"}, "there is no Node node7"),
    ],
)
async def test_what_lies_where_the_engine_does_or_does_not_last_is_refused(
    rig: Rig, mounts: dict[str, tuple[str, str]], backup: dict[str, Any], words: str
) -> None:
    rig.keeper.files.links["/srv/link"] = "/srv/backup"
    rig.world.api.apply(declared("GlusterVolume", "engine", {"purpose": "Engine", "size": "80Gi"}))
    rig.keeper.mounts.clear()
    rig.keeper.mounts.update(mounts)
    rig.declare(**backup)
    await rig.run(4)
    assert words in rig.says("BackupFresh")["message"]
    assert rig.says("BackupFresh")["status"] == "False"
    assert rig.engine.backups == 0
    assert rig.says("Stalled")["status"] == "True"


async def test_the_host_of_the_engine_itself_keeps_none(rig: Rig) -> None:
    address = rig.world.api.objects[Key("Node", NAMESPACE, "node1")]["spec"]["address"]
    assert address != rig.server.address
    rig.world.api.patch(ENGINE_KEY, {"address": address})
    rig.declare()
    await rig.run(2)
    assert "what takes the engine takes its backups" in rig.says("BackupFresh")["message"]


async def test_an_engine_that_is_away_and_a_host_that_is_away_are_told_and_prove_nothing(rig: Rig) -> None:
    rig.declare()
    await rig.run()
    rig.later(days=2)
    await rig.engine.server.stop()
    await rig.run(3)
    said = rig.says("BackupFresh")
    assert (said["status"], said["reason"]) == ("True", "WorkInProgress") or said["reason"] == "BackupOld"
    assert "the engine's machine cannot be asked" in said["message"]
    rig.later(hours=7)
    await rig.run(3)
    assert (rig.says("BackupFresh")["status"], rig.says("BackupFresh")["reason"]) == ("False", "BackupOld")
    assert rig.says("Degraded")["status"] == "True"
    await rig.world.site.servers["node1"].stop()
    await rig.run(2)
    said = rig.says("BackupFresh")
    assert said["status"] == "Unknown"
    assert "The newest that was seen is of 2026-11-28T06:00:00Z" in said["message"]
    assert rig.status["taken"] == "2026-11-28T06:00:00Z", "what was recorded stays"


async def test_another_machine_of_that_address_is_neither_backed_up_nor_changed(rig: Rig) -> None:
    rig.engine.fqdn = "other.example.test"
    rig.declare()
    await rig.run(4)
    assert rig.engine.backups == 0
    assert rig.engine.machine.files[AUTHORIZED_KEYS].content == OLD_KEY


async def test_in_observe_nothing_is_begun(rig: Rig) -> None:
    rig.world.api.patch(ENGINE_KEY, {"mode": "Observe"})
    rig.declare()
    await rig.run(4)
    assert rig.engine.backups == 0
    assert KEY not in rig.keeper.machine.files


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 6))
async def test_an_operator_that_is_killed_at_any_effect_ends_with_one_proved_backup(
    rig: Rig, number: int, moment: str
) -> None:
    await rig.world.kill_operator()
    rig.declare()
    await rig.start(Recorder(number, moment))
    assert await rig.world.run_mortal(rig.run)
    await rig.start()
    await rig.run()
    assert len(rig.kept) == 1
    assert rig.engine.backups == 1
    assert rig.engine.staged == []


async def test_a_machine_that_boots_in_the_middle_makes_another_one_an_hour_later(rig: Rig) -> None:
    rig.engine.machine.jobs_finish_at_once = False
    rig.declare()
    for _ in range(4):
        await rig.world.round()
    assert rig.engine.machine.job_starts == [BACKUP_JOB]
    rig.engine.files.folders.add(STAGED)
    rig.engine.machine.files[f"{STAGED}/{FQDN}_4.5.7_20261128T060000Z.backup.part"] = File("half")
    rig.engine.machine.outcomes[BACKUP_JOB] = ("running", 0, 0, ())
    rig.engine.machine.reboot()
    await rig.run(3)
    assert rig.says("BackupFresh")["reason"] == "BackupFailed"
    assert rig.engine.staged == [], "what is not whole is taken away"
    rig.engine.machine.job_age = 3700
    rig.later(hours=1.1)
    await rig.run()
    assert len(rig.kept) == 1


async def test_a_reply_that_is_lost_doubles_no_backup_and_no_key(rig: Rig) -> None:
    rig.declare()
    for _ in range(10):
        rig.engine.server.faults.drop_after = 1
        rig.world.site.servers["node1"].faults.drop_after = 2
        await rig.run(1)
    await rig.run()
    assert (len(rig.kept), rig.engine.backups) == (1, 1)
    assert len(rig.engine.machine.files[AUTHORIZED_KEYS].content.splitlines()) == 2


async def test_a_watch_that_is_late_makes_no_second_backup(rig: Rig) -> None:
    rig.declare()
    await rig.world.round()
    rig.world.late = True
    await rig.run(6)
    rig.world.late = False
    await rig.run()
    assert rig.engine.backups == 1
    assert FETCH_JOB in rig.keeper.machine.job_starts

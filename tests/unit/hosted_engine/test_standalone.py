"""An engine is set up on a machine of its own: once, after all that is in the way was told, and never over one."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from heretic.domain.hosted_engine.setup_machine import AUTHORITY, DONE
from heretic.domain.hosted_engine.setup_stages import setup_stage
from heretic.domain.hosted_engine.setup_steps import ANSWERS, setup_name
from heretic.domain.hosted_engine.variables import PASSWORD
from sim.blank_site import BlankSite, declared
from sim.deployment import ADDRESS, FQDN, silent_engine
from sim.engine_oracle import OneEngine
from sim.engine_setup import DATABASE, SetupHost
from sim.gluster_tools import GlusterPool
from sim.machine import File, Machine
from sim.server import SimServer
from sim.world import Object, Recorder, World
from unit.hosted_engine.deploying import KEY

FIRST, SECOND = setup_name(1, 1), setup_name(1, 2)
SECRET = "heretic-engine"


@dataclass
class Setup:
    """A site that declares an engine on a machine of its own, and that machine."""

    world: World
    host: SetupHost
    ssh: SimServer
    reached: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> Object:
        found: Object = self.world.api.objects[KEY]["status"]
        return found

    @property
    def starts(self) -> list[str]:
        return self.host.machine.job_starts

    def says(self, type_: str) -> Object:
        return self.world.condition(KEY.kind, KEY.name, type_)

    def declare(self, **standalone: Any) -> None:
        self.world.api.apply(declared(KEY.kind, KEY.name, self.reached | {"standalone": standalone}))

    async def run(self, rounds: int = 6) -> None:
        for _ in range(rounds):
            self.world.operator.observer.machine_changed("demo")
            await self.world.round()
            for job in list(self.host.machine.jobs.values()):
                job.finish()


@pytest.fixture
async def site() -> AsyncIterator[Setup]:
    with silent_engine() as server:
        machine = Machine("engine", jobs_finish_at_once=False)
        ssh = SimServer(machine, address=ADDRESS)
        await ssh.start()
        world = World(BlankSite({}, {}, GlusterPool(), {}), [declared("Site", "demo", {})])
        async with world:
            found = Setup(world, SetupHost(machine, server, FQDN, ADDRESS), ssh)
            oracle = OneEngine(lambda: server.listens, world.api, KEY)
            oracle.set_up_on(found.host)
            found.reached = {
                "fqdn": FQDN,
                "address": ADDRESS,
                "port": server.port,
                "deployment": "Standalone",
                "ssh": {"port": ssh.port},
                "hostKeys": [" ".join(ssh.host_key_line.split()[:2])],
            }
            found.declare()
            await world.start_operator()
            yield found
        await ssh.stop()
        assert machine.refusals == []
        assert oracle.violations == []


async def test_an_engine_is_set_up_with_a_password_of_its_own_and_then_kept(site: Setup, tmp_path: Path) -> None:
    await site.world.kill_operator()
    await site.world.start_operator(audit_log=tmp_path / "audit")
    await site.run(2)
    assert (site.world.api.secrets_made, site.starts) == ([SECRET], [FIRST])
    machine = site.host.machine
    await site.run()
    assert site.says("Ready")["status"] == "True", site.world.describe()
    assert site.starts == [FIRST]
    assert site.status["engineId"] == site.host.server.engine.state.instance_id
    assert (site.status["deployment"]["stage"], site.status["deployment"]["percent"]) == ("deployed", 100)
    assert site.status["certificateAuthority"] == site.host.server.engine.authority.pem
    password = site.world.api.secrets[SECRET]["password"].decode()
    assert site.host.server.engine.sso.passwords["admin"] == password
    assert {PASSWORD, ANSWERS} & machine.files.keys() == set()
    said = [(tmp_path / "audit").read_text(), json.dumps([*site.world.api.objects.values()])]
    said += [" ".join(argv) for argv in machine.ran]
    assert [text for text in said if password in text] == []
    assert "OVESETUP_PKI/organization=str:mgmt.private" in site.host.setups[0]
    writes = site.world.api.status_writes
    await site.run(1)
    assert (site.starts, site.world.api.status_writes) == ([FIRST], writes)


async def test_how_far_a_setup_is(site: Setup) -> None:
    await site.run(1)
    await site.world.round()
    site.world.operator.observer.machine_changed("demo")
    site.host.machine.outcomes[FIRST] = ("running", 0, 0, ("[ INFO  ] Stage: Package installation",))
    await site.world.round()
    assert (site.status["deployment"]["stage"], site.status["deployment"]["percent"]) == ("package installation", 53)
    assert site.says("EngineUp")["reason"] == "WorkInProgress"


@pytest.mark.parametrize(
    ("stage", "starts"),
    [("Setup validation", [FIRST, SECOND]), ("Misc configuration", [FIRST]), ("Closing up", [FIRST])],
)
async def test_a_setup_that_fails_is_tried_again_once_and_never_over_what_it_left(
    site: Setup, stage: str, starts: list[str]
) -> None:
    site.host.fails = stage
    await site.run(8)
    assert site.starts == starts
    assert site.says("Stalled")["status"] == "True"
    assert f"Failed to execute stage '{stage}'" in site.status["deployment"]["failure"]
    assert f"Failed to execute stage '{stage}'" in site.says("EngineUp")["message"]
    assert {PASSWORD, ANSWERS} & site.host.machine.files.keys() == set(), "no password is left behind"
    if len(starts) == 2:
        site.host.fails = ""
        site.declare(attempt=2)
        await site.run()
        assert site.starts == [*starts, setup_name(2, 1)]
        assert site.says("EngineUp")["status"] == "True"


def _taken(host: SetupHost) -> None:
    host.listening.append(443)


def _small(host: SetupHost) -> None:
    host.memory = 2 * 2**20


def _old(host: SetupHost) -> None:
    host.release = 8


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        (lambda host: setattr(host, "installed", False), "EngineToolsMissing", "ovirt-engine"),
        (_old, "UnsupportedPlatform", "EL 8"),
        (lambda host: host.names.clear(), "NameNotResolved", "its machine cannot resolve"),
        (lambda host: host.names.update({FQDN: "192.0.2.9"}), "EngineNameWrong", "192.0.2.9"),
        (lambda host: host.names.update({FQDN: "127.0.0.1"}), "EngineNameWrong", "127.0.0.1"),
        (lambda host: host.reverse.clear(), "EngineNameWrong", "no name"),
        (_small, "DoesNotFit", "memory"),
        (lambda host: setattr(host, "room", 2**30), "DoesNotFit", "/var"),
        (_taken, "EngineDeployedBefore", "443"),
        (lambda host: host.machine.files.update({DATABASE: File("")}), "EngineDeployedBefore", "Existing"),
        (lambda host: host.machine.files.update({DONE: File("")}), "EngineDeployedBefore", "Existing"),
        (lambda host: host.machine.files.update({AUTHORITY: File("")}), "EngineDeployedBefore", "Existing"),
    ],
)
async def test_nothing_is_begun_while_anything_is_in_the_way(
    site: Setup, change: Callable[[SetupHost], object], reason: str, said: str
) -> None:
    change(site.host)
    await site.run(3)
    assert site.starts == []
    told = site.says("EngineUp")
    assert (told["reason"], said in told["message"]) == (reason, True), told


@pytest.mark.parametrize("held", [{"mode": "Observe"}, {"mode": "Plan"}, {"paused": True}])
async def test_an_engine_that_is_not_to_be_changed_is_shown_the_step_and_not_set_up(
    site: Setup, held: dict[str, Any]
) -> None:
    site.world.api.secrets[SECRET] = {"username": b"admin@internal", "password": b"given"}
    site.world.api.apply(declared(KEY.kind, KEY.name, site.reached | {"standalone": {}} | held))
    await site.run(3)
    assert (site.starts, "SetUpEngine" in json.dumps(site.status["plan"])) == ([], True)


async def test_a_password_with_a_percent_sign_is_the_password_of_the_engine(site: Setup) -> None:
    site.world.api.secrets[SECRET] = {"username": b"admin@internal", "password": b"100%(sure)s%"}
    await site.run()
    assert site.host.server.engine.sso.passwords["admin"] == "100%(sure)s%"
    assert site.says("EngineUp")["status"] == "True"


async def test_an_engine_that_somebody_else_set_up_there_is_not_trusted(site: Setup) -> None:
    site.host.machine.files |= {DONE: File(""), AUTHORITY: File(site.host.server.engine.authority.pem)}
    password = next(iter(site.host.server.engine.sso.passwords.values()))
    site.world.api.secrets[SECRET] = {"username": b"admin@internal", "password": password.encode()}
    site.host.server.start()
    await site.run(4)
    assert (site.starts, site.status.get("certificateAuthority", ""), site.status.get("engineId", "")) == ([], "", "")
    assert site.says("EngineUp")["reason"] == "EngineDeployedBefore"


async def test_an_object_that_was_made_again_finds_the_engine_that_was_set_up(site: Setup) -> None:
    await site.run()
    former = site.status["engineId"]
    site.world.api.delete(KEY)
    await site.run(2)
    assert KEY not in site.world.api.objects
    site.declare()
    await site.run()
    assert (site.starts, site.status["engineId"]) == ([FIRST], former)


async def test_a_database_that_a_failed_setup_left_running_is_told_with_the_failure(site: Setup) -> None:
    site.host.fails = "Setup validation"
    await site.run(2)
    site.host.listening.append(5432)
    await site.run(3)
    told = site.says("EngineUp")["message"]
    assert ("Failed to execute stage 'Setup validation'" in told, "5432" in told) == (True, True), told
    assert site.starts == [FIRST]


async def test_a_machine_that_is_not_the_pinned_one_is_told_nothing(site: Setup) -> None:
    site.reached["hostKeys"] = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7sD8nq7OaP7lOVrZL1Yy8p0rQm0cQJmQ3xk5YkQm0c"]
    site.declare()
    await site.run(3)
    assert (site.starts, site.host.machine.ran) == ([], [])


async def test_what_appears_between_the_look_and_the_step_stops_it_on_the_machine(site: Setup) -> None:
    await site.run(1)
    looked = site.host._find

    def find(argv: Any) -> Any:
        answer = looked(argv)
        site.host.machine.files[DATABASE] = File("")
        return answer

    site.host.machine.tools["find"] = lambda machine, argv, stdin: find(argv)
    site.world.operator.observer.machine_changed("demo")
    await site.world.round()
    assert site.starts == []


async def test_something_that_answers_at_the_name_is_not_set_up_over(site: Setup) -> None:
    site.host.server.start()
    await site.run(3)
    assert site.starts == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
async def test_an_operator_that_is_killed_at_an_effect_sets_up_no_second_engine(
    site: Setup, number: int, moment: str
) -> None:
    await site.world.kill_operator()
    await site.world.start_operator(Recorder(number, moment))
    assert await site.world.run_mortal(lambda: site.run(3))
    await site.world.start_operator()
    await site.run()
    assert (site.starts, site.world.api.secrets_made, len(site.host.setups)) == ([FIRST], [SECRET], 1)
    assert site.says("EngineUp")["status"] == "True"


async def test_a_lost_reply_and_a_late_watch_set_up_no_second_engine(site: Setup) -> None:
    await site.run(1)
    site.ssh.faults.drop_after = 2
    await site.world.round()
    site.world.late = True
    await site.run(3)
    site.world.late = False
    await site.run(4)
    assert (site.starts, len(site.host.setups)) == ([FIRST], 1)
    assert site.says("EngineUp")["status"] == "True"


async def test_an_engine_that_was_recorded_is_never_set_up_again(site: Setup) -> None:
    await site.run()
    site.host.server.stop()
    for path in (DONE, DATABASE, AUTHORITY):
        site.host.machine.files.pop(path, None)
    site.host.machine.outcomes.clear()
    site.host.listening[:] = [22]
    await site.run(3)
    assert site.starts == [FIRST]


def test_only_lines_of_stages_tell_a_stage() -> None:
    assert setup_stage("[ INFO  ] Stage: Initializing") == ("initializing", 0)
    assert setup_stage("[ INFO  ] Stage: Something new") == ("something new", 0)
    assert setup_stage("[ INFO  ] Creating PostgreSQL 'engine' database") is None

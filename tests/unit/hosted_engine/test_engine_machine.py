"""The engine's machine is reached as a host: over SSH, by the site's key, and only the machine that was pinned."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncssh
import pytest

from heretic.domain.commands import Command, Output, Probe, Script, SecretRef
from heretic.domain.engine.machine import SETTINGS, EngineMachineStep, is_of
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.plan import Done, Failed, Risk
from heretic.domain.shared import SharedFact
from heretic.reconcile.executors import AtEngine
from heretic.reconcile.secrets import with_secrets
from sim.addresses import PREFIX
from sim.admission import Anybody
from sim.machine import OK, Argv, Machine, failed, ok
from sim.server import SimServer, client_key
from unit.hosted_engine.conftest import FQDN, KEY, EngineWorld

AT = f"{PREFIX}6"


@dataclass(frozen=True, kw_only=True)
class Note(EngineMachineStep):
    verb = "Note"
    risk = Risk.SAFE

    def script(self) -> Script:
        done = Command(("test", "-e", "/srv/note"))
        return Script(done=(done,), guards=(is_of(self.fqdn),), actions=(Command(("touch", "/srv/note")),))


@dataclass
class Rig:
    """A site, the machine of its engine, and what was asked of it."""

    site: EngineWorld
    server: SimServer

    async def asked(self, lasts: float = 0.0, max_age: float = 0.0) -> Fact[str]:
        operator = self.site.world.operator
        self.site.world._watch(operator)
        fact = SharedFact(
            name="name",
            whom=lambda view, hosts: KEY.name,
            nobody="",
            probes=lambda before: (Probe("name", ("hostname",), lambda output: Known(output.stdout)),),
            assemble=lambda host, outputs, memo: outputs["name"].stdout.strip(),
            without=lambda fact, lost, view, hosts: fact,
            of_engine=True,
            lasts=lambda answer: lasts,
        )
        return await operator.observer.shared(fact, "demo", operator.store.view("demo"), {}, max_age)

    async def perform(self, fqdn: str = FQDN) -> Done | Failed:
        operator = self.site.world.operator
        self.site.world._watch(operator)
        executor = operator.reconciler._applier._executors[KEY.kind]
        assert isinstance(executor, AtEngine)
        step = Note(engine=KEY.name, why="", fqdn=fqdn)
        result = await executor.perform(KEY, operator.store.view("demo"), step, Anybody())
        assert isinstance(result, Done | Failed)
        return result


@pytest.fixture
async def rig(site: EngineWorld) -> AsyncIterator[Rig]:
    machine = Machine("engine")
    noted: list[Argv] = []

    def grep(host: Machine, argv: Argv, stdin: str | None) -> Output:
        right = argv == ("grep", "-rqxF", f"ENGINE_FQDN={FQDN}", SETTINGS)
        return OK if right else failed("", 1)

    def touch(host: Machine, argv: Argv, stdin: str | None) -> Output:
        noted.append(argv)
        return OK

    machine.tools |= {
        "hostname": lambda host, argv, stdin: ok("engine\n"),
        "grep": grep,
        "test": lambda host, argv, stdin: OK if noted else failed("", 1),
        "touch": touch,
    }
    server = SimServer(machine, address=AT)
    await server.start()
    site.change(address=AT, ssh={"port": server.port}, hostKeys=[" ".join(server.host_key_line.split()[:2])])
    yield Rig(site, server)
    await server.stop()


async def test_a_step_is_done_on_the_machine_of_the_engine_that_is_meant(rig: Rig) -> None:
    assert await rig.perform() == Done(changed=True)
    assert await rig.perform() == Done(changed=False)
    rig.server.machine.tools["test"] = lambda host, argv, stdin: failed("", 1)
    refused = await rig.perform(fqdn="other.example.test")
    assert isinstance(refused, Failed)
    assert [argv[0] for argv in rig.server.machine.effects] == ["touch"]


async def test_a_machine_with_another_key_is_told_nothing(rig: Rig) -> None:
    await rig.server.stop()
    rig.server.host_key = asyncssh.generate_private_key("ssh-ed25519")
    await rig.server.start()
    said, result = await rig.asked(), await rig.perform()
    assert isinstance(said, Unknown)
    assert "key" in said.cause
    assert isinstance(result, Failed)
    assert rig.server.scripts == 0


async def test_a_key_that_was_never_pinned_is_believed_once_where_the_site_opts_in_and_then_recorded(rig: Rig) -> None:
    rig.site.world.api.patch(KEY, {"hostKeys": []})
    assert isinstance(await rig.asked(), Unknown), "nothing is pinned, and nobody opted in"
    site = next(key for key in rig.site.world.api.objects if key.kind == "Site")
    rig.site.world.api.patch(site, {"ssh": {"hostKeyPolicy": "TrustOnFirstUse"}})
    assert await rig.asked() == Known("engine")
    await rig.site.world.round()
    assert rig.site.status["trustedHostKey"].split()[:2] == rig.server.host_key_line.split()[:2]
    await rig.site.world.kill_operator()
    await rig.site.world.start_operator()
    await rig.server.stop()
    rig.server.host_key = asyncssh.generate_private_key("ssh-ed25519")
    await rig.server.start()
    assert isinstance(await rig.asked(), Unknown), "another key is refused from then on"


async def test_an_answer_lasts_as_long_as_it_says_unless_an_effect_ends_it(rig: Rig) -> None:
    for lasts, scripts in ((600.0, 1), (600.0, 1), (0.0, 2)):
        assert await rig.asked(lasts) == Known("engine")
        assert rig.server.scripts == scripts
    await rig.perform()
    asked = rig.server.scripts
    await rig.asked(600.0)
    assert rig.server.scripts == asked + 1


async def test_a_machine_that_does_not_answer_is_asked_again(rig: Rig) -> None:
    await rig.server.stop()
    assert isinstance(await rig.asked(600.0), Unknown)
    await rig.server.start()
    for _ in range(20):
        if await rig.asked(600.0) == Known("engine"):
            return
    raise AssertionError("it was not asked again")


async def test_the_public_half_of_the_sites_key_is_all_that_leaves_the_operator(rig: Rig) -> None:
    ref = SecretRef("heretic-ssh", "ssh-privatekey", public=True)
    script = Script(done=(Command(("true",), stdin=ref),), actions=())
    filled = await with_secrets(script, "demo", rig.site.world.api)
    (line,) = (command.stdin for command in filled.done)
    assert line == client_key().export_public_key("openssh").decode().strip() + "\n"

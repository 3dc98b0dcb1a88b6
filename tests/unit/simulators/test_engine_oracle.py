"""The oracle of engines sees every second one, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from heretic.domain.commands import Output
from heretic.domain.hosted_engine.agent import CONFIGURATION
from heretic.domain.hosted_engine.setup_machine import AUTHORITY, DONE
from sim.deployment import ADDRESS, DOMAIN, FQDN, Deployer
from sim.engine.server import EngineServer
from sim.engine_oracle import OneEngine
from sim.engine_setup import DATABASE, SetupHost
from sim.host_tools import storage_machine
from sim.machine import OK, File, Machine, failed
from sim.world import MemoryApi
from unit.hosted_engine.deploying import KEY

CLEANUP = ("ovirt-hosted-engine-cleanup", "-q")
ROLE = ("env", "LC_ALL=C.UTF-8", "ansible-playbook", "--extra-vars", "@/told", "playbook")
SETUP = ("env", "LC_ALL=C.UTF-8", "engine-setup", "--offline")


class Watched:
    """A host that can deploy an engine and a machine that can have one; an engine that is made answers at once."""

    def __init__(self) -> None:
        self.answers, self.works, self.api = False, True, MemoryApi()
        self.api.objects[KEY] = {"status": {}}
        self.oracle = OneEngine(lambda: self.answers, self.api, KEY)
        server = EngineServer()
        self.host = Deployer(storage_machine("node1"), server, {}, {})
        self.machine = SetupHost(Machine("engine"), server, FQDN, ADDRESS)
        for machine in (self.host.machine, self.machine.machine):
            machine.tools["env"] = self._make
            machine.tools[CLEANUP[0]] = lambda *_: OK
        self.oracle.on(self.host)
        self.oracle.set_up_on(self.machine)

    def _make(self, *_: Any) -> Output:
        self.answers = self.works
        return OK if self.works else failed("it went wrong")

    def deploy(self, told: str = "{}") -> None:
        self.host.machine.files["/told"] = File(told)
        self.host.machine.run(ROLE)

    def restore(self) -> None:
        self.host.machine.run(CLEANUP)
        self.deploy('{"he_restore_from_file": "/root/b"}')

    def die(self) -> None:
        self.answers = False

    def approve(self, times: int = 1) -> None:
        self.api.objects[KEY]["status"]["approvals"] = [{"what": "RestoreEngine on node1"}] * times


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (lambda w: setattr(w, "answers", True), "an engine answers"),
        (lambda w: (w.deploy(), w.die()), "an engine has answered once"),
        (lambda w: w.host.running.append("HostedEngine"), "its machine runs on node1"),
        (lambda w: w.host.domain.append(DOMAIN), "a storage domain lies on the volume of node1"),
        (lambda w: w.host.machine.files.update({CONFIGURATION: File("")}), "node1 is configured for one"),
        *(
            (lambda w, path=path: w.machine.machine.files.update({path: File("")}), f"there is {path}")
            for path in (DATABASE, DONE, AUTHORITY)
        ),
    ],
)
@pytest.mark.parametrize(
    ("do", "what"),
    [
        (lambda w: w.deploy(), "the role runs on node1"),
        (lambda w: w.restore(), "ovirt-hosted-engine-cleanup runs on node1"),
        (lambda w: w.machine.machine.run(SETUP), "engine-setup runs"),
    ],
)
def test_whatever_is_there_of_an_engine_no_other_one_is_made(
    watched: Watched,
    before: Callable[[Watched], object],
    said: str,
    do: Callable[[Watched], object],
    what: str,
) -> None:
    before(watched)
    assert watched.oracle.violations == []
    do(watched)
    assert watched.oracle.violations[0] == f"{what}, and {said}"


def test_an_approval_is_for_one_restore_that_works_and_for_no_new_engine(watched: Watched) -> None:
    watched.deploy()
    watched.die()
    watched.approve()
    watched.works = False
    watched.restore()
    watched.works = True
    watched.restore()
    watched.die()
    assert watched.oracle.violations == []
    back = watched.oracle.checkpoint()
    watched.restore()
    assert watched.oracle.violations[0].startswith("ovirt-hosted-engine-cleanup runs on node1, and ")
    back()
    watched.die()
    watched.approve(2)
    watched.restore()
    watched.die()
    assert watched.oracle.violations == []
    watched.approve(3)
    watched.deploy()
    assert watched.oracle.violations == ["the role runs on node1, and an engine has answered once"]


def test_an_approved_restore_is_refused_while_the_engine_lives_and_on_a_volume_that_was_written(
    watched: Watched,
) -> None:
    watched.approve()
    watched.host.domain.append(DOMAIN)
    watched.restore()
    assert len(watched.oracle.violations) == 2
    watched.host.domain.clear()
    assert watched.answers
    watched.restore()
    assert watched.oracle.violations[-1] == "the role runs on node1, and an engine answers"


def test_what_fails_may_be_tried_again(watched: Watched) -> None:
    watched.works = False
    for _ in range(2):
        watched.deploy()
        watched.host.machine.run(CLEANUP)
        watched.machine.machine.run(SETUP)
    assert watched.oracle.violations == []

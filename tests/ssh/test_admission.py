"""The last word before a script is sent: asked when all that it had to wait for is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from heretic.domain.commands import Command, Output, Script
from heretic.domain.errors import Failure, Reason, Transient
from heretic.domain.plan import Done, Failed
from heretic.hosts import Hosts
from heretic.hosts.fence import Fence
from heretic.hosts.link import Limits
from sim.admission import Anybody
from sim.machine import OK, Argv, Machine
from sim.server import SimServer
from ssh.targets import settings_for

STEP = Script((Command(("test", "-e", "/a")),), (Command(("touch", "/a")),))
LATE = Transient(Reason.LEASE_LOST, "another operator may act by now")


class Asked(Anybody):
    """Notes what of the host was there when it was asked."""

    def __init__(self, server: SimServer) -> None:
        super().__init__()
        self._server = server
        self.checks: list[tuple[int, int]] = []
        self.fences: list[tuple[int, int]] = []
        self.refused: Failure | None = None
        self.late: Failure | None = None

    async def check(self) -> Failure | None:
        self.checks.append((self._server.logins, self._server.scripts))
        return self.refused

    def fence(self) -> Fence | Failure:
        self.fences.append((self._server.logins, self._server.scripts))
        return self.late or super().fence()


@asynccontextmanager
async def host(limits: Limits | None = None) -> AsyncIterator[tuple[Hosts, SimServer]]:
    machine = Machine()
    made: set[str] = set()

    def touch(machine: Machine, argv: Argv, stdin: str | None) -> Output:
        made.add(argv[1])
        return OK

    machine.tools |= {
        "test": lambda m, argv, stdin: Output(0 if argv[2] in made else 1, "", ""),
        "touch": touch,
    }
    server = await SimServer(machine).start()
    hosts = Hosts(limits=limits)
    try:
        yield hosts, server
    finally:
        await hosts.close()
        await server.stop()


async def test_it_is_asked_when_the_connection_is_there_and_nothing_was_sent() -> None:
    async with host() as (hosts, server):
        asked = Asked(server)
        assert await hosts.perform(settings_for(server), STEP, admission=asked) == Done(changed=True)
        assert asked.checks == [(1, 0)]
        assert asked.fences == [(1, 0)]


@pytest.mark.parametrize("moment", ["refused", "late"])
async def test_a_step_that_is_late_by_then_is_not_sent(moment: str) -> None:
    async with host() as (hosts, server):
        asked, settings = Asked(server), settings_for(server)
        setattr(asked, moment, LATE)
        assert await hosts.perform(settings, STEP, admission=asked) == Failed(LATE)
        assert server.scripts == 0
        assert server.machine.ran == []
        setattr(asked, moment, None)
        assert await hosts.perform(settings, STEP, admission=asked) == Done(changed=True)
        assert server.logins == 1, "the connection goes on"


async def test_a_step_that_waits_for_its_turn_is_asked_when_the_turn_has_come() -> None:
    async with host(Limits(sessions=1)) as (hosts, server):
        server.faults.delay = 0.3
        first, second, settings = Asked(server), Asked(server), settings_for(server)
        other = Script((Command(("test", "-e", "/b")),), (Command(("touch", "/b")),))
        running = asyncio.create_task(hosts.perform(settings, STEP, admission=first))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(hosts.perform(settings, other, admission=second))
        await asyncio.sleep(0.1)
        assert second.checks == []
        second.late = LATE
        assert await running == Done(changed=True)
        assert await waiting == Failed(LATE)
        assert server.machine.effects == [("touch", "/a")]

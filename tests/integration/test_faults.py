"""What hosts do wrong: a reason of its own for each, recovery without a restart, and nothing done twice.

One operator lives through each fault; its loop, its connections and its scripts are the real ones.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

import pytest

from sim.blank_site import BlankSite, blank_site
from sim.host_tools import StorageMachine
from sim.server import SimServer
from sim.world import World

ROUNDS = 40


@dataclass(frozen=True)
class Fault:
    """Something wrong with node1 while the site comes up.

    Attributes:
        begin, end: Makes it so, and mends it.
        reason: What Ready of node1 must say.
        says: What its message must contain.
        stalled: Whether only a person can mend it.
        user: Whom the host lets in.
    """

    begin: Callable[[SimServer, StorageMachine], object]
    end: Callable[[SimServer, StorageMachine], object]
    reason: str
    says: str
    stalled: bool = False
    user: str = "root"


def login(value: bool) -> Callable[[SimServer, StorageMachine], object]:
    def change(server: SimServer, machine: StorageMachine) -> None:
        server.faults.refuse_login = value
        server.drop()

    return change


def answers(garble: Callable[[bytes], bytes] | None) -> Callable[[SimServer, StorageMachine], object]:
    return lambda server, machine: setattr(server.faults, "garble", garble)


def writes(error: str | None) -> Callable[[SimServer, StorageMachine], object]:
    return lambda server, machine: setattr(machine, "put_error", error)


FAULTS = {
    "login refused": Fault(login(True), login(False), "AuthenticationFailed", "authorized_keys", stalled=True),
    "sudo refused": Fault(
        lambda s, m: setattr(s.faults, "refuse_sudo", "sudo: a password is required\n"),
        lambda s, m: setattr(s.faults, "refuse_sudo", None),
        "NoRoot",
        "password",
        stalled=True,
        user="keeper",
    ),
    "sessions refused": Fault(
        lambda s, m: setattr(s.faults, "refuse_sessions", True),
        lambda s, m: setattr(s.faults, "refuse_sessions", False),
        "LoginRefused",
        "MaxSessions",
        stalled=True,
    ),
    "garbled answers": Fault(answers(lambda data: data[::-1]), answers(None), "OutputNotUnderstood", "not usable"),
    "answers cut short": Fault(
        answers(lambda data: data[: len(data) // 2]), answers(None), "OutputNotUnderstood", "not usable"
    ),
    "disk full": Fault(writes("No space left on device"), writes(None), "DiskFull", "free some space", stalled=True),
    "root read-only": Fault(
        writes("Read-only file system"), writes(None), "ReadOnlyRoot", "writable again", stalled=True
    ),
    "clock 10 minutes off": Fault(
        lambda s, m: setattr(m.host, "clock_skew", 600.0),
        lambda s, m: setattr(m.host, "clock_skew", 0.0),
        "ClockSkewed",
        "60",
        stalled=True,
    ),
    "package manager locked": Fault(
        lambda s, m: setattr(m.host, "lock", True),
        lambda s, m: setattr(m.host, "lock", False),
        "PackageManagerLocked",
        "812",
    ),
}


def is_clean(site: BlankSite) -> None:
    assert site.refusals == []
    assert site.destroyed_twice() == []


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_named_and_mending_it_is_enough(name: str) -> None:
    fault, site = FAULTS[name], blank_site()
    site.servers["node1"].user = fault.user
    async with World(site) as world:
        server, machine = site.servers["node1"], site.machines["node1"]
        await world.start_operator()
        fault.begin(server, machine)
        await world.run(
            rounds=ROUNDS, until=lambda: world.condition("Node", "node1", "Ready").get("reason") == fault.reason
        )
        ready = world.condition("Node", "node1", "Ready")
        assert fault.says in ready["message"]
        assert "node1" in ready["message"]
        assert (world.condition("Node", "node1", "Stalled").get("status") == "True") == fault.stalled
        for _ in range(3):
            await world.round()
        assert world.condition("Node", "node1", "Ready")["reason"] == fault.reason, "it must not flap"
        assert not [argv for argv in machine.effects if argv[0] == "vgcreate"], "nothing is prepared meanwhile"
        assert world.condition("Node", "node2", "Ready")["reason"] != fault.reason, "the other nodes go on"
        fault.end(server, machine)
        await settled(world)
        is_clean(site)


async def settled(world: World) -> None:
    """Rounds until Ready; connections are tried again after a pause, which rounds without work do not fill."""
    async with asyncio.timeout(60):
        while not world.ready():
            await world.run(rounds=1, until=lambda: True)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
async def test_connections_break_again_and_again(kind: str) -> None:
    site = blank_site()
    after = cycle((3, 4, 7, 5))  # scripts until the next one; never in step with the scripts of a pass
    async with World(site) as world:
        await world.start_operator()
        async with asyncio.timeout(100):
            broken = 0
            while not world.ready():
                for server in site.servers.values():
                    if getattr(server.faults, kind) == 0:
                        setattr(server.faults, kind, next(after))
                        broken += 1
                await world.run(rounds=1, until=lambda: True)
                await asyncio.sleep(0.02)
        assert broken > 10
        is_clean(site)


async def test_a_host_without_an_answer_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heretic.hosts.connections.observation_deadline", lambda probes: 0.5)
    monkeypatch.setattr("heretic.hosts.connections.announcement_deadline", lambda: 0.5)
    site = blank_site()
    async with World(site) as world:
        await world.start_operator()
        site.servers["node2"].faults.hang = True
        await world.run(
            rounds=ROUNDS,
            until=lambda: world.condition("Node", "node1", "Configured").get("status") == "True",
        )
        ready = world.condition("Node", "node2", "Ready")
        assert ready["reason"] == "CommandTimedOut"
        assert "node2" in ready["message"]
        assert site.machines["node2"].effects == []
        site.servers["node2"].faults.hang = False
        await settled(world)
        is_clean(site)

"""A site of simulated hosts whose engine is simulated too: its Nodes are hosts of the engine."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from heretic.reconcile.store import Key
from sim.addresses import PREFIX
from sim.blank_site import blank_site
from sim.engine.engine import SimEngine
from sim.engine.server import EngineServer
from sim.engine.state import EngineState, named
from sim.world import NAMESPACE, World
from unit.hosted_engine.conftest import ADDRESS, FQDN, EngineWorld
from unit.simulators.engine_site import Clock

ROLES = {"roles": ["Storage", "Hypervisor"]}


@dataclass
class MemberWorld(EngineWorld):
    """A site with hosts and an engine.

    Attributes:
        clock: The engine's.
        installing: The most hosts that were on their way at once.
    """

    clock: Clock = field(default_factory=Clock)
    installing: int = 0

    def node(self, name: str = "node1") -> Key:
        return Key("Node", NAMESPACE, name)

    def tells(self, type_: str, name: str = "node1") -> dict[str, Any]:
        """One condition of a Node."""
        return self.world.condition("Node", name, type_)

    def seen(self, name: str = "node1") -> dict[str, Any]:
        """Status of a Node."""
        found: dict[str, Any] = self.world.api.objects[self.node(name)]["status"]
        return found

    def declare(self, name: str = "node1", **spec: Any) -> None:
        """Edits a Node."""
        self.world.api.patch(self.node(name), spec)

    def state_of(self, name: str = "node1") -> str:
        """State of a host in the engine."""
        host = named(self.state.hosts, name)
        return str(self.state.lives[host.id].status(self.state.now()).value) if host else ""

    async def rounds(self, number: int = 1, seconds: float = 10) -> None:
        """Rounds, between which the engine's clock goes on."""
        for _ in range(number):
            await self.world.round()
            for machine in self.world.site.machines.values():
                for job in list(machine.jobs.values()):
                    job.finish()
            busy = [name for name in self.world.site.machines if self.state_of(name) in ("installing", "reboot")]
            self.installing = max(self.installing, len(busy))
            self.clock.go(seconds=seconds)

    async def until(self, done: Any, rounds: int = 60, seconds: float = 10) -> None:
        """Rounds until something holds."""
        for _ in range(rounds):
            await self.rounds(1, seconds)
            if done():
                return
        raise AssertionError(f"not done after {rounds} rounds:\n{self.world.describe()}")

    def all_members(self) -> bool:
        """Whether each Node is up in the engine."""
        return all(self.tells("EngineMember", name).get("status") == "True" for name in self.world.site.machines)

    def ready(self) -> bool:
        return self.world.ready()


async def made(
    server: EngineServer, clock: Clock, nodes: int, volumes: Mapping[str, Any]
) -> AsyncIterator[MemberWorld]:
    world = World(blank_site(volumes, nodes=nodes))
    async with world:
        password = next(iter(server.engine.sso.passwords.values()))
        world.api.secrets["heretic-engine"] = {"username": b"admin@internal", "password": password.encode()}
        found = MemberWorld(server, world, clock)
        for key in [k for k in world.api.objects if k.kind == "Node"]:
            world.api.patch(key, ROLES)
        world.api.apply(found.spec())
        server.engine.state.reachable = {f"{PREFIX}{n}" for n in range(11, 11 + nodes)}
        await world.start_operator()
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[EngineServer]:
    with EngineServer(SimEngine(EngineState(now=clock)), address=ADDRESS, names=(FQDN,)) as server:
        yield server
        assert server.engine.refused == []


@pytest.fixture
async def site(server: EngineServer, clock: Clock) -> AsyncIterator[MemberWorld]:
    """Three hosts without volumes."""
    async for found in made(server, clock, 3, {}):
        yield found


@pytest.fixture
async def lone(server: EngineServer, clock: Clock) -> AsyncIterator[MemberWorld]:
    """One host without volumes."""
    async for found in made(server, clock, 1, {}):
        yield found


@pytest.fixture
async def storage(server: EngineServer, clock: Clock) -> AsyncIterator[MemberWorld]:
    """Three hosts with a volume."""
    async for found in made(server, clock, 3, {"engine": {"purpose": "Engine", "size": "20Gi"}}):
        yield found

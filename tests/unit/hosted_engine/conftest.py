"""A site whose engine is simulated: an API in memory, an engine that listens, and one operator at a time."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from heretic.domain.engine.call import ENGINE
from heretic.reconcile.store import Key
from sim.addresses import PREFIX
from sim.blank_site import BlankSite, declared
from sim.engine.server import EngineServer
from sim.gluster_tools import GlusterPool
from sim.world import NAMESPACE, Object, World

FQDN, ADDRESS = "engine.example.test", f"{PREFIX}5"
KEY = Key(ENGINE, NAMESPACE, "engine")


@dataclass
class EngineWorld:
    """A site that declares nothing but its engine, until a test applies more.

    Attributes:
        server: The engine.
        world: The API and the operator.
    """

    server: EngineServer
    world: World

    def spec(self, **more: Any) -> Object:
        """A HostedEngine that stands for the simulated engine."""
        return declared(ENGINE, "engine", self.reached() | more)

    def reached(self) -> dict[str, Any]:
        """How the simulated engine is reached."""
        return {
            "fqdn": FQDN,
            "address": self.server.address,
            "port": self.server.port,
            "deployment": "Existing",
            "certificateAuthority": self.server.engine.authority.pem,
        }

    def change(self, **spec: Any) -> None:
        """Edits the HostedEngine."""
        self.world.api.patch(KEY, spec)

    async def settle(self, rounds: int = 10) -> Object:
        """Rounds until the HostedEngine's status says nothing new.

        Returns:
            The HostedEngine.
        """
        before: Any = None
        for _ in range(rounds):
            await self.world.round()
            now = self.world.api.objects[KEY]
            if before == now["status"] and not self.says("Reconciling"):
                return now
            before = now["status"]
        raise AssertionError(f"it does not settle:\n{self.world.describe()}\n{before}")

    def says(self, type_: str) -> Object:
        """One condition of the HostedEngine."""
        return self.world.condition(*(KEY.kind, KEY.name), type_)

    @property
    def status(self) -> Object:
        """Of the HostedEngine."""
        found: Object = self.world.api.objects[KEY]["status"]
        return found

    @property
    def writes(self) -> list[str]:
        """All changes that were asked of the engine."""
        return self.server.engine.writes

    @property
    def state(self) -> Any:
        """What the engine remembers."""
        return self.server.engine.state


@pytest.fixture
def server() -> Iterator[EngineServer]:
    with EngineServer(address=ADDRESS, names=(FQDN,)) as server:
        yield server
        assert server.engine.refused == []


@pytest.fixture
async def site(server: EngineServer) -> AsyncIterator[EngineWorld]:
    world = World(BlankSite({}, {}, GlusterPool(), {}), [declared("Site", "demo", {})])
    async with world:
        password = next(iter(server.engine.sso.passwords.values()))
        world.api.secrets["heretic-engine"] = {"username": b"admin@internal", "password": password.encode()}
        found = EngineWorld(server, world)
        world.api.apply(found.spec())
        await world.start_operator()
        yield found

"""A site whose volume is a storage domain: simulated hosts with Gluster, a simulated engine that has one host up."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ovirtsdk4 import types

from heretic.reconcile.store import Key
from sim.blank_site import BlankSite, blank_site, declared
from sim.engine.domain_life import DomainLife, StorageLasting
from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER, SimEngine
from sim.engine.host_life import HostLife, Status
from sim.engine.host_net import new_net
from sim.engine.server import EngineServer
from sim.engine.state import EngineState
from sim.engine.storage import StoragePlace
from sim.gluster_tools import GlusterPool
from sim.world import NAMESPACE, Object, World
from unit.hosted_engine.conftest import ADDRESS, FQDN, EngineWorld

VOLUME = Key("GlusterVolume", NAMESPACE, "vmstore")


@dataclass
class Clock:
    """The engine's clock, which goes when it is told, and a little with every question."""

    passed: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.passed

    def go(self, **step: float) -> None:
        self.passed += timedelta(**step)


@dataclass
class DomainWorld(EngineWorld):
    """A site with an engine, and what tests of storage domains want to know of it."""

    clock: Clock

    def add_host(self, name: str = "node1", status: Any = Status.UP) -> None:
        """A host of the cluster, in a state that lasts."""
        host = types.Host(name=name, address=f"{name}.example.test", cluster=types.Cluster(id=DEFAULT_CLUSTER))
        self.state.insert(self.state.hosts, host)
        new_net(self.state, host)
        life = self.state.lives[host.id] = HostLife(self.state.lasting)
        life.go(self.state.now(), (0, status))

    def host_is(self, status: Any, name: str = "node1") -> None:
        """The state of a host from now on."""
        key = next(key for key, host in self.state.hosts.items() if host.name == name)
        self.state.lives[key].go(self.state.now(), (0, status))

    def share(self, place: str) -> None:
        """Something that hosts reach."""
        self.state.storage[place] = StoragePlace()

    def put(self, name: str, place: str, *, attached: bool = True, kind: str = "glusterfs", **more: Any) -> Any:
        """A domain that somebody made by hand, active unless it is not attached."""
        address, _, path = place.partition(":")
        storage = types.HostStorage(
            type=types.StorageType(kind),
            address=address,
            path=path,
            vfs_type=kind,
            mount_options=more.pop("options", None),
        )
        made = types.StorageDomain(
            name=name,
            type=types.StorageDomainType(more.pop("purpose", "data")),
            storage=storage,
            master=False,
            comment="",
            description="",
            warning_low_space_indicator=10,
        )
        self.share(place)
        self.state.insert(self.state.storage_domains, made)
        self.state.storage[place].domain = made
        if attached:
            center = more.pop("center", DEFAULT_DATA_CENTER)
            first = not any(at == center for at, _ in self.state.attachments)
            made.master = first
            life = self.state.attachments[center, made.id] = DomainLife(lasting=self.state.storage_lasting)
            life.go(self.state.now(), (0, types.StorageDomainStatus.ACTIVE))
        return made

    def domain(self, name: str) -> Any:
        """A domain by its name."""
        (found,) = [one for one in self.state.storage_domains.values() if one.name == name]
        return found

    def is_now(self, name: str, status: str) -> None:
        """The state of a domain in the data center from now on."""
        life = self.state.attachments[DEFAULT_DATA_CENTER, self.domain(name).id]
        life.go(self.state.now(), (0, types.StorageDomainStatus(status)))

    def state_of(self, name: str) -> str:
        """The state of a domain in the data center."""
        life = self.state.attachments[DEFAULT_DATA_CENTER, self.domain(name).id]
        return str(life.status(self.state.now()).value)

    @property
    def names(self) -> list[str]:
        """All domains of the engine."""
        return sorted(one.name for one in self.state.storage_domains.values())

    @property
    def changes(self) -> list[str]:
        """All changes of storage domains that were asked of the engine, without ids."""
        asked = [one.partition("?")[0].split("/api/")[-1] for one in self.writes if "storagedomains" in one]
        verbs = [one.split(" ", 1)[0] for one in self.writes if "storagedomains" in one]
        return [_short(verb, path) for verb, path in zip(verbs, asked, strict=True)]

    async def rest(self, rounds: int = 14, **step: float) -> None:
        """Rounds, with time that passes in the engine in between, until nothing is changed any more."""
        quiet = 0
        for _ in range(rounds):
            before = self.world.api.status_writes, len(self.writes)
            await self.world.round()
            self.clock.go(**(step or {"seconds": 30}))
            quiet = quiet + 1 if (self.world.api.status_writes, len(self.writes)) == before else 0
            if quiet == 2:
                return
        raise AssertionError(f"it does not come to rest:\n{self.world.describe()}")


def _short(verb: str, path: str) -> str:
    parts = path.split("/")
    if parts[0] == "datacenters":
        return parts[4] if len(parts) > 4 else {"POST": "attach", "DELETE": "detach"}[verb]
    return {"POST": "add", "PUT": "update", "DELETE": "remove"}[verb]


def engine_server(clock: Clock) -> EngineServer:
    """An engine with this clock."""
    lasting = StorageLasting(deactivate=0.5, detach=0.5)  # a step waits for these, in real time
    return EngineServer(SimEngine(EngineState(now=clock, storage_lasting=lasting)), address=ADDRESS, names=(FQDN,))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[EngineServer]:
    with engine_server(clock) as server:
        yield server
        assert server.engine.refused == []


def credentials(world: World, server: EngineServer) -> None:
    """The Secret by which the operator logs in."""
    password = next(iter(server.engine.sso.passwords.values()))
    world.api.secrets["heretic-engine"] = {"username": b"admin@internal", "password": password.encode()}


@pytest.fixture
async def shares(server: EngineServer, clock: Clock) -> AsyncIterator[DomainWorld]:
    """A site that declares nothing but its engine, which has one host, and what that reaches."""
    world = World(BlankSite({}, {}, GlusterPool(), {}), [declared("Site", "demo", {})])
    async with world:
        credentials(world, server)
        made = DomainWorld(server, world, clock)
        made.add_host()
        for place in ("nas:/guests", "nas:/images", "other:/guests", "/dev/shared", "lun1", "lun2", "lun3"):
            made.share(place)
        world.api.apply(made.spec())
        await world.start_operator()
        await made.rest()
        yield made


@dataclass
class VolumeWorld(DomainWorld):
    """Three hosts that serve a volume, which is to be a storage domain."""

    def says_volume(self, type_: str) -> Object:
        """One condition of the volume."""
        return self.world.condition(VOLUME.kind, VOLUME.name, type_)

    def change_volume(self, **spec: Any) -> None:
        """Edits the volume."""
        self.world.api.patch(VOLUME, spec)

    @property
    def volume_status(self) -> Object:
        """Of the volume."""
        found: Object = self.world.api.objects[VOLUME]["status"]
        return found


@dataclass
class Built:
    """A site whose volume serves, kept from test to test: it takes seconds to come up.

    Attributes:
        world: The site.
        restore: Brings it back to that moment.
    """

    world: World | None = None
    restore: Callable[[], None] = lambda: None


@pytest.fixture(scope="session")
def built() -> Built:
    return Built()


async def _come_up(built: Built) -> None:
    assert built.world is not None
    await built.world.start_operator()
    await built.world.run()
    built.restore = built.world.checkpoint()
    await built.world.kill_operator()


@pytest.fixture
async def stored(server: EngineServer, clock: Clock, built: Built) -> AsyncIterator[VolumeWorld]:
    """The volume serves; the engine has its host, and has not been asked for a domain yet."""
    new = built.world is None
    built.world = built.world or World(blank_site({"vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}}))
    async with built.world as world:
        if new:
            await _come_up(built)
        built.restore()
        credentials(world, server)
        made = VolumeWorld(server, world, clock)
        made.add_host()
        for number in (1, 2, 3):
            made.share(f"node{number}.gluster.private:/vmstore")
        world.api.apply(made.spec())
        await world.start_operator()
        yield made

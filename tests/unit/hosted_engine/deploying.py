"""A site that is about to deploy an engine: an API in memory, hosts and an engine that are simulated."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from heretic.domain.engine.call import ENGINE
from heretic.domain.hosted_engine.deploy_steps import job_name
from heretic.reconcile.store import Key
from sim.blank_site import blank_site, declared
from sim.deployment import ADDRESS, FQDN, Deployer
from sim.engine.server import EngineServer
from sim.engine_oracle import OneEngine
from sim.world import Object, World

KEY = Key(ENGINE, "demo", "engine")
FIRST, SECOND = job_name(1, 1), job_name(1, 2)


@dataclass
class Deployment:
    """A site whose volume is Ready, and whose engine is declared and does not exist.

    Attributes:
        world: The API and the operator.
        hosts: By Node.
        server: The engine, before it listens.
        oracle: Sees that there is never a second one.
    """

    world: World
    hosts: dict[str, Deployer]
    server: EngineServer
    oracle: OneEngine = field(init=False)

    def __post_init__(self) -> None:
        self.oracle = OneEngine(lambda: self.server.listens, self.world.api, KEY)
        for host in self.hosts.values():
            self.oracle.on(host)

    @property
    def first(self) -> Deployer:
        return self.hosts["node1"]

    @property
    def status(self) -> Object:
        found: Object = self.world.api.objects[KEY]["status"]
        return found

    def says(self, type_: str) -> Object:
        return self.world.condition(KEY.kind, KEY.name, type_)

    @property
    def starts(self) -> list[str]:
        """Jobs that deploy, on all hosts, in order."""
        return [unit for host in self.hosts.values() for unit in host.machine.job_starts if "engine-deploy" in unit]

    async def run_until_seen(self, rounds: int = 10) -> None:
        """Rounds until the engine was seen; its hosts may still be on their way into it."""
        for _ in range(rounds):
            await self.run(1)
            if self.status.get("engineId"):
                return
        raise AssertionError(self.world.describe())

    async def run(self, rounds: int = 8) -> None:
        """Rounds, with jobs ending in between."""
        for _ in range(rounds):
            await self.world.round()
            for host in self.hosts.values():
                for job in list(host.machine.jobs.values()):
                    job.finish()


def spec(server: EngineServer, **more: Any) -> Object:
    """A HostedEngine that is deployed."""
    hosted = {"virtualMachine": {"memory": "8Gi"}} | more
    place = {"fqdn": FQDN, "address": server.address, "port": server.port}
    return declared(ENGINE, "engine", place | {"deployment": "SelfHosted", "selfHosted": hosted})


@asynccontextmanager
async def undeployed(server: EngineServer) -> AsyncIterator[Deployment]:
    """Everything is there but the engine."""
    blank = blank_site({"engine": {"purpose": "Engine", "size": "80Gi"}})
    async with World(blank) as world:
        for name in blank.machines:
            node = world.api.objects[Key("Node", "demo", name)]
            world.api.patch(Key("Node", "demo", name), {"roles": [*node["spec"]["roles"], "Hypervisor"]})
        names, back = {FQDN: ADDRESS}, {ADDRESS: FQDN}
        hosts = {name: Deployer(machine, server, names, back) for name, machine in blank.machines.items()}
        await world.start_operator()
        await world.run()
        password = next(iter(server.engine.sso.passwords.values()))
        world.api.secrets["heretic-engine"] = {"username": b"admin@internal", "password": password.encode()}
        for host in hosts.values():
            host.machine.jobs_finish_at_once = False
        world.api.apply(spec(server))
        found = Deployment(world, hosts, server)
        yield found
        assert blank.refusals == []
        assert found.oracle.violations == []

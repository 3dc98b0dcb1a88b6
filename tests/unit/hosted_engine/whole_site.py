"""A whole site that deploys its engine and fills it, and can be brought back to any round on the way."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

from ovirtsdk4 import types

from heretic.reconcile.store import Key
from sim.blank_site import blank_site, declared
from sim.deployment import ADDRESS, FQDN, LOCAL, Deployer, silent_engine
from sim.engine.domain_life import StorageLasting
from sim.engine.state import EngineState
from sim.engine.storage import StoragePlace
from sim.world import NAMESPACE, World
from unit.hosted_engine.deploying import KEY, Deployment, spec

VOLUMES: dict[str, dict[str, Any]] = {
    "engine": {"purpose": "Engine", "size": "80Gi"},
    "vmstore": {"purpose": "VirtualMachines", "size": "40Gi", "storageDomain": {}},
}
LAN = {"role": "LAN", "subnet": "172.20.12.0/24", "vlan": 12}
POOL = {"name": "home", "ranges": [{"from": "02:00:00:00:00:00", "to": "02:00:00:00:ff:ff"}]}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class FailsOnce(Deployer):
    """Its first try to deploy fails where something is left to be cleaned up; the second one works."""

    def _deploy(self, path: str, playbook: str) -> Any:
        self.fails = None if self.told else LOCAL
        return super()._deploy(path, playbook)


class WholeSite(Deployment):
    """Three hosts whose volumes serve, and an engine that is declared with all that is kept in it."""

    @property
    def state(self) -> EngineState:
        return self.server.engine.state

    def checkpoint(self) -> Callable[[], None]:
        """Takes note of hosts, API server and engine.

        Returns:
            What brings all of them back.
        """
        world, engine, requests = self.world.checkpoint(), deepcopy(vars(self.state)), list(self.server.engine.requests)
        kept = {name: deepcopy(_own(host)) for name, host in self.hosts.items()}
        listens, oracle = self.server.listens, self.oracle.checkpoint()

        def restore() -> None:
            world()
            oracle()
            self.world.late = False
            vars(self.state).update(deepcopy(engine))
            self.server.engine.requests[:] = requests
            for name, host in self.hosts.items():
                vars(host).update(deepcopy(kept[name]))
            if self.server.listens != listens:
                (self.server.start if listens else self.server.stop)()

        return restore

    @property
    def writes(self) -> Counter[str]:
        """How often the engine was asked for each change, whatever ids it gave."""
        return Counter(_UUID.sub("ID", one) for one in self.server.engine.writes)

    def made(self) -> dict[str, Any]:
        """What there is in the engine and what was done to hosts for it, by names in place of ids."""
        state = self.state
        names = {key: one.name for table in _tables(state) for key, one in table.items()}
        lists = {name: sorted(one.name for one in getattr(state, name).values()) for name in _NAMED}
        return lists | {
            "host addresses": sorted(str(one.address) for one in state.hosts.values()),
            "attached": sorted(
                (names[center], names[domain], life.status(state.now()).value)
                for (center, domain), life in state.attachments.items()
            ),
            "networks of clusters": sorted(
                (names[cluster], names[network], sorted(role.value for role in held.roles))
                for (cluster, network), held in state.cluster_networks.items()
            ),
            "labels of hosts": sorted((names[a], names[b]) for a, b in state.host_labels),
            "deployments": (self.starts, len(self.first.told), sum(host.cleaned for host in self.hosts.values())),
        }


_NAMED = ("data_centers", "clusters", "mac_pools", "networks", "storage_domains", "hosts", "affinity_labels", "vms")


def _tables(state: EngineState) -> list[dict[str, types.Identified]]:
    return [getattr(state, name) for name in _NAMED]


def _own(host: Deployer) -> dict[str, Any]:
    return {name: value for name, value in vars(host).items() if name not in ("machine", "server", "names", "reverse")}


@asynccontextmanager
async def whole_site() -> AsyncIterator[WholeSite]:
    """The hosts serve, the engine has just been declared, and no operator runs."""
    with silent_engine() as server:
        state = server.engine.state
        state.storage_lasting = StorageLasting(attach=0, activate=0, deactivate=0, detach=0)
        state.storage |= {f"node{number}.gluster.private:/vmstore": StoragePlace() for number in (1, 2, 3)}
        blank = blank_site(VOLUMES)
        async with World(blank) as world:
            for name in blank.machines:
                node = Key("Node", NAMESPACE, name)
                roles = [*world.api.objects[node]["spec"]["roles"], "Hypervisor"]
                world.api.patch(node, {"roles": roles, "affinityLabels": ["ssd"] if name == "node2" else []})
            world.api.apply(declared("Network", "lan", LAN))
            hosts: dict[str, Deployer] = {
                name: FailsOnce(machine, server, {FQDN: ADDRESS}, {ADDRESS: FQDN})
                for name, machine in blank.machines.items()
            }
            await world.start_operator()
            await world.run()
            await world.kill_operator()
            password = next(iter(server.engine.sso.passwords.values()))
            world.api.secrets["heretic-engine"] = {"username": b"admin@internal", "password": password.encode()}
            for host in hosts.values():
                host.machine.jobs_finish_at_once = False
            world.api.apply(spec(server))
            world.api.patch(KEY, {"cluster": {"macPool": POOL}})
            yield WholeSite(world, hosts, server)

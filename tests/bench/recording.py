"""Converged sites, recorded once in the simulator: what their hosts answer, and their objects as they are stored.

Sites have three hosts; where the number of hosts leaves one over, it is a site of its own.
"""

import asyncio
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from heretic.cluster.client import Cluster
from heretic.domain.commands import Output
from heretic.domain.pool.probes import pool_probes
from heretic.main import Operator, Options
from sim.addresses import NETWORK, PREFIX
from sim.asked import ASKED
from sim.gluster_tools import GlusterPool
from sim.host_tools import StorageMachine, storage_machine
from sim.machine import Argv
from sim.server import SimServer
from sim.world import NAMESPACE, MemoryApi, Object

SITE_SIZE = 3
VOLUMES = {"engine": {"purpose": "Engine", "size": "20Gi"}, "vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}}
_ROUNDS = 60


@dataclass(frozen=True)
class Site:
    """One converged site.

    Attributes:
        machines: Its simulated hosts by the name of their Node.
        addresses: Where each listens, likewise.
        objects: Site, Networks, Nodes and volumes with their statuses.
    """

    machines: Mapping[str, StorageMachine]
    addresses: Mapping[str, str]
    objects: tuple[Object, ...]

    def answers(self, name: str) -> dict[Argv, Output]:
        """What a host answers to every question of a pass."""
        machine = self.machines[name]
        probes = (*ASKED.probes, *pool_probes(tuple(VOLUMES)))
        return {p.argv: machine.run(p.argv, None, float(p.timeout)) for p in probes}

    def placed(self, namespace: str, ports: Mapping[str, int], host_keys: Mapping[str, str]) -> list[Object]:
        """The objects, in another namespace and with hosts at other ports."""
        objects = deepcopy(list(self.objects))
        for obj in objects:
            meta, name = obj["metadata"], obj["metadata"]["name"]
            meta |= {"namespace": namespace, "uid": f"{namespace}-{obj['kind']}-{name}"}
            if obj["kind"] == "Node":
                obj["spec"] |= {"ssh": {"port": ports[name]}, "hostKeys": [host_keys[name]]}
        return objects


def sizes(hosts: int) -> list[int]:
    """How many hosts each site has.

    Raises:
        ValueError: The number is not 3 n or 3 n + 1.
    """
    sites, left = divmod(hosts, SITE_SIZE)
    if left > 1 or hosts < 1:
        raise ValueError(f"{hosts} hosts do not make sites of three and at most one of one")
    return [SITE_SIZE] * sites + [1] * left


async def record(size: int) -> Site:
    """Lets an operator bring a site of blank simulated hosts to where nothing is left to do."""
    pool = GlusterPool()
    machines: dict[str, StorageMachine] = {}
    addresses: dict[str, str] = {}
    servers: dict[str, SimServer] = {}
    for number in range(1, size + 1):
        name, address = f"node{number}", f"{PREFIX}{10 + number}"
        interfaces: dict[str, tuple[str, ...]] = {"eth0": (f"{address}/24",)}
        interfaces["eth1"] = (f"172.20.11.{10 + number}/24",)
        machines[name], addresses[name] = storage_machine(name, addresses=interfaces), address
        pool.attach(machines[name])
        servers[name] = await SimServer(machine=machines[name], address=address).start()
    api = MemoryApi()
    for obj in _declared(servers):
        api.apply(obj)
    operator = Operator(Options(namespaces=(NAMESPACE,)), cast("Cluster", api))
    try:
        await _converge(operator, api)
    finally:
        await operator.hosts.close()
        await asyncio.gather(*(server.stop() for server in servers.values()))
    return Site(machines, addresses, tuple(api.objects.values()))


async def _converge(operator: Operator, api: MemoryApi) -> None:
    """Rounds until one changes nothing at all."""
    for _ in range(_ROUNDS):
        await operator.leader.acquire()
        before = api.status_writes
        for key in list(api.objects):
            if key.kind == "Node":
                # Rounds follow each other faster than looks are thought to age.
                operator.observer.host_changed(NAMESPACE, key.name, disks=True)
        for key in list(api.objects):
            for obj in api.objects.values():
                operator.store.put(obj["kind"], deepcopy(obj))
            await operator.reconciler.run_pass(key)
        if api.status_writes == before and all(map(_is_ready, api.objects.values())):
            return
    said = [f"{k}: {o['status'].get('summary')}" for k, o in api.objects.items() if not _is_ready(o)]
    raise RuntimeError(f"the recorded site does not settle: {said}")


def _is_ready(obj: Object) -> bool:
    conditions: list[dict[str, Any]] = obj["status"].get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _declared(servers: Mapping[str, SimServer]) -> list[Object]:
    """The manifests of a site."""
    objects = [
        _object("Site", "site", {}),
        _object("Network", "mgmt", {"role": "Management", "subnet": NETWORK}),
        _object("Network", "gluster", {"role": "Gluster", "subnet": "172.20.11.0/24"}),
    ]
    for number, (name, server) in enumerate(servers.items(), 11):
        spec = {
            "address": server.address,
            "ssh": {"port": server.port},
            "hostKeys": [" ".join(server.host_key_line.split()[:2])],
            "addresses": [{"network": "gluster", "address": f"172.20.11.{number}"}],
        }
        objects.append(_object("Node", name, spec))
    return objects + [_object("GlusterVolume", name, spec) for name, spec in VOLUMES.items()]


def _object(kind: str, name: str, spec: Mapping[str, object]) -> Object:
    return {"apiVersion": "hvp.ovirt.life/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}

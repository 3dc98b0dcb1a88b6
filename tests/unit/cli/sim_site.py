"""A simulated site behind real SSH servers, its manifests on disk, and whatever carries out what plan shows."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from heretic.cli.declared import declared
from heretic.cli.observe import looking
from heretic.cli.options import Where
from heretic.cli.rehearse import Rehearsal
from heretic.domain.plan import Failed, HostStep, steps_of
from heretic.hosts.connections import Hosts
from heretic.reconcile.access import Access
from sim.addresses import NETWORK, PREFIX
from sim.admission import Anybody
from sim.gluster_tools import GlusterPool
from sim.host_tools import StorageMachine, storage_machine
from sim.server import SimServer, client_key

API = "hvp.ovirt.life/v1alpha1"
NOWHERE = Where()
"""No cluster."""


@dataclass
class SimSite:
    """Three simulated hosts with one Gluster network, and manifests of them.

    Attributes:
        folder: Holds the manifests, in one file.
        identity: File of the private key that the hosts let in.
    """

    folder: Path
    machines: dict[str, StorageMachine]
    servers: dict[str, SimServer]
    pool: GlusterPool
    objects: list[dict[str, Any]]

    @property
    def files(self) -> list[str]:
        return [str(self.folder / "site.yaml")]

    @property
    def identity(self) -> str:
        return str(self.folder / "id")

    @property
    def effects(self) -> list[object]:
        """Everything that was changed on any host."""
        return [effect for machine in self.machines.values() for effect in machine.effects]

    @property
    def refusals(self) -> list[object]:
        """Everything that a host was asked and that it does not know."""
        return [argv for machine in self.machines.values() for argv in machine.refusals]

    def spec(self, kind: str, name: str) -> dict[str, Any]:
        """The spec of a declared object, to be changed before ``write``."""
        found: dict[str, Any] = next(
            o["spec"] for o in self.objects if o["kind"] == kind and o["metadata"]["name"] == name
        )
        return found

    def write(self) -> None:
        """Writes the manifests anew."""
        (self.folder / "site.yaml").write_text(yaml.safe_dump_all(self.objects))

    async def build(self, rounds: int = 60) -> None:
        """Carries out what is planned, round by round, until nothing is left; then the manifests hold the statuses.

        They are then what ``kubectl get -o yaml`` gives of a site that an operator keeps.
        """
        for _ in range(rounds):
            if not await self._round():
                return
        raise AssertionError("the site does not converge")

    async def _round(self) -> bool:
        async with declared(NOWHERE, self.files, self.identity, offline=True) as source:
            async with looking(source.keys) as (observer, _):
                rehearsal = Rehearsal(source.store, observer, now=_now)
                objects = await rehearsal.run(source.namespaces[0])
            view, hosts = rehearsal.view(source.namespaces[0]), Hosts()
            access = Access(source.keys, monotonic=time.monotonic)
            steps = [step for entry in objects for step in steps_of(entry.outcome.plan)]
            for step in steps:
                assert isinstance(step, HostStep)
                settings = await access.settings(source.namespaces[0], view, view.nodes[step.target.name])
                result = await hosts.perform(settings, step.script(), admission=Anybody())
                assert not isinstance(result, Failed), f"{step}: {result}"
            await hosts.close()
            if not steps:
                found = [source.store.get(entry.key) for entry in objects]
                self.objects = [stored.raw for stored in found if stored]
                self.write()
        return bool(steps)


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "uid": f"uid-{kind}-{name}"}, "spec": spec}


@asynccontextmanager
async def sim_site(folder: Path) -> AsyncIterator[SimSite]:
    """Three blank hosts that listen, and the manifests of a site of them."""
    machines, servers, pool = {}, {}, GlusterPool()
    objects = [
        _object("Site", "demo", {}),
        _object("Network", "mgmt", {"role": "Management", "subnet": NETWORK}),
        _object("Network", "gluster", {"role": "Gluster", "subnet": "172.20.11.0/24"}),
    ]
    for number in (11, 12, 13):
        name, address = f"node{number - 10}", f"{PREFIX}{number}"
        addresses = {"eth0": (f"{address}/24",), "eth1": (f"172.20.11.{number}/24",)}
        machine = machines[name] = storage_machine(name, addresses=addresses)
        pool.attach(machine)
        server = servers[name] = await SimServer(machine=machine, address=address).start()
        key = " ".join(server.host_key_line.split()[:2])
        spec = {
            "address": address,
            "ssh": {"port": server.port},
            "hostKeys": [key],
            "addresses": [{"network": "gluster", "address": f"172.20.11.{number}"}],
        }
        objects.append(_object("Node", name, spec))
    objects.append(_object("GlusterVolume", "engine", {"purpose": "Engine", "size": "20Gi"}))
    objects.append(_object("GlusterVolume", "vmstore", {"purpose": "VirtualMachines", "size": "40Gi"}))
    site = SimSite(folder, machines, servers, pool, objects)
    (folder / "id").write_bytes(client_key().export_private_key("openssh"))
    site.write()
    try:
        yield site
    finally:
        for server in servers.values():
            await server.stop()

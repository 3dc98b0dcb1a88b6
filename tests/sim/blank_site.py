"""Three blank simulated hosts that listen, and the objects that make a site of them.

The whole of it can be noted and brought back, so that a scenario may be run many times from the same moment, and its
end compared with another's.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Self

from sim.addresses import NETWORK, NETWORK6, PREFIX, PREFIX6, number_of
from sim.gluster_tools import GlusterPool
from sim.host_tools import StorageMachine, storage_machine
from sim.machine import Argv
from sim.server import SimServer

Object = dict[str, Any]

API = "hvp.ovirt.life/v1alpha1"
VOLUMES: Mapping[str, Mapping[str, str]] = {
    "engine": {"purpose": "Engine", "size": "20Gi"},
    "vmstore": {"purpose": "VirtualMachines", "size": "40Gi"},
}
"""One on thick bricks, one on thin ones."""

_DESTROYERS = frozenset({"vgcreate", "pvcreate", "lvcreate", "mkfs.xfs", "lvremove", "wipefs"})
"""Programs that must never run twice for the same target."""

_WIRING = frozenset(
    {
        *("machine", "machines", "gluster", "host", "storage", "systemd", "tools", "on_boot", "now"),
        *("manager", "answers", "carriers", "passed", "site", "servers", "unheard", "joined_to", "keytabs"),
    }
)
"""Attributes that connect parts of the site, and are not its state."""

_HISTORY = frozenset(
    {"ran", "effects", "refusals", "job_starts", "jobs", "trials", "due", "fence", "seconds", "formatted"}
)
"""Attributes that say how a machine came to its state."""


def declared(kind: str, name: str, spec: Mapping[str, Any]) -> Object:
    """One object as a user writes it."""
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


@dataclass
class BlankSite:
    """The hosts of a site before anybody came.

    Attributes:
        machines: By the name of their Node.
        servers: Likewise.
        pool: What their glusterds share.
        volumes: Specs by name.
        named: Disks that the Nodes name, by Node, as they were when the objects were written first.
        others: What else the hosts share, by what it is called in the site's state.
        subnet: Of the management network.
    """

    machines: dict[str, StorageMachine]
    servers: dict[str, SimServer]
    pool: GlusterPool
    volumes: Mapping[str, Mapping[str, Any]]
    named: dict[str, list[str]] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    subnet: str = NETWORK

    async def __aenter__(self) -> Self:
        for server in self.servers.values():
            await server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self.servers.values():
            await server.stop()

    def objects(self) -> list[Object]:
        """What a user applies: the hosts must listen, because their ports and keys are part of it."""
        return [
            declared("Site", "demo", {}),
            declared("Network", "mgmt", {"role": "Management", "subnet": self.subnet}),
            declared("Network", "gluster", {"role": "Gluster", "subnet": "172.20.11.0/24"}),
            *(declared("Node", name, self.node_spec(name)) for name in self.servers),
            *(declared("GlusterVolume", name, spec) for name, spec in self.volumes.items()),
        ]

    def node_spec(self, name: str) -> dict[str, Any]:
        """The spec of one Node."""
        server = self.servers[name]
        # Hosts that carry a volume group before their objects exist are adopted by a person's word.
        there = self.machines[name].storage.disks.values()
        used = self.named.setdefault(
            name, [disk.links[0].partition("/")[2] for disk in there if disk.group.startswith(("vgdisk", "vgarbiter"))]
        )
        disks = {"disks": {"selection": "ById", "ids": used}} if used else {}
        return {
            **disks,
            "address": server.address,
            "ssh": {"port": server.port, "user": server.user},
            "hostKeys": [" ".join(server.host_key_line.split()[:2])],
            "addresses": [{"network": "gluster", "address": f"172.20.11.{number_of(server.address)}"}],
            "roles": ["Storage"],
        }

    @property
    def effects(self) -> list[tuple[str, Argv]]:
        """Everything that was changed on any host, with the host's name."""
        return [(name, effect) for name, machine in self.machines.items() for effect in machine.effects]

    @property
    def refusals(self) -> list[tuple[str, Argv]]:
        """Everything that a host was asked and does not know."""
        return [(name, argv) for name, machine in self.machines.items() for argv in machine.refusals]

    def destroyed_twice(self) -> list[tuple[str, Argv]]:
        """Effects that can destroy data and happened more than once in the same words on the same host.

        A logical volume that was removed may be made anew, by the next object with that name.
        """
        found: list[tuple[str, Argv]] = []
        happened: set[tuple[str, Argv]] = set()
        for host, argv in self.effects:
            if (host, argv) in happened and _may_destroy(argv):
                found.append((host, argv))
            happened.add((host, argv))
            if argv[0] == "lvremove":
                there = set(argv[-1].split("/"))
                happened = {(h, a) for h, a in happened if h != host or a[0] != "lvcreate" or not there <= set(a)}
        return found

    def checkpoint(self) -> Callable[[], None]:
        """Takes note of the whole site.

        Returns:
            What brings it back; may be called again and again.
        """
        saved = [(holder, deepcopy(_state(holder))) for holder in self._holders().values()]

        def restore() -> None:
            for holder, state in saved:
                holder.__dict__.update(deepcopy(state))

        return restore

    def state(self) -> dict[str, str]:
        """What the hosts are like: files, disks, logical volumes, mounts, services, peers, volumes and options.

        Identities that are made up at random are replaced by what they are of, so that two ends can be compared.
        """
        names = {known.id: f"id-of-{known.name}" for known in self.pool.volumes.values()}
        disks = [(host, disk) for host, machine in self.machines.items() for disk in machine.storage.disks.values()]
        names |= {disk.pv_uuid: f"pv-of-{host}-{disk.name}" for host, disk in disks if disk.pv_uuid}
        for host, machine in self.machines.items():
            for group in machine.storage.groups.values():
                names[group.uuid] = f"vg-of-{host}-{group.name}"
            for volume in machine.storage.volumes.values():
                names[volume.uuid] = f"lv-of-{host}-{volume.group}-{volume.name}"
                if volume.filesystem:
                    names[volume.filesystem.uuid] = f"filesystem-of-{host}-{volume.group}-{volume.name}"
        flat: dict[str, str] = {}
        for path, holder in self._holders().items():
            for attribute, value in _state(holder).items():
                if attribute not in _HISTORY:
                    flat |= _flat(f"{path}.{attribute}", value, names)
        return flat

    def _holders(self) -> dict[str, Any]:
        found: dict[str, Any] = {"pool": self.pool, **self.others}
        for name, machine in self.machines.items():
            host = machine.host
            found |= {f"{name}.glusterd": self.pool.nodes[name], name: machine, f"{name}.host": host}
            found |= {f"{name}.storage": host.storage, f"{name}.systemd": host.systemd}
        return found


def _may_destroy(argv: Argv) -> bool:
    words = set(argv)
    return argv[0] in _DESTROYERS or ("volume" in words and bool(words & {"create", "stop", "delete"}))


def _state(holder: Any) -> dict[str, Any]:
    wiring = _WIRING | ({"nodes"} if isinstance(holder, GlusterPool) else frozenset())
    return {name: value for name, value in vars(holder).items() if name not in wiring}


def _flat(path: str, value: Any, names: Mapping[str, str]) -> dict[str, str]:
    """One entry for each thing with a name, so that a difference says where it is."""
    if isinstance(value, dict):
        return {k: v for key, entry in value.items() for k, v in _flat(f"{path}[{key}]", entry, names).items()}
    text = repr(value)
    for identity, name in names.items():
        text = text.replace(identity, name)
    return {path: text}


def blank_site(volumes: Mapping[str, Mapping[str, Any]] = VOLUMES, *, nodes: int = 3, ipv6: bool = False) -> BlankSite:
    """Builds a site of blank hosts; entering it makes them listen.

    Args:
        volumes: Specs by name.
        nodes: How many hosts.
        ipv6: Whether their management network is one of IPv6 alone.
    """
    pool, machines, servers = GlusterPool(), {}, {}
    for number in range(11, 11 + nodes):
        name, address = f"node{number - 10}", f"{PREFIX6 if ipv6 else PREFIX}{number}"
        own = f"{address}/{64 if ipv6 else 24}"
        addresses: dict[str, tuple[str, ...]] = {"eth0": (own,), "eth1": (f"172.20.11.{number}/24",)}
        machines[name] = storage_machine(name, addresses=addresses)
        pool.attach(machines[name])
        servers[name] = SimServer(machine=machines[name], address=address)
    return BlankSite(machines, servers, pool, volumes, subnet=NETWORK6 if ipv6 else NETWORK)

"""Networks of a simulated engine: what a person declares and does, and what is there then."""

from collections.abc import Mapping
from typing import Any

from ovirtsdk4 import types

from heretic.reconcile.store import Key
from sim.blank_site import declared
from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.host_life import Status
from sim.engine.host_net import WiredNetwork, wanted
from sim.engine.hosts import make_host
from sim.world import NAMESPACE, Object
from unit.hosted_engine.conftest import EngineWorld

MANAGEMENT: Mapping[str, Any] = {"role": "Management", "subnet": "172.20.10.0/24"}
GLUSTER: Mapping[str, Any] = {"role": "Gluster", "subnet": "172.20.11.0/24", "mtu": 9000, "vlan": 11}
LAN: Mapping[str, Any] = {"role": "LAN", "subnet": "172.20.12.0/24", "vlan": 12}
INTERNAL: Mapping[str, Any] = {"role": "Internal", "subnet": "172.20.13.0/24", "vlan": 13}
OVN: Mapping[str, Any] = {"role": "OVN", "subnet": "172.20.14.0/24"}
ALL = {"mgmt": MANAGEMENT, "gluster": GLUSTER, "lan": LAN, "internal": INTERNAL, "ovn": OVN}


def key(name: str) -> Key:
    return Key("Network", NAMESPACE, name)


def apply(site: EngineWorld, **networks: Mapping[str, Any]) -> None:
    for name, spec in networks.items():
        site.world.api.apply(declared("Network", name, dict(spec)))


async def settle(site: EngineWorld, rounds: int = 15) -> None:
    before: Any = None
    for _ in range(rounds):
        await site.world.round()
        now = {k: o.get("status") for k, o in site.world.api.objects.items()}
        if now == before:
            return
        before = now
    raise AssertionError(f"it does not settle:\n{site.world.describe()}")


def says(site: EngineWorld, name: str, type_: str = "LogicalNetworkReady") -> Object:
    return site.world.condition("Network", name, type_)


def in_engine(site: EngineWorld, name: str) -> Any:
    return next((one for one in site.state.networks.values() if one.name == name), None)


def usages(site: EngineWorld, name: str) -> set[str] | None:
    """What the cluster uses it for; None where it has not got it."""
    network = in_engine(site, name)
    held = site.state.cluster_networks.get((DEFAULT_CLUSTER, network.id))
    return None if held is None else {role.value for role in held.roles}


def required(site: EngineWorld, name: str) -> bool:
    return bool(site.state.cluster_networks[DEFAULT_CLUSTER, in_engine(site, name).id].required)


def host_is_up(site: EngineWorld, name: str, address: str) -> None:
    host = make_host(site.state, types.Host(name=name, address=address), DEFAULT_CLUSTER)
    site.state.lives[host.id].go(site.state.now(), (0, Status.UP))


def attach(site: EngineWorld, host: str, network: str, interface: str) -> None:
    """What a person does in the engine."""
    at = next(one for one in site.state.hosts.values() if one.name == host)
    wired = WiredNetwork(site.state.new_id(), in_engine(site, network).id, interface, [])
    wired.there = wanted(site.state, at, wired)
    site.state.nets[at.id].now.attachments[wired.id] = wired


def approve(site: EngineWorld, name: str, word: str = "") -> None:
    """What a person does with the plan that is shown."""
    plan = site.world.api.objects[key(name)]["status"]["plan"]["hash"]
    site.world.api.patch(key(name), annotations={"hvp.ovirt.life/approve": plan + word})

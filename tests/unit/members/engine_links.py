"""Hosts of a simulated engine with more ports than networks, whose Nodes want their links configured."""

from typing import Any

from ovirtsdk4 import types

from sim.addresses import PREFIX
from sim.blank_site import declared
from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.host_life import Status
from sim.engine.host_net import HostWires, NetworkCard, net_of
from sim.engine.hosts import make_host
from sim.engine.state import named
from unit.members.conftest import MemberWorld

NODES = ("node1", "node2", "node3")
PORTS = ("eth0", "eth1", "eth2", "eth3")
LEADS = [
    {"port": "eth1", "networks": ["gluster"]},
    {"port": "eth2", "networks": ["gluster"]},
    {"port": "eth3", "networks": ["lan"]},
]
LAN = {"role": "LAN", "subnet": "198.18.77.0/24", "vlan": 77}


def wires(site: MemberWorld, host: str) -> HostWires:
    found = named(site.state.hosts, host)
    assert found
    return net_of(site.state, found)


def links(site: MemberWorld, host: str) -> dict[str, tuple[str, list[str]]]:
    """By network: the port or bond that carries it, and the addresses that the engine gives the host there."""
    return {
        site.state.networks[one.network].name: (
            one.interface,
            [a.ip.address for a in one.addresses if a.assignment_method is types.BootProtocol.STATIC],
        )
        for one in wires(site, host).now.attachments.values()
    }


def setups(site: MemberWorld, host: str = "") -> int:
    found = named(site.state.hosts, host)
    return sum("setupnetworks" in write and (found is None or found.id in write) for write in site.writes)


async def members(site: MemberWorld, *, configured: bool, nodes: tuple[str, ...] = NODES) -> None:
    """Hosts that are in the engine, with the management network alone; the Networks are in its cluster."""
    if configured:
        configure(site, *nodes)
    for number, name in enumerate(nodes, start=1):
        address = f"{PREFIX}1{number}"
        machine = site.world.site.machines[name]
        machine.host.addresses = {**machine.host.addresses, "eth2": (), "eth3": ()}
        site.state.ports[address] = {port: NetworkCard(f"52:54:00:01:0{number}:0{n}") for n, port in enumerate(PORTS)}
        host = make_host(site.state, types.Host(name=name, address=address), DEFAULT_CLUSTER)
        site.state.lives[host.id].go(site.state.now(), (0, Status.UP))
    site.world.api.apply(declared("Network", "lan", LAN))
    for network in ("gluster", "lan"):
        await site.until(lambda n=network: in_cluster(site, n), seconds=30)


def in_cluster(site: MemberWorld, network: str) -> bool:
    return site.world.condition("Network", network, "LogicalNetworkReady").get("status") == "True"


def configure(site: MemberWorld, *names: str, **spec: Any) -> None:
    """What a person declares."""
    for name in names:
        site.declare(name, configureLinks=True, interfaces=LEADS, **spec)

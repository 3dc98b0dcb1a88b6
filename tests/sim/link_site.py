"""Simulated hosts with ports, cables and NetworkManager, and the time that passes while a host waits for a proof.

Whether a host can be reached is decided by its links: it must have its address in the management network, in which the
operator is, too, or a way to the router that the operator is behind.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from typing import Any, Self

from heretic.domain.wiring.profiles import KEPT
from heretic.hosts import connections
from sim.addresses import NETWORK, PREFIX, PREFIX6, WAYS, number_of
from sim.blank_site import BlankSite, Object, blank_site, declared
from sim.links import HostLinks, SimPort
from sim.machine import File
from sim.server import SimServer
from sim.wires import SimWire

ROUTER, SWITCH, LAN_ROUTER = f"{PREFIX}1", "172.20.11.200", "172.20.12.1"
ROUTER6, DESK6 = f"{PREFIX6}1", f"{PREFIX6}200"
OFFICE = SimWire("office", {0: "mgmt"})
RACK = SimWire("rack", {0: "gluster", 12: "lan"})
TRY = 10.0
"""Seconds until the operator gives up to reach a host that does not answer."""

NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "mgmt": {"role": "Management", "subnet": NETWORK, "gateway": ROUTER},
    "gluster": {"role": "Gluster", "subnet": "172.20.11.0/24", "mtu": 9000, "probeAddress": SWITCH},
    "lan": {"role": "LAN", "subnet": "172.20.12.0/24", "vlan": 12, "gateway": LAN_ROUTER},
}


@dataclass
class Clock:
    """Simulated time.

    Attributes:
        at: Now.
        passed: How much of it has passed in all, also where the site was brought back to a moment before.
    """

    at: float = 0.0
    passed: float = 0.0


@dataclass
class Spoken:
    """Connections between glusterds.

    Attributes:
        to: The address that one host is connected to, by both hosts.
    """

    to: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass
class LinkSite(BlankSite):
    """Hosts whose management port alone is configured.

    Attributes:
        links: By host.
        clock: The time there.
        there: Addresses that answer in each network beside the hosts.
        desk: The operator's address: in the management network, or anywhere behind its router.
        cut: Hosts that the operator has no way to, for a reason that is not theirs.
        on_try: Called before each connection to a host.
        spoken: By which addresses the hosts' glusterds are connected.
    """

    links: dict[str, HostLinks] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    there: dict[str, set[str]] = field(default_factory=dict)
    desk: str = f"{PREFIX}200"
    cut: set[str] = field(default_factory=set)
    on_try: Callable[[str], None] = field(default=lambda name: None, repr=False)
    spoken: Spoken = field(default_factory=Spoken)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        loop = asyncio.get_running_loop()
        self._time, self._pause = loop.time, connections._PROOF_PAUSE
        loop.time = lambda: self._time() + self.clock.passed  # type: ignore[method-assign]
        connections._PROOF_PAUSE = 0.001
        for name, server in self.servers.items():
            WAYS[server.address] = lambda name=name: self._connect(name)  # type: ignore[misc]
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self.servers.values():
            WAYS.pop(server.address, None)
        connections._PROOF_PAUSE = self._pause
        asyncio.get_running_loop().time = self._time  # type: ignore[method-assign]
        await super().__aexit__()

    def objects(self) -> list[Object]:
        """What a user applies who wants the links of the hosts configured."""
        volumes = [declared("GlusterVolume", name, spec) for name, spec in self.volumes.items()]
        own = {"subnet": self.subnet, "gateway": ROUTER if self.subnet == NETWORK else ROUTER6}
        specs = {**NETWORKS, "mgmt": {**NETWORKS["mgmt"], **own}}
        networks = [declared("Network", name, spec) for name, spec in specs.items()]
        nodes = [declared("Node", name, self.node_spec(name)) for name in self.servers]
        return [declared("Site", "demo", {}), *networks, *nodes, *volumes]

    def node_spec(self, name: str) -> dict[str, Any]:
        """The spec of one Node."""
        number = number_of(self.servers[name].address)
        addresses = [
            {"network": net, "address": f"{NETWORKS[net]['subnet'][:-4]}{number}"} for net in ("gluster", "lan")
        ]
        return super().node_spec(name) | {"configureLinks": True, "addresses": addresses}

    # who reaches whom

    def answers(self, network: str, address: str) -> bool:
        """Whether somebody in a network has an address."""
        return address in self.there.get(network, ()) or any(
            links.has(network, address) and self.pool.nodes[name].alive for name, links in self.links.items()
        )

    def unheard(self, name: str) -> bool:
        """Whether another host that is up is not connected to one, and looks for it where it is not."""
        others = (other for other in self.links if other != name and self.pool.nodes[other].alive)
        return not all(self._is_connected(other, name) for other in others)

    def _is_connected(self, one: str, other: str) -> bool:
        """A connection lasts as long as both ends have the address; a new one goes where the name leads."""
        lines = (line.split() for line in self.machines[one].files["/etc/hosts"].content.splitlines())
        named = (words[0] for words in lines if self.pool.nodes[other].peer_name in words[1:])
        address = next((a for a in (self.spoken.to.get((one, other), ""), *named) if self._reaches(one, other, a)), "")
        if address:
            self.spoken.to[one, other] = address
        return bool(address)

    def _reaches(self, one: str, other: str, address: str) -> bool:
        networks = {link.network for link in self.links[one].links() if link.network and link.addresses}
        return any(self.links[other].has(network, address) for network in networks)

    def reachable(self, name: str) -> bool:
        """Whether an answer of the host's SSH server gets to a person at the operator's desk."""
        links, routers = self.links[name], {ROUTER, ROUTER6, LAN_ROUTER}
        own = [ip_interface(a).network for link in links.links() if link.network == "mgmt" for a in link.addresses]
        gateways = {profile.gateway for profile in links.manager.active.values()} & routers
        back = any(ip_address(self.desk) in network for network in own) or any(map(links.reaches, gateways))
        return links.has("mgmt", self.servers[name].address) and back

    def _connect(self, name: str) -> None:
        self.on_try(name)
        there = name not in self.cut and self.reachable(name) and self.pool.nodes[name].alive
        if self.machines[name].trials:
            self.go(1.0 if there else TRY)
        if there:
            return
        raise OSError(113, "No route to host")

    def ssh_at(self, name: str, address: str) -> None:
        """From now on people reach a host at another address."""
        server = self.servers[name]
        first, server.address = server.address, address

        def connect() -> str:
            self._connect(name)
            return first

        WAYS[address] = connect

    def cut_off(self, name: str) -> None:
        """The operator's way to a host is gone, the host has nothing to do with it."""
        self.cut.add(name)
        self.servers[name].drop()

    # time

    def go(self, seconds: float) -> None:
        """Time passes; hosts and their NetworkManagers do by themselves what they have to do then."""
        until = self.clock.at + seconds
        self.clock.passed += seconds
        while due := [at for at in self._due() if at <= until]:
            self.clock.at = max(self.clock.at, min(due))
            for name, machine in self.machines.items():
                for unit in [unit for unit in machine.trials if machine.due[unit] <= self.clock.at]:
                    machine.take_back(unit)
                self.links[name].manager.expire()
                self.links[name].written()
        self.clock.at = until

    def _due(self) -> list[float]:
        timers = [machine.due[unit] for machine in self.machines.values() for unit in machine.trials]
        return [*timers, *(links.manager.checkpoint.due for links in self.links.values() if links.manager.checkpoint)]

    def _holders(self) -> dict[str, Any]:
        found = super()._holders() | {"clock": self.clock, "spoken": self.spoken}
        for name, links in self.links.items():
            found |= {f"{name}.links": links, f"{name}.manager": links.manager}
        return found


@dataclass
class LinkServer(SimServer):
    """Whoever cuts the branch that the answer would come by, does not hear it."""

    heard: Callable[[], bool] = field(default=lambda: True, repr=False)

    async def execute(self, script: bytes) -> tuple[bytes, bytes, int]:
        answer = await super().execute(script)
        if not self.heard():
            self.drop()
        return answer


def link_site(
    volumes: Mapping[str, Mapping[str, Any]] | None = None, *, nodes: int = 3, ipv6: bool = False
) -> LinkSite:
    """Builds a site of hosts with four ports: one in the office, two in the rack, one that is plugged in nowhere.

    Args:
        volumes: Specs by name.
        nodes: How many hosts.
        ipv6: Whether their management network is one of IPv6 alone.
    """
    plain = blank_site(volumes or {}, nodes=nodes, ipv6=ipv6)
    site = LinkSite(plain.machines, {}, plain.pool, plain.volumes, subnet=plain.subnet)
    site.desk = DESK6 if ipv6 else site.desk
    site.there = {"mgmt": {ROUTER6 if ipv6 else ROUTER}, "gluster": {SWITCH}, "lan": {LAN_ROUTER}}
    for number, (name, machine) in enumerate(site.machines.items(), 11):
        address = plain.servers[name].address
        machine.now = lambda: site.clock.at
        wires = {"eno1": OFFICE, "eno2": RACK, "eno3": RACK, "eno4": None}
        ports = {
            port: SimPort(f"52:54:00:00:{number:02x}:{n:02x}", wire) for n, (port, wire) in enumerate(wires.items(), 1)
        }
        machine.files[f"{KEPT}/installed.nmconnection"] = File(_installed(number, address), "0600")
        site.links[name] = HostLinks(machine, lambda: site.clock.at, site.answers, ports)
        site.links[name].attach()
        site.servers[name] = LinkServer(machine, address=address, heard=lambda name=name: site.reachable(name))  # type: ignore[misc]
    return site


def _installed(number: int, address: str) -> str:
    """The profile that the installer of the host has made."""
    six = ":" in address
    own = f"method=manual\naddress1={address}/{64 if six else 24}\ngateway={ROUTER6 if six else ROUTER}\n"
    none = "method=disabled\n"
    return (
        f"[connection]\nid=installed\nuuid=11111111-1111-4111-8111-{number:012d}\ntype=ethernet\ninterface-name=eno1\n\n"
        f"[ipv4]\n{none if six else own}\n[ipv6]\n{own if six else none}"
    )

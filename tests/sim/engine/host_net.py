"""The network of a host: what is in it, what the engine wants there, and what is there.

What is wanted follows from networks and attachments, what is there was made by the last change. They may differ.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ovirtsdk4 import types

from sim.engine.host_life import Status
from sim.engine.state import EngineState

_NOT_SEEN_YET = (Status.INSTALLING, Status.INSTALL_FAILED, Status.PENDING_APPROVAL)
_IPV4 = re.compile(r"\d+(\.\d+){3}")
_V4 = {"none": "NONE", "dhcp": "DHCP", "static": "STATIC_IP"}


@dataclass
class NetworkCard:
    """A network card.

    Attributes:
        carrier: A cable is in it, and somebody at its other end.
        speed: In bits a second.
        address: What it gets by DHCP; empty: nobody gives it one.
    """

    mac: str
    carrier: bool = True
    speed: int = 1_000_000_000
    address: str = ""


@dataclass
class HostWiring:
    """The network of a host as the engine last made it.

    Attributes:
        bonds: By their names: the names of their slaves, and their options.
        attachments: By their ids.
        labels: Of interfaces, by the name of the label.
    """

    bonds: dict[str, tuple[tuple[str, ...], dict[str, str]]] = field(default_factory=dict)
    attachments: dict[str, "WiredNetwork"] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def slaves(self) -> dict[str, str]:
        """The interfaces that are in bonds, and in which."""
        return {slave: bond for bond, (slaves, _) in self.bonds.items() for slave in slaves}


@dataclass
class WiredNetwork:
    """A network on an interface of a host.

    Attributes:
        network: Its id.
        interface: Name of the card or bond.
        addresses: As the client said them.
        there: What is on the host, by the names that the engine reports.
    """

    id: str
    network: str
    interface: str
    addresses: list[Any]
    there: dict[str, str | None] = field(default_factory=dict)


@dataclass
class HostWires:
    """The network of a host.

    Attributes:
        ports: By their names.
        now: As it is.
        saved: As it will be after the next boot.
        changed: When it was changed without being saved; None: it is saved.
        ids: Of interfaces, by their names.
        cuts: The next change cuts the host off from the engine.
        known: The host has told of it.
    """

    ports: dict[str, NetworkCard]
    now: HostWiring = field(default_factory=HostWiring)
    saved: HostWiring = field(default_factory=HostWiring)
    changed: datetime | None = None
    ids: dict[str, str] = field(default_factory=dict)
    cuts: bool = False
    known: bool = False

    def save(self) -> None:
        """Keeps it over the next boot."""
        self.saved, self.changed = deepcopy(self.now), None

    def change(self, wiring: HostWiring, at: datetime) -> None:
        """Makes it anew. It is lost at the next boot, unless it is saved."""
        self.now, self.changed = wiring, at


def new_net(state: EngineState, host: Any) -> HostWires:
    """The network of a host that was just added: the management network on its first card."""
    given: Mapping[str, NetworkCard] | None = state.ports.get(host.address)
    number = len(state.nets)
    usual = {f"eth{n}": NetworkCard(f"52:54:00:00:{number:02x}:{n:02x}") for n in range(2)}
    usual["eth0"].address = host.address if _IPV4.fullmatch(host.address) else ""
    ports = deepcopy(dict(given or usual))
    net = state.nets[host.id] = HostWires(ports)
    for (cluster, network), use in state.cluster_networks.items():
        if cluster == host.cluster.id and types.NetworkUsage.MANAGEMENT in use.roles:
            dynamic = [_address(types.BootProtocol.DHCP, "v4"), _address(types.BootProtocol.AUTOCONF, "v6")]
            wired = WiredNetwork(state.new_id(), network, next(iter(ports)), dynamic)
            wired.there = wanted(state, host, wired)
            net.now.attachments[wired.id] = wired
    net.save()
    return net


def _address(method: Any, version: str) -> Any:
    return types.IpAddressAssignment(assignment_method=method, ip=types.Ip(version=types.IpVersion(version)))


def net_of(state: EngineState, host: Any) -> HostWires:
    """The network of a host as it is now: without what a boot has undone, and what the cluster has not any more."""
    net: HostWires = state.nets[host.id]
    life = state.lives[host.id]
    booted = life.last_boot(state.now())
    if net.changed and booted and booted >= net.changed:
        net.change(deepcopy(net.saved), booted)
        net.changed = None
    net.known = net.known or life.status(state.now()) not in _NOT_SEEN_YET
    for wiring in (net.now, net.saved):
        kept = {k: v for k, v in wiring.attachments.items() if (host.cluster.id, v.network) in state.cluster_networks}
        wiring.attachments = kept
    return net


def interface_id(state: EngineState, net: HostWires, name: str) -> str:
    """The id of an interface, which it keeps."""
    if name not in net.ids:
        net.ids[name] = state.new_id()
    return net.ids[name]


def device_of(state: EngineState, wired: WiredNetwork) -> str:
    """The name of the device that carries a network: of a network with a VLAN it is its own."""
    network = state.networks[wired.network]
    return f"{wired.interface}.{network.vlan.id}" if network.vlan else wired.interface


def carries(net: HostWires, interface: str) -> bool:
    """Whether anything comes through an interface."""
    slaves, _ = net.now.bonds.get(interface, ((interface,), {}))
    return any(net.ports[slave].carrier for slave in slaves)


def wanted(state: EngineState, host: Any, wired: WiredNetwork) -> dict[str, str | None]:
    """What the engine wants on the host for an attachment, by the names that it reports."""
    network = state.networks[wired.network]
    use = state.cluster_networks[host.cluster.id, wired.network]
    found: dict[str, str | None] = {
        "mtu": str(network.mtu or 1500),
        "bridged": "true" if types.NetworkUsage.VM in network.usages else "false",
        "vlan": str(network.vlan.id) if network.vlan else None,
        "switchType": "LEGACY",
        "ipv4_boot_protocol": "NONE",
        "ipv6_boot_protocol": "NONE",
        "dns_configuration": None,
        "default_route": "true" if types.NetworkUsage.DEFAULT_ROUTE in use.roles else "false",
    }
    for given in wired.addresses:
        version = given.ip.version.value if given.ip and given.ip.version else "v4"
        method = given.assignment_method.value
        found[f"ip{version}_boot_protocol"] = _V4.get(method, method.upper())
        if method == "static" and version == "v4":
            found |= {"ipv4_address": given.ip.address, "ipv4_netmask": given.ip.netmask}
            if given.ip.gateway:
                found["ipv4_gateway"] = given.ip.gateway
    return found


def in_sync(state: EngineState, host: Any, wired: WiredNetwork) -> bool:
    """Whether the host has what the engine wants."""
    return wanted(state, host, wired) == wired.there


def synchronise(state: EngineState, host: Any, network: str | None = None) -> None:
    """Makes the host have what the engine wants: all of it, or one network."""
    for wired in net_of(state, host).now.attachments.values():
        if network in (None, wired.network):
            wired.there = wanted(state, host, wired)


def spread(state: EngineState, network: str) -> None:
    """A network was changed: hosts that can be configured follow, others are no longer in sync."""
    for host in state.hosts.values():
        if state.lives[host.id].status(state.now()) in CONFIGURABLE:
            synchronise(state, host, network)


CONFIGURABLE = (Status.UP, Status.MAINTENANCE, Status.NON_OPERATIONAL)
"""States of a host in which its networks may be changed."""


def drift(state: EngineState, host: str, network: str, **there: str | None) -> None:
    """Somebody changes a network on a host by hand."""
    found = next(value for value in state.hosts.values() if value.name == host)
    for wired in net_of(state, found).now.attachments.values():
        if state.networks[wired.network].name == network:
            wired.there |= there

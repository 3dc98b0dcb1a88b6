"""The site's networks: bridges and cables in a network namespace of their own.

The namespace keeps them apart from the machine's networks and makes them vanish as one. This machine takes part in the
management network only, through a veth pair, as the support PC does. Nothing is routed: what happens in the lab stays
on this machine.
"""

import contextlib
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.shell import run
from lab.spec import NetworkName, SiteSpec

# Bridges and taps carry jumbo frames, so that the MTU is for the nodes to choose.
MTU = 9000
# Always the same: nodes that wake up in a saved state send to the address they knew then.
UPLINK_MAC = "52:54:00:4c:0a:fe"


@dataclass(frozen=True)
class Network:
    """The networks of the site with that id."""

    id: str

    @property
    def namespace(self) -> str:
        return f"heretic-lab-{self.id}"

    @property
    def uplink(self) -> str:
        """This machine's end of the cable into the management network."""
        return f"hlab{self.id}"

    def tap(self, node: str, nic: str) -> str:
        """The switch's end of the cable to a node's NIC."""
        return f"{node}-{nic}"

    @property
    def exists(self) -> bool:
        return Path("/run/netns", self.namespace).exists() and Path("/sys/class/net", self.uplink).exists()

    def up(self, site: SiteSpec) -> None:
        """Make namespace, bridges, taps and uplink; nothing to do where they are there already."""
        if self.exists:
            return
        self.down()  # what a crash half-way has left
        _refuse_overlap(site)
        run(["ip", "netns", "add", self.namespace])
        lines = ["link set lo up"]
        for network in site.cabled:
            lines += [
                f"link add br-{network} type bridge forward_delay 0 mcast_snooping 0",
                f"link set br-{network} mtu {MTU} up",
            ]
        for number, node in enumerate(site.names, start=1):
            for nic, network in site.cables(number).items():
                tap = self.tap(node, nic)
                lines += [f"tuntap add dev {tap} mode tap", f"link set {tap} mtu {MTU} master br-{network} up"]
        self._batch(lines)
        self._sysctl("net.ipv6.conf.all.disable_ipv6", "1")
        for table in ("iptables", "ip6tables", "arptables"):
            # Where this machine filters bridged frames, its firewall must not decide what site traffic passes.
            self._sysctl(f"net.bridge.bridge-nf-call-{table}", "0")
        veth = ["ip", "link", "add", self.uplink, "address", UPLINK_MAC, "type", "veth"]
        run([*veth, "peer", "name", "uplink", "netns", self.namespace])
        self._batch(["link set uplink master br-mgmt up"])
        run(["ip", "address", "add", f"{site.gateway}/24", "dev", self.uplink])
        run(["ip", "link", "set", self.uplink, "up"])

    def down(self) -> None:
        """Remove all of it."""
        if Path("/sys/class/net", self.uplink).exists():
            run(["ip", "link", "delete", self.uplink])
        if Path("/run/netns", self.namespace).exists():
            run(["ip", "netns", "delete", self.namespace])

    def set_cable(self, node: str, nic: str, *, plugged: bool) -> None:
        """Let the frames of a node's NIC through, or not."""
        self._batch([f"link set {self.tap(node, nic)} {'up' if plugged else 'down'}"])

    def move_cable(self, node: str, nic: str, network: NetworkName) -> None:
        """Plug the cable of a node's NIC into another network's switch."""
        self._batch([f"link set {self.tap(node, nic)} master br-{network}"])

    def is_plugged(self, node: str, nic: str) -> bool:
        links = json.loads(run(["ip", "-n", self.namespace, "-j", "link", "show", self.tap(node, nic)]))
        return "UP" in links[0]["flags"]

    def add_host(self, network: NetworkName, address: str, *, vlan: int = 0) -> None:
        """Let somebody answer in a network, as its router does: at an address with its prefix, in a VLAN or in none."""
        bridge = f"br-{network}"
        device = f"{bridge}.{vlan}" if vlan else bridge
        lines = [f"link add link {bridge} name {device} type vlan id {vlan}", f"link set {device} up"] if vlan else []
        self._batch([*lines, f"address add {address} dev {device}"])

    def command(self) -> list[str]:
        """What to put before a command that shall run in the namespace."""
        return ["nsenter", f"--net=/run/netns/{self.namespace}"]

    def _batch(self, lines: list[str]) -> None:
        run(["ip", "-n", self.namespace, "-batch", "-"], stdin="\n".join(lines))

    def _sysctl(self, name: str, value: str) -> None:
        with contextlib.suppress(LabError):  # not every kernel has bridge filtering
            run([*self.command(), "sysctl", "-q", "-w", f"{name}={value}"])


def _refuse_overlap(site: SiteSpec) -> None:
    """Taking addresses that the machine routes elsewhere would cut it off from them."""
    routes = json.loads(run(["ip", "-j", "-4", "route", "show", "table", "all"]) or "[]")
    for route in routes:
        if route["dst"] == "default" or route.get("type", "unicast") == "broadcast":
            continue
        taken = ipaddress.ip_network(route["dst"], strict=False)
        for network in site.networks:
            if taken.overlaps(site.subnet(network)):
                raise LabError(
                    f"this machine already has a route to {route['dst']} (dev {route.get('dev', '?')}), which overlaps "
                    f"the lab's {network} network {site.subnet(network)}; stop the other lab, or choose other "
                    "addresses: HERETIC_LAB_NET=172.27"
                )

"""Ports, bonds and VLANs of a simulated host, as the kernel shows them, and what its programs say of them.

What a link has comes from the active profile of NetworkManager (network_manager.py); which network it is on comes
from the switch that its cable is plugged into (wires.py). What steps bring with them is in link_functions.py.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface

from heretic.domain.commands import Output
from heretic.domain.wiring.manager import DEVICES, LINK_FILES, NETWORKD
from heretic.domain.wiring.parse.kernel import CABLES, ROUTES, ROUTES6
from heretic.domain.wiring.profiles import KEPT, TRIED
from sim.link_functions import LinkFunctions
from sim.machine import OK, Argv, File, Machine, Tool, before, failed, ok
from sim.network_manager import NetworkManager, SimProfile
from sim.shown_links import of_bond, shown, shown_line
from sim.wires import SimWire

LACP = "802.3ad"
_BOND = {"miimon": "100", "xmit_hash_policy": "layer2", "lacp_rate": "slow"}
_SIZE = 1500


@dataclass
class SimPort:
    """One port.

    Attributes:
        mac: Its hardware address.
        wire: What its cable is plugged into; None = nothing.
        up: Whether it is switched on.
        changes: How often its link came and went.
        most: The largest MTU that it can have.
    """

    mac: str
    wire: SimWire | None = None
    up: bool = True
    changes: int = 1
    most: int = 9000

    @property
    def carrier(self) -> bool:
        return self.up and self.wire is not None


@dataclass(frozen=True)
class SimLink:
    """One link as it is now."""

    name: str
    kind: str
    mac: str
    carrier: bool
    up: bool
    mtu: int
    addresses: tuple[str, ...] = ()
    master: str = ""
    parent: str = ""
    vlan: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    partner: str = ""
    joined: tuple[str, ...] = ()

    @property
    def speaks_lacp(self) -> bool:
        return self.options.get("mode") == LACP


@dataclass
class HostLinks:
    """The links of one host.

    Attributes:
        machine: Whose they are.
        now: Simulated time.
        answers: Whether somebody in a network has an address, as the whole site says.
        others: Addresses that links have without a profile: somebody used ``ip``.
        lost: Addresses that somebody took off a link with ``ip``.
    """

    machine: Machine
    now: Callable[[], float]
    answers: Callable[[str, str], bool]
    ports: dict[str, SimPort] = field(default_factory=dict)
    manager: NetworkManager = field(init=False)
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.manager = NetworkManager(self.machine, self._carriers, self.now)

    def _carriers(self) -> dict[str, bool]:
        return {name: port.carrier for name, port in self.ports.items()}

    def attach(self) -> None:
        """Gives the host its programs."""
        tools: dict[str, Tool] = {
            "ip": self._ip,
            "find": self._find,
            "grep": self._grep,
            "sysctl": self._sysctl,
            "nmcli": self._changing(self.manager.nmcli),
            "busctl": self._changing(self.manager.busctl),
            "systemctl": self._systemctl,
            "@numbers": self._numbers,
        }
        for program, tool in (tools | LinkFunctions(self).tools).items():
            self.machine.tools[program] = before(tool, self.machine.tools.get(program))
        self.machine.on_boot.append(lambda _machine: self.boot())
        self.boot()

    def boot(self) -> None:
        """Links are as the profiles on the disk say."""
        self.others.clear()
        self.lost.clear()
        for port in self.ports.values():
            port.up = True
        self.manager.start()
        self.written()

    def written(self) -> None:
        """The kernel's files say what is so now."""
        lines = ["Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT"]
        six = [f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200 lo"]
        for link, profile in self.manager.active.items():
            if ":" in profile.gateway:
                router = ip_address(profile.gateway).packed.hex()
                six.append(f"{'0' * 32} 00 {'0' * 32} 00 {router} 00000064 00000001 00000000 00000003 {link}")
            elif profile.gateway:
                router = bytes(reversed(ip_address(profile.gateway).packed)).hex().upper()
                lines.append(f"{link}\t00000000\t{router}\t0003\t0\t0\t100\t00000000\t0\t0\t0")
        self.machine.files[ROUTES] = File("".join(f"{line}\n" for line in lines))
        self.machine.files[ROUTES6] = File("".join(f"{line}\n" for line in six))

    def _changing(self, tool: Tool) -> Tool:
        def run(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
            had = dict(self.manager.active)
            output = tool(machine, argv, stdin)
            for name, profile in self.manager.active.items():
                if had.get(name) is not profile:
                    self.lost -= {a.partition("/")[0] for a in profile.addresses}
            self.written()
            return output

        return run

    # what there is

    def links(self) -> tuple[SimLink, ...]:
        """Ports, bonds, VLANs."""
        ports = [self._port(name, port) for name, port in self.ports.items()]
        made = [p for p in self.manager.active.values() if p.kind == "bond"]
        bonds = [self._bond(profile, ports) for profile in made]
        found = [*ports, *bonds]
        for profile in (p for p in self.manager.active.values() if p.kind == "vlan"):
            found.append(self._vlan(profile, found))
        return tuple(found)

    def _has(self, name: str, profile: SimProfile | None) -> tuple[str, ...]:
        own = profile.addresses if profile else ()
        return tuple(a for a in (*own, *self.others.get(name, ())) if a.partition("/")[0] not in self.lost)

    def _port(self, name: str, port: SimPort) -> SimLink:
        profile = self.manager.active.get(name)
        wanted = (profile.mtu if profile else 0) or _SIZE
        mtu = wanted if wanted <= port.most else _SIZE
        master = profile.controller if profile else ""
        network = port.wire.networks.get(0, "") if port.wire and port.up and self._is_heard(port.wire, master) else ""
        addresses = () if master else self._has(name, profile)
        return SimLink(name, "ether", port.mac, port.carrier, port.up, mtu, addresses, master, network=network)

    def _is_heard(self, wire: SimWire, master: str) -> bool:
        """Whether the switch lets packets of a port through."""
        bond = self.manager.active.get(master)
        return wire.alone or not wire.lacp or (bond is not None and bond.of("bond", "mode") == LACP)

    def _bond(self, profile: SimProfile, ports: list[SimLink]) -> SimLink:
        own = [port for port in ports if port.master == profile.link]
        live = next((port for port in own if port.carrier), None)
        wires = {port.name: self.ports[port.name].wire for port in own if port.carrier}
        wire = next(iter(wires.values()), None)
        partner = wire.partner if wire else ""
        lacp = profile.of("bond", "mode") == LACP
        joined = [name for name, other in wires.items() if other == wire][: None if partner.strip("0:") else 1]
        mac = own[0].mac if own else "52:54:00:ff:ff:ff"
        mtu = min([profile.mtu or _SIZE, *(port.mtu for port in own)])
        return SimLink(
            profile.link,
            "bond",
            mac,
            live is not None,
            up=True,
            mtu=mtu,
            addresses=self._has(profile.link, profile),
            options=_BOND | profile.sections["bond"],
            network=live.network if live else "",
            partner=partner if lacp else "",
            joined=tuple(joined) if lacp else (),
        )

    def _vlan(self, profile: SimProfile, there: list[SimLink]) -> SimLink:
        number = int(profile.of("vlan", "id"))
        base = next(link for link in there if link.name == profile.of("vlan", "parent"))
        wire = self._wire(base, there)
        return SimLink(
            profile.link,
            "vlan",
            base.mac,
            base.carrier,
            up=True,
            mtu=min(profile.mtu or _SIZE, base.mtu),
            addresses=self._has(profile.link, profile),
            parent=base.name,
            vlan=number,
            network=wire.networks.get(number, "") if wire and base.carrier else "",
        )

    def _wire(self, base: SimLink, there: list[SimLink]) -> SimWire | None:
        below = [link for link in there if link.master == base.name and link.carrier]
        names = [link.name for link in (base, *below) if link.name in self.ports]
        wire = next((self.ports[name].wire for name in names), None)
        return wire if wire and self._is_heard(wire, base.name if below else "") else None

    def has(self, network: str, address: str) -> bool:
        """Whether the host answers for an address in a network."""
        return any(
            link.network == network and address in {a.partition("/")[0] for a in link.addresses}
            for link in self.links()
        )

    def reaches(self, address: str) -> bool:
        """Whether an address of one of its own networks answers; what lies behind a router is not asked for here."""
        found = ip_address(address)
        return any(
            link.carrier and self.answers(link.network, address)
            for link in self.links()
            if any(found in ip_interface(own).network for own in link.addresses)
        )

    # questions

    def _ip(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        links = {link.name: link for link in self.links()}
        match argv[1:]:
            case ("-d", "-j", "addr"):
                return ok(json.dumps([shown(link) | of_bond(link, links.get(link.master)) for link in links.values()]))
            case ("-o", "addr", "show", "dev", name, *scope) if scope in ([], ["scope", "global"]):
                if name not in links:
                    return failed(f'Device "{name}" does not exist.')
                families = [(a, "inet6" if ":" in a else "inet") for a in links[name].addresses]
                return ok("".join(f"2: {name}    {family} {a} scope global {name}\n" for a, family in families))
            case ("-o", "link", "show", "dev", name, *only) if only in ([], ["up"]):
                if name not in links:
                    return failed(f'Device "{name}" does not exist.')
                return ok(shown_line(links[name]) if links[name].up or not only else "")
            case ("link", "set", "dev", name, "up") if name in self.ports:
                port = self.ports[name]
                port.changes += not port.up and port.wire is not None
                port.up = True
                self.manager.reload()
                return OK
        return None

    def _find(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:3] != ("-L", "/sys/class/net"):
            return None
        lines = [f"/sys/class/net/{link.name}/speed:1000\n" for link in self.links() if link.carrier]
        return Output(1, "".join(lines), "find: File system loop detected\n")

    def _numbers(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:] != (CABLES,):
            return None
        found = {link.name: 1 for link in self.links()} | {name: port.changes for name, port in self.ports.items()}
        return ok("".join(f"{name} {changes}\n" for name, changes in found.items()))

    def _grep(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv == LINK_FILES.argv:
            return Output(0 if all(self._folders()) else 2, "".join(self._link_files()), "")
        match argv[1:]:
            case ("-q", pattern, path):
                file = machine.files.get(path)
                return Output(2 if file is None else int(re.search(pattern, file.content, re.M) is None), "", "")
        return None

    def _folders(self) -> tuple[bool, ...]:
        return self.manager.runs, any(p.startswith(f"{TRIED}/") for p in self.machine.files), False

    def _link_files(self) -> Iterator[str]:
        for number, link in enumerate(self.links() if self.manager.runs else (), 2):
            profile = self.manager.active.get(link.name)
            yield f"{DEVICES}/{number}:[device]\n"
            if profile is not None:
                yield f"{DEVICES}/{number}:connection-uuid={profile.uuid}\n"
        for path, file in sorted(self.machine.files.items()):
            folder, _, name = path.rpartition("/")
            ours = folder in (TRIED, KEPT) and name.startswith("heretic-") and name.endswith(".nmconnection")
            if ours or folder == NETWORKD:
                yield from (f"{path}:{line}\n" for line in file.content.splitlines())

    def _sysctl(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        return OK if argv[1:4] == ("-q", "-e", "-w") else None

    def _systemctl(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("show", "-p", "ActiveState", "--value", unit):
                name, _, kind = unit.rpartition(".")
                return ok("active\n" if kind == "timer" and name in machine.trials else "inactive\n")
        return None

"""A simulated Debian host: its facts, packages, services and files, on top of block_tools.py and lvm_tools.py.

``storage_machine`` builds a blank one. Its programs appear with their packages: before lvm2 is installed there is no
``pvs``, and asking for it is answered as a shell answers, which is what probes meet on a blank host.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field

from heretic.domain.commands import Output
from heretic.domain.host.parse.sequence import DISKS
from heretic.domain.wiring.parse.kernel import CABLES
from lab.platforms import Platform, chosen
from sim.block_devices import GIB, Folder, SimDisk
from sim.block_tools import Storage
from sim.identity import host_number, world_wide_name
from sim.lvm_tools import lvm_tools
from sim.machine import OK, Argv, File, Machine, Tool, failed, ok
from sim.pings import ping
from sim.systemd_tools import UPTIME, Systemd, Unit

NOT_INSTALLED = Output(127, "", "sh: not found\n")
_PROGRAMS = {
    "chronyc": "chrony",
    "gluster": "glusterfs-server",
    **dict.fromkeys(("lvm", "pvs", "vgs", "lvs", "vgcreate", "lvcreate", "lvextend", "lvchange", "lvremove"), "lvm2"),
    **dict.fromkeys(("mkfs.xfs", "xfs_growfs"), "xfsprogs"),
}
_UNITS = {
    "chrony": ("chrony.service",),
    "ctdb": ("ctdb.service",),
    "glusterfs-server": ("glusterd.service",),
    "samba": ("smbd.service", "nmbd.service"),
    "winbind": ("winbind.service",),
    "nfs-ganesha": ("nfs-ganesha.service",),
}
_STARTED = frozenset({"chrony", "samba", "nfs-ganesha", "winbind"})
"""What Debian starts as soon as it is installed, and at each boot."""

MTU = 1500
"""Of every link."""

DPKG_LOCK = "/var/lib/dpkg/lock-frontend"
NO_PEERS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    "<cliOutput><opRet>0</opRet><opErrno>0</opErrno><opErrstr/><peerStatus/></cliOutput>\n"
)


@dataclass
class HostState:
    """State of one host that is not storage.

    Attributes:
        platform: Its distribution, whose archive has the packages.
        packages: Installed ones with their versions.
        lock: Whether another process holds the lock of the package manager.
        archive_down: Whether packages cannot be fetched.
        clock_skew: Seconds that its clock is ahead.
        now: The clock that everybody else has.
        addresses: Address with prefix length by interface.
        carries: Bytes of the largest packet that gets to an address and back; as large as a link here when not given,
            0 = nobody answers there.
    """

    storage: Storage
    systemd: Systemd
    platform: Platform
    packages: dict[str, str] = field(default_factory=dict)
    lock: bool = False
    archive_down: bool = False
    clock_skew: float = 0.0
    now: Callable[[], float] = time.time
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    carries: dict[str, int] = field(default_factory=dict)

    def install(self, names: Iterable[str]) -> None:
        """What unpacking packages does."""
        for name in names:
            self.packages[name] = self.platform.packages[name]
            for unit in _UNITS.get(name, ()):
                state = ("active", "enabled") if name in _STARTED else ("inactive", "disabled")
                self.systemd.units.setdefault(unit, Unit(unit, *state))

    def boot(self, machine: Machine) -> None:
        """What a boot does: mounts and services that are enabled."""
        self.storage.unmounted()
        machine.files["/proc/sys/kernel/random/boot_id"].content = f"{machine.boot_id}\n"
        self.systemd.boot(machine)

    # questions

    def lscpu(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        fields = {"CPU(s):": "4", "Vendor ID:": "GenuineIntel", "Model name:": "Intel Xeon E3", "Flags:": "vmx fpu"}
        return ok(json.dumps({"lscpu": [{"field": k, "data": v} for k, v in fields.items()]}))

    def date(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        return ok(f"{self.now() + self.clock_skew:.9f}\n") if argv[1:] == ("+%s.%N",) else None

    def chronyc(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:] != ("-c", "tracking"):
            return None
        if not self.systemd.active("chrony.service"):
            return failed("506 Cannot talk to daemon")
        return ok("A29FC87B,162.159.200.123,4,1.5,0.0001,0.0002,0.0003,1.5,0.0,0.01,0.02,0.03,64.2,Normal\n")

    def stat(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-L", "-c", "%04a %D:%i %n", *paths):
                there = [p for p in paths if p in machine.files]
                gone = [f"stat: cannot statx '{p}': No such file or directory\n" for p in paths if p not in there]
                lines = [f"{machine.files[p].mode} 801:{_inode(p)} {p}\n" for p in there]
                return Output(1 if gone else 0, "".join(lines), "".join(gone))
            case ("-f", "-c", "%S %a", "/", "/var"):
                return ok(f"4096 {self.storage.free // 4096}\n" * 2)
            case ("-c", "%04a", path):
                file = machine.files.get(path)
                return (
                    ok(f"{file.mode}\n") if file else failed(f"stat: cannot statx '{path}': No such file or directory")
                )
        return None

    def ip(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:] != ("-d", "-j", "addr"):
            return None
        host = host_number(machine.name)
        return ok(json.dumps([_link(host, n, name, a) for n, (name, a) in enumerate(self.addresses.items())]))

    def ping(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """Whoever is asked answers, where nothing else is said."""
        own = {a.partition("/")[0] for some in self.addresses.values() for a in some}
        return ping(argv, own, lambda _, target: self.carries.get(target, MTU))

    def numbers(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:] == (DISKS,):
            return self.storage.sequence(machine, argv, stdin)
        return ok("".join(f"{name} 1\n" for name in self.addresses)) if argv[1:] == (CABLES,) else None

    def find(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:3] != ("-L", "/sys/class/net"):
            return None
        lines = "".join(f"/sys/class/net/{name}/speed:1000\n" for name in self.addresses)
        return Output(1, lines, "find: File system loop detected\n")

    def dpkg_query(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-W", "-f", "${Package}\\t${Version}\\t${db:Status-Status}\\n", *names):
                found = [f"{n}\t{self.packages[n]}\tinstalled\n" for n in names if n in self.packages]
                missing = [f"dpkg-query: no packages found matching {n}\n" for n in names if n not in self.packages]
                return Output(1 if missing else 0, "".join(found), "".join(missing))
            case ("-W", "-f", "${db:Status-Status}", name):
                found_one = name in self.packages
                return ok("installed") if found_one else failed(f"dpkg-query: no packages found matching {name}")
        return None

    def gluster(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """The part of gluster that a host alone answers; gluster_tools.py brings the rest."""
        if argv[1:] != ("--mode=script", "peer", "status", "--xml"):
            return None
        if not self.systemd.active("glusterd.service"):
            return failed("Connection failed. Please check if gluster daemon is operational.")
        return ok(NO_PEERS)

    # files

    def sha256sum(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        there = [p for p in argv[1:] if p in machine.files]
        gone = [f"sha256sum: {p}: No such file or directory\n" for p in argv[1:] if p not in there]
        lines = [f"{hashlib.sha256(machine.files[p].content.encode()).hexdigest()}  {p}\n" for p in there]
        return Output(1 if gone else 0, "".join(lines), "".join(gone))

    def grep(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-asH", "", *paths):
                texts = {p: self._text(machine, p) for p in paths if p in machine.files}
                lines = [f"{p}:{line}\n" for p, text in texts.items() for line in text.splitlines()]
                return Output(0 if len(texts) == len(paths) else 2, "".join(lines), "")
            case ("-qxF", line, path):
                file = machine.files.get(path)
                return Output(2 if file is None else int(line not in file.content.splitlines()), "", "")
            case ("-qF", text, path):
                file = machine.files.get(path)
                return Output(2 if file is None else int(text not in file.content), "", "")
        return None

    def _text(self, machine: Machine, path: str) -> str:
        if path == "/proc/locks" and self.lock:
            return f"1: POSIX  ADVISORY  WRITE 812 08:01:{_inode(DPKG_LOCK)} 0 EOF\n"
        return machine.files[path].content

    def test(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("!", "-e", path):
                return Output(int(path in machine.files), "", "")
            case ("-e", path):
                return Output(int(path not in machine.files), "", "")
            case ("-s", path):
                return Output(int(not (path in machine.files and machine.files[path].content)), "", "")
            case ("-d", path):
                return Output(int(self.storage.folder(path) is None), "", "")
            case (one, "-ef", other):
                there = self.storage.volume(one)
                return Output(int(there is None or there is not self.storage.volume(other)), "", "")
        return None

    def install_program(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-D", "-m", "0600", "/dev/null", path):
                if machine.put_error and not path.startswith("/run/"):
                    return failed(f"install: cannot create regular file '{path}': {machine.put_error}")
                machine.put(path, "", "0600", None)
                machine.effects.pop()
                return OK
            case ("-d", "-m", "0755", path):
                return self._make_folder(path)
        return None

    def _make_folder(self, path: str) -> Output:
        for target, volume in self.storage.mounts.items():
            if path.startswith(f"{target}/") and volume.filesystem:
                volume.filesystem.folders.setdefault(path.removeprefix(f"{target}/"), Folder())
                return OK
        return failed(f"the simulated host lets nobody make {path} on the root filesystem")

    def rm(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1] != "-f":
            return None
        for path in argv[2:]:
            machine.files.pop(path, None)
        return OK

    # packages

    def env(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1] != "DEBIAN_FRONTEND=noninteractive":
            return None
        match argv[2:]:
            case ("dpkg", "--force-confold", "--configure", "--pending"):
                return OK
            case ("apt-get", "--yes", "--option", "DPkg::Lock::Timeout=300", *rest):
                return self._apt(rest)
        return None

    def _apt(self, rest: list[str]) -> Output | None:
        if self.lock:
            return failed("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812", 100)
        if self.archive_down:
            return failed("E: Failed to fetch http://deb.debian.org/debian  Could not resolve 'deb.debian.org'", 100)
        match rest:
            case ["update"]:
                return OK
            case ["--no-install-recommends", "--option", "Dpkg::Options::=--force-confold", "install", *names]:
                if unknown := [n for n in names if n not in self.platform.packages]:
                    return failed(f"E: Unable to locate package {unknown[0]}", 100)
                self.install(n for n in names if n not in self.packages)
                return OK
        return None


def _inode(path: str) -> int:
    return int(hashlib.sha256(path.encode()).hexdigest()[:6], 16)


def _link(host: int, number: int, name: str, addresses: tuple[str, ...]) -> dict[str, object]:
    return {
        "ifname": name,
        "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
        "mtu": MTU,
        "max_mtu": 9000,
        "link_type": "ether",
        "address": f"52:54:00:{host >> 8:02x}:{host & 0xFF:02x}:{number:02x}",
        "addr_info": [
            {"family": "inet", "local": a.split("/")[0], "prefixlen": int(a.split("/")[1])} for a in addresses
        ],
    }


def _tools(host: HostState) -> dict[str, Tool]:
    storage = host.storage
    return {
        "@links": storage.links,
        "@numbers": host.numbers,
        "@signatures": storage.signatures,
        "@bricks": storage.bricks,
        "@blank": storage.blank,
        "@unsigned": storage.blank,
        "@found": storage.found,
        "@held": storage.held,
        "@erase": storage.erase,
        "readlink": storage.readlink,
        "lsblk": storage.lsblk,
        "wipefs": storage.wipefs,
        "blkid": storage.blkid,
        "findmnt": storage.findmnt,
        "getfattr": storage.getfattr,
        "mkfs.xfs": storage.mkfs,
        "xfs_growfs": storage.growfs,
        **lvm_tools(storage, log=host.platform.lvm_log),
        "systemctl": host.systemd.systemctl,
        "lscpu": host.lscpu,
        "date": host.date,
        "chronyc": host.chronyc,
        "stat": host.stat,
        "ip": host.ip,
        "ping": host.ping,
        "find": host.find,
        "dpkg-query": host.dpkg_query,
        "rpm": _not_installed,
        "firewall-cmd": _not_installed,
        "hosted-engine": _not_installed,
        "grep": host.grep,
        "gluster": host.gluster,
        "sha256sum": host.sha256sum,
        "test": host.test,
        "udevadm": host.storage.udevadm,
        "install": host.install_program,
        "rm": host.rm,
        "env": host.env,
    }


def _not_installed(machine: Machine, argv: Argv, stdin: str | None) -> Output:
    return NOT_INSTALLED


def _packaged(host: HostState, program: str, tool: Tool) -> Tool:
    """A program that is there once its package is."""
    package = _PROGRAMS.get(program)

    def run(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        return NOT_INSTALLED if package and package not in host.packages else tool(machine, argv, stdin)

    return run


@dataclass
class StorageMachine(Machine):
    """A simulated host with storage.

    Attributes:
        host: Packages, clock, addresses and other state of the host.
    """

    host: HostState = field(default_factory=lambda: _no_host())

    @property
    def storage(self) -> Storage:
        """Disks, volumes, mounts, brick folders."""
        return self.host.storage

    @property
    def units(self) -> dict[str, Unit]:
        """Services and mounts by name."""
        return self.host.systemd.units


def _no_host() -> HostState:
    storage = Storage({})
    return HostState(storage, Systemd(storage), chosen())


_FILES = {
    "/etc/hosts": "127.0.0.1\tlocalhost\n",
    "/proc/meminfo": "MemTotal:       16384000 kB\nMemFree:         8000000 kB\n",
    "/proc/uptime": f"{UPTIME:.2f} 9000.00\n",
    "/proc/sys/kernel/random/boot_id": "",
    "/proc/locks": "",
    DPKG_LOCK: "",
}


def _files_of(platform: Platform) -> dict[str, str]:
    release = f'PRETTY_NAME="{platform.pretty_name}"\nVERSION_ID="{platform.version}"\nID=debian\n'
    return {"/etc/os-release": release, "/proc/sys/kernel/osrelease": f"{platform.kernel}\n"}


def data_disk(
    name: str = "sdb", size: int = 200 * GIB, *, node: str = "node1", rotational: bool = True, signature: str = ""
) -> SimDisk:
    """A disk with a world wide name and a serial number, like those of a server; no other node has one like it.

    Args:
        name: That the kernel gives it.
        size: Bytes.
        node: Name of the machine that it was bought for.
        rotational: Whether it spins.
        signature: As of SimDisk.
    """
    wwn = world_wide_name(node, name)
    return SimDisk(name, size, rotational=rotational, wwn=wwn, serial=wwn[-8:].upper(), signature=signature)


def storage_machine(
    name: str = "node1",
    disks: Iterable[SimDisk] | None = None,
    *,
    addresses: Mapping[str, tuple[str, ...]] | None = None,
    now: Callable[[], float] = time.time,
    platform: Platform | None = None,
) -> StorageMachine:
    """Builds a blank host.

    Args:
        name: Of the machine.
        disks: Its data disks, one blank one of 200 GiB and of its own when not given; they are copied, and a system
            disk sda comes before them.
        addresses: With prefix length, by interface.
        now: The right time.
        platform: Its distribution; that of the run when not given.
    """
    system = SimDisk("sda", 32 * GIB, serial=f"SYSTEM-{name}", mounted="/", signature="ext4")
    given = [data_disk(node=name)] if disks is None else disks
    storage = Storage({disk.name: copy(disk) for disk in (system, *given)})
    shown = addresses or {"eth0": ("172.20.10.11/24",), "eth1": ("172.20.11.11/24",)}
    runs = platform or chosen()
    host = HostState(storage, Systemd(storage), runs, now=now, addresses=shown)
    machine = StorageMachine(name, host=host)
    machine.files = {path: File(content) for path, content in (_FILES | _files_of(runs)).items()}
    machine.files["/proc/sys/kernel/random/boot_id"].content = f"{machine.boot_id}\n"
    machine.tools = {program: _packaged(host, program, tool) for program, tool in _tools(host).items()}
    machine.on_boot.append(host.boot)
    return machine

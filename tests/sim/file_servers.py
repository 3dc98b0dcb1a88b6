"""Simulated file servers, on top of the hosts of a site: CTDB, Samba, accounts, and volumes mounted by their clients.

CTDB and Samba's users are one for all hosts. As the real ones do, Samba refuses users that are none of the host, and
CTDB finds a host unhealthy whose smbd or winbind does not run while it runs the script for it.
"""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from heretic.domain.commands import Output
from heretic.domain.shares.lock_steps import FOLDER, KEEPER, PROOF
from sim.blank_site import BlankSite
from sim.host_tools import StorageMachine
from sim.machine import OK, Argv, File, Machine, Tool, before, failed, ok
from sim.systemd_tools import Unit

_NOT_RUNNING = failed("connect() failed, errno=2\nFailed to connect to CTDB daemon (/run/ctdb/ctdbd.socket)")
_CTDB, _SMBD, _NMBD = "ctdb.service", "smbd.service", "nmbd.service"
_WATCHED = {"50.samba": _SMBD, "49.winbind": "winbind.service"}
_NODES, _ADDRESSES = "/etc/ctdb/nodes", "/etc/ctdb/public_addresses"
_FUSE = ("--noheadings", "--types", "fuse.glusterfs", "--output", "SOURCE", "--mountpoint")


@dataclass
class ServerState:
    """What one file server has of its own.

    Attributes:
        scripts: Those that its CTDB runs.
        reads: The smb.conf that its smbd has read last.
        refuses: What its testparm does not like; "" = nothing.
        disabled: Whether somebody has disabled its CTDB.
        knows: Addresses of the hosts that its CTDB has read of.
    """

    scripts: set[str] = field(default_factory=lambda: {"00.ctdb", "10.interface"})
    reads: str = ""
    refuses: str = ""
    disabled: bool = False
    knows: tuple[str, ...] = ()


@dataclass
class FileServerSite:
    """The file servers of a site.

    Attributes:
        site: Whose hosts they are.
        own: What each has of its own.
        folders: Owner, group and mode of each folder by volume and name: all hosts see the same.
        logins: Description of each user of Samba.
        typed: Passwords as smbpasswd got them.
        out: Folders in the lock volume, of hosts that were taken out.
    """

    site: BlankSite
    own: dict[str, ServerState] = field(default_factory=dict)
    folders: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    logins: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)

    def attach(self) -> None:
        """Gives every host the programs."""
        tools: dict[str, Tool] = {
            "ctdb": self._ctdb,
            "ctdb_mutex_fcntl_helper": self._helper,
            "systemd-run": self._keep,
            "sleep": lambda *_: OK,
            "findmnt": self._findmnt,
            "find": self._find,
            "stat": self._stat,
            "mkdir": self._mkdir,
            "rmdir": self._rmdir,
            "chown": self._chown,
            "chmod": self._chmod,
            "ls": self._ls,
            "getent": self._getent,
            "groupadd": self._groupadd,
            "useradd": self._useradd,
            "testparm": self._testparm,
            "smbclient": self._smbclient,
            "smbcontrol": self._smbcontrol,
            "pdbedit": self._pdbedit,
            "smbpasswd": self._smbpasswd,
            "sh": self._sh,
            "systemctl": self._systemctl,
        }
        self.site.others["shares"] = self
        for name, machine in self.site.machines.items():
            self.own[name] = ServerState()
            machine.on_boot.append(self._read_nodes)
            machine.files["/etc/passwd"] = File("root:x:0:0:root:/root:/bin/bash\n")
            machine.files["/etc/group"] = File("root:x:0:\n")
            for program, tool in tools.items():
                machine.tools[program] = before(tool, machine.tools.get(program))

    def holders(self) -> dict[str, str]:
        """The host that has each public address; one that nobody has is not in it."""
        machine = next((host for name, host in self.site.machines.items() if self.runs(name)), None)
        rows = self._held(machine) if machine else {}
        names = dict(enumerate(self.own[machine.name].knows)) if machine else {}
        at = {_address(host): name for name, host in self.site.machines.items()}
        return {address: at[names[number]] for address, number in rows.items() if number >= 0}

    def serves(self, name: str) -> bool:
        """Whether clients are served by a host."""
        active = self.site.machines[name].host.systemd.active
        return active(_CTDB) and active(_SMBD) and not self._flags(name)

    def locks(self, name: str) -> bool:
        """Whether a host has the lock volume, and was kept out of a lock of it that another one held."""
        machine = self.site.machines[name]
        return bool(machine.storage.clients.get(FOLDER)) and PROOF in machine.files

    def _machine(self, machine: Machine) -> StorageMachine:
        return self.site.machines[machine.name]

    # units and mounts

    def _systemctl(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        host = self._machine(machine)
        match argv[1:]:
            case ("start", name) if name.endswith(".mount") and "Type=glusterfs" in _unit(machine, name):
                values = dict(re.findall(r"^(\w+)=(.*)$", _unit(machine, name), re.M))
                host.storage.clients[values["Where"]] = values["What"]
                host.units[name].active = "active"
                return OK
            case ("start", "ctdb.service"):
                # As CTDB's own event "startup" does for each of its scripts.
                host.units[_CTDB].active = "active"
                self._read_nodes(machine)
                return self._start_samba(machine) if "50.samba" in self.own[machine.name].scripts else OK
            case ("start", "smbd.service"):
                return self._start_samba(machine)
            case ("stop", name) if name == KEEPER:
                host.units.pop(KEEPER, None)
                return OK
        return None

    def _read_nodes(self, machine: Machine) -> None:
        """As CTDB does when it starts, and when it is told to."""
        self.own[machine.name].knows = tuple(_text(machine, _NODES).split())

    def _start_samba(self, machine: Machine) -> Output:
        self._machine(machine).units[_SMBD].active = "active"
        self.own[machine.name].reads = _text(machine, "/etc/samba/smb.conf")
        return OK

    def _findmnt(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:-1] != _FUSE:
            return None
        source = self._machine(machine).storage.clients.get(argv[-1])
        return ok(f"{source}\n") if source else Output(1, "", "")

    # the lock, and CTDB

    def _keep(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if f"--unit={KEEPER}" not in argv or self._keeper():
            return None
        self._machine(machine).units[KEEPER] = Unit(KEEPER, "active", "transient")
        return OK

    def _keeper(self) -> str:
        hosts = self.site.machines.items()
        return next((name for name, host in hosts if host.host.systemd.active(KEEPER)), "")

    def _helper(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        return ok("1" if self._keeper() not in ("", machine.name) else "0")

    def runs(self, name: str) -> bool:
        """Whether CTDB runs on a host."""
        return self.site.machines[name].host.systemd.active(_CTDB)

    def _states(self) -> dict[str, tuple[bool, bool]]:
        """Whether each host is disconnected, and unhealthy, by its address."""
        found: dict[str, tuple[bool, bool]] = {}
        for name, host in self.site.machines.items():
            watched = [unit for script, unit in _WATCHED.items() if script in self.own[name].scripts]
            failing = not all(host.host.systemd.active(unit) for unit in watched)
            found[_address(host)] = (not self.runs(name), not self.runs(name) or failing)
        return found

    def _ctdb(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        scripts = self.own[machine.name].scripts
        match argv[1:]:
            case ("event", "script", "list", "legacy"):
                return ok("".join(f"{'*' if s in scripts else ' '} {s}\n" for s in sorted({*scripts, *_WATCHED})))
            case ("event", "script", "enable", "legacy", script):
                scripts.add(script)
                return OK
            case _ if not self.runs(machine.name):
                return _NOT_RUNNING
            case ("-X", "status"):
                return ok(self._status(machine))
            case ("-X", "ip", "all"):
                return ok(self._addresses(machine))
            case ("getreclock",):
                return ok("/gluster/lock/ctdb\n")
            case ("event", "status", "legacy", "monitor"):
                return ok("00.ctdb              OK         0.004 Sat Nov 28 03:00:00 2026\n")
            case ("reloadips",):
                return OK
            case ("reloadnodes",):
                for name, host in self.site.machines.items():
                    if self.runs(name):
                        self._read_nodes(host)
                return OK
            case ("nodestatus",):
                return Output(self._flags(machine.name), "", "")
            case ("disable" | "enable" as what, "-n", number):
                self.own[self._named(machine, number)].disabled = what == "disable"
                return OK
        return None

    def _named(self, machine: Machine, number: str) -> str:
        address = self.own[machine.name].knows[int(number)]
        return next(name for name, host in self.site.machines.items() if _address(host) == address)

    def _flags(self, name: str) -> int:
        """As ``ctdb nodestatus`` ends with."""
        cut, ill = self._states()[_address(self.site.machines[name])]
        return 1 * cut + 2 * ill + 4 * self.own[name].disabled

    def _status(self, machine: Machine) -> str:
        states, rows = self._states(), ["|Node|IP|Disconnected|Unknown|Banned|Disabled|Unhealthy|ThisNode|"]
        for number, address in enumerate(self.own[machine.name].knows):
            cut, ill = states[address]
            this = "Y" if address == _address(self._machine(machine)) else "N"
            disabled = self.own[self._named(machine, str(number))].disabled
            rows.append(f"|{number}|{address}|{int(cut)}|0|0|{int(disabled)}|{int(ill)}|{this}|")
        return "".join(f"{row}\n" for row in rows)

    def _addresses(self, machine: Machine) -> str:
        rows = [f"|{address}|{number}|\n" for address, number in self._held(machine).items()]
        return "|Public IP|Node|\n" + "".join(rows)

    def _held(self, machine: Machine) -> dict[str, int]:
        numbers = {address: n for n, address in enumerate(self.own[machine.name].knows)}
        states, takers, wanted = self._states(), [], set[str]()
        for name, host in self.site.machines.items():
            lines = _text(host, _ADDRESSES).splitlines() if self.runs(name) else []
            wanted |= {line.partition("/")[0] for line in lines}
            if (
                _address(host) in numbers
                and lines
                and states[_address(host)] == (False, False)
                and not self.own[name].disabled
            ):
                takers.append(numbers[_address(host)])
        given = [takers[n % len(takers)] if takers else -1 for n in range(len(wanted))]
        return dict(zip(sorted(wanted), given, strict=True))

    def _ls(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:] != ("/etc/ctdb/events/legacy",):
            return None
        return ok("".join(f"{script}.script\n" for script in sorted(self.own[machine.name].scripts)))

    # folders

    def _key(self, machine: Machine, path: str) -> str | None:
        mounted, _, name = path.rpartition("/")
        source = self._machine(machine).storage.clients.get(mounted)
        return f"{source.rpartition('/')[2]}/{name}" if source else None

    def _find(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1] == FOLDER:
            if FOLDER not in self._machine(machine).storage.clients:
                return failed(f"find: '{FOLDER}': No such file or directory")
            wanted = argv[argv.index("-name") + 1]
            return ok("".join(f"{name}\n" for name in sorted(self.out) if fnmatchcase(name, wanted)))
        if argv[1] != "/gluster/shares":
            return None
        mounts = {t: s for t, s in self._machine(machine).storage.clients.items() if t.startswith("/gluster/shares/")}
        volumes = {source.rpartition("/")[2]: target for target, source in mounts.items()}
        if not volumes:
            return failed("find: '/gluster/shares': No such file or directory")
        lines = []
        for key, (owner, group, mode) in self.folders.items():
            volume, _, name = key.partition("/")
            if volume in volumes:
                lines.append(f"{volumes[volume]}/{name} {owner} {group} {mode.lstrip('0')}\n")
        return ok("".join(lines))

    def _stat(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:3] == ("-c", "%F") and argv[3].startswith(f"{FOLDER}/"):
            there = argv[3].rpartition("/")[2] in self.out
            return ok("directory\n") if there else failed(f"stat: cannot statx '{argv[3]}'")
        if argv[1:3] != ("-c", "%F %u %g %04a"):
            return None
        state = self.folders.get(self._key(machine, argv[3]) or "")
        return ok(f"directory {' '.join(state)}\n") if state else failed(f"stat: cannot statx '{argv[3]}'")

    def _mkdir(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1] == "-p" and argv[2].startswith(f"{FOLDER}/"):
            self.out.add(argv[2].rpartition("/")[2])
            return OK
        key = self._key(machine, argv[2])
        if argv[1] != "-p" or key is None:
            return None
        self.folders.setdefault(key, ("0", "0", "0755"))
        return OK

    def _rmdir(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        self.out.discard(argv[1].rpartition("/")[2])
        return OK

    def _chown(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        key = self._key(machine, argv[2]) or ""
        owner, _, group = argv[1].partition(":")
        self.folders[key] = (owner, group, self.folders[key][2])
        return OK

    def _chmod(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        key = self._key(machine, argv[2]) or ""
        self.folders[key] = (*self.folders[key][:2], argv[1])
        return OK

    # accounts

    def _getent(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        lines = _text(machine, f"/etc/{argv[1]}").splitlines()
        found = [line for line in lines if line.split(":")[0] == argv[2]]
        return ok(f"{found[0]}\n") if found else Output(2, "", "")

    def _groupadd(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        return _add(machine, "/etc/group", f"{argv[3]}:x:{argv[2]}:", argv[2])

    def _useradd(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        number, group = argv[argv.index("--uid") + 1], argv[argv.index("--gid") + 1]
        if f"{group}:" not in _text(machine, "/etc/group"):
            return failed(f"useradd: group '{group}' does not exist", 6)
        if ":" in (comment := argv[argv.index("--comment") + 1]):  # it separates the fields of /etc/passwd
            return failed(f"useradd: invalid comment '{comment}'", 3)
        return _add(machine, "/etc/passwd", f"{argv[-1]}:x:{number}:{group}::/nonexistent:/usr/sbin/nologin", number)

    # Samba

    def _testparm(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        text, refuses = _text(machine, argv[-1]), self.own[machine.name].refuses
        if argv[-1] not in machine.files:
            return failed("Error loading services.")
        return Output(0, text, f'Unknown parameter encountered: "{refuses}"\n' if refuses else "")

    def _smbclient(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if not self._machine(machine).host.systemd.active(_SMBD):
            return failed("do_connect: Connection to 127.0.0.1 failed (Error NT_STATUS_CONNECTION_REFUSED)")
        names = re.findall(r"^\[(.+)\]$", self.own[machine.name].reads, re.M)
        return ok("".join(f"Disk|{name}|\n" for name in names if name != "global") + "IPC|IPC$|IPC Service\n")

    def _smbcontrol(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:] != ("smbd", "reload-config"):
            return None
        if not self._machine(machine).host.systemd.active(_SMBD):
            return failed("Can't find pid for destination 'smbd'")
        self.own[machine.name].reads = _text(machine, "/etc/samba/smb.conf")
        return OK

    def _pdbedit(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        words = dict(word.partition("=")[::2] for word in argv[1:])
        user = words.get("--user", "")
        if "--modify" in words:
            if user not in self.logins:
                return failed("Username not found!")
            self.logins[user] = words["--account-desc"]
            return OK
        if user and user not in self.logins:
            return failed("Username not found!")
        shown = {user: self.logins[user]} if user else self.logins
        line = "Unix username:        {}\nAccount desc:         {}\n"
        return ok("".join(line.format(name, text) for name, text in shown.items()))

    def _sh(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1] == "-c" and argv[2].startswith("ctdb nodestatus"):
            disabled = self.own[self._named(machine, argv[4])].disabled
            return OK if disabled == (" -ne 0" in argv[2]) else failed("")
        if argv[1] != "-c" or "smbpasswd" not in argv or stdin is None:
            return None
        word = stdin.removesuffix("\n")
        return machine.run(argv[4:], f"{word}\n{word}\n")

    def _smbpasswd(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("-s", "-a", user):
                if not re.search(f"^{user}:", _text(machine, "/etc/passwd"), re.M):
                    return failed(f"Failed to add entry for user {user}.")
                self.logins.setdefault(user, "")
                self.typed[user] = stdin or ""
                return OK
            case ("-x", user):
                self.logins.pop(user, None)
                return OK
        return None


def _text(machine: Machine, path: str) -> str:
    return machine.files[path].content if path in machine.files else ""


def _unit(machine: Machine, name: str) -> str:
    return _text(machine, f"/etc/systemd/system/{name}")


def _address(machine: StorageMachine) -> str:
    return machine.host.addresses["eth1"][0].partition("/")[0]


def _add(machine: Machine, path: str, line: str, number: str) -> Output:
    if f":{number}:" in _text(machine, path):
        return failed(f"{number} is not unique", 4)
    machine.files[path] = File(_text(machine, path) + f"{line}\n")
    return OK

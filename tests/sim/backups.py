"""A simulated machine of an engine that can be backed up, and a host that fetches and keeps backups.

``engine-backup`` takes the arguments that the real one takes, refuses others, and fails where a test wants it to. Files
are fetched only with a key that the machine has authorized for just that, and only from the machine that is believed.
"""

import fnmatch
import hashlib
import json
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from heretic.domain.commands import Output
from heretic.domain.hosted_engine.backup.steps import AUTHORIZED_KEYS, KEY, KNOWN_HOSTS, STAGED
from heretic.domain.hosted_engine.upgrade.room import ASKED
from heretic.domain.hosted_engine.upgrade.steps import ANSWERS, INSTALLED, MARK, OFFERED
from heretic.domain.jobs import RECORDS
from sim.deployment import _before
from sim.host_tools import StorageMachine
from sim.machine import OK, Argv, File, Machine, failed, ok
from sim.server import SimServer
from sim.systemd_tools import Systemd

_OPTIONS = {
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=30",
    "ServerAliveInterval=30",
    "GlobalKnownHostsFile=/dev/null",
    f"UserKnownHostsFile={KNOWN_HOSTS}",
}
MIB = 2**20


@dataclass
class FileTools:
    """The programs of coreutils and findutils that backups use, on a machine's files below some folders.

    Attributes:
        machine: The host.
        folders: Those that are there.
        room: Free bytes.
        links: Where a folder that is a link leads.
        space: The filesystems of /usr and of /var, with their free bytes.
    """

    machine: Machine
    folders: set[str] = field(default_factory=set)
    room: int = 100 * 2**30
    links: dict[str, str] = field(default_factory=dict)
    space: tuple[tuple[str, int], ...] = (("fd0000000001", 20 * 2**30), ("fd0000000002", 20 * 2**30))

    def __post_init__(self) -> None:
        names = ("find", "readlink", "stat", "cat", "test", "mkdir", "chmod", "sync", "mv", "rm", "sha256sum")
        for name in names:
            tool: Callable[[Argv, str | None], Output | None] = getattr(self, f"_{name}")
            self.add(name, tool)

    def add(self, name: str, tool: Callable[[Argv, str | None], Output | None]) -> None:
        """A program; what it does not know is left to the one of this name before it."""
        before = self.machine.tools.get(name)

        def run(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
            answer = tool(argv, stdin)
            return before(machine, argv, stdin) if answer is None and before else answer

        self.machine.tools[name] = run

    def ours(self, path: str) -> bool:
        """Whether a path lies where backups do."""
        folders = (*self.folders, *self.links, STAGED, "/srv", "/run/heretic/backups")
        return any(path == folder or path.startswith(f"{folder}/") for folder in folders)

    def within(self, folder: str) -> dict[str, File]:
        """Files directly in a folder, by name."""
        files = self.machine.files
        return {p.rpartition("/")[2]: f for p, f in sorted(files.items()) if posixpath.dirname(p) == folder}

    def _find(self, argv: Argv, stdin: str | None) -> Output | None:
        folder, *rest = argv[1:]
        if not self.ours(folder):
            return None
        if folder not in self.folders:
            return failed(f"find: '{folder}': No such file or directory")
        pattern = rest[rest.index("-name") + 1] if "-name" in rest else "*"
        there = {n: f for n, f in self.within(folder).items() if fnmatch.fnmatchcase(n, pattern)}
        match rest[-2:]:
            case [*_, "-delete"]:
                for name in there:
                    del self.machine.files[f"{folder}/{name}"]
                return OK
            case ["-printf", "%f %s\\n"]:
                return ok("".join(f"{name} {len(file.content)}\n" for name, file in there.items()))
            case ["{}", "+"] if "cat" in rest:
                return ok("".join(file.content for file in there.values()))
            case ["{}", "+"] if "sha256sum" in rest:
                return ok("".join(f"{file.sha256}  {folder}/{name}\n" for name, file in there.items()))
            case ["-maxdepth", "1"]:
                return ok("".join(f"{folder}/{name}\n" for name in there))
        return None

    def _readlink(self, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1] != "-e" or not self.ours(argv[2]):
            return None
        found = self.links.get(argv[2], argv[2])
        return ok(f"{found}\n") if found in self.folders else failed("")

    def _stat(self, argv: Argv, stdin: str | None) -> Output | None:
        if argv == ASKED:
            return ok("".join(f"{on} 4096 {free // 4096}\n" for on, free in self.space))
        known = argv[1:4] == ("-f", "-c", "%S %a") and (self.ours(argv[4]) or argv[4:] == ("/var/lib",))
        return ok(f"4096 {self.room // 4096}\n") if known else None

    def _cat(self, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1] == "/proc/uptime":
            return ok("5000.00 9000.00\n")
        if argv[1] not in (AUTHORIZED_KEYS, f"{KEY}.pub"):
            return None
        file = self.machine.files.get(argv[1])
        return ok(file.content) if file else failed(f"cat: {argv[1]}: No such file or directory")

    def _test(self, argv: Argv, stdin: str | None) -> Output | None:
        path, files = argv[-1], self.machine.files
        if not self.ours(path) and not path.startswith(KEY):
            return None
        there = {
            ("-s",): path in files and bool(files[path].content),
            ("-d",): path in self.folders,
            ("!", "-e"): path not in files and path not in self.folders,
        }[argv[1:-1]]
        return Output(0 if there else 1, "", "")

    def _mkdir(self, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:4] != ("-p", "-m", "700"):
            return None
        self.folders |= set(argv[4:])
        return OK

    def _chmod(self, argv: Argv, stdin: str | None) -> Output | None:
        self.machine.files[argv[2]].mode = f"0{argv[1]}"
        return OK

    def _sync(self, argv: Argv, stdin: str | None) -> Output | None:
        return OK if argv[1] in self.machine.files else failed(f"sync: {argv[1]}: No such file")

    def _mv(self, argv: Argv, stdin: str | None) -> Output | None:
        assert argv[1] == "-T"
        self.machine.files[argv[3]] = self.machine.files.pop(argv[2])
        return OK

    def _rm(self, argv: Argv, stdin: str | None) -> Output | None:
        if not self.ours(argv[2]):
            return None
        for path in argv[2:]:
            self.machine.files.pop(path, None)
        return OK

    def _sha256sum(self, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:] != ("--check", "--status", "-") or stdin is None:
            return None
        wanted, path = stdin.rstrip("\n").split("  ", 1)
        file = self.machine.files.get(path)
        return OK if file is not None and file.sha256 == wanted else failed("")


@dataclass
class BackedUpMachine:
    """The machine of an engine.

    Attributes:
        server: How it is reached.
        fqdn: For which name the engine in it was set up.
        fails: What engine-backup says instead of working, by its mode.
        size: Bytes of a backup.
        backups: How many were begun.
        offered: What the repositories offer, as they were read last.
        released: What they offer once they are read again; "" = the same.
        installed: Version of the engine's packages.
        setup: Version of those of engine-setup, which engine-setup brings the others to.
        upgraded: Called when engine-setup has done its work.
        setups: How many were begun.
        mangled: Whether a file changes on its way to the host that fetches it.
    """

    server: SimServer
    fqdn: str
    fails: dict[str, str] = field(default_factory=dict)
    size: int = 100
    backups: int = 0
    offered: str = "4.5.7"
    released: str = ""
    installed: str = "4.5.7"
    setup: str = "4.5.7"
    upgraded: Callable[[str], bool] = lambda version: True
    setups: int = 0
    mangled: bool = False

    def __post_init__(self) -> None:
        self.files = FileTools(self.server.machine)
        self.systemd = Systemd(cast("Any", None))
        tools: dict[str, Callable[[Argv], Output | None]] = {
            "engine-backup": self._engine_backup,
            "grep": self._grep,
            "systemctl": self._systemctl,
            "rpm": self._rpm,
            "dnf": self._dnf,
            "engine-upgrade-check": self._upgrade_check,
            "engine-setup": self._engine_setup,
            "cat": lambda argv: self._mark() if argv[1:] == (MARK,) else None,
            "test": self._test,
            "rm": lambda argv: self._forget() if argv[-1] == MARK else None,
        }
        for name, tool in tools.items():
            self.server.machine.tools[name] = _before(tool, self.server.machine.tools.get(name))

    @property
    def machine(self) -> Machine:
        """What it is."""
        return self.server.machine

    @property
    def staged(self) -> list[str]:
        """Names of the files in the folder of backups."""
        return sorted(self.files.within(STAGED))

    def _failing(self, what: str) -> Output | None:
        return failed(self.fails[what]) if what in self.fails else None

    def _mark(self) -> Output:
        file = self.machine.files.get(MARK)
        return ok(file.content) if file else failed(f"cat: {MARK}: No such file or directory")

    def _forget(self) -> Output:
        del self.machine.files[MARK]
        return OK

    def _test(self, argv: Argv) -> Output | None:
        folder, _, unit = argv[-1].rpartition("/")
        if argv[1:-1] != ("!", "-e") or (argv[-1] != MARK and folder != RECORDS):
            return None
        return Output(int(unit in self.machine.outcomes if folder == RECORDS else MARK in self.machine.files), "", "")

    def _upgrade_check(self, argv: Argv) -> Output | None:
        self.offered = self.released or self.offered
        return self._failing("check") or ok("Upgrade available\n")

    def _rpm(self, argv: Argv) -> Output | None:
        if argv == INSTALLED:
            return ok(self.installed)
        assert argv[:2] == ("rpm", "--query")
        is_there = argv[2:] == (f"ovirt-engine-setup-{self.setup}",)
        return OK if is_there else Output(1, f"package {argv[2]} is not installed\n", "")

    def _dnf(self, argv: Argv) -> Output | None:
        if argv == OFFERED:
            return ok(f"{self.offered}\n")
        if argv[1:] != ("--assumeyes", "upgrade", "ovirt-*setup*"):
            return None
        self.setup = self.offered
        return self._failing("dnf") or OK

    def _engine_setup(self, argv: Argv) -> Output | None:
        if argv[1:] != ("--accept-defaults", f"--config-append={ANSWERS}") or ANSWERS not in self.machine.files:
            return failed("[ ERROR ] wrong arguments")
        self.setups += 1
        if "setup" in self.fails or not self.upgraded(self.setup):
            said = self.fails.get("setup", "Hosted Engine HA is not in Global Maintenance mode")
            return failed(f"[ INFO  ] Stage: Setup validation\n[ ERROR ] {said}\n[ INFO  ] Stage: Clean up")
        self.installed = self.setup
        return ok("[ INFO  ] Stage: Termination\n[ INFO  ] Execution of setup completed successfully\n")

    def _grep(self, argv: Argv) -> Output | None:
        if argv[1] == "-qxF" and argv[3] == MARK:
            mark = self.machine.files.get(MARK)
            return Output(0 if mark and argv[2] in mark.content.splitlines() else 1, "", "")
        if argv[1] == "-rqxF":
            return Output(0 if argv[2] == f"ENGINE_FQDN={self.fqdn}" else 1, "", "")
        if argv[1] == "-qxF" and argv[3] == AUTHORIZED_KEYS:
            file = self.machine.files.get(AUTHORIZED_KEYS)
            return Output(0 if file and argv[2] in file.content.splitlines() else 1, "", "")
        return None

    def _systemctl(self, argv: Argv) -> Output | None:
        if argv[1] == "list-units":
            active = (job.unit for job in self.machine.jobs.values() if job.state == "active")
            return ok("".join(f"{unit} loaded\n" for unit in active if fnmatch.fnmatchcase(unit, argv[-1])))
        if argv[1:] == ("is-active", "ovirt-engine.service"):
            return ok("active\n")
        return self.systemd.systemctl(self.machine, argv, None)

    def _engine_backup(self, argv: Argv) -> Output | None:
        given = dict(word.partition("=")[::2] for word in argv[1:])
        mode, scope = given.pop("--mode", ""), given.pop("--scope", None)
        if set(given) != {"--file", "--log"} or (mode, scope) not in (("backup", "all"), ("verify", None)):
            return failed(f"FATAL: invalid options: {argv[1:]}")
        path, files = given["--file"], self.machine.files
        folders = {posixpath.dirname(name) for name in given.values()}
        if missing := folders - self.files.folders:
            return failed(f"FATAL: {missing} does not exist")
        if mode == "backup":
            self.backups += 1
            if self.size > self.files.room:
                files[path] = File("half")
                return failed(f"tar: {path}: No space left on device\nFATAL: failed compressing {path}")
            files[path] = File(f"backup {self.backups} of {self.fqdn}".ljust(self.size, "."))
        if mode in self.fails:
            return failed(f"Start of engine-backup with mode '{mode}'\nFATAL: {self.fails[mode]}")
        if path not in files:
            return failed(f"FATAL: Unable to read {path}")
        return ok(f"Start of engine-backup with mode '{mode}'\nDone.\n")


@dataclass
class BackupKeeper:
    """What a host needs to fetch and keep backups.

    Attributes:
        machine: The host.
        engine: Whose backups they are.
        mounts: Source and type of what is mounted, by its place.
        mounted: Places at which something was mounted, in order.
        away: Files on what is not mounted now, by its source.
    """

    machine: StorageMachine
    engine: BackedUpMachine
    mounts: dict[str, tuple[str, str]] = field(default_factory=lambda: {"/srv/backup": ("/dev/sdz1", "ext4")})
    mounted: list[str] = field(default_factory=list)
    away: dict[str, dict[str, File]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files = FileTools(self.machine, {"/srv/backup"})
        self._shown = self.machine.tools["findmnt"]
        tools: dict[str, Callable[[Argv], Output | None]] = {
            "ssh-keygen": self._ssh_keygen,
            "sftp": self._sftp,
            "systemctl": self._systemctl,
            "findmnt": self._findmnt,
            "mount": self._mount,
        }
        for name, tool in tools.items():
            self.machine.tools[name] = _before(tool, self.machine.tools.get(name))

    def kept(self, folder: str = "/srv/backup") -> list[str]:
        """Names of the files where backups are kept."""
        return sorted(self.files.within(folder))

    def unmount(self, folder: str) -> None:
        """What is mounted there is gone, with the files on it."""
        source, _ = self.mounts.pop(folder)
        names = [path for path in self.machine.files if path.startswith(f"{folder}/")]
        self.away[source] = {path: self.machine.files.pop(path) for path in names}

    def _systemctl(self, argv: Argv) -> Output | None:
        return ok("") if argv[1] == "list-units" else None

    def _findmnt(self, argv: Argv) -> Output | None:
        if argv[1] == "-J":
            output = self._shown(self.machine, argv, None)
            assert output is not None
            rows = json.loads(output.stdout)
            mounted = {t: {"target": t, "source": s, "fstype": f, "options": "rw"} for t, (s, f) in self.mounts.items()}
            return ok(json.dumps({"filesystems": [*rows["filesystems"], *mounted.values()]}))
        if argv[1:] == ("--raw", "--noheadings", "--output", "TARGET"):
            output = self._shown(self.machine, argv, None)
            assert output is not None
            return ok(output.stdout + "".join(f"{target}\n" for target in self.mounts))
        there = self.mounts.get(argv[-1]) if argv[-2] == "--mountpoint" else None
        return ok(f"{there[0]}\n") if there else None

    def _mount(self, argv: Argv) -> Output | None:
        match argv[1:]:
            case ("-t", "glusterfs", source, folder) if folder in self.files.folders:
                self.mounts[folder] = (source, "fuse.glusterfs")
                self.mounted.append(folder)
                self.machine.files.update(self.away.pop(source, {}))
                return OK
        return None

    def _ssh_keygen(self, argv: Argv) -> Output | None:
        assert argv[1:] == ("-q", "-t", "ed25519", "-N", "", "-C", "heretic-engine-backup", "-f", KEY)
        key = hashlib.sha256(self.machine.name.encode()).hexdigest()
        self.machine.files[KEY] = File(f"PRIVATE {key}", "0600")
        self.machine.files[f"{KEY}.pub"] = File(f"ssh-ed25519 {key} heretic-engine-backup\n")
        return OK

    def _sftp(self, argv: Argv) -> Output | None:
        *said, source, target = argv[1:]
        options = {said[n + 1] for n, word in enumerate(said) if word == "-o"}
        assert options == _OPTIONS, options
        assert said[:5] == ["-q", "-F", "/dev/null", "-i", KEY]
        server, files = self.engine.server, self.machine.files
        place = f"[{server.address}]:{server.port}"
        if said[-2:] != ["-P", str(server.port)] or not source.startswith(f"root@{server.address}:"):
            return failed("ssh: connect to host: Connection refused", 255)
        if f"{place} {' '.join(server.host_key_line.split()[:2])}\n" != files[KNOWN_HOSTS].content:
            return failed("Host key verification failed.", 255)
        public = " ".join(files[f"{KEY}.pub"].content.split()[:2])
        allowed = f'restrict,command="internal-sftp -R -d {STAGED}" {public} heretic-engine-backup'
        authorized = self.engine.machine.files.get(AUTHORIZED_KEYS)
        if authorized is None or allowed not in authorized.content.splitlines():
            return failed("Permission denied (publickey).", 255)
        there = self.engine.machine.files.get(source.partition(":")[2])
        if there is None:
            return failed(f"File {source!r} not found.", 1)
        if len(there.content) > self.files.room:
            files[target] = File("half")
            return failed(f"write local {target!r}: No space left on device", 1)
        files[target] = File(there.content + ("!" if self.engine.mangled else ""))
        return OK

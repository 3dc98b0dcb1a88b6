"""A simulated host that can deploy an engine: oVirt's role and its runner, hosted-engine, libvirt, a name server.

What the role is told is held against the list of its variables. It says what the real one says, stage after stage,
fails where a test wants it to, leaves behind what the real one leaves, and lets the simulated engine listen at its end.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from heretic.domain.commands import Output
from heretic.domain.hosted_engine.agent import CONFIGURATION
from heretic.domain.hosted_engine.first_host import AUTHORITY, LOCAL_MACHINE, ROLE
from lab.stand_in import TASKS as ROLE_TASKS
from sim.addresses import PREFIX
from sim.engine.engine import SimEngine
from sim.engine.host_life import Lasting
from sim.engine.self_hosted import deploy_as_told, restore_as_told
from sim.engine.server import EngineServer
from sim.engine.state import EngineState
from sim.host_tools import StorageMachine
from sim.machine import OK, Argv, File, Machine, Tool, failed, ok
from sim.role_variables import ROLE_VARIABLES

LOG = (
    "/var/log/ovirt-hosted-engine-setup/ovirt-hosted-engine-setup-ansible-bootstrap_local_vm-20261127220000-0a1b2c.log"
)
DOMAIN = "b1f4d3a2-6f0e-4f6b-9f0e-3a8d7c5b2e11"
NEEDED = ("he_fqdn", "he_bridge_if", "he_domain_type", "he_storage_domain_addr", "he_storage_domain_path")

TASKS = (("Keep the password in memory", ""), *ROLE_TASKS)
LOCAL, WRITTEN, KNOWN = 3, 6, 8
"""Numbers of the tasks from which on there is a temporary machine, a storage domain, and a configured host."""


FQDN, ADDRESS = "engine.mgmt.private", f"{PREFIX}5"


@contextmanager
def silent_engine() -> Iterator[EngineServer]:
    """An engine that does not listen yet, and that has its hosts at once."""
    at_once = Lasting(install=0, reboot=0, initialize=0, prepare=0, notice=0)
    state = EngineState(reachable={f"{PREFIX}{number}" for number in (11, 12, 13)}, lasting=at_once)
    server = EngineServer(SimEngine(state), address=ADDRESS, names=(FQDN,)).start()
    server.stop()
    yield server
    server.stop()
    assert server.engine.refused == []


@dataclass
class Deployer:
    """What a host needs to deploy an engine, and what becomes of it.

    Attributes:
        machine: The host.
        server: The engine, which listens once it is deployed.
        names: What the name server knows: address by name.
        reverse: Name by address.
        installed: Whether oVirt's packages are there.
        fails: Number of the task that fails, in the next tries; None = none does.
        room: Free bytes in /var/tmp.
        firewall: State of firewalld.
        libvirt: Machines that it knows.
        domain: What lies in the brick of the engine's volume.
        told: The variables of every run.
        running: Machines that run, by libvirt.
        maintenance: Whether the hosts leave the engine's machine alone.
        appliance: Version of the package with the appliance; "" = it is not installed.
        backup_fails: Whether engine-backup refuses what it is given.
    """

    machine: StorageMachine
    server: EngineServer
    names: dict[str, str]
    reverse: dict[str, str]
    installed: bool = True
    fails: int | None = None
    room: int = 100 * 2**30
    firewall: str = "active"
    libvirt: list[str] = field(default_factory=list)
    domain: list[str] = field(default_factory=list)
    told: list[dict[str, object]] = field(default_factory=list)
    cleaned: int = 0
    running: list[str] = field(default_factory=list)
    maintenance: bool = False
    appliance: str = "4.5"
    backup_fails: bool = False

    def __post_init__(self) -> None:
        tools: dict[str, Callable[[Argv], Output | None]] = {
            "hosted-engine": self._hosted_engine,
            "env": self._env,
            "ovirt-hosted-engine-cleanup": self._cleanup,
            "getent": self._getent,
            "virsh": self._virsh,
            "cat": self._cat,
            "find": self._find,
            "stat": self._stat,
            "systemctl": self._systemctl,
            "grep": self._grep,
            "tar": self._tar,
            "rpm": self._rpm,
        }
        for name, tool in tools.items():
            self.machine.tools[name] = _before(tool, self.machine.tools.get(name))

    @property
    def deployed(self) -> bool:
        """Whether the host knows of an engine."""
        return CONFIGURATION in self.machine.files

    def _hosted_engine(self, argv: Argv) -> Output | None:
        if not self.installed:
            return Output(127, "", "sh: hosted-engine: not found\n")
        match argv[1:]:
            case ("--check-deployed",):
                return Output(0 if self.deployed else 1, "", "")
            case ("--vm-status", "--json"):
                return ok(json.dumps(self._status())) if self.deployed else failed("You must run deploy first")
        return None

    def _status(self) -> dict[str, object]:
        good = {"vm": "up", "health": "good", "detail": "Up", "reason": ""}
        if "HostedEngine" not in self.running:
            good = {"vm": "down", "health": "bad", "detail": "unknown", "reason": "vm not running on this host"}
        row = {"host-id": 1, "host-ts": 4262, "score": 3400, "engine-status": good, "hostname": self.machine.name}
        return {"1": row | {"maintenance": False, "live-data": True}, "global_maintenance": self.maintenance}

    def _env(self, argv: Argv) -> Output | None:
        return self._playbook(argv[2:]) if argv[1:3] == ("LC_ALL=C.UTF-8", "ansible-playbook") else None

    def _playbook(self, argv: Argv) -> Output | None:
        if not self.installed:
            return Output(127, "", "sh: ansible-playbook: not found\n")
        match argv[1:]:
            case ("--version",):
                return ok("ansible-playbook [core 2.14.17]\n")
            case ("--inventory", "localhost,", "--extra-vars", variables, playbook) if variables.startswith("@"):
                return self._deploy(variables[1:], playbook)
        return None

    def _deploy(self, path: str, playbook: str) -> Output:
        files = self.machine.files
        told: dict[str, object] = json.loads(files[path].content)
        unknown = sorted(told.keys() - ROLE_VARIABLES)
        missing = [name for name in NEEDED if not told.get(name)]
        if unknown or missing:
            return failed(f"ERROR! the role knows no {unknown} and lacks {missing}", 4)
        password = next(name for name in files if name.endswith("/password"))
        assert password in files[playbook].content
        key = next(name for name in files if name.endswith("/root.pub"))
        assert f"'{key}'" in files[playbook].content
        assert files[key].content.startswith("ssh-ed25519 ")
        assert {files[name].mode for name in (path, playbook, password, key)} == {"0600"}
        self.server.engine.sso.passwords["admin"] = files.pop(password).content.rstrip("\n")
        assert self.server.engine.sso.passwords["admin"]
        self.told.append(told)
        lines: list[str] = []
        for number, (task, message) in enumerate(TASKS):
            lines.append(f"TASK [ovirt.ovirt.hosted_engine_setup : {task}] {'*' * 20}")
            self._leave(number)
            if number == LOCAL and (backup := told.get("he_restore_from_file")):
                lines.append("TASK [ovirt.ovirt.hosted_engine_setup : Run engine-backup] ****")
                if self.backup_fails or not files[str(backup)].content:
                    lines.append('fatal: [localhost]: FAILED! => {"msg": "non-zero return code"}')
                    return Output(2, "\n".join(lines) + "\n", "")
            if number == self.fails:
                result = json.dumps({"changed": False, "msg": message, "invocation": {"secret": "hunter2"}})
                lines.append(f"fatal: [localhost]: FAILED! => {result}")
                files[LOG] = File("\n".join(lines))
                return Output(2, "\n".join(lines) + "\n", "")
            lines.append("changed: [localhost]")
        files[LOG] = File("\n".join(lines))
        self.libvirt[:] = self.running[:] = ["HostedEngine"]
        files[AUTHORITY] = File(self.server.engine.authority.pem)
        made = restore_as_told if told.get("he_restore_from_file") else deploy_as_told
        made(self.server.engine.state, told)
        self.server.start()
        return ok("\n".join(lines) + "\n")

    def _leave(self, number: int) -> None:
        if number == LOCAL:
            self.libvirt.append(LOCAL_MACHINE)
        elif number == WRITTEN:
            self.domain.append(DOMAIN)
        elif number == KNOWN:
            self.machine.files[CONFIGURATION] = File("host_id=1\n")

    def _cleanup(self, argv: Argv) -> Output | None:
        self.cleaned += 1
        self.libvirt.clear()
        self.machine.files.pop(CONFIGURATION, None)
        return OK if argv[1:] == ("-q",) else None

    def _getent(self, argv: Argv) -> Output | None:
        match argv[1:]:
            case ("ahostsv4", name):
                found = self.names.get(name)
                return ok("".join(f"{found} {kind}\n" for kind in ("STREAM", "DGRAM"))) if found else Output(2, "", "")
            case ("hosts", address):
                known = self.reverse.get(address)
                return ok(f"{address}      {known}\n") if known else Output(2, "", "")
        return None

    def _virsh(self, argv: Argv) -> Output | None:
        match argv[1:]:
            case ("-r", "list", "--all", "--name"):
                return ok("".join(f"{name}\n" for name in self.libvirt) + "\n")
            case ("-r", "list", "--name"):
                return ok("".join(f"{name}\n" for name in self.running) + "\n")
        return None

    def _tar(self, argv: Argv) -> Output | None:
        if argv[1] != "-xOf" or argv[3:] != ("./version",):
            return None
        file = self.machine.files.get(argv[2])
        there = file and file.content.startswith("backup ")
        return ok(f"{file.content.split()[1]}\n") if file and there else failed("tar: Cannot open: No such file", 2)

    def _rpm(self, argv: Argv) -> Output | None:
        if argv[1:-1] != ("-q", "--queryformat", "%{VERSION}"):
            return None
        if argv[-1] == "vdsm" and self.installed:
            return ok("4.50.7")
        return (
            ok(self.appliance)
            if self.appliance and argv[-1] == "ovirt-engine-appliance"
            else Output(1, "package is not installed", "")
        )

    def _cat(self, argv: Argv) -> Output | None:
        file = self.machine.files.get(argv[1])
        return ok(file.content) if file else failed(f"cat: {argv[1]}: No such file or directory")

    def _find(self, argv: Argv) -> Output | None:
        match argv[1:]:
            case (path, "-maxdepth", "0") if path == ROLE:
                return ok(f"{ROLE}\n") if self.installed else failed(f"find: '{ROLE}': No such file or directory")
            case (folder, "-maxdepth", "1", "-name", name):
                there = [path for path in self.machine.files if path == f"{folder}/{name}"]
                return ok("".join(f"{path}\n" for path in there))
            case (brick, "-mindepth", "1", "-maxdepth", "1", "!", "-name", ".*", "!", "-name", _):
                return ok("".join(f"{brick}/{name}\n" for name in self.domain))
        return None

    def _stat(self, argv: Argv) -> Output | None:
        return ok(f"4096 {self.room // 4096}\n") if argv[-1] == "/var/tmp" else None

    def _systemctl(self, argv: Argv) -> Output | None:
        if argv[1:] == ("is-active", "firewalld.service"):
            return Output(0 if self.firewall == "active" else 3, f"{self.firewall}\n", "")
        if argv[1] == "list-units":
            busy = [job.unit for job in self.machine.jobs.values() if job.state == "active"]
            return ok("".join(f"{unit} loaded active running\n" for unit in busy if "engine-deploy" in unit))
        return None

    def _grep(self, argv: Argv) -> Output | None:
        return Output(2, "", "") if argv[-1] == "/proc/net/bonding" else None


def _before(tool: Callable[[Argv], Output | None], other: Tool | None) -> Tool:
    """A program that does what it is told here, and otherwise what it did before."""

    def run(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        answer = tool(argv)
        return other(machine, argv, stdin) if answer is None and other else answer

    return run

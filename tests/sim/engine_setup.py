"""A simulated machine on which engine-setup can be run, and which has the simulated engine afterwards.

engine-setup holds its answers against what it knows, says its stages as the real one does, fails in one where a test
wants it to, and lets the engine listen at its end.
"""

import re
from collections.abc import Callable
from configparser import ConfigParser
from dataclasses import dataclass, field

from heretic.domain.commands import Output
from heretic.domain.hosted_engine.setup_machine import AUTHORITY, DONE, PROGRAM, TRACES
from heretic.domain.hosted_engine.setup_stages import answers
from heretic.domain.hosted_engine.variables import PASSWORD
from sim.engine.server import EngineServer
from sim.machine import OK, Argv, File, Machine, Tool, failed, ok

STAGES = (
    "Initializing",
    "Environment setup",
    "Environment packages setup",
    "Programs detection",
    "Environment customization",
    "Setup validation",
    "Transaction setup",
    "Misc configuration (early)",
    "Package installation",
    "Misc configuration",
    "Transaction commit",
    "Closing up",
    "Clean up",
)
DATABASE = "/etc/ovirt-engine/engine.conf.d/10-setup-database.conf"
NEEDED = {line.partition("=")[0] for line in answers("", "", firewall=True).splitlines() if "=" in line}
_ANSWER = re.compile(r"[A-Z_]+/\w+=(?:str:.*|bool:(?:True|False)|int:\d+|none:None)")


@dataclass
class SetupHost:
    """What the machine has, and what becomes of it.

    Attributes:
        machine: The machine.
        server: The engine, which listens once it is set up.
        fqdn: Its name.
        address: Its address; what the name server says of it is this, unless changed.
        names: What the name server knows: address by name.
        reverse: Name by address.
        release: Major release of EL.
        installed: Whether the package is there.
        fails: The stage that fails, in the next tries; "" = none does.
        memory: KiB.
        room: Free bytes below /var.
        listening: TCP ports that are taken.
        setups: The answers of every run.
    """

    machine: Machine
    server: EngineServer
    fqdn: str
    address: str
    names: dict[str, str] = field(default_factory=dict)
    reverse: dict[str, str] = field(default_factory=dict)
    release: int = 9
    installed: bool = True
    fails: str = ""
    memory: int = 8 * 2**20
    room: int = 100 * 2**30
    listening: list[int] = field(default_factory=lambda: [22])
    setups: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names.setdefault(self.fqdn, self.address)
        self.reverse.setdefault(self.address, self.fqdn)
        tools: dict[str, Callable[[Argv], Output | None]] = {
            "find": self._find,
            "cat": self._cat,
            "getent": self._getent,
            "hostname": self._hostname,
            "stat": self._stat,
            "ss": self._ss,
            "systemctl": self._systemctl,
            "grep": self._grep,
            "test": self._test,
            "sed": self._sed,
            "env": self._env,
            "rm": self._rm,
        }
        self.machine.tools |= {name: _tool(do) for name, do in tools.items()}

    def _find(self, argv: Argv) -> Output | None:
        if argv == ("find", PROGRAM, "-maxdepth", "0"):
            return ok(f"{PROGRAM}\n") if self.installed else failed("find: No such file or directory")
        if argv == ("find", PASSWORD, "-maxdepth", "0"):
            return ok(f"{PASSWORD}\n") if PASSWORD in self.machine.files else failed("find: No such file or directory")
        if argv == TRACES:
            return ok("".join(f"{path}\n" for path in (DATABASE, DONE, AUTHORITY) if path in self.machine.files))
        return None

    def _cat(self, argv: Argv) -> Output | None:
        if argv[1] == "/etc/os-release":
            return ok(f'ID="centos"\nPLATFORM_ID="platform:el{self.release}"\n')
        if argv[1] == "/proc/meminfo":
            return ok(f"MemTotal:       {self.memory} kB\nMemFree: 1 kB\n")
        file = self.machine.files.get(argv[1])
        return ok(file.content) if file else failed("cat: No such file or directory")

    def _getent(self, argv: Argv) -> Output | None:
        kind, asked = argv[1:]
        table = {"ahostsv4": self.names, "hosts": self.reverse}[kind]
        found = table.get(asked)
        line = f"{found} STREAM\n" if kind == "ahostsv4" else f"{asked} {found}\n"
        return ok(line) if found else Output(2, "", "")

    def _hostname(self, argv: Argv) -> Output | None:
        return ok(f"{self.address} \n") if argv[1:] == ("-I",) else None

    def _stat(self, argv: Argv) -> Output | None:
        return ok(f"4096 {self.room // 4096}\n") if argv[-1] == "/var" else None

    def _ss(self, argv: Argv) -> Output | None:
        lines = (f"LISTEN 0 128 0.0.0.0:{port} 0.0.0.0:*\n" for port in self.listening)
        return ok("".join(lines)) if argv[1:] == ("-Hltn",) else None

    def _systemctl(self, argv: Argv) -> Output | None:
        if argv[1:] == ("is-active", "firewalld.service"):
            return ok("active\n")
        if argv[1] == "list-units":
            busy = [job.unit for job in self.machine.jobs.values() if job.state == "active"]
            return ok("".join(f"{unit} loaded active running\n" for unit in busy))
        return None

    def _grep(self, argv: Argv) -> Output | None:
        right = argv[1:3] == ("-rqxF", f"ENGINE_FQDN={self.fqdn}") and DONE in self.machine.files
        return OK if right else failed("", 1)

    def _test(self, argv: Argv) -> Output | None:
        if argv[1:3] == ("!", "-e"):
            return Output(int(argv[3] in self.machine.files), "", "")
        return Output(int(argv[2] not in self.machine.files), "", "") if argv[1] == "-e" else None

    def _sed(self, argv: Argv) -> Output | None:
        found = re.fullmatch(r"s\|%\|%%\|g;1s\|\^\|(.*)\|", argv[2])
        if argv[1] != "-i" or not found:
            return None
        file = self.machine.files[argv[3]]
        escaped = file.content.replace("%", "%%")
        self.machine.files[argv[3]] = File(found[1].replace(r"\n", "\n") + escaped, file.mode)
        return OK

    def _rm(self, argv: Argv) -> Output | None:
        for path in argv[2:]:
            self.machine.files.pop(path, None)
        return OK if argv[1] == "-f" else None

    def _env(self, argv: Argv) -> Output | None:
        if argv[1:4] != ("LC_ALL=C.UTF-8", "engine-setup", "--offline") or not self.installed:
            return None
        files = [self.machine.files[word.removeprefix("--config-append=")] for word in argv[4:]]
        assert {file.mode for file in files} == {"0600"}
        return self._run([file.content for file in files])

    def _run(self, told: list[str]) -> Output:
        read = ConfigParser()  # as the program itself does, with what a percent sign means to it
        read.optionxform = str  # type: ignore[assignment,method-assign]
        for text in told:
            read.read_string(text)
        answered = dict(read.items("environment:default"))
        given = {key: value.partition(":")[2] for key, value in answered.items()}
        wrong = [key for key, value in answered.items() if not _ANSWER.fullmatch(f"{key}={value}")]
        password = given.get("OVESETUP_CONFIG/adminPassword", "")
        if wrong or not given.keys() >= NEEDED or not password:
            return failed(f"[ ERROR ] Failed to execute stage 'Environment setup': {len(wrong)} wrong answers\n", 1)
        self.setups.append("".join(told).replace(password.replace("%", "%%"), "***"))
        said = []
        for stage in STAGES:
            said.append(f"[ INFO  ] Stage: {stage}")
            if stage == "Misc configuration":
                self.machine.files[DATABASE] = File("")
            if stage == self.fails:
                said += [f"[ ERROR ] Failed to execute stage '{stage}': it went wrong", "[ INFO  ] Stage: Termination"]
                said.append("[ ERROR ] Execution of setup failed")
                return Output(1, "\n".join(said) + "\n", "")
        self.machine.files |= {DONE: File(""), AUTHORITY: File(self.server.engine.authority.pem)}
        self.server.engine.sso.passwords["admin"] = password
        self.listening += [80, 443, 5432]
        self.server.start()
        return ok("\n".join([*said, "[ INFO  ] Execution of setup completed successfully"]) + "\n")


def _tool(do: Callable[[Argv], Output | None]) -> Tool:
    return lambda machine, argv, stdin: do(argv)

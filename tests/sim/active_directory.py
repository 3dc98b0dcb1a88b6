"""A simulated Active Directory domain, and file servers that join it, on top of those of file_servers.py.

As the real ones do, the domain gives whoever asks anew an account that is there already, Samba keeps what was agreed
with the domain in CTDB, where all hosts have it at once, and winbind does not start before a domain was joined.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from heretic.domain.commands import Output
from heretic.domain.shares.feature import NAMES
from heretic.domain.shares.lock_steps import FOLDER
from heretic.domain.shares.samba.domain_plan import SCRIPT, WINBIND
from heretic.domain.shares.samba.domain_steps import TRIED
from heretic.domain.shares.samba.texts import CONFIGURATION
from sim.file_servers import FileServerSite
from sim.keytabs import Keytabs
from sim.machine import OK, TIMED_OUT, Argv, File, Machine, Tool, before, failed, ok
from sim.systemd_tools import Unit

PEOPLE = "a pass'word $(of) nobody"
"""Password of who may join."""
OTHERS = {"PRINTER": "of the printer", "DESK1": "of a desk"}
"""Computers that were in the domain before."""
_AWAY = "Failed to join domain: failed to find DC for domain OFFICE - The request is not supported."
_LOGON = "The attempted logon is invalid. This is either due to a bad username or authentication information."
_INFO = """\
LDAP server: 172.20.12.2
Server time offset: {0}
Server time: Fri, {1:02} Jan 2027 09:50:34 UTC
Last machine account password change: Fri, 01 Jan 2027 09:50:34 UTC
"""
_USER = "/run/heretic/domain-user"
_DEFAULT_UNIT = ""


@dataclass
class Directory:
    """What the controllers of the domain know.

    Attributes:
        units: Organizational units.
        people: Passwords of who may log in.
        joiners: Who of them may join computers.
        computers: Secret of each computer's account, by name.
        accounts: Users and groups that files may belong to, with the numbers that hosts give them.
        away: Whether no controller answers.
        offset: By how many seconds its clock is ahead.
        changed: Days since the server has changed its password.
        cut: Whether the next join is cut short, after the account was made.
        joined: Hosts that joined, in order.
        refused: How often a password was refused.
        taken: Computers whose account got another secret although somebody had it.
    """

    units: set[str] = field(default_factory=lambda: {_DEFAULT_UNIT, "File Servers"})
    people: dict[str, str] = field(default_factory=lambda: {"joiner": PEOPLE})
    joiners: set[str] = field(default_factory=lambda: {"joiner"})
    computers: dict[str, str] = field(default_factory=lambda: dict(OTHERS))
    accounts: dict[str, int] = field(
        default_factory=lambda: {"passwd OFFICE\\anna": 11103, "group OFFICE\\domain users": 10512}
    )
    away: bool = False
    offset: int = 0
    changed: int = 0
    cut: bool = False
    joined: list[str] = field(default_factory=list)
    refused: int = 0
    taken: list[str] = field(default_factory=list)


@dataclass
class DomainSite:
    """The file servers of a site beside a domain.

    Attributes:
        servers: They.
        directory: The domain.
        secret: What was agreed with the domain, as CTDB keeps it for all hosts; "" = nothing.
        keytabs: Of the hosts, with keys made of it.
    """

    servers: FileServerSite
    directory: Directory = field(default_factory=Directory)
    secret: str = ""
    keytabs: Keytabs = field(init=False)

    def __post_init__(self) -> None:
        self.keytabs = Keytabs(self)

    def attach(self) -> None:
        """Gives every host the programs, after the file servers have given theirs."""
        tools: dict[str, Tool] = {
            "net": self._net,
            "wbinfo": self._wbinfo,
            "sh": self._sh,
            "systemctl": self._systemctl,
        }
        self.servers.site.others["domain"] = self
        for machine in self.servers.site.machines.values():
            version = machine.host.platform.packages["samba"]
            packages = {**machine.host.platform.packages, "winbind": version, "libnss-winbind": version}
            machine.host.platform = replace(machine.host.platform, packages=packages)
            machine.files[NAMES] = File(
                "passwd:         files systemd\ngroup:          files systemd\nhosts: files dns\n"
            )
            for program, tool in tools.items():
                machine.tools[program] = before(tool, machine.tools.get(program))
        self.keytabs.attach()

    def change_secret(self) -> None:
        """What winbind of some host does after a week: the domain and CTDB both have another secret then."""
        name = next(name for name, secret in self.directory.computers.items() if secret == self.secret)
        self.secret = self.directory.computers[name] = f"{self.secret}, changed"
        self.directory.changed = 0

    def trusted(self) -> bool:
        """Whether the domain takes the file servers for who they are."""
        return bool(self.secret) and self.secret in self.directory.computers.values()

    def knows(self, name: str) -> bool:
        """Whether a host knows users of the domain."""
        machine = self.servers.site.machines[name]
        named = re.search(r"^passwd:.*\bwinbind\b", machine.files[NAMES].content, re.M)
        return machine.host.systemd.active(WINBIND) and named is not None and self.trusted()

    def _ctdb_runs(self, machine: Machine) -> bool:
        return self.servers.site.machines[machine.name].host.systemd.active("ctdb.service")

    def _systemctl(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        units = self.servers.site.machines[machine.name].units
        match argv[1:]:
            case ("start", "ctdb.service") if SCRIPT in self.servers.own[machine.name].scripts and self.secret:
                # As the script does at CTDB's event "startup"; what else starts is not said here.
                units.setdefault(WINBIND, Unit(WINBIND)).active = "active"
            case ("start", name) if name == WINBIND and not self.secret:
                return failed(f"Job for {WINBIND} failed because the control process exited with error code.")
        return None

    # questions

    def _net(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        directory = self.directory
        if "samba" not in self.servers.site.machines[machine.name].host.packages:
            return Output(127, "", "sh: not found\n")
        match argv[1:]:
            case ("getdomainsid",):
                if not self._ctdb_runs(machine):
                    return failed("Failed to init messaging context")
                lines = "SID for local machine FILES is: S-1-5-21-9\nSID for domain OFFICE is: S-1-5-21-1-2-3\n"
                return ok(lines) if self.secret else failed("Could not fetch domain SID for domain OFFICE")
            case ("ads", "info"):
                if directory.away or "security = ads" not in _text(machine, CONFIGURATION):
                    return Output(255, "", "Didn't find the ldap server!\n")
                return ok(_INFO.format(directory.offset, 1 + directory.changed))
            case ("ads", "testjoin"):
                if directory.away:
                    return TIMED_OUT
                return ok("Join is OK\n") if self.trusted() else failed(f"Join is not valid: {_LOGON}", 255)
        return None

    def _wbinfo(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:] != ("--ping",):
            return None
        if not self.servers.site.machines[machine.name].host.systemd.active(WINBIND):
            return failed("could not ping winbindd!")
        return ok("Ping to winbindd succeeded\n")

    def _sh(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """A second reading of the scripts of domain_facts.py and domain_steps.py."""
        _, option, script, *words = argv
        if option != "-c":
            return None
        if script.startswith("sed -n 's/^# Account "):
            return ok("".join(self._looked_up(machine)))
        if script == "if net getdomainsid >/dev/null; then exit 1; fi":
            return failed("") if self.secret else OK
        if script.startswith("grep -qxF ") and words[-1] == TRIED:
            word = _noted(machine, words[1])
            return OK if word or (word is not None and self.secret) else failed("")
        if script.startswith("if grep -qxF ") and words[-1] == TRIED:
            return OK if _noted(machine, words[1]) or not self.secret else failed("")
        if "join" in words or "leave" in words:
            return self._asked(machine, words, stdin or "")
        return None

    def _looked_up(self, machine: Machine) -> Iterator[str]:
        for line in re.findall(r"^# Account (.+)$", _text(machine, CONFIGURATION), re.M):
            number = self.directory.accounts.get(line, "") if self.knows(machine.name) else ""
            yield f"{line.replace(' ', '|', 1)}|{number}\n"

    # joining and leaving

    def _asked(self, machine: Machine, words: list[str], stdin: str) -> Output:
        """What is said where the domain does not answer; a refusal is noted."""
        _, _, key, _, mark, *_ = words
        who, password = machine.files.pop(_USER).content, stdin.removesuffix("\n")
        if self.directory.away:
            return failed(_AWAY)
        if self.directory.people.get(who) != password:
            self.directory.refused += 1
            return _note(machine, key, "logon")
        folder = mark.removeprefix(f"{FOLDER}/")
        if "leave" in words:
            return self._left(machine, who, key, folder)
        name = words[5]
        if folder not in self.servers.out:
            if name in self.directory.computers:
                return _note(machine, key, "name")
            self.servers.out.add(folder)
        return self._joined(machine, who, key, name, words)

    def _joined(self, machine: Machine, who: str, key: str, name: str, words: list[str]) -> Output:
        directory = self.directory
        unit = next((word.partition("=")[2] for word in words if word.startswith("createcomputer=")), _DEFAULT_UNIT)
        if unit not in directory.units:
            return _note(machine, key, "unit")
        if who not in directory.joiners:
            return _note(machine, key, "rights")
        if self.secret:
            directory.taken.append(name)
        directory.computers[name] = f"secret {len(directory.joined) + 1}"
        if directory.cut:
            directory.cut = False
            return failed(_AWAY)
        directory.joined.append(machine.name)
        self.secret = directory.computers[name]
        return _note(machine, key, "")

    def _left(self, machine: Machine, who: str, key: str, folder: str) -> Output:
        if who not in self.directory.joiners:
            return _note(machine, key, "rights")
        computers = self.directory.computers.items()
        self.directory.computers = {name: secret for name, secret in computers if secret != self.secret}
        self.secret = ""
        self.keytabs.names.clear()
        self.servers.out.discard(folder)
        return OK


def _note(machine: Machine, key: str, word: str) -> Output:
    machine.files[TRIED] = File(f"{key}\n{word}\n")
    return OK


def _noted(machine: Machine, key: str) -> str | None:
    """The word below a key; None where another try was noted, or none."""
    kept, _, word = _text(machine, TRIED).partition("\n")
    return word.strip() if kept == key else None


def _text(machine: Machine, path: str) -> str:
    return machine.files[path].content if path in machine.files else ""

"""Simulated keytabs of file servers in a domain, and the names of services there.

As the real ones do, a server may give itself names of its own host only, each change of its password counts the
version of its key one on, and a keytab keeps the keys of before.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heretic.domain.commands import Output
from heretic.domain.shares.ganesha.texts import KEYTAB
from heretic.domain.shares.kerberos.texts import SCRIPT
from sim.machine import OK, TIMED_OUT, Argv, File, Machine, Tool, before, failed, ok

if TYPE_CHECKING:
    from sim.active_directory import DomainSite

REALM = "office.private"
_HEAD = "Vno  Type                                        Principal\n"
_TYPES = ("aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96", "arcfour-hmac-md5")


@dataclass
class Keytabs:
    """Keytabs of the file servers.

    Attributes:
        joined_to: The domain.
        names: Names of services that the domain knows, in lower case.
    """

    joined_to: "DomainSite"
    names: set[str] = field(default_factory=set)

    @property
    def version(self) -> int:
        """Of the key that the domain has."""
        return 1 + self.joined_to.secret.count(", changed")

    def of(self, name: str) -> list[tuple[int, str]]:
        """Version and principal of each key that a host has, each once."""
        files = self.joined_to.servers.site.machines[name].files
        lines = files[KEYTAB].content.splitlines() if KEYTAB in files else []
        return [(int(line.split()[0]), line.split()[1]) for line in lines]

    def attach(self) -> None:
        """Gives every host the programs."""
        tools: dict[str, Tool] = {
            "net": self._net,
            "sh": self._sh,
            "stat": _stat,
            SCRIPT.rpartition("/")[2]: self._sync,
        }
        self.joined_to.servers.site.others["keytabs"] = self
        for machine in self.joined_to.servers.site.machines.values():
            for program, tool in tools.items():
                machine.tools[program] = before(tool, machine.tools.get(program))

    def _net(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("ads", "keytab", "list", path) if path == KEYTAB:
                rows = [(version, kind, name) for version, name in self.of(machine.name) for kind in _TYPES]
                lines = "".join(f"{version:3}  {kind:<43} {name}\n" for version, kind, name in rows)
                return ok(_HEAD + lines) if KEYTAB in machine.files else Output(2, "", "")
            case ("ads", "setspn", "add", server, name, "-P"):
                if self.joined_to.directory.away:
                    return failed("Didn't find the ldap server!", 255)
                if name != f"nfs/{server.lower()}.{REALM}" or not self.joined_to.trusted():
                    return failed("AD LDAP ERROR: 19 (Constraint violation)", 255)
                self.names.add(name.lower())
                return OK
        return None

    def _sh(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """A second reading of the scripts of kerberos/facts.py and kerberos/steps.py."""
        away = self.joined_to.directory.away
        names = sorted(self.names if self.joined_to.secret else ())
        match argv[1:]:
            case ("-c", script) if script.startswith("name=$(testparm "):
                lines = [f"servicePrincipalName: {name}" for name in names]
                text = "\n".join(["Got 1 replies", *lines, f"msDS-KeyVersionNumber: {self.version}"])
                return TIMED_OUT if away else ok(f"{text}\n")
            case ("-c", script, "sh", path) if script.startswith("net ads keytab list ") and path == KEYTAB:
                return ok("".join(f"{version} {name}\n" for version, name in self.of(machine.name)))
            case ("-c", script, "sh", _) if script.startswith("net ads setspn list "):
                return failed("") if away else ok("".join(f"\t{name}\n" for name in names))
        return None

    def _sync(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """What the script does, of which only the names are read."""
        if argv[1:] != ("sync",):
            return None
        if self.joined_to.directory.away or not self.joined_to.secret:
            return failed("failed to find DC for domain OFFICE", 255)
        names = sorted(set(re.findall(r"nfs/[-\w.]+", machine.files[SCRIPT].content)))
        new = {(self.version, f"{name}@{REALM.upper()}") for name in names}
        rows = sorted({*self.of(machine.name), *new})
        machine.files[KEYTAB] = File("".join(f"{version} {name}\n" for version, name in rows), "0600")
        return OK


def _stat(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
    if argv[1:] != ("-c", "%a %U", KEYTAB):
        return None
    return ok("600 root\n") if KEYTAB in machine.files else failed(f"stat: cannot statx '{KEYTAB}'")

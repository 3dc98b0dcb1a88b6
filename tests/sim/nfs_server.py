"""Simulated NFS-Ganesha on the file servers of a site: what it has read, what it serves, and what it says on the bus.

As the real one does, it reads its file when it starts, and an export again only when it is told to; it adds no export
under a number that is taken, nor one whose folder is not in the volume; it starts only where its unit lets it.
"""

import json
import re
from dataclasses import dataclass, field

from heretic.domain.commands import Output
from heretic.domain.shares.ganesha.facts import MANAGER, TRIED
from heretic.domain.shares.ganesha.texts import CONFIGURATION, DROP_IN, SCRIPT, SERVICE, OwnedExport, owned_exports
from sim.file_servers import FileServerSite
from sim.machine import OK, Argv, File, Machine, Tool, before, failed, ok
from sim.systemd_tools import Unit

_NOBODY = failed("Call failed: The name org.ganesha.nfsd was not provided by any .service files")
_PROTOCOLS = [[name, False] for name in ("NFSv3", "MNT", "NLMv4", "RQUOTA", "NFSv40", "NFSv41", "NFSv42", "9P")]


@dataclass
class NfsState:
    """Ganesha of one host.

    Attributes:
        exports: What it serves, the block that it has read by number; None while it does not run.
        refuses: What it does not like in a file; "" = nothing.
        tried: Digests of the files that it has tried.
    """

    exports: dict[int, OwnedExport] | None = None
    refuses: str = ""
    tried: list[str] = field(default_factory=list)


@dataclass
class NfsServerSite:
    """The Ganeshas of the file servers.

    Attributes:
        servers: What they share.
        own: What each has of its own.
    """

    servers: FileServerSite
    own: dict[str, NfsState] = field(default_factory=dict)

    def attach(self) -> None:
        """Gives every host the programs, after the file servers have given theirs."""
        tools: dict[str, Tool] = {"busctl": self._busctl, "systemctl": self._systemctl, "sh": self._sh, "cat": _cat}
        self.servers.site.others["nfs"] = self
        for name, machine in self.servers.site.machines.items():
            self.own[name] = NfsState()
            machine.on_boot.append(self._boot)
            for program, tool in tools.items():
                machine.tools[program] = before(tool, machine.tools.get(program))

    def _boot(self, machine: Machine) -> None:
        self.own[machine.name].exports = None

    def stop(self, name: str) -> None:
        """What a crash leaves."""
        self.own[name].exports = None
        self.servers.site.machines[name].units[SERVICE].active = "inactive"

    def _systemctl(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        host, own = self.servers.site.machines[machine.name], self.own[machine.name]
        match argv[1:]:
            case ("start", name) if name == SERVICE:
                return self._start(machine, host.units[SERVICE])
            case ("start", "ctdb.service") if SCRIPT in machine.files:
                # As the script does at CTDB's event "startup".
                started = self._start(machine, host.units[SERVICE])
                return started if started.rc else None
            case ("disable", "--now", "--no-block", name) if name == SERVICE:
                own.exports = None
        return None

    def _start(self, machine: Machine, unit: Unit) -> Output:
        mounted = self.servers.site.machines[machine.name].storage.clients
        if DROP_IN not in machine.files or "/gluster/lock" not in mounted:
            return failed(f"Job for {SERVICE} failed because the control process exited with error code.")
        unit.active = "active"
        there = owned_exports(_text(machine, CONFIGURATION))
        self.own[machine.name].exports = {e.number: e for e in there if self._has_folder(e)}
        return OK

    def _has_folder(self, export: OwnedExport) -> bool:
        volume = re.search(r'\tVolume = "(\S+)";', export.text)
        return volume is not None and f"{volume[1]}/{export.folder}" in self.servers.folders

    def _busctl(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        exports = self.own[machine.name].exports
        if argv[: len(MANAGER)] != MANAGER:
            return None
        if exports is None:
            return _NOBODY
        match argv[len(MANAGER) :]:
            case ("ShowExports",):
                return ok(_shown(exports))
            case ("AddExport", "ss", path, expression):
                return self._add(machine, exports, path, _number(expression))
            case ("UpdateExport", "ss", path, expression):
                return self._update(machine, exports, path, _number(expression))
            case ("RemoveExport", "q", number):
                if int(number) not in exports:
                    return failed("Call failed: lookup_export failed with Export id not found")
                del exports[int(number)]
                return ok("")
        return None

    def _add(self, machine: Machine, exports: dict[int, OwnedExport], path: str, number: int) -> Output:
        found = _block(machine, path, number)
        if found is None:
            return failed(f"Call failed: Error finding exports: EXPORT(Export_Id={number}) because No such file")
        if number in exports:
            return failed(f"Call failed: Selected entries in {path} already active!!!")
        if not self._has_folder(found):
            words = f"Config File ({path}:17): 1 validation errors in block EXPORT"
            return failed(
                f"Call failed: 0 export entries in {path} added because (invalid param value). Details:\n{words}"
            )
        exports[number] = found
        return ok('{"type":"s","data":["1 exports added"]}\n')

    def _update(self, machine: Machine, exports: dict[int, OwnedExport], path: str, number: int) -> Output:
        found = _block(machine, path, number)
        if found is None or number not in exports:
            return failed(f"Call failed: Error finding exports: EXPORT(Export_Id={number}) because No such file")
        exports[number] = found
        return ok('{"type":"s","data":["1 exports updated"]}\n')

    def _sh(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """What TryExports runs: it offers each export under a number that is taken, and notes what is said."""
        if argv[1] != "-c" or TRIED not in argv:
            return None
        own, (_, _, _, _, path, _, tried, digest, numbers, *_) = self.own[machine.name], argv
        if own.exports is None:
            return _NOBODY
        blocks = {number: _block(machine, path, int(number)) for number in numbers.split()}
        own.tried.append(digest)
        words = "".join(f"{number}: {own.refuses}\n" for number, found in blocks.items() if found and own.refuses)
        machine.files[tried] = File(f"{digest}\n{words}")
        return OK


def _cat(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
    if argv[1:] != (TRIED,):
        return None
    return ok(_text(machine, TRIED)) if TRIED in machine.files else failed(f"cat: {TRIED}: No such file or directory")


def _text(machine: Machine, path: str) -> str:
    return machine.files[path].content if path in machine.files else ""


def _number(expression: str) -> int:
    found = re.fullmatch(r"EXPORT\(Export_Id=(\d+)\)", expression)
    assert found is not None, expression
    return int(found[1])


def _block(machine: Machine, path: str, number: int) -> OwnedExport | None:
    return next((e for e in owned_exports(_text(machine, path)) if e.number == number), None)


def _shown(exports: dict[int, OwnedExport]) -> str:
    rows = [[number, export.path, _PROTOCOLS, [0, 0]] for number, export in exports.items()]
    told = {
        "type": "(tt)a(qs((sb)(sb)(sb)(sb)(sb)(sb)(sb)(sb))(tt))",
        "data": [[1, 2], [[0, "/", _PROTOCOLS, [0, 0]], *rows]],
    }
    return json.dumps(told, separators=(",", ":")) + "\n"

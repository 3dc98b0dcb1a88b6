"""Simulated limits of folders in volumes, on top of the file servers of a site.

As the real ones do, a limit belongs to the folder itself and goes with it, quotas are refused where they are not
switched on, and the folder's filesystem statistics tell its limit only while they are asked to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from heretic.domain.commands import Output
from heretic.domain.shares.volumes import SHARES
from sim.file_servers import FileServerSite
from sim.machine import OK, Argv, Machine, Tool, before, failed, ok

GIB = 2**30
BLOCK = 4096
_QUOTA, _STATISTICS = "features.quota", "features.quota-deem-statfs"


@dataclass
class FolderLimits:
    """Limits of folders.

    Attributes:
        servers: Whose folders they are.
        limits: Bytes, by volume and folder.
        held: Bytes that folders hold, likewise.
        enabled: How often quotas of a volume were switched on.
    """

    servers: FileServerSite
    limits: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    enabled: dict[str, int] = field(default_factory=dict)

    def attach(self) -> None:
        """Gives every host the programs, after the file servers have given theirs."""
        tools: dict[str, Tool] = {"sh": self._sh, "gluster": self._gluster, "stat": self._stat}
        self.servers.site.others["limits"] = self
        for machine in self.servers.site.machines.values():
            for program, tool in tools.items():
                machine.tools[program] = before(tool, machine.tools.get(program))

    def make_anew(self, key: str) -> None:
        """What somebody does who deletes a folder and makes it again."""
        self.limits.pop(key, None)
        self.held.pop(key, None)

    def _options(self, volume: str) -> dict[str, str]:
        return self.servers.site.pool.volumes[volume].options

    def _sh(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """A second reading of the scripts of limit_facts.py and limit_steps.py."""
        _, _, script, *words = argv
        if script.startswith('for path in "$1"/*'):
            return ok("".join(self._told(machine)))
        if script.startswith('test "$(stat -f -c %b "$1")" -eq "$(($2 /'):
            return OK if self._blocks(machine, words[1])[0] == int(words[2]) // BLOCK else failed("")
        if script.startswith('test "$(stat -f -c %b "$1")" -eq "$(stat'):
            same = self._blocks(machine, words[1])[0] == self._blocks(machine, words[2])[0]
            return OK if same else failed("")
        if script.startswith("option=$1"):
            _, option, volume, *change = words
            return OK if self._options(volume).get(option) == "on" else machine.run(tuple(change))
        return None

    def _told(self, machine: Machine) -> Iterator[str]:
        for mounted, source in sorted(self.servers.site.machines[machine.name].storage.clients.items()):
            volume = source.rpartition("/")[2]
            if mounted.startswith(f"{SHARES}/"):
                names = [key.partition("/")[2] for key in self.servers.folders if key.startswith(f"{volume}/")]
                for path in (mounted, *(f"{mounted}/{name}" for name in names)):
                    blocks, free = self._blocks(machine, path)
                    yield f"{path}|{BLOCK}|{blocks}|{free}\n"

    def _blocks(self, machine: Machine, path: str) -> tuple[int, int]:
        """Size and what is left of it, in blocks."""
        key = self._key(machine, path)
        volume, _, folder = key.partition("/")
        told = self._options(volume).get(_QUOTA) == self._options(volume).get(_STATISTICS) == "on"
        whole = 20 * GIB // BLOCK
        if not folder or not told or key not in self.limits:
            return whole, whole - sum(self.held.values()) // BLOCK
        blocks = self.limits[key] // BLOCK
        return blocks, max(0, blocks - self.held.get(key, 0) // BLOCK)

    def _key(self, machine: Machine, path: str) -> str:
        clients = self.servers.site.machines[machine.name].storage.clients
        mounted, _, folder = (path, "", "") if path in clients else path.rpartition("/")
        return f"{clients[mounted].rpartition('/')[2]}/{folder}".rstrip("/")

    def _gluster(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[2:]:
            case ("volume", "quota", volume, "enable"):
                self.enabled[volume] = self.enabled.get(volume, 0) + 1
                self._options(volume).update({_QUOTA: "on", "features.inode-quota": "on", _STATISTICS: "on"})
                return ok("volume quota : success\n")
            case ("volume", "quota", volume, ("limit-usage" | "remove") as what, path, *limit):
                return self._change(volume, what, f"{volume}{path}", limit)
            case ("volume", "set", volume, option, "on") if option == _STATISTICS:
                self._options(volume)[_STATISTICS] = "on"
                return ok("volume set: success\n")
        return None

    def _change(self, volume: str, what: str, key: str, limit: list[str]) -> Output:
        if self._options(volume).get(_QUOTA) != "on":
            return failed("quota command failed : Quota is disabled, please enable quota")
        if key not in self.servers.folders:
            return failed("quota command failed : Failed to get trusted.gfid attribute on path")
        if what == "remove":
            self.limits.pop(key, None)
        else:
            self.limits[key] = int(limit[0])
        return ok("volume quota : success\n")

    def _stat(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        if argv[1:3] != ("-c", "%F") or not argv[3].startswith(f"{SHARES}/"):
            return None
        there = self._key(machine, argv[3]) in self.servers.folders
        return ok("directory\n") if there else failed(f"stat: cannot statx '{argv[3]}'")

"""Simulated NetworkManager of one host: profiles in two folders, what each link has of them, one checkpoint.

It answers as 1.52.1 of Debian 13 did in a network namespace:

- ``connection load`` exits 0 whether or not there was something to load. A profile for a port that is idle comes up at
  once, one for a port that has another profile waits to be brought up.
- ``connection reload`` forgets profiles whose files are gone. A port whose profile is gone takes the one of the highest
  priority that is left, or none. What was edited in place is known from then on, and not applied.
- Of two files with one UUID the one in /run counts; when it is gone, the other one, and the link stays up.
- ``connection up`` of a profile that is not known exits 10; where there is no device, parent or controller, 4.
- An MTU that a port cannot have is ignored, and the profile is up. Without its profile a port has 1500 again.
- A second checkpoint is refused while there is one (``Call failed``, exit 1), so is taking back one that is none;
  ``CheckpointDestroy /`` succeeds also where there is none. When its time is over, or it is taken back, every link has
  the profile that it had, and profiles that are new are deleted with their files.
- Its checkpoints end with it, and what was changed stays.

The kernel there had neither bonds nor VLANs, and its ports always had a link. So it is taken from nm-settings(5) that a
bond is made when its profile comes up and brings its ports up with it (autoconnect-ports), that a VLAN needs a parent,
and that a port without a link is no device that a profile comes up on.
"""

from collections.abc import Callable
from configparser import ConfigParser, Error
from dataclasses import dataclass, field

from heretic.domain.commands import Output
from heretic.domain.wiring.profiles import KEPT, TRIED
from sim.machine import OK, Argv, Machine, failed, ok

BUS = ("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager")
LOOPBACK = "7c828bcb-0fe6-49bc-b9fd-8c42e3043094"
"""The profile of lo, which NetworkManager makes itself."""
_MADE = "/org/freedesktop/NetworkManager/Checkpoint"


@dataclass(frozen=True)
class SimProfile:
    """One connection profile.

    Attributes:
        path: Of its file.
        sections: Of the keyfile.
    """

    path: str
    sections: dict[str, dict[str, str]]

    def of(self, section: str, key: str) -> str:
        return self.sections.get(section, {}).get(key, "")

    @property
    def uuid(self) -> str:
        return self.of("connection", "uuid")

    @property
    def link(self) -> str:
        return self.of("connection", "interface-name")

    @property
    def kind(self) -> str:
        return self.of("connection", "type")

    @property
    def controller(self) -> str:
        return self.of("connection", "controller")

    @property
    def priority(self) -> int:
        return int(self.of("connection", "autoconnect-priority") or 0)

    @property
    def mtu(self) -> int:
        return int(self.of("ethernet", "mtu") or 0)

    @property
    def addresses(self) -> tuple[str, ...]:
        families = [self.sections.get(family, {}) for family in ("ipv4", "ipv6")]
        found = [value for family in families for key, value in family.items() if key.startswith("address")]
        return tuple(address.partition(",")[0] for address in found)

    @property
    def gateway(self) -> str:
        return self.of("ipv4", "gateway") or self.of("ipv6", "gateway")


@dataclass
class Checkpoint:
    """What is taken back when nobody says otherwise.

    Attributes:
        due: When.
        active: The profile that each link had.
        known: UUIDs of the profiles that there were.
        changed: Whether a link that carried something has been changed since.
    """

    due: float
    active: dict[str, SimProfile]
    known: frozenset[str]
    changed: bool = False


@dataclass
class NetworkManager:
    """NetworkManager of one host.

    Attributes:
        machine: Whose files it reads.
        carriers: Names of ports, with whether each has a link.
        now: Simulated time.
        runs: Whether it runs.
        profiles: What it has read, by path.
        active: The profile that each link has, as it was when it was brought up.
        checkpoint: The one that there is.
        made: How many there were.
    """

    machine: Machine
    carriers: Callable[[], dict[str, bool]]
    now: Callable[[], float]
    runs: bool = True
    profiles: dict[str, SimProfile] = field(default_factory=dict)
    active: dict[str, SimProfile] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    made: int = 0

    # what happens to it

    def start(self) -> None:
        """After a boot: it knows what lies on the disk, and nothing else."""
        self.runs, self.checkpoint = True, None
        self.profiles.clear()
        self.active.clear()
        self.reload()

    def die(self) -> None:
        """It is killed and started again: links stay as they are, its checkpoint is gone."""
        self.checkpoint = None

    def reload(self) -> None:
        """Reads all files, and forgets what is gone."""
        for path in [p for p in self.profiles if p not in self.machine.files]:
            del self.profiles[path]
        for path in [p for p in self.machine.files if p.startswith((f"{TRIED}/", f"{KEPT}/"))]:
            self._load(path)
        self._settle()

    def expire(self) -> None:
        """The time of the checkpoint is over."""
        if self.checkpoint is not None and self.now() >= self.checkpoint.due:
            self._rollback(self.checkpoint)

    def _load(self, path: str) -> bool:
        parser = ConfigParser(interpolation=None)
        try:
            parser.read_string(self.machine.files[path].content)
        except Error:
            self.profiles.pop(path, None)
            return False
        self.profiles[path] = SimProfile(path, {name: dict(parser[name]) for name in parser.sections()})
        return True

    def _known(self) -> dict[str, SimProfile]:
        """By UUID; of two the one in /run."""
        return {p.uuid: p for p in sorted(self.profiles.values(), key=lambda p: p.path.startswith(f"{TRIED}/"))}

    def _settle(self) -> None:
        """Profiles that are gone leave their links, and idle links take what there is for them."""
        known = self._known()
        for link, profile in list(self.active.items()):
            if profile.uuid not in known or not self._has_device(profile):
                del self.active[link]
        for profile in sorted(known.values(), key=lambda p: -p.priority):
            if profile.link not in self.active and not self._why_not(profile):
                self._activate(profile)

    def _has_device(self, profile: SimProfile) -> bool:
        if profile.kind == "vlan":
            parent = profile.of("vlan", "parent")
            return parent in self.active or parent in self.carriers()
        return not profile.controller or profile.controller in self.active

    def _why_not(self, profile: SimProfile) -> str:
        if profile.kind == "ethernet" and not self.carriers().get(profile.link):
            return "No suitable device found for this connection"
        if profile.kind == "vlan" and not self._has_device(profile):
            return "Failed to find a compatible device for this connection"
        if profile.controller and not any(p.link == profile.controller for p in self.profiles.values()):
            return f"Can not find a controller for {profile.of('connection', 'id')}"
        return ""

    def _activate(self, profile: SimProfile) -> None:
        before = self.active.get(profile.link)
        if self.checkpoint and before and (before.addresses or before.controller) and before != profile:
            self.checkpoint.changed = True
        self.active[profile.link] = profile
        known = self._known().values()
        if profile.controller and profile.controller not in self.active:
            self._activate(max((p for p in known if p.link == profile.controller), key=lambda p: p.priority))
        if profile.kind == "bond":
            for port in (p for p in known if p.controller == profile.link and self.active.get(p.link) != p):
                if not self._why_not(port):
                    self._activate(port)

    def _rollback(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = None
        for path in [p for p, profile in self.profiles.items() if profile.uuid not in checkpoint.known]:
            self.machine.files.pop(path, None)
        self.active = dict(checkpoint.active)
        self.reload()

    # programs

    def nmcli(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """What a step asks of it; nothing else is known here."""
        if not self.runs:
            return failed("Error: NetworkManager is not running.", 8)
        match argv[1:]:
            case ("-g", "UUID", "connection", "show", "--active"):
                return ok("".join(f"{uuid}\n" for uuid in (*(p.uuid for p in self.active.values()), LOOPBACK)))
            case ("-g", "UUID,FILENAME", "connection", "show"):
                lines = [f"{p.uuid}:{p.path}\n" for p in self._known().values()]
                return ok("".join([*lines, f"{LOOPBACK}:{TRIED}/lo.nmconnection\n"]))
            case ("connection", "load", *paths):
                bad = [path for path in paths if path in machine.files and not self._load(path)]
                self._settle()
                return Output(0, "", "".join(f"Could not load file '{path}'\n" for path in bad))
            case ("connection", "reload"):
                self.reload()
                return OK
            case ("-w", "10", "connection", "up", "uuid", uuid):
                return self._up(uuid)
        return None

    def _up(self, uuid: str) -> Output:
        profile = self._known().get(uuid)
        if uuid == LOOPBACK:
            return OK
        if profile is None:
            return failed(f"Error: unknown connection '{uuid}'.", 10)
        if why := self._why_not(profile):
            return failed(f"Error: Connection activation failed: {why}", 4)
        self._activate(profile)
        self._settle()
        return ok("Connection successfully activated (D-Bus active path: /org/freedesktop/NetworkManager/7)\n")

    def busctl(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        """The checkpoint, over D-Bus."""
        if not self.runs:
            return failed("Call failed: The name org.freedesktop.NetworkManager was not provided by any .service files")
        there = f"{_MADE}/{self.made}"
        match argv[1:]:
            case ("get-property", *bus, "Checkpoints") if tuple(bus) == BUS:
                return ok(f'ao 1 "{there}"\n' if self.checkpoint else "ao 0\n")
            case ("call", *bus, "CheckpointCreate", "aouu", "0", seconds, "6") if tuple(bus) == BUS:
                if self.checkpoint:
                    return failed(f"Call failed: device 'lo' is already included in checkpoint {there}")
                self.made += 1
                self.checkpoint = Checkpoint(self.now() + int(seconds), dict(self.active), frozenset(self._known()))
                return ok(f'o "{_MADE}/{self.made}"\n')
            case ("call", *bus, "CheckpointDestroy", "o", "/") if tuple(bus) == BUS:
                self.checkpoint = None
                return OK
            case ("call", *bus, "CheckpointRollback", "o", path) if tuple(bus) == BUS:
                if self.checkpoint is None or path != there:
                    return failed(f"Call failed: checkpoint {path} does not exist")
                self._rollback(self.checkpoint)
                return ok('a{su} 1 "/org/freedesktop/NetworkManager/Devices/2" 0\n')
        return None

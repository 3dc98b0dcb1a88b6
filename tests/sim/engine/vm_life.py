"""The states that a virtual machine goes through in time, and where it runs, whoever asks or does not ask.

The states and their order are those of the engine's sources; how long each lasts is given.
"""

from dataclasses import dataclass, field
from datetime import datetime

from ovirtsdk4 import types

from sim.engine.timeline import Timeline

VmStatus = types.VmStatus


@dataclass(frozen=True)
class VmLasting:
    """How long things take, in seconds."""

    launch: float = 2
    boot: float = 20
    shutdown: float = 30
    stop: float = 3
    migrate: float = 20


@dataclass
class VmLife(Timeline):
    """Where a machine is on its way.

    Attributes:
        lasting: How long its states last.
        hosts: On which host it runs when: ids; None: on none.
    """

    lasting: VmLasting = field(default_factory=VmLasting)
    hosts: Timeline = field(default_factory=Timeline)

    @classmethod
    def down(cls, now: datetime, lasting: VmLasting) -> "VmLife":
        """Of a machine that does not run."""
        life = cls(lasting)
        life.go(now, (0, VmStatus.DOWN))
        life.hosts.go(now, (0, None))
        return life

    @classmethod
    def up(cls, now: datetime, lasting: VmLasting, host: str) -> "VmLife":
        """Of a machine that runs."""
        life = cls(lasting)
        life.go(now, (0, VmStatus.UP))
        life.hosts.go(now, (0, host))
        return life

    def host(self, now: datetime) -> str | None:
        """Where it runs."""
        found: str | None = self.hosts.status(now)
        return found

    def ended(self, now: datetime) -> bool:
        """It ran, and does not run any more."""
        return self.host(now) is None and any(host for _, host in self.hosts.steps)

    def start(self, now: datetime, host: str) -> None:
        """Runs it on a host."""
        launched = (self.lasting.launch, VmStatus.POWERING_UP)
        self.go(now, (0, VmStatus.WAIT_FOR_LAUNCH), launched, (self.lasting.boot, VmStatus.UP))
        self.hosts.go(now, (0, host))

    def end(self, now: datetime, *, kindly: bool) -> None:
        """Ends it: asks what runs inside to end, or takes its power."""
        ahead = self.lasting.shutdown if kindly else self.lasting.stop
        self.hosts.go(now, (0, self.host(now)), (ahead, None))
        self.go(now, (0, VmStatus.POWERING_DOWN), (ahead, VmStatus.DOWN))

    def lost(self, now: datetime) -> None:
        """It is down, and nobody ended it."""
        self.hosts.go(now, (0, self.host(now)), (0, None))
        self.go(now, (0, VmStatus.DOWN))

    def migrate(self, now: datetime, host: str) -> None:
        """Moves it to another host while it runs."""
        ahead = self.lasting.migrate
        self.hosts.go(now, (0, self.host(now)), (ahead, host))
        self.go(now, (0, VmStatus.MIGRATING), (ahead, VmStatus.UP))

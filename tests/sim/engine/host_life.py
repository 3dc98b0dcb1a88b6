"""The states that a host goes through in time, whoever asks or does not ask.

The states and the order are those of the engine's sources; how long each lasts is given.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ovirtsdk4 import types

from sim.engine.timeline import Timeline

Status = types.HostStatus
FULL_SCORE = 3400
"""Of a host without any trouble."""
ANSWERING = (Status.UP, Status.NON_OPERATIONAL)
"""States of a host that the engine reaches, and that may run virtual machines."""


@dataclass(frozen=True)
class Lasting:
    """How long things take, in seconds."""

    install: float = 180
    reboot: float = 120
    initialize: float = 6
    prepare: float = 10
    notice: float = 3
    connecting: float = 60
    dump: float = 120
    check: float = 30
    upgrade: float = 300
    enroll: float = 20


@dataclass(frozen=True)
class HostTrouble:
    """Why the engine does not reach a host.

    Attributes:
        by_ssh: It answers over SSH, and is well once its agent was restarted there.
        dumps: Its kernel has crashed, writes its memory down, and boots by itself.
        lasts: A restart does not help.
        renews_leases: It still works on storage.
    """

    by_ssh: bool = False
    dumps: bool = False
    lasts: bool = False
    renews_leases: bool = False


@dataclass
class HostLife(Timeline):
    """Where a host is on its way.

    Attributes:
        lasting: How long its states last.
        hosted_engine: It can run the engine's virtual machine.
        score: How well it can, while it is up.
        trouble: Why the engine does not reach it; None: it does.
        detail: Why it is not operational, in the engine's word.
        gluster_stopped: The engine has stopped Gluster on it.
        booted: When it booted last, of what is no longer among the steps.
    """

    lasting: Lasting = field(default_factory=Lasting)
    hosted_engine: bool = False
    score: int = FULL_SCORE
    trouble: HostTrouble | None = None
    detail: str = ""
    gluster_stopped: bool = False
    booted: datetime | None = None

    def go(self, now: datetime, *way: tuple[float, Any]) -> None:
        """Sets out from now: each state with the seconds that pass before it. What was ahead is not any more."""
        self.booted = self.last_boot(now)
        super().go(now, *way)

    def last_boot(self, now: datetime) -> datetime | None:
        """When it booted last, until a moment; None: never."""
        boots = [when for when, status in self.steps if status is Status.REBOOT and when <= now]
        return boots[-1] if boots else self.booted

    def install(self, now: datetime, *, fails: bool, reboot: bool, activate: bool) -> None:
        """Installs it; then it is up, or stays in maintenance."""
        way = [(0.0, Status.INSTALLING)]
        if fails:
            self.go(now, *way, (self.lasting.install, Status.INSTALL_FAILED))
            return
        ahead = self.lasting.install
        if reboot:
            way.append((ahead, Status.REBOOT))
            ahead = self.lasting.reboot
        if activate:
            self.go(now, *way, (ahead, Status.INITIALIZING), (self.lasting.initialize, Status.UP))
        else:
            self.go(now, *way, (ahead, Status.MAINTENANCE))

    def activate(self, now: datetime) -> None:
        """From maintenance to up."""
        ahead = self.lasting.initialize
        self.go(now, (0, Status.UNASSIGNED), (self.lasting.notice, Status.INITIALIZING), (ahead, Status.UP))

    def deactivate(self, now: datetime, at_least: float = 0) -> None:
        """To maintenance: at once when it does not answer anyway; else when all has moved away from it."""
        if self.status(now) in ANSWERING:
            ahead = max(self.lasting.prepare, at_least)
            self.go(now, (0, Status.PREPARING_FOR_MAINTENANCE), (ahead, Status.MAINTENANCE))
        else:
            self.go(now, (0, Status.MAINTENANCE))

    def lose(self, now: datetime, trouble: HostTrouble = HostTrouble()) -> None:
        """The engine does not reach it any more."""
        if (at := self.status(now)) in ANSWERING:
            self.trouble = trouble
            ahead = self.lasting.notice
            way = ((ahead, Status.CONNECTING), (self.lasting.connecting, Status.NON_RESPONSIVE))
            self.go(now, (0, at), *way)

    def return_to(self, now: datetime) -> None:
        """The engine reaches it again."""
        self.trouble = None
        if (at := self.status(now)) in (Status.UP, Status.CONNECTING, Status.NON_RESPONSIVE):
            self.go(now, (0, at), (self.lasting.notice, Status.INITIALIZING), (self.lasting.initialize, Status.UP))

    def recover(self, when: datetime) -> None:
        """It is operational again from a moment that lies ahead."""
        later = when + timedelta(seconds=self.lasting.initialize)
        self.steps += [(when, Status.INITIALIZING), (later, Status.UP)]

    def power_off(self, now: datetime) -> None:
        """It has no power any more."""
        self.go(now, (0, Status.DOWN))

    def dump(self, now: datetime) -> None:
        """It writes its memory down and boots."""
        self._boot(now, (0, Status.KDUMPING), (self.lasting.dump, Status.REBOOT), maintenance=False)

    def boot(self, now: datetime, *, maintenance: bool) -> None:
        """It boots; then it is up, or in maintenance, or as lost as before."""
        self._boot(now, (0, Status.REBOOT), maintenance=maintenance)

    def _boot(self, now: datetime, *way: tuple[float, Any], maintenance: bool) -> None:
        ahead = self.lasting.reboot
        if self.trouble and self.trouble.lasts:
            self.go(now, *way, (ahead, Status.NON_RESPONSIVE))
            return
        self.trouble = None
        if maintenance:
            self.go(now, *way, (ahead, Status.MAINTENANCE))
        else:
            self.go(now, *way, (ahead, Status.INITIALIZING), (self.lasting.initialize, Status.UP))

    def upgrade(self, now: datetime, *, fails: bool, reboot: bool, at_least: float = 0) -> None:
        """Takes it out where it is in use, upgrades it, and brings it back to where it was."""
        lasting, before = self.lasting, self.status(now)
        way = [(0.0, Status.INSTALLING)]
        if before in ANSWERING:
            first = (0.0, Status.PREPARING_FOR_MAINTENANCE)
            ahead = max(lasting.prepare, at_least)
            way = [first, (ahead, Status.MAINTENANCE), (lasting.notice, Status.INSTALLING)]
        if fails:
            self.go(now, *way, (lasting.upgrade, Status.INSTALL_FAILED))
            return
        ahead = lasting.upgrade
        if reboot:
            way.append((ahead, Status.REBOOT))
            ahead = lasting.reboot
        if before is Status.MAINTENANCE:
            self.go(now, *way, (ahead, Status.MAINTENANCE))
        else:
            self.go(now, *way, (ahead, Status.INITIALIZING), (lasting.initialize, Status.UP))

    def enroll(self, now: datetime, *, fails: bool) -> None:
        """Gets a new certificate, in maintenance."""
        last = Status.INSTALL_FAILED if fails else Status.MAINTENANCE
        self.go(now, (0, Status.INSTALLING), (self.lasting.enroll, last))

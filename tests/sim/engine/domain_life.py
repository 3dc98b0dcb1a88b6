"""The states that a storage domain goes through in a data center, whoever asks or does not ask.

The states and their order are those of the engine's sources; how long each lasts is given.
"""

from dataclasses import dataclass, field
from datetime import datetime

from ovirtsdk4 import types

from sim.engine.timeline import Timeline

DomainStatus = types.StorageDomainStatus
IN_PROCESS = (
    *(DomainStatus.LOCKED, DomainStatus.ACTIVATING),
    *(DomainStatus.DETACHING, DomainStatus.PREPARING_FOR_MAINTENANCE),
)
"""The engine works on a domain that is in one of these: nothing else can be done to it."""


@dataclass(frozen=True)
class StorageLasting:
    """How long things take, in seconds."""

    attach: float = 8
    activate: float = 5
    deactivate: float = 10
    detach: float = 3
    doubt: float = 300


@dataclass
class DomainLife(Timeline):
    """Where a domain is on its way in one data center. One that was detached again is unattached.

    Attributes:
        lasting: How long its states last.
        fresh: It has not been in maintenance since it was attached.
    """

    lasting: StorageLasting = field(default_factory=StorageLasting)
    fresh: bool = True

    def attach(self, now: datetime, *, master: bool) -> None:
        """Into a data center, and active. What holds a data center's metadata is never seen activating."""
        ahead = self.lasting.attach
        if master:
            self.go(now, (0, DomainStatus.LOCKED), (ahead, DomainStatus.ACTIVE))
        else:
            activating = (ahead, DomainStatus.ACTIVATING)
            self.go(now, (0, DomainStatus.LOCKED), activating, (self.lasting.activate, DomainStatus.ACTIVE))

    def activate(self, now: datetime, *, master: bool) -> None:
        """From maintenance, or from what stopped it, to active."""
        first = DomainStatus.LOCKED if master else DomainStatus.ACTIVATING
        self.go(now, (0, first), (self.lasting.activate, DomainStatus.ACTIVE))

    def deactivate(self, now: datetime) -> None:
        """To maintenance."""
        self.fresh = False
        ahead = self.lasting.deactivate
        self.go(now, (0, DomainStatus.PREPARING_FOR_MAINTENANCE), (ahead, DomainStatus.MAINTENANCE))

    def detach(self, now: datetime) -> None:
        """Out of the data center."""
        self.go(now, (0, DomainStatus.DETACHING), (self.lasting.detach, DomainStatus.UNATTACHED))

    def lose(self, now: datetime) -> None:
        """No host reaches its storage any more. The engine waits a while before it believes that."""
        if self.status(now) is DomainStatus.ACTIVE:
            self.go(now, (0, DomainStatus.ACTIVE), (self.lasting.doubt, DomainStatus.INACTIVE))

    def return_to(self, now: datetime) -> None:
        """Hosts reach its storage again."""
        if (at := self.status(now)) in (DomainStatus.ACTIVE, DomainStatus.INACTIVE):
            self.go(now, (0, at), (self.lasting.activate, DomainStatus.ACTIVE))

"""How a pass ends: a closed list."""

from dataclasses import dataclass
from enum import StrEnum

from heretic.domain.plan import Blocked, Converged, Proceed, Wait


class Ended(StrEnum):
    """How a pass ended; the label ``outcome`` of its metric."""

    CONVERGED = "converged"
    WAITING = "waiting"
    BLOCKED = "blocked"
    HELD = "held"
    APPLIED = "applied"
    STARTED = "started"
    FAILED = "failed"
    NEEDS_USER = "needs-user"
    CHANGED = "changed"
    STANDBY = "standby"
    REMOVED = "removed"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Again:
    """The object is looked at again.

    Attributes:
        ended: How this pass ended.
        after: Seconds until the next one, when nothing wakes the object before.
    """

    ended: Ended
    after: float


@dataclass(frozen=True, slots=True)
class Removed:
    """The object is being deleted, and nothing keeps it."""


PassResult = Again | Removed


WITHOUT_STEPS = {
    Converged: Ended.CONVERGED,
    Blocked: Ended.BLOCKED,
    Wait: Ended.WAITING,
    Proceed: Ended.HELD,
}
"""How a pass ended that ran no step, by its plan."""

PATIENT = frozenset({Ended.WAITING, Ended.STARTED})
"""Ends after which a host is left alone for a while: it is working, and looking costs it time too."""

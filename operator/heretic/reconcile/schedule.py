"""When an object is looked at again."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

from heretic.domain.errors import Bug, NeedsUser, Transient
from heretic.domain.plan import Failed, Proceed, Started, Wait
from heretic.domain.report import Outcome
from heretic.reconcile.backoff import Backoff
from heretic.reconcile.pass_result import PATIENT, WITHOUT_STEPS, Again, Ended
from heretic.reconcile.store import Key

REST = 2.0
"""How many times as long as a pass took, at least, it is left alone then."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things happen, seconds.

    Attributes:
        resync: Between two looks at an object that nothing woke.
        patience: How long a look may take before a host that is lost is told without waiting for the rest.
        share: Age up to which a resync uses what another object's pass has seen.
    """

    resync: float = 60.0
    share: float = 5.0
    patience: float = 2.0


class Schedule:
    """Reckons the pause after each pass; what failed is tried again with growing pauses.

    Args:
        pace: How often.
        monotonic: Seconds.
        random: Uniform in [0, 1).
    """

    def __init__(self, pace: Pace, *, monotonic: Callable[[], float], random: Callable[[], float]) -> None:
        self._pace = pace
        self._monotonic = monotonic
        self._backoffs: dict[Key, Backoff] = defaultdict(lambda: Backoff(random))

    def after(self, key: Key, outcome: Outcome) -> Again:
        """How a pass ended, and when to look again."""
        failures = [r.failure for _, r in outcome.results if isinstance(r, Failed)]
        if outcome.failure is not None:
            failures.append(outcome.failure)
        if any(isinstance(f, Transient | Bug) for f in failures):
            return Again(Ended.FAILED, self.failed(key))
        self._backoffs[key].worked()
        if any(isinstance(f, NeedsUser) for f in failures):
            return Again(Ended.NEEDS_USER, self.next_resync(key))
        started = [r.poll_after for _, r in outcome.results if isinstance(r, Started)]
        if started:
            return Again(Ended.STARTED, min(started))
        if outcome.results:
            return Again(Ended.APPLIED, 0.0)
        waits = [w.after for w in (outcome.plan, outcome.held) if isinstance(w, Wait)]
        if isinstance(outcome.plan, Proceed):
            waits += [w.after for w in outcome.plan.pending if isinstance(w, Wait)]
        return Again(WITHOUT_STEPS[type(outcome.plan)], min([*waits, self.next_resync(key)]))

    def failed(self, key: Key) -> float:
        """Notes one more failure of an object in a row; seconds until the next try."""
        return self._backoffs[key].failed()

    def next_resync(self, key: Key) -> float:
        """Objects of one site come due together, so that one look at a host serves all of them; sites do not."""
        interval = self._pace.resync
        return interval - (self._monotonic() - interval * phase(key.namespace)) % interval

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._backoffs.pop(key, None)


def rested(again: Again, took: float) -> float:
    """The pause after a pass: longer after a long one, so that looking at a host does not keep it from its work."""
    return max(again.after, REST * took) if again.ended in PATIENT else again.after


def phase(namespace: str) -> float:
    """Where in the interval a site comes due, from 0 to 1: the same always, and another one for each site."""
    return crc32(namespace.encode()) / 2**32

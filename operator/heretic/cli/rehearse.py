"""Passes over every object of a site with nothing applied: what the operator would see, plan and say.

The rules are the operator's own (heretic/kinds.py). What it would record in status (automatic choices, the disks
of each node) is kept in memory, and the passes are repeated until they say nothing new: so a plan reaches as far as
one observation of the hosts supports, also for a site that no operator has seen yet. There is no gateway here and
nothing that could run a step: a rehearsal changes nothing by construction.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf

from heretic.api.v1alpha1 import Resource
from heretic.domain.conditions import Condition
from heretic.domain.declared.mode import mode_of
from heretic.domain.declared.view import SiteView
from heretic.domain.dependents import plan_removal
from heretic.domain.errors import Reason
from heretic.domain.kind import Observed
from heretic.domain.plan import Blocked, Plan, Proceed, Wait
from heretic.domain.report import Outcome, Report, common_conditions
from heretic.kinds import KINDS
from heretic.reconcile import gates
from heretic.reconcile.look import look
from heretic.reconcile.observer import Observer
from heretic.reconcile.publish import build_status
from heretic.reconcile.store import Key, ObjectStore, Stored

MAX_ROUNDS = 12
"""More than the longest chain of choices (Node, Site, Node, GlusterVolume, Site) needs."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One object after the last pass.

    Attributes:
        key: The object.
        resource: Its typed form; None when the stored spec cannot be understood.
        outcome: Its plan, and what holds the plan back.
        observed: What was seen for it.
        report: What the operator would say; None with ``resource``.
    """

    key: Key
    resource: Resource | None
    outcome: Outcome
    observed: Observed
    report: Report | None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions that the operator would set."""
        return common_conditions(self.report, self.outcome) if self.report else ()


class Rehearsal:
    """Rehearses the passes of one namespace.

    Args:
        store: The declared objects; statuses are brought up to date in it.
        observer: Looks at the hosts, each of them once.
        now: Wall clock.
    """

    def __init__(self, store: ObjectStore, observer: Observer, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._observer = observer
        self._now = now()

    async def run(self, namespace: str) -> tuple[Rehearsed, ...]:
        """Repeats passes until they say nothing new.

        Args:
            namespace: The site.

        Returns:
            Every object, in the order in which a site is brought up.
        """
        keys = sorted(self._store.keys(namespace), key=lambda k: (KINDS.order(k.kind), k.name))
        await self._look(namespace, keys)
        said: tuple[Rehearsed, ...] = ()
        for _ in range(MAX_ROUNDS):
            rehearsed = [await self._pass(key) for key in keys]
            said = tuple(entry for entry, _ in rehearsed)
            if not any(new for _, new in rehearsed):
                break
        return said

    def view(self, namespace: str) -> SiteView:
        """The declared site, with what was recorded in memory."""
        return self._store.view(namespace)

    async def _look(self, namespace: str, keys: list[Key]) -> None:
        """Asks all hosts at once; the passes after this share the answers."""
        view = self._store.view(namespace)
        present = [(k, s.parsed) for k in keys if (s := self._store.get(k)) and s.parsed]
        await asyncio.gather(*(look(KINDS[k.kind], o, view, self._observer, inf) for k, o in present))

    async def _pass(self, key: Key) -> tuple[Rehearsed, bool]:
        stored = self._store.get(key)
        assert stored is not None, "objects do not vanish during a rehearsal"
        if stored.parsed is None:
            refused = Outcome(Blocked(Reason.INVALID_SPEC, f"the spec cannot be understood: {stored.error}"))
            return Rehearsed(key, None, refused, Observed(), None), False
        kind, resource, view = KINDS[key.kind], stored.parsed, self._store.view(key.namespace)
        observed = await look(kind, resource, view, self._observer, inf)
        observed = replace(observed, now=self._now)
        assessed = kind.assess(resource, view, observed)
        removing = resource.metadata.deletion_timestamp is not None
        plan = plan_removal(KINDS, kind, resource, view, observed) if removing else assessed.plan
        outcome = Outcome(
            plan,
            mode=mode_of(resource, view.site),
            paused=gates.is_paused(resource, view.site, None),
            held=_held(resource, view, plan, self._now),
            removing=removing,
        )
        report = assessed.report
        return Rehearsed(key, resource, outcome, observed, report), self._record(key, stored, report, outcome)

    def _record(self, key: Key, stored: Stored, report: Report, outcome: Outcome) -> bool:
        """Stores the status that the operator would write; returns whether it changed."""
        stamp = self._now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = build_status(stored.raw, stored, report, outcome, now=stamp)
        if status == stored.raw.get("status"):
            return False
        meta = stored.raw["metadata"]
        version = str(int(meta.get("resourceVersion") or 0) + 1)
        self._store.put(key.kind, {**stored.raw, "metadata": {**meta, "resourceVersion": version}, "status": status})
        return True


def _held(resource: Resource, view: SiteView, plan: Plan, now: datetime) -> Wait | Blocked | None:
    """What would hold the plan's steps back. The disruption slot is left out: it is taken only when a step runs."""
    if not isinstance(plan, Proceed):
        return None
    if held := gates.check_declared(view):
        return held
    passed = gates.check_approval(resource, plan)
    return gates.check_window(passed, view.site.spec.windows if view.site else (), now).held

"""The loop: observe, plan, apply, report; one object at a time, for ever.

A pass never asks what changed, only what is. It plans the next steps that this observation supports, and the pass
after it observes again. Nothing that a pass needs is kept in the operator: kill it at any instant, and the next
pass of the next operator finds its way.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from heretic.api.v1alpha1 import Mode, Resource
from heretic.api.v1alpha1.common import DeletionPolicy
from heretic.cluster.client import Cluster
from heretic.domain.approval import Approval
from heretic.domain.declared.mode import mode_of
from heretic.domain.declared.view import SiteView
from heretic.domain.dependents import dependents, plan_removal
from heretic.domain.errors import Bug, HereticError, NeedsUser, Reason, mistake
from heretic.domain.kind import AnyKind, Assessment, Kinds, Observed
from heretic.domain.plan import Converged, Failed, Proceed
from heretic.domain.report import Outcome
from heretic.kinds import KINDS
from heretic.reconcile import gates, metrics
from heretic.reconcile.apply import Applied, Applier
from heretic.reconcile.gatekeeper import Gatekeeper
from heretic.reconcile.gateway import Gateway
from heretic.reconcile.last_check import SOON, LastCheck, standing_of
from heretic.reconcile.leadership import Leadership
from heretic.reconcile.look import glimpse, look, lost_in
from heretic.reconcile.observer import Observer
from heretic.reconcile.outages import Outages
from heretic.reconcile.pass_result import Again, Ended, PassResult, Removed
from heretic.reconcile.publish import Publisher, changed_by
from heretic.reconcile.repeats import Repeats
from heretic.reconcile.schedule import Pace, Schedule, rested
from heretic.reconcile.slot import DisruptionSlots
from heretic.reconcile.store import Key, ObjectStore, Stored, is_same, latest_of

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Memory:
    """What the loop remembers of an object between passes; all of it may be lost at any time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    repeats: Repeats = field(default_factory=Repeats)
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _PassInput:
    """What one pass works with."""

    key: Key
    kind: AnyKind
    stored: Stored
    resource: Resource
    view: SiteView
    mode: Mode
    paused: bool
    removing: bool


class Reconciler:
    """Runs passes.

    Args:
        store: What the watches have shown.
        observer: Looks at the hosts.
        applier: Runs steps.
        publisher: Writes status and events.
        cluster: Asked once more before a step that interrupts or can lose data.
        gateway: Where the record of an approval is counted.
        leader: Whether we may act.
        slots: The disruption slot of each site.
        now: Wall clock.
        monotonic: Seconds.
        random: Uniform in [0, 1).
        pace: How often.
        kill_switch: A file on this machine; while it exists, nothing is changed.
        kinds: All kinds.
    """

    def __init__(
        self,
        *,
        store: ObjectStore,
        observer: Observer,
        applier: Applier,
        publisher: Publisher,
        cluster: Cluster,
        gateway: Gateway,
        leader: Leadership,
        slots: DisruptionSlots,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        random: Callable[[], float],
        pace: Pace,
        kill_switch: Path | None = None,
        kinds: Kinds = KINDS,
    ) -> None:
        self._kinds = kinds
        self._store = store
        self._observer = observer
        self._applier = applier
        self._publisher = publisher
        self._cluster = cluster
        self._gateway = gateway
        self._leader = leader
        self._slots = slots
        self._gatekeeper = Gatekeeper(slots, Outages(kinds, observer, monotonic=monotonic), now=now)
        self._schedule = Schedule(pace, monotonic=monotonic, random=random)
        self._now = now
        self._monotonic = monotonic
        self._pace = pace
        self._kill_switch = kill_switch
        self._memories: dict[Key, _Memory] = defaultdict(_Memory)

    async def run_pass(self, key: Key) -> float:
        """One pass over one object.

        Args:
            key: The object; one that does not exist (any more) is nothing to do.

        Returns:
            Seconds until the next pass is due, when nothing wakes the object before.
        """
        async with self._memories[key].lock:
            stored = self._store.get(key)
            if stored is None or stored.raw["metadata"].get("deletionTimestamp"):
                return self._schedule.next_resync(key)
            if not self._leader.held:
                return STANDBY
            after = await self._measured(key, stored, removing=False)
            return self._schedule.next_resync(key) if after is None else after

    async def finalize(self, key: Key) -> float | None:
        """One pass over an object that is being deleted.

        Returns:
            None when it may go; else seconds until the next try.
        """
        async with self._memories[key].lock:
            stored = self._store.get(key)
            if stored is None:
                return None
            if not self._leader.held:
                return STANDBY
            after = await self._measured(key, stored, removing=True)
            if after is None:
                self.forget(key)
            return after

    def forget(self, key: Key) -> None:
        """An object is gone."""
        self._schedule.forget(key)
        self._memories.pop(key, None)
        self._slots.forget(key)
        kind = self._kinds[key.kind]
        metrics.forget(kind, key.namespace, key.name)
        if kind.is_host or kind.is_engine:
            self._observer.forget(kind, key.namespace, key.name)

    async def _measured(self, key: Key, stored: Stored, *, removing: bool) -> float | None:
        """Seconds until the next pass; None when nothing keeps a deleted object."""
        begun = self._monotonic()
        ended = Ended.BUG
        try:
            result = await self._pass(key, stored, removing=removing)
            if isinstance(result, Removed):
                ended = Ended.REMOVED
                return None
            ended = result.ended
            return rested(result, self._monotonic() - begun)
        except HereticError as error:
            ended = Ended.FAILED
            log.warning("%s: %s", key, error.failure.message)
            if isinstance(error.failure, Bug):
                await self._confess(key, error.failure, removing=removing)
        except Exception as error:  # a mistake of ours in one object must not end the loop that keeps all others
            log.exception("%s: a mistake of ours", key)
            await self._confess(key, mistake(error), removing=removing)
        finally:
            metrics.PASSES.labels(kind=key.kind, outcome=ended.value).observe(self._monotonic() - begun)
        return self._schedule.failed(key)

    async def _confess(self, key: Key, bug: Bug, *, removing: bool) -> None:
        """Says that a pass broke on a mistake of ours: what earlier passes found must not stay true for ever."""
        stored = self._store.get(key)
        if stored is None:
            return
        try:
            await self._blind(key, stored, bug, removing=removing)
        except HereticError as error:
            log.warning("%s: %s", key, error.failure.message)
        except Exception:  # the mistake may lie in the writing itself; the log has it then
            log.exception("%s: a mistake of ours could not be told", key)

    async def _blind(self, key: Key, stored: Stored, why: NeedsUser | Bug, *, removing: bool) -> None:
        own = self._kinds[key.kind].conditions
        written = await self._publisher.publish_blind(key, stored, own, why, removing=removing)
        if written is not None:
            self._store.put(key.kind, written)

    async def _pass(self, key: Key, stored: Stored, *, removing: bool) -> PassResult:
        if stored.parsed is None:
            return await self._refuse(key, stored, removing=removing)
        view = self._store.view(key.namespace)
        resource = stored.parsed
        given = _PassInput(
            key,
            self._kinds[key.kind],
            stored,
            resource,
            view,
            mode_of(resource, view.site),
            gates.is_paused(resource, view.site, self._kill_switch),
            removing,
        )
        observed = await self._observe(given)
        assessed = self._assess(given, observed)
        if removing:
            assessed = replace(assessed, plan=plan_removal(self._kinds, given.kind, resource, view, observed))
            if isinstance(assessed.plan, Converged):
                await self._slots.release(key)
                return Removed()
        return await self._act(given, assessed)

    def _assess(self, given: _PassInput, observed: Observed) -> Assessment:
        holder = self._slots.holder(given.key.namespace)
        return given.kind.assess(given.resource, given.view, replace(observed, slot_holder=holder, now=self._now()))

    async def _observe(self, given: _PassInput) -> Observed:
        """Looks at what concerns an object; tells of a lost host while the rest takes long to answer."""
        memory = self._memories[given.key]
        looking = asyncio.ensure_future(look(given.kind, given.resource, given.view, self._observer, self._pace.share))
        try:
            while not (await asyncio.wait([looking], timeout=self._pace.patience))[0]:
                await self._tell_losses(given, memory)
            observed = looking.result()
        finally:
            looking.cancel()
        memory.lost = lost_in(observed.hosts)
        return observed

    async def _tell_losses(self, given: _PassInput, memory: _Memory) -> None:
        """Reports a host that was lost since the last report, on what was known before of everything else."""
        if given.removing or not self._leader.held:
            return
        known = glimpse(given.kind, given.resource, given.view, self._observer)
        lost = lost_in(known.hosts) if known else frozenset()
        if known is None or lost <= memory.lost:
            return
        assessed = self._assess(given, known)
        await self._publish(given, assessed, Outcome(assessed.plan, (), given.mode, given.paused))
        memory.lost |= lost

    async def _act(self, given: _PassInput, assessed: Assessment) -> PassResult:
        """Reports what is about to happen, does it, and reports the result where it is not as announced."""
        plan = assessed.plan
        passed = await self._gatekeeper.pass_through(
            given.key, given.resource, given.view, plan, mode=given.mode, paused=given.paused
        )
        outcome = Outcome(plan, (), given.mode, given.paused, passed.held, removing=given.removing)
        if not await self._publish(given, assessed, outcome):
            return Again(Ended.CHANGED, SOON)
        applied = Applied()
        if passed.steps and isinstance(plan, Proceed):
            applied = await self._applier.apply(
                given.key,
                given.resource.metadata.generation,
                changed_by(given.stored.raw),
                given.view,
                passed.steps,
                ordered=plan.ordered,
                last_check=self._last_check(given, passed.approval),
            )
        if not self._leader.held:
            return Again(Ended.STANDBY, STANDBY)
        held = applied.held or passed.held
        meta = given.resource.metadata
        failure = self._memories[given.key].repeats.after(meta.uid, meta.generation, applied.results)
        outcome = replace(outcome, results=applied.results, held=held, failure=failure)
        failed = failure is not None or any(isinstance(r, Failed) for _, r in applied.results)
        if failed or applied.held:
            await self._publish(given, assessed, outcome)
        return self._schedule.after(given.key, outcome)

    def _last_check(self, given: _PassInput, approval: Approval | None) -> LastCheck:
        return LastCheck(
            self._kinds,
            self._cluster,
            self._store,
            self._gateway,
            now=self._now,
            key=given.key,
            seen=standing_of(given.resource, given.view.site),
            approval=approval,
            has_slot=lambda: self._slots.has(given.key),
        )

    async def _publish(self, given: _PassInput, assessed: Assessment, outcome: Outcome) -> bool:
        """Writes status.

        Returns:
            Whether the object is still the one of this pass: not gone, nor edited, nor another one of its name.
        """
        stored = self._store.get(given.key) or given.stored
        report = assessed.report
        metrics.show(given.kind, given.key.namespace, given.key.name, report)
        written = await self._publisher.publish(given.key, latest_of(given.stored, stored), report, outcome)
        if written is None:
            return False
        self._store.put(given.key.kind, written)
        return is_same(given.stored.raw, written)

    async def _refuse(self, key: Key, stored: Stored, *, removing: bool) -> PassResult:
        """The stored object does not fit this version's models: say so, touch nothing, let it go when it is deleted."""
        await self._slots.release(key)
        message = f"this version cannot understand the object: {stored.error}"
        if removing:
            held = removal_unread(self._kinds, key, stored, self._store.view(key.namespace))
            if held is None:
                return Removed()
            message = f"{held}; {message}"
        await self._blind(key, stored, NeedsUser(Reason.INVALID_SPEC, message), removing=removing)
        return Again(Ended.BLOCKED, self._schedule.next_resync(key))


def removal_unread(kinds: Kinds, key: Key, stored: Stored, view: SiteView) -> str | None:
    """What keeps an object whose spec cannot be understood; None when it may go, and the real thing stays as it is."""
    spec = stored.raw.get("spec")
    if isinstance(spec, dict) and spec.get("deletionPolicy") == DeletionPolicy.DESTROY:
        return (
            "deletionPolicy Destroy needs a spec that can be read: set deletionPolicy to Orphan to let the object go "
            "and keep the real thing, or run the version that wrote it"
        )
    blocked = dependents(kinds, kinds[key.kind].model, key.name, view)
    return blocked.message if blocked else None


STANDBY = 1.0
"""Seconds between two looks at the lease while another operator has it: a second one neither acts nor speaks."""

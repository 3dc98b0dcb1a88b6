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
from zlib import crc32

from heretic.api.v1alpha1 import Mode, Resource, Site
from heretic.api.v1alpha1.common import DeletionPolicy
from heretic.cluster.client import Cluster
from heretic.domain.approval import Approval
from heretic.domain.declared.view import SiteView
from heretic.domain.dependents import dependents, plan_removal
from heretic.domain.errors import Bug, HereticError, NeedsUser, Reason, Transient, mistake
from heretic.domain.kind import AnyKind, Assessment, Kinds, Observed
from heretic.domain.plan import Converged, Done, Failed, Plan, Proceed, Started, Wait, plan_hash
from heretic.domain.report import Outcome
from heretic.kinds import KINDS
from heretic.reconcile import gates, metrics
from heretic.reconcile.apply import Applied, Applier, Results
from heretic.reconcile.backoff import Backoff
from heretic.reconcile.gateway import Gateway
from heretic.reconcile.last_check import SOON, LastCheck, standing_of
from heretic.reconcile.leadership import Leadership
from heretic.reconcile.look import glimpse, look, lost_in
from heretic.reconcile.metrics import PASSES
from heretic.reconcile.observer import Observer
from heretic.reconcile.pass_result import PATIENT, WITHOUT_STEPS, Again, Ended, PassResult, Removed
from heretic.reconcile.publish import Publisher, changed_by
from heretic.reconcile.slot import DisruptionSlots
from heretic.reconcile.store import Key, Object, ObjectStore, Stored

log = logging.getLogger(__name__)

SAME_PLAN_LIMIT = 3
"""Passes in a row that may carry out the very same plan, before it counts as a failure."""


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


@dataclass(slots=True)
class _Memory:
    """What the loop remembers of an object between passes; all of it may be lost at any time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last_plan: str = ""
    repeats: int = 0
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Sight:
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
        self._now = now
        self._monotonic = monotonic
        self._random = random
        self._pace = pace
        self._kill_switch = kill_switch
        self._memories: dict[Key, _Memory] = defaultdict(_Memory)
        self._backoffs: dict[Key, Backoff] = defaultdict(lambda: Backoff(random))

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
                return self._next_resync(key)
            if not self._leader.held:
                return STANDBY
            after = await self._measured(key, stored, removing=False)
            return self._next_resync(key) if after is None else after

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
        self._backoffs.pop(key, None)
        self._memories.pop(key, None)
        self._slots.forget(key)
        kind = self._kinds[key.kind]
        metrics.forget(kind, key.namespace, key.name)
        if kind.is_host:
            self._observer.forget(key.namespace, key.name)

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
            return max(result.after, REST * (self._monotonic() - begun)) if ended in PATIENT else result.after
        except HereticError as error:
            ended = Ended.FAILED
            log.warning("%s: %s", key, error.failure.message)
            if isinstance(error.failure, Bug):
                await self._confess(key, error.failure, removing=removing)
        except Exception as error:  # a mistake of ours in one object must not end the loop that keeps all others
            log.exception("%s: a mistake of ours", key)
            await self._confess(key, mistake(error), removing=removing)
        finally:
            PASSES.labels(kind=key.kind, outcome=ended.value).observe(self._monotonic() - begun)
        return self._backoffs[key].failed()

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
        sight = _Sight(
            key,
            self._kinds[key.kind],
            stored,
            resource,
            view,
            gates.mode_of(resource, view.site),
            gates.is_paused(resource, view.site, self._kill_switch),
            removing,
        )
        observed = await self._observe(sight)
        assessed = sight.kind.assess(resource, view, observed)
        if removing:
            assessed = replace(assessed, plan=plan_removal(self._kinds, sight.kind, resource, view, observed))
            if isinstance(assessed.plan, Converged):
                await self._slots.release(key)
                return Removed()
        return await self._act(sight, assessed)

    async def _observe(self, sight: _Sight) -> Observed:
        """Looks at what concerns an object; tells of a lost host while the rest takes long to answer."""
        memory = self._memories[sight.key]
        looking = asyncio.ensure_future(look(sight.kind, sight.resource, sight.view, self._observer, self._pace.share))
        try:
            while not (await asyncio.wait([looking], timeout=self._pace.patience))[0]:
                await self._tell_losses(sight, memory)
            observed = looking.result()
        finally:
            looking.cancel()
        memory.lost = lost_in(observed.hosts)
        return observed

    async def _tell_losses(self, sight: _Sight, memory: _Memory) -> None:
        """Reports a host that was lost since the last report, on what was known before of everything else."""
        if sight.removing or not self._leader.held:
            return
        known = glimpse(sight.kind, sight.resource, sight.view, self._observer)
        lost = lost_in(known.hosts) if known else frozenset()
        if known is None or lost <= memory.lost:
            return
        assessed = sight.kind.assess(sight.resource, sight.view, known)
        await self._say(sight, assessed, Outcome(assessed.plan, (), sight.mode, sight.paused))
        memory.lost |= lost

    async def _act(self, sight: _Sight, assessed: Assessment) -> PassResult:
        """Says what is about to happen, does it, and says what came of it where that is not plain."""
        plan = assessed.plan
        passed = await self._gate(sight, plan)
        outcome = Outcome(plan, (), sight.mode, sight.paused, passed.held, removing=sight.removing)
        if not await self._say(sight, assessed, outcome):
            return Again(Ended.CHANGED, SOON)
        applied = Applied()
        if passed.steps and isinstance(plan, Proceed):
            applied = await self._applier.apply(
                sight.key,
                sight.resource.metadata.generation,
                changed_by(sight.stored.raw),
                sight.view,
                passed.steps,
                ordered=plan.ordered,
                last_check=self._last_check(sight, passed.approval),
            )
        if not self._leader.held:
            return Again(Ended.STANDBY, STANDBY)
        held = applied.held or passed.held
        failure = self._repeated(sight, plan, applied.results)
        outcome = replace(outcome, results=applied.results, held=held, failure=failure)
        failed = failure is not None or any(isinstance(r, Failed) for _, r in applied.results)
        if failed or applied.held:
            await self._say(sight, assessed, outcome)
        return self._after(sight.key, outcome)

    def _last_check(self, sight: _Sight, approval: Approval | None) -> LastCheck:
        return LastCheck(
            self._kinds,
            self._cluster,
            self._store,
            self._gateway,
            now=self._now,
            key=sight.key,
            seen=standing_of(sight.resource, sight.view.site),
            approval=approval,
            has_slot=lambda: self._slots.has(sight.key),
        )

    async def _gate(self, sight: _Sight, plan: Plan) -> gates.Passed:
        """Which steps of the plan may run now."""
        if not isinstance(plan, Proceed):
            await self._slots.release(sight.key)
            return gates.Passed(())
        if held := gates.check_declared(sight.view):
            await self._slots.release(sight.key)
            return gates.Passed((), held)
        if sight.mode is not Mode.APPLY or sight.paused:
            await self._slots.release(sight.key)
            return gates.Passed(())
        passed = gates.check_approval(sight.resource, plan)
        passed = gates.check_maintenance(passed, sight.view)
        site = sight.view.site
        passed = gates.check_window(passed, site.spec.windows if site else (), self._now())
        if not gates.disruptive_of(passed.steps):
            if not passed.steps:
                await self._slots.release(sight.key)
            return passed
        holder = await self._slots.take(sight.key)
        return gates.check_slot(passed, held_by_us=holder is None, holder=holder or "")

    async def _say(self, sight: _Sight, assessed: Assessment, outcome: Outcome) -> bool:
        """Writes status.

        Returns:
            Whether the object is still the one of this pass: not gone, nor edited, nor another one of its name.
        """
        stored = self._store.get(sight.key) or sight.stored
        report = assessed.report
        metrics.show(sight.kind, sight.key.namespace, sight.key.name, report)
        if sight.key.kind == Site.KIND:
            holder = self._slots.holder(sight.key.namespace)
            report = replace(report, status=report.status.model_copy(update={"slot_holder": holder}))
        written = await self._publisher.publish(sight.key, replace_raw(sight.stored, stored), report, outcome)
        if written is None:
            return False
        self._store.put(sight.key.kind, written)
        return is_same(sight.stored.raw, written)

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
        return Again(Ended.BLOCKED, self._next_resync(key))

    def _repeated(self, sight: _Sight, plan: Plan, results: Results) -> Transient | None:
        """Notices a plan that is carried out again and again without effect, so that nothing loops in silence."""
        memory = self._memories[sight.key]
        if not results or not isinstance(plan, Proceed) or not all(isinstance(r, Done) for _, r in results):
            memory.last_plan, memory.repeats = "", 0
            return None
        name = plan_hash(sight.resource.metadata.uid, sight.resource.metadata.generation, tuple(s for s, _ in results))
        memory.repeats = memory.repeats + 1 if name == memory.last_plan else 1
        memory.last_plan = name
        if memory.repeats < SAME_PLAN_LIMIT:
            return None
        step = results[0][0]
        message = f"{step} was carried out {memory.repeats} times, and is still seen as needed: {step.why}"
        return Transient(Reason.VERIFICATION_FAILED, message)

    def _after(self, key: Key, outcome: Outcome) -> Again:
        """How the pass ended, and when to look again."""
        failures = [r.failure for _, r in outcome.results if isinstance(r, Failed)]
        if outcome.failure is not None:
            failures.append(outcome.failure)
        backoff = self._backoffs[key]
        if any(isinstance(f, Transient | Bug) for f in failures):
            return Again(Ended.FAILED, backoff.failed())
        backoff.worked()
        if any(isinstance(f, NeedsUser) for f in failures):
            return Again(Ended.NEEDS_USER, self._next_resync(key))
        started = [r.poll_after for _, r in outcome.results if isinstance(r, Started)]
        if started:
            return Again(Ended.STARTED, min(started))
        if outcome.results:
            return Again(Ended.APPLIED, 0.0)
        waits = [w.after for w in (outcome.plan, outcome.held) if isinstance(w, Wait)]
        if isinstance(outcome.plan, Proceed):
            waits += [w.after for w in outcome.plan.pending if isinstance(w, Wait)]
        return Again(WITHOUT_STEPS[type(outcome.plan)], min([*waits, self._next_resync(key)]))

    def _next_resync(self, key: Key) -> float:
        """Objects of one site come due together, so that one look at a host serves all of them; sites do not."""
        interval = self._pace.resync
        return interval - (self._monotonic() - interval * phase(key.namespace)) % interval


def phase(namespace: str) -> float:
    """Where in the interval a site comes due, from 0 to 1: the same always, and another one for each site."""
    return crc32(namespace.encode()) / 2**32


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


REST = 2.0
"""How many times as long as a pass took, at least, it is left alone then."""

STANDBY = 1.0
"""Seconds between two looks at the lease while another operator has it: a second one neither acts nor speaks."""


def replace_raw(seen: Stored, latest: Stored) -> Stored:
    """The latest stored form, as long as it is the same object with the spec that the pass saw."""
    return latest if is_same(seen.raw, latest.raw) else seen


def is_same(seen: Object, latest: Object) -> bool:
    """Whether it is the same object with the same spec."""
    old, new = seen["metadata"], latest["metadata"]
    return bool(old["uid"] == new["uid"] and old.get("generation") == new.get("generation"))

"""Turns a report into what Kubernetes stores, and tells the transitions as events."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from heretic.api.shorten import one_line
from heretic.api.v1alpha1.common import StoredPlan, StoredStep
from heretic.cluster.events import EventRecorder, transitions
from heretic.cluster.status import StatusWriter
from heretic.domain.approval import covered, hash_of
from heretic.domain.conditions import Condition, ConditionType, merge
from heretic.domain.errors import Bug, NeedsUser
from heretic.domain.kind import Kinds
from heretic.domain.plan import steps_of
from heretic.domain.report import Outcome, Report, blind_conditions, common_conditions
from heretic.kinds import KINDS
from heretic.reconcile.gateway import API_SERVER, Effect, Gateway
from heretic.reconcile.store import Key, Object, Stored

MAX_STEPS = 64
"""Steps shown in ``status.plan``; the schema's limit."""

SUMMARY_LENGTH = 120

APPROVALS = ("approvals", "lastApprovedPlan")
"""Written by the last check alone (last_check.py), carried over by every other write."""


class Publisher:
    """Writes status and events of one object, through the gateway.

    Args:
        writer: The status writer.
        events: The event recorder.
        gateway: Where writes are counted and where a crash can be rehearsed.
        now: Wall clock.
        kinds: All kinds.
    """

    def __init__(
        self,
        writer: StatusWriter,
        events: EventRecorder,
        gateway: Gateway,
        *,
        now: Callable[[], datetime],
        kinds: Kinds = KINDS,
    ) -> None:
        self._kinds = kinds
        self._writer = writer
        self._events = events
        self._gateway = gateway
        self._now = now
        self._as_stored: WeakKeyDictionary[Stored, tuple[Report, Outcome]] = WeakKeyDictionary()

    async def publish(self, key: Key, stored: Stored, report: Report, outcome: Outcome) -> Object | None:
        """Writes what a pass found, when it differs from what is stored.

        Args:
            key: The object.
            stored: The object as the pass saw it.
            report: What the kind says.
            outcome: What the pass did.

        Returns:
            The object as stored now; None when it does not exist any more.

        Raises:
            HereticError: The API server did not answer.
        """
        # Of a calm object every pass says the same: then its status need not be put together to see that.
        if self._as_stored.get(stored) == (report, outcome):
            return stored.raw
        stamp = self._stamp()

        def compute(current: Object) -> Object:
            return build_status(current, stored, report, outcome, now=stamp)

        written = await self._write(key, stored, compute)
        if written is stored.raw:
            self._as_stored[stored] = (report, outcome)
        return written

    async def publish_blind(
        self, key: Key, stored: Stored, own: Iterable[ConditionType], why: NeedsUser | Bug, *, removing: bool
    ) -> Object | None:
        """Writes that an object was not worked on at all; all but its conditions stays as it is.

        Args:
            key: The object.
            stored: The object as last seen.
            own: The types of the kind's own conditions.
            why: What happened.
            removing: Whether the object is being deleted.

        Returns:
            The object as stored now; None when it does not exist any more.

        Raises:
            HereticError: The API server did not answer.
        """
        stamp = self._stamp()
        conditions = blind_conditions(own, why, removing=removing)
        return await self._write(key, stored, lambda current: build_blind(current, stored, conditions, now=stamp))

    def _stamp(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def _write(self, key: Key, stored: Stored, compute: Callable[[Object], Object]) -> Object | None:
        if compute(stored.raw) == stored.raw.get("status"):
            return stored.raw
        meta = stored.raw["metadata"]
        effect = Effect(str(key), int(meta.get("generation", 0)), API_SERVER, "WriteStatus")
        plural = self._kinds[key.kind].model.PLURAL
        written = await self._gateway.perform(
            effect, lambda: self._writer.write(plural, stored.raw, compute), lambda _: "Done"
        )
        if written is not None:
            before = (stored.raw.get("status") or {}).get("conditions") or []
            for reason, message, warning in transitions(before, written["status"]["conditions"]):
                await self._events.record(key.kind, written, reason, message, warning=warning)
        return written


def build_status(current: Object, stored: Stored, report: Report, outcome: Outcome, *, now: str) -> Object:
    """The whole status of an object.

    Args:
        current: The object as stored now (after a conflict: fresher than ``stored``).
        stored: The object as the pass saw it; its generation is what was observed.
        report: What the kind says.
        outcome: What the pass did.
        now: RFC 3339.
    """
    previous: dict[str, Any] = current.get("status") or {}
    generation = int(stored.raw["metadata"].get("generation", 0))
    conditions = merge(
        previous.get("conditions") or [], common_conditions(report, outcome), generation=generation, now=now
    )
    noted = report.status.model_copy(update={"notes": list(report.notes)})
    status = noted.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    for field in ("observedGeneration", "conditions", "plan", "summary", *APPROVALS):
        status.pop(field, None)
    ready = conditions[0]
    summary = report.summary if ready["status"] == "True" else f"{ready['reason']}: {ready['message']}"
    status |= {"observedGeneration": generation, "conditions": conditions, "summary": one_line(summary, SUMMARY_LENGTH)}
    plan = _stored_plan(stored, outcome)
    if plan:
        status["plan"] = plan
    return status | {field: previous[field] for field in APPROVALS if previous.get(field)}


def build_blind(current: Object, stored: Stored, conditions: Iterable[Condition], *, now: str) -> Object:
    """The status of an object that was not worked on: what is recorded stays, without plan and notes.

    Args:
        current: The object as stored now.
        stored: The object as it was last seen.
        conditions: What is said.
        now: RFC 3339.
    """
    previous: dict[str, Any] = current.get("status") or {}
    generation = int(stored.raw["metadata"].get("generation", 0))
    merged = merge(previous.get("conditions") or [], conditions, generation=generation, now=now)
    kept = {field: value for field, value in previous.items() if field not in ("notes", "plan")}
    summary = one_line(f"{merged[0]['reason']}: {merged[0]['message']}", SUMMARY_LENGTH)
    return kept | {"observedGeneration": generation, "conditions": merged, "summary": summary}


def _stored_plan(stored: Stored, outcome: Outcome) -> Object | None:
    steps = steps_of(outcome.plan)
    if not steps:
        return None
    meta = stored.raw["metadata"]
    waiting = covered(outcome.plan)
    shown = [
        StoredStep(
            verb=s.verb,
            target=str(s.target),
            risk=s.risk,
            arguments=s.arguments(),
            why=s.why,
            needs_approval=s in waiting,
        )
        for s in steps[:MAX_STEPS]
    ]
    plan = StoredPlan(
        hash=hash_of(meta["uid"], int(meta.get("generation", 0)), outcome.plan),
        needs_approval=bool(waiting),
        steps=shown,
    )
    return plan.model_dump(mode="json", by_alias=True)


def changed_by(raw: Object) -> str:
    """Who last changed the spec and when, from managedFields; for the audit."""
    entries = [f for f in raw["metadata"].get("managedFields") or [] if "f:spec" in (f.get("fieldsV1") or {})]
    if not entries:
        return "unknown"
    last = max(entries, key=lambda f: str(f.get("time", "")))
    return f"{last.get('manager', 'unknown')} at {last.get('time', 'unknown')}"

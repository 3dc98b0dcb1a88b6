"""The last look at the API server before a step that interrupts a service or can lose data.

What a pass knows came by a watch, and may be late. So right before such a step the object, its Site and the Node of the
step are read again, and an approval is written down. Any difference, or no answer, and the step is not sent; it is
planned again.
"""

import asyncio
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime

from heretic.api.v1alpha1 import HostedEngine, Mode, Node, Resource, Site
from heretic.cluster.client import Cluster, ConflictError, Object
from heretic.domain.approval import Approval, record, used_at
from heretic.domain.declared.mode import common_spec, mode_of
from heretic.domain.errors import HereticError, Reason
from heretic.domain.kind import Kinds
from heretic.domain.plan import Risk, Step, Target, Wait
from heretic.reconcile.gates import APPROVE, common_status, is_paused, left_alone
from heretic.reconcile.gateway import API_SERVER, Effect, Gateway
from heretic.reconcile.store import Key, ObjectStore

ATTEMPTS = 5
"""Tries to record an approval while others write the object."""

SOON = 1.0
"""Seconds until it is planned again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What of an object and its Site decides whether its steps may run."""

    uid: str
    generation: int
    leaving: bool
    mode: Mode
    paused: bool
    deletion_policy: str
    site: tuple[str, int, bool]
    """Uid and generation of the Site, and whether it is being deleted."""


def standing_of(resource: Resource, site: Site | None) -> Standing:
    """Of an object, and of the only Site of its namespace."""
    meta = resource.metadata
    return Standing(
        uid=meta.uid,
        generation=meta.generation,
        leaving=meta.deletion_timestamp is not None,
        mode=mode_of(resource, site),
        paused=is_paused(resource, site, None),
        deletion_policy=common_spec(resource).deletion_policy,
        site=(site.metadata.uid, site.metadata.generation, site.metadata.deletion_timestamp is not None)
        if site
        else ("", 0, False),
    )


def differences(seen: Standing, now: Standing) -> Iterator[str]:
    """What is another now than when the step was planned, one sentence each."""
    if now.uid != seen.uid:
        yield "it was deleted and made anew"
        return
    if now.leaving != seen.leaving:
        yield "it is being deleted"
    if now.paused and not seen.paused:
        yield "it is paused"
    if now.mode is not seen.mode:
        yield f"its mode is {now.mode.value}"
    if now.deletion_policy != seen.deletion_policy:
        yield f"its deletionPolicy is {now.deletion_policy}"
    if now.generation != seen.generation:
        yield "its spec was changed"
    if now.site != seen.site:
        yield "its Site was changed"


class LastCheck:
    """The last checks of one pass over one object.

    Args:
        kinds: All kinds.
        cluster: Read afresh.
        store: Given what was read, so that the next pass plans from it.
        gateway: Where the record of an approval is counted.
        now: Wall clock.
        key: The object.
        seen: It and its Site as the pass saw them.
        approval: What lets steps through that need one.
        has_slot: Whether the object has the site's disruption slot now.
    """

    def __init__(
        self,
        kinds: Kinds,
        cluster: Cluster,
        store: ObjectStore,
        gateway: Gateway,
        *,
        now: Callable[[], datetime],
        key: Key,
        seen: Standing,
        approval: Approval | None,
        has_slot: Callable[[], bool],
    ) -> None:
        self._kinds = kinds
        self._plural = kinds[key.kind].model.PLURAL
        self._cluster = cluster
        self._store = store
        self._gateway = gateway
        self._now = now
        self._key = key
        self._seen = seen
        self._approval = approval
        self._has_slot = has_slot
        self._recorded = False
        self._recording = asyncio.Lock()

    async def __call__(self, step: Step) -> Wait | None:
        """Whether a step may still be sent.

        Returns:
            Why it may not; None when it may.
        """
        covered = self._approval is not None and step in self._approval.steps
        if step.risk is Risk.SAFE and not covered:
            return None
        try:
            async with self._recording:
                why = await self._occupied(step.target) or await self._changed(record_approval=covered)
        except HereticError as error:
            message = f"{step} was not begun, because what is declared could not be read again: {error.failure.message}"
            return Wait(Reason.API_SERVER, message, SOON)
        if not why and step.risk is Risk.DISRUPTIVE and not self._has_slot():
            why = "the site's disruption slot was lost"
        if not why:
            return None
        message = f"{step} was not begun, because since it was planned {why}; it is planned again"
        return Wait(Reason.CHANGED_MEANWHILE, message, SOON)

    async def _changed(self, *, record_approval: bool) -> str:
        for _ in range(ATTEMPTS):
            raw = await self._cluster.read(self._plural, self._key.namespace, self._key.name)
            if raw is None:
                return "it was deleted"
            why = await self._differs(raw)
            if why or not record_approval:
                return why
            assert self._approval is not None
            if (raw["metadata"].get("annotations") or {}).get(APPROVE) != self._approval.word:
                return "its approval was withdrawn"
            if self._recorded:
                return ""
            try:
                return await self._record(raw, self._approval)
            except ConflictError:
                continue
        return "others keep writing it, so that its approval could not be recorded"

    async def _occupied(self, target: Target) -> str:
        """Whether the step's target was taken away from us since; of its own object its generation tells it."""
        if target.kind == HostedEngine.KIND and self._key.kind != HostedEngine.KIND:
            return await self._engine_left_alone(target.name)
        if target.kind != Node.KIND or self._kinds[self._key.kind].is_host:
            return ""
        host = target.name
        raw = await self._cluster.read(Node.PLURAL, self._key.namespace, host)
        if raw is None:
            return ""
        self._store.put(Node.KIND, raw)
        try:
            node = self._kinds.parse_as(Node, raw)
        except ValueError:
            return f"Node {host} cannot be understood any more"
        return f"Node {host} was put in maintenance" if node.spec.maintenance else ""

    async def _engine_left_alone(self, name: str) -> str:
        raw = await self._cluster.read(HostedEngine.PLURAL, self._key.namespace, name)
        if raw is None:
            return f"HostedEngine {name} was deleted"
        self._store.put(HostedEngine.KIND, raw)
        try:
            engine = self._kinds.parse_as(HostedEngine, raw)
        except ValueError:
            return f"HostedEngine {name} cannot be understood any more"
        return left_alone(engine, self._store.view(self._key.namespace).site)

    async def _differs(self, raw: Object) -> str:
        sites = await self._cluster.list(Site.PLURAL, self._key.namespace)
        for kind, obj in [(Site.KIND, s) for s in sites] + [(self._key.kind, raw)]:
            self._store.put(kind, obj)
        try:
            parsed = [self._kinds.parse_as(Site, s) for s in sites]
            resource = self._kinds.parse(self._key.kind, raw)
        except ValueError:
            return "it or its Site cannot be understood any more"
        site = parsed[0] if len(parsed) == 1 else None
        return " and ".join(differences(self._seen, standing_of(resource, site)))

    async def _record(self, raw: Object, approval: Approval) -> str:
        """Writes down that an approval is used up, onto exactly the version that was just looked at."""
        resource = self._kinds.parse(self._key.kind, raw)
        status = common_status(resource)
        if used_at(status, approval.word) is not None:
            return "its approval was used up"
        stamp = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        records = record(status, approval, resource.metadata.generation, stamp)
        changed = deepcopy(raw)
        changed.setdefault("status", {})["approvals"] = [r.model_dump(mode="json", by_alias=True) for r in records]
        effect = Effect(str(self._key), resource.metadata.generation, API_SERVER, "RecordApproval")
        written = await self._gateway.perform(
            effect, lambda: self._cluster.replace_status(self._plural, changed), lambda _: "Done"
        )
        self._store.put(self._key.kind, written)
        self._recorded = True
        return ""

"""Runs the steps of a plan: hosts side by side, steps of one host in order, stopping where one fails."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

from heretic.api.v1alpha1 import Node
from heretic.domain.errors import Bug, HereticError, NeedsUser, Transient
from heretic.domain.plan import Done, Failed, Started, Step, StepResult
from heretic.domain.site.view import SiteView
from heretic.hosts.pool import Hosts
from heretic.reconcile.access import Access
from heretic.reconcile.gateway import Effect, Gateway
from heretic.reconcile.metrics import ROUND_TRIPS, UNNEEDED
from heretic.reconcile.observer import Observer
from heretic.reconcile.store import Key

Results = tuple[tuple[Step, StepResult], ...]


class Applier:
    """Runs steps on hosts, each through the gateway.

    Args:
        hosts: The SSH connections.
        access: How each host is reached.
        gateway: Where effects are counted and audited.
        observer: Told of every host that was touched.
    """

    def __init__(self, hosts: Hosts, access: Access, gateway: Gateway, observer: Observer) -> None:
        self._hosts = hosts
        self._access = access
        self._gateway = gateway
        self._observer = observer
        self._turns: dict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def apply(
        self,
        key: Key,
        generation: int,
        changed_by: str,
        view: SiteView,
        steps: Sequence[Step],
        *,
        ordered: bool,
        may_act: Callable[[], int | None],
    ) -> Results:
        """Runs steps.

        Args:
            key: The object for which they run.
            generation: Of its spec.
            changed_by: Who changed the spec, for the audit.
            view: The declared site.
            steps: What to run.
            ordered: Whether the order counts across hosts.
            may_act: Asked before each step: the fencing token, or None when we must stop (the lease is lost, the
                kill switch was thrown).

        Returns:
            Each step that was tried, with its result.
        """
        lanes: dict[str, list[Step]] = {}
        for step in steps:
            lanes.setdefault("all" if ordered else step.host, []).append(step)

        async def lane(queue: list[Step]) -> list[tuple[Step, StepResult]]:
            tried: list[tuple[Step, StepResult]] = []
            for step in queue:
                # One step a host at a time: several objects want the same hosts, and a host takes one at a time.
                async with self._turns[key.namespace, step.host]:
                    token = may_act()
                    if token is None:
                        break
                    result = await self._one(key, generation, changed_by, view, step, token)
                tried.append((step, result))
                if not isinstance(result, Done):
                    break
            return tried

        done = await asyncio.gather(*(lane(queue) for queue in lanes.values()))
        return tuple(entry for lane_done in done for entry in lane_done)

    async def _one(
        self, key: Key, generation: int, changed_by: str, view: SiteView, step: Step, token: int
    ) -> StepResult:
        node = view.nodes.get(step.host)
        if node is None:
            return Failed(Bug(f"{step.verb} was planned for {step.host}, which is no Node"))
        effect = Effect(
            object=str(key),
            generation=generation,
            target=step.host,
            verb=step.verb,
            risk=step.risk.value,
            arguments=step.arguments(),
            why=step.why,
            changed_by=changed_by,
        )
        try:
            return await self._gateway.perform(effect, lambda: self._run(key, view, node, step, token), _named)
        except HereticError as error:
            return Failed(error.failure)

    async def _run(self, key: Key, view: SiteView, node: Node, step: Step, token: int) -> StepResult:
        settings = await self._access.settings(key.namespace, view, node)
        ROUND_TRIPS.labels(host=step.host).inc()
        try:
            result = await self._hosts.perform(settings, step.script(), token=token)
        finally:
            self._observer.changed(key.namespace, step.host, lasting=key.kind == Node.KIND)
        if isinstance(result, Done) and not result.changed:
            UNNEEDED.labels(verb=step.verb).inc()
        return _told_by(step, result)


def _told_by(step: Step, result: StepResult) -> StepResult:
    """A failure's message begins with the step, because a reader sees it far from its place."""
    match result:
        case Failed(Transient(reason, message)):
            return Failed(Transient(reason, f"{step}: {message}"))
        case Failed(NeedsUser(reason, message)):
            return Failed(NeedsUser(reason, f"{step}: {message}"))
        case _:
            return result


def _named(result: StepResult) -> str:
    match result:
        case Done(changed):
            return "Done" if changed else "Unchanged"
        case Started(job):
            return f"Started: {job}"
        case Failed(failure):
            return f"Failed: {failure.reason.value}: {failure.message}"

"""Runs the steps of a plan: targets side by side, steps of one target in order, stopping where one fails."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Bug, Failure, HereticError, NeedsUser, Transient
from heretic.domain.plan import Done, Failed, Started, Step, StepResult, Target, Wait
from heretic.hosts.fence import Admission, Fence
from heretic.reconcile.executors import Executors
from heretic.reconcile.gateway import Effect, Gateway
from heretic.reconcile.leadership import Leadership
from heretic.reconcile.metrics import UNNEEDED
from heretic.reconcile.store import Key

log = logging.getLogger(__name__)

Results = tuple[tuple[Step, StepResult], ...]

Check = Callable[[Step], Awaitable[Wait | None]]
"""Asked right before each step is sent: why it may not be, None when it may."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the steps that were to run.

    Attributes:
        results: Each step that was tried, with its result.
        held: Why a step was not begun after all; None when no last check forbade one.
    """

    results: Results = ()
    held: Wait | None = None


class _Admission:
    """What one step has to pass when its turn has come."""

    def __init__(self, leader: Leadership, last_check: Check, step: Step) -> None:
        self.fence = leader.fence
        self.outdated = leader.outdated
        self._last_check = last_check
        self._step = step
        self.held: Wait | None = None

    async def check(self) -> Failure | None:
        self.held = await self._last_check(self._step)
        return Transient(self.held.reason, self.held.message) if self.held else None


class Applier:
    """Runs steps, each through the gateway.

    Args:
        executors: Who does a step, by the kind of its target.
        gateway: Where effects are counted and audited.
        leader: Whether we may act.
    """

    def __init__(self, executors: Executors, gateway: Gateway, leader: Leadership) -> None:
        self._executors = executors
        self._gateway = gateway
        self._leader = leader
        self._turns: dict[tuple[str, Target], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def apply(
        self,
        key: Key,
        generation: int,
        changed_by: str,
        view: SiteView,
        steps: Sequence[Step],
        *,
        ordered: bool,
        last_check: Check,
    ) -> Applied:
        """Runs steps.

        Args:
            key: The object for which they run.
            generation: Of its spec.
            changed_by: Who changed the spec, for the audit.
            view: The declared site.
            steps: What to run.
            ordered: Whether the order counts across targets.
            last_check: Asked right before each step is sent.
        """
        lanes: dict[Target | None, list[Step]] = {}
        for step in steps:
            lanes.setdefault(None if ordered else step.target, []).append(step)

        tried: list[tuple[Step, StepResult]] = []
        held: list[Wait] = []

        async def lane(queue: list[Step]) -> None:
            for step in queue:
                # One step a target at a time: several objects want the same host, and it takes one at a time.
                async with self._turns[key.namespace, step.target]:
                    if not isinstance(self._leader.fence(), Fence):
                        return
                    admission = _Admission(self._leader, last_check, step)
                    result = await self._one(key, generation, changed_by, view, step, admission)
                if admission.held is not None:
                    held.append(admission.held)
                    return
                tried.append((step, result))
                if not isinstance(result, Done):
                    return

        # When one lane breaks, no other one runs on by itself. Callers know no groups, and what kills the operator in a
        # test is no Exception.
        try:
            async with asyncio.TaskGroup() as group:
                for queue in lanes.values():
                    group.create_task(lane(queue))
        except BaseExceptionGroup as broken:
            raise broken.exceptions[0] from None
        return Applied(tuple(tried), next(iter(held), None))

    async def _one(
        self, key: Key, generation: int, changed_by: str, view: SiteView, step: Step, admission: Admission
    ) -> StepResult:
        effect = Effect(
            object=str(key),
            generation=generation,
            target=str(step.target),
            verb=step.verb,
            risk=step.risk.value,
            arguments=step.arguments(),
            why=step.why,
            changed_by=changed_by,
        )
        try:
            return await self._gateway.perform(effect, lambda: self._run(key, view, step, admission), _named)
        except HereticError as error:
            return Failed(error.failure)
        except Exception:  # a mistake of ours in one step must not take the results of the others away
            log.exception("%s: a mistake of ours in %s", key, step)
            return Failed(Bug(f"{step} broke; the operator's log has the details"))

    async def _run(self, key: Key, view: SiteView, step: Step, admission: Admission) -> StepResult:
        executor = self._executors.get(step.target.kind)
        if executor is None:
            return Failed(Bug(f"{step.verb} was planned for {step.target}, on which nothing can be done"))
        result = await executor.perform(key, view, step, admission)
        if isinstance(result, Done) and not result.changed:
            UNNEEDED.labels(verb=step.verb).inc()
        return _naming_step(step, result)


def _naming_step(step: Step, result: StepResult) -> StepResult:
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

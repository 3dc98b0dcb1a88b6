"""Does one call in an engine: looks, asks once, looks again."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from heretic.domain.commands import SecretRef
from heretic.domain.engine.call import EngineCall, Expectation, unmet
from heretic.domain.engine.record import Record
from heretic.domain.errors import Bug, Failure, HereticError, NeedsUser, Reason, Transient
from heretic.domain.plan import Done, Failed, StepResult
from heretic.engine.reading import listed
from heretic.engine.session import BarredError, EngineSession
from heretic.engine.worker import Worker

_PAUSE = 1.0
"""Seconds between two looks at an effect that does not show yet."""

_SHORTEST_SECRET = 4


class Clearance(Protocol):
    """Whether one step may still be sent."""

    async def check(self) -> Failure | None:
        """Looks again at what the step was planned from; None = go on."""

    def barred(self) -> Failure | None:
        """Asked in the moment in which the request is sent: why we must stop; None = send it."""


class Performance:
    """One call.

    Args:
        session: With the engine.
        worker: Writes and reads bodies.
        call: What to check, ask and verify.
        correlation: Names the step in the engine's events and logs.
        secrets: The value of each secret that the call names.
    """

    def __init__(
        self,
        session: EngineSession,
        worker: Worker,
        call: EngineCall,
        correlation: str,
        secrets: Mapping[SecretRef, str],
    ) -> None:
        self._session = session
        self._worker = worker
        self._call = call
        self._correlation = correlation
        self._secrets = secrets

    async def result(self, clearance: Clearance) -> StepResult:
        """Does it.

        Returns:
            Done or Failed. After Failed with EngineNotAnswering nobody knows whether the step took effect; the next
            look shows it.
        """
        try:
            method, path, body = await self._worker.write(self._call, self._secrets)
            seen = await self._look(self._call.done + self._call.guards)
            trouble = _first_unmet(self._call.done, seen)
            if trouble is None and not self._call.unseen:
                return Done(changed=False)
            if isinstance(trouble, NeedsUser):
                return Failed(trouble)
            guard = _first_unmet(self._call.guards, seen)
            if guard is not None:
                return Failed(_said(guard, f"{self._session.settings}: the step may not start"))
            outdated = await clearance.check()
            if outdated is not None:
                return Failed(outdated)
            return await self._act(method, path, body, clearance)
        except HereticError as error:
            return Failed(self._cleaned(error.failure))

    async def _act(self, method: str, path: str, body: bytes | None, clearance: Clearance) -> StepResult:
        request = self._call.request
        query = {**dict(request.query), "correlation_id": self._correlation}
        doing = f"{request.operation} {request.path}"
        try:
            await self._session.request(
                method,
                path,
                doing=doing,
                seconds=request.seconds,
                query=query,
                body=body,
                barred=clearance.barred,
            )
        except BarredError as error:
            return Failed(error.failure)
        except HereticError as error:
            return await self._in_spite_of(error.failure)
        return await self._verified()

    async def _in_spite_of(self, failure: Failure) -> StepResult:
        """A request that failed may have been done: its reply was lost, or somebody else was faster."""
        try:
            seen = await self._look(self._call.done)
        except HereticError:
            seen = {}
        if seen and not self._call.unseen and _first_unmet(self._call.done, seen) is None:
            return Done(changed=failure.reason is Reason.ENGINE_NOT_ANSWERING)
        if failure.reason is Reason.ENGINE_NOT_ANSWERING:
            unsure = "; whether the engine did it is not known, and the next look shows it"
            failure = Transient(failure.reason, failure.message + unsure)
        return Failed(self._cleaned(failure, f" (correlation id {self._correlation})"))

    async def _verified(self) -> StepResult:
        clock = asyncio.get_running_loop().time
        until = clock() + self._call.settle
        while True:
            trouble = _first_unmet(self._call.done, await self._look(self._call.done))
            if trouble is None:
                return Done(changed=True)
            if isinstance(trouble, NeedsUser) or clock() >= until:
                agreed = f"the engine agreed (correlation id {self._correlation}), and the effect does not show"
                return Failed(_said(trouble, f"{self._session.settings}: {agreed}"))
            await asyncio.sleep(_PAUSE)

    async def _look(self, expectations: Sequence[Expectation]) -> Mapping[tuple[str, bool], list[Record]]:
        """Lists each collection that is named, once."""
        wanted = dict.fromkeys((e.thing.collection, e.thing.all_content) for e in expectations)
        return {
            (path, everything): await listed(
                self._session,
                self._worker,
                path,
                doing=f"its {path}",
                query={"all_content": "true"} if everything else None,
            )
            for path, everything in wanted
        }

    def _cleaned(self, failure: Failure, more: str = "") -> Failure:
        """The failure without the values of secrets, which an engine could repeat."""
        message = failure.message
        for value in self._secrets.values():
            if len(value) >= _SHORTEST_SECRET:
                message = message.replace(value, "…")
        return _with_message(failure, message + more)


def _first_unmet(
    expectations: Sequence[Expectation], seen: Mapping[tuple[str, bool], Sequence[Record]]
) -> Failure | None:
    """What a person must decide first, then the first expectation that does not hold."""
    unmets = [unmet(e, seen[e.thing.collection, e.thing.all_content]) for e in expectations]
    return next((u for u in unmets if isinstance(u, NeedsUser)), next((u for u in unmets if u is not None), None))


def _said(failure: Failure, what: str) -> Failure:
    return _with_message(failure, f"{what}: {failure.message}")


def _with_message(failure: Failure, message: str) -> Failure:
    return Bug(message) if isinstance(failure, Bug) else type(failure)(failure.reason, message)

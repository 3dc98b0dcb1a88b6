"""All engines: every question to one and every change of one goes through here."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from heretic.domain.commands import SecretRef
from heretic.domain.engine.call import EngineCall
from heretic.domain.engine.extras import Question
from heretic.domain.engine.facts import EngineFacts, News
from heretic.domain.engine.power import password_hash
from heretic.domain.errors import Failure, HereticError, NeedsUser, Reason, Transient
from heretic.domain.facts import Known, Unknown
from heretic.domain.plan import Done, StepResult
from heretic.engine.certificate import offered
from heretic.engine.look import Look
from heretic.engine.perform import Clearance, Performance
from heretic.engine.session import EngineSession, EngineTraffic
from heretic.engine.settings import EngineSettings
from heretic.engine.worker import Worker

LOOK_SECONDS = 60.0
"""For all requests of one look together."""


@dataclass(slots=True)
class _Seen:
    """What the last look at one engine said, for all who ask next.

    Attributes:
        settings: With which it was looked at.
        extras: What was asked besides.
        begun: When; None = what it said is out of date.
        last_event: Index of the newest event that was seen; None before the first look.
        turn: One look at a time.
        given: A hash of each password that was given to it, by its key.
    """

    settings: EngineSettings | None = None
    extras: frozenset[Question] = frozenset()
    said: EngineFacts | Failure | None = None
    begun: float | None = None
    last_event: int | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    given: dict[str, str] = field(default_factory=dict)


class Engines:
    """One session an engine, opened when it is first needed.

    Bound to the event loop that it is first used in; every method is safe for concurrent use there.

    Args:
        monotonic: Seconds.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._worker = Worker()
        self._sessions: dict[str, EngineSession] = {}
        self._traffic: dict[str, EngineTraffic] = {}
        self._seen: dict[str, _Seen] = {}

    async def look(
        self, settings: EngineSettings, *, max_age: float = 0.0, extras: frozenset[Question] = frozenset()
    ) -> EngineFacts:
        """Looks at everything in an engine that Heretic keeps; changes nothing.

        All objects of a site share a look. What it said, also that it failed, is good for those who ask soon after it,
        unless a step was done in between.

        Args:
            settings: Of the engine; when they changed since the last call, a new session is opened.
            max_age: Seconds since another one's look began, within which it will do.
            extras: What is asked besides.

        Raises:
            HereticError: It does not say who it is: it cannot be reached, does not let us in, or is not up.
        """
        seen = self._seen.setdefault(settings.name, _Seen())
        async with seen.turn:
            now = self._monotonic()
            same = seen.settings == settings and seen.extras >= extras
            if seen.begun is None or not same or now - seen.begun > max_age or seen.said is None:
                seen.begun, seen.settings, seen.extras, seen.said = now, settings, extras, None
                said = await self._looked(settings, seen.last_event, extras)
                seen.said = replace(said, given=dict(seen.given)) if isinstance(said, EngineFacts) else said
            if not isinstance(seen.said, EngineFacts):
                raise HereticError(seen.said)
            if isinstance(seen.said.news, Known):
                seen.last_event = seen.said.news.value.last
            return seen.said

    async def _looked(
        self, settings: EngineSettings, last_event: int | None, extras: frozenset[Question]
    ) -> EngineFacts | Failure:
        try:
            session = await self._session(settings)
            async with asyncio.timeout(LOOK_SECONDS):
                return await Look(session, self._worker).facts(last_event, extras)
        except HereticError as error:
            return error.failure
        except TimeoutError:
            message = f"{settings}: a look was not complete within {LOOK_SECONDS:.0f} s"
            return Transient(Reason.ENGINE_NOT_ANSWERING, message)

    async def news(self, settings: EngineSettings, last: int | None) -> News:
        """What an engine wrote down since it was asked before: one request.

        Args:
            settings: Of the engine.
            last: Index of the newest event at that time; None where it was not asked.

        Raises:
            HereticError: It cannot be told.
        """
        told = await Look(await self._session(settings), self._worker).news(last)
        if not isinstance(told, Known):
            cause = told.cause if isinstance(told, Unknown) else "it says nothing"
            raise HereticError(Transient(Reason.ENGINE_NOT_ANSWERING, f"{settings}: {cause}"))
        return told.value

    async def perform(
        self,
        settings: EngineSettings,
        call: EngineCall,
        *,
        correlation: str,
        secrets: Mapping[SecretRef, str],
        clearance: Clearance,
    ) -> StepResult:
        """Does one step in an engine; safe to repeat.

        Args:
            settings: Of the engine.
            call: What to check, ask and verify.
            correlation: Names the step in the engine's events and logs.
            secrets: The value of each secret that the call names.
            clearance: Asked right before the request is sent.

        Raises:
            HereticError: There is no session with the engine.
        """
        session = await self._session(settings)
        try:
            result = await Performance(session, self._worker, call, correlation, secrets).result(clearance)
            if isinstance(result, Done) and result.changed and call.gives:
                seen = self._seen.setdefault(settings.name, _Seen())
                (password,) = secrets.values()
                seen.given[call.gives] = password_hash(password, call.gives, under=settings.password)
            return result
        finally:
            if settings.name in self._seen:
                self._seen[settings.name].begun = None

    @property
    def counters(self) -> Mapping[str, EngineTraffic]:
        """Requests and logins by the engine's name."""
        return self._traffic

    async def forget(self, name: str) -> None:
        """Ends the session with an engine that is no longer declared."""
        self._traffic.pop(name, None)
        self._seen.pop(name, None)
        session = self._sessions.pop(name, None)
        if session is not None:
            await session.close()

    async def close(self) -> None:
        """Ends all sessions."""
        sessions = list(self._sessions.values())
        self._sessions.clear()
        await asyncio.gather(*(session.close() for session in sessions))
        self._worker.close()

    async def _session(self, settings: EngineSettings) -> EngineSession:
        if not settings.ca:
            offer = await offered(settings)
            raise HereticError(NeedsUser(Reason.ENGINE_CERTIFICATE_NOT_PINNED, offer.message(settings)))
        known = self._sessions.get(settings.name)
        if known is not None and known.settings == settings:
            return known
        session = EngineSession(settings, self._traffic.setdefault(settings.name, EngineTraffic()))
        self._sessions[settings.name] = session
        if known is not None:
            await known.close()
        return session

"""One look at an engine serves every object of its site; one that is slow or away keeps nobody waiting."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from heretic.domain.declared.engine import engine_name
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.extras import Question, extras_of
from heretic.domain.engine.facts import NOT_LOOKED_AT, EngineView
from heretic.domain.errors import HereticError, Reason, Transient, mistake
from heretic.engine.engines import Engines
from heretic.reconcile.engine_access import DeclaredEngineAccess

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds for which a pass waits for a look. Hosts and volumes are kept also while their engine is away."""

FACTS_KEPT_SECONDS = 180.0
"""How long an answer may stand in for one that takes longer than that."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a look said.

    Attributes:
        at: When the look began.
        said: What is known.
        extras: What was asked besides.
    """

    at: float
    said: EngineView
    extras: frozenset[Question]


class EngineObserver:
    """Looks at the engines of sites.

    Args:
        engines: The sessions.
        access: How each engine is reached.
        monotonic: Seconds.
        patience: Seconds for which a pass waits.
    """

    def __init__(
        self,
        engines: Engines,
        access: DeclaredEngineAccess,
        *,
        monotonic: Callable[[], float],
        patience: float = PATIENCE,
    ) -> None:
        self._engines = engines
        self._access = access
        self._monotonic = monotonic
        self._patience = patience
        self._looks: dict[str, asyncio.Task[EngineView]] = {}
        self._begun: dict[str, float] = {}
        self._answers: dict[str, _Answer] = {}
        self._endings: set[asyncio.Task[None]] = set()

    async def look(self, namespace: str, view: SiteView, max_age: float) -> EngineView:
        """What is known of a site's engine.

        Args:
            namespace: Of the site.
            view: The declared site.
            max_age: Seconds; an answer from a look that began before is not used, unless a new one takes too long.
        """
        name = engine_name(view)
        if not name:
            return NOT_LOOKED_AT
        now, extras = self._monotonic(), extras_of(view)
        answer = self._answers.get(namespace)
        if answer is not None and now - answer.at <= max_age and answer.extras >= extras:
            return answer.said
        look = self._looks.get(namespace)
        if look is None or look.done():
            self._begun[namespace] = now
            look = asyncio.create_task(
                self._look(namespace, view, name, extras, now),
                name=f"look at the engine of {namespace}",
            )
            self._looks[namespace] = look
        done, _ = await asyncio.wait([look], timeout=self._patience)
        return look.result() if done else self.known(namespace)

    def known(self, namespace: str) -> EngineView:
        """What is known now, without waiting for a look that is on its way."""
        answer = self._answers.get(namespace)
        if answer is not None and self._monotonic() - answer.at <= FACTS_KEPT_SECONDS:
            return answer.said
        waited = self._monotonic() - self._begun.get(namespace, self._monotonic())
        if waited < 1:
            return NOT_LOOKED_AT
        return Transient(Reason.ENGINE_NOT_ANSWERING, f"the engine has not answered for {waited:.0f} s; it is asked on")

    def engine_changed(self, namespace: str) -> None:
        """A step was done in the engine: what was seen before is no longer used, nor what is being looked at now."""
        self._answers.pop(namespace, None)
        self._looks.pop(namespace, None)
        self._access.forget_passwords(namespace)

    def forget(self, namespace: str, name: str) -> None:
        """A HostedEngine was deleted: its session ends by and by."""
        self.engine_changed(namespace)
        self._access.forget(namespace)
        ending = asyncio.create_task(self._engines.forget(f"{namespace}/{name}"), name=f"end of {namespace}/{name}")
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _look(
        self, namespace: str, view: SiteView, name: str, extras: frozenset[Question], begun: float
    ) -> EngineView:
        said = await self._look_now(namespace, view, name, extras)
        if self._looks.get(namespace) is asyncio.current_task():
            self._answers[namespace] = _Answer(begun, said, extras)
        return said

    async def _look_now(self, namespace: str, view: SiteView, name: str, extras: frozenset[Question]) -> EngineView:
        try:
            settings = await self._access.engine(namespace, view, name)
            facts = await self._engines.look(settings, extras=extras)
            hashes = await self._access.password_hashes(namespace, view, under=settings.password)
            return replace(facts, passwords=hashes)
        except HereticError as error:
            if error.failure.reason is Reason.ENGINE_LOGIN_REFUSED:
                self._access.forget(namespace)
            return error.failure
        except Exception as error:  # a mistake of ours is told of this engine; the passes that share the look go on
            log.exception("looking at the engine of %s: a mistake of ours", namespace)
            return mistake(error)

"""Asks engines what they have written down, more often than they are looked at, so that trouble is seen sooner.

One request an engine. Nobody is asked where no engine is declared, nor while the last look at an engine failed: passes
try that one again with their own pauses, and an engine locks out who logs in wrongly again and again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from heretic.domain.declared.engine import engine_name
from heretic.domain.engine.call import ENGINE
from heretic.domain.engine.facts import EngineFacts, EngineView, News
from heretic.domain.engine.news import is_worth_a_look
from heretic.domain.errors import HereticError
from heretic.engine.settings import EngineSettings
from heretic.reconcile.engine_executor import EngineAccess
from heretic.reconcile.store import Key, ObjectStore
from heretic.reconcile.wake import WakeUps

log = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds between two questions."""

LIMIT = 10.0
"""Seconds for one question: a slow engine is not asked twice at a time."""


class AskableEngines(Protocol):
    """Engines that tell what is new."""

    async def news(self, settings: EngineSettings, last: int | None) -> News:
        """What was written since; see Engines."""


class SeenEngines(Protocol):
    """What is known of engines; see EngineObserver."""

    def known(self, namespace: str) -> EngineView:
        """What is known now."""

    def engine_changed(self, namespace: str) -> None:
        """What was seen before is no longer used."""


class EngineNews:
    """Wakes what is kept in an engine when something happened there.

    Args:
        engines: Asked.
        access: How each is reached.
        seen: Knows which engines answer.
        store: Where the HostedEngines are.
        wakes: Of their objects.
        leads: Whether we may act; a second operator asks nobody.
    """

    def __init__(
        self,
        engines: AskableEngines,
        access: EngineAccess,
        seen: SeenEngines,
        store: ObjectStore,
        wakes: WakeUps,
        *,
        leads: Callable[[], bool],
    ) -> None:
        self._engines = engines
        self._access = access
        self._seen = seen
        self._store = store
        self._wakes = wakes
        self._leads = leads
        self._last: dict[Key, int] = {}
        self._failing: set[Key] = set()

    async def run(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Asks again and again.

        Args:
            sleep: Waits so many seconds.
        """
        while True:
            await sleep(EVERY)
            await self.ask_all()

    async def ask_all(self) -> None:
        """Asks every engine that answers, once."""
        declared = self._declared()
        for gone in (self._last.keys() | self._failing).difference(declared):
            self._last.pop(gone, None)
            self._failing.discard(gone)
        if self._leads():
            answering = (key for key in declared if isinstance(self._seen.known(key.namespace), EngineFacts))
            await asyncio.gather(*map(self._ask, answering))

    def _declared(self) -> list[Key]:
        namespaces = self._store.namespaces(ENGINE)
        named = [Key(ENGINE, space, engine_name(self._store.view(space))) for space in namespaces]
        return [key for key in named if key.name]

    async def _ask(self, key: Key) -> None:
        try:
            settings = await self._access.engine(key.namespace, self._store.view(key.namespace), key.name)
            async with asyncio.timeout(LIMIT):
                news = await self._engines.news(settings, self._last.get(key))
        except (HereticError, TimeoutError) as error:
            if key not in self._failing:
                log.info("%s gives no news, so it is looked at: %s", key, error)
                self._failing.add(key)
                self._wake(key)
            return
        except Exception:  # a mistake of ours must not end the task that asks all others
            log.exception("asking %s for news: a mistake of ours", key)
            return
        self._failing.discard(key)
        self._last[key] = news.last
        if is_worth_a_look(news):
            self._wake(key)

    def _wake(self, key: Key) -> None:
        self._seen.engine_changed(key.namespace)
        self._wakes.wake(key)
        self._wakes.wake_dependents(key)

"""Engines are asked for news, and what is kept in them is woken when something happened."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import ENGINE
from heretic.domain.engine.facts import NOT_LOOKED_AT, EngineFacts, EngineIdentity, EngineView, Event, News
from heretic.domain.engine.news import is_worth_a_look
from heretic.domain.errors import HereticError, Reason, Transient
from heretic.engine.settings import EngineSettings
from heretic.reconcile.engine_news import EVERY, EngineNews
from heretic.reconcile.store import Key, ObjectStore
from heretic.reconcile.wake import WakeUps

FACTS = EngineFacts(identity=EngineIdentity("id", "4.5.7", None))
KEY = Key(ENGINE, "home", "engine")
NETWORK, NODE = Key("Network", "home", "lan"), Key("Node", "home", "n1")
SPECS: dict[str, Any] = {
    ENGINE: {"fqdn": "engine.example.test", "deployment": "Existing"},
    "Network": {"role": "LAN", "subnet": "172.20.12.0/24"},
    "Site": {},
}


def event(severity: str = "normal", about: Sequence[str] = (), correlation: str = "", index: int = 5) -> Event:
    return Event(index, 1, severity, None, "something", correlation, "", frozenset(about))


@pytest.mark.parametrize(
    ("news", "counts"),
    [
        (News((), 4, missed=False), False),
        (News((event("warning"),), 5, missed=False), True),
        (News((event("error", ["vm"]),), 5, missed=False), True),
        (News((event("alert"),), 5, missed=False), True),
        (News((event(),), 5, missed=False), False),
        (News((event(about=["host", "cluster"]),), 5, missed=False), True),
        (News((event(about=["storage_domain"]),), 5, missed=False), True),
        (News((event(about=["data_center"]),), 5, missed=False), True),
        (News((event(about=["vm", "host", "cluster"]),), 5, missed=False), False),
        (News((event("error", ["host"], "heretic-AddNetwork-lan-0123456789"),), 5, missed=False), False),
        (News((event(), event("warning")), 6, missed=False), True),
        (News((), 2, missed=True), True),
    ],
)
def test_what_makes_an_engine_worth_a_look(news: News, counts: bool) -> None:
    assert is_worth_a_look(news) is counts


@dataclass
class Engine:
    """An engine that is asked, and what is known of it.

    Attributes:
        answers: What it says next.
        asked: The index that each question began from.
        known_as: What the last look showed.
        leads: Whether this operator has the lease.
        changed: How often what was seen was dropped.
    """

    answers: list[News | Exception] = field(default_factory=list)
    asked: list[int | None] = field(default_factory=list)
    known_as: EngineView = FACTS
    leads: bool = True
    changed: int = 0

    def __post_init__(self) -> None:
        self.store = ObjectStore()
        self.wakes = WakeUps(self.store)
        self.events = EngineNews(self, self, self, self.store, self.wakes, leads=lambda: self.leads)

    def declare(self, *keys: Key) -> None:
        for key in keys:
            meta = {"name": key.name, "namespace": key.namespace, "uid": str(key), "generation": 1}
            self.store.put(key.kind, {"metadata": meta | {"resourceVersion": "1"}, "spec": SPECS[key.kind]})
            self.wakes.seen(key)

    async def engine(self, namespace: str, view: SiteView, name: str) -> EngineSettings:
        return EngineSettings(f"{namespace}/{name}", "engine.example.test", "admin@internal", "secret")

    async def news(self, settings: EngineSettings, last: int | None) -> News:
        self.asked.append(last)
        answer = self.answers.pop(0) if self.answers else News((), last or 0, missed=False)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def known(self, namespace: str) -> EngineView:
        return self.known_as

    def engine_changed(self, namespace: str) -> None:
        self.changed += 1

    async def ask(self, *answers: News | Exception) -> set[Key]:
        """Asks once; who was woken."""
        self.answers = list(answers)
        for key in self.store.keys("home"):
            self.wakes.clear(key)
        await self.events.ask_all()
        return {key for key in self.store.keys("home") if await self.wakes.wait(key, 0)}


@pytest.fixture
def engine() -> Engine:
    made = Engine()
    made.declare(KEY, NETWORK, Key("Site", "home", "home"))
    return made


async def test_trouble_wakes_the_engine_and_what_is_kept_in_it(engine: Engine) -> None:
    assert await engine.ask(News((), 4, missed=False)) == set()
    assert await engine.ask(News((event("error"),), 5, missed=False)) == {KEY, NETWORK}
    assert engine.changed == 1
    assert await engine.ask() == set()
    assert engine.asked == [None, 4, 5]


async def test_what_does_not_concern_the_site_wakes_nobody(engine: Engine) -> None:
    await engine.ask(News((), 4, missed=False))
    assert await engine.ask(News((event(about=["vm"]),), 5, missed=False)) == set()
    assert engine.changed == 0


async def test_a_restored_engine_is_looked_at(engine: Engine) -> None:
    await engine.ask(News((), 400, missed=False))
    assert KEY in await engine.ask(News((event(index=3),), 3, missed=True))
    await engine.ask()
    assert engine.asked == [None, 400, 3]


async def test_an_engine_that_gives_no_answer_is_looked_at_once(engine: Engine) -> None:
    failure = HereticError(Transient(Reason.ENGINE_NOT_ANSWERING, "it broke off"))
    await engine.ask(News((), 4, missed=False))
    assert KEY in await engine.ask(failure)
    assert await engine.ask(failure) == set()
    assert await engine.ask(News((), 4, missed=False)) == set()
    assert KEY in await engine.ask(failure)


@pytest.mark.parametrize("known", [NOT_LOOKED_AT, Transient(Reason.ENGINE_UNREACHABLE, "no connection")])
async def test_an_engine_whose_look_failed_is_not_asked_besides(engine: Engine, known: EngineView) -> None:
    await engine.ask(News((), 4, missed=False))
    engine.known_as = known
    await engine.ask()
    assert engine.asked == [None]
    engine.known_as = FACTS
    assert KEY in await engine.ask(News((event("error"),), 5, missed=False))


async def test_without_the_lease_nobody_is_asked(engine: Engine) -> None:
    engine.leads = False
    await engine.ask()
    assert engine.asked == []


async def test_where_no_engine_is_declared_nobody_is_asked() -> None:
    bare = Engine()
    bare.declare(NETWORK)
    await bare.ask()
    assert bare.asked == []


async def test_a_mistake_of_ours_ends_nothing(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    await engine.ask(ValueError("wrong"))
    assert "a mistake of ours" in caplog.text
    await engine.ask(News((), 4, missed=False))
    assert engine.asked == [None, None]


async def test_it_is_asked_again_and_again_and_no_more_often(engine: Engine) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > 3:
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await engine.events.run(sleep)
    assert slept == [EVERY] * 4
    assert len(engine.asked) == 3

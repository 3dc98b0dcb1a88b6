"""One look at an engine serves all who ask, and a slow engine keeps nobody waiting."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.extras import Extra
from heretic.domain.engine.facts import NOT_LOOKED_AT, EngineFacts, EngineIdentity
from heretic.domain.errors import Bug, HereticError, NeedsUser, Reason, Transient
from heretic.engine.engines import Engines
from heretic.engine.settings import EngineSettings
from heretic.reconcile.engine_access import DeclaredEngineAccess
from heretic.reconcile.engine_observer import FACTS_KEPT_SECONDS, EngineObserver

FACTS = EngineFacts(identity=EngineIdentity("id", "4.5.7", None))


@dataclass
class SlowEngine:
    """Answers when it is let.

    Attributes:
        answer: What it says.
        open: Whether it answers.
        looks: How often it was looked at.
        forgotten: How often its Secret was dropped.
    """

    answer: Any = FACTS
    open: asyncio.Event = field(default_factory=asyncio.Event)
    looks: int = 0
    forgotten: int = 0
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.open.set()
        self.observer = EngineObserver(
            cast("Engines", self), cast("DeclaredEngineAccess", self), monotonic=lambda: self.now, patience=0.05
        )

    async def engine(self, namespace: str, view: SiteView, name: str) -> EngineSettings:
        return EngineSettings(f"{namespace}/{name}", "engine.example.test", "admin@internal", "secret")

    async def look(self, settings: EngineSettings, *, extras: frozenset[Extra] = frozenset()) -> EngineFacts:
        self.looks += 1
        await self.open.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return cast("EngineFacts", self.answer)

    def forget(self, namespace: str) -> None:
        self.forgotten += 1

    def forget_passwords(self, namespace: str) -> None:
        pass

    async def password_hashes(self, namespace: str, view: SiteView, *, under: str) -> dict[str, str]:
        return {}

    async def asked(self, max_age: float = 0.0) -> object:
        return await self.observer.look("home", VIEW, max_age)


def view(*names: str) -> SiteView:
    spec = {"fqdn": "engine.example.test", "deployment": "Existing"}
    return SiteView.holding(
        HostedEngine.model_validate({"metadata": {"name": name, "namespace": "home"}, "spec": spec}) for name in names
    )


VIEW = view("engine")


@pytest.mark.parametrize("declared", [view(), view("one", "two")], ids=["none", "two"])
async def test_where_there_is_no_one_engine_nobody_is_asked(declared: SiteView) -> None:
    engine = SlowEngine()
    assert await engine.observer.look("home", declared, 0.0) == NOT_LOOKED_AT
    assert engine.looks == 0


async def test_all_who_ask_at_once_share_a_look_and_a_young_answer_does_for_the_next() -> None:
    engine = SlowEngine()
    assert await asyncio.gather(*(engine.asked() for _ in range(5))) == [FACTS] * 5
    engine.now += 5
    assert await engine.asked(max_age=10) == FACTS
    assert engine.looks == 1
    engine.now += 6
    assert await engine.asked(max_age=10) == FACTS
    assert engine.looks == 2


async def test_what_was_done_in_the_engine_outdates_an_answer_and_a_look_on_its_way() -> None:
    engine = SlowEngine()
    await engine.asked()
    engine.observer.engine_changed("home")
    engine.open.clear()
    waiting = asyncio.create_task(engine.asked(max_age=100))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    engine.observer.engine_changed("home")
    engine.open.set()
    await waiting
    await engine.asked(max_age=100)
    assert engine.looks == 3


async def test_a_slow_engine_is_known_by_its_answer_before_and_then_not_at_all() -> None:
    engine = SlowEngine()
    await engine.asked()
    engine.open.clear()
    engine.now += FACTS_KEPT_SECONDS
    assert await engine.asked() == FACTS
    engine.now += 1
    told = await engine.asked()
    assert isinstance(told, Transient)
    assert told.reason is Reason.ENGINE_NOT_ANSWERING
    assert engine.looks == 2
    engine.open.set()
    assert await engine.asked() == FACTS


@pytest.mark.parametrize("failure", [Transient(Reason.ENGINE_UNREACHABLE, "x"), NeedsUser(Reason.ENGINE_FORBIDS, "x")])
async def test_why_an_engine_cannot_be_seen_is_shared_like_what_is_seen(failure: Transient | NeedsUser) -> None:
    engine = SlowEngine(HereticError(failure))
    assert await engine.asked() == failure
    assert await engine.asked(max_age=10) == failure
    assert (engine.looks, engine.forgotten) == (1, 0)


async def test_a_refused_login_has_the_secret_read_anew() -> None:
    engine = SlowEngine(HereticError(NeedsUser(Reason.ENGINE_LOGIN_REFUSED, "x")))
    await engine.asked()
    assert engine.forgotten == 1


async def test_a_mistake_of_ours_is_told_and_ends_nothing() -> None:
    engine = SlowEngine(ValueError("oops"))
    assert isinstance(await engine.asked(), Bug)

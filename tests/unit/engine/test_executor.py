"""An engine step goes the way of every step: its lane, the last check, the lease, the gateway, the audit."""

import asyncio
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from heretic.domain.commands import SecretRef
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import (
    ENGINE,
    ApiMethod,
    BodyElement,
    EngineCall,
    EngineRequest,
    EngineStep,
    Expectation,
    Thing,
)
from heretic.domain.errors import Bug, Failure, HereticError, NeedsUser, Reason, Transient
from heretic.domain.plan import Done, Failed, Step, Target, Wait
from heretic.engine.engines import Engines
from heretic.engine.settings import EngineSettings
from heretic.hosts.fence import Fence
from heretic.reconcile.apply import Applied, Applier, Check
from heretic.reconcile.engine_executor import EngineExecutor
from heretic.reconcile.gateway import Effect, Faults, Gateway, NoFaults
from heretic.reconcile.store import Key
from sim.world import DiedError
from unit.engine.conftest import Site

KEY = Key(ENGINE, "home", "engine")


@dataclass(frozen=True, kw_only=True)
class AddDataCenter(EngineStep):
    verb: ClassVar[str] = "AddDataCenter"
    name: str
    comment: SecretRef | None = None

    def call(self) -> EngineCall:
        more = (BodyElement("comment", self.comment),) if self.comment else ()
        body = BodyElement("data_center", (BodyElement("name", self.name), BodyElement("local", False), *more))
        done = (Expectation(Thing("datacenters", name=self.name)),)
        return EngineCall(done=done, request=EngineRequest(ApiMethod.ADD, "datacenters", body, seconds=2), settle=0)


@dataclass(frozen=True, kw_only=True)
class NotForEngines(Step):
    verb: ClassVar[str] = "NotForEngines"

    @property
    def target(self) -> Target:
        return Target(ENGINE, "engine")


class Leader:
    """Holds the lease, or not."""

    held = True

    def fence(self) -> Fence | Failure:
        return Fence("here", 7, "operator") if self.held else Transient(Reason.LEASE_LOST, "another operator may act")

    async def outdated(self, host: str, theirs: Fence) -> Failure:
        raise AssertionError(host)


@dataclass
class Operator:
    """The part of an operator that acts in engines."""

    site: Site
    engines: Engines
    faults: Faults = field(default_factory=NoFaults)
    leader: Leader = field(default_factory=Leader)
    effects: list[tuple[str, str, str]] = field(default_factory=list)
    secrets: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"words": {"word": b"open sesame"}})

    def __post_init__(self) -> None:
        gateway = Gateway(self, monotonic=lambda: 1.0, faults=self.faults)
        executor = EngineExecutor(self.engines, self, self)
        self.applier = Applier({ENGINE: executor}, gateway, self.leader)  # type: ignore[arg-type]

    async def engine(self, namespace: str, view: SiteView, name: str) -> EngineSettings:
        assert (namespace, name) == ("home", "engine")
        return self.site.settings()

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        return self.secrets.get(name)

    def effect(self, effect: Effect, *, outcome: str, seconds: float) -> None:
        self.effects.append((effect.target, effect.verb, outcome))

    async def apply(self, *steps: Step, check: Check | None = None) -> Applied:
        async def go_on(_: Step) -> Wait | None:
            return None

        return await self.applier.apply(KEY, 1, "somebody", SiteView(), steps, ordered=False, last_check=check or go_on)


@pytest.fixture
def operator(site: Site, engines: Engines) -> Operator:
    return Operator(site, engines)


def step(name: str = "site", comment: SecretRef | None = None) -> AddDataCenter:
    return AddDataCenter(engine="engine", why="it is missing", name=name, comment=comment)


async def test_a_step_is_done_once_and_written_down(operator: Operator) -> None:
    assert (await operator.apply(step())).results == ((step(), Done(changed=True)),)
    assert (await operator.apply(step())).results == ((step(), Done(changed=False)),)
    assert operator.effects == [
        ("HostedEngine engine", "AddDataCenter", "Done"),
        ("HostedEngine engine", "AddDataCenter", "Unchanged"),
    ]
    posts = [request for request in operator.site.engine.requests if request.startswith("POST")]
    assert len(posts) == 1
    assert posts[0].startswith("POST datacenters?correlation_id=heretic-AddDataCenter-engine-")


class Dying:
    """The operator dies at an effect."""

    def __init__(self, *, after: bool) -> None:
        self._after = after

    async def before(self, effect: Effect) -> None:
        if not self._after:
            raise DiedError

    async def after(self, effect: Effect) -> None:
        raise DiedError


@pytest.mark.parametrize(("after", "done_by_then"), [(False, 0), (True, 1)])
async def test_an_operator_that_dies_at_an_effect_doubles_nothing(
    site: Site, engines: Engines, after: bool, done_by_then: int
) -> None:
    with pytest.raises(DiedError):
        await Operator(site, engines, Dying(after=after)).apply(step())
    assert len(site.engine.bodies) == done_by_then
    ((_, result),) = (await Operator(site, engines).apply(step())).results
    assert result == Done(changed=not after)
    assert len(site.engine.bodies) == 1


async def test_steps_of_one_engine_go_one_after_another(operator: Operator) -> None:
    both = await asyncio.gather(operator.apply(step("one")), operator.apply(step("two")))
    assert [result for applied in both for _, result in applied.results] == [Done(changed=True)] * 2
    kinds = [request.partition(" ")[0] for request in operator.site.engine.requests]
    assert kinds == ["GET", "POST", "GET"] * 2


async def test_a_step_that_is_held_in_the_last_moment_sends_nothing(operator: Operator) -> None:
    async def hold(_: Step) -> Wait | None:
        return Wait(Reason.CHANGED_MEANWHILE, "the spec changed")

    applied = await operator.apply(step(), check=hold)
    assert applied.held == Wait(Reason.CHANGED_MEANWHILE, "the spec changed")
    assert operator.site.engine.bodies == []


async def test_an_operator_that_loses_its_lease_while_it_looks_sends_nothing(operator: Operator) -> None:
    async def lose(_: Step) -> Wait | None:
        operator.leader.held = False
        return None

    ((_, result),) = (await operator.apply(step(), check=lose)).results
    assert isinstance(result, Failed)
    assert result.failure.reason is Reason.LEASE_LOST
    assert operator.site.engine.bodies == []


async def test_a_secret_reaches_the_engine_and_nothing_else(operator: Operator) -> None:
    secret = step(comment=SecretRef("words", "word"))
    assert (await operator.apply(secret)).results == ((secret, Done(changed=True)),)
    assert "<comment>open sesame</comment>" in operator.site.engine.bodies[0]
    assert "sesame" not in f"{secret!r} {secret} {secret.arguments()} {operator.effects} {secret.call()!r}"


async def test_a_secret_that_is_missing_needs_a_person(operator: Operator) -> None:
    ((_, result),) = (await operator.apply(step(comment=SecretRef("words", "other")))).results
    assert isinstance(result, Failed)
    assert isinstance(result.failure, NeedsUser)
    assert result.failure.reason is Reason.CREDENTIALS_MISSING


async def test_an_engine_that_nobody_can_reach_is_told_with_the_step(operator: Operator) -> None:
    async def nowhere(*_: object) -> EngineSettings:
        raise HereticError(NeedsUser(Reason.CREDENTIALS_MISSING, "Secret engine does not exist"))

    operator.engine = nowhere  # type: ignore[assignment,method-assign]
    ((_, result),) = (await operator.apply(step())).results
    assert isinstance(result, Failed)
    assert result.failure == NeedsUser(Reason.CREDENTIALS_MISSING, "Secret engine does not exist")


async def test_a_step_that_is_no_engine_step_is_our_mistake(operator: Operator) -> None:
    ((_, result),) = (await operator.apply(NotForEngines(why=""))).results
    assert isinstance(result, Failed)
    assert isinstance(result.failure, Bug)

"""The MAC pool of the cluster: from which guests get the addresses of their network cards."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.engine.call import (
    ApiMethod,
    BodyElement,
    EngineCall,
    EngineRequest,
    EngineStep,
    Expectation,
    Fields,
    Thing,
)
from heretic.domain.engine.facts import EngineFacts, MacPool
from heretic.domain.engine.site import not_told_apart, recorded_or_named
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.plan import Obstacle, Step


@dataclass(frozen=True, kw_only=True)
class PoolValues:
    """What a MAC pool is declared to have.

    Attributes:
        name: Its name.
        allow_duplicates: Whether two guests may have one address.
        ranges: First and last address of each, in small letters.
    """

    name: str
    allow_duplicates: bool
    ranges: tuple[tuple[str, str], ...]

    def body(self) -> BodyElement:
        """The element of a pool; all ranges are said, and replace those that are there."""
        ranges = tuple(
            BodyElement("range", (BodyElement("from", first), BodyElement("to", last))) for first, last in self.ranges
        )
        return BodyElement(
            "mac_pool",
            (
                BodyElement("allow_duplicates", self.allow_duplicates),
                BodyElement("name", self.name),
                BodyElement("ranges", ranges),
            ),
        )

    def fields(self) -> Fields:
        """Likewise, as the engine shows it."""
        ranges = frozenset(f"from_={first},to={last}" for first, last in self.ranges)
        return ("name", self.name), ("allow_duplicates", self.allow_duplicates), ("ranges", ranges)

    def __str__(self) -> str:
        shown = " ".join(f"{first}-{last}" for first, last in self.ranges)
        return f"{self.name}, {shown}{', duplicates allowed' if self.allow_duplicates else ''}"


@dataclass(frozen=True, kw_only=True)
class AddMacPool(EngineStep):
    """Makes a MAC pool.

    Attributes:
        values: What it has.
    """

    verb: ClassVar[str] = "AddMacPool"

    values: PoolValues

    def call(self) -> EngineCall:
        """Adds it where no pool has its name."""
        return EngineCall(
            done=(Expectation(Thing("macpools", name=self.values.name)),),
            request=EngineRequest(ApiMethod.ADD, "macpools", self.values.body()),
        )


@dataclass(frozen=True, kw_only=True)
class UpdateMacPool(EngineStep):
    """Gives a MAC pool what it is declared to have. Guests keep the addresses that they have.

    Attributes:
        id: Of the pool.
        values: What it has afterwards.
    """

    verb: ClassVar[str] = "UpdateMacPool"

    id: str
    values: PoolValues

    def call(self) -> EngineCall:
        """Sends everything that is declared."""
        return EngineCall(
            done=(Expectation(Thing("macpools", id=self.id), fields=self.values.fields()),),
            request=EngineRequest(ApiMethod.UPDATE, f"macpools/{self.id}", self.values.body()),
        )


def pool_values(engine: HostedEngine) -> PoolValues | None:
    """What is declared; None where nothing is."""
    declared = engine.spec.cluster.mac_pool
    if declared is None:
        return None
    ranges = sorted((one.first.lower(), one.last.lower()) for one in declared.ranges)
    return PoolValues(name=declared.name, allow_duplicates=declared.allow_duplicates, ranges=tuple(ranges))


def pool_of(engine: HostedEngine, facts: EngineFacts) -> Fact[MacPool]:
    """The declared pool; Absent also where none is declared."""
    declared = engine.spec.cluster.mac_pool
    return recorded_or_named(facts.mac_pools, engine.status.mac_pool_id, declared.name) if declared else Absent()


def plan_pool(engine: HostedEngine, facts: EngineFacts) -> Iterator[Step | Obstacle]:
    """What to do for the pool itself; that the cluster uses it is the cluster's."""
    values, target = pool_values(engine), engine.metadata.name
    if values is None:
        return
    match pool_of(engine, facts):
        case Unknown() as unknown:
            yield not_told_apart("MAC pools", facts.mac_pools, unknown)
        case Absent():
            yield AddMacPool(engine=target, why=f"the engine has no MAC pool {values.name!r}", values=values)
        case Known(pool):
            there = PoolValues(
                name=pool.name, allow_duplicates=pool.allow_duplicates is True, ranges=tuple(sorted(pool.ranges))
            )
            if there != values:
                why = f"MAC pool {pool.name!r} is {there}; {values} is declared"
                yield UpdateMacPool(engine=target, why=why, id=pool.id, values=values)

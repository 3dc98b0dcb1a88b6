"""What generic code has to know of a kind of object: one value a kind, made in the folder of its subject.

Everything else is derived from these values: who is woken by whom, who keeps whom from being deleted, which gauges
there are. A new kind is its model, its folder with such a value, and one entry in ``heretic/kinds.py``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from heretic.api.parse import parse_resource
from heretic.api.v1alpha1 import Resource
from heretic.domain.conditions import ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import NOT_LOOKED_AT, EngineView
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.host.facts import HostView
from heretic.domain.host.feature import Feature
from heretic.domain.host.section import Section
from heretic.domain.plan import Plan, PlanItem
from heretic.domain.report import Report
from heretic.domain.shared import SharedFact

R = TypeVar("R", bound=Resource)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Needs:
    """What a pass has to look at.

    Attributes:
        hosts: Names of Nodes.
        shared: Facts of the whole site.
        engine: Name of the object that stands for the site's engine; "" = it is not looked at.
    """

    hosts: frozenset[str] = frozenset()
    shared: tuple[SharedFact[Any], ...] = ()
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a pass saw.

    Attributes:
        hosts: What is known of each host that was needed.
        answers: The shared facts that were needed, by name.
        engine: What is known of the site's engine.
        trusted_key: The key of the object's own host or machine that was accepted on first use; "" when none was.
        slot_holder: Who has the site's disruption slot; empty when nobody.
        now: Wall clock; None where nobody said.
    """

    hosts: Mapping[str, HostView] = field(default_factory=dict)
    answers: Mapping[str, Fact[object]] = field(default_factory=dict)
    engine: EngineView = NOT_LOOKED_AT
    trusted_key: str = ""
    slot_holder: str = ""
    now: datetime | None = None

    def of(self, shared: SharedFact[T]) -> Fact[T]:
        """A shared fact; Unknown where nobody asked."""
        return cast("Fact[T]", self.answers.get(shared.name, NOT_OBSERVED))


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one observation means for an object: what to do next, and what to say.

    Attributes:
        plan: Next steps, or why there are none.
        report: Status and conditions, without what the steps will have changed.
    """

    plan: Plan
    report: Report


def _nothing_before(node: str, view: SiteView, now: Observed) -> Iterable[PlanItem]:
    return ()


@dataclass(frozen=True, slots=True)
class OutageRule:
    """What objects of a kind ask for before a host is taken out of service on purpose.

    Attributes:
        needs: What has to be looked at.
        against: Every reason why a host must stay, one sentence each: by the host's name, the declared site, what is
            seen now, and what was seen a minute or more before. Pure. What is not known is a reason.
        before: What is done before a host goes that may go, by the same without the earlier look: steps on other hosts
            and what is waited for; nothing once it is done.
    """

    needs: Callable[[SiteView], Needs]
    against: Callable[[str, SiteView, Observed, Observed], Iterable[str]]
    before: Callable[[str, SiteView, Observed], Iterable[PlanItem]] = _nothing_before


@dataclass(frozen=True, slots=True)
class Reference:
    """An object that another one uses, and which therefore must not go before it.

    Attributes:
        kind: Of the object that is used.
        name: Of it; "" = every object of that kind.
    """

    kind: type[Resource]
    name: str = ""


@dataclass(frozen=True, slots=True)
class GaugeOf:
    """A number of an object for Prometheus.

    Attributes:
        name: Of the metric.
        help: One sentence.
        label: What the object's name is called among the labels.
        read: The number; None while it is not known.
    """

    name: str
    help: str
    label: str
    read: Callable[[Report], float | None]


def as_number(type_: ConditionType) -> Callable[[Report], float | None]:
    """Reads a condition as a gauge: 1 while it is True, 0 while it is False, nothing while it is not known."""

    def read(report: Report) -> float | None:
        states = {c.type: c.state for c in report.conditions}
        return {State.TRUE: 1.0, State.FALSE: 0.0}.get(states[type_])

    return read


def _needs_nothing(resource: Resource, view: SiteView, seen: Mapping[str, HostView]) -> Needs:
    return Needs()


def _uses_nothing(resource: Resource) -> Iterable[Reference]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[R]):
    """One kind.

    Attributes:
        model: Its objects.
        conditions: The types of its own conditions; where nothing could be seen, each of them is Unknown.
        assess: What an observation means for an object. Pure.
        remove: What to do next for an object that is being deleted; Converged = it may go. None = there is nothing
            to do on any host. It is asked once nothing that is not being deleted refers to the object.
        needs: What a pass has to look at, by what it has seen so far; asked again until it needs nothing new.
        reads: Kinds whose objects a pass looks at: when one of these changes, this kind's objects look again.
        refers_to: Kinds that ``references`` can name.
        references: The objects that an object uses.
        recorded: Fields of the stored status that other objects' passes read, beside the conditions.
        gauges: Its numbers.
        features: What it needs of hosts, by role.
        sections: What it wants to know of hosts.
        is_host: Whether each object stands for a host.
        is_engine: Whether each object stands for an engine.
        outage: What its objects ask for before a host is taken out of service; None where they bear it.
        spreads: Whether the steps for an object can change what is seen on other hosts than their own.
    """

    model: type[R]
    conditions: tuple[ConditionType, ...]
    assess: Callable[[R, SiteView, Observed], Assessment]
    remove: Callable[[R, SiteView, Observed], Plan] | None = None
    needs: Callable[[R, SiteView, Mapping[str, HostView]], Needs] = _needs_nothing
    reads: tuple[type[Resource], ...] = ()
    refers_to: tuple[type[Resource], ...] = ()
    references: Callable[[R], Iterable[Reference]] = _uses_nothing
    recorded: tuple[str, ...] = ()
    gauges: tuple[GaugeOf, ...] = ()
    features: tuple[Feature, ...] = ()
    sections: tuple[Section[object], ...] = ()
    is_host: bool = False
    is_engine: bool = False
    outage: OutageRule | None = None
    spreads: bool = True

    @property
    def name(self) -> str:
        """As in manifests, for example "Node"."""
        return self.model.KIND


AnyKind = Kind[Any]
"""A kind whose objects are only ever handed back to it."""


class Kinds(Mapping[str, AnyKind]):
    """All kinds by name, in the order in which a site is brought up.

    Args:
        kinds: In that order.
    """

    def __init__(self, kinds: Iterable[AnyKind]) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._models: dict[str, type[Resource]] = {name: kind.model for name, kind in self._kinds.items()}
        self._places = {name: place for place, name in enumerate(self._kinds)}
        self._woken = {
            kind.name: frozenset(other.name for other in self._kinds.values() if kind.model in other.reads)
            for kind in self._kinds.values()
        }

    def __getitem__(self, name: str) -> AnyKind:
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def parse(self, kind: str, obj: Mapping[str, Any]) -> Resource:
        """Reads one object of these kinds; see ``parse_resource``."""
        return parse_resource(self._models, kind, obj)

    def parse_as(self, model: type[R], obj: Mapping[str, Any]) -> R:
        """Likewise, of the kind that this model is of."""
        return cast("R", self.parse(model.KIND, obj))

    @property
    def models(self) -> tuple[type[Resource], ...]:
        """The models in order."""
        return tuple(self._models.values())

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the kinds need of hosts, all together."""
        return tuple(feature for kind in self._kinds.values() for feature in kind.features)

    @property
    def sections(self) -> tuple[Section[object], ...]:
        """What the kinds want to know of hosts, all together."""
        return tuple(section for kind in self._kinds.values() for section in kind.sections)

    def woken_by(self, name: str) -> frozenset[str]:
        """Names of the kinds whose objects look again when an object of this kind changes."""
        return self._woken[name]

    def order(self, name: str) -> int:
        """The place of a kind when a site is brought up."""
        return self._places[name]

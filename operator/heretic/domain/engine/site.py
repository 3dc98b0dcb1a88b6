"""What of an engine is this site's: its data center and its cluster, found by what was recorded and by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.declared.engine import declared_engine
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import DataCenter, EngineCluster, EngineFacts, EngineHost, EngineView
from heretic.domain.errors import Failure, Reason, Transient
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.plan import Blocked, Obstacle, Wait

LATER = 10.0
"""Seconds until it is worth looking again at an engine that gave no answer."""


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


@dataclass(frozen=True, slots=True)
class EngineSite:
    """The part of an engine in which this site lives.

    Attributes:
        engine: The object that stands for the engine.
        facts: What the engine showed.
        data_center: Of the site.
        cluster: Of the site.
    """

    engine: HostedEngine
    facts: EngineFacts
    data_center: DataCenter
    cluster: EngineCluster

    @property
    def name(self) -> str:
        """Name of the object that stands for the engine: the target of steps."""
        return self.engine.metadata.name


def recorded_or_named(things: Fact[Sequence[N]], recorded: str, name: str) -> Fact[N]:
    """One thing of a list: the one whose id was recorded, whatever it is called now; else the one of this name.

    An id that a list which was read lacks is gone for ever, so the name counts again: what is meant is declared. Which
    of several of one name is meant, nobody can tell.

    Args:
        things: The whole list.
        recorded: Id; "" = none.
        name: As declared.
    """
    match things:
        case Known(all_things):
            meant = [one for one in all_things if recorded and one.id == recorded][:1]
            meant = meant or [one for one in all_things if one.name == name]
            if len(meant) > 1:
                return Unknown(f"{len(meant)} are called {name!r} (ids {', '.join(one.id for one in meant)})")
            return Known(meant[0]) if meant else Absent()
        case Unknown() | Absent():
            return things


def not_told_apart(what: str, things: Fact[Sequence[N]], found: Fact[N]) -> Obstacle:
    """What a plan says of a thing that is not known: a person can tell apart what was read.

    Args:
        what: The things, for people.
        things: The whole list.
        found: What ``recorded_or_named`` made of it.
    """
    cause = found.cause if isinstance(found, Unknown) else "they were not told"
    if isinstance(things, Known):
        return Blocked(Reason.ENGINE_NAME_AMBIGUOUS, f"of the engine's {what}, {cause}; rename or remove all but one")
    return Wait(Reason.NOT_OBSERVED, f"the engine's {what} are not known: {cause}", LATER)


def data_center_of(engine: HostedEngine, facts: EngineFacts) -> Fact[DataCenter]:
    """The data center of the site."""
    return recorded_or_named(facts.data_centers, engine.status.data_center_id, engine.spec.data_center.name)


def cluster_of(engine: HostedEngine, facts: EngineFacts) -> Fact[EngineCluster]:
    """The cluster of the site."""
    return recorded_or_named(facts.clusters, engine.status.cluster_id, engine.spec.cluster.name)


def hosts_of(cluster: Fact[EngineCluster], facts: EngineFacts) -> Fact[tuple[EngineHost, ...]]:
    """The hosts of the site's cluster."""
    match cluster, facts.hosts:
        case Known(there), Known(hosts):
            return Known(tuple(host for host in hosts if host.cluster == there.id))
        case Known(), unseen:
            return unseen
        case Absent(), _:
            return Known(())
        case Unknown(cause), _:
            return Unknown(cause)
    raise AssertionError(cluster)


def is_other_engine(engine: HostedEngine, facts: EngineFacts) -> Blocked | None:
    """Why nothing is done in the engine that answered; None where it is the recorded one, or none was recorded."""
    recorded, answered = engine.status.engine_id, facts.identity.instance
    if recorded in ("", answered, facts.identity.authority):  # the last one: an upgrade made it tell its id
        return None
    return Blocked(
        Reason.ENGINE_REPLACED,
        f"at {engine.spec.fqdn} the engine {answered} answers, and HostedEngine {engine.metadata.name} stands for "
        f"{recorded}: it was set up anew, or the name leads elsewhere. Nothing is changed in it. If it is meant, "
        "delete the HostedEngine (deletionPolicy Orphan) and apply it anew",
    )


def without_engine(why: Failure) -> Obstacle:
    """What a failure to look at an engine means for a plan."""
    return Wait(why.reason, why.message, LATER) if isinstance(why, Transient) else Blocked(why.reason, why.message)


def engine_site(view: SiteView, seen: EngineView) -> EngineSite | Obstacle | None:
    """Where in the engine this site lives, for what is kept in it.

    Args:
        view: The declared site.
        seen: What is known of its engine.

    Returns:
        None where the site declares no engine; an obstacle while the engine, its data center or its cluster cannot be
        relied on.
    """
    engine = declared_engine(view)
    if not isinstance(engine, HostedEngine):
        return engine
    name = f"HostedEngine {engine.metadata.name}"
    if not isinstance(seen, EngineFacts):
        return Wait(Reason.WAITING_FOR_ENGINE, f"{name} cannot be observed ({seen.reason.value}; see it)", LATER)
    if is_other_engine(engine, seen):
        return Wait(Reason.WAITING_FOR_ENGINE, f"{name} is another engine than the recorded one (see it)", LATER)
    found = data_center_of(engine, seen), cluster_of(engine, seen)
    for what, fact in zip(("data center", "cluster"), found, strict=True):
        if isinstance(fact, Unknown):
            return Wait(Reason.WAITING_FOR_ENGINE, f"{name}: its {what} is not known: {fact.cause}", LATER)
        if isinstance(fact, Absent):
            return Wait(Reason.WAITING_FOR_ENGINE, f"{name}: its {what} has yet to be made", LATER)
    data_center, cluster = found
    assert isinstance(data_center, Known)
    assert isinstance(cluster, Known)
    if cluster.value.data_center != data_center.value.id:
        return Wait(Reason.WAITING_FOR_ENGINE, f"{name}: its cluster is in another data center (see it)", LATER)
    return EngineSite(engine, seen, data_center.value, cluster.value)


def hosts_of_site(site: EngineSite) -> tuple[EngineHost, ...] | None:
    """The hosts of the site's cluster; None while they are not known."""
    hosts = hosts_of(Known(site.cluster), site.facts)
    return hosts.value if isinstance(hosts, Known) else None

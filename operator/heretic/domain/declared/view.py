"""The declared site: a snapshot of every object of one namespace, which all planners of a pass share."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar, cast

from heretic.api.v1alpha1 import Node, Resource, Site

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class SiteView:
    """Everything that is declared in one namespace at one moment.

    A view is immutable and equal only to itself, so results that are derived from one may be cached.

    Attributes:
        objects: By kind and name, also those that are being deleted.
        unread: Kind and name of objects that this version cannot understand. What they declare is not known, so
            nothing is chosen or changed on the rest alone.
        site: The site, when there is exactly one and it can be read; one that cannot be read counts.
    """

    objects: Mapping[str, Mapping[str, Resource]] = field(default_factory=dict)
    unread: frozenset[tuple[str, str]] = frozenset()
    site: Site | None = field(init=False)

    def __post_init__(self) -> None:
        sites = self.of(Site)
        only = next(iter(sites.values())) if len(sites) == 1 and not self.unread_of(Site.KIND) else None
        object.__setattr__(self, "site", only)

    @classmethod
    def holding(cls, resources: Iterable[Resource], unread: Iterable[tuple[str, str]] = ()) -> Self:
        """A view of these objects.

        Args:
            resources: All objects of a namespace that can be understood.
            unread: Kind and name of the others.
        """
        objects: dict[str, dict[str, Resource]] = defaultdict(dict)
        for resource in resources:
            objects[resource.KIND][resource.metadata.name] = resource
        return cls(dict(objects), frozenset(unread))

    def of(self, kind: type[R]) -> Mapping[str, R]:
        """The objects of one kind by name."""
        return cast("Mapping[str, R]", self.objects.get(kind.KIND, {}))

    def having(self, *resources: Resource) -> Self:
        """The same site with some objects put in, each in place of its namesake."""
        objects = {kind: dict(named) for kind, named in self.objects.items()}
        for resource in resources:
            objects.setdefault(resource.KIND, {})[resource.metadata.name] = resource
        return replace(self, objects=objects)

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The Nodes by name: every subject works on them."""
        return self.of(Node)

    def unread_of(self, kind: str) -> tuple[str, ...]:
        """Names of the objects of a kind that cannot be understood, in order."""
        return tuple(sorted(name for unread, name in self.unread if unread == kind))

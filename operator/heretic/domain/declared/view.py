"""The declared site: a snapshot of every object of one namespace, which all planners of a pass share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heretic.api.v1alpha1 import GlusterVolume, Network, Node, Site


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class SiteView:
    """Everything that is declared in one namespace at one moment.

    A view is equal to itself alone, and its mappings do not change: what is worked out from one holds as long as it.

    Attributes:
        sites: By name; exactly one is right, none or several are for the planners to say.
        nodes: By name, also those being deleted.
        networks: By name.
        volumes: By name.
        unread: Kind and name of objects that this version cannot understand. What they declare is not known, so
            nothing is chosen or changed on the rest alone.
    """

    sites: Mapping[str, Site] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    volumes: Mapping[str, GlusterVolume] = field(default_factory=dict)
    unread: frozenset[tuple[str, str]] = frozenset()

    @property
    def site(self) -> Site | None:
        """The site, when there is exactly one and it can be read; one that cannot be read counts."""
        if len(self.sites) != 1 or self.unread_of(Site.KIND):
            return None
        return next(iter(self.sites.values()))

    def unread_of(self, kind: str) -> tuple[str, ...]:
        """Names of the objects of a kind that cannot be understood, in order."""
        return tuple(sorted(name for unread, name in self.unread if unread == kind))

"""What a role of a Node needs of its host. Each subject says what is its own; the Node gives the host all of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from heretic.api.v1alpha1.node import Role
from heretic.domain.declared.view import SiteView
from heretic.domain.host.ports import Ranges
from heretic.domain.host.profiles import Family, Profile
from heretic.domain.host.rule import HostContext
from heretic.domain.plan import PlanItem


@dataclass(frozen=True, slots=True)
class Opening:
    """TCP ports that the other nodes must reach.

    Attributes:
        ports: Which.
        service: The service of firewalld that opens them; "" = they are opened as ports.
    """

    ports: Ranges
    service: str = ""


def _on_any_site(view: SiteView) -> bool:
    return True


def _no_group(view: SiteView, node: str) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Feature:
    """What one subject needs of every host with a role.

    Attributes:
        name: Of what runs on the host because of it, for messages.
        role: The role that brings it.
        wanted: Whether hosts of a site need it at all; they are asked about it anyhow.
        packages: Names of packages by family of distributions.
        profile_packages: More of them, by name of a profile: where one of a family cuts its packages otherwise.
        services: Units that run, now and after each boot.
        openings: Ports that the firewall lets through.
        firewall_services: What the services of firewalld that ``openings`` names open, as their packages define it.
        contexts: Labels of SELinux by pattern of paths.
        rules: What else the host needs, for example files; they run once all packages are there.
        files: Files that ``rules`` write or decide by.
        readers: Services that ``rules`` tell of a file that they wrote.
        units: Units that ``rules`` decide by, beside ``services``; patterns are allowed.
        groups: The volume groups that declared objects of the subject use on a node.
    """

    name: str
    role: Role
    wanted: Callable[[SiteView], bool] = _on_any_site
    packages: Mapping[Family, tuple[str, ...]] = field(default_factory=dict)
    profile_packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    openings: tuple[Opening, ...] = ()
    firewall_services: Mapping[str, Ranges] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Callable[[HostContext], Iterable[PlanItem]], ...] = ()
    files: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    groups: Callable[[SiteView, str], frozenset[str]] = _no_group

    def packages_on(self, profile: Profile) -> tuple[str, ...]:
        """The packages that a host of this profile needs."""
        return (*self.packages.get(profile.family, ()), *self.profile_packages.get(profile.name, ()))


def chosen(features: Iterable[Feature], roles: Iterable[Role]) -> tuple[Feature, ...]:
    """The features that the roles of a Node bring."""
    has = frozenset(roles)
    return tuple(feature for feature in features if feature.role in has)


def groups_needed(features: Iterable[Feature], view: SiteView, node: str) -> frozenset[str]:
    """The volume groups that declared objects use on a node."""
    return frozenset(group for feature in features for group in feature.groups(view, node))

"""What a role of a Node needs of its host. Each subject says what is its own; the Node gives the host all of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import Role
from heretic.domain.declared.view import SiteView


def _no_group(view: SiteView, node: str) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What one subject needs of every host with a role.

    Attributes:
        name: Of what runs on the host because of it, for messages.
        role: The role that brings it.
        groups: The volume groups that declared objects of the subject use on a node.
    """

    name: str
    role: Role
    groups: Callable[[SiteView, str], frozenset[str]] = _no_group


def chosen(features: Iterable[Feature], node: Node) -> tuple[Feature, ...]:
    """The features that a Node's roles bring."""
    return tuple(feature for feature in features if feature.role in node.spec.roles)


def groups_needed(features: Iterable[Feature], view: SiteView, node: str) -> frozenset[str]:
    """The volume groups that declared objects use on a node."""
    return frozenset(group for feature in features for group in feature.groups(view, node))

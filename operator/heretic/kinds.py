"""The one place where kinds are registered."""

from heretic.domain.gluster.kind import GLUSTER_VOLUME
from heretic.domain.hosted_engine.kind import HOSTED_ENGINE
from heretic.domain.kind import AnyKind, Kinds
from heretic.domain.network.kind import NETWORK
from heretic.domain.node.kind import node_kind
from heretic.domain.shares.kind import FILE_SHARE
from heretic.domain.site.kind import SITE


def kinds_with(*more: AnyKind) -> Kinds:
    """Every kind that Heretic keeps, in the order in which a site is brought up.

    Args:
        more: Further kinds, which come last.
    """
    subjects: tuple[AnyKind, ...] = (NETWORK, GLUSTER_VOLUME, HOSTED_ENGINE, FILE_SHARE, *more)
    return Kinds((SITE, node_kind(Kinds(subjects).features), *subjects))


KINDS = kinds_with()

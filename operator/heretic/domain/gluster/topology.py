"""Replica sets: which nodes hold the copies of what, and which of them hold names only."""

from collections.abc import Sequence

from heretic.api.v1alpha1.site import SiteStorage
from heretic.domain.pool.order import SET_SIZE, chained

SetMember = tuple[str, bool]
"""A node, and whether it is the arbiter of this set."""
ReplicaSet = tuple[SetMember, ...]


def sets(storage: SiteStorage, replica_count: int, arbiter: bool) -> tuple[ReplicaSet, ...]:
    """The replica sets of a volume that spans the site.

    - One copy: one set of the first node.
    - Three full copies: one set of the first three nodes, also on a larger site: what needs full copies is
      small (the cluster lock) and gains nothing from being spread.
    - Two copies and an arbiter on a site with an arbiter-only node: one set, the arbiter last, where Gluster
      expects it.
    - Two copies and an arbiter elsewhere: chained, one set a node, arbiters rotating.

    Args:
        storage: The Site's recorded choice.
        replica_count: 1 or 3.
        arbiter: Whether the third copy of each set holds names only.

    Returns:
        The sets in the order in which Gluster is given them.
    """
    if replica_count == 1:
        return (((storage.nodes[0], False),),)
    if not arbiter:
        return (tuple((node, False) for node in storage.nodes[:SET_SIZE]),)
    if storage.arbiter:
        return (_with_arbiter(storage.nodes[:SET_SIZE], storage.arbiter),)
    return tuple(_with_arbiter(members, members[-1]) for members in chained(storage.nodes))


def named_sets(nodes: Sequence[str], only_arbiter: str, arbiter: bool) -> tuple[ReplicaSet, ...]:
    """The replica sets of a volume whose spec names its nodes.

    Args:
        nodes: One node, or threes in the order of the sets; the last of each three is its arbiter.
        only_arbiter: The site's arbiter-only node, which then is the arbiter wherever it stands in its three.
        arbiter: Whether the third copy of each set holds names only.
    """
    if len(nodes) == 1:
        return (((nodes[0], False),),)
    threes = [nodes[i : i + SET_SIZE] for i in range(0, len(nodes), SET_SIZE)]
    if not arbiter:
        return tuple(tuple((node, False) for node in three) for three in threes)
    return tuple(_with_arbiter(three, only_arbiter if only_arbiter in three else three[-1]) for three in threes)


def _with_arbiter(members: Sequence[str], arbiter: str) -> ReplicaSet:
    data = tuple((node, False) for node in members if node != arbiter)
    return (*data, (arbiter, True))

"""The order of storage nodes, in which replica sets are formed as neighbours."""

from collections.abc import Mapping, Sequence

SET_SIZE = 3
"""Copies of everything, the one that holds names only counted."""


def chained(nodes: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """One set a node: the node, its next neighbour, and the one after it as arbiter, round the ring.

    So every node holds two data bricks and one arbiter brick, whatever the number of nodes: what HVP and the
    Cockpit wizard left undone (rule:resumable).

    Args:
        nodes: At least three, in order.
    """
    n = len(nodes)
    return tuple((nodes[i], nodes[(i + 1) % n], nodes[(i + 2) % n]) for i in range(n))


def shared_domain(members: Sequence[str], domains: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Two members of a set that fail together.

    Args:
        members: Names of the nodes of one set.
        domains: Failure domain by node; "" = fails alone.

    Returns:
        The two nodes and their domain, or None.
    """
    seen: dict[str, str] = {}
    for node in members:
        domain = domains.get(node, "")
        if domain and domain in seen:
            return seen[domain], node, domain
        seen[domain] = node
    return None


def ring(nodes: Sequence[str], domains: Mapping[str, str]) -> tuple[str, ...] | None:
    """The first order by name in which no chained set has two nodes of one failure domain.

    Args:
        nodes: At least three.
        domains: Failure domain by node; "" = fails alone.

    Returns:
        The order, or None when there is none.
    """
    wanted = sorted(nodes)

    def extend(order: tuple[str, ...]) -> tuple[str, ...] | None:
        if len(order) == len(wanted):
            closed = (*order, *order[: SET_SIZE - 1])
            windows = (closed[i : i + SET_SIZE] for i in range(len(order)))
            return order if all(shared_domain(w, domains) is None for w in windows) else None
        for node in wanted:
            if node in order or shared_domain((*order[1 - SET_SIZE :], node), domains):
                continue
            found = extend((*order, node))
            if found:
                return found
        return None

    return extend(()) if _possible(wanted, domains) else None


def _possible(nodes: Sequence[str], domains: Mapping[str, str]) -> bool:
    """Whether no domain has more nodes than a ring has room for: each needs two others after it.

    It ends the search at once in the cases where trying all orders would take long.
    """
    counts: dict[str, int] = {}
    for node in nodes:
        domain = domains.get(node, "")
        if domain:
            counts[domain] = counts.get(domain, 0) + 1
    return all(count * SET_SIZE <= len(nodes) for count in counts.values())

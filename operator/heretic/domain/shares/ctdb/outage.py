"""Which file servers are taken out of service before their hosts go, and which come back (rule:one-node-out)."""

from collections.abc import Iterator

from heretic.domain.errors import Reason
from heretic.domain.plan import Obstacle, PlanItem, Wait
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.ctdb.outage_steps import TakeServerBack, TakeServerOut
from heretic.domain.shares.ctdb.parse import CtdbNode
from heretic.domain.shares.servers import FileServer

_AGAIN = 10.0


def moves(cluster: ServerCluster) -> list[PlanItem]:
    """What moves addresses away from hosts in maintenance, and takes those back that are in it no more."""
    nodes, out = cluster.nodes(), cluster.taken_out()
    items: list[PlanItem] = []
    for server in cluster.servers:
        node = nodes.get(server.address)
        if node is None or "Disconnected" in node.states:
            continue
        if server.node in cluster.resting:
            items += leaving(cluster, server)
        elif server.address in out:
            items += _back(cluster, server, node)
    return items


def leaving(cluster: ServerCluster, server: FileServer) -> Iterator[PlanItem]:
    """What moves the addresses of one host away; nothing where it has none, or where nobody could take them."""
    node = cluster.nodes().get(server.address)
    others = [other for other in cluster.servers if other.gives and other.node != server.node]
    if node is None or "Disconnected" in node.states or not server.gives or not others:
        return
    held = [address for address, host in cluster.holders().items() if host == server.node]
    if "Disabled" in node.states and not held:
        return
    helper = _helper(cluster, server)
    if isinstance(helper, Wait):
        yield helper
        return
    yield TakeServerOut(
        host=helper,
        why=f"{server.node} is going out of service, and public addresses ({', '.join(held) or 'none now'}) go first",
        server=server.node,
        number=node.number,
        address=server.address,
    )


def _helper(cluster: ServerCluster, server: FileServer) -> str | Wait:
    """Another host that serves and gives; one at a time is taken out."""
    nodes, out = cluster.nodes(), cluster.taken_out()
    others = [other for other in cluster.servers if other.gives and other.node != server.node]
    gone = [other.node for other in others if other.address in out]
    if gone:
        why = (
            f"the public addresses of {server.node} stay: {', '.join(gone)} is taken out already, and one at a time is"
        )
        return Wait(Reason.WAITING_FOR_NODES, why, _AGAIN)
    for other in others:
        found = nodes.get(other.address)
        if other.node in cluster.seen and found is not None and not found.states:
            return other.node
    names = ", ".join(other.node for other in others)
    why = f"the public addresses of {server.node} stay: no other file server is known to serve ({names})"
    return Wait(Reason.CTDB_NODE_UNHEALTHY, why, _AGAIN)


def _back(cluster: ServerCluster, server: FileServer, node: CtdbNode) -> Iterator[PlanItem | Obstacle]:
    host = next(iter([name for name in cluster.seen if name != server.node] or cluster.seen), None)
    if host is not None:
        yield TakeServerBack(
            host=host,
            why=f"{server.node} was taken out, and its host is not going out of service any more",
            server=server.node,
            number=node.number,
            address=server.address,
        )

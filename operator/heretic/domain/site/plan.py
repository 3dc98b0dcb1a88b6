"""What the Site itself does: it forms the trusted pool of its storage nodes, and nothing else."""

from collections.abc import Iterator, Mapping, Sequence

from heretic.api.v1alpha1 import Site
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.names import peer_name, same_name, storage_nodes
from heretic.domain.declared.stored import is_true, why_not
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason, unobserved
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.maintenance import in_maintenance
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Wait
from heretic.domain.pool.choose import choose_storage
from heretic.domain.pool.member import INFO, MEMBER
from heretic.domain.pool.members import members
from heretic.domain.pool.obstacles import version_obstacle
from heretic.domain.pool.parse.peers import IN_CLUSTER
from heretic.domain.pool.peers import PoolView, pool_seen_by
from heretic.domain.pool.steps import ProbePeer

_SETTLING = frozenset(
    {
        "Establishing Connection",
        "Probe Sent to Peer",
        "Probe Received from Peer",
        "Probe Received from peer",
        "Accepted peer request",
        "Sent and Received peer request",
        "Connected to Peer",
        "Peer is connected and Accepted",
    }
)
"""States that a peer passes through while it joins (rule:peer-states)."""


def plan_site(site: Site, view: SiteView, hosts: Mapping[str, HostView]) -> Plan:
    """Plans the trusted pool.

    One node (the one that has most of the others as peers already, else the first) probes every other by its
    stable name; then another node probes that first one, so its name is the stable one too (rule:stable-peer-names).
    A node is never detached, whatever is wrong with it, and none is taken in whose identity is in doubt.

    Args:
        site: The object.
        view: The declared site.
        hosts: What is known of every storage node.

    Returns:
        The next probes, or what they wait for. No node is taken in before all are configured, nor while it is not
        known in which pool a node already is.
    """
    storage = choose_storage(view)
    if isinstance(storage, Wait | Blocked):
        return storage
    nodes = tuple(storage.nodes)
    gone = [n for n in nodes if n not in storage_nodes(view)]
    if gone:
        return Blocked(
            Reason.NODE_NOT_FOUND,
            f"{', '.join(gone)} held or may hold bricks of this site, and is no storage Node any more. Make the Node "
            "again with its role Storage; a host with bricks is never just left out (it has to be replaced)",
        )
    wrong = members(view, hosts).obstacle(nodes)
    if wrong:
        return wrong
    if len(nodes) == 1:
        return Converged(f"one storage node, {nodes[0]}: there is no pool to form")
    views = {n: pool_seen_by(n, view, hosts) for n in nodes}
    seen = {n: v for n, v in views.items() if v is not None}
    trouble = _foreign(seen) or _rejected(seen, nodes) or _unproven(seen, hosts, nodes)
    if trouble:
        return trouble
    if all(v.whole(nodes) for v in seen.values()) and len(seen) == len(nodes):
        return _names(view, nodes, seen)
    return _grow(view, hosts, nodes, seen)


def _foreign(seen: Mapping[str, PoolView]) -> Blocked | None:
    for node, pool in seen.items():
        if pool.foreign:
            return Blocked(
                Reason.POOL_NOT_OURS,
                f"{node} is in a trusted pool with {', '.join(pool.foreign)}, which is no Node of this site. Declare "
                "that host as a Node, or detach it by hand (gluster peer detach) if it holds no bricks",
            )
    return None


def _unproven(seen: Mapping[str, PoolView], hosts: Mapping[str, HostView], nodes: Sequence[str]) -> Wait | None:
    """A peer under a name that nobody knows may be a node of ours that cannot be seen now: it is left alone."""
    silent = _silent(hosts, nodes, seen) or "not all show the UUID of their glusterd"
    for node, pool in seen.items():
        if pool.unproven:
            return Wait(
                Reason.PEER_DISCONNECTED,
                f"{node} has the peer {', '.join(pool.unproven)}, and which Node that is will be known when all "
                f"storage nodes were seen once: {silent}",
                10.0,
            )
    return None


def _rejected(seen: Mapping[str, PoolView], nodes: Sequence[str]) -> Blocked | None:
    for node, pool in seen.items():
        for other in pool.rejected(nodes):
            state = pool.peers[other].state
            if state not in _SETTLING:
                return Blocked(
                    Reason.PEER_REJECTED,
                    f"{node} calls its peer {other} {state!r} instead of {IN_CLUSTER!r}. It is not detached. Compare "
                    "Gluster's versions, and the checksums in /var/lib/glusterd/vols on both; Gluster's documentation "
                    "tells under 'Peer Rejected' how to copy them from the right one",
                )
    return None


def _grow(view: SiteView, hosts: Mapping[str, HostView], nodes: Sequence[str], seen: Mapping[str, PoolView]) -> Plan:
    """Takes in the nodes that are missing, or says why it waits."""
    if not seen:
        return Wait(
            Reason.NOT_OBSERVED, f"no storage node tells who its peers are: {_silent(hosts, nodes, seen)}", 10.0
        )
    anchor = max(seen, key=lambda n: (len(seen[n].peers), not in_maintenance(view, n), -nodes.index(n)))
    missing = seen[anchor].absent(nodes)
    if not missing:
        return _kept_apart(hosts, nodes) or _settling(seen, nodes, hosts)
    unready = [view.nodes[n] for n in nodes if not is_true(view.nodes[n], ConditionType.CONFIGURED)]
    if unready:
        told = "; ".join(why_not(node, ConditionType.CONFIGURED) for node in unready)
        return Wait(
            Reason.WAITING_FOR_NODES,
            f"{len(unready)} of {len(nodes)} storage nodes have yet to be configured: {told}",
            10.0,
        )
    if len(seen) < len(nodes):
        return Wait(
            Reason.NOT_OBSERVED,
            f"in which pool each node is must be known before one is taken in: {_silent(hosts, nodes, seen)}",
            10.0,
        )
    elsewhere = [n for n in missing if seen[n].peers]
    if elsewhere:
        other = elsewhere[0]
        return Blocked(
            Reason.POOL_NOT_OURS,
            f"{other} is in a trusted pool of its own with {', '.join(sorted(seen[other].peers))}, apart from the one "
            f"of {anchor}; two pools cannot be joined. Detach its peers if neither pool's bricks are lost by it",
        )
    if unlike := version_obstacle(nodes, hosts):
        return unlike
    return Proceed(
        tuple(
            ProbePeer(host=anchor, why=f"{node} is not in the trusted pool of {anchor}", peer=peer_name(view, node))
            for node in missing
        )
    )


def _kept_apart(hosts: Mapping[str, HostView], nodes: Sequence[str]) -> Blocked | None:
    """Members whose glusterds work at different op-versions: Gluster never takes them for whole, however long."""
    known = {
        n: version.value
        for n in nodes
        if isinstance(f := hosts.get(n), HostFacts) and isinstance(version := f[MEMBER].op_version, Known)
    }
    if len(set(known.values())) < 2:
        return None
    told = ", ".join(f"{node} {version}" for node, version in known.items())
    return Blocked(
        Reason.OP_VERSION_REFUSED,
        f"the trusted pool is not whole, and its glusterds work at different op-versions ({told}), so Gluster keeps "
        "them apart. Bring all to one version of Gluster; if they are at one, stop glusterd on the host that differs "
        f"from the pool, give it the pool's operating-version in {INFO}, and start it",
    )


def _settling(seen: Mapping[str, PoolView], nodes: Sequence[str], hosts: Mapping[str, HostView]) -> Wait:
    """All are members; some do not answer, or are still being taken in."""
    out = sorted({node for pool in seen.values() for node in pool.disconnected(nodes)})
    silent = _silent(hosts, nodes, seen)
    if out or silent:
        told = "; ".join(part for part in (f"not connected: {', '.join(out)}" if out else "", silent) if part)
        return Wait(Reason.PEER_DISCONNECTED, f"the trusted pool is not whole: {told}", 10.0)
    return Wait(Reason.WAITING_FOR_POOL, "the trusted pool takes its members in", 5.0)


def _silent(hosts: Mapping[str, HostView], nodes: Sequence[str], seen: Mapping[str, PoolView]) -> str:
    return "; ".join(_why_silent(node, hosts.get(node)) for node in nodes if node not in seen)


def _why_silent(node: str, facts: HostView | None) -> str:
    if facts is None:
        return f"{node}: not observed yet"
    if not isinstance(facts, HostFacts):
        return unobserved(node, facts)
    peers = facts[MEMBER].peers
    return f"{node}: {peers.cause if isinstance(peers, Unknown) else 'gluster is not installed'}"


def _names(view: SiteView, nodes: Sequence[str], seen: Mapping[str, PoolView]) -> Plan:
    """Every node is to be known by its stable name, the first one too, which nobody probed."""
    steps = tuple(_renamings(view, nodes, seen))
    if steps:
        return Proceed(steps)
    return Converged(f"{len(nodes)} storage nodes form one trusted pool")


def _renamings(view: SiteView, nodes: Sequence[str], seen: Mapping[str, PoolView]) -> Iterator[ProbePeer]:
    for node in nodes:
        name = peer_name(view, node)
        unaware = [n for n in nodes if n != node and name not in map(same_name, seen[n].peers[node].hostnames)]
        if unaware:
            asked = next((n for n in unaware if not in_maintenance(view, n)), unaware[0])
            yield ProbePeer(host=asked, why=f"{asked} does not know {node} as {name}", peer=name)

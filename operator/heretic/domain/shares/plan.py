"""What a FileShare lacks: a chain of gates, of which each is passed before the next is planned for."""

from collections.abc import Callable
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare, Node
from heretic.api.v1alpha1.file_share import ShareProtocol
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.stored import is_true, why_not
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Converged, Obstacle, Plan, Proceed, Wait, first_obstacle
from heretic.domain.shares import folders
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.ctdb import addresses, outage
from heretic.domain.shares.ctdb import plan as ctdb
from heretic.domain.shares.ctdb.facts import CTDB
from heretic.domain.shares.declared import obstacles
from heretic.domain.shares.ganesha import plan as ganesha
from heretic.domain.shares.limits import limiting
from heretic.domain.shares.lock import mounting_lock, proving
from heretic.domain.shares.samba import plan as samba
from heretic.domain.shares.samba.domain import in_domain
from heretic.domain.shares.stages import first_stage, plan_of


@dataclass(frozen=True, slots=True)
class Gates:
    """How far a share is.

    Attributes:
        declared: What is declared can be.
        lock: The lock volume is mounted and proved.
        ctdb: CTDB runs everywhere, with the same files.
        addresses: Public addresses are given.
        served: What is declared is served.
        limits: Folders hold no more than they may.
        moves: Public addresses that go before their hosts do, and hosts that come back.
    """

    declared: Plan
    lock: Plan
    ctdb: Plan
    addresses: Plan
    served: Plan
    limits: Plan
    moves: Plan

    @property
    def plan(self) -> Plan:
        """The first gate that is not passed, or the last one; addresses that must move go before all of it."""
        if isinstance(self.moves, Proceed):
            return self.moves
        gates = (self.declared, self.lock, self.ctdb, self.addresses, self.served, self.limits)
        chain = next((gate for gate in gates if not isinstance(gate, Converged)), self.served)
        return self.moves if isinstance(chain, Converged) and isinstance(self.moves, Wait) else chain


def gates(share: FileShare, cluster: ServerCluster) -> Gates:
    """Every gate, each on its own; what stands behind one that is not passed says only what is in its way."""
    declared = _declared(share, cluster)
    lock = _after(declared, lambda: _lock(cluster))
    ctdb_ = _after(lock, lambda: _ctdb(cluster))
    given = _after(ctdb_, lambda: _addresses(share, cluster))
    served = _after(given, lambda: _served(share, cluster))
    limits = _after(served, lambda: plan_of(tuple(limiting(share, cluster))))
    return Gates(declared, lock, ctdb_, given, served, limits, plan_of(outage.moves(cluster)))


def _served(share: FileShare, cluster: ServerCluster) -> Plan:
    """Accounts and folders, and then the program that serves them."""
    smb = share.spec.protocol is ShareProtocol.SMB
    stages = (
        lambda: () if smb else ganesha.sound(cluster),
        lambda: folders.mounts(share, cluster),
        lambda: samba.accounts(share, cluster) if smb else (),
        lambda: () if in_domain(share) else folders.folders(share, cluster),
        *(samba.stages(share, cluster) if smb else ganesha.stages(share, cluster)),
    )
    names = ", ".join(folder.name for folder in share.spec.folders)
    return first_stage(stages, f"{'Samba' if smb else 'Ganesha'} of every file server that can be asked serves {names}")


def _after(gate: Plan, work: Callable[[], Plan]) -> Plan:
    if isinstance(gate, Converged):
        return work()
    if isinstance(gate, Proceed):
        return Wait(Reason.APPLYING, f"first: {gate.steps[0]}")
    return gate


def _declared(share: FileShare, cluster: ServerCluster) -> Plan:
    found: list[Obstacle] = [*obstacles(share, cluster.view)]
    for server in cluster.servers:
        node: Node = cluster.view.nodes[server.node]
        if server.node in cluster.seen and not is_true(node, ConditionType.CONFIGURED):
            found.append(Wait(Reason.WAITING_FOR_NODES, why_not(node, ConditionType.CONFIGURED)))
    found += [cluster.absent] if cluster.absent else []
    return first_obstacle(found) or Converged("what is declared can be")


def _lock(cluster: ServerCluster) -> Plan:
    if isinstance(cluster.lock, Wait | Blocked):
        return cluster.lock
    lock = cluster.lock
    mounts = [item for facts in cluster.seen.values() for item in mounting_lock(lock, cluster.view, facts)]
    if mounts:
        return plan_of(mounts)
    if len(cluster.servers) > 1:
        proofs = {host: facts[CTDB].proof for host, facts in cluster.seen.items()}
        if items := proving(lock, cluster.seen, proofs):
            return plan_of(items)
    return Converged(f"{lock.name} is mounted on every file server, and its locks keep others out")


def _ctdb(cluster: ServerCluster) -> Plan:
    if isinstance(cluster.lines, Wait | Blocked):
        return cluster.lines
    proof = cluster.lock.id if len(cluster.servers) > 1 and not isinstance(cluster.lock, Wait | Blocked) else ""
    items = ctdb.files(cluster, cluster.lines) or ctdb.running(cluster, cluster.lines, proof)
    return plan_of(items) if items else Converged("CTDB runs on every file server that can be asked")


def _addresses(share: FileShare, cluster: ServerCluster) -> Plan:
    """New addresses are given once CTDB serves on every host that can be asked (rule:cluster-lock-first)."""
    items = addresses.giving(share, cluster)
    if not items:
        return Converged("public addresses are given to every file server with data")
    nodes = cluster.nodes()
    for server in cluster.servers:
        node = nodes.get(server.address)
        if server.node in cluster.seen and (node is None or node.states):
            states = ", ".join(node.states) if node else "not known to the others"
            return Wait(
                Reason.CTDB_NODE_UNHEALTHY,
                f"no address is given before CTDB serves on every file server: {server.node} is {states}",
                10.0,
            )
    return plan_of(items, ordered=True)

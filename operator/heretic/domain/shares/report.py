"""What is said of a FileShare."""

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.file_share import (
    FileShareStatus,
    ShareAccount,
    ShareExport,
    ShareName,
    ShareProtocol,
    ShareServer,
)
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.plan import Blocked, Converged, Wait, first_obstacle, obstacles_of
from heretic.domain.report import Report, condition_of
from heretic.domain.shares.accounts import numbers, recorded
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.ctdb.addresses import given
from heretic.domain.shares.ctdb.facts import CTDB
from heretic.domain.shares.ganesha.numbers import export_numbers
from heretic.domain.shares.limits import folder_states, full
from heretic.domain.shares.plan import Gates
from heretic.domain.shares.samba.domain_facts import DOMAIN
from heretic.domain.shares.samba.domain_plan import away
from heretic.domain.shares.samba.plan import users_of
from heretic.domain.shares.servers import FileServer

READY = frozenset({ConditionType.LOCK_READY, ConditionType.ADDRESSES_ASSIGNED, ConditionType.SERVED})
"""One file server can be lost: CTDBReady and Degraded tell of it."""


def report_share(share: FileShare, cluster: ServerCluster, gates: Gates) -> Report:
    """Status and conditions."""
    trouble = [*_trouble(cluster), *((found.reason, found.message) for found in obstacles_of(gates.moves))]
    conditions = (
        condition_of(ConditionType.LOCK_READY, gates.lock),
        _ctdb(gates, trouble),
        _assigned(share, cluster, gates, trouble),
        condition_of(ConditionType.SERVED, gates.served),
        _degraded(cluster, [*trouble, *away(share, cluster), *_of_folders(share, cluster, gates)]),
    )
    return Report(_status(share, cluster), conditions, ready=READY)


def _of_folders(share: FileShare, cluster: ServerCluster, gates: Gates) -> list[tuple[Reason, str]]:
    """Limits that cannot be set, once everything else is served, and folders that are full."""
    unset = obstacles_of(gates.limits) if isinstance(gates.served, Converged) else ()
    return [*((found.reason, found.message) for found in unset), *full(share, cluster)]


def _ctdb(gates: Gates, trouble: list[tuple[Reason, str]]) -> Condition:
    if isinstance(gates.ctdb, Converged) and trouble:
        reason, message = trouble[0]
        return Condition(ConditionType.CTDB_READY, State.FALSE, reason, message)
    return condition_of(ConditionType.CTDB_READY, gates.ctdb)


def _trouble(cluster: ServerCluster) -> list[tuple[Reason, str]]:
    """Every file server that does not serve, and why; of a host that CTDB never knew nothing is said here."""
    nodes = cluster.nodes()
    found: list[tuple[Reason, str]] = []
    for server in cluster.servers if nodes else ():
        node = nodes.get(server.address)
        if node is None:
            found.append((Reason.CTDB_NOT_RUNNING, f"{server.node} is not known to CTDB of the other file servers"))
        elif server.node in cluster.resting:
            states = ", ".join(node.states) or "still serving"
            found.append((Reason.IN_MAINTENANCE, f"{server.node} is in maintenance ({states})"))
        elif node.states:
            found.append((_reason(node.states), f"{server.node} is {', '.join(node.states)}{_words(cluster, server)}"))
    return found


def _reason(states: tuple[str, ...]) -> Reason:
    if "Banned" in states:
        return Reason.CTDB_NODE_BANNED
    return Reason.CTDB_NOT_RUNNING if "Disconnected" in states else Reason.CTDB_NODE_UNHEALTHY


def _words(cluster: ServerCluster, server: FileServer) -> str:
    """What CTDB's scripts said on that host."""
    failed = cluster.seen[server.node][CTDB].failed if server.node in cluster.seen else None
    return "".join(f"; {script}" for script in failed.value) if isinstance(failed, Known) else ""


def _assigned(share: FileShare, cluster: ServerCluster, gates: Gates, trouble: list[tuple[Reason, str]]) -> Condition:
    """By what CTDB says, whatever is in the way of the plan."""
    kind, holders = ConditionType.ADDRESSES_ASSIGNED, cluster.holders()
    if cluster.witness is None or not isinstance(cluster.witness.addresses, Known):
        why = first_obstacle(obstacles_of(gates.addresses))
        return Condition(
            kind, State.UNKNOWN, why.reason if why else Reason.NOT_OBSERVED, why.message if why else "no CTDB answers"
        )
    left = [address for address in share.spec.addresses if address not in holders]
    if not left:
        where = ", ".join(f"{address} on {holders[address]}" for address in share.spec.addresses)
        return Condition(kind, State.TRUE, Reason.AS_DECLARED, where)
    why = first_obstacle(obstacles_of(gates.addresses))
    because = f": {why.message}" if why else "".join(f"; {words}" for _, words in trouble)
    reason = why.reason if why else Reason.ADDRESS_NOT_ASSIGNED
    return Condition(kind, State.FALSE, reason, f"{', '.join(left)} on no file server{because}")


def _degraded(cluster: ServerCluster, trouble: list[tuple[Reason, str]]) -> Condition:
    kind = ConditionType.DEGRADED
    if trouble:
        return Condition(kind, State.TRUE, trouble[0][0], "; ".join(words for _, words in trouble))
    if not cluster.nodes():
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, "no CTDB answers")
    return Condition(kind, State.FALSE, Reason.AS_DECLARED, "every file server serves")


def _status(share: FileShare, cluster: ServerCluster) -> FileShareStatus:
    holders = cluster.holders()
    up = sum(address in holders for address in share.spec.addresses)
    everywhere = {address for facts in cluster.seen.values() for address in given(facts)}
    mine = [*share.spec.addresses, *(a for a in share.status.addresses if a not in share.spec.addresses)]
    unseen = cluster.failures or cluster.resting
    lock = cluster.lock.name if not isinstance(cluster.lock, Wait | Blocked) else share.status.lock_volume
    return FileShareStatus(
        domain=_domain(cluster),
        lock_volume=lock,
        servers=_servers(share, cluster, holders),
        # What cannot be seen now stays recorded: a host that is away may have it still.
        addresses=[a for a in mine if a in everywhere or (unseen and a in share.status.addresses)],
        addresses_up=f"{up}/{len(share.spec.addresses)}",
        accounts=_accounts(share, cluster),
        exports=_exports(share, cluster),
        folders=folder_states(share, cluster),
        names=[ShareName(name=share.spec.host_name or share.metadata.name, addresses=share.spec.addresses)],
    )


def _domain(cluster: ServerCluster) -> str:
    told = (facts[DOMAIN].sid for facts in cluster.seen.values())
    return next((sid.value for sid in told if isinstance(sid, Known)), "")


def _accounts(share: FileShare, cluster: ServerCluster) -> list[ShareAccount]:
    """Numbers are recorded before any host has them: the next host gets the same."""
    known = recorded(cluster.view)
    given = numbers(users_of(share), cluster.seen, known) if cluster.seen and users_of(share) else known
    if isinstance(given, Wait | Blocked):
        return share.status.accounts
    both = {**known, **given}
    return [ShareAccount(name=name, number=number) for name, number in sorted(both.items(), key=lambda one: one[1])]


def _exports(share: FileShare, cluster: ServerCluster) -> list[ShareExport]:
    """Numbers are recorded before any host has them, and stay when their folders go."""
    given = export_numbers(cluster.view, cluster.seen)
    if share.spec.protocol is not ShareProtocol.NFS or not cluster.seen or isinstance(given, Wait):
        return share.status.exports
    names = {export.name for export in share.status.exports} | {folder.name for folder in share.spec.folders}
    own = ((name, number) for name, number in given.items() if name in names)
    return [ShareExport(name=name, number=number) for name, number in sorted(own, key=lambda one: one[1])]


def _servers(share: FileShare, cluster: ServerCluster, holders: dict[str, str]) -> list[ShareServer]:
    """Numbers are recorded once CTDB itself tells them; until then the files on the hosts may still change."""
    nodes = cluster.nodes()
    if isinstance(cluster.lines, Wait | Blocked) or not nodes:
        return share.status.servers
    return [
        ShareServer(
            number=line.number,
            node=line.node,
            address=line.address,
            state=(", ".join(nodes[line.address].states) or "OK") if line.address in nodes else "",
            addresses=sorted(address for address, node in holders.items() if node == line.node),
        )
        for line in cluster.lines
    ]

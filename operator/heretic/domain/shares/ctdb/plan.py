"""What CTDB lacks on the file servers: its files everywhere first, then it runs, then it learns of new hosts."""

import hashlib
from collections.abc import Iterator

from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import unseen, write_file
from heretic.domain.plan import Blocked, PlanItem, Wait
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.ctdb import texts
from heretic.domain.shares.ctdb.facts import CTDB
from heretic.domain.shares.ctdb.numbers import NumberedHost, nodes_text
from heretic.domain.shares.ctdb.steps import ReloadNodes, StartCtdb
from heretic.domain.shares.lock_steps import FILE


def files(cluster: ServerCluster, lines: tuple[NumberedHost, ...]) -> list[PlanItem]:
    """What the files of all hosts lack. None is told of them before all have them."""
    return [item for facts in cluster.seen.values() for item in _files_of(cluster, facts, nodes_text(lines))]


def _files_of(cluster: ServerCluster, facts: HostFacts, nodes: str) -> Iterator[PlanItem]:
    host = cluster.context(facts)
    if isinstance(host, Wait | Blocked):
        yield host
        return
    reload = (("systemctl", "daemon-reload"),)
    yield from write_file(
        host, texts.DROP_IN, lambda _: texts.DROP_IN_TEXT, "when CTDB starts", reader="systemd", tell=reload
    )
    yield from write_file(host, texts.CONFIGURATION, lambda _: texts.CONFIGURATION_TEXT, "the cluster lock")
    yield from write_file(host, texts.TUNABLES, lambda _: texts.TUNABLES_TEXT, "how soon a dead host is noticed")
    yield from write_file(host, texts.SCRIPT_OPTIONS, lambda _: texts.SCRIPT_OPTIONS_TEXT, "what its scripts look at")
    yield from write_file(host, texts.NODES, lambda _: nodes, "the hosts that serve files, by number")


def running(cluster: ServerCluster, lines: tuple[NumberedHost, ...], proof: str) -> list[PlanItem]:
    """What makes CTDB run on every host, with the lock and the hosts that its files say.

    Args:
        cluster: With files that are as they should be.
        lines: Of the nodes file.
        proof: Id of the volume that the lock is proved on; "" where there is one host only.
    """
    digest = hashlib.sha256(nodes_text(lines).encode()).hexdigest()
    items = [item for facts in cluster.seen.values() for item in _runs(facts, digest, proof)]
    return items or list(_knows_all(cluster, lines, digest))


def _runs(facts: HostFacts, digest: str, proof: str) -> Iterator[PlanItem]:
    ctdb, services = facts[CTDB], facts.services
    if not isinstance(services, Known):
        yield unseen(facts, "its services", services)
        return
    unit = services.value.get(texts.SERVICE)
    state = (unit.active, unit.enabled) if unit else ("missing", "missing")
    if state != ("active", "enabled"):
        yield StartCtdb(
            host=facts.host,
            why=f"{texts.SERVICE} is {state[0]} and {state[1]}",
            service=texts.SERVICE,
            nodes_sha256=digest,
            proof=proof,
        )
    elif isinstance(ctdb.lock, Known) and ctdb.lock.value != FILE:
        yield Blocked(
            Reason.CTDB_DIFFERS,
            f"CTDB of {facts.host} runs with the lock {ctdb.lock.value or '(none)'} and should with {FILE}; no two "
            "hosts may run with different ones. In a quiet hour stop ctdb.service on all of them; it is started again",
        )
    elif isinstance(ctdb.nodes, Absent):
        yield Wait(Reason.CTDB_NOT_RUNNING, f"{facts.host}: {texts.SERVICE} is active, and CTDB does not answer", 10.0)
    elif not isinstance(ctdb.nodes, Known):
        yield Wait(Reason.NOT_OBSERVED, f"{facts.host}: {ctdb.nodes.cause}")


def _knows_all(cluster: ServerCluster, lines: tuple[NumberedHost, ...], digest: str) -> Iterator[PlanItem]:
    """A host that was added is known to the running ones after they have read the nodes file again."""
    wanted = {line.address for line in lines if line.counts}
    left = [line.address for line in lines if line.counts and not line.node]
    for host, facts in cluster.seen.items():
        told = facts[CTDB].nodes
        known = {node.address for node in told.value} if isinstance(told, Known) else wanted
        if known != wanted:
            new, gone = tuple(sorted(wanted - known)), tuple(sorted(known - wanted))
            why = [f"does not know {', '.join(new)} yet"] * bool(new) + [f"still counts {', '.join(gone)}"] * bool(gone)
            yield ReloadNodes(host=host, why=f"CTDB {' and '.join(why)}", nodes_sha256=digest, addresses=new, gone=gone)
            return
    if left:
        yield Blocked(
            Reason.CTDB_DIFFERS,
            f"{', '.join(left)} is no file server any more, and its CTDB runs, with public addresses perhaps. On that "
            "host run `systemctl disable --now ctdb.service`: they move to the others, which then forget it",
        )

"""The automatic choices for storage: which nodes, in which order, which arbiter, how many data disks.

Made once, when every storage node has been inspected, recorded in ``Site.status.storage``, and kept: bricks lie
where the first choice put them.
"""

from collections.abc import Iterable, Mapping

from heretic.api.quantity import format_bytes, parse_bytes
from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import ArbiterPolicy, NodeDisk
from heretic.api.v1alpha1.site import SiteStorage
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.names import storage_nodes
from heretic.domain.declared.stored import is_true, why_not
from heretic.domain.declared.validate import faults, site_fault, unread_fault
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.identity import sightings
from heretic.domain.disks.layout import MAXIMUM_DATA_DISKS
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Wait
from heretic.domain.pool.order import SET_SIZE, ring, shared_domain


def choose_storage(view: SiteView) -> SiteStorage | Wait | Blocked:
    """Makes the choices, or gives back the recorded ones.

    Counts (rule:node-count): one node = one copy of everything; two are refused; three = two nodes with data and an
    arbiter-only one (unless all three say ``arbiter: Never``; then the arbiters rotate as with more); more =
    chained sets of three with rotating arbiters.

    Args:
        view: The declared site with what its nodes' status says.

    Returns:
        The choices; Wait while nodes have yet to be inspected; Blocked when a person has to change something.
    """
    wrong = faults(view)
    if wrong:
        return wrong[0]
    if view.site is None:
        return site_fault(view) or Wait(Reason.SITE_NOT_FOUND, "there is no Site")
    recorded = view.site.status.storage
    if recorded is not None and recorded.nodes:
        return recorded
    if unread := unread_fault(view):
        return unread
    nodes = storage_nodes(view)
    wrong_number = _wrong_number(nodes)
    if wrong_number:
        return wrong_number
    unseen = [n for n in nodes.values() if not is_true(n, ConditionType.INSPECTED)]
    if unseen:
        what = "; ".join(why_not(n, ConditionType.INSPECTED) for n in unseen)
        return Wait(
            Reason.WAITING_FOR_NODES,
            f"{len(unseen)} of {len(nodes)} storage nodes have yet to be inspected: {what}",
        )
    return _choose({name: _without_shared(node, view) for name, node in nodes.items()})


def not_absorbed(view: SiteView) -> tuple[str, ...]:
    """Storage nodes that came after the choice was made: they are reported and hold no bricks."""
    recorded = view.site.status.storage if view.site else None
    if recorded is None or not recorded.nodes:
        return ()
    return tuple(name for name in storage_nodes(view) if name not in recorded.nodes)


def usable_disks(node: Node) -> tuple[NodeDisk, ...]:
    """The disks of an inspected node that are blank or ours, or carry bricks that somebody else laid out.

    What another Node sees too has a finding.
    """
    return tuple(d for d in node.status.disks if d.observed or not d.finding)


def _without_shared(node: Node, view: SiteView) -> Node:
    """The node with a finding on each disk that another Node's status shows too, whoever of the two told it first."""
    elsewhere = [sightings(view).seen_elsewhere(node.metadata.name, disk) for disk in node.status.disks]
    disks = [
        disk.model_copy(update={"finding": f"also seen by another node: {other}", "observed": False}) if other else disk
        for disk, other in zip(node.status.disks, elsewhere, strict=True)
    ]
    return node.model_copy(update={"status": node.status.model_copy(update={"disks": disks})})


def _wrong_number(nodes: Mapping[str, Node]) -> Wait | Blocked | None:
    if not nodes:
        return Wait(Reason.WAITING_FOR_NODES, "there is no Node with the role Storage")
    if len(nodes) == 2:
        return Blocked(
            Reason.UNSUPPORTED_NODE_COUNT,
            f"there are 2 storage nodes ({', '.join(nodes)}): when one of two is lost, the other cannot know "
            "whether it is the one cut off, so there is no quorum and data could split. Add a third Node (a weak "
            "one is enough: it can be the arbiter), or give the role Storage to one Node only",
        )
    return None


def _choose(nodes: Mapping[str, Node]) -> SiteStorage | Blocked:
    empty = _without_disk(nodes)
    if empty:
        return empty
    mixed = _mixed_sectors(nodes)
    if mixed:
        return mixed
    if len(nodes) == 1:
        (name,) = nodes
        return SiteStorage(nodes=[name], arbiter="", data_disk_count=_disk_count(nodes.values()))
    domains = {name: node.spec.failure_domain for name, node in nodes.items()}
    if len(nodes) == SET_SIZE:
        return _choose_three(nodes, domains)
    only = [name for name, node in nodes.items() if node.spec.arbiter is ArbiterPolicy.ALWAYS]
    if only:
        return Blocked(
            Reason.INVALID_SPEC,
            f"{', '.join(only)}: arbiter is Always, but with {len(nodes)} storage nodes every node holds data and "
            "arbiter bricks in turn; set arbiter to Auto, or keep three storage nodes",
        )
    order = ring(tuple(nodes), domains)
    if order is None:
        named = ", ".join(f"{name} in {domain}" for name, domain in domains.items() if domain)
        return Blocked(
            Reason.FAILURE_DOMAIN_SHARED,
            f"the {len(nodes)} storage nodes cannot be ordered so that three neighbours are always in three failure "
            f"domains ({named}); spread them over more domains, at most a third of the nodes in each",
        )
    return SiteStorage(nodes=list(order), arbiter="", data_disk_count=_disk_count(nodes.values()))


def _choose_three(nodes: Mapping[str, Node], domains: Mapping[str, str]) -> SiteStorage | Blocked:
    shared = shared_domain(tuple(nodes), domains)
    if shared:
        one, other, domain = shared
        return Blocked(
            Reason.FAILURE_DOMAIN_SHARED,
            f"{one} and {other} are both in failure domain {domain}: losing it would lose two of three copies. "
            "Move one of them, or correct failureDomain",
        )
    arbiter = _arbiter(nodes)
    if isinstance(arbiter, Blocked):
        return arbiter
    order = [name for name in nodes if name != arbiter] + ([arbiter] if arbiter else [])
    data = [node for name, node in nodes.items() if name != arbiter]
    return SiteStorage(nodes=order, arbiter=arbiter, data_disk_count=_disk_count(data))


def _arbiter(nodes: Mapping[str, Node]) -> str | Blocked:
    """The arbiter-only node of three: the one that says so, else the weakest that does not refuse.

    Weakest = the least usable disk space, then the least memory, then the fewest CPUs, then the last by name
    (HVP always took the last). What one node does not tell is not compared.
    """
    forced = [name for name, node in nodes.items() if node.spec.arbiter is ArbiterPolicy.ALWAYS]
    if len(forced) > 1:
        return Blocked(
            Reason.INVALID_SPEC,
            f"{' and '.join(forced)} both say arbiter: Always, which leaves {SET_SIZE - len(forced)} of three nodes "
            "with data; only one of three may hold names only",
        )
    if forced:
        return forced[0]
    willing = {
        name: node
        for name, node in nodes.items()
        # Bricks that are there already may hold data on any node.
        if node.spec.arbiter is not ArbiterPolicy.NEVER and not any(d.observed for d in node.status.disks)
    }
    if not willing:
        return ""
    told_memory = all(_memory(node) is not None for node in willing.values())
    told_cpus = all(node.status.facts and node.status.facts.cpus for node in willing.values())

    def strength(name: str) -> tuple[int, int, int]:
        node = willing[name]
        space = sum(disk.size_bytes for disk in usable_disks(node))
        cpus = node.status.facts.cpus if told_cpus and node.status.facts else 0
        return space, (_memory(node) or 0) if told_memory else 0, cpus

    return min(sorted(willing, reverse=True), key=strength)


def _memory(node: Node) -> int | None:
    try:
        return parse_bytes(node.status.facts.memory) if node.status.facts else None
    except ValueError:
        return None


def _disk_count(nodes: Iterable[Node]) -> int:
    """How many data disks each data node gives: the least that all have (rule:hvp-layout)."""
    return min(MAXIMUM_DATA_DISKS, *(len(usable_disks(node)) for node in nodes))


def _without_disk(nodes: Mapping[str, Node]) -> Blocked | None:
    for name, node in nodes.items():
        if usable_disks(node):
            continue
        seen = ", ".join(f"{d.id} ({format_bytes(d.size_bytes)}): {d.finding}" for d in node.status.disks)
        return Blocked(
            Reason.NO_USABLE_DISK,
            f"{name} has no disk that may be used for bricks: {seen or 'it has no disk but its system disk'}. Give "
            "it a blank disk, or take the role Storage from it",
        )
    return None


def _mixed_sectors(nodes: Mapping[str, Node]) -> Blocked | None:
    """Bricks of one set with 512 and 4096 byte sectors fail in ways that show late (rule:one-sector-size)."""
    by_size: dict[int, list[str]] = {}
    for name, node in nodes.items():
        for disk in usable_disks(node):
            if disk.sector_bytes and not disk.observed:
                by_size.setdefault(disk.sector_bytes, []).append(f"{disk.id} of {name}")
    if len(by_size) < 2:
        return None
    told = "; ".join(f"{size} bytes: {', '.join(disks)}" for size, disks in sorted(by_size.items()))
    return Blocked(
        Reason.SECTOR_SIZE_MISMATCH,
        f"the disks for bricks have different logical sector sizes ({told}); name disks of one sort in "
        "spec.disks.ids of each Node",
    )

"""How well a volume is, as pure functions over facts (rule:healed); what is not known is never "well"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import unobserved
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.maintenance import in_maintenance
from heretic.domain.pool.facts import Brick, HealSummary, PoolFacts, VolumeInfo, VolumeState, VolumeStatus
from heretic.domain.pool.members import members as identities
from heretic.domain.pool.peers import PoolView, node_of_host, pool_seen_by


class BrickVerdict(StrEnum):
    """What is known of one brick."""

    UP = "Up"
    DOWN = "Down"
    MISSING = "Missing"
    """Declared, and not part of the volume."""
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class BrickHealth:
    """One brick of an existing volume.

    Attributes:
        node: Name of its Node, "" for a host that is none of ours.
        brick: As the volume has it.
        verdict: Up, Down or Unknown.
        why: What makes it not Up, "" when it is.
        pending: Entries to heal.
        split_brain: Entries in split-brain.
    """

    node: str
    brick: Brick
    verdict: BrickVerdict
    why: str
    pending: Fact[int]
    split_brain: Fact[int]

    @property
    def key(self) -> str:
        """As Gluster names it: "host:path"."""
        return f"{self.brick.host}:{self.brick.path}"


class Quorum(StrEnum):
    """Whether a replica set may be written."""

    HELD = "held"
    LOST = "lost"
    UNKNOWN = "unknown"


def volume_of(pool: Fact[PoolFacts], name: str) -> Fact[VolumeInfo]:
    """A volume as the pool has it; Absent only when a list of all volumes was read and it is not in it."""
    if not isinstance(pool, Known):
        return pool
    volumes = pool.value.volumes
    if not isinstance(volumes, Known):
        return volumes
    return Known(volumes.value[name]) if name in volumes.value else Absent()


def brick_healths(
    info: VolumeInfo, view: SiteView, hosts: Mapping[str, HostView], pool: PoolFacts
) -> tuple[tuple[BrickHealth, ...], ...]:
    """What is known of each brick, set by set; ``volume info`` names the expected ones (rule:volume-status-output).

    A brick is Up when glusterd says that its process is online, or when the client that counts what is to be
    healed was connected to it. The second still answers while glusterd waits for a peer that died without a word,
    for minutes. It is Down only when glusterd says so and nothing was connected to it.
    """
    return _HEALTHS.of(view, lambda: _healths(info, view, hosts, pool), info, hosts, pool, name=info.name)


_HEALTHS = PerView[tuple[tuple[BrickHealth, ...], ...]]()
"""The plan of a volume and its report ask for it, the plan twice."""


def _healths(
    info: VolumeInfo, view: SiteView, hosts: Mapping[str, HostView], pool: PoolFacts
) -> tuple[tuple[BrickHealth, ...], ...]:
    status = pool.status.get(info.name, Unknown(f"{pool.asked} gave no status of {info.name}"))
    heal = pool.heal.get(info.name, Unknown(f"{pool.asked} gave no heal summary of {info.name}"))
    bricks = tuple(_health(info, b, status, heal, view, hosts) for b in info.bricks)
    size = max(info.replica_count, 1)
    return tuple(bricks[i : i + size] for i in range(0, len(bricks), size))


def _health(
    info: VolumeInfo,
    brick: Brick,
    status: Fact[VolumeStatus],
    heal: Fact[HealSummary],
    view: SiteView,
    hosts: Mapping[str, HostView],
) -> BrickHealth:
    key = f"{brick.host}:{brick.path}"
    node = node_of_host(brick.host, brick.host_uuid, view, hosts) or ""
    pending = _count(heal, key, "pending")
    split_brain = _count(heal, key, "split_brain")
    verdict, why = _verdict(key, status, isinstance(pending, Known))
    if info.state is not VolumeState.STARTED:
        verdict, why = BrickVerdict.DOWN, f"{info.name} is {info.state.value.lower()}, not started"
    if why and node:
        unreachable = _unreachable(node, hosts)
        why = f"{unreachable}; {why}" if unreachable else why
    return BrickHealth(node, brick, verdict, why, pending, split_brain)


def _verdict(key: str, status: Fact[VolumeStatus], connected: bool) -> tuple[BrickVerdict, str]:
    if connected:
        return BrickVerdict.UP, ""
    if not isinstance(status, Known):
        return BrickVerdict.UNKNOWN, _cause(status)
    state = status.value.bricks.get(key)
    if state is None:
        return BrickVerdict.UNKNOWN, f"{key} is missing from the volume's status, as bricks of a lost peer are"
    if state.online:
        return BrickVerdict.UP, ""
    return BrickVerdict.DOWN, f"{key} has no running process"


def _unreachable(node: str, hosts: Mapping[str, HostView]) -> str:
    facts = hosts.get(node)
    if facts is None or isinstance(facts, HostFacts):
        return ""
    return unobserved(node, facts)


def _count(heal: Fact[HealSummary], key: str, what: str) -> Fact[int]:
    if not isinstance(heal, Known):
        return Unknown(_cause(heal))
    counts: Mapping[str, Fact[int]] = getattr(heal.value, what)
    count = counts.get(key)
    return Unknown(f"{key} is missing from the heal summary") if count is None else count


def _cause(fact: Unknown | Absent) -> str:
    return fact.cause if isinstance(fact, Unknown) else "gluster is not installed"


def quorum(replica_set: Sequence[BrickHealth]) -> Quorum:
    """Whether more than half of a set's bricks are up; an arbiter's vote counts (quorum-type auto)."""
    up = sum(b.verdict is BrickVerdict.UP for b in replica_set)
    down = sum(b.verdict is BrickVerdict.DOWN for b in replica_set)
    needed = len(replica_set) // 2 + 1
    if up >= needed:
        return Quorum.HELD
    return Quorum.LOST if len(replica_set) - down < needed else Quorum.UNKNOWN


def may_start_by_force(sets: Sequence[Sequence[BrickHealth]]) -> bool:
    """Whether ``volume start force`` is no risk: at most one brick of every set is not known to be up.

    With two missing the remaining one may hold what nobody else has, and which of them is right is a person's
    decision (rule:keep-quorum). A volume of one copy has nothing to compare, so its brick may be started.
    """
    return all(len(s) == 1 or sum(b.verdict is not BrickVerdict.UP for b in s) <= 1 for s in sets)


def brick_set_ok(
    info: VolumeInfo, pool: PoolFacts, members: PoolView, view: SiteView, hosts: Mapping[str, HostView]
) -> bool:
    """Every brick of the volume is known to run and its peer is a connected full member (rule:brick-set-ok).

    Stricter than what is shown: only glusterd's own status counts, because a node may be taken out on it.

    Args:
        info: The volume.
        pool: Facts from the node that was asked.
        members: The pool as the same node sees it.
        view: The declared site.
        hosts: What is known of every storage node.
    """
    status = pool.status.get(info.name)
    if info.state is not VolumeState.STARTED or not isinstance(status, Known):
        return False
    nodes = [node_of_host(b.host, b.host_uuid, view, hosts) for b in info.bricks]
    states = [status.value.bricks.get(f"{b.host}:{b.path}") for b in info.bricks]
    known = [node for node in nodes if node is not None]
    return (
        bool(info.bricks)
        and len(known) == len(nodes)
        and members.observer == pool.asked
        and members.whole(known)
        and all(state is not None and state.online for state in states)
    )


def healed(info: VolumeInfo, pool: PoolFacts) -> Fact[bool]:
    """Whether no copy owes another anything: every expected brick connected, each with a known total of 0.

    Args:
        info: The volume.
        pool: What the pool says.

    Returns:
        Known(True) only on that proof; Known(False) as soon as one brick has entries; else Unknown.
    """
    if info.replica_count == 1:
        return Known(True)
    heal = pool.heal.get(info.name, Unknown(f"{pool.asked} gave no heal summary of {info.name}"))
    keys = [f"{b.host}:{b.path}" for b in info.bricks]
    counts = [_count(heal, key, what) for key in keys for what in ("pending", "split_brain")]
    if any(isinstance(c, Known) and c.value > 0 for c in counts):
        return Known(False)
    unknown = next((c for c in counts if not isinstance(c, Known)), None)
    if unknown is not None:
        return Unknown(_cause(unknown))
    return Known(bool(keys))


def may_take_out(
    node: str, view: SiteView, hosts: Mapping[str, HostView], pool: Fact[PoolFacts], earlier: Fact[PoolFacts]
) -> str:
    """Whether a storage node may be taken out of service on purpose (rule:one-node-out, rule:may-take-out).

    Whatever is not known forbids it. The site's disruption slot is the caller's to hold.

    Args:
        node: Name of the Node.
        view: The declared site.
        hosts: What is known of every storage node.
        pool: The pool now.
        earlier: The pool at least 60 s before.

    Returns:
        "" when it may, else the first reason why not.
    """
    if not isinstance(pool, Known) or not isinstance(earlier, Known):
        return "the state of the volumes is not known twice"
    members = pool_seen_by(pool.value.asked, view, hosts)
    wrong = identities(view, hosts).obstacle(hosts)
    if wrong:
        return wrong.message
    others = [n for n in hosts if n != node]
    for other in others:
        if not isinstance(hosts[other], HostFacts):
            return f"{other} cannot be observed, so it may be out already"
        if in_maintenance(view, other):
            return f"{other} is in maintenance already"
    if members is None or not members.whole(hosts):
        return "not every storage node is a connected member of the trusted pool"
    volumes = pool.value.volumes
    if not isinstance(volumes, Known):
        return "the list of volumes is not known"
    for info in volumes.value.values():
        reason = _keeps(node, info, pool.value, earlier.value, members, view, hosts)
        if reason:
            return reason
    return ""


def _unequal(info: VolumeInfo, pool: PoolFacts) -> str:
    """What speaks against equal copies, "" when nothing does."""
    match healed(info, pool):
        case Known(True):
            return ""
        case Known():
            return "copies wait to be healed"
        case unseen:
            return f"what waits is not known ({_cause(unseen)})"


def _keeps(
    node: str,
    info: VolumeInfo,
    pool: PoolFacts,
    earlier: PoolFacts,
    members: PoolView,
    view: SiteView,
    hosts: Mapping[str, HostView],
) -> str:
    """Why one volume forbids to take the node out, "" when it does not."""
    if info.state is not VolumeState.STARTED:
        return ""
    if not brick_set_ok(info, pool, members, view, hosts):
        return f"not every brick of {info.name} is known to run"
    unequal = _unequal(info, pool) or (healed(info, earlier) != Known(True) and "it was not known to be a look before")
    if unequal:
        return f"{info.name} is not known to be healed twice: {unequal}"
    status = pool.status[info.name]
    assert isinstance(status, Known)
    if status.value.tasks:
        return f"{info.name} has a task in progress: {', '.join(status.value.tasks)}"
    if info.replica_count > 1 and not (status.value.self_heal and all(status.value.self_heal.values())):
        return f"not every self-heal daemon of {info.name} is known to run"
    if info.replica_count == 1 and any(node_of_host(b.host, b.host_uuid, view, hosts) == node for b in info.bricks):
        return f"{info.name} has its only copy on {node}"
    return ""

"""What keeps an existing volume as it was declared: start, options, processes. Never its bricks' data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from heretic.api.v1alpha1.volume_status import HealProgress
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.gluster.brick_places import Force, force, places
from heretic.domain.gluster.bricks import BrickWork, plan_bricks
from heretic.domain.gluster.difference import options_to_set, sharding_difference
from heretic.domain.gluster.heal_progress import asking, entries
from heretic.domain.gluster.health import (
    BrickHealth,
    BrickVerdict,
    Quorum,
    brick_healths,
    healed,
    may_start_by_force,
    quorum,
)
from heretic.domain.gluster.placement import Placement
from heretic.domain.gluster.steps import RestartBricks, RestartSelfHeal, SetVolumeOptions, StartVolume
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.maintenance import in_maintenance
from heretic.domain.plan import Blocked, Converged, Obstacle, Plan, PlanItem, Proceed, Step, Wait, first_obstacle
from heretic.domain.pool.facts import PoolFacts, VolumeInfo, VolumeState
from heretic.domain.pool.members import members as identities
from heretic.domain.pool.obstacles import version_obstacle
from heretic.domain.pool.peers import node_of_host, pool_seen_by

_MENTIONED = 3
"""Options that a message lists before it says "and N more"."""


@dataclass(frozen=True, slots=True)
class RepairInput:
    """Everything that the repair of one volume is decided on.

    Attributes:
        placement: The volume as declared.
        info: The volume as it is; its bricks are the declared ones.
        view: The declared site.
        hosts: What is known of the hosts.
        pool: What the asked node says.
        heal: What is recorded of how its heal gets on.
        now: Wall clock; None where nobody said.
    """

    placement: Placement
    info: VolumeInfo
    view: SiteView
    hosts: Mapping[str, HostView]
    pool: PoolFacts
    heal: HealProgress | None = None
    now: datetime | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that hold bricks."""
        return tuple(dict.fromkeys(b.host for b in self.placement.bricks))

    def working(self, node: str) -> bool:
        """Whether a node can be observed, is the one that it was, and nobody works on it."""
        itself = identities(self.view, self.hosts).obstacle((node,)) is None
        return isinstance(self.hosts.get(node), HostFacts) and itself and not in_maintenance(self.view, node)


def plan_existing(given: RepairInput) -> Plan:
    """Plans the repair of a volume whose bricks are the declared ones.

    Args:
        given: The volume, declared and real.

    Returns:
        The next steps, with what stands in the way of others; Converged when all is as declared and healed.
    """
    sets = brick_healths(given.info, given.view, given.hosts, given.pool)
    running = frozenset((b.node, b.brick.path) for s in sets for b in s if b.verdict is BrickVerdict.UP)
    work = plan_bricks(given.placement, given.view, given.hosts, given.info.volume_id, running)
    findings: list[PlanItem] = [*work.steps, *work.pending, *_lost_peers(given), *_options(given)]
    if given.info.state is VolumeState.STARTED:
        processes = list(_processes(given, work))
        asked = asking(given.info, given.pool, given.heal, entries([b for s in sets for b in s]), given.now)
        findings += [*processes, *([asked] if asked and not processes else ()), *_heal(given)]
    else:
        findings += _start(given, work)
    steps = tuple(f for f in findings if isinstance(f, Step))
    pending = tuple(dict.fromkeys(f for f in findings if not isinstance(f, Step)))
    if steps:
        return Proceed(steps, pending)
    bricks = len(given.info.bricks)
    return first_obstacle(pending) or Converged(
        f"{given.info.name} is started, and its {bricks} bricks are up and healed"
    )


def _lost_peers(given: RepairInput) -> Iterator[Obstacle]:
    members = pool_seen_by(given.pool.asked, given.view, given.hosts)
    if members is None:
        yield Wait(Reason.NOT_OBSERVED, f"{given.pool.asked} does not tell which peers are connected", 10.0)
        return
    for node in members.disconnected(given.nodes):
        yield Wait(
            Reason.PEER_DISCONNECTED,
            f"glusterd on {node} does not answer {given.pool.asked}; the other copies go on, and {node} catches up "
            "when it is back",
            10.0,
        )
    for node in members.rejected(given.nodes):
        yield Blocked(
            Reason.PEER_REJECTED,
            f"{given.pool.asked} calls {node} {members.peers[node].state!r}; see the Site about it",
        )


def _may_configure(given: RepairInput) -> Obstacle | None:
    stranger = identities(given.view, given.hosts).obstacle(given.nodes)
    if stranger:
        return stranger
    members = pool_seen_by(given.pool.asked, given.view, given.hosts)
    if members is None or not members.whole(given.nodes):
        return Wait(
            Reason.WAITING_FOR_POOL, f"options of {given.info.name} are set once all its nodes are connected", 10.0
        )
    return version_obstacle(given.nodes, given.hosts)


def _options(given: RepairInput) -> Iterator[PlanItem]:
    sharding = sharding_difference(given.placement, given.info)
    if sharding:
        yield Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"{given.info.name}: {sharding}. Sharding is never switched on a volume that may hold data; adopt it "
            "under a purpose that has it so, or move the data to a new volume",
        )
    wanted = options_to_set(given.placement, given.info)
    if not wanted:
        return
    obstacle = _may_configure(given)
    if obstacle:
        yield obstacle
        return
    told = [
        f"{name} is {given.info.options.get(name, 'not set')}, not {value}" for name, value in sorted(wanted.items())
    ]
    more = f" and {len(told) - _MENTIONED} more options differ" if len(told) > _MENTIONED else ""
    yield SetVolumeOptions(
        host=given.pool.asked,
        why=", ".join(told[:_MENTIONED]) + more,
        volume=given.info.name,
        options=tuple(sorted(wanted.items())),
    )


def _start(given: RepairInput, work: BrickWork) -> Iterator[PlanItem]:
    """A volume that was never started waits for all bricks; one that was stopped for a majority of each set."""
    name = given.info.name
    missing = [[b for b in members if (b.host, b.path) not in work.ready] for members in given.placement.sets]
    bearable = 0 if given.info.state is VolumeState.CREATED else 1
    if any(len(lost) > (bearable if len(s) > 1 else 0) for lost, s in zip(missing, given.placement.sets, strict=True)):
        hosts = ", ".join(sorted({b.host for lost in missing for b in lost}))
        yield Wait(
            Reason.VOLUME_NOT_STARTED, f"{name} is {given.info.state.value.lower()}; it waits for bricks on {hosts}"
        )
        return
    if any(p.reason is Reason.BRICK_ON_ROOT for p in work.pending):
        return  # it would be started there
    yield StartVolume(
        host=given.pool.asked,
        why=f"the volume is {given.info.state.value.lower()}, not started",
        volume=name,
        volume_id=given.info.volume_id,
    )


def _processes(given: RepairInput, work: BrickWork) -> Iterator[PlanItem]:
    sets = brick_healths(given.info, given.view, given.hosts, given.pool)
    bricks = [b for members in sets for b in members]
    down = [b for b in bricks if b.verdict is BrickVerdict.DOWN and _may_run(b, given, work)]
    seen = pool_seen_by(given.pool.asked, given.view, given.hosts)
    out = seen.disconnected(given.nodes) if seen else ()
    forced = force(bricks, work.ready, out, [n for n in given.nodes if given.working(n)])
    if may_start_by_force(sets) and not forced.unsound:
        yield from _restart(given, down, forced) if down else _self_heal(given, forced)
    elif may_start_by_force(sets) and down:
        yield Wait(
            Reason.NODE_NOT_READY,
            f"{down[0].key} is not started by force while {forced.unsound[0].key} is not known to be mounted from its "
            "own filesystem and marked: that would start it too",
            10.0,
        )
    if not may_start_by_force(sets):
        yield _too_many_down(given.info.name, sets)
    for brick in bricks:
        if brick.verdict is BrickVerdict.UNKNOWN and given.working(brick.node):
            yield Wait(Reason.NOT_OBSERVED, f"whether a brick on {brick.node} runs is not known: {brick.why}", 10.0)


def _restart(given: RepairInput, down: list[BrickHealth], forced: Force) -> Iterator[PlanItem]:
    """One step a host, with guards for that host's own bricks."""
    for node in dict.fromkeys(b.node for b in down):
        own = [b for b in down if b.node == node]
        yield RestartBricks(
            host=node,
            why="; ".join(b.why for b in own),
            volume=given.info.name,
            volume_id=given.info.volume_id,
            bricks=tuple(b.key for b in own),
            places=places(node, given.placement.bricks, given.hosts),
            online=forced.online,
            away=forced.away,
        )


def _may_run(brick: BrickHealth, given: RepairInput, work: BrickWork) -> bool:
    """Whether its host is up and the brick is mounted there as it should be."""
    return given.working(brick.node) and (brick.node, brick.brick.path) in work.ready


def _too_many_down(name: str, sets: tuple[tuple[BrickHealth, ...], ...]) -> Obstacle:
    worst = max(sets, key=lambda s: sum(b.verdict is not BrickVerdict.UP for b in s))
    missing = [b for b in worst if b.verdict is not BrickVerdict.UP]
    told = "; ".join(f"{b.key}: {b.why}" for b in missing)
    if quorum(worst) is not Quorum.LOST:
        return Wait(
            Reason.QUORUM_UNKNOWN,
            f"{len(missing)} of {len(worst)} bricks of one set of {name} are not known up: {told}",
        )
    return Blocked(
        Reason.QUORUM_LOST,
        f"{len(missing)} of {len(worst)} bricks of one set of {name} are down, so it cannot be "
        f"written: {told}. They are "
        "not started by force, because what remains may hold what the others lack. Bring the hosts back; when all "
        f"are back and a brick is still down, run: gluster volume start {name} force",
    )


def _self_heal(given: RepairInput, forced: Force) -> Iterator[PlanItem]:
    status = given.pool.status.get(given.info.name)
    if given.info.replica_count == 1 or not isinstance(status, Known):
        return
    offline = [host for host, up in sorted(status.value.self_heal.items()) if not up]
    daemons = status.value.daemons
    nodes = [node_of_host(host, daemons.get(host, ""), given.view, given.hosts) for host in offline]
    for node in nodes:
        if node is not None and given.working(node):
            yield RestartSelfHeal(
                host=node,
                why=f"the self-heal daemon of {given.info.name} does not run on {node}",
                volume=given.info.name,
                volume_id=given.info.volume_id,
                places=places(node, given.placement.bricks, given.hosts),
                online=forced.online,
                away=forced.away,
            )


def _heal(given: RepairInput) -> Iterator[Obstacle]:
    name = given.info.name
    heal = given.pool.heal.get(name)
    if isinstance(heal, Known):
        split = {key: n.value for key, n in heal.value.split_brain.items() if isinstance(n, Known) and n.value}
        if split:
            told = ", ".join(f"{count} on {key}" for key, count in sorted(split.items()))
            yield Blocked(
                Reason.SPLIT_BRAIN,
                f"{name} has files whose copies contradict each other: {told}. Which copy is right only a person can "
                f"say; list them with: gluster volume heal {name} info split-brain",
            )
    verdict = healed(given.info, given.pool)
    if verdict == Known(False):
        yield Wait(Reason.WAITING_FOR_HEAL, f"copies of {name} still catch up", 10.0)
    elif not isinstance(verdict, Known):
        why = getattr(verdict, "cause", "no answer")
        yield Wait(Reason.HEAL_UNKNOWN, f"whether {name} is healed is not known: {why}", 15.0)

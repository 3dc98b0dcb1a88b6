"""What keeps an existing volume as it was declared: start, options, processes. Never its bricks' data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.gluster.brick_places import Force, force, places
from heretic.domain.gluster.bricks import BrickWork, plan_bricks
from heretic.domain.gluster.difference import options_to_set, sharding_difference
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
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Step, Wait
from heretic.domain.pool.facts import PoolFacts, VolumeInfo, VolumeState
from heretic.domain.pool.members import members as identities
from heretic.domain.pool.obstacles import first_obstacle, version_obstacle
from heretic.domain.pool.peers import node_of_host, pool_seen_by

Finding = Step | Wait | Blocked

_MENTIONED = 3
"""Options that a message lists before it says "and N more"."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the repair of one volume is decided on.

    Attributes:
        placement: The volume as declared.
        info: The volume as it is; its bricks are the declared ones.
        view: The declared site.
        hosts: What is known of the hosts.
        pool: What the asked node says.
    """

    placement: Placement
    info: VolumeInfo
    view: SiteView
    hosts: Mapping[str, HostView]
    pool: PoolFacts

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that hold bricks."""
        return tuple(dict.fromkeys(b.host for b in self.placement.bricks))

    def working(self, node: str) -> bool:
        """Whether a node can be observed, is the one that it was, and nobody works on it."""
        itself = identities(self.view, self.hosts).obstacle((node,)) is None
        return isinstance(self.hosts.get(node), HostFacts) and itself and not in_maintenance(self.view, node)


def plan_existing(scene: Scene) -> Plan:
    """Plans the repair of a volume whose bricks are the declared ones.

    Args:
        scene: The volume, declared and real.

    Returns:
        The next steps, with what stands in the way of others; Converged when all is as declared and healed.
    """
    sets = brick_healths(scene.info, scene.view, scene.hosts, scene.pool)
    running = frozenset((b.node, b.brick.path) for s in sets for b in s if b.verdict is BrickVerdict.UP)
    work = plan_bricks(scene.placement, scene.view, scene.hosts, scene.info.volume_id, running)
    findings: list[Finding] = [*work.steps, *work.pending, *_lost_peers(scene), *_options(scene)]
    if scene.info.state is VolumeState.STARTED:
        findings += [*_processes(scene, work), *_heal(scene)]
    else:
        findings += _start(scene, work)
    steps = tuple(f for f in findings if isinstance(f, Step))
    pending = tuple(dict.fromkeys(f for f in findings if not isinstance(f, Step)))
    if steps:
        return Proceed(steps, pending)
    bricks = len(scene.info.bricks)
    return first_obstacle(pending) or Converged(
        f"{scene.info.name} is started, and its {bricks} bricks are up and healed"
    )


def _lost_peers(scene: Scene) -> Iterator[Wait | Blocked]:
    members = pool_seen_by(scene.pool.asked, scene.view, scene.hosts)
    if members is None:
        yield Wait(Reason.NOT_OBSERVED, f"{scene.pool.asked} does not tell which peers are connected", 10.0)
        return
    for node in members.disconnected(scene.nodes):
        yield Wait(
            Reason.PEER_DISCONNECTED,
            f"glusterd on {node} does not answer {scene.pool.asked}; the other copies go on, and {node} catches up "
            "when it is back",
            10.0,
        )
    for node in members.rejected(scene.nodes):
        yield Blocked(
            Reason.PEER_REJECTED,
            f"{scene.pool.asked} calls {node} {members.peers[node].state!r}; see the Site about it",
        )


def _may_configure(scene: Scene) -> Wait | Blocked | None:
    stranger = identities(scene.view, scene.hosts).obstacle(scene.nodes)
    if stranger:
        return stranger
    members = pool_seen_by(scene.pool.asked, scene.view, scene.hosts)
    if members is None or not members.whole(scene.nodes):
        return Wait(
            Reason.WAITING_FOR_POOL, f"options of {scene.info.name} are set once all its nodes are connected", 10.0
        )
    return version_obstacle(scene.nodes, scene.hosts)


def _options(scene: Scene) -> Iterator[Finding]:
    sharding = sharding_difference(scene.placement, scene.info)
    if sharding:
        yield Blocked(
            Reason.IMMUTABLE_DIFFERENCE,
            f"{scene.info.name}: {sharding}. Sharding is never switched on a volume that may hold data; adopt it "
            "under a purpose that has it so, or move the data to a new volume",
        )
    wanted = options_to_set(scene.placement, scene.info)
    if not wanted:
        return
    obstacle = _may_configure(scene)
    if obstacle:
        yield obstacle
        return
    told = [
        f"{name} is {scene.info.options.get(name, 'not set')}, not {value}" for name, value in sorted(wanted.items())
    ]
    more = f" and {len(told) - _MENTIONED} more options differ" if len(told) > _MENTIONED else ""
    yield SetVolumeOptions(
        host=scene.pool.asked,
        why=", ".join(told[:_MENTIONED]) + more,
        volume=scene.info.name,
        options=tuple(sorted(wanted.items())),
    )


def _start(scene: Scene, work: BrickWork) -> Iterator[Finding]:
    """A volume that was never started waits for all bricks; one that was stopped for a majority of each set."""
    name = scene.info.name
    missing = [[b for b in members if (b.host, b.path) not in work.ready] for members in scene.placement.sets]
    bearable = 0 if scene.info.state is VolumeState.CREATED else 1
    if any(len(lost) > (bearable if len(s) > 1 else 0) for lost, s in zip(missing, scene.placement.sets, strict=True)):
        hosts = ", ".join(sorted({b.host for lost in missing for b in lost}))
        yield Wait(
            Reason.VOLUME_NOT_STARTED, f"{name} is {scene.info.state.value.lower()}; it waits for bricks on {hosts}"
        )
        return
    if any(p.reason is Reason.BRICK_ON_ROOT for p in work.pending):
        return  # it would be started there
    yield StartVolume(
        host=scene.pool.asked,
        why=f"the volume is {scene.info.state.value.lower()}, not started",
        volume=name,
        volume_id=scene.info.volume_id,
    )


def _processes(scene: Scene, work: BrickWork) -> Iterator[Finding]:
    sets = brick_healths(scene.info, scene.view, scene.hosts, scene.pool)
    bricks = [b for members in sets for b in members]
    down = [b for b in bricks if b.verdict is BrickVerdict.DOWN and _may_run(b, scene, work)]
    seen = pool_seen_by(scene.pool.asked, scene.view, scene.hosts)
    out = seen.disconnected(scene.nodes) if seen else ()
    forced = force(bricks, work.ready, out, [n for n in scene.nodes if scene.working(n)])
    if may_start_by_force(sets) and not forced.unsound:
        yield from _restart(scene, down, forced) if down else _self_heal(scene, forced)
    elif may_start_by_force(sets) and down:
        yield Wait(
            Reason.NODE_NOT_READY,
            f"{down[0].key} is not started by force while {forced.unsound[0].key} is not known to be mounted from its "
            "own filesystem and marked: that would start it too",
            10.0,
        )
    if not may_start_by_force(sets):
        yield _too_many_down(scene.info.name, sets)
    for brick in bricks:
        if brick.verdict is BrickVerdict.UNKNOWN and scene.working(brick.node):
            yield Wait(Reason.NOT_OBSERVED, f"whether a brick on {brick.node} runs is not known: {brick.why}", 10.0)


def _restart(scene: Scene, down: list[BrickHealth], forced: Force) -> Iterator[Finding]:
    """One step a host, with guards for that host's own bricks."""
    for node in dict.fromkeys(b.node for b in down):
        own = [b for b in down if b.node == node]
        yield RestartBricks(
            host=node,
            why="; ".join(b.why for b in own),
            volume=scene.info.name,
            volume_id=scene.info.volume_id,
            bricks=tuple(b.key for b in own),
            places=places(node, scene.placement.bricks, scene.hosts),
            online=forced.online,
            away=forced.away,
        )


def _may_run(brick: BrickHealth, scene: Scene, work: BrickWork) -> bool:
    """Whether its host is up and the brick is mounted there as it should be."""
    return scene.working(brick.node) and (brick.node, brick.brick.path) in work.ready


def _too_many_down(name: str, sets: tuple[tuple[BrickHealth, ...], ...]) -> Wait | Blocked:
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


def _self_heal(scene: Scene, forced: Force) -> Iterator[Finding]:
    status = scene.pool.status.get(scene.info.name)
    if scene.info.replica_count == 1 or not isinstance(status, Known):
        return
    offline = [host for host, up in sorted(status.value.self_heal.items()) if not up]
    daemons = status.value.daemons
    nodes = [node_of_host(host, daemons.get(host, ""), scene.view, scene.hosts) for host in offline]
    for node in nodes:
        if node is not None and scene.working(node):
            yield RestartSelfHeal(
                host=node,
                why=f"the self-heal daemon of {scene.info.name} does not run on {node}",
                volume=scene.info.name,
                volume_id=scene.info.volume_id,
                places=places(node, scene.placement.bricks, scene.hosts),
                online=forced.online,
                away=forced.away,
            )


def _heal(scene: Scene) -> Iterator[Wait | Blocked]:
    name = scene.info.name
    heal = scene.pool.heal.get(name)
    if isinstance(heal, Known):
        split = {key: n.value for key, n in heal.value.split_brain.items() if isinstance(n, Known) and n.value}
        if split:
            told = ", ".join(f"{count} on {key}" for key, count in sorted(split.items()))
            yield Blocked(
                Reason.SPLIT_BRAIN,
                f"{name} has files whose copies contradict each other: {told}. Which copy is right only a person can "
                f"say; list them with: gluster volume heal {name} info split-brain",
            )
    verdict = healed(scene.info, scene.pool)
    if verdict == Known(False):
        yield Wait(Reason.WAITING_FOR_HEAL, f"copies of {name} still catch up", 10.0)
    elif not isinstance(verdict, Known):
        why = getattr(verdict, "cause", "no answer")
        yield Wait(Reason.HEAL_UNKNOWN, f"whether {name} is healed is not known: {why}", 15.0)

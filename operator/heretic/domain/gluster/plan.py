"""What to do next for one volume: bricks, then the volume, then its options, then its start; later its repair."""

from collections.abc import Mapping
from datetime import datetime

from heretic.api.v1alpha1 import GlusterVolume, Mode
from heretic.domain.declared.mode import mode_of
from heretic.domain.declared.names import peer_name
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.gluster.bricks import plan_bricks
from heretic.domain.gluster.difference import laid_out_by_others, topology_difference
from heretic.domain.gluster.health import volume_of
from heretic.domain.gluster.placement import Placement, gluster_name, place
from heretic.domain.gluster.removal import plan_volume_removal
from heretic.domain.gluster.repair import RepairInput, plan_existing
from heretic.domain.gluster.steps import CreateVolume, SetVolumeOptions, StartVolume
from heretic.domain.host.facts import HostView
from heretic.domain.plan import Blocked, Converged, Obstacle, Plan, Proceed, Step, Wait, first_obstacle
from heretic.domain.pool.facts import PoolFacts, VolumeInfo
from heretic.domain.pool.members import members
from heretic.domain.pool.obstacles import version_obstacle
from heretic.domain.pool.peers import pool_seen_by

__all__ = ["plan_volume", "plan_volume_removal"]


def plan_volume(
    volume: GlusterVolume,
    view: SiteView,
    hosts: Mapping[str, HostView],
    pool: Fact[PoolFacts],
    now: datetime | None = None,
) -> Plan:
    """Plans one volume that is not being deleted.

    Args:
        volume: The object.
        view: The declared site.
        hosts: What is known of every storage node.
        pool: What one of them says of the volumes.
        now: Wall clock; None where nobody said.

    Returns:
        The next steps that these facts support. Nothing is ever planned on what is not known, and never a step
        that changes which bricks a volume has (rule:brick-list-is-fixed).
    """
    found = volume_of(pool, gluster_name(volume))
    if isinstance(found, Known) and laid_out_by_others(found.value):
        return _other_volume(volume, found.value) or _not_managed(volume, found.value, view)
    placement = place(view).get(volume.metadata.name)
    if placement is None:
        return Wait(Reason.NOT_OBSERVED, f"GlusterVolume {volume.metadata.name} is not in the view of the site yet")
    if not isinstance(placement, Placement):
        return placement
    match found:
        case Unknown(cause):
            return Wait(Reason.NOT_OBSERVED, f"whether {placement.volume} exists is not known: {cause}", 10.0)
        case Absent():
            return _plan_new(volume, placement, view, hosts, pool)
        case Known(info):
            assert isinstance(pool, Known)
            if obstacle := _not_ours(volume, placement, info, view, hosts):
                return obstacle
            return plan_existing(
                RepairInput(placement, info, view, hosts, pool.value, volume.status.heal_progress, now)
            )


def _other_volume(volume: GlusterVolume, info: VolumeInfo) -> Blocked | None:
    """A namesake of the volume that the object stands for."""
    recorded = volume.status.volume_id
    if not recorded or recorded == info.volume_id:
        return None
    return Blocked(
        Reason.TOPOLOGY_DIFFERS,
        f"the Gluster volume {info.name} has the id {info.volume_id}, and this object stands for {recorded}: it "
        "was deleted and made again by somebody else. Delete this object (deletionPolicy Orphan) and apply it "
        "anew to adopt that volume",
    )


def _not_managed(volume: GlusterVolume, info: VolumeInfo, view: SiteView) -> Plan:
    """A volume whose bricks somebody else laid out: there is nothing to do while it is only observed."""
    where = ", ".join(dict.fromkeys(brick.path for brick in info.bricks))
    told = f"the bricks of {info.name} are not laid out by Heretic ({where})"
    if mode_of(volume, view.site) is Mode.OBSERVE:
        return Converged(f"observed only: {told}, so the volume is watched and not managed")
    return Blocked(
        Reason.TOPOLOGY_DIFFERS,
        f"{told}, so the volume can only be observed, and nothing is changed on it: set mode Observe. To have it "
        "managed, move the data to a new volume",
    )


def _not_ours(
    volume: GlusterVolume, placement: Placement, info: VolumeInfo, view: SiteView, hosts: Mapping[str, HostView]
) -> Obstacle | None:
    """Why a volume of the declared name is not taken for the declared one."""
    if other := _other_volume(volume, info):
        return other
    difference = topology_difference(placement, info, view, hosts)
    who = members(view, hosts)
    nameless = [b for b in info.bricks if who.node_of(b.host_uuid, (b.host,)) is None]
    silent = [node for node in who.unknown if node in {b.host for b in placement.bricks}]
    if difference and nameless and silent:
        return Wait(
            Reason.NOT_OBSERVED,
            f"{info.name} has a brick on {nameless[0].host}, and which Node that is will be known when "
            f"{', '.join(silent)} was seen",
            10.0,
        )
    if difference:
        return Blocked(
            Reason.TOPOLOGY_DIFFERS,
            f"{info.name} exists with other bricks than declared: {difference}. Heretic never adds or removes bricks "
            "by itself; change the declaration to what is there, or change the volume by hand",
        )
    return None


def _plan_new(
    volume: GlusterVolume,
    placement: Placement,
    view: SiteView,
    hosts: Mapping[str, HostView],
    pool: Fact[PoolFacts],
) -> Plan:
    obstacle = _pool_obstacle(placement, view, hosts, pool)
    if volume.status.volume_id:
        return obstacle or Blocked(
            Reason.TOPOLOGY_DIFFERS,
            f"{placement.volume} was created with the id {volume.status.volume_id} and is gone from the trusted pool. "
            "It is not made again, because its bricks may hold the data. Find out who deleted it; if nothing of it is "
            "needed, delete this object and apply it anew",
        )
    work = plan_bricks(placement, view, hosts, "")
    if work.steps:
        return Proceed(work.steps, work.pending)
    return first_obstacle(work.pending) or obstacle or _create(placement, view, pool)


def _create(placement: Placement, view: SiteView, pool: Fact[PoolFacts]) -> Proceed:
    assert isinstance(pool, Known)
    host, name = pool.value.asked, placement.volume
    steps: tuple[Step, ...] = (
        CreateVolume(
            host=host,
            why=f"all {len(placement.bricks)} bricks are ready, and the volume does not exist",
            volume=name,
            replica_count=placement.replica_count,
            arbiter_count=placement.arbiter_count,
            bricks=tuple(_peer_path(view, brick) for brick in placement.bricks),
        ),
        SetVolumeOptions(
            host=host, why="the volume is new", volume=name, options=tuple(sorted(placement.options.items()))
        ),
        StartVolume(host=host, why="the volume is new", volume=name),
    )
    return Proceed(steps, ordered=True)


def _pool_obstacle(
    placement: Placement, view: SiteView, hosts: Mapping[str, HostView], pool: Fact[PoolFacts]
) -> Wait | Blocked | None:
    """What must be so before a volume is created: one pool of all its nodes, with one version of Gluster."""
    nodes = tuple(dict.fromkeys(b.host for b in placement.bricks))
    stranger = members(view, hosts).obstacle(nodes)
    if stranger:
        return stranger
    if not isinstance(pool, Known):
        return Wait(Reason.WAITING_FOR_POOL, "no storage node tells what volumes there are")
    seen = pool_seen_by(pool.value.asked, view, hosts)
    if seen is None:
        return Wait(Reason.WAITING_FOR_POOL, f"{pool.value.asked} does not tell who is in the trusted pool", 10.0)
    if not seen.whole(nodes):
        out = sorted({*seen.absent(nodes), *seen.rejected(nodes), *seen.disconnected(nodes)})
        return Wait(
            Reason.WAITING_FOR_POOL,
            f"the trusted pool of {pool.value.asked} lacks {', '.join(out)}; the Site forms it",
            10.0,
        )
    return version_obstacle(nodes, hosts)


def _peer_path(view: SiteView, brick: BrickSpec) -> str:
    return f"{peer_name(view, brick.host)}:{brick.path}"

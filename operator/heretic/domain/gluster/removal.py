"""What to do for a volume whose object is being deleted: by default nothing at all."""

from collections.abc import Mapping
from dataclasses import replace

from heretic.api.v1alpha1 import GlusterVolume
from heretic.api.v1alpha1.common import DeletionPolicy
from heretic.domain.declared.names import storage_nodes
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.disks.brick_identity import brick_obstacle, is_mount_of, mounted_at
from heretic.domain.disks.growth import logical_volume
from heretic.domain.disks.judge import judge
from heretic.domain.disks.units import mount_unit
from heretic.domain.engine.facts import NOT_LOOKED_AT, EngineView
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.gluster.difference import topology_difference
from heretic.domain.gluster.domain_removal import last_look, plan_domain_removal
from heretic.domain.gluster.health import volume_of
from heretic.domain.gluster.placement import Placement, gluster_name, place
from heretic.domain.gluster.proofs import removal_tag, shape_of
from heretic.domain.gluster.removal_steps import ForgetMount, RemoveLogicalVolume, UnmountBrick
from heretic.domain.gluster.steps import DeleteVolume, StopVolume
from heretic.domain.host.facts import HostFacts, HostView, Mount
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Step, Wait
from heretic.domain.pool.facts import PoolFacts, VolumeInfo, VolumeState
from heretic.domain.pool.members import members
from heretic.domain.pool.peers import pool_seen_by

_INSTEAD = "to let the object go and keep the volume, set deletionPolicy to Orphan"


def plan_volume_removal(
    volume: GlusterVolume,
    view: SiteView,
    hosts: Mapping[str, HostView],
    pool: Fact[PoolFacts],
    engine: EngineView = NOT_LOOKED_AT,
) -> Plan:
    """Plans the end of one volume.

    Args:
        volume: The object that is being deleted.
        view: The declared site.
        hosts: What is known of every storage node.
        pool: What one of them says of the volumes.
        engine: What is known of the engine.

    Returns:
        Converged when the object may go. With deletionPolicy Destroy: steps that need an approval (all in one
        plan, in order), or what forbids them. Anything not known forbids them: a host that cannot be observed
        may have the volume mounted. A storage domain that lies on it goes first, with an approval of its own.
    """
    name = gluster_name(volume)
    if volume.spec.deletion_policy is DeletionPolicy.ORPHAN:
        return Converged(f"deletionPolicy is Orphan: {name} and its data stay as they are")
    domain = _not_known(name, view, hosts, pool) or plan_domain_removal(volume, view, engine)
    if not isinstance(domain, Converged):
        return domain
    if obstacle := _mounted(name, hosts):
        return obstacle
    assert isinstance(pool, Known)
    match volume_of(pool, name):
        case Known(info):
            return _guarded(_destroy(volume, info, view, hosts, pool.value), volume, view)
        case Absent():
            return _clean_up(volume, view, hosts)
        case Unknown(cause):
            return Wait(Reason.NOT_OBSERVED, f"whether {name} exists is not known: {cause}; {_INSTEAD}")


def _not_known(
    name: str, view: SiteView, hosts: Mapping[str, HostView], pool: Fact[PoolFacts]
) -> Wait | Blocked | None:
    if stranger := members(view, hosts).obstacle(storage_nodes(view)):
        return stranger
    for node in storage_nodes(view):
        facts = hosts.get(node)
        if not isinstance(facts, HostFacts):
            why = facts.message if facts else "not observed yet"
            return Wait(Reason.NODE_NOT_READY, f"{name} is not destroyed while {node} is out ({why}); {_INSTEAD}")
        for what, fact in (("mounts", facts.mounts), ("logical volumes", facts.logical_volumes)):
            if not isinstance(fact, Known):
                return Wait(Reason.NOT_OBSERVED, f"{name} is not destroyed: the {what} of {node} are not known")
    if not isinstance(pool, Known):
        return Wait(Reason.NOT_OBSERVED, f"{name} is not destroyed: no node tells what volumes there are")
    seen = pool_seen_by(pool.value.asked, view, hosts)
    if seen is None or not seen.whole(storage_nodes(view)):
        return Wait(
            Reason.WAITING_FOR_POOL,
            f"{name} is not destroyed while not all storage nodes are connected members of the pool; {_INSTEAD}",
        )
    return None


def _mounted(name: str, hosts: Mapping[str, HostView]) -> Blocked | None:
    for node, facts in sorted(hosts.items()):
        mounts = facts.mounts.value if isinstance(facts, HostFacts) and isinstance(facts.mounts, Known) else ()
        for mount in mounts:
            if _is_mount_of(name, mount):
                return Blocked(
                    Reason.VOLUME_IN_USE,
                    f"{name} is mounted on {node} at {mount.target}; unmount it before it is destroyed, or "
                    f"{_INSTEAD.removeprefix('to ')}",
                )
    return None


def _is_mount_of(name: str, mount: Mount) -> bool:
    """Whether a mount is of this volume: "host:/volume", "host:volume", or a folder below."""
    if mount.fstype != "fuse.glusterfs":
        return False
    return mount.source.rpartition(":")[2].strip("/").partition("/")[0] == name


def _destroy(
    volume: GlusterVolume, info: VolumeInfo, view: SiteView, hosts: Mapping[str, HostView], pool: PoolFacts
) -> Plan:
    placement = place(view).get(volume.metadata.name)
    recorded = volume.status.volume_id
    if not isinstance(placement, Placement):
        why = placement.message if placement else "it is not placed"
        return Blocked(Reason.TOPOLOGY_DIFFERS, f"which bricks of {info.name} are this object's is not known: {why}")
    difference = topology_difference(placement, info, view, hosts)
    if difference or (recorded and recorded != info.volume_id):
        why = difference or f"its id is {info.volume_id}, and this object stands for {recorded}"
        return Blocked(
            Reason.TOPOLOGY_DIFFERS, f"{info.name} is not the volume that this object declares: {why}; {_INSTEAD}"
        )
    started = info.state is VolumeState.STARTED
    if started:
        in_use = _in_use(info.name, pool)
        if in_use:
            return in_use
    host = pool.asked
    why = "the object is being deleted with deletionPolicy Destroy"
    what = {"volume": info.name, "volume_id": info.volume_id, "shape": shape_of(info)}
    steps: list[Step] = [StopVolume(host=host, why=why, **what)] if started else []
    steps.append(DeleteVolume(host=host, why=why, **what))
    return _with_bricks(steps, placement, view, hosts, info.volume_id)


def _guarded(plan: Plan, volume: GlusterVolume, view: SiteView) -> Plan:
    """The engine is asked once more in the moment before the volume is stopped."""
    last = last_look(volume, view)
    return replace(plan, steps=(last, *plan.steps)) if last and isinstance(plan, Proceed) else plan


def _in_use(name: str, pool: PoolFacts) -> Wait | Blocked | None:
    match pool.clients.get(name, Unknown(f"{pool.asked} was not asked")):
        case Known(0):
            return None
        case Known(count):
            return Blocked(
                Reason.VOLUME_IN_USE,
                f"{name} has {count} clients; disconnect them before it is destroyed (gluster volume status {name} "
                f"clients lists them), or {_INSTEAD.removeprefix('to ')}",
            )
        case Unknown(cause):
            return Wait(Reason.VOLUME_IN_USE, f"{name} is not destroyed: who uses it is not known: {cause}")
        case Absent():
            return Wait(Reason.VOLUME_IN_USE, f"{name} is not destroyed: who uses it is not known")


def _clean_up(volume: GlusterVolume, view: SiteView, hosts: Mapping[str, HostView]) -> Plan:
    """The volume is gone, or never came to be; what is left are its bricks."""
    placement = place(view).get(volume.metadata.name)
    if not isinstance(placement, Placement):
        return Converged(f"{gluster_name(volume)} does not exist, and nothing was made for it")
    return _with_bricks([], placement, view, hosts, volume.status.volume_id)


def _with_bricks(
    steps: list[Step], placement: Placement, view: SiteView, hosts: Mapping[str, HostView], volume_id: str
) -> Plan:
    for brick in placement.bricks:
        facts = hosts[brick.host]
        assert isinstance(facts, HostFacts)
        planned = _brick_steps(facts, view, brick, volume_id)
        if not isinstance(planned, tuple):
            return planned
        steps += planned
    if not steps:
        return Converged(f"nothing of {placement.volume} is left on the hosts")
    return Proceed(tuple(steps), ordered=True)


def _brick_steps(
    facts: HostFacts, view: SiteView, brick: BrickSpec, volume_id: str
) -> tuple[Step, ...] | Wait | Blocked:
    """What takes one brick from its host: only what is proven to be this volume's (rule:never-prepare-twice)."""
    if not isinstance(facts[BRICK_FOLDERS], Known) or not isinstance(facts.services, Known):
        return Wait(Reason.NOT_OBSERVED, f"the bricks on {brick.host} are not known, so none is removed")
    if obstacle := brick_obstacle(facts, brick, judge(view.nodes[brick.host], view, facts)):
        return obstacle
    volume = logical_volume(facts, brick.group, brick.name)
    there = mounted_at(facts.mounts.value if isinstance(facts.mounts, Known) else (), brick.mount_point)
    why = f"{brick.volume} is being destroyed"
    at = {"group": brick.group, "name": brick.name, "mount_point": brick.mount_point}
    filesystem = brick.filesystem or (volume.filesystem_uuid if volume else "") or brick.new_filesystem
    forget = ForgetMount(host=brick.host, why=why, volume=brick.volume, filesystem=filesystem, **at)
    left = (forget,) if mount_unit(brick.mount_point) in facts.services.value else ()
    if there is not None and (volume is None or not is_mount_of(there, brick)):
        return _not_proven(brick, f"{there.source} is mounted at {brick.mount_point}")
    if volume is None:
        return left
    if not volume.uuid:
        return Wait(Reason.NOT_OBSERVED, f"LVM's UUID of {brick.device} on {brick.host} is not known")
    what = {"host": brick.host, "why": why, "volume": brick.volume, "volume_id": volume_id}
    lvm = {"group": brick.group, "name": brick.name, "volume_uuid": volume.uuid}
    remove = RemoveLogicalVolume(**what, **lvm)
    if there is None:
        if volume_id and removal_tag(volume_id) in volume.tags:
            return (*left, remove)
        return _not_proven(brick, f"{brick.device} is not mounted, so whose brick it holds cannot be seen")
    if wrong := _stranger(facts, brick, volume_id):
        return wrong
    where = {"mount_point": brick.mount_point, "path": brick.path, "filesystem": volume.filesystem_uuid}
    return UnmountBrick(**what, **lvm, **where), remove


def _stranger(facts: HostFacts, brick: BrickSpec, volume_id: str) -> Blocked | None:
    """Why the mounted brick is not proven to be this volume's."""
    folders = facts[BRICK_FOLDERS]
    folder = folders.value.get(brick.path) if isinstance(folders, Known) else None
    if volume_id and folder is not None and folder.volume_id == volume_id:
        return None
    if folder is None or not folder.exists or (not folder.volume_id and folder.empty):
        return _not_proven(brick, f"{brick.path} carries no mark of a volume")
    owner = f"belongs to the volume {folder.volume_id}" if folder.volume_id else "is not empty"
    return Blocked(
        Reason.BRICK_NOT_EMPTY,
        f"{brick.path} on {brick.host} {owner}, and this object's volume is {volume_id or 'not made yet'}; {_INSTEAD}",
    )


def _not_proven(brick: BrickSpec, what: str) -> Blocked:
    return Blocked(
        Reason.BRICK_NOT_PROVEN,
        f"{brick.host}: {what}, and nothing proves that {brick.device} holds a brick of {brick.volume}; it is not "
        f"removed. Mount it so that it can be looked at (mount {brick.device} {brick.mount_point}), or remove it by "
        f"hand (lvremove {brick.group}/{brick.name}) if nothing on it is needed; {_INSTEAD}",
    )

"""Gluster volumes, bricks and hooks of clusters, as the engine shows them: nothing here changes Gluster."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Operations, Performed
from sim.engine.gluster_world import GlusterBrickView, GlusterVolumeView, TrueHook, seen_hooks, seen_volumes, someone_up
from sim.engine.messages import BareError, conflict
from sim.engine.render import Item, Listing, ref
from sim.engine.routes import API
from sim.engine.state import named


def _cluster(call: Call) -> Any:
    return call.state.clusters.get(call.route.ids[0])


def _volumes(call: Call) -> Listing:
    cluster = call.parent(call.state.clusters, "Cluster")
    return Listing("gluster_volumes", [_volume_item(cluster, seen) for seen in seen_volumes(call.state, cluster)])


def _the_volume(call: Call) -> tuple[Any, GlusterVolumeView]:
    cluster = _cluster(call)
    for seen in seen_volumes(call.state, cluster) if cluster else ():
        if seen.volume.id == call.route.ids[1]:
            return cluster, seen
    raise BareError(404)


def _volume_item(cluster: Any, seen: GlusterVolumeView) -> Item:
    volume = seen.volume
    value = types.GlusterVolume(
        id=volume.id,
        name=seen.name,
        cluster=ref(types.Cluster, cluster.id),
        disperse_count=0,
        options=[types.Option(name=name, value=told) for name, told in volume.options.items()],
        redundancy_count=0,
        replica_count=volume.replicas,
        status=types.GlusterVolumeStatus(_word(seen.up)),
        stripe_count=0,
        transport_types=[types.TransportType.TCP],
        volume_type=types.GlusterVolumeType(volume.kind),
    )
    return Item(value, f"{API}/clusters/{cluster.id}/glustervolumes/{volume.id}")


def _bricks(call: Call) -> Listing:
    cluster, seen = _the_volume(call)
    return Listing("bricks", [_brick_item(call, cluster, seen, brick) for brick in seen.bricks])


def _brick(call: Call) -> Item:
    cluster, seen = _the_volume(call)
    for brick in seen.bricks:
        if brick.brick.id == call.key:
            return _brick_item(call, cluster, seen, brick)
    raise BareError(404)


def _brick_item(call: Call, cluster: Any, volume: GlusterVolumeView, seen: GlusterBrickView) -> Item:
    place = f"clusters/{cluster.id}/glustervolumes"
    host = named(call.state.hosts, seen.brick.host)
    value = types.GlusterBrick(
        id=seen.brick.id,
        name=f"{host.address if host else seen.brick.host}:{seen.brick.folder}",
        brick_dir=seen.brick.folder,
        server_id=host.id if host else None,
        status=types.GlusterBrickStatus(_word(seen.up)),
        gluster_volume=ref(types.GlusterVolume, volume.volume.id, place),
    )
    return Item(value, f"{API}/{place}/{volume.volume.id}/glusterbricks/{value.id}")


def _word(up: bool | None) -> str:
    return {None: "unknown", True: "up", False: "down"}[up]


def _hooks(call: Call) -> Listing:
    cluster = call.parent(call.state.clusters, "Cluster")
    found = seen_hooks(call.state, cluster).items()
    return Listing("gluster_hooks", [_hook_item(cluster, name, hook) for name, hook in found])


def _hook_item(cluster: Any, name: str, hook: TrueHook) -> Item:
    status = types.GlusterHookStatus.ENABLED if hook.enabled else types.GlusterHookStatus.DISABLED
    value = types.GlusterHook(
        id=hook.id,
        name=name,
        cluster=ref(types.Cluster, cluster.id),
        conflict_status=0,
        conflicts="",
        content_type=types.HookContentType.TEXT,
        gluster_command=hook.command,
        stage=types.HookStage(hook.stage),
        status=status,
    )
    return Item(value, f"{API}/clusters/{cluster.id}/glusterhooks/{hook.id}")


def _refresh_heal(call: Call) -> Performed:
    """Asks now for entries that are not healed."""
    cluster = call.the(call.state.clusters)
    call.body("action")
    if not someone_up(call.state, cluster.id):
        raise conflict(f"No up server found in {cluster.name}.")
    call.state.heal_asked[cluster.id] = call.state.now()
    return Performed()


OPERATIONS: Operations = {
    (services.GlusterVolumesService, "list"): _volumes,
    (services.GlusterVolumeService, "get"): lambda call: _volume_item(*_the_volume(call)),
    (services.GlusterBricksService, "list"): _bricks,
    (services.GlusterBrickService, "get"): _brick,
    (services.GlusterHooksService, "list"): _hooks,
    (services.ClusterService, "refresh_gluster_heal_status"): _refresh_heal,
}

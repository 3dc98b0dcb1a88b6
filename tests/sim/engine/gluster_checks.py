"""What Gluster has against the loss of a host: quorum, and entries that are not healed.

The same rule serves the engine, which looks at what it has seen, and the proxy of a fence operation, which looks at
what is. The engine's is as its sources have it: what it does not know counts as well.
"""

from math import ceil
from typing import Any

from sim.engine.calls import Call
from sim.engine.gluster_world import (
    GlusterBrickView,
    GlusterVolumeView,
    TrueVolume,
    gluster_at,
    seen_volumes,
    switch_bricks,
)
from sim.engine.host_life import HostLife, Status
from sim.engine.messages import conflict
from sim.engine.state import EngineState

_REPLICATED = ("replicate", "distributed_replicate")
_NO = "Cannot switch Host to Maintenance mode."


def quorum_kept(volume: TrueVolume, bricks: list[GlusterBrickView], host: str) -> bool:
    """Whether every replica set of a volume keeps its quorum when a host is gone."""
    kind = volume.options.get("cluster.quorum-type")
    if kind not in ("auto", "fixed"):
        return True
    needed = int(volume.options["cluster.quorum-count"]) if kind == "fixed" else ceil(volume.replicas / 2)
    for start in range(0, len(bricks), volume.replicas):
        up = [seen.brick.host for seen in bricks[start : start + volume.replicas] if seen.up]
        if host in up and sum(other != host for other in up) < needed:
            return False
    return True


def refuse_for_gluster(call: Call, host: Any) -> None:
    """Refuses to stop Gluster on a host where the engine believes that this does harm. Its belief may be old."""
    volumes = seen_volumes(call.state, call.state.clusters[host.cluster.id])
    if lost := [seen.name for seen in volumes if _loses_quorum(seen, host.name)]:
        raise conflict(f"{_NO} Gluster quorum will be lost for the following Volumes: {', '.join(lost)}.")
    ailing = [
        f"{seen.brick.host}:{seen.brick.folder}"
        for volume in volumes
        for seen in volume.bricks
        # A number that is not known passes.
        if seen.brick.host == host.name and seen.up and seen.unsynced
    ]
    if ailing:
        raise conflict(f"{_NO} Unsynced entries present in following gluster bricks: {', '.join(ailing)}.")


def _loses_quorum(seen: GlusterVolumeView, host: str) -> bool:
    return bool(seen.up) and seen.volume.kind in _REPLICATED and not quorum_kept(seen.volume, seen.bricks, host)


def stop_gluster(state: EngineState, host: Any, life: HostLife) -> None:
    """Stops Gluster on a host once it is in maintenance; its activation starts it again."""
    when = next(when for when, status in life.steps if status is Status.MAINTENANCE)
    life.gluster_stopped = True
    state.at(when, lambda moment: switch_bricks(state, host, moment, up=False))


def start_gluster(state: EngineState, host: Any, life: HostLife) -> None:
    """Gluster runs again on a host that comes up, if the engine had stopped it there."""
    if life.gluster_stopped:
        life.gluster_stopped = False
        when = next(when for when, status in life.steps if status is Status.UP)
        state.at(when, lambda moment: switch_bricks(state, host, moment, up=True))


def has_bricks(state: EngineState, host: Any) -> bool:
    """Whether the engine knows of bricks on a host."""
    volumes = seen_volumes(state, state.clusters[host.cluster.id])
    return any(seen.brick.host == host.name for volume in volumes for seen in volume.bricks)


def spared_for_gluster(state: EngineState, host: Any, policy: Any, at: Any) -> str | None:
    """Why the proxy would not fence a host because of Gluster; what it cannot find out allows fencing."""
    if state.fence_check_fails:
        return None
    for name, volume in gluster_at(state, host.cluster.id, at).volumes.items():
        bricks = [GlusterBrickView(brick, brick.up, brick.unsynced) for brick in volume.bricks]
        if policy.skip_if_gluster_bricks_up and any(seen.up and seen.brick.host == host.name for seen in bricks):
            return f"bricks of volume {name} are up"
        if policy.skip_if_gluster_quorum_not_met and volume.up and not quorum_kept(volume, bricks, host.name):
            return f"volume {name} would lose its quorum"
    return None

"""Gluster as it is, and as the engine sees it: later, and of each thing at another time.

What is, is told by whoever drives the engine (`gluster_changes`). The engine looks at fixed times after its start.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sim.engine.host_life import Status
from sim.engine.state import EngineState, named

LIGHT = timedelta(seconds=15)
"""So often the engine asks for volumes, their bricks and options."""
HEAVY = timedelta(seconds=900)
"""So often for the state of bricks."""
HEAL = timedelta(seconds=600)
"""So often for entries that are not healed."""
HOOKS = timedelta(seconds=7200)
"""So often for hooks."""


@dataclass
class TrueBrick:
    """A brick.

    Attributes:
        host: Name of the host in the engine.
        unsynced: Entries that are to be healed; None: Gluster cannot tell.
    """

    host: str
    folder: str
    up: bool = True
    unsynced: int | None = 0
    id: str = ""


@dataclass
class TrueVolume:
    """A volume.

    Attributes:
        kind: As the API calls it.
        bricks: In the order of their replica sets.
    """

    bricks: list[TrueBrick]
    kind: str = "replicate"
    replicas: int = 3
    up: bool = True
    options: dict[str, str] = field(default_factory=dict)
    id: str = ""


@dataclass
class TrueHook:
    """A script that Gluster runs at its commands."""

    command: str
    stage: str = "post"
    enabled: bool = True
    id: str = ""


@dataclass
class TrueGluster:
    """All of it, in one cluster. Volumes and hooks by their names."""

    volumes: dict[str, TrueVolume] = field(default_factory=dict)
    hooks: dict[str, TrueHook] = field(default_factory=dict)


@contextmanager
def gluster_changes(state: EngineState, cluster: str) -> Iterator[TrueGluster]:
    """Changes Gluster in a cluster; the engine knows nothing of it yet."""
    state.settle()
    found = named(state.clusters, cluster)
    assert found, cluster
    with _changes(state, found.id, state.now()) as world:
        yield world


@contextmanager
def _changes(state: EngineState, cluster: str, at: datetime) -> Iterator[TrueGluster]:
    world = deepcopy(gluster_at(state, cluster, at))
    yield world
    bricks = [brick for volume in world.volumes.values() for brick in volume.bricks]
    named_things: list[TrueVolume | TrueHook | TrueBrick] = [*world.volumes.values(), *world.hooks.values(), *bricks]
    for thing in named_things:
        thing.id = thing.id or state.new_id()
    state.gluster.setdefault(cluster, []).append((at, world))


def switch_bricks(state: EngineState, host: Any, at: datetime, *, up: bool) -> None:
    """The processes of a host's bricks end, or run again."""
    with _changes(state, host.cluster.id, at) as world:
        for volume in world.volumes.values():
            for brick in volume.bricks:
                if brick.host == host.name:
                    brick.up = up


def gluster_at(state: EngineState, cluster: str, at: datetime) -> TrueGluster:
    """Gluster as it was at a moment."""
    history: list[tuple[datetime, TrueGluster]] = state.gluster.get(cluster, [])
    return next((world for when, world in reversed(history) if when <= at), TrueGluster())


def _last_look(state: EngineState, every: timedelta) -> datetime:
    return state.started + (state.now() - state.started) // every * every


@dataclass
class GlusterBrickView:
    """A brick as the engine sees it. None: it does not know."""

    brick: TrueBrick
    up: bool | None
    unsynced: int | None


@dataclass
class GlusterVolumeView:
    """A volume as the engine sees it. None: it does not know."""

    name: str
    volume: TrueVolume
    up: bool | None
    bricks: list[GlusterBrickView]


def seen_volumes(state: EngineState, cluster: Any) -> list[GlusterVolumeView]:
    """The volumes of a cluster as the engine sees them."""
    if not cluster.gluster_service:
        return []
    light = gluster_at(state, cluster.id, _last_look(state, LIGHT))
    heavy = _bricks_at(state, cluster.id, _last_look(state, HEAVY))
    healed = _bricks_at(
        state, cluster.id, max(_last_look(state, HEAL), state.heal_asked.get(cluster.id, state.started))
    )
    asked = someone_up(state, cluster.id)
    found = []
    for name, volume in light.volumes.items():
        bricks = []
        for brick in volume.bricks:
            # What is new to the engine counts as its volume does.
            up = heavy[brick.id].up if brick.id in heavy else volume.up
            unsynced = healed[brick.id].unsynced if brick.id in healed else None
            bricks.append(GlusterBrickView(brick, up if asked else None, unsynced))
        found.append(GlusterVolumeView(name, volume, volume.up if asked else None, bricks))
    return found


def _bricks_at(state: EngineState, cluster: str, at: datetime) -> dict[str, TrueBrick]:
    world = gluster_at(state, cluster, at)
    return {brick.id: brick for volume in world.volumes.values() for brick in volume.bricks}


def seen_hooks(state: EngineState, cluster: Any) -> dict[str, TrueHook]:
    """The hooks of a cluster as the engine sees them."""
    return gluster_at(state, cluster.id, _last_look(state, HOOKS)).hooks if cluster.gluster_service else {}


def someone_up(state: EngineState, cluster: str) -> bool:
    """Whether the engine has a host of the cluster that it can ask."""
    now = state.now()
    return any(
        host.cluster.id == cluster and state.lives[key].status(now) is Status.UP for key, host in state.hosts.items()
    )

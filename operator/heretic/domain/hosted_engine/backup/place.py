"""Where backups are kept, and what does not do: the engine's own storage, and what does not outlive a boot."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import GlusterVolume, HostedEngine
from heretic.api.v1alpha1.gluster_volume import Purpose
from heretic.domain.declared.names import peer_name
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineFacts, EngineView
from heretic.domain.errors import Reason, unobserved
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView, Mount
from heretic.domain.plan import Blocked, Obstacle, Wait

MOUNTED = "/run/heretic/backups"
"""Where a volume is mounted on which backups are kept."""

_IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})
_GLUSTER = "fuse.glusterfs"
_OWN_DOMAIN = "hosted_storage"


@dataclass(frozen=True, slots=True)
class BackupPlace:
    """Where backups are kept.

    Attributes:
        node: Name of the Node.
        facts: What is known of its host.
        folder: Where on it.
        source: What has to be mounted there first, server and volume; "" = it is somebody else's mount.
        is_mounted: Whether that is so.
    """

    node: str
    facts: HostFacts
    folder: str
    source: str
    is_mounted: bool


def folder_of(engine: HostedEngine) -> tuple[str, str]:
    """The Node and the folder in which the declared backups are kept; empty where none are declared."""
    backup = engine.spec.backup
    if backup is None:
        return "", ""
    return backup.node, backup.path or f"{MOUNTED}/{backup.volume}"


def place_of(
    engine: HostedEngine, view: SiteView, hosts: Mapping[str, HostView], seen: EngineView
) -> BackupPlace | Obstacle:
    """Where the backups of an engine are kept, or why they cannot be there (rule:backups-elsewhere).

    Args:
        engine: What is declared; with backups.
        view: The declared site.
        hosts: What is known of hosts.
        seen: What is known of the engine.
    """
    backup, (node, folder) = engine.spec.backup, folder_of(engine)
    assert backup is not None
    if node not in view.nodes:
        return Blocked(Reason.NODE_NOT_FOUND, f"there is no Node {node}, which is to keep the engine's backups")
    facts = hosts.get(node)
    if not isinstance(facts, HostFacts):
        why = unobserved(node, facts) if facts is not None else f"{node} was not looked at yet"
        return Wait(Reason.NODE_NOT_READY, why)
    if not isinstance(facts.mounts, Known):
        cause = facts.mounts.cause if isinstance(facts.mounts, Unknown) else "they were not told"
        return Wait(Reason.NOT_OBSERVED, f"the mounts of {node} are not known: {cause}")
    if view.nodes[node].spec.address == engine.spec.address:
        return _unfit(f"{node} is the machine on which the engine runs: what takes the engine takes its backups")
    if not backup.volume:
        mount = mount_of(folder, facts.mounts.value)
        why = next(_against(folder, mount, node, engine, view, seen), "")
        return _unfit(f"{node}:{folder} {why}") if why else BackupPlace(node, facts, folder, "", True)
    volume = view.of(GlusterVolume).get(backup.volume)
    if volume is None:
        return Blocked(
            Reason.INVALID_SPEC, f"there is no GlusterVolume {backup.volume}, on which backups are to be kept"
        )
    if volume.spec.purpose is Purpose.ENGINE:
        return _unfit(f"GlusterVolume {backup.volume} is for engines' machines: what takes it takes the backups too")
    bricks = [brick.node for brick in volume.status.bricks]
    if not bricks:
        return Wait(Reason.NODE_NOT_READY, f"GlusterVolume {backup.volume} has no bricks yet")
    server = peer_name(view, node if node in bricks else bricks[0])
    source = f"{server}:/{volume.spec.volume_name or backup.volume}"
    there = [mount for mount in facts.mounts.value if mount.target == folder]
    return BackupPlace(node, facts, folder, source, any(m.source == source and m.fstype == _GLUSTER for m in there))


def mount_of(path: str, mounts: tuple[Mount, ...]) -> Mount | None:
    """The mount on which a path lies; of several in one place the last one is seen."""
    over = [mount for mount in mounts if path == mount.target or path.startswith(f"{mount.target.rstrip('/')}/")]
    return max(over, key=lambda mount: len(mount.target), default=None)


def _against(
    folder: str, mount: Mount | None, node: str, engine: HostedEngine, view: SiteView, seen: EngineView
) -> Iterator[str]:
    if mount is None or mount.target == "/":
        yield (
            "is on the root filesystem of the host, where backups could fill it up, or it is not mounted. Mount a "
            "filesystem there, or declare a volume"
        )
        return
    if mount.fstype in _IN_MEMORY:
        yield f"is in memory ({mount.fstype} on {mount.target}): a boot would take the backups"
    if mount.source in set(_engine_sources(engine, view, seen)) or (
        mount.fstype == _GLUSTER and mount.source.rpartition(":")[2].lstrip("/") in set(_engine_volumes(view))
    ):
        yield f"is on the storage of the engine's own machine ({mount.source}): what takes that takes the backups too"
    assert isinstance(mount, Mount)
    for volume in view.of(GlusterVolume).values():
        if any(b.node == node and f"{b.path}/".startswith(f"{mount.target}/") for b in volume.status.bricks):
            yield f"is on the filesystem of a brick of GlusterVolume {volume.metadata.name}, which is for Gluster alone"


def _engine_volumes(view: SiteView) -> Iterator[str]:
    for name, volume in view.of(GlusterVolume).items():
        if volume.spec.purpose is Purpose.ENGINE:
            yield volume.spec.volume_name or name


def _engine_sources(engine: HostedEngine, view: SiteView, seen: EngineView) -> Iterator[str]:
    """What the engine itself says of the storage of its machine."""
    if isinstance(seen, EngineFacts) and isinstance(seen.storage_domains, Known):
        for domain in seen.storage_domains.value:
            if domain.name == _OWN_DOMAIN and domain.path:
                yield f"{domain.address}:{domain.path}"


def _unfit(why: str) -> Blocked:
    return Blocked(Reason.BACKUP_PLACE_UNFIT, why)

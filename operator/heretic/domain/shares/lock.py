"""The lock volume: which one it is, how it is mounted, and how it is proved to lock between hosts.

CTDB keeps two halves of a broken cluster from serving the same files by a lock on a file that all hosts see. So the
lock is proved before CTDB runs: one host, the keeper, holds a lock on a file of the volume, and each other one must be
kept out. The host that was the keeper first proves itself against another one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import GlusterVolume
from heretic.api.v1alpha1.gluster_volume import Purpose
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.names import peer_name, storage_nodes
from heretic.domain.declared.stored import is_true, why_not
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, Mount, Service
from heretic.domain.host.rule import unseen
from heretic.domain.plan import Blocked, Obstacle, PlanItem, Wait
from heretic.domain.shares.lock_steps import (
    FOLDER,
    KEEPER,
    UNIT,
    HoldLock,
    MountLock,
    ProveLock,
    ReleaseLock,
    mount_description,
)


@dataclass(frozen=True, slots=True)
class LockVolume:
    """The volume that holds the lock.

    Attributes:
        name: Of its object.
        volume: In Gluster.
        id: Gluster's id of it.
        hosts: Names of the storage nodes, as Gluster knows them.
    """

    name: str
    volume: str
    id: str
    hosts: tuple[str, ...]

    def sources(self, view: SiteView, node: str) -> tuple[str, ...]:
        """Whom a host asks for the volume: itself first where it can."""
        own = peer_name(view, node)
        return tuple(sorted(self.hosts, key=lambda host: host != own))


def lock_volume(view: SiteView) -> LockVolume | Obstacle:
    """The site's lock volume, or why there is none that can be mounted."""
    found = [v for v in view.of(GlusterVolume).values() if v.spec.purpose is Purpose.LOCK]
    found = [v for v in found if v.metadata.deletion_timestamp is None]
    if not found:
        return Wait(
            Reason.LOCK_VOLUME_MISSING,
            "there is no GlusterVolume of purpose Lock, without which two halves of a broken network would serve the "
            "same files; make one of 1Gi",
        )
    if len(found) > 1:
        names = ", ".join(sorted(v.metadata.name for v in found))
        return Blocked(Reason.INVALID_SPEC, f"the file servers have one lock, and {names} are all of purpose Lock")
    volume = found[0]
    if not is_true(volume, ConditionType.STARTED) or not volume.status.volume_id:
        return Wait(
            Reason.VOLUME_NOT_STARTED, f"the lock volume is not started: {why_not(volume, ConditionType.STARTED)}"
        )
    return LockVolume(
        name=volume.metadata.name,
        volume=volume.spec.volume_name or volume.metadata.name,
        id=volume.status.volume_id,
        hosts=tuple(peer_name(view, node) for node in storage_nodes(view)),
    )


def mounting(lock: LockVolume, view: SiteView, facts: HostFacts) -> Iterator[PlanItem]:
    """What mounts the volume on one host."""
    if not isinstance(facts.mounts, Known):
        yield unseen(facts, "what it has mounted", facts.mounts)
        return
    if not isinstance(facts.services, Known):
        yield unseen(facts, "its services", facts.services)
        return
    there = [mount for mount in facts.mounts.value if mount.target == FOLDER]
    other = [mount for mount in there if not _is(mount, lock)]
    if other:
        yield Blocked(
            Reason.LOCK_NOT_MOUNTED,
            f"{facts.host}: {other[-1].source} is mounted on {FOLDER}, where the lock volume belongs; "
            f"`umount {FOLDER}` on the host",
        )
        return
    sources, unit = lock.sources(view, facts.host), facts.services.value.get(UNIT)
    if there and _is_written(unit, mount_description(lock.volume, sources)):
        return
    yield MountLock(
        host=facts.host,
        why=f"the lock volume {lock.name} is {'mounted by another unit' if there else 'not mounted'}",
        volume=lock.volume,
        sources=sources,
    )


def _is(mount: Mount, lock: LockVolume) -> bool:
    return mount.fstype == "fuse.glusterfs" and mount.source.rpartition(":")[2].lstrip("/") == lock.volume


def _is_written(unit: Service | None, description: str) -> bool:
    return unit is not None and unit.enabled == "enabled" and unit.description == description


def proving(lock: LockVolume, seen: Mapping[str, HostFacts], proofs: Mapping[str, Fact[str]]) -> list[PlanItem]:
    """What proves that a lock of one host keeps the others out.

    Args:
        lock: The volume, mounted on all these hosts.
        seen: The file servers that can be asked.
        proofs: For which volume each of them was kept out.
    """
    for host, proof in proofs.items():
        if isinstance(proof, Unknown):
            return [unseen(seen[host], "whether its lock was proved", proof)]
    proved = [host for host, proof in proofs.items() if proof == Known(lock.id)]
    keeper = next(iter(proved or proofs))
    left = [host for host in proofs if host not in proved and host != keeper]
    holding = [host for host in proofs if _holds(seen[host])]
    if done := [host for host in holding if host != keeper or not left]:
        return [ReleaseLock(host=host, why="the others have proved the lock that it holds") for host in done]
    if not left:
        return []
    if keeper not in holding:
        return [HoldLock(host=keeper, why=f"{', '.join(left)} must be kept out of a lock that {keeper} holds")]
    return [ProveLock(host=host, why=f"{keeper} holds a lock of {lock.name}", volume_id=lock.id) for host in left]


def _holds(facts: HostFacts) -> bool:
    services = facts.services.value if isinstance(facts.services, Known) else {}
    return KEEPER in services and services[KEEPER].active in ("active", "activating")

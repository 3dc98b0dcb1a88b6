"""The lock volume: which one it is, how it is mounted, and how it is proved to lock between hosts.

CTDB keeps two halves of a broken cluster from serving the same files by a lock on a file that all hosts see. So the
lock is proved before CTDB runs: one host, the keeper, holds a lock on a file of the volume, and each other one must be
kept out. The host that was the keeper first proves itself against another one.
"""

from collections.abc import Iterator, Mapping

from heretic.api.v1alpha1 import GlusterVolume
from heretic.api.v1alpha1.gluster_volume import Purpose
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import unseen
from heretic.domain.plan import Blocked, Obstacle, PlanItem, Wait
from heretic.domain.shares.lock_steps import KEEPER, HoldLock, MountLock, ProveLock, ReleaseLock
from heretic.domain.shares.volumes import MountedVolume, mounted_volume, mounting


def lock_volume(view: SiteView) -> MountedVolume | Obstacle:
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
    return mounted_volume(found[0], view, "the lock volume")


def mounting_lock(lock: MountedVolume, view: SiteView, facts: HostFacts) -> Iterator[PlanItem]:
    """What mounts the volume on one host."""
    step = MountLock(
        host=facts.host,
        why=f"the lock volume {lock.name} is not mounted, or by another unit",
        volume=lock.volume,
        sources=lock.sources(view, facts.host),
    )
    yield from mounting(view, facts, step, Reason.LOCK_NOT_MOUNTED)


def proving(lock: MountedVolume, seen: Mapping[str, HostFacts], proofs: Mapping[str, Fact[str]]) -> list[PlanItem]:
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

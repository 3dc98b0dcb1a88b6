"""Volumes that file servers mount: which can be, from whom, and what mounts them."""

from collections.abc import Iterator
from dataclasses import dataclass

from heretic.api.v1alpha1 import GlusterVolume
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.names import peer_name, storage_nodes
from heretic.domain.declared.stored import is_true, why_not
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.units import mount_unit
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, Mount, Service
from heretic.domain.host.rule import unseen
from heretic.domain.plan import Blocked, PlanItem, Wait
from heretic.domain.shares.mount_steps import MountVolume, described

SHARES = "/gluster/shares"
"""Below it lies each volume with files of shares."""
SHARE_MOUNTS = f"{mount_unit(SHARES).removesuffix('.mount')}-*.mount"
"""Their units, as a pattern."""


@dataclass(frozen=True, slots=True)
class MountedVolume:
    """A volume that file servers mount.

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

    @property
    def folder(self) -> str:
        """Where a volume with files of shares is mounted."""
        return f"{SHARES}/{self.volume}"


def mounted_volume(volume: GlusterVolume, view: SiteView, what: str) -> MountedVolume | Wait:
    """The volume, or why it cannot be mounted yet."""
    if not is_true(volume, ConditionType.STARTED) or not volume.status.volume_id:
        return Wait(Reason.VOLUME_NOT_STARTED, f"{what} is not started: {why_not(volume, ConditionType.STARTED)}")
    return MountedVolume(
        name=volume.metadata.name,
        volume=volume.spec.volume_name or volume.metadata.name,
        id=volume.status.volume_id,
        hosts=tuple(peer_name(view, node) for node in storage_nodes(view)),
    )


def mounting(view: SiteView, facts: HostFacts, step: MountVolume, reason: Reason) -> Iterator[PlanItem]:
    """What mounts a volume on one host: the step, unless it is done.

    Args:
        view: The declared site.
        facts: Of the host.
        step: What would mount it.
        reason: What it is called when something else is mounted in its place.
    """
    if not isinstance(facts.mounts, Known):
        yield unseen(facts, "what it has mounted", facts.mounts)
        return
    if not isinstance(facts.services, Known):
        yield unseen(facts, "its services", facts.services)
        return
    there = [mount for mount in facts.mounts.value if mount.target == step.folder]
    other = [mount for mount in there if not _is(mount, step.volume)]
    if other:
        yield Blocked(
            reason,
            f"{facts.host}: {other[-1].source} is mounted on {step.folder}, where volume {step.volume} belongs; "
            f"`umount {step.folder}` on the host",
        )
    elif not there or not _is_written(facts.services.value.get(mount_unit(step.folder)), step):
        yield step


def _is(mount: Mount, volume: str) -> bool:
    return mount.fstype == "fuse.glusterfs" and mount.source.rpartition(":")[2].lstrip("/") == volume


def _is_written(unit: Service | None, step: MountVolume) -> bool:
    description = described(step.what, step.volume, step.sources)
    return unit is not None and unit.enabled == "enabled" and unit.description == description

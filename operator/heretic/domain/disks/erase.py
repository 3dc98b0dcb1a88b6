"""Which disk a person may have erased: named in the spec, with something on it that nobody uses, and of no record."""

from collections.abc import Iterator

from heretic.api.v1alpha1 import GlusterVolume, Node
from heretic.api.v1alpha1.node import DiskSelection
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.candidates import erasable
from heretic.domain.disks.erase_step import EraseDisk, mark_of
from heretic.domain.disks.identity import Likeness, compare, find, identity_of
from heretic.domain.disks.layout import group_for
from heretic.domain.disks.ownership import Ownership
from heretic.domain.host.facts import Disk


def to_erase(node: Node, view: SiteView, disks: tuple[Disk, ...], ownership: Ownership) -> tuple[str, Disk] | None:
    """The one disk whose erasing is offered, with the id that the spec names; a plan never has two.

    Selection Auto names no disk and so offers none. While anything on the host is not as recorded, none is offered:
    what a lost disk carried may lie on the one that looks foreign.
    """
    if ownership.obstacles or _lost_record(node, view, ownership):
        return None
    return next(_named(node, view, disks, ownership), None)


def erase(node: Node, identity: str, disk: Disk) -> EraseDisk:
    """The step for it."""
    finding = "; ".join(disk.findings)
    return EraseDisk(
        host=node.metadata.name,
        why=f"disk {identity} ({disk.path}) is named in spec.disks.ids and carries: {finding}",
        disk=identity,
        device=disk.device,
        path=disk.path,
        size=disk.size,
        wwn=disk.wwn,
        serial=disk.serial,
        finding=finding,
        mark=mark_of(disk.looked),
        looked=disk.looked,
        partitions=disk.partitions,
    )


def _named(node: Node, view: SiteView, disks: tuple[Disk, ...], ownership: Ownership) -> Iterator[tuple[str, Disk]]:
    if node.spec.disks.selection is not DiskSelection.BY_ID:
        return
    for identity in node.spec.disks.ids:
        disk = find(disks, identity)
        if disk is None or disk.path in ownership.known or ownership.finding(disk) or _recorded(view, disk, ownership):
            continue
        if erasable(disk):
            yield identity, disk


def _recorded(view: SiteView, disk: Disk, ownership: Ownership) -> bool:
    """Whether any Node of the site has a use for the disk in its records: then it may hold a brick's only copy."""
    mine = identity_of(disk)
    return any(disk.path == present.path for present in ownership.present.values()) or any(
        compare(mine, identity_of(record)) is Likeness.SAME or (record.pv_uuid and record.pv_uuid in disk.looked)
        for node in view.nodes.values()
        for record in node.status.disks
        if record.use or record.prepared or record.pv_uuid
    )


def _lost_record(node: Node, view: SiteView, ownership: Ownership) -> bool:
    """Whether a brick was recorded on this Node, and no record and no group of ours says on which of its disks."""
    storage = view.site.status.storage if view.site else None
    groups = {d.volume_group for d in node.status.disks if d.use} | set(ownership.groups)
    return any(
        storage is None
        or group_for(volume.spec.purpose, storage.data_disk_count, storage.arbiter == node.metadata.name) not in groups
        for volume in view.of(GlusterVolume).values()
        for brick in volume.status.bricks
        if brick.node == node.metadata.name and brick.lv_uuid
    )

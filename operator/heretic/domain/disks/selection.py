"""Which disks of one node carry what: what was settled before, what the Site's layout still asks for, what is amiss."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import DiskSelection, Role
from heretic.api.v1alpha1.site import SiteStorage
from heretic.domain.disks.candidates import blank, is_ours, usable
from heretic.domain.disks.layout import Candidate, Choice, DiskUse, choose, uses
from heretic.domain.errors import Reason
from heretic.domain.host.facts import Disk
from heretic.domain.plan import Blocked, Wait
from heretic.domain.site.view import SiteView

_MENTIONED = 8
"""Disks that a message lists before it says "and N more"."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The disks of one node.

    Attributes:
        choices: What each chosen disk carries; recorded in status.
        obstacles: Why there are not more choices, or why a chosen disk cannot be prepared.
    """

    choices: tuple[Choice, ...] = ()
    obstacles: tuple[Wait | Blocked, ...] = ()


def select(node: Node, view: SiteView, disks: tuple[Disk, ...]) -> Selection:
    """Chooses the disks of a node; pure, and the same answer for the same world, however far it has come.

    What was recorded in status stays. A disk that carries a volume group of the layout counts as chosen for it
    even when status was lost: the disk itself is the better record.

    Args:
        node: The Node.
        view: The declared site; its Site's status says how many data disks and which node is the arbiter.
        disks: As observed.
    """
    if Role.STORAGE not in node.spec.roles:
        return Selection()
    name = node.metadata.name
    settled = _settled(node, disks)
    obstacles: list[Wait | Blocked] = [*_named(node, disks), *_missing(node, disks)]
    storage = view.site.status.storage if view.site else None
    if storage is None:
        choices = tuple(Choice(disk, _use_of(node, group), group) for group, disk in sorted(settled.items()))
        message = f"{name}: the Site has not chosen the storage nodes and the number of data disks yet"
        return Selection(choices, (*obstacles, Wait(Reason.WAITING_FOR_SITE, message)))
    if name not in storage.nodes:
        return Selection((), tuple(obstacles))
    choices = _choices(node, storage, disks, settled)
    obstacles += _unusable(name, choices, disks)
    if lacking := len(uses(storage.arbiter == name, storage.data_disk_count)) - len(choices):
        obstacles.append(_too_few(node, disks, choices, lacking))
    return Selection(choices, tuple(obstacles))


def find(disks: tuple[Disk, ...], identity: str) -> Disk | None:
    """The disk that one of its stable names leads to; None when it is not there."""
    return next((disk for disk in disks if identity in disk.ids), None)


def _settled(node: Node, disks: tuple[Disk, ...]) -> dict[str, str]:
    """Disk ids by volume group that are settled: first what was recorded, then, with more weight, what is there."""
    settled = {d.volume_group: d.id for d in node.status.disks if d.use and d.volume_group}
    for disk in disks:
        if is_ours(disk) and disk.ids and settled.get(disk.volume_group) not in disk.ids:
            settled[disk.volume_group] = disk.ids[0]
    return settled


def _use_of(node: Node, group: str) -> DiskUse:
    """The recorded use of a volume group; what a found one is for is known once the Site has chosen."""
    recorded = (d.use for d in node.status.disks if d.volume_group == group and d.use in list(DiskUse))
    return DiskUse(next(recorded, DiskUse.EVERYTHING))


def _choices(
    node: Node, storage: SiteStorage, disks: tuple[Disk, ...], settled: Mapping[str, str]
) -> tuple[Choice, ...]:
    taken = {disk.path for disk in disks if any(name in settled.values() for name in disk.ids)}
    candidates = [
        Candidate(disk.ids[0], disk.size, disk.rotational)
        for disk in disks
        if disk.path not in taken and not is_ours(disk) and usable(disk, node.spec.disks) is None
    ]
    return choose(candidates, settled, storage.arbiter == node.metadata.name, storage.data_disk_count)


def _named(node: Node, disks: tuple[Disk, ...]) -> Iterator[Wait | Blocked]:
    """What is amiss with the disks that spec.disks.ids names."""
    if node.spec.disks.selection is not DiskSelection.BY_ID:
        return
    name = node.metadata.name
    seen: dict[str, str] = {}
    for identity in node.spec.disks.ids:
        disk = find(disks, identity)
        if disk is None:
            yield Blocked(
                Reason.DISK_NOT_FOUND,
                f"{name}: there is no disk {identity}; compare spec.disks.ids with status.disks, or plug it in",
            )
            continue
        if disk.path in seen:
            yield Blocked(
                Reason.DISK_AMBIGUOUS,
                f"{name}: {seen[disk.path]} and {identity} are the same disk {disk.path}; "
                "keep one of them in spec.disks.ids",
            )
        seen[disk.path] = identity
        if (finding := blank(disk)) is not None and not is_ours(disk):
            if disk.multipath:
                yield Wait(Reason.APPLYING, f"{name}: disk {identity} is {finding.text}; it is being excluded there")
            else:
                yield Blocked(finding.reason, _dirty(name, identity, disk, finding.text))


def _dirty(name: str, identity: str, disk: Disk, finding: str) -> str:
    return (
        f"{name}: disk {identity} ({disk.path}) is not blank: {finding}. It is left alone. If nothing on it is "
        "needed, clear it by hand; else take it out of spec.disks.ids"
    )


def _missing(node: Node, disks: tuple[Disk, ...]) -> Iterator[Blocked]:
    """Recorded disks that are not there any more: their bricks are not silently made elsewhere."""
    found = {disk.volume_group for disk in disks}
    for recorded in node.status.disks:
        if recorded.use and recorded.volume_group not in found and find(disks, recorded.id) is None:
            yield Blocked(
                Reason.DISK_NOT_FOUND,
                f"{node.metadata.name}: disk {recorded.id}, chosen for volume group {recorded.volume_group}, "
                "is not there; plug it in again, or replace it as the guide for a lost disk says",
            )


def _unusable(name: str, choices: tuple[Choice, ...], disks: tuple[Disk, ...]) -> Iterator[Blocked]:
    """Chosen disks that are not prepared and cannot be any more."""
    for choice in choices:
        disk = find(disks, choice.id)
        if disk is None or disk.volume_group == choice.group or disk.multipath:
            continue
        if (finding := blank(disk)) is not None:
            yield Blocked(
                finding.reason,
                f"{name}: disk {choice.id} ({disk.path}), chosen for volume group {choice.group}, is not blank any "
                f"more: {finding.text}. It is left alone. If nothing on it is needed, clear it by hand",
            )


def _too_few(node: Node, disks: tuple[Disk, ...], choices: tuple[Choice, ...], lacking: int) -> Blocked:
    wanted = len(choices) + lacking
    chosen = {choice.id for choice in choices}
    others = [
        f"{disk.path} ({finding.text})"
        for disk in disks
        if not chosen.intersection(disk.ids) and (finding := usable(disk, node.spec.disks)) is not None
    ]
    more = f" and {len(others) - _MENTIONED} more" if len(others) > _MENTIONED else ""
    seen = f"not usable: {', '.join(others[:_MENTIONED])}{more}" if others else "there are no other disks"
    return Blocked(
        Reason.NO_USABLE_DISK,
        f"{node.metadata.name}: {len(choices)} of {wanted} disks found for the layout; {seen}. "
        "Add a blank disk, or clear one of these by hand",
    )

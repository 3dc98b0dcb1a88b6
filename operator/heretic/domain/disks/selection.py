"""Which disks of one node carry what: as decided before, as the Site's layout still needs it, and what is wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import DiskSelection, Role
from heretic.api.v1alpha1.site import SiteStorage
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.candidates import blank, erasable, usable
from heretic.domain.disks.erase import to_erase
from heretic.domain.disks.identity import find
from heretic.domain.disks.layout import Candidate, Choice, DiskUse, choose, uses
from heretic.domain.disks.ownership import GUIDE, Ownership
from heretic.domain.errors import Reason
from heretic.domain.host.facts import Disk
from heretic.domain.plan import Blocked, Wait

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


def select(node: Node, view: SiteView, disks: tuple[Disk, ...], ownership: Ownership) -> Selection:
    """Chooses the disks of a node; pure, and the same answer for the same world, however far it has come.

    What was recorded in status stays. A disk that carries a volume group of the layout which is proven ours counts as
    chosen for it even when status was lost.

    Args:
        node: The Node.
        view: The declared site; its Site's status says how many data disks and which node is the arbiter.
        disks: As observed.
        ownership: Whose they are.
    """
    name = node.metadata.name
    return _SELECTED.of(view, lambda: _select(node, view, disks, ownership), node, disks, ownership, name=name)


_SELECTED = PerView[Selection]()
"""The plan of a Node and its report ask for it; on a calm host each pass finds the same."""


def _select(node: Node, view: SiteView, disks: tuple[Disk, ...], ownership: Ownership) -> Selection:
    if Role.STORAGE not in node.spec.roles:
        return Selection()
    name = node.metadata.name
    settled = {d.volume_group: d.id for d in node.status.disks if d.use and d.volume_group}
    for group in ownership.groups.values():
        settled.setdefault(group.name, group.disk.ids[0] if group.disk.ids else group.disk.path)
    obstacles: list[Wait | Blocked] = [*ownership.obstacles, *_named(node, view, disks, ownership)]
    storage = view.site.status.storage if view.site else None
    if storage is None:
        choices = tuple(Choice(disk, _use_of(node, group), group) for group, disk in sorted(settled.items()))
        message = f"{name}: the Site has not chosen the storage nodes and the number of data disks yet"
        return Selection(choices, (*obstacles, Wait(Reason.WAITING_FOR_SITE, message)))
    if name not in storage.nodes:
        return Selection((), tuple(obstacles))
    choices = _choices(node, storage, disks, settled, ownership)
    obstacles += _unusable(name, choices, disks, ownership)
    if lacking := len(uses(storage.arbiter == name, storage.data_disk_count)) - len(choices):
        obstacles.append(_too_few(node, disks, choices, lacking, ownership))
    return Selection(choices, tuple(dict.fromkeys(obstacles)))


def chosen_disk(disks: tuple[Disk, ...], choice: Choice, ownership: Ownership) -> Disk | None:
    """The disk that a choice is about; None when it is not there."""
    owned = ownership.groups.get(choice.group)
    if owned is not None:
        return owned.disk
    there = ownership.present.get(choice.id)
    return there if there is not None or choice.id in ownership.missing else find(disks, choice.id)


def _use_of(node: Node, group: str) -> DiskUse:
    """The recorded use of a volume group; what a found one is for is known once the Site has chosen."""
    recorded = (d.use for d in node.status.disks if d.volume_group == group and d.use in list(DiskUse))
    return DiskUse(next(recorded, DiskUse.EVERYTHING))


def _choices(
    node: Node, storage: SiteStorage, disks: tuple[Disk, ...], settled: Mapping[str, str], ownership: Ownership
) -> tuple[Choice, ...]:
    taken = {disk.path for disk in ownership.present.values()} | {g.disk.path for g in ownership.groups.values()}
    candidates = [
        Candidate(disk.ids[0], disk.size, disk.rotational)
        for disk in disks
        if disk.path not in taken and not ownership.finding(disk) and usable(disk, node.spec.disks) is None
    ]
    return choose(candidates, settled, storage.arbiter == node.metadata.name, storage.data_disk_count)


def _named(node: Node, view: SiteView, disks: tuple[Disk, ...], ownership: Ownership) -> Iterator[Wait | Blocked]:
    """What is wrong with the disks that spec.disks.ids names."""
    if node.spec.disks.selection is not DiskSelection.BY_ID:
        return
    name = node.metadata.name
    seen: dict[str, str] = {}
    offered = to_erase(node, view, disks, ownership)
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
        if disk.path in ownership.known:
            continue
        if other := ownership.shared.get(disk.path):
            yield Blocked(
                Reason.SHARED_DISK,
                f"{name}: disk {identity} ({disk.path}) is {other} too: two hosts that write to one disk destroy what "
                f"is on it. It is left alone. Let one host only see it, or take it out of spec.disks.ids; {GUIDE}",
            )
        elif (finding := blank(disk)) is not None:
            if disk.multipath:
                yield Wait(Reason.APPLYING, f"{name}: disk {identity} is {finding.text}; it is being excluded there")
            else:
                yield Blocked(finding.reason, _dirty(name, identity, disk, finding.text, offered))


def _dirty(name: str, identity: str, disk: Disk, finding: str, offered: tuple[str, Disk] | None) -> str:
    empty = "clear it by hand"
    if offered is not None and offered[1] is disk:
        empty = f"approve the step EraseDisk (heretic approve node/{name})"
    elif offered is not None and erasable(disk):
        empty = f"approve its step EraseDisk, which is offered after that of {offered[0]}"
    return (
        f"{name}: disk {identity} ({disk.path}) is not blank: {finding}. It is left alone. If nothing on it is "
        f"needed, {empty}; else take it out of spec.disks.ids"
    )


def _unusable(
    name: str, choices: tuple[Choice, ...], disks: tuple[Disk, ...], ownership: Ownership
) -> Iterator[Blocked]:
    """Chosen disks that are not prepared and cannot be any more."""
    for choice in choices:
        disk = chosen_disk(disks, choice, ownership)
        if disk is None or disk.path in ownership.known or disk.multipath:
            continue
        if (finding := blank(disk)) is not None:
            yield Blocked(
                finding.reason,
                f"{name}: disk {choice.id} ({disk.path}), chosen for volume group {choice.group}, is not blank any "
                f"more: {finding.text}. It is left alone. If nothing on it is needed, clear it by hand",
            )


def _too_few(
    node: Node, disks: tuple[Disk, ...], choices: tuple[Choice, ...], lacking: int, ownership: Ownership
) -> Blocked:
    wanted = len(choices) + lacking
    chosen = {disk.path for c in choices if (disk := chosen_disk(disks, c, ownership))}
    left = [disk for disk in disks if disk.path not in chosen]
    told = [(disk, _why_not(node, disk, ownership)) for disk in left]
    others = [f"{disk.path} ({why})" for disk, why in told if why]
    more = f" and {len(others) - _MENTIONED} more" if len(others) > _MENTIONED else ""
    seen = f"not usable: {', '.join(others[:_MENTIONED])}{more}" if others else "there are no other disks"
    only_shared = any(d.path in ownership.shared and usable(d, node.spec.disks) is None for d in left)
    return Blocked(
        Reason.SHARED_DISK if only_shared else Reason.NO_USABLE_DISK,
        f"{node.metadata.name}: {len(choices)} of {wanted} disks found for the layout; {seen}. "
        "Add a blank disk, or clear one of these by hand",
    )


def _why_not(node: Node, disk: Disk, ownership: Ownership) -> str:
    finding = usable(disk, node.spec.disks)
    return ownership.finding(disk) or (finding.text if finding else "")

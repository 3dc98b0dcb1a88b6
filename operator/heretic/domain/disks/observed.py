"""Disks that carry bricks which Heretic did not lay out: they are observed, told of, and left alone.

HVP's groups are Heretic's own. What oVirt's wizard, gluster-ansible or a person made is found from where bricks are
mounted: a volume group of another name, a whole disk, a partition, ZFS, RAID, a cache, VDO.
"""

from collections.abc import Iterable, Iterator, Mapping

from heretic.api.v1alpha1 import GlusterVolume, Mode, Node
from heretic.domain.declared.mode import mode_of
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.below import ROOT, device_of, mount_of
from heretic.domain.disks.brick import BRICK_ROOT
from heretic.domain.disks.layout import GROUPS
from heretic.domain.facts import Fact, Known
from heretic.domain.host.facts import Disk, HostFacts, Mount, PhysicalVolume

_ZFS = "zfs"
_UNMOUNTED = "not mounted now"
_BELOW_BRICK_ROOT = f"{BRICK_ROOT}/"
_OF_THE_SYSTEM = ("/boot", "/efi", "/usr", "/var", "/home", "[SWAP]")
"""Mounts beside the root filesystem that hold no bricks unless a volume says so."""


def observed_disks(node: Node, view: SiteView, facts: HostFacts) -> Mapping[str, tuple[str, ...]]:
    """The disks under bricks that Heretic did not lay out.

    Args:
        node: The Node.
        view: The declared site; its volumes' status says where their bricks lie.
        facts: Of the host.

    Returns:
        Where their bricks are mounted, by kernel path of the disk. Never a disk that was chosen, nor one with a
        volume group of the layout's names: whose those are is decided by what identifies them. A disk that carried
        bricks and shows no mount any more, or nothing at all, is still one: a look does not overrule what is recorded.
    """
    parts = (facts.disks, facts.mounts, facts.physical_volumes)
    return _OBSERVED.of(view, lambda: _observed_disks(node, view, *parts), node, *parts, name=node.metadata.name)


_OBSERVED = PerView[Mapping[str, tuple[str, ...]]]()
"""The plan of a Node and its report ask for it, each more than once."""


def _observed_disks(
    node: Node,
    view: SiteView,
    disks: Fact[tuple[Disk, ...]],
    mounted: Fact[tuple[Mount, ...]],
    volumes: Fact[tuple[PhysicalVolume, ...]],
) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(disks, Known) or not isinstance(mounted, Known):
        return {}
    mounts = mounted.value
    held = frozenset(_brick_mounts(_brick_paths(node, view), mounts))
    chosen = {d.id for d in node.status.disks if d.use}
    recorded = {d.id for d in node.status.disks if d.observed}
    found: dict[str, tuple[str, ...]] = {}
    for disk in disks.value:
        if chosen.intersection(disk.ids) or _groups_of(disk, volumes) & GROUPS:
            continue
        places = carried(disk, mounts, held)
        if not places and _may_hold_bricks(node, view, disk):
            places = _not_of_the_system(disk, mounts)
        if not places and recorded.intersection(disk.ids) and not _mounted_on(disk, mounts):
            places = (_UNMOUNTED,)
        if places:
            found[disk.path] = places
    return found


def carried(disk: Disk, mounts: Iterable[Mount], held: frozenset[str]) -> tuple[str, ...]:
    """Those of the mount points ``held`` whose filesystems lie on a disk.

    A dataset of ZFS names no device: every disk with a part of a ZFS pool counts for it.
    """
    return tuple(sorted(_mounted_on(disk, mounts) & held))


def brick_mount_points(paths: Iterable[str], mounts: tuple[Mount, ...]) -> frozenset[str]:
    """The mount points that hold bricks: of the known paths, and all below the folder for bricks."""
    return frozenset(_brick_mounts(paths, mounts))


def _brick_mounts(paths: Iterable[str], mounts: tuple[Mount, ...]) -> Iterator[str]:
    for path in paths:
        mount = mount_of(mounts, path)
        # A brick that is not mounted, or not made yet, would lead to the root filesystem.
        if mount is not None and not (mount.target == ROOT and path.startswith(_BELOW_BRICK_ROOT)):
            yield mount.target
    yield from (m.target for m in mounts if m.target.startswith(_BELOW_BRICK_ROOT))


def _brick_paths(node: Node, view: SiteView) -> list[str]:
    name = node.metadata.name
    return [b.path for v in view.of(GlusterVolume).values() for b in v.status.bricks if b.node == name]


def _mounted_on(disk: Disk, mounts: Iterable[Mount]) -> set[str]:
    of_zfs = any("zfs_member" in finding for finding in disk.findings)
    devices = (disk.path, *disk.below)
    found = (m.target for m in mounts if device_of(m) in devices or (of_zfs and m.fstype == _ZFS))
    return {*disk.mounted, *found}


def _groups_of(disk: Disk, volumes: Fact[tuple[PhysicalVolume, ...]]) -> set[str]:
    there = volumes.value if isinstance(volumes, Known) else ()
    return {disk.volume_group, *(v.group for v in there if v.device in (disk.path, *disk.below))}


def _may_hold_bricks(node: Node, view: SiteView, disk: Disk) -> bool:
    """Whether a disk that a person named may carry bricks of volumes that nobody has looked at yet.

    While a site is only observed, nothing is lost by taking it so until the volumes tell where their bricks lie.
    """
    named = any(name in node.spec.disks.ids for name in disk.ids)
    unseen = any(not v.status.bricks for v in view.of(GlusterVolume).values())
    return mode_of(node, view.site) is Mode.OBSERVE and named and unseen


def _not_of_the_system(disk: Disk, mounts: Iterable[Mount]) -> tuple[str, ...]:
    on = _mounted_on(disk, mounts)
    system = ROOT in on or any(place.startswith(_OF_THE_SYSTEM) for place in on)
    return () if system else tuple(sorted(on))


def set_aside(node: Node, disks: tuple[Disk, ...], observed: Mapping[str, object]) -> tuple[Node, tuple[Disk, ...]]:
    """A node and its disks as if the observed ones were not there: nothing is chosen, asked or said of them."""
    if not observed:
        return node, disks
    names = {name for disk in disks if disk.path in observed for name in disk.ids}
    ids = [name for name in node.spec.disks.ids if name not in names]
    spec = node.spec.model_copy(update={"disks": node.spec.disks.model_copy(update={"ids": ids})})
    left = tuple(disk for disk in disks if disk.path not in observed)
    return node.model_copy(update={"spec": spec}), left


def told(disks: Iterable[Disk], observed: Mapping[str, tuple[str, ...]]) -> str:
    """What is said once of all of them; "" where there are none."""
    parts = [
        f"{disk.ids[0] if disk.ids else disk.path} ({', '.join(observed[disk.path])})"
        for disk in disks
        if disk.path in observed
    ]
    if not parts:
        return ""
    return f"observed only, not managed: {'; '.join(parts)} carry bricks that Heretic did not lay out"

"""Where every brick of every volume lies and how large it is, and whether it fits, before anything is touched."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from heretic.api.quantity import format_bytes, parse_bytes
from heretic.api.v1alpha1 import GlusterVolume, Node
from heretic.api.v1alpha1.gluster_volume import Provisioning
from heretic.api.v1alpha1.site import SiteStorage
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick import BrickSpec, new_filesystem_uuid
from heretic.domain.disks.layout import group_for
from heretic.domain.disks.space import group_bytes, group_capacity, in_extents, metadata_bytes, pool_bytes
from heretic.domain.errors import Reason
from heretic.domain.gluster.purposes import PROFILES, arbiter_bytes, options_of
from heretic.domain.gluster.topology import ReplicaSet, named_sets, sets
from heretic.domain.plan import Blocked, Wait
from heretic.domain.pool.choose import choose_storage
from heretic.domain.pool.order import SET_SIZE, shared_domain


@dataclass(frozen=True, slots=True)
class Placement:
    """One volume as it shall be, in Gluster's and LVM's terms.

    Attributes:
        volume: Name in Gluster.
        sets: The bricks, set by set, in the order in which Gluster is given them.
        replica_count: Copies, the arbiter's counted.
        arbiter_count: 1 or 0.
        options: Every option that Heretic owns on this volume.
    """

    volume: str
    sets: tuple[tuple[BrickSpec, ...], ...]
    replica_count: int
    arbiter_count: int
    options: Mapping[str, str]

    @property
    def bricks(self) -> tuple[BrickSpec, ...]:
        """All bricks in Gluster's order."""
        return tuple(brick for members in self.sets for brick in members)


@dataclass
class _Room:
    """What placed volumes take of one volume group."""

    thick: list[int] = field(default_factory=list)
    thin: int = 0

    def with_bricks(self, bricks: list[BrickSpec]) -> "_Room":
        return _Room(
            thick=[*self.thick, *(b.size for b in bricks if not b.thin)],
            thin=self.thin + sum(b.size for b in bricks if b.thin),
        )

    @property
    def bytes(self) -> int:
        return group_bytes(self.thick, self.thin)


def gluster_name(volume: GlusterVolume) -> str:
    """The volume's name in Gluster."""
    return volume.spec.volume_name or volume.metadata.name


def place(view: SiteView) -> Mapping[str, Placement | Wait | Blocked]:
    """Places all volumes of the site.

    Volumes that exist already come first, then the others by age and name, so that a new volume can never take
    the room of an older one. A volume that does not fit takes none.

    Args:
        view: The declared site with what its nodes' status says.

    Returns:
        By name of the object: where it lies, or why it cannot be placed (yet).
    """
    return _PLACED.of(view, lambda: _place(view))


_PLACED = PerView[Mapping[str, Placement | Wait | Blocked]]()
"""The passes of a site's objects all ask for it, some more than once."""


def _place(view: SiteView) -> Mapping[str, Placement | Wait | Blocked]:
    placed: dict[str, Placement | Wait | Blocked] = {}
    rooms: dict[tuple[str, str], _Room] = defaultdict(_Room)
    taken: dict[tuple[str, str], str] = {}
    for volume in sorted(view.of(GlusterVolume).values(), key=_precedence):
        name = volume.metadata.name
        wanted = _wanted(volume, view)
        if isinstance(wanted, Placement):
            wanted = _clash(name, wanted, taken) or _overflow(wanted, view, rooms) or wanted
        placed[name] = wanted
        if isinstance(wanted, Placement):
            for (node, group), bricks in _by_group(wanted).items():
                rooms[node, group] = rooms[node, group].with_bricks(bricks)
            taken.update({(b.host, b.name): name for b in wanted.bricks})
            taken["", wanted.volume] = name
    return placed


def groups_needed(view: SiteView, node: str) -> frozenset[str]:
    """The volume groups that placed volumes use on a node."""
    return frozenset(b.group for p in _placements(view) for b in p.bricks if b.host == node)


def thin_bricks(view: SiteView) -> Mapping[tuple[str, str], Sequence[BrickSpec]]:
    """The thin bricks of placed volumes by node and volume group, in order of precedence (see ``place``)."""
    found: dict[tuple[str, str], list[BrickSpec]] = defaultdict(list)
    for brick in (b for p in _placements(view) for b in p.bricks if b.thin):
        found[brick.host, brick.group].append(brick)
    return found


def _placements(view: SiteView) -> list[Placement]:
    return [p for p in place(view).values() if isinstance(p, Placement)]


def _precedence(volume: GlusterVolume) -> tuple[bool, str, str]:
    exists = bool(volume.status.volume_id)
    return not exists, volume.metadata.creation_timestamp or "", volume.metadata.name


def _wanted(volume: GlusterVolume, view: SiteView) -> Placement | Wait | Blocked:
    storage = view.site.status.storage if view.site else None
    if storage is None or not storage.nodes:
        choice = choose_storage(view)
        if isinstance(choice, Blocked):
            return Blocked(choice.reason, f"the site has no layout for storage: {choice.message}")
        why = choice.message if isinstance(choice, Wait) else "its choice has yet to be recorded"
        return Wait(Reason.WAITING_FOR_SITE, f"the Site has not chosen the storage nodes yet: {why}")
    return _lay_out(volume, view, storage)


def _lay_out(volume: GlusterVolume, view: SiteView, storage: SiteStorage) -> Placement | Blocked:
    spec, profile = volume.spec, PROFILES[volume.spec.purpose]
    nodes = spec.nodes or storage.nodes
    replicas = spec.replica_count or (1 if len(nodes) == 1 else SET_SIZE)
    wrong = _wrong_nodes(volume, view, storage, replicas)
    if wrong:
        return wrong
    members = (
        named_sets(spec.nodes, storage.arbiter, profile.arbiter)
        if spec.nodes
        else sets(storage, replicas, profile.arbiter)
    )
    wrong = _wrong_sets(volume, view, storage, members)
    if wrong:
        return wrong
    name = gluster_name(volume)
    options = {**options_of(spec.purpose, replicas, is_domain=spec.storage_domain is not None)}
    options |= {o.name: o.value for o in spec.options}
    return Placement(
        volume=name,
        sets=_bricks(volume, name, storage, members),
        replica_count=replicas,
        arbiter_count=int(any(arbiter for _, arbiter in members[0])),
        options=options,
    )


def _wrong_nodes(volume: GlusterVolume, view: SiteView, storage: SiteStorage, replicas: int) -> Blocked | None:
    spec, name = volume.spec, volume.metadata.name
    strangers = [n for n in spec.nodes if n not in storage.nodes]
    if strangers:
        return Blocked(
            Reason.NODE_NOT_FOUND,
            f"spec.nodes of {name} names {', '.join(strangers)}, but the storage nodes of this site are "
            f"{', '.join(storage.nodes)}",
        )
    count = len(spec.nodes or storage.nodes)
    if count == 2 or (spec.nodes and count > 1 and count % SET_SIZE):
        return Blocked(
            Reason.UNSUPPORTED_NODE_COUNT,
            f"{name} names {count} nodes; name one, or threes: with two copies there is no quorum",
        )
    if replicas == 1 and count > 1:
        return Blocked(
            Reason.INVALID_SPEC,
            f"{name} wants one copy on a site of {count} storage nodes; name the one node that holds it in spec.nodes",
        )
    if replicas > 1 and count == 1:
        return Blocked(
            Reason.UNSUPPORTED_NODE_COUNT,
            f"{name} wants {replicas} copies, and there is one storage node; add nodes or set replicaCount to 1",
        )
    return None


def _wrong_sets(
    volume: GlusterVolume, view: SiteView, storage: SiteStorage, members: tuple[ReplicaSet, ...]
) -> Blocked | None:
    name = volume.metadata.name
    domains = {n: node.spec.failure_domain for n, node in view.nodes.items()}
    for replica_set in members:
        shared = shared_domain([node for node, _ in replica_set], domains)
        if shared:
            return Blocked(
                Reason.FAILURE_DOMAIN_SHARED,
                f"{name} would have two copies of the same data on {shared[0]} and {shared[1]}, which are both in "
                f"failure domain {shared[2]}; order spec.nodes so that each three lie in three domains",
            )
        if len(replica_set) == 1 and replica_set[0][0] == storage.arbiter:
            return Blocked(
                Reason.INVALID_SPEC, f"{name} names {storage.arbiter}, the arbiter-only node, for its only copy"
            )
    return None


def _bricks(
    volume: GlusterVolume, name: str, storage: SiteStorage, members: tuple[ReplicaSet, ...]
) -> tuple[tuple[BrickSpec, ...], ...]:
    spec, profile = volume.spec, PROFILES[volume.spec.purpose]
    data = in_extents(-(-parse_bytes(spec.size) // len(members)))
    names_only = in_extents(parse_bytes(spec.arbiter_size) if spec.arbiter_size else arbiter_bytes(spec.purpose, data))
    thin = (spec.provisioning or profile.provisioning) is Provisioning.THIN
    records = {(b.node, b.path): b for b in volume.status.bricks}
    seen: dict[str, int] = defaultdict(int)

    def brick(node: str, arbiter: bool) -> BrickSpec:
        seen[node] += 1
        own = name if seen[node] == 1 else f"{name}-{seen[node]}"
        placed = BrickSpec(
            host=node,
            volume=name,
            group=group_for(spec.purpose, storage.data_disk_count, node == storage.arbiter),
            name=own,
            size=min(names_only, data) if arbiter else data,
            thin=thin or arbiter,
            arbiter=arbiter,
            owner=profile.owner,
            new_filesystem=new_filesystem_uuid(volume.metadata.uid, node, own),
        )
        record = records.get((node, placed.path))
        return replace(placed, volume_uuid=record.lv_uuid, filesystem=record.filesystem_uuid) if record else placed

    return tuple(tuple(brick(node, arbiter) for node, arbiter in replica_set) for replica_set in members)


def _clash(name: str, wanted: Placement, taken: Mapping[tuple[str, str], str]) -> Blocked | None:
    other = taken.get(("", wanted.volume))
    if other:
        return Blocked(
            Reason.INVALID_SPEC,
            f"GlusterVolume {other} already stands for the Gluster volume {wanted.volume}; give {name} another "
            "volumeName",
        )
    for brick in wanted.bricks:
        other = taken.get((brick.host, brick.name))
        if other:
            return Blocked(
                Reason.INVALID_SPEC,
                f"a brick of {name} would be called {brick.name} on {brick.host}, as one of {other} is; give {name} "
                "another volumeName",
            )
    return None


def _by_group(placement: Placement) -> dict[tuple[str, str], list[BrickSpec]]:
    found: dict[tuple[str, str], list[BrickSpec]] = defaultdict(list)
    for brick in placement.bricks:
        found[brick.host, brick.group].append(brick)
    return found


def _overflow(wanted: Placement, view: SiteView, rooms: Mapping[tuple[str, str], _Room]) -> Wait | Blocked | None:
    """rule:fits for every volume group that the volume needs."""
    for (node, group), bricks in sorted(_by_group(wanted).items()):
        capacity = _capacity(view.nodes.get(node), group)
        if capacity is None:
            return Wait(
                Reason.WAITING_FOR_NODES,
                f"{node} has not chosen the disk of volume group {group} yet, so nobody can tell whether "
                f"{wanted.volume} fits",
            )
        before = rooms.get((node, group), _Room())
        after = before.with_bricks(bricks)
        if after.bytes > capacity:
            return _does_not_fit(wanted, bricks, before, after, capacity)
    return None


def _does_not_fit(wanted: Placement, bricks: list[BrickSpec], before: _Room, after: _Room, capacity: int) -> Blocked:
    first = bricks[0]
    own = sum(b.size for b in bricks)
    metadata = metadata_bytes(pool_bytes(after.thin))
    return Blocked(
        Reason.DOES_NOT_FIT,
        f"{wanted.volume} does not fit on {first.host}: volume group {first.group} holds {format_bytes(capacity)}; "
        f"other volumes take {format_bytes(before.bytes)}, this one needs {format_bytes(own)}, and with "
        f"{format_bytes(metadata)} of thin pool metadata all together is {format_bytes(after.bytes)}, "
        f"{format_bytes(after.bytes - capacity)} too much. Make the volume smaller or the disk larger; nothing was "
        "touched",
    )


def _capacity(node: Node | None, group: str) -> int | None:
    """Bytes that the disk chosen for a volume group can give; None before it is chosen."""
    disks = node.status.disks if node else []
    return next((group_capacity(d.size_bytes) for d in disks if d.volume_group == group and d.size_bytes), None)

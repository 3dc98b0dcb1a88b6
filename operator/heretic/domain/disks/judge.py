"""Whose is what LVM shows on a host: what was recorded is held against what is there, in every pass.

A volume group is ours when it is proven: by the recorded UUIDs, by a record that names exactly its disk together with
our tag (or with ``prepared``, as records from before UUIDs were kept have it), by the spec that names its disk, or by
our tag alone. A group that only has a name of ours is somebody else's: it is neither used nor mounted. What is
recorded is never overruled by what is seen; where the two differ, a person is asked.
"""

from collections.abc import Iterator, Mapping

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import DiskSelection, NodeDisk
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.identity import Sighting, Sightings, find, identity_of, meant, sightings
from heretic.domain.disks.layout import GROUPS
from heretic.domain.disks.ownership import GUIDE, NODE_TAG, Amiss, OwnedGroup, Ownership, node_tag
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import Disk, HostFacts, PhysicalVolume, VolumeGroup
from heretic.domain.plan import Blocked, Wait


def judge(node: Node, view: SiteView, facts: HostFacts) -> Ownership:
    """Holds what is recorded and declared against what one host shows; worked out once for the same three.

    Args:
        node: The Node with its recorded disks.
        view: The declared site; the other Nodes' records count too.
        facts: Of the host.
    """
    parts = (facts.disks, facts.physical_volumes, facts.volume_groups)
    return _VERDICTS.of(view, lambda: _judge(node, view, *parts), node, *parts, name=node.metadata.name)


_VERDICTS = PerView[Ownership]()
"""A pass over a Node asks five times, one over a volume twice a brick."""


def _judge(
    node: Node,
    view: SiteView,
    disks: Fact[tuple[Disk, ...]],
    volumes: Fact[tuple[PhysicalVolume, ...]],
    groups: Fact[tuple[VolumeGroup, ...]],
) -> Ownership:
    name = node.metadata.name
    facts: tuple[tuple[str, Fact[object]], ...] = (
        ("disks", disks),
        ("physical volumes", volumes),
        ("volume groups", groups),
    )
    for what, fact in facts:
        if isinstance(fact, Unknown):
            return Ownership(unknown=Wait(Reason.NOT_OBSERVED, f"{name}: its {what} are not known: {fact.cause}"))
    if not isinstance(disks, Known):
        return Ownership(unknown=Wait(Reason.NOT_OBSERVED, f"{name}: its disks are not known"))
    if isinstance(volumes, Absent) and any(d.prepared for d in node.status.disks):
        return Ownership(unknown=Wait(Reason.NODE_NOT_READY, f"{name}: LVM is not installed, and its disks need it"))
    there = volumes.value if isinstance(volumes, Known) else ()
    known = groups.value if isinstance(groups, Known) else ()
    return _Judge(node, disks.value, there, known, sightings(view)).verdict()


class _Judge:
    """One comparison; gathers its verdict record by record and then group by group."""

    def __init__(
        self,
        node: Node,
        disks: tuple[Disk, ...],
        volumes: tuple[PhysicalVolume, ...],
        groups: tuple[VolumeGroup, ...],
        others: Sightings,
    ) -> None:
        self._node = node
        self._name = node.metadata.name
        self._disks = disks
        self._volumes = volumes
        self._groups: Mapping[str, VolumeGroup] = {g.uuid: g for g in groups}
        self._others = others
        self._records = tuple(d for d in node.status.disks if d.use)
        self._present = {r.id: disk for r in self._records if (disk := meant(disks, r)) is not None}
        self._owned: dict[str, OwnedGroup] = {}
        self._amiss: list[Amiss] = []
        self._absent: list[Amiss] = []
        self._settled: set[str] = set()

    def verdict(self) -> Ownership:
        for record in self._records:
            self._hold_against(record)
        for volume in self._volumes:
            if volume.group in GROUPS and volume.uuid not in self._settled:
                self._unrecorded(volume)
        shared = {d.path: s for d in self._disks if (s := self._others.seen_elsewhere(self._name, d))}
        amiss = (*self._amiss, *self._doubly_seen(shared), *self._absent)
        spoilt = frozenset(g for a in amiss for g in a.groups)
        owned = {name: group for name, group in self._owned.items() if name not in spoilt}
        missing = frozenset(r.id for r in self._records if r.id not in self._present)
        return Ownership(owned, self._present, amiss, None, shared, missing)

    # --- what is recorded ---

    def _hold_against(self, record: NodeDisk) -> None:
        disk = self._present.get(record.id)
        volume = next((v for v in self._volumes if record.pv_uuid and v.uuid == record.pv_uuid), None)
        if volume is not None:
            self._settled.add(volume.uuid)
            self._found(record, disk, volume, self._disk_of(volume))
        elif disk is None:
            self._not_there(record)
        elif (held := self._on(disk)) is None:
            self._without_label(record, disk)
        elif record.pv_uuid or held.group != record.volume_group:
            self._other_label(record, disk, held)
        else:
            self._settled.add(held.uuid)
            self._without_uuids(record, disk, held)

    def _found(self, record: NodeDisk, disk: Disk | None, volume: PhysicalVolume, on: Disk | None) -> None:
        """The recorded physical volume is there: on its disk, and in its group?"""
        if disk is None or on is None or on.path != disk.path:
            where = f"disk {_named(on)}" if on else volume.device
            expected = "which is not there" if disk is None else f"which is {disk.path}"
            self._say(
                record.volume_group,
                Reason.DISK_SWAPPED,
                f"the physical volume {record.pv_uuid} of {record.volume_group} was recorded on disk {record.id} "
                f"({identity_of(record)}), {expected}, and lies on {where}. Nothing is touched. If that is a copy, "
                f"take it out; if the disks were swapped, put them back; {GUIDE}",
                on,
            )
        elif volume.group != record.volume_group or (record.vg_uuid and volume.group_uuid != record.vg_uuid):
            there = f"{volume.group} ({volume.group_uuid})" if volume.group else "no volume group"
            self._say(
                record.volume_group,
                Reason.VOLUME_GROUP_REPLACED if volume.group else Reason.DISK_LABEL_LOST,
                f"disk {_named(disk)} was recorded with volume group {record.volume_group} ({record.vg_uuid}), and "
                f"carries {there}. Nothing is touched. Bring the group back ({restore(record.volume_group)}, or "
                f"vgrename); {GUIDE}",
                disk,
            )
        else:
            self._own(record.volume_group, disk, volume)

    def _without_uuids(self, record: NodeDisk, disk: Disk, volume: PhysicalVolume) -> None:
        """A record that we chose, or that the version before wrote: the disk is the one, what of the group?"""
        tags = self._tags(volume)
        ours = node_tag(self._node.metadata.uid) in tags
        foreign = any(tag.startswith(NODE_TAG) for tag in tags) and not ours
        if ours or (not foreign and record.prepared) or self._declared(disk):
            self._accept(record.volume_group, disk, volume)
        else:
            self._not_ours(volume, disk)

    def _without_label(self, record: NodeDisk, disk: Disk) -> None:
        if not record.prepared and not record.pv_uuid:
            return
        shown = "; ".join(disk.findings) or "nothing at all"
        uuid = record.pv_uuid or "UUID, as /etc/lvm/backup says"
        self._say(
            record.volume_group,
            Reason.DISK_LABEL_LOST,
            f"disk {_named(disk)} was prepared with volume group {record.volume_group}, and LVM's label is not on it "
            f"any more; it shows {shown}. It is not prepared again, because its data may still be there. On the host: "
            f"pvcreate --uuid {uuid} --restorefile /etc/lvm/backup/{record.volume_group} {disk.device or disk.path} "
            f"&& {restore(record.volume_group)}; {GUIDE}",
            disk,
        )

    def _other_label(self, record: NodeDisk, disk: Disk, held: PhysicalVolume) -> None:
        """The recorded disk carries another physical volume, or one in another group."""
        if not record.prepared and not record.pv_uuid:
            return  # chosen and not prepared yet: what is on it is told as a finding
        self._settled.add(held.uuid)
        owner = self._others.recorded_elsewhere(self._name, held.uuid, held.group_uuid)
        group = f"volume group {held.group} ({held.group_uuid})" if held.group else "no volume group"
        if owner:
            what, reason = f"; that is what was recorded for {owner}. Put the disks back", Reason.DISK_SWAPPED
        else:
            what, reason = ". Nothing is touched. Bring the recorded one back", Reason.VOLUME_GROUP_REPLACED
        expected = f"physical volume {record.pv_uuid} in " if record.pv_uuid else ""
        self._say(
            record.volume_group,
            reason,
            f"disk {_named(disk)} was recorded with {expected}volume group {record.volume_group}, and carries the "
            f"physical volume {held.uuid} in {group}{what}; {GUIDE}",
            disk,
            also=held.group,
        )

    def _not_there(self, record: NodeDisk) -> None:
        group = record.volume_group
        there = find(self._disks, record.id)
        moved = self._others.seen_elsewhere(self._name, record)
        known = f"disk {record.id} ({identity_of(record)}), chosen for volume group {group},"
        if moved:
            reason, text = Reason.DISK_SWAPPED, f"{known} is seen as {moved}. Put it back where it was; {GUIDE}"
        elif there is not None:
            reason = Reason.DISK_REPLACED
            text = (
                f"{known} is not there; in its place is another one ({identity_of(there)}). It is left alone; {GUIDE}"
            )
        else:
            reason = Reason.DISK_NOT_FOUND
            text = f"{known} is not there; plug it in again, or replace it as the guide for a lost disk says"
        path = there.path if there else ""
        self._absent.append(Amiss(frozenset({group}), Blocked(reason, f"{self._name}: {text}"), path))

    # --- what is not recorded ---

    def _unrecorded(self, volume: PhysicalVolume) -> None:
        """A volume group with a name of ours, for which no record of this host stands."""
        disk = self._disk_of(volume)
        owner = self._others.recorded_elsewhere(self._name, volume.uuid, volume.group_uuid)
        if owner:
            self._of_another_node(volume, disk, owner)
            return
        whole = disk is not None and disk.volume_group == volume.group
        claimed = any(r.volume_group == volume.group for r in self._records)
        rivals = [v for v in self._volumes if v.group == volume.group and v.uuid != volume.uuid]
        tagged = bool(self._node.metadata.uid) and node_tag(self._node.metadata.uid) in self._tags(volume)
        if disk is not None and whole and not claimed and not rivals and (tagged or self._declared(disk)):
            self._accept(volume.group, disk, volume)
        else:
            self._not_ours(volume, disk)

    def _of_another_node(self, volume: PhysicalVolume, disk: Disk | None, owner: Sighting) -> None:
        there_too = bool(owner.disk.path) and all(r.id in self._present for r in self._records)
        reason = Reason.SHARED_DISK if there_too else Reason.DISK_SWAPPED
        todo = "Let one host only see it" if there_too else "Put the disks back where they were"
        self._say(
            volume.group,
            reason,
            f"disk {_named(disk) if disk else volume.device} carries the physical volume {volume.uuid} in volume group "
            f"{volume.group}, which was recorded for {owner}. It is neither used nor mounted here. {todo}; {GUIDE}",
            disk,
        )

    def _not_ours(self, volume: PhysicalVolume, disk: Disk | None) -> None:
        where = f"disk {_named(disk)}" if disk else volume.device
        tags = [tag for tag in self._tags(volume) if tag.startswith(NODE_TAG)]
        made_for = f", made for the Node with the uid {tags[0].removeprefix(NODE_TAG)}" if tags else ""
        self._say(
            volume.group,
            Reason.VOLUME_GROUP_NOT_OURS,
            f"{where} carries a volume group called {volume.group} ({volume.group_uuid}{made_for}), and nothing proves "
            "that it is this Node's: a name is no proof. It is neither used nor mounted. If it is, name its disk in "
            "spec.disks.ids with selection ById; else take the disk out, or rename the group (vgrename "
            f"{volume.group_uuid} NEWNAME)",
            disk,
        )

    # --- what more than one Node sees ---

    def _doubly_seen(self, shared: Mapping[str, Sighting]) -> Iterator[Amiss]:
        used = {disk.path: r.volume_group for r in self._records if (disk := self._present.get(r.id))}
        used |= {group.disk.path: name for name, group in self._owned.items()}
        for disk in self._disks:
            group = used.get(disk.path)
            other = shared.get(disk.path)
            owned = self._owned.get(group or "")
            twin = (
                self._others.recorded_elsewhere(self._name, owned.volume.uuid, owned.volume.group_uuid)
                if owned
                else None
            )
            if group is not None and (other or twin):
                seen = f"is {other} too" if other else f"carries the same LVM UUIDs as {twin}"
                text = (
                    f"{self._name}: disk {_named(disk)} ({identity_of(disk)}) {seen}: two hosts that write to one disk "
                    f"destroy what is on it. Nothing on it is touched. Let one host only see it; {GUIDE}"
                )
                yield Amiss(frozenset({group}), Blocked(Reason.SHARED_DISK, text), disk.path)

    # --- small change ---

    def _accept(self, group: str, disk: Disk, volume: PhysicalVolume) -> None:
        """What is about to be recorded for the first time must not be another Node's."""
        owner = self._others.recorded_elsewhere(self._name, volume.uuid, volume.group_uuid)
        if owner:
            self._of_another_node(volume, disk, owner)
        else:
            self._own(group, disk, volume)

    def _own(self, group: str, disk: Disk, volume: PhysicalVolume) -> None:
        self._owned[group] = OwnedGroup(group, disk, volume)

    def _say(self, group: str, reason: Reason, text: str, disk: Disk | None, *, also: str = "") -> None:
        groups = frozenset(filter(None, (group, also)))
        self._amiss.append(Amiss(groups, Blocked(reason, f"{self._name}: {text}"), disk.path if disk else ""))

    def _tags(self, volume: PhysicalVolume) -> tuple[str, ...]:
        group = self._groups.get(volume.group_uuid)
        return group.tags if group else ()

    def _declared(self, disk: Disk) -> bool:
        """Whether the spec names the disk: a person's word."""
        disks = self._node.spec.disks
        return disks.selection is DiskSelection.BY_ID and any(name in disks.ids for name in disk.ids)

    def _disk_of(self, volume: PhysicalVolume) -> Disk | None:
        """The disk that a physical volume lies on, whole or through something stacked on it."""
        return next((d for d in self._disks if volume.device == d.path or volume.device in d.below), None)

    def _on(self, disk: Disk) -> PhysicalVolume | None:
        return next((v for v in self._volumes if v.device == disk.path or v.device in disk.below), None)


def restore(group: str) -> str:
    """The commands that bring a volume group back from LVM's own copy of its metadata.

    A group with thin volumes is restored only with --force (vgcfgrestore(8)). The copy was written after the last
    change, so it fits the pool.
    """
    return f"vgcfgrestore --force {group} && vgchange -ay {group}"


def _named(disk: Disk | None) -> str:
    return f"{next(iter(disk.ids), 'without a stable name')} ({disk.path})" if disk else "that is not there"

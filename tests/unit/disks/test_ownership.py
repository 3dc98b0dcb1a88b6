"""Whose is a volume group: by what is recorded, tagged or declared, and never by its name."""

from dataclasses import replace
from typing import Any

import pytest

from heretic.domain.disks.judge import judge
from heretic.domain.disks.ownership import Ownership, node_tag
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.host.facts import Disk, HostFacts, PhysicalVolume, VolumeGroup
from heretic.domain.plan import Blocked, Wait
from sim.declared import GIB, node, view

WWN, PLACE = "0x5000c500a1b2c3d4", "pci-0000:00:1f.2-ata-1"
ID = f"wwn-{WWN}"
DISK = Disk("/dev/sdb", (ID, PLACE), 200 * GIB, True, 512, wwn=WWN, model="ST4000", serial="ZC1A2B3C")
CARRYING = replace(DISK, volume_group="vgdisk1", findings=("LVM2_member signature",))
OTHER = replace(DISK, path="/dev/sdc", ids=("wwn-0x5000c500a1b2c3ff",), wwn="0x5000c500a1b2c3ff", serial="ZC1A2BFF")
PV = PhysicalVolume("/dev/sdb", "vgdisk1", "pv-1", "vg-1")
GROUP = VolumeGroup("vgdisk1", 200 * GIB, 200 * GIB, 4 * 2**20, uuid="vg-1")
TAGGED = replace(GROUP, tags=(node_tag("uid-n1"),))
FOREIGN = replace(GROUP, tags=(node_tag("uid-of-somebody"),))

CHOSEN = {"id": ID, "path": "/dev/sdb", "use": "Everything", "volumeGroup": "vgdisk1"}
OLD = CHOSEN | {"prepared": True}
FULL = OLD | {"wwn": WWN, "model": "ST4000", "serial": "ZC1A2B3C", "pvUuid": "pv-1", "vgUuid": "vg-1"}
BY_ID = {"selection": "ById", "ids": [ID]}
AUTO: dict[str, Any] = {"selection": "Auto"}


def host(*disks: Disk, volumes: tuple[PhysicalVolume, ...] = (PV,), group: VolumeGroup = GROUP) -> HostFacts:
    groups = Known((group,)) if volumes else Known(())
    return HostFacts("n1", disks=Known(disks), physical_volumes=Known(volumes), volume_groups=groups)


def verdict(
    facts: HostFacts,
    record: dict[str, Any] | None,
    disks: dict[str, Any] = AUTO,
    other: dict[str, Any] | None = None,
) -> Ownership:
    one = node("n1", 11, disks=[record] if record else [])
    one = one.model_copy(update={"spec": one.spec.model_copy(update={"disks": type(one.spec.disks)(**disks)})})
    return judge(one, view([one, node("n2", 12, disks=[other] if other else [])]), facts)


OURS = [
    ("the recorded UUIDs", host(CARRYING), FULL, AUTO),
    ("the recorded UUIDs in another place", host(replace(CARRYING, ids=("pci-9",))), FULL, AUTO),
    ("the recorded UUIDs, and a tag of an object that is gone", host(CARRYING, group=FOREIGN), FULL, AUTO),
    (
        "the recorded UUIDs under multipath",
        host(replace(DISK, below=("/dev/mapper/a",)), volumes=(replace(PV, device="/dev/mapper/a"),)),
        FULL,
        AUTO,
    ),
    ("chosen by us, made by us, not recorded yet", host(CARRYING, group=TAGGED), CHOSEN, AUTO),
    ("prepared by the version before", host(CARRYING), OLD, AUTO),
    ("named by a person", host(CARRYING), None, BY_ID),
    ("named by a person, tagged for an object that is gone", host(CARRYING, group=FOREIGN), None, BY_ID),
    ("tagged for this Node", host(CARRYING, group=TAGGED), None, AUTO),
]


@pytest.mark.parametrize(("facts", "record", "disks"), [c[1:] for c in OURS], ids=[c[0] for c in OURS])
def test_ours(facts: HostFacts, record: dict[str, Any] | None, disks: dict[str, Any]) -> None:
    found = verdict(facts, record, disks)
    assert found.obstacles == ()
    assert set(found.groups) == {"vgdisk1"}
    assert found.obstacle("vgdisk1") is None


ELSEWHERE = FULL | {"id": "wwn-of-n2", "wwn": "", "serial": ""}
NOT_OURS = [
    ("nothing but a name", host(CARRYING), None, AUTO, None, Reason.VOLUME_GROUP_NOT_OURS),
    ("the tag of another Node", host(CARRYING, group=FOREIGN), None, AUTO, None, Reason.VOLUME_GROUP_NOT_OURS),
    ("chosen, and made by somebody", host(CARRYING), CHOSEN, AUTO, None, Reason.VOLUME_GROUP_NOT_OURS),
    (
        "old record, the tag of another Node",
        host(CARRYING, group=FOREIGN),
        OLD,
        AUTO,
        None,
        Reason.VOLUME_GROUP_NOT_OURS,
    ),
    (
        "another disk is named",
        host(CARRYING, OTHER),
        None,
        {"selection": "ById", "ids": list(OTHER.ids)},
        None,
        Reason.VOLUME_GROUP_NOT_OURS,
    ),
    (
        "on a partition of a named disk",
        host(replace(DISK, below=("/dev/sdb1",)), volumes=(replace(PV, device="/dev/sdb1"),)),
        None,
        BY_ID,
        None,
        Reason.VOLUME_GROUP_NOT_OURS,
    ),
    (
        "a namesake beside the recorded one",
        host(
            CARRYING,
            replace(OTHER, volume_group="vgdisk1"),
            volumes=(PV, PhysicalVolume("/dev/sdc", "vgdisk1", "pv-2", "vg-2")),
        ),
        FULL,
        AUTO,
        None,
        Reason.VOLUME_GROUP_NOT_OURS,
    ),
    (
        "the recorded UUIDs on another disk",
        host(DISK, replace(OTHER, volume_group="vgdisk1"), volumes=(replace(PV, device="/dev/sdc"),)),
        FULL,
        AUTO,
        None,
        Reason.DISK_SWAPPED,
    ),
    ("recorded for another Node", host(CARRYING), None, AUTO, ELSEWHERE | {"path": ""}, Reason.DISK_SWAPPED),
    ("recorded for another Node, whatever a person says", host(CARRYING), None, BY_ID, ELSEWHERE, Reason.SHARED_DISK),
    (
        "recorded for another Node, and the own disk is gone",
        host(CARRYING),
        FULL | {"id": "wwn-x", "wwn": "0x5000c500a1b2c3aa", "serial": "ZC1A2BAA", "pvUuid": "pv-9", "vgUuid": "vg-9"},
        AUTO,
        ELSEWHERE,
        Reason.DISK_SWAPPED,
    ),
    ("the same UUIDs recorded for two Nodes", host(CARRYING), FULL, AUTO, ELSEWHERE, Reason.SHARED_DISK),
    (
        "the same disk seen by two Nodes",
        host(CARRYING),
        FULL,
        AUTO,
        {"id": ID, "path": "/dev/sdx", "wwn": WWN},
        Reason.SHARED_DISK,
    ),
    ("the label is gone", host(DISK, volumes=()), FULL, AUTO, None, Reason.DISK_LABEL_LOST),
    ("the label is gone, and no UUID was recorded", host(DISK, volumes=()), OLD, AUTO, None, Reason.DISK_LABEL_LOST),
    (
        "the label is gone, something else is there",
        host(replace(DISK, findings=("ext4 filesystem",)), volumes=()),
        FULL,
        AUTO,
        None,
        Reason.DISK_LABEL_LOST,
    ),
    (
        "the group is gone",
        host(CARRYING, volumes=(replace(PV, group="", group_uuid=""),)),
        FULL,
        AUTO,
        None,
        Reason.DISK_LABEL_LOST,
    ),
    (
        "the group was made anew",
        host(CARRYING, volumes=(replace(PV, group_uuid="vg-9"),)),
        FULL,
        AUTO,
        None,
        Reason.VOLUME_GROUP_REPLACED,
    ),
    (
        "the group was renamed",
        host(CARRYING, volumes=(replace(PV, group="old"),)),
        FULL,
        AUTO,
        None,
        Reason.VOLUME_GROUP_REPLACED,
    ),
    (
        "the disk was labelled anew",
        host(CARRYING, volumes=(replace(PV, uuid="pv-9"),)),
        FULL,
        AUTO,
        None,
        Reason.VOLUME_GROUP_REPLACED,
    ),
    (
        "another disk in its place",
        host(replace(OTHER, ids=(PLACE,)), volumes=()),
        FULL | {"id": PLACE},
        AUTO,
        None,
        Reason.DISK_REPLACED,
    ),
    ("its disk is not there", host(OTHER, volumes=()), FULL, AUTO, None, Reason.DISK_NOT_FOUND),
    (
        "its disk is in another node",
        host(OTHER, volumes=()),
        FULL,
        AUTO,
        {"id": ID, "path": "/dev/sdx", "wwn": WWN},
        Reason.DISK_SWAPPED,
    ),
]


@pytest.mark.parametrize(
    ("facts", "record", "disks", "other", "reason"), [c[1:] for c in NOT_OURS], ids=[c[0] for c in NOT_OURS]
)
def test_not_ours_or_not_as_recorded(
    facts: HostFacts,
    record: dict[str, Any] | None,
    disks: dict[str, Any],
    other: dict[str, Any] | None,
    reason: Reason,
) -> None:
    found = verdict(facts, record, disks, other)
    assert [o.reason for o in found.obstacles][:1] == [reason], found.obstacles
    assert "vgdisk1" not in found.groups
    obstacle = found.obstacle("vgdisk1")
    assert obstacle is not None
    assert obstacle.message.startswith("n1: ")


@pytest.mark.parametrize("what", ["disks", "physical_volumes", "volume_groups"])
def test_what_cannot_be_seen_is_waited_for(what: str) -> None:
    unknown: dict[str, Any] = {what: Unknown("lvm did not answer")}
    found = verdict(replace(host(CARRYING), **unknown), FULL)
    assert isinstance(found.obstacle("vgdisk1"), Wait)
    assert found.groups == {}


def test_without_lvm_a_prepared_disk_has_not_lost_its_label() -> None:
    facts = replace(host(DISK), physical_volumes=Absent(), volume_groups=Absent())
    assert isinstance(verdict(facts, FULL).obstacle("vgdisk1"), Wait)
    assert verdict(facts, None).obstacles == ()


def test_a_blank_disk_that_was_chosen_is_no_obstacle() -> None:
    assert verdict(host(DISK, volumes=()), CHOSEN).obstacles == ()


def test_a_disk_that_two_nodes_see_is_told_beside_it() -> None:
    other = {"id": ID, "path": "/dev/sdx", "wwn": WWN}
    assert verdict(host(DISK, volumes=()), None, AUTO, other).finding(DISK) == (
        f"also seen by another node: disk {ID} of n2"
    )


def test_the_way_back_from_a_lost_label_is_told_in_commands_that_lvm_accepts() -> None:
    """LVM restores a group with thin volumes only with --force, and activates nothing by itself after it."""
    found = verdict(host(DISK, volumes=()), FULL).obstacle("vgdisk1")
    assert isinstance(found, Blocked)
    assert (
        f"pvcreate --uuid {PV.uuid} --restorefile /etc/lvm/backup/vgdisk1 {DISK.path} "
        "&& vgcfgrestore --force vgdisk1 && vgchange -ay vgdisk1"
    ) in found.message

"""What makes a disk not blank: every tool alone must be enough to say so."""

import json
from typing import Any

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import Disk, PhysicalVolume
from heretic.domain.host.inventory import mapper_name, signature_text, take_disks
from heretic.domain.host.parse.lsblk import parse_lsblk
from heretic.domain.host.parse.signatures import Signatures

BLANK = Signatures((), ())
NO_LVM = Absent()


def row(name: str, kind: str = "disk", **more: Any) -> dict[str, Any]:
    """One device as util-linux 2.33 and later print it."""
    plain: dict[str, Any] = {
        "name": name,
        "path": f"/dev/mapper/{name}" if kind in ("lvm", "mpath", "crypt") else f"/dev/{name}",
        "size": 1000,
        "type": kind,
        "rota": True,
        "fstype": None,
        "pttype": None,
        "mountpoint": None,
        "serial": f"serial-{name}",
        "wwn": f"0x5000{name}",
        "tran": "sata",
        "log-sec": 512,
        "ro": False,
        "rm": False,
        "model": "M",
    }
    return plain | {key.replace("_", "-"): value for key, value in more.items()}


def take(
    *devices: dict[str, Any],
    signatures: dict[str, Signatures] | None = None,
    volumes: Fact[tuple[PhysicalVolume, ...]] = NO_LVM,
    links: dict[str, tuple[str, ...]] | None = None,
) -> list[Disk]:
    names = {f"/dev/{d['name']}": (f"by-id/wwn-{d['wwn']}",) for d in devices}
    disks = take_disks(
        parse_lsblk(Output(0, json.dumps({"blockdevices": devices}), "")),
        Known(names if links is None else links),
        Known({f"/dev/{d['name']}": BLANK for d in devices} | (signatures or {})),
        volumes,
    )
    assert isinstance(disks, Known), disks
    return list(disks.value)


def test_a_blank_disk() -> None:
    (disk,) = take(row("sdb"))
    assert disk.findings == ()
    assert (disk.device, disk.ids) == ("/dev/disk/by-id/wwn-0x5000sdb", ("wwn-0x5000sdb",))
    assert (disk.in_use, disk.ambiguous, disk.multipath) == (False, False, False)


def test_values_as_text_as_el8_prints_them() -> None:
    old = row("sdb", size="8001563222016", rota="1", ro="0", rm="0", log_sec="512")
    del old["path"]
    (disk,) = take(old)
    assert (disk.path, disk.size, disk.rotational, disk.removable) == ("/dev/sdb", 8001563222016, True, False)


# name, device, signatures, physical volumes, findings, in use
PV = PhysicalVolume("/dev/sdb", "data", "u-1")
DIRTY: list[tuple[str, dict[str, Any], Signatures, Fact[tuple[PhysicalVolume, ...]], tuple[str, ...], bool]] = [
    ("lsblk sees a filesystem", row("sdb", fstype="ext4"), BLANK, Known(()), ("ext4 filesystem",), False),
    ("lsblk sees a partition table", row("sdb", pttype="gpt"), BLANK, Known(()), ("partition table gpt",), False),
    (
        "a partition, mounted",
        row("sdb", pttype="dos", children=[row("sdb1", "part", fstype="xfs", mountpoint="/srv")]),
        BLANK,
        Known(()),
        ("mounted at /srv", "partition table dos", "partition sdb1"),
        True,
    ),
    ("mounted without partitions", row("sdb", mountpoint="/srv"), BLANK, Known(()), ("mounted at /srv",), True),
    (
        "mountpoints of 2.37, with null",
        row("sdb", mountpoints=[None, "/srv"]),
        BLANK,
        Known(()),
        ("mounted at /srv",),
        True,
    ),
    ("swap", row("sdb", mountpoint="[SWAP]"), BLANK, Known(()), ("mounted at [SWAP]",), True),
    (
        "only wipefs knows the RAID",
        row("sdb"),
        Signatures((), ("linux_raid_member",)),
        Known(()),
        ("linux_raid_member signature",),
        False,
    ),
    ("LUKS", row("sdb"), Signatures((), ("crypto_LUKS",)), Known(()), ("crypto_LUKS signature",), False),
    ("ZFS", row("sdb"), Signatures((), ("zfs_member",)), Known(()), ("zfs_member signature",), False),
    ("blkid cannot decide", row("sdb"), Signatures((), ("ambivalent",)), Known(()), ("ambivalent signature",), False),
    (
        "wipefs could not read it",
        row("sdb"),
        Signatures((), (), "wipefs exited with status 1"),
        Known(()),
        ("not proven blank: wipefs exited with status 1",),
        False,
    ),
    (
        "a holder that lsblk does not show",
        row("sdb"),
        Signatures(("md127",), ()),
        Known(()),
        ("in use by md127",),
        True,
    ),
    (
        "a RAID on it",
        row("sdb", children=[row("md0", "raid1", children=[row("x", "lvm")])]),
        BLANK,
        Known(()),
        ("in use by md0 (raid1)", "in use by x (lvm)"),
        True,
    ),
    (
        "a physical volume that EL9's devices file hides",
        row("sdb"),
        BLANK,
        Known((PV,)),
        ("LVM2_member signature", "LVM volume group data"),
        False,
    ),
    (
        "an orphan physical volume",
        row("sdb"),
        BLANK,
        Known((PhysicalVolume("/dev/sdb", "", "u-1"),)),
        ("LVM2_member signature", "LVM volume without a group"),
        False,
    ),
]


@pytest.mark.parametrize(
    ("device", "signatures", "volumes", "findings", "in_use"), [c[1:] for c in DIRTY], ids=[c[0] for c in DIRTY]
)
def test_a_disk_that_is_not_blank(
    device: dict[str, Any],
    signatures: Signatures,
    volumes: Fact[tuple[PhysicalVolume, ...]],
    findings: tuple[str, ...],
    in_use: bool,
) -> None:
    (disk,) = take(device, signatures={"/dev/sdb": signatures}, volumes=volumes)
    assert disk.findings == findings
    assert disk.in_use is in_use


def test_a_disk_that_no_signature_was_read_of_is_not_blank() -> None:
    disks = take_disks(
        parse_lsblk(Output(0, json.dumps({"blockdevices": [row("sdb")]}), "")),
        Known({"/dev/sdb": ("by-id/x",)}),
        Known({}),
        Known(()),
    )
    assert isinstance(disks, Known)
    assert disks.value[0].findings == ("not proven blank: signatures were not read",)


@pytest.mark.parametrize("place", range(4))
def test_one_unknown_source_makes_all_disks_unknown(place: int) -> None:
    sources: list[Any] = [
        parse_lsblk(Output(0, json.dumps({"blockdevices": [row("sdb")]}), "")),
        Known({"/dev/sdb": ("by-id/x",)}),
        Known({"/dev/sdb": BLANK}),
        Known(()),
    ]
    assert isinstance(take_disks(*sources), Known)
    sources[place] = Unknown("it hangs")
    assert take_disks(*sources) == Unknown("it hangs")


def test_two_paths_to_one_disk_are_not_two_disks() -> None:
    one, other = take(row("sdb", wwn="0x1"), row("sdc", wwn="0x1"))
    assert one.ambiguous
    assert other.ambiguous
    assert one.findings == ("same identity as /dev/sdc: probably two paths to one disk",)


def test_serial_numbers_tell_disks_without_wwn_apart_but_not_nvme_namespaces() -> None:
    same: dict[str, Any] = {"wwn": None, "serial": "S", "model": "M"}
    assert all(d.ambiguous for d in take(row("sdb", **same), row("sdc", **same)))
    namespaces = (row("nvme0n1", **same), row("nvme0n2", **same))
    links: dict[str, tuple[str, ...]] = {"/dev/nvme0n1": ("by-id/nvme-a",), "/dev/nvme0n2": ("by-id/nvme-b",)}
    assert not any(d.ambiguous for d in take(*namespaces, links=links))


def test_a_disk_without_any_stable_name() -> None:
    (disk,) = take(row("vdb", wwn=None, serial=None), links={})
    assert disk.ambiguous
    assert disk.findings == ("no stable name in /dev/disk/by-id or /dev/disk/by-path",)


def held(**more: Any) -> dict[str, Any]:
    return row("mpatha", "mpath", **more)


def test_multipath_that_holds_a_single_local_disk() -> None:
    (disk,) = take(row("sdb", fstype="mpath_member", children=[held()]))
    assert disk.multipath
    assert disk.findings == ("held by multipath map mpatha",)


@pytest.mark.parametrize(
    "devices",
    [
        (row("sdb", fstype="mpath_member", children=[held(children=[row("a", "lvm")])]),),
        (row("sdb", fstype="mpath_member", children=[held(fstype="ext4")]),),
        (row("sdb", fstype="mpath_member", children=[held(mountpoint="/srv")]),),
        (row("sdb", children=[held()]), row("sdc", children=[held()])),
    ],
    ids=["something on the map", "a filesystem on the map", "the map mounted", "two paths"],
)
def test_multipath_that_is_in_use_is_never_released(devices: tuple[dict[str, Any], ...]) -> None:
    for disk in take(*devices):
        assert not disk.multipath
        assert disk.in_use


@pytest.mark.parametrize(
    "device",
    [row("zram0"), row("loop3"), row("fd0"), row("nbd1"), row("sr0", "rom"), row("sdb", size=0), row("md0", "raid1")],
    ids=lambda d: d["name"],
)
def test_devices_that_are_no_disks(device: dict[str, Any]) -> None:
    assert take(device) == []


@pytest.mark.parametrize(
    ("volumes", "group"),
    [
        ((PV,), "data"),
        ((PV, PhysicalVolume("/dev/sdc", "data", "u-2")), ""),
        ((PV, PhysicalVolume("[unknown]", "data", "u-2")), ""),
        ((PhysicalVolume("/dev/sdb1", "data", "u-1"),), ""),
    ],
    ids=["whole disk", "two disks", "the other one missing", "a partition"],
)
def test_volume_group_of_a_disk(volumes: tuple[PhysicalVolume, ...], group: str) -> None:
    (disk,) = take(row("sdb", children=[row("sdb1", "part")]), volumes=Known(volumes))
    assert disk.volume_group == group


def test_names() -> None:
    assert mapper_name("vg-disk1", "a-b") == "vg--disk1-a--b"
    assert [signature_text(k) for k in ("gpt", "xfs", "LVM2_member")] == [
        "partition table gpt",
        "xfs filesystem",
        "LVM2_member signature",
    ]

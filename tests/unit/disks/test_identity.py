"""Which disk is which: what identifies a disk, and what does not."""

import pytest

from heretic.api.v1alpha1.node import NodeDisk
from heretic.domain.disks.identity import Likeness, compare, identity_of, meant
from heretic.domain.host.facts import Disk

WWN = "0x5000c500a1b2c3d4"


def disk(wwn: str = "", model: str = "", serial: str = "", *ids: str) -> Disk:
    return Disk("/dev/sdb", ids, 1, True, 512, wwn=wwn, model=model, serial=serial)


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        pytest.param(disk(WWN), disk(WWN), Likeness.SAME, id="one WWN"),
        pytest.param(disk(WWN), disk("5000C500A1B2C3D4"), Likeness.SAME, id="one WWN, written by another tool"),
        pytest.param(disk(WWN), disk("0x5000c500a1b2c3d5"), Likeness.OTHER, id="two WWNs"),
        pytest.param(disk("", "ST4000", "ZC1A2B3C"), disk("", "ST4000", "ZC1A2B3C"), Likeness.SAME, id="one serial"),
        pytest.param(disk("", "ST4000", "ZC1A2B3C"), disk("", "ST4000", "ZC1A2B3D"), Likeness.OTHER, id="two serials"),
        pytest.param(
            disk("", "ST4000", "ZC1A2B3C"), disk("", "HUS726", "ZC1A2B3C"), Likeness.OTHER, id="serials of two models"
        ),
        pytest.param(disk(WWN, "ST4000", "ZC1A2B3C"), disk(WWN), Likeness.SAME, id="a WWN without a serial"),
        pytest.param(
            disk(WWN, "ST4000", "ZC1A2B3C"),
            disk("eui.5000c500a1b2c3ff", "ST4000", "ZC1A2B3C"),
            Likeness.SAME,
            id="one serial, and a WWN that a new kernel writes in another way",
        ),
        pytest.param(disk(WWN), disk("", "ST4000", "ZC1A2B3C"), Likeness.UNTOLD, id="nothing in common"),
        pytest.param(disk(), disk(), Likeness.UNTOLD, id="nothing at all"),
    ],
)
def test_two_disks(one: Disk, other: Disk, likeness: Likeness) -> None:
    assert compare(identity_of(one), identity_of(other)) is likeness
    assert compare(identity_of(other), identity_of(one)) is likeness


NO_SERIALS = (
    *("", "0", "0000", "00000000", "0000-0000", "FFFFFFFF", "00000001", "12345", "123456789", "0123456789ABCDEF"),
    *("QM00001", "drive-scsi0", "beaf11", "None", "N/A", "Default string", "To be filled by O.E.M.", "S1"),
)


@pytest.mark.parametrize("serial", NO_SERIALS)
def test_a_serial_number_that_more_than_one_disk_has_is_no_identity(serial: str) -> None:
    assert identity_of(disk("", "QEMU HARDDISK", serial)).keys == ()


def test_a_serial_number_without_a_model_is_no_identity() -> None:
    assert identity_of(disk("", "", "ZC1A2B3C")).keys == ()


@pytest.mark.parametrize(
    "wwn",
    [
        *("", "0x0000000000000000", "eui.0000000000000000", "0x5000000000000001", "0x5000c50000000000", "0x5000c5"),
        *("nvme.1b36-31-51454d55-00000001", "t10.ATA QEMU HARDDISK QM00001"),
    ],
)
def test_a_world_wide_name_that_names_no_disk_is_no_identity(wwn: str) -> None:
    assert identity_of(disk(wwn, "QEMU NVMe Ctrl", "1")).keys == ()


def record(**known: str) -> NodeDisk:
    return NodeDisk(id="pci-0000:00:1f.2-ata-1", use="Everything", **known)


@pytest.mark.parametrize(
    ("there", "found"),
    [
        pytest.param((disk(WWN, "", "", "pci-0000:00:1f.2-ata-1"),), True, id="in its place"),
        pytest.param((disk(WWN, "", "", "pci-0000:00:1f.2-ata-2"),), True, id="in another place"),
        pytest.param((disk("0x5000c500a1b2c3d5", "", "", "pci-0000:00:1f.2-ata-1"),), False, id="another one there"),
        pytest.param((disk("", "", "", "pci-0000:00:1f.2-ata-1"),), True, id="one in its place that tells nothing"),
        pytest.param((), False, id="nothing"),
    ],
)
def test_a_recorded_disk_is_found_by_what_it_is_and_not_by_its_place(there: tuple[Disk, ...], found: bool) -> None:
    assert (meant(there, record(wwn=WWN)) is not None) is found

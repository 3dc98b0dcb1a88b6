"""Blank is a positive answer of everybody who was asked: no silence, failure or strange answer makes a disk blank."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heretic.api.v1alpha1.node import NodeDisks
from heretic.domain.commands import Output
from heretic.domain.disks.candidates import blank, is_local, usable
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import Disk
from heretic.domain.host.inventory import place_text, take_disks
from heretic.domain.host.parse.links import parse_links
from heretic.domain.host.parse.lsblk import parse_lsblk
from heretic.domain.host.parse.lvm import parse_lvm
from heretic.domain.host.parse.signatures import parse_signatures
from sim.block_devices import GIB

ROW = {
    "name": "sdb",
    "path": "/dev/sdb",
    "size": 200 * GIB,
    "type": "disk",
    "rota": True,
    "log-sec": 512,
    "ro": False,
    "rm": False,
    "tran": "sata",
    "serial": "S1",
    "wwn": "0x5",
}
WIPEFS = "wipefs 0\n" + "".join(f"w {line}\n" for line in json.dumps({"signatures": []}, indent=3).splitlines())
BLKID = "blkid 2\n"
ZERO = "zero 52166656\n"
LINKS = Output(0, "by-id/wwn-0x5 /dev/sdb\n", "")
NO_LVM = Output(0, '{"report":[]}', "")


def look(said: str, *, lvm: Output = NO_LVM) -> Disk | None:
    """The disk as a host would show it; None where its disks are not known."""
    report = parse_lvm(lvm)
    volumes = Known(report.value.physical_volumes) if isinstance(report, Known) else report
    disks = take_disks(
        parse_lsblk(Output(0, json.dumps({"blockdevices": [ROW]}), "")),
        parse_links(LINKS),
        parse_signatures(Output(0, said, "")),
        volumes,
    )
    return disks.value[0] if isinstance(disks, Known) else None


def test_a_disk_is_blank_when_everybody_says_so() -> None:
    disk = look(f"disk /dev/sdb\n{WIPEFS}{BLKID}{ZERO}")
    assert disk is not None
    assert blank(disk) is None


CONTENT = "content without a known signature at "
SAID = [
    ("content at 5 GiB", WIPEFS + BLKID + "content 5368709120\n", Reason.CONTENT_FOUND, CONTENT + "5.0 GiB"),
    ("content at 64 MiB", WIPEFS + BLKID + "content 67108864\n", Reason.CONTENT_FOUND, CONTENT + "64.0 MiB"),
    ("content at its very beginning", WIPEFS + BLKID + "content 0\n", Reason.CONTENT_FOUND, CONTENT + "byte 0"),
    (
        "a sector that cannot be read",
        WIPEFS + BLKID + "error 12884901888 Input/output error\n",
        Reason.READ_ERROR,
        "cannot be read at 12.0 GiB: Input/output error",
    ),
    (
        "a head that cannot be read, with content behind it",
        WIPEFS + BLKID + "error 0 Input/output error\ncontent 1048576\n",
        Reason.READ_ERROR,
        f"{CONTENT}1.0 MiB; cannot be read at byte 0: Input/output error",
    ),
    (
        "a disk that ends early",
        WIPEFS + BLKID + "short 4096\n",
        Reason.READ_ERROR,
        "cannot be read at 4.0 KiB: it ends there before its size",
    ),
    (
        "a disk that took too long",
        WIPEFS + BLKID,
        Reason.NOT_PROVEN_BLANK,
        "not proven blank: it could not be read in time",
    ),
    (
        "wipefs is not there",
        "wipefs 127\n" + BLKID + ZERO,
        Reason.NOT_PROVEN_BLANK,
        "not proven blank: wipefs is not installed",
    ),
    (
        "wipefs prints nothing at all",
        "wipefs 0\n" + BLKID + ZERO,
        Reason.NOT_PROVEN_BLANK,
        "not proven blank: the output of wipefs was not understood",
    ),
    (
        "wipefs answers without its key",
        "wipefs 0\nw {}\n" + BLKID + ZERO,
        Reason.NOT_PROVEN_BLANK,
        "not proven blank: the output of wipefs was not understood",
    ),
    (
        "wipefs says null",
        'wipefs 0\nw {"signatures": null}\n' + BLKID + ZERO,
        Reason.NOT_PROVEN_BLANK,
        "not proven blank: the output of wipefs was not understood",
    ),
    (
        "wipefs fails",
        "wipefs 1\n" + BLKID + ZERO,
        Reason.NOT_PROVEN_BLANK,
        "not proven blank: wipefs exited with status 1",
    ),
    (
        "blkid is not there",
        WIPEFS + "blkid 127\n" + ZERO,
        Reason.NOT_PROVEN_BLANK,
        "not proven blank: blkid is not installed",
    ),
    (
        "blkid ends in a way that its page does not name",
        WIPEFS + "blkid 1\n" + ZERO,
        Reason.NOT_PROVEN_BLANK,
        "not proven blank: blkid exited with status 1",
    ),
    (
        "the answer ends early",
        WIPEFS,
        Reason.NOT_PROVEN_BLANK,
        "not proven blank: blkid did not answer",
    ),
    (
        "blkid says that it is there, and not what",
        WIPEFS + "blkid 0\n",
        Reason.FOREIGN_SIGNATURE,
        "ambivalent signature",
    ),
    (
        "wipefs names a type that nobody knows",
        'wipefs 0\nw {"signatures": [{"type": "newfs"}]}\nblkid 2\n',
        Reason.FOREIGN_SIGNATURE,
        "newfs filesystem",
    ),
]


@pytest.mark.parametrize(("said", "reason", "text"), [c[1:] for c in SAID], ids=[c[0] for c in SAID])
def test_a_disk_that_is_not_proven_blank_says_what_and_where(said: str, reason: Reason, text: str) -> None:
    disk = look(f"disk /dev/sdb\n{said}")
    assert disk is not None
    finding = blank(disk)
    assert finding is not None
    assert (finding.reason, finding.text) == (reason, text)


LINES = st.one_of(
    st.sampled_from(
        [
            *("wipefs 0", "wipefs 1", "wipefs 127", 'w {"signatures": []}', "w {}", 'w {"signatures": [{}]}', "w"),
            *("blkid 0", "blkid 2", "blkid 4", "blkid 8", "blkid 127", "b TYPE=xfs", "b DEVNAME=/dev/sdb"),
            *("zero 52166656", "zero 0", "content 0", "content 5368709120", "error 0 Input/output error", "short 0"),
            *("holder md0", "", "disk /dev/sdb", "disk /dev/sdc", "zero x", "what is this"),
        ]
    ),
    st.text(max_size=20),
)


@given(st.lists(LINES, max_size=12))
def test_whatever_is_said_a_disk_is_blank_only_if_all_said_so(lines: list[str]) -> None:
    disk = look("disk /dev/sdb\n" + "\n".join(lines))
    if disk is None or blank(disk) is not None:
        return
    said = "\n".join(lines).splitlines()
    own = said[max((n + 1 for n, line in enumerate(said) if line == "disk /dev/sdb"), default=0) :]
    assert {"wipefs 0", "blkid 2", 'w {"signatures": []}'} <= set(own)
    assert any(line.startswith("zero ") and line != "zero 0" for line in own)
    assert not any(line.startswith(("content ", "error ", "short ", "holder ", "b TYPE")) for line in own)


@pytest.mark.parametrize("rc", [1, 5, 124, 255])
def test_lvm_that_fails_leaves_all_disks_unknown(rc: int) -> None:
    assert look(f"disk /dev/sdb\n{WIPEFS}{BLKID}{ZERO}", lvm=Output(rc, "", "Error reading device")) is None


@pytest.mark.parametrize(
    ("transport", "names", "local"),
    [
        *((word, ("wwn-0x5",), True) for word in ("sata", "ata", "sas", "spi", "nvme", "virtio")),
        *((w, ("wwn-0x5", "pci-0000:00:1f.2-ata-1"), False) for w in ("usb", "iscsi", "fc", "fcoe", "sbp", "tcp")),
        *((w, ("wwn-0x5", "pci-0000:00:1f.2-nvme-1"), False) for w in ("rdma", "loop", "mmc", "SATA", "newfabric")),
        pytest.param("", ("wwn-0x5", "pci-0000:03:00.0-scsi-0:2:0:0"), True, id="a RAID controller"),
        pytest.param("", ("wwn-0x5", "platform-80860F14:00-pci-0000:00:00.0-ata-1"), True, id="a slot of the platform"),
        pytest.param("", ("wwn-0x5",), False, id="nobody says where it is"),
        pytest.param("", ("ip-10.0.0.1:3260-iscsi-iqn.2001-04.com:x-lun-0",), False, id="iSCSI by its path"),
        pytest.param("", ("pci-0000:03:00.0-fc-0x50060e80-lun-0",), False, id="a fibre channel by its path"),
        pytest.param("", ("pci-0000:00:14.0-usb-0:1:1.0-scsi-0:0:0:0",), False, id="USB by its path"),
        pytest.param("", ("pci-0000:00:14.0-usbv3-0:1:1.0-scsi-0:0:0:0",), False, id="USB by its newer path"),
    ],
)
def test_only_a_disk_that_is_known_to_be_in_the_machine_is_taken_by_itself(
    transport: str, names: tuple[str, ...], local: bool
) -> None:
    disk = Disk("/dev/sdb", names, 200 * GIB, True, 512, transport=transport, device=f"/dev/disk/by-id/{names[0]}")
    assert is_local(disk) is local
    finding = usable(disk, NodeDisks())
    assert (finding is None) is local
    if finding is not None:
        assert finding.text == f"{transport or 'not certainly local'} disk: selection Auto leaves it alone"
    assert usable(replace(disk, removable=True), NodeDisks()) is not None


def test_places_are_written_for_people() -> None:
    assert [place_text(n) for n in (0, 512, 4096, 64 * 2**20, 5 * GIB, 2**40)] == [
        "byte 0",
        "byte 512",
        "4.0 KiB",
        "64.0 MiB",
        "5.0 GiB",
        "1024.0 GiB",
    ]


def test_unknown_disks_are_not_no_disks() -> None:
    assert isinstance(parse_signatures(Output(124, "", "")), Unknown)

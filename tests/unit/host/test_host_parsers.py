"""Each parser: a value, Absent, or Unknown with its cause, and never an exception."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heretic.domain.commands import Output
from heretic.domain.disks.brick_folders import BrickDirectory, parse_bricks
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import (
    FirewallZone,
    LogicalVolume,
    Mount,
    PhysicalVolume,
    Service,
    VolumeGroup,
)
from heretic.domain.host.interfaces import Bond, Interface
from heretic.domain.host.parse import firewall, ip, links, lsblk, lvm, packages, signatures, storage, system, systemd
from heretic.domain.host.parse.signatures import Signatures

NOT_FOUND = Output(127, "", "sh: 1: pvs: not found\n")
LATE = Output(124, "", "")


def out(stdout: str, rc: int = 0, stderr: str = "") -> Output:
    return Output(rc, stdout, stderr)


LVM = """{"report":[{"vg":[
{"vg_name":"vgdisk1","vg_size":"1000","vg_free":"400","vg_extent_size":"4","vg_attr":"wz-pn-",
"vg_uuid":"g-h","vg_tags":"one,two"}],
"pv":[{"pv_name":"[unknown]","vg_name":"vgdisk1","pv_uuid":"a-b","vg_uuid":"g-h","pv_size":"1000","pv_attr":"a-m"}],
"lv":[{"vg_name":"vgdisk1","lv_name":"lvthinpool","lv_attr":"twi-aotz--","lv_size":"500","pool_lv":"",
"data_percent":"81.20","metadata_percent":"12.00","lv_metadata_size":"16","lv_uuid":"e-f","lv_layout":"thin,pool",
"lv_role":"private","lv_health_status":"","origin":"","data_lv":"[lvthinpool_tdata]","metadata_lv":"[lvthinpool_tmeta]"},
{"vg_name":"vgdisk1","lv_name":"vm","lv_attr":"Vwi---tz--","lv_size":"500","pool_lv":"lvthinpool",
"data_percent":"","metadata_percent":"","lv_metadata_size":""}],"pvseg":[{"pvseg_start":"0"}],"seg":[]},
{"pv":[{"pv_name":"/dev/sdz","vg_name":"","pv_uuid":"c-d"}],"pvseg":[{"pvseg_start":"0"}]}]}"""

ADDR = """[{},{"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"link_type":"loopback","addr_info":[]},
{"ifname":"eth0","flags":["BROADCAST","SLAVE","UP","LOWER_UP"],"mtu":9000,"max_mtu":9194,"master":"bond0",
"link_type":"ether","address":"02:00:00:00:00:01","permaddr":"52:54:00:00:00:02","linkinfo":{"info_slave_kind":"bond"},
"addr_info":[]},
{"ifname":"bond0","flags":["BROADCAST","UP"],"mtu":9000,"link_type":"ether","address":"02:00:00:00:00:01",
"linkinfo":{"info_kind":"bond","info_data":{"mode":"active-backup"}},
"addr_info":[{"family":"inet","local":"172.20.11.10","prefixlen":24}]},
{"ifname":"eth9","flags":["BROADCAST"],"mtu":1500,"link_type":"ether","address":"52:54:00:00:00:09","addr_info":[]}]"""

SIGNATURES = """disk /dev/sda
holder dm-0
wipefs 0
w {
w    "signatures": [
w       {"device":"sda", "offset":"0x1fe", "type":"dos", "uuid":null, "label":null}
w    ]
w }
blkid 0
b DEVNAME=/dev/sda
b PTTYPE=dos
disk /dev/sdb
wipefs 0
w {"signatures": []}
blkid 2
zero 52166656
disk /dev/sdc
wipefs 1
blkid 8
disk /dev/sdd
wipefs 0
w {"signatures": [
blkid 4
disk /dev/sde
wipefs 0
w {"signatures": []}
blkid 2
content 5368709120
disk /dev/sdf
wipefs 0
w {"signatures": []}
blkid 2
error 0 Input/output error
disk /dev/sdg
wipefs 0
w {"signatures": []}
blkid 2
short 4096
short 8192
"""

UNITS = """Id=glusterd.service
LoadState=loaded
ActiveState=failed
SubState=failed
UnitFileState=enabled
Result=exit-code
NRestarts=5
StateChangeTimestampMonotonic=40000000

Id=chronyd.service
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=
Result=success
NRestarts=0
StateChangeTimestampMonotonic=0
"""

ZONES = """block
  target: %%REJECT%%
  interfaces:
  services:

public (active)
  target: default
  interfaces: eth0 eth1
  services: cockpit dhcpv6-client ssh
  ports: 54321/tcp
  rich rules:
"""

# name, parser, output, fact
VALUES: list[tuple[str, Callable[[Output], Fact[Any]], Output, Fact[Any]]] = [
    (
        "LVM: a group without a disk, a pool, an inactive thin volume, an orphan",
        lvm.parse_lvm,
        out(LVM),
        Known(
            lvm.LvmReport(
                (PhysicalVolume("[unknown]", "vgdisk1", "a-b", "g-h", 1000), PhysicalVolume("/dev/sdz", "", "c-d")),
                (VolumeGroup("vgdisk1", 1000, 400, 4, complete=False, uuid="g-h", tags=("one", "two")),),
                (
                    LogicalVolume(
                        "vgdisk1",
                        "lvthinpool",
                        500,
                        is_pool=True,
                        data_percent=81.2,
                        metadata_percent=12.0,
                        metadata_size=16,
                        attributes="twi-aotz--",
                        uuid="e-f",
                        layout=("thin", "pool"),
                        role=("private",),
                        data="lvthinpool_tdata",
                        metadata="lvthinpool_tmeta",
                    ),
                    LogicalVolume("vgdisk1", "vm", 500, pool="lvthinpool", active=False, attributes="Vwi---tz--"),
                ),
            )
        ),
    ),
    ("LVM: nothing at all", lvm.parse_lvm, out('{"report":[]}'), Known(lvm.LvmReport((), (), ()))),
    ("LVM: not installed", lvm.parse_lvm, NOT_FOUND, Absent()),
    (
        "ip: empty objects, loopback, a bond with a port, a port that is switched off",
        ip.parse_interfaces,
        out(ADDR),
        Known(
            (
                Interface("eth0", "52:54:00:00:00:02", "ether", True, 9000, max_mtu=9194, master="bond0"),
                Interface(
                    "bond0",
                    "02:00:00:00:00:01",
                    "bond",
                    False,
                    9000,
                    addresses=("172.20.11.10/24",),
                    bond=Bond("active-backup"),
                ),
                Interface("eth9", "52:54:00:00:00:09", "ether", None, 1500),
            )
        ),
    ),
    (
        "speeds: a port without link says -1",
        ip.parse_speeds,
        out("/sys/class/net/eth0/speed:10000\n/sys/class/net/eth1/speed:-1\n", 1, "find: File system loop detected"),
        Known({"eth0": 10000}),
    ),
    (
        "signatures: a partition table, blank, ambivalent and unreadable",
        signatures.parse_signatures,
        out(SIGNATURES),
        Known(
            {
                "/dev/sda": Signatures(("dm-0",), ("dos",)),
                "/dev/sdb": Signatures((), ()),
                "/dev/sdc": Signatures((), ("ambivalent",), "wipefs exited with status 1"),
                "/dev/sdd": Signatures((), (), "the output of wipefs was not understood; blkid exited with status 4"),
                "/dev/sde": Signatures((), (), content=5368709120),
                "/dev/sdf": Signatures((), (), error=(0, "Input/output error")),
                "/dev/sdg": Signatures((), (), error=(4096, "it ends there before its size")),
            }
        ),
    ),
    (
        "signatures: the answer ends in the middle of a disk",
        signatures.parse_signatures,
        out("disk /dev/sda\n"),
        Known({"/dev/sda": Signatures((), (), "wipefs did not answer; blkid did not answer")}),
    ),
    (
        "links: the disk's own names first, LVM's own left out",
        links.parse_links,
        out(
            "by-path/pci-0000:00:1f.2-ata-1 /dev/sda\nby-id/lvm-pv-uuid-x /dev/sda\nby-id/ata-WDC_1 /dev/sda\n"
            "by-id/wwn-0x5 /dev/sda\nby-id/scsi-35 /dev/sda\nby-id/dm-name-a /dev/dm-0\n"
        ),
        Known({"/dev/sda": ("by-id/wwn-0x5", "by-id/scsi-35", "by-id/ata-WDC_1", "by-path/pci-0000:00:1f.2-ata-1")}),
    ),
    ("links: none", links.parse_links, out(""), Known({})),
    (
        "systemd: a failed unit and one that does not exist",
        systemd.parse_units,
        out(UNITS),
        Known(
            {
                "glusterd.service": Service(
                    "glusterd.service", "loaded", "failed", "failed", "enabled", "exit-code", 5, 40.0
                ),
                "chronyd.service": Service("chronyd.service", "not-found", "inactive", "dead", "", "success", 0, None),
            }
        ),
    ),
    (
        "dpkg: one installed, one only unpacked, one unknown to it",
        packages.parse_dpkg,
        out("lvm2\t2.03\tinstalled\nchrony\t4.3\thalf-configured\n", 1, "dpkg-query: no packages found matching attr"),
        Known({"lvm2": "2.03"}),
    ),
    ("dpkg: not this family", packages.parse_dpkg, NOT_FOUND, Absent()),
    (
        "rpm: its sentences are no packages",
        packages.parse_rpm,
        out("lvm2\t2.03.24-3.el9\tinstalled\npackage attr is not installed\n", 1),
        Known({"lvm2": "2.03.24-3.el9"}),
    ),
    (
        "findmnt: a flat list and a tree",
        storage.parse_mounts,
        out(
            '{"filesystems":[{"target":"/","source":"/dev/sda1","fstype":"xfs","options":"rw,relatime","children":'
            '[{"target":"/proc","source":"proc","fstype":"proc","options":"rw"}]}]}'
        ),
        Known((Mount("/", "/dev/sda1", "xfs", ("rw", "relatime")), Mount("/proc", "proc", "proc", ("rw",)))),
    ),
    (
        "bricks: in use, fresh",
        parse_bricks,
        out(
            "/gluster_bricks/a/brick1/brick 0 0xb3114c71f4a040a0b4f5a1f6c1f0a0b1\n/gluster_bricks/b/brick1/brick 1 -\n"
        ),
        Known(
            {
                "/gluster_bricks/a/brick1/brick": BrickDirectory(True, "b3114c71-f4a0-40a0-b4f5-a1f6c1f0a0b1", False),
                "/gluster_bricks/b/brick1/brick": BrickDirectory(True, "", True),
            }
        ),
    ),
    ("bricks: none", parse_bricks, out(""), Known({})),
    ("free space: the least of two", system.parse_free, out("4096 1000\n4096 10\n"), Known(40960)),
    (
        "firewalld: zones with the default one",
        lambda o: firewall.parse_zones(o, out("public\n")),
        out(ZONES),
        Known(
            (
                FirewallZone("block", False, frozenset(), frozenset(), frozenset(), target="%%REJECT%%"),
                FirewallZone(
                    "public",
                    True,
                    frozenset({"eth0", "eth1"}),
                    frozenset({"cockpit", "dhcpv6-client", "ssh"}),
                    frozenset({"54321/tcp"}),
                ),
            )
        ),
    ),
    ("firewalld: not running", lambda o: firewall.parse_zones(o, o), out("", 252, "not running"), Absent()),
    ("firewalld: not installed", lambda o: firewall.parse_zones(o, o), NOT_FOUND, Absent()),
]


@pytest.mark.parametrize(("parser", "output", "fact"), [c[1:] for c in VALUES], ids=[c[0] for c in VALUES])
def test_value(parser: Callable[[Output], Fact[Any]], output: Output, fact: Fact[Any]) -> None:
    assert parser(output) == fact


PARSERS: list[Callable[[Output], Fact[Any]]] = [
    lsblk.parse_lsblk,
    lvm.parse_lvm,
    ip.parse_interfaces,
    signatures.parse_signatures,
    links.parse_links,
    systemd.parse_units,
    packages.parse_dpkg,
    packages.parse_rpm,
    storage.parse_mounts,
    parse_bricks,
    system.parse_free,
    system.parse_cpu,
    lambda o: firewall.parse_zones(o, o),
    lambda o: system.parse_time(o, o, 0.0, 0.0),
]
FAILED: list[tuple[str, Callable[[Output], Fact[Any]], Output]] = [
    ("rpm: no database", packages.parse_rpm, out("", 1, "error: cannot open Packages database in /var/lib/rpm\n")),
    ("rpm: a status without sentences", packages.parse_rpm, out("", 2)),
    (
        "rpm: an error between the answers",
        packages.parse_rpm,
        out("lvm2\t2.03-1\tinstalled\nerror: rpmdbNextIterator: skipping h#42\n", 0),
    ),
    ("rpm: an error beside the answers", packages.parse_rpm, out("lvm2\t2\tinstalled\n", 0, "error: db5 error(11)\n")),
    ("dpkg: no database", packages.parse_dpkg, out("", 2, "dpkg-query: error: failed to open package info file\n")),
    ("dpkg: failed with the status of an unknown package", packages.parse_dpkg, out("", 1, "Segmentation fault\n")),
    ("dpkg: failed in silence", packages.parse_dpkg, out("", 1)),
    ("lsblk: another document", lsblk.parse_lsblk, out('{"devices": []}')),
    ("lsblk: null", lsblk.parse_lsblk, out('{"blockdevices": null}')),
    ("findmnt: another document", storage.parse_mounts, out("{}")),
    ("lscpu: another document", system.parse_cpu, out("{}")),
    ("LVM: another document", lvm.parse_lvm, out("{}")),
    ("LVM: no physical volumes", lvm.parse_lvm, out('{"report":[{"vg":[],"lv":[]}]}')),
    (
        "LVM: a group without its sections",
        lvm.parse_lvm,
        out('{"report":[{"pv":[{"pv_name":"/dev/sdb","vg_name":"vgdisk1","pv_uuid":"a"}]}]}'),
    ),
    ("ip: an interface without its addresses", ip.parse_interfaces, out(ADDR.replace('"addr_info"', '"other"'))),
    ("systemctl: failed", systemd.parse_units, out(UNITS, 1, "Failed to connect to bus\n")),
    ("links: failed", links.parse_links, out("", 2)),
    ("signatures: failed", signatures.parse_signatures, out("", 2)),
    ("bricks: failed", parse_bricks, out("", 2)),
    ("free: failed", system.parse_free, out("4096 10\n", 1)),
]


@pytest.mark.parametrize(("parse", "output"), [c[1:] for c in FAILED], ids=[c[0] for c in FAILED])
def test_a_question_whose_program_failed_is_unknown(parse: Callable[[Output], Fact[Any]], output: Output) -> None:
    assert isinstance(parse(output), Unknown)


NAMES = "lsblk lvm ip signatures links systemd dpkg rpm findmnt bricks free lscpu firewalld time".split(" ")  # noqa: SIM905


@pytest.mark.parametrize("parser", PARSERS, ids=NAMES)
def test_a_program_that_hangs_or_fails_makes_the_fact_unknown(parser: Callable[[Output], Fact[Any]]) -> None:
    for output in (LATE, Output(255, "", "something broke\nand more\n")):
        fact = parser(output)
        assert isinstance(fact, Unknown)
        assert fact.cause


GARBLED = {
    "lsblk": ['{"blockdevices":[{"name":"sda"', '{"blockdevices":[{"name":"sda","size":"0B"}]}', "[]", "{}"],
    "lvm": [LVM[:200], "{}", '{"report":[{"vg":[{"vg_name":""}]}]}', LVM.replace('"500"', '"<475.94g"')],
    "ip": [ADDR[:100], "{}", '[{"ifname":"eth0"}]'],
    "signatures": ["nonsense here\n", "disk /dev/sda\nwipefs x\n"],
    "links": ["by-id/x\n", "elsewhere/x /dev/sda\n"],
    "systemd": ["LoadState=loaded\n"],
    "findmnt": ['{"filesystems":[', '{"filesystems":[]}'],
    "bricks": ["/gluster_bricks/a/brick1/brick 2 -\n", "/gluster_bricks/a/brick1/brick 0 0x12\n"],
    "free": ["", "4096\n", "a b\n"],
    "lscpu": ["{}", '{"lscpu":[{"field":"CPU(s):","data":"-"}]}'],
    "firewalld": ["", "public (active) what\n"],
    "time": ["now\n"],
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, texts in GARBLED.items() for t in texts])
def test_a_garbled_or_cut_answer_is_unknown(name: str, text: str) -> None:
    parser = PARSERS[NAMES.index(name)]
    assert isinstance(parser(out(text)), Unknown)


@given(st.sampled_from(PARSERS), st.integers(0, 255), st.text(), st.text())
def test_no_output_makes_a_parser_raise(
    parser: Callable[[Output], Fact[Any]], rc: int, stdout: str, stderr: str
) -> None:
    assert isinstance(parser(Output(rc, stdout, stderr)), Known | Absent | Unknown)


def test_a_deeply_nested_document_is_unknown() -> None:
    assert isinstance(lsblk.parse_lsblk(out('{"blockdevices":' + "[" * 100_000)), Unknown)


@pytest.mark.parametrize(
    ("dpkg", "rpm", "merged"),
    [
        (Known({"a": "1"}), Absent(), Known({"a": "1"})),
        (Absent(), Known({"b": "2"}), Known({"b": "2"})),
        (Known({"a": "1"}), Unknown("rpm hangs"), Unknown("rpm hangs")),
        (Absent(), Absent(), Unknown("the host has neither dpkg nor rpm")),
    ],
)
def test_either_package_manager_counts(dpkg: Fact[Any], rpm: Fact[Any], merged: Fact[Any]) -> None:
    assert packages.merge_packages(dpkg, rpm) == merged


TRACKING = "A29FC87B,162.159.200.123,4,1.5,0.0001,0.0002,0.0003,1.5,0.0,0.01,0.02,0.03,64.2,"


@pytest.mark.parametrize(
    ("tracking", "synchronized"),
    [
        (out(TRACKING + "Normal\n"), True),
        (out(TRACKING + "Insert second\n"), True),
        (out(TRACKING + "Not synchronised\n"), False),
        (out("506 Cannot talk to daemon\n", 1), None),
        (NOT_FOUND, None),
        (out("one,two\n"), None),
    ],
)
def test_time(tracking: Output, synchronized: bool | None) -> None:
    fact = system.parse_time(out("1000600.5\n"), tracking, 999_999.0, 1_000_001.0)
    assert isinstance(fact, Known)
    assert fact.value.synchronized is synchronized
    assert fact.value.offset_seconds == pytest.approx(600.5)
    assert fact.value.uncertainty_seconds == pytest.approx(1.0)


def test_lscpu_with_nested_fields() -> None:
    text = (
        '{"lscpu":[{"field":"CPU(s):","data":"8","children":[]},{"field":"Vendor ID:","data":"AuthenticAMD",'
        '"children":[{"field":"Model name:","data":"EPYC","children":[{"field":"Flags:","data":"svm aes"}]}]}]}'
    )
    cpu = system.parse_cpu(out(text))
    assert isinstance(cpu, Known)
    assert (cpu.value.count, cpu.value.vendor, cpu.value.model) == (8, "AuthenticAMD", "EPYC")
    assert cpu.value.flags == ("aes", "svm")

"""Answers of real hosts, recorded as they came: what the parsers make of a whole batch."""

import hashlib
import json
from pathlib import Path

import pytest

from heretic.domain.commands import Output
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.disks.hidden import hidden_volumes
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.host.assemble import assemble
from heretic.domain.host.facts import HostFacts, LogicalVolume
from heretic.domain.host.profiles import EL_9, profile_of
from sim.asked import ASKED, FACTS, fact_of

DATA = Path(__file__).parents[2] / "data" / "probes"

YOUNGER = {"sequence"}
"""Questions that are asked only since these answers were recorded."""


def load(name: str, **changed: Output) -> HostFacts:
    batch = json.loads((DATA / f"{name}.json").read_text())
    outputs = {probe: Output(*answer) for probe, answer in batch["outputs"].items()}
    outputs["jobs"] = Output(0, "", "")  # none had run there
    outputs |= {probe.replace("_", "-"): answer for probe, answer in changed.items()}
    assert outputs.keys() == {probe.name for probe in ASKED.probes} - YOUNGER
    return assemble(ASKED, "node1", outputs, batch["sent_at"], batch["received_at"])


@pytest.mark.parametrize("name", ["debian12-blank", "debian12-bricks"])
def test_everything_of_a_real_host_is_known(name: str) -> None:
    facts = load(name)
    # A glusterd that does not run cannot tell its peers.
    unknown = {name for name in FACTS if isinstance(fact_of(facts, name), Unknown)}
    assert unknown <= {"peers"}
    assert facts.files.keys() == set(ASKED.files)
    assert not any(isinstance(file, Unknown) for file in facts.files.values())
    assert isinstance(facts.os, Known)
    assert (facts.os.value.id, facts.os.value.version) == ("debian", "12")
    assert isinstance(facts.time, Known)
    assert abs(facts.time.value.offset_seconds or 99) - facts.time.value.uncertainty_seconds < 1
    assert facts.root_writable == Known(True)
    assert facts.firewall == Absent()
    assert facts.package_lock == Known("")
    assert facts.reloads == Known(frozenset())


def test_disks_of_every_sort_on_a_blank_host() -> None:
    facts = load("debian12-blank")
    assert isinstance(facts.disks, Known)
    found = {disk.path: (disk.findings, disk.ids[0] if disk.ids else "") for disk in facts.disks.value}
    assert found == EXPECTED_BLANK


NVME = "nvme-nvme.1b36-4c41423146415354-51454d55204e564d65204374726c-00000001"
TABLE = ("partition table gpt", "partition table PMBR")
LVM = ("in use by foreign-data (lvm)", "LVM2_member signature", "LVM volume group foreign")
EXPECTED_BLANK: dict[str, tuple[tuple[str, ...], str]] = {
    "/dev/sda": ((), "wwn-0x5000c50012f54618"),
    "/dev/sdb": (LVM, "wwn-0x5000c5009d14c664"),
    "/dev/sdc": (("crypto_LUKS signature",), "wwn-0x5000c5007915a16c"),
    "/dev/sdd": ((*TABLE, "partition sdd1", "partition sdd2"), "wwn-0x5000c500a4c0abff"),
    "/dev/sde": (("linux_raid_member signature",), "wwn-0x5000c5000e43dcf3"),
    "/dev/vda": (("mounted at /", *TABLE, "partition vda1"), "virtio-LAB-OS"),
    "/dev/vdb": ((), "pci-0000:00:10.0"),
    "/dev/nvme0n1": ((), NVME),
}


def test_bricks_on_a_host_that_has_them() -> None:
    facts = load("debian12-bricks")
    assert isinstance(facts.disks, Known)
    assert {d.volume_group for d in facts.disks.value if d.volume_group} == {"vgdisk1", "vgdisk2", "vgdisk3"}
    assert isinstance(facts.logical_volumes, Known)
    shown = {(v.group, v.name): v for v in facts.logical_volumes.value}
    engine, share, pool = (shown[k] for k in (("vgdisk1", "engine"), ("vgdisk2", "share"), ("vgdisk2", "lvthinpool")))
    assert engine == LogicalVolume("vgdisk1", "engine", 2 * 2**30, filesystem=Known("xfs"), attributes="-wi-ao----")
    assert (share.pool, share.size, share.active, share.filesystem) == ("lvthinpool", 3 * 2**30, True, Known("xfs"))
    assert pool.is_pool
    assert pool.metadata_size == 16 * 2**20
    assert pool.data_percent is not None
    assert isinstance(facts.mounts, Known)
    sources = {m.target: m.source for m in facts.mounts.value if m.target.startswith("/gluster_bricks/")}
    assert sources["/gluster_bricks/engine"] == "/dev/mapper/vgdisk1-engine"
    assert isinstance(facts.services, Known)
    assert facts.services.value["gluster_bricks-engine.mount"].enabled == "enabled"
    bricks = facts[BRICK_FOLDERS]
    assert isinstance(bricks, Known)
    assert bricks.value["/gluster_bricks/engine/brick1/brick"].empty


EL9_FILES = {
    "/etc/os-release": 'NAME="CentOS Stream"\nVERSION_ID="9"\nID="centos"\nPRETTY_NAME="CentOS Stream 9"\n',
    "/etc/lvm/devices/system.devices": "VERSION=1.1.2\nIDTYPE=sys_wwid IDNAME=naa.5000 DEVNAME=/dev/sda PVID=AbCd\n",
    "/sys/fs/selinux/enforce": "1",
}


def test_the_same_host_with_what_el9_answers() -> None:
    """By hand, from the formats of rule:lsblk-output and rule:lvm-report: no EL host could be recorded."""
    modes = "".join(f"0644 fd00:{n} {path}\n" for n, path in enumerate(EL9_FILES))
    sums = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {path}\n" for path, text in EL9_FILES.items())
    lines = "".join(f"{path}:{line}\n" for path, text in EL9_FILES.items() for line in text.splitlines())
    gone = "".join(f"stat: cannot statx '{p}': No such file or directory\n" for p in ASKED.files if p not in EL9_FILES)
    zones = "public (active)\n  target: default\n  interfaces: eth0\n  services: ssh\n  ports: \n"
    facts = load(
        "debian12-bricks",
        dpkg=Output(127, "", "timeout: failed to run command 'dpkg-query': No such file or directory\n"),
        rpm=Output(2, "glusterfs-server\t11.1-1.el9s\tinstalled\npackage attr is not installed\n", ""),
        firewall_zones=Output(0, zones, ""),
        firewall_default=Output(0, "public\n", ""),
        file_modes=Output(1, modes, gone),
        file_sums=Output(1, sums, ""),
        file_lines=Output(2, lines, ""),
    )
    assert isinstance(facts.os, Known)
    assert profile_of(facts.os.value) is EL_9
    assert facts.packages == Known({"glusterfs-server": "11.1-1.el9s"})
    assert facts.selinux == Known("enforcing")
    assert isinstance(facts.firewall, Known)
    assert [(z.name, z.default, z.services) for z in facts.firewall.value] == [("public", True, frozenset({"ssh"}))]
    # Three brick disks are physical volumes, and none of them is in the devices file.
    assert {v.group for v in hidden_volumes(facts)} == {"vgdisk1", "vgdisk2", "vgdisk3", ""}
    assert facts.files["/etc/hosts"] == Absent()

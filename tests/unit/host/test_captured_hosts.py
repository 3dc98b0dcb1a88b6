"""Answers of real hosts, recorded as they came: what the parsers make of a whole batch."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from heretic.domain.commands import Output
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.disks.hidden import hidden_volumes
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.host.assemble import assemble
from heretic.domain.host.facts import HostFacts, LogicalVolume
from heretic.domain.host.profiles import EL_9, Family, Profile, profile_of
from heretic.domain.jobs import Succeeded
from heretic.domain.pool.member import MEMBER
from heretic.domain.shares.feature import FILE_SERVER, NFS_SERVER
from lab.platforms import DEBIAN_13, PLATFORMS
from sim.asked import ASKED, FACTS, fact_of

DATA = Path(__file__).parents[2] / "data" / "probes"

YOUNGER = {
    "debian12": {"sequence", "jobs", "cables", "link-files"},
    "debian13": {"cables", "link-files"},
}
"""Questions that are asked only since the answers of a platform were captured."""

OF_FILE_SERVERS = {
    *FILE_SERVER.packages[Family.DEBIAN],
    *NFS_SERVER.packages[Family.DEBIAN],
    "samba-vfs-glusterfs",
}
"""Packages of a role that no captured host had: their versions are from the platform's archive."""


def captured(name: str) -> dict[str, Any]:
    batch: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return batch


def outputs(name: str) -> dict[str, Output]:
    return {probe: Output(*answer) for probe, answer in captured(name)["outputs"].items()}


def load(name: str, **changed: Output) -> HostFacts:
    batch, answers = captured(name), outputs(name)
    younger = YOUNGER[name.partition("-")[0]]
    assert answers.keys() == {probe.name for probe in ASKED.probes} - younger
    if "jobs" in younger:
        answers["jobs"] = Output(0, "", "")  # none had run there
    answers |= {probe.replace("_", "-"): answer for probe, answer in changed.items()}
    return assemble(ASKED, "node1", answers, batch["sent_at"], batch["received_at"])


@pytest.mark.parametrize("name", sorted(file.stem for file in DATA.glob("*.json")))
def test_everything_of_a_real_host_is_known(name: str) -> None:
    facts = load(name)
    platform = PLATFORMS[name.partition("-")[0]]
    # A glusterd that does not run cannot tell its peers.
    unknown = {name for name in FACTS if isinstance(fact_of(facts, name), Unknown)}
    assert unknown <= {"peers"}
    assert facts.files.keys() == set(ASKED.files)
    assert not any(isinstance(file, Unknown) for file in facts.files.values())
    assert isinstance(facts.os, Known)
    assert (facts.os.value.id, facts.os.value.version) == ("debian", platform.version)
    assert facts.os.value.name == platform.pretty_name
    profile = profile_of(facts.os.value)
    assert isinstance(profile, Profile)
    assert profile.name == platform.name
    assert isinstance(facts.time, Known)
    assert abs(facts.time.value.offset_seconds or 99) - facts.time.value.uncertainty_seconds < 1
    assert facts.root_writable == Known(True)
    assert facts.firewall == Absent()
    assert facts.package_lock == Known("")
    assert facts.reloads == Known(frozenset())


@pytest.mark.parametrize("platform", PLATFORMS)
def test_disks_of_every_sort_on_a_blank_host(platform: str) -> None:
    facts = load(f"{platform}-blank")
    assert isinstance(facts.disks, Known)
    found = {disk.ids[0]: (disk.path.removeprefix("/dev/"), disk.findings) for disk in facts.disks.value}
    expected = {id_: tuple(text.format(disk=found[id_][0]) for text in texts) for id_, texts in FINDINGS.items()}
    assert {id_: findings for id_, (_, findings) in found.items()} == expected


TABLE = ("partition table gpt", "partition table PMBR")
LVM = ("in use by foreign-data (lvm)", "LVM2_member signature", "LVM volume group foreign")
FINDINGS: dict[str, tuple[str, ...]] = {
    "wwn-0x5000c50012f54618": (),
    "wwn-0x5000c5009d14c664": LVM,
    "wwn-0x5000c5007915a16c": ("crypto_LUKS signature",),
    "wwn-0x5000c500a4c0abff": (*TABLE, "partition {disk}1", "partition {disk}2"),
    "wwn-0x5000c5000e43dcf3": ("linux_raid_member signature",),
    "virtio-LAB-OS": ("mounted at /", *TABLE, "partition {disk}1"),
    "pci-0000:00:10.0": (),
    "nvme-nvme.1b36-4c41423146415354-51454d55204e564d65204374726c-00000001": (),
}
"""What is found on each disk, by its id: Linux 6.12 gave them names in another order than that of the cables."""


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_captured_host_tells_the_versions_that_its_simulated_twin_has(platform: str) -> None:
    """A simulated host that runs other versions than a real one proves less than it says."""
    facts = load(f"{platform}-bricks")
    assert isinstance(facts.packages, Known)
    assert isinstance(facts.os, Known)
    twin = PLATFORMS[platform]
    installed = {name: version for name, version in twin.packages.items() if name not in OF_FILE_SERVERS}
    assert {name: facts.packages.value.get(name) for name in installed} == installed
    assert facts.os.value.kernel == twin.kernel
    assert ("log" in json.loads(outputs(f"{platform}-bricks")["lvm"].stdout)) is twin.lvm_log


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


def test_bricks_on_a_debian_13_host_that_has_them() -> None:
    """Node2 of the demo: engine thick and vmstore thin on the solid disk, lock thick and share thin on the other."""
    facts = load("debian13-bricks")
    assert isinstance(facts.disks, Known)
    assert {d.ids[0]: (d.volume_group, d.findings == ("ext4 filesystem",)) for d in facts.disks.value[:3]} == {
        "wwn-0x5000c500f8f732fe": ("vgdisk2", False),
        "wwn-0x5000c500fb8faa9a": ("", True),
        "wwn-0x5000c500d69748ee": ("vgdisk1", False),
    }
    assert isinstance(facts.logical_volumes, Known)
    shown = {f"{v.group}/{v.name}": (v.attributes, v.pool, v.size // 2**30) for v in facts.logical_volumes.value}
    assert shown == {
        "vgdisk1/engine": ("-wi-ao----", "", 20),
        "vgdisk1/lvthinpool": ("twi-aot---", "", 40),
        "vgdisk1/vmstore": ("Vwi-aot---", "lvthinpool", 40),
        "vgdisk2/lock": ("-wi-ao----", "", 1),
        "vgdisk2/lvthinpool": ("twi-aot---", "", 30),
        "vgdisk2/share": ("Vwi-aot---", "lvthinpool", 30),
    }
    assert all(v.filesystem == Known("xfs") and v.filesystem_uuid for v in facts.logical_volumes.value if not v.is_pool)
    assert isinstance(facts.services, Known)
    running = {
        name: (unit.active, unit.enabled) for name, unit in facts.services.value.items() if unit.active == "active"
    }
    mounts = [f"gluster_bricks-{name}.mount" for name in ("engine", "lock", "share", "vmstore")]
    assert running == dict.fromkeys(["chrony.service", "glusterd.service", *mounts], ("active", "enabled"))
    bricks = facts[BRICK_FOLDERS]
    assert isinstance(bricks, Known)
    empty = {path.split("/")[2]: folder.empty for path, folder in bricks.value.items()}
    assert empty == {"engine": False, "lock": True, "share": False, "vmstore": False}, "lock was being made"


def test_what_a_debian_13_host_tells_beside_its_disks() -> None:
    facts = load("debian13-bricks")
    assert isinstance(facts.jobs, Known)
    assert facts.jobs.value["heretic-packages.service"] == Succeeded(seconds=889.0)
    assert isinstance(facts.disk_signs, Known)
    # Sequence numbers of the kernel, which tell a disk that was away from one that stayed.
    assert {path: signs[0] for path, signs in facts.disk_signs.value.items()} == {
        "/dev/sda": "10",
        "/dev/sdb": "11",
        "/dev/sdc": "12",
        "/dev/vda": "1",
    }
    member = facts[MEMBER]
    assert isinstance(member.peers, Known)
    names = {peer.hostnames[0] for peer in member.peers.value}
    assert names == {"node1.gluster.private", "node3.gluster.private"}
    assert member.op_version == Known(DEBIAN_13.operating_version)


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

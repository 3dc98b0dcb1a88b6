"""Sites that oVirt's wizard, HVP or a person laid out: what their hosts and their trusted pool say."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from heretic.api.v1alpha1 import GlusterVolume, Mode, Resource, Site
from heretic.api.v1alpha1.common import StoredCondition
from heretic.cli.adopted import FoundSite, manifests
from heretic.domain.conditions import Condition, ConditionType, State, merge
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.facts import Fact, Known
from heretic.domain.gluster.report import report_volume
from heretic.domain.host.facts import (
    Cpu,
    Disk,
    FileContent,
    HostFacts,
    LogicalVolume,
    Mount,
    OperatingSystem,
    PhysicalVolume,
    TimeSync,
    VolumeGroup,
)
from heretic.domain.host.interfaces import Interface
from heretic.domain.node.report import report_node
from heretic.domain.plan import Converged
from heretic.domain.pool.facts import (
    Brick,
    BrickState,
    HealSummary,
    PoolFacts,
    VolumeInfo,
    VolumeState,
    VolumeStatus,
)
from heretic.domain.pool.member import MEMBER, Member
from heretic.domain.pool.parse.peers import Peer
from heretic.domain.report import Outcome, Report, common_conditions
from heretic.domain.site.report import report_site
from heretic.kinds import KINDS

GIB, MIB = 2**30, 2**20
NUMBERS = (1, 2, 3)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJlgpPgFxcZQxs8pTt2ca/oH18wooR7Prj1DY4mD/6DR"
ROOT = Mount("/", "/dev/mapper/onn-root", "xfs", ("rw",))
SYSTEM = Disk(
    "/dev/sda",
    ("wwn-system",),
    120 * GIB,
    False,
    512,
    findings=("mounted at /", "in use by onn-root (lvm)", "partition table gpt"),
    in_use=True,
    below=("/dev/sda2", "/dev/mapper/onn-root"),
    mounted=("/",),
)


def disk(name: str, *devices: str, mark: str = "LVM2_member signature", group: str = "", sector: int = 512) -> Disk:
    """A data disk with something on it."""
    used = tuple(f"in use by {d.rpartition('/')[2]} (lvm)" for d in devices)
    return Disk(
        f"/dev/{name}",
        (f"wwn-{name}",),
        1000 * GIB,
        True,
        sector,
        findings=(*used, mark),
        volume_group=group,
        in_use=bool(used),
        below=devices,
    )


def mount(target: str, source: str, kind: str = "xfs") -> Mount:
    return Mount(target, source, kind, ("rw",))


def thin_pool(group: str, name: str, data: float = 40.0, attributes: str = "twi-aot---", **more: Any) -> LogicalVolume:
    return LogicalVolume(
        group, name, 850 * GIB, is_pool=True, data_percent=data, metadata_percent=9.0, attributes=attributes, **more
    )


def thin(group: str, name: str, pool: str, size: int = 500 * GIB) -> LogicalVolume:
    return LogicalVolume(group, name, size, pool=pool, attributes="Vwi-aot---", filesystem=Known("xfs"))


def thick(group: str, name: str, attributes: str = "-wi-ao----", **more: Any) -> LogicalVolume:
    return LogicalVolume(group, name, 100 * GIB, attributes=attributes, filesystem=Known("xfs"), **more)


@dataclass(frozen=True)
class Layout:
    """One host's storage, the same on all three."""

    disks: tuple[Disk, ...]
    mounts: tuple[Mount, ...]
    volumes: tuple[LogicalVolume, ...] = ()
    groups: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(
        default_factory=lambda: {"engine": "/gluster_bricks/engine/engine", "data": "/gluster_bricks/data/data"}
    )
    named: tuple[str, ...] = ("wwn-sdb",)
    capacity: State = State.TRUE
    told: str = ""


VG, POOL = "gluster_vg_sdb", "gluster_thinpool_gluster_vg_sdb"
ENGINE, DATA = f"/dev/mapper/{VG}-gluster_lv_engine", f"/dev/mapper/{VG}-gluster_lv_data"
MOUNTS = (ROOT, mount("/gluster_bricks/engine", ENGINE), mount("/gluster_bricks/data", DATA))
SDB = disk("sdb", ENGINE, DATA, group=VG)
WIZARD = (thick(VG, "gluster_lv_engine"), thin_pool(VG, POOL), thin(VG, "gluster_lv_data", POOL))
WHOLE = {"engine": "/srv/engine/brick", "data": "/srv/data/brick"}
LAYOUTS: dict[str, Layout] = {
    "the wizard's": Layout((SYSTEM, SDB), MOUNTS, WIZARD, (VG,)),
    "the wizard's, nearly full": Layout(
        (SYSTEM, SDB),
        MOUNTS,
        (WIZARD[0], thin_pool(VG, POOL, 87.0), WIZARD[2]),
        (VG,),
        capacity=State.FALSE,
        told=f"thin pool {VG}/{POOL} on host1 is 87 % full",
    ),
    "the wizard's, in need of repair": Layout(
        (SYSTEM, SDB),
        MOUNTS,
        (WIZARD[0], thin_pool(VG, POOL, attributes="twi-cotzM-"), WIZARD[2]),
        (VG,),
        capacity=State.FALSE,
        told="lvconvert --repair",
    ),
    "the wizard's, over-committed": Layout(
        (SYSTEM, SDB),
        MOUNTS,
        (*WIZARD, thin(VG, "snap", POOL)),
        (VG,),
        capacity=State.FALSE,
        told="1000Gi are promised of its 850Gi (1.18)",
    ),
    "a thin pool whose data is cached, on two disks": Layout(
        (SYSTEM, disk("sdb", ENGINE, DATA), disk("sdc", DATA)),
        MOUNTS,
        (WIZARD[0], thin_pool(VG, POOL, data=41.0, layout=("thin", "pool")), WIZARD[2]),
        (VG,),
        named=("wwn-sdb", "wwn-sdc"),
    ),
    "two groups": Layout(
        (SYSTEM, disk("sdb", ENGINE, group=VG), disk("sdc", "/dev/mapper/gluster_vg_sdc-lv", group="gluster_vg_sdc")),
        (ROOT, MOUNTS[1], mount("/gluster_bricks/data", "/dev/mapper/gluster_vg_sdc-lv")),
        (WIZARD[0], thin_pool("gluster_vg_sdc", "p", 90.0), thin("gluster_vg_sdc", "lv", "p")),
        (VG, "gluster_vg_sdc"),
        named=("wwn-sdb", "wwn-sdc"),
        capacity=State.FALSE,
        told="gluster_vg_sdc/p on host1",
    ),
    "thick volumes only": Layout(
        (SYSTEM, SDB), MOUNTS, (thick(VG, "gluster_lv_engine"), thick(VG, "gluster_lv_data")), (VG,), told="thick"
    ),
    "a cached volume whose cache is full": Layout(
        (SYSTEM, SDB),
        MOUNTS,
        (thick(VG, "gluster_lv_engine"), thick(VG, "gluster_lv_data", "Cwi-aoC---", data_percent=100.0)),
        (VG,),
        told="thick",
    ),
    "a cached volume whose cache failed": Layout(
        (SYSTEM, SDB),
        MOUNTS,
        (thick(VG, "gluster_lv_engine"), thick(VG, "gluster_lv_data", "Cwi-aoC-F-")),
        (VG,),
        capacity=State.FALSE,
        told="has failed",
    ),
    "VDO": Layout(
        (SYSTEM, SDB),
        MOUNTS,
        (
            thick(VG, "gluster_lv_engine"),
            LogicalVolume(VG, "vpool0", 850 * GIB, attributes="dwi-ao----", data_percent=91.0),
            LogicalVolume(VG, "gluster_lv_data", 5000 * GIB, pool="vpool0", attributes="vwi-aov---"),
        ),
        (VG,),
        capacity=State.FALSE,
        told=f"VDO pool {VG}/vpool0 on host1 is 91 % full",
    ),
    "VDO below a thin pool": Layout(
        (SYSTEM, SDB),
        MOUNTS,
        (*WIZARD, LogicalVolume(VG, "vpool0", 850 * GIB, attributes="dwi-ao----", data_percent=91.0)),
        (VG,),
        capacity=State.FALSE,
        told="vpool0",
    ),
    "RAID": Layout(
        (SYSTEM, disk("sdb", DATA), disk("sdc", DATA, ENGINE)),
        MOUNTS,
        (thick(VG, "gluster_lv_engine", "rwi-aor-r-"), thick(VG, "gluster_lv_data", "rwi-aor---")),
        (VG,),
        named=("wwn-sdb", "wwn-sdc"),
    ),
    "XFS on the whole disk, elsewhere": Layout(
        (SYSTEM, replace(disk("sdb", mark="xfs filesystem"), in_use=True)),
        (ROOT, mount("/srv", "/dev/sdb")),
        paths=WHOLE,
        told="thick",
    ),
    "a partition": Layout(
        (SYSTEM, disk("sdb", "/dev/sdb1", mark="partition table gpt")),
        (ROOT, mount("/gluster_bricks", "/dev/sdb1"), mount("/gluster_bricks/data", "/dev/sdb1[/data]")),
        told="thick",
    ),
    "ZFS": Layout(
        (SYSTEM, disk("sdb", mark="zfs_member signature")),
        (
            ROOT,
            mount("/gluster_bricks/engine", "tank/engine", "zfs"),
            mount("/gluster_bricks/data", "tank/data", "zfs"),
        ),
        told="thick",
    ),
    "ZFS, elsewhere": Layout(
        (SYSTEM, disk("sdb", mark="zfs_member signature")),
        (ROOT, mount("/tank/engine", "tank/engine", "zfs"), mount("/tank/data", "tank/data", "zfs")),
        paths={"engine": "/tank/engine/brick", "data": "/tank/data/brick"},
        told="thick",
    ),
    "several volumes in one": Layout(
        (SYSTEM, disk("sdb", DATA, group=VG)),
        (ROOT, mount("/bricks", DATA)),
        WIZARD[1:],
        (VG,),
        paths={"engine": "/bricks/engine", "data": "/bricks/data"},
    ),
    "disks of different sectors": Layout(
        (SYSTEM, disk("sdb", ENGINE, group=VG), disk("sdc", DATA, group="other", sector=4096)),
        MOUNTS,
        WIZARD,
        (VG,),
        named=("wwn-sdb", "wwn-sdc"),
    ),
    "on the system disk": Layout(
        (replace(SYSTEM, below=(*SYSTEM.below, ENGINE, DATA)),), MOUNTS, WIZARD, (VG,), named=()
    ),
}


def uuid(number: int) -> str:
    return f"0000000{number}-0000-4000-8000-000000000000"


def host(number: int, layout: Layout) -> HostFacts:
    names = "".join(f"192.0.2.1{n} host{n}.stor.example\n" for n in NUMBERS)
    return HostFacts(
        f"host{number}",
        os=Known(OperatingSystem("centos", "9", "oVirt Node 4.5.5", "5.14")),
        cpu=Known(Cpu("GenuineIntel", "x", 16)),
        memory_bytes=Known(64 * GIB),
        disks=Known(layout.disks),
        physical_volumes=Known(
            tuple(PhysicalVolume(d.path, d.volume_group, f"pv{d.path}") for d in layout.disks if d.volume_group)
        ),
        volume_groups=Known(tuple(VolumeGroup(g, 1000 * GIB, 20 * GIB, 4 * MIB) for g in layout.groups)),
        logical_volumes=Known(layout.volumes),
        mounts=Known(layout.mounts),
        interfaces=Known(
            (
                Interface("ovirtmgmt", "", "bridge", True, 1500, addresses=(f"198.51.100.1{number}/24",)),
                Interface("ens4", "", "ether", True, 9000, addresses=(f"192.0.2.1{number}/24",)),
            )
        ),
        sections={
            BRICK_FOLDERS.name: Known({}),
            MEMBER.name: Member(
                uuid=Known(uuid(number)),
                peers=Known(
                    tuple(
                        Peer(uuid(n), (f"host{n}.stor.example",), True, "Peer in Cluster")
                        for n in NUMBERS
                        if n != number
                    )
                ),
            ),
        },
        files={"/etc/hosts": Known(FileContent(names, "0" * 64, "0644"))},
        time=Known(TimeSync(True, 0.0)),
        root_writable=Known(True),
        root_free_bytes=Known(10 * GIB),
        packages=Known({"glusterfs-server": "11.1-1.el9s"}),
        services=Known({}),
    )


def pool_of(layout: Layout) -> PoolFacts:
    options = {"features.shard": "enable", "storage.owner-uid": "36", "storage.owner-gid": "36"}

    def info(name: str) -> VolumeInfo:
        bricks = tuple(
            Brick(f"host{n}.stor.example", layout.paths[name], uuid(n), name == "data" and n == 3) for n in NUMBERS
        )
        return VolumeInfo(name, f"id-{name}", VolumeState.STARTED, 3, int(name == "data"), bricks, options)

    infos = {name: info(name) for name in layout.paths}
    keys = {v: [f"{b.host}:{b.path}" for b in i.bricks] for v, i in infos.items()}
    up = BrickState(True, 100, 500 * GIB, 100 * GIB)
    return PoolFacts(
        "host1",
        volumes=Known(infos),
        status={
            v: Known(VolumeStatus(dict.fromkeys(k, up), {f"host{n}": True for n in NUMBERS})) for v, k in keys.items()
        },
        heal={v: Known(HealSummary(dict.fromkeys(k, Known(0)), dict.fromkeys(k, Known(0)))) for v, k in keys.items()},
    )


@dataclass
class Adopted:
    """A site as ``heretic adopt`` declares it, and as passes see it."""

    view: SiteView
    hosts: dict[str, HostFacts]
    pool: Fact[PoolFacts]
    said: dict[str, Report] = field(default_factory=dict)

    def passes(self, count: int, *, volumes: bool = True) -> None:
        for _ in range(count):
            for name, node in self.view.nodes.items():
                report = self.said[name] = report_node(node, self.view, self.hosts[name], KINDS.features)
                self.view = self.view.having(stored(node, report))
            site = next(iter(self.view.of(Site).values()))
            report = self.said["site"] = report_site(site, self.view, self.hosts)
            self.view = self.view.having(stored(site, report))
            for name, volume in self.view.of(GlusterVolume).items() if volumes else ():
                report = report_volume(volume, self.view, self.hosts, self.pool)
                self.said[name] = report
                self.view = self.view.having(stored(volume, report))

    def condition(self, name: str, kind: ConditionType) -> Condition:
        return next(c for c in self.said[name].conditions if c.type is kind)


def stored(held: Any, report: Report) -> Any:
    found = merge([], common_conditions(report, Outcome(Converged(""))), generation=1, now="2026-01-01T00:00:00Z")
    conditions = [StoredCondition.model_validate(c) for c in found]
    return held.model_copy(update={"status": report.status.model_copy(update={"conditions": conditions})})


def adopted(layout: Layout, mode: Mode | None = None) -> Adopted:
    """Adopts a site; with ``mode`` a person changes the mode of all of it."""
    hosts = {f"host{n}": host(n, layout) for n in NUMBERS}
    ips = {name: f"198.51.100.1{name[-1]}" for name in hosts}
    found = FoundSite("site", "", "root", 22, ips, {}, ips, dict.fromkeys(hosts, KEY), hosts, pool_of(layout))
    made, left_out = manifests(found)
    assert not left_out
    objects: list[Resource] = []
    for manifest in made:
        obj = dict(manifest.object)
        obj["metadata"] = {**obj["metadata"], "uid": "u", "generation": 1}
        if mode and obj["kind"] == "Site":
            obj["spec"] = obj["spec"] | {"mode": mode.value}
        objects.append(KINDS.parse(obj["kind"], obj))
    return Adopted(SiteView.holding(objects), hosts, Known(pool_of(layout)))


every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))

"""One brick on one host: from nothing to a folder that Gluster may use, and everything that may be in its place."""

from dataclasses import replace
from typing import Any

import pytest

from heretic.domain.disks.brick import BrickSpec
from heretic.domain.disks.brick_folders import BRICK_FOLDERS, BrickDirectory
from heretic.domain.disks.growth import plan_growth
from heretic.domain.disks.plan import plan_brick
from heretic.domain.disks.space import metadata_volume_bytes
from heretic.domain.disks.steps import ExtendThinPool, MakeFilesystem
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.gluster.placement import Placement, place, thin_bricks
from heretic.domain.host import profiles
from heretic.domain.host.facts import (
    FileContent,
    HostFacts,
    LogicalVolume,
    Mount,
    OperatingSystem,
    PhysicalVolume,
    Service,
    TimeSync,
    VolumeGroup,
)
from heretic.domain.plan import Blocked, Risk, Wait
from sim.asked import but
from sim.block_devices import GIB, MIB
from sim.host_tools import storage_machine
from sim.one_host import KilledError, MortalMachine, OneHost, site_resource, volume_resource

VOLUMES = (volume_resource("engine", "Engine", "20Gi"), volume_resource("vmstore", "VirtualMachines", "40Gi"))
MAPPER = "/dev/mapper/vgdisk1-vmstore"


def prepared(**more: Any) -> OneHost:
    host = OneHost(site=site_resource({"nodes": ["node1"], "dataDiskCount": 1}), volumes=VOLUMES, **more)
    for _ in range(8):
        host.run_pass()
    return host


def verbs(host: OneHost, volume: str) -> list[str]:
    planned = host.brick_plan(volume)
    assert isinstance(planned, tuple), planned
    return [step.verb for step in planned]


def test_a_thick_brick_and_a_thin_one() -> None:
    host = prepared()
    content = ["MakeFilesystem", "MountBrick", "CreateBrickDirectory"]
    assert verbs(host, "engine") == ["CreateLogicalVolume", *content]
    assert verbs(host, "vmstore") == ["CreateThinPool", "CreateLogicalVolume", *content]
    for name in ("engine", "vmstore"):
        host.brick_pass(name)
        assert verbs(host, name) == []
    storage = host.machine.storage
    assert storage.volumes["vgdisk1", "engine"].pool == ""
    assert storage.volumes["vgdisk1", "vmstore"].pool == "lvthinpool"
    assert storage.folder("/gluster_bricks/vmstore/brick1/brick") is not None
    assert host.machine.refusals == []


def test_every_step_does_nothing_the_second_time() -> None:
    host = prepared()
    for name in ("engine", "vmstore"):
        host.brick_pass(name)
    done = list(host.trace)
    assert len(done) > 12
    for step, _ in done:
        assert host.perform(step) == "unchanged", step
    assert len(host.machine.storage.formatted) == 2


def test_only_making_a_filesystem_is_destructive_and_the_volume_covers_it() -> None:
    planned = prepared().brick_plan("vmstore")
    assert isinstance(planned, tuple)
    destructive = [s for s in planned if s.risk is Risk.DESTRUCTIVE]
    assert [type(s) for s in destructive] == [MakeFilesystem]
    assert not destructive[0].needs_approval


def test_a_host_that_dies_before_any_effect_gets_its_brick_all_the_same() -> None:
    whole = prepared(machine=mortal())
    assert isinstance(whole.machine, MortalMachine)
    first = whole.machine.count
    whole.brick_pass("vmstore")
    effects = whole.machine.count - first
    assert effects == 13
    for moment in range(1, effects + 1):
        host = prepared(machine=mortal())
        assert isinstance(host.machine, MortalMachine)
        host.machine.dies_before = host.machine.count + moment
        with pytest.raises(KilledError):
            host.brick_pass("vmstore")
        host.machine.reboot()
        for _ in range(3):
            host.brick_pass("vmstore")
        assert verbs(host, "vmstore") == [], moment
        assert len(host.machine.storage.formatted) == 1
        assert host.machine.refusals == []


def mortal() -> MortalMachine:
    plain = storage_machine()
    machine = MortalMachine("node1", host=plain.host)
    machine.files, machine.tools, machine.on_boot = plain.files, plain.tools, plain.on_boot
    return machine


def test_a_reboot_mounts_the_brick_again_without_help() -> None:
    host = prepared()
    host.brick_pass("engine")
    host.machine.reboot()
    assert "/gluster_bricks/engine" in host.machine.storage.mounts
    assert verbs(host, "engine") == []


def test_a_mount_that_is_missing_is_made_again_and_nothing_else() -> None:
    host = prepared()
    host.brick_pass("engine")
    host.machine.storage.mounts.clear()
    assert verbs(host, "engine") == ["MountBrick"]
    host.brick_pass("engine")
    assert verbs(host, "engine") == []
    assert len(host.machine.storage.formatted) == 1


def test_a_pool_grows_with_what_is_declared_thin_and_its_metadata_first() -> None:
    host = prepared()
    host.brick_pass("vmstore")
    host.volumes = (*VOLUMES, volume_resource("iso", "ISO", "30Gi"))
    planned = host.brick_plan("iso")
    assert isinstance(planned, tuple)
    first = planned[0]
    assert isinstance(first, ExtendThinPool)
    assert (first.size, first.metadata) == (70 * GIB, metadata_volume_bytes(70 * GIB))
    assert [c.argv[1] for c in first.script().actions] == ["--poolmetadatasize", "--size"]  # type: ignore[union-attr]
    host.brick_pass("iso")
    assert host.machine.storage.volumes["vgdisk1", "lvthinpool"].size == 70 * GIB
    assert verbs(host, "iso") == []
    assert verbs(host, "vmstore") == []


GROW = [("engine", "Engine", "30Gi"), ("vmstore", "VirtualMachines", "60Gi")]


@pytest.mark.parametrize("grown", GROW, ids=["thick", "thin"])
def test_a_brick_grows_with_its_volume_even_when_the_host_dies_in_between(grown: tuple[str, str, str]) -> None:
    whole = grow(grown, 0)
    for moment in range(1, whole + 1):
        assert grow(grown, moment) > 0


def grow(grown: tuple[str, str, str], moment: int) -> int:
    """Grows a brick, with the host dying before an effect; gives the number of effects."""
    host = prepared(machine=mortal())
    assert isinstance(host.machine, MortalMachine)
    for name in ("engine", "vmstore"):
        host.brick_pass(name)
    wanted = volume_resource(*grown)
    host.volumes = tuple(wanted if v.metadata.name == grown[0] else v for v in VOLUMES)
    before = host.machine.count
    host.machine.dies_before = before + moment if moment else 0
    for _ in range(3):
        try:
            host.brick_pass(grown[0])
        except KilledError:
            host.machine.reboot()
    assert verbs(host, grown[0]) == []
    volume = host.machine.storage.volumes["vgdisk1", grown[0]]
    assert volume.filesystem is not None
    assert volume.size == volume.filesystem.size == int(grown[2].removesuffix("Gi")) * GIB
    assert volume.tags == set()
    assert host.machine.refusals == []
    assert len(host.machine.storage.formatted) == 2
    return host.machine.count - before


@pytest.mark.parametrize(("size", "fits"), [(198, True), (199, False)])
def test_what_placement_lets_through_can_be_made_to_the_last_extent(size: int, fits: bool) -> None:
    """On a disk of 200 GiB; the simulated LVM counts pool, metadata and its spare as LVM does."""
    host = OneHost(site=site_resource({"nodes": ["node1"], "dataDiskCount": 1}))
    host.volumes = (volume_resource("vmstore", "VirtualMachines", f"{size}Gi"),)
    for _ in range(8):
        host.run_pass()
    placed = place(host.view)["vmstore"]
    if not fits:
        assert isinstance(placed, Blocked)
        assert placed.reason is Reason.DOES_NOT_FIT
        assert host.machine.storage.groups == {}
        return
    host.brick_pass("vmstore")
    assert verbs(host, "vmstore") == []
    assert {verdict for _, verdict in host.trace} <= {"changed", "started"}


# --- everything that may be in the way, from facts ---

BRICK = BrickSpec("node1", "vmstore", "vgdisk1", "vmstore", 40 * GIB, thin=True)
POOL = LogicalVolume("vgdisk1", "lvthinpool", 40 * GIB, is_pool=True, metadata_size=208 * MIB, attributes="twi-aotz--")
VOLUME = LogicalVolume(
    "vgdisk1", "vmstore", 40 * GIB, pool="lvthinpool", filesystem=Known("xfs"), attributes="Vwi-aotz--"
)
GROUP = VolumeGroup("vgdisk1", 200 * GIB, 100 * GIB, 4 * MIB)
ROOT = Mount("/", "/dev/sda", "ext4", ("rw",))
MOUNTED = Mount(BRICK.mount_point, MAPPER, "xfs", ("rw",))
UNIT = Service("gluster_bricks-vmstore.mount", "loaded", "active", "mounted", "enabled")
FRESH = BrickDirectory(True)

READY = HostFacts(
    host="node1",
    os=Known(OperatingSystem("debian", "12", "Debian 12", "6.1")),
    volume_groups=Known((GROUP,)),
    logical_volumes=Known((POOL, VOLUME)),
    mounts=Known((ROOT, MOUNTED)),
    services=Known({UNIT.name: UNIT}),
    sections={BRICK_FOLDERS.name: Known({BRICK.path: FRESH})},
    time=Known(TimeSync(True, 0.0)),
    root_writable=Known(True),
    root_free_bytes=Known(GIB),
)


def plan(volume_id: str | None = None, **change: Any) -> Any:
    facts = but(READY, **change)
    return plan_brick(facts, BRICK, (BRICK,), volume_id=volume_id) or plan_growth(facts, BRICK, (BRICK,))


def test_a_ready_brick_needs_nothing() -> None:
    assert plan() == ()
    assert plan("") == ()


def volumes(*found: LogicalVolume) -> dict[str, Any]:
    return {"logical_volumes": Known(found)}


ID = "b3114c71-f4a0-40a0-b4f5-a1f6c1f0a0b1"
WRONG: list[tuple[str, dict[str, Any], type[Blocked] | type[Wait], Reason, str]] = [
    ("no group yet", {"volume_groups": Known(())}, Wait, Reason.NODE_NOT_READY, "vgdisk1 is not there yet"),
    (
        "a disk of the group is missing",
        {"volume_groups": Known((replace(GROUP, complete=False),))},
        Blocked,
        Reason.DISK_NOT_FOUND,
        "a disk of volume group vgdisk1 is missing",
    ),
    (
        "foreign filesystem on the volume",
        {**volumes(POOL, replace(VOLUME, filesystem=Known("ext4"))), "mounts": Known((ROOT,))},
        Blocked,
        Reason.FOREIGN_SIGNATURE,
        "/dev/vgdisk1/vmstore carries ext4",
    ),
    (
        "a pool of the brick's name",
        volumes(POOL, replace(VOLUME, is_pool=True)),
        Blocked,
        Reason.IMMUTABLE_DIFFERENCE,
        "is a thin pool",
    ),
    (
        "a plain volume of the pool's name",
        volumes(replace(POOL, is_pool=False)),
        Blocked,
        Reason.IMMUTABLE_DIFFERENCE,
        "lvthinpool is no thin pool",
    ),
    (
        "something else mounted there",
        {"mounts": Known((ROOT, replace(MOUNTED, source="/dev/sdc1")))},
        Blocked,
        Reason.DISK_IN_USE,
        "/dev/sdc1 (xfs) is mounted at /gluster_bricks/vmstore",
    ),
    (
        "mounted elsewhere",
        {"mounts": Known((ROOT, replace(MOUNTED, target="/mnt")))},
        Blocked,
        Reason.DISK_IN_USE,
        "is mounted at /mnt instead",
    ),
    (
        "no room for the volume",
        {"volume_groups": Known((replace(GROUP, free=GIB),)), **volumes()},
        Blocked,
        Reason.DOES_NOT_FIT,
        "1Gi of 200Gi are free",
    ),
    (
        "no room to grow",
        {
            "volume_groups": Known((replace(GROUP, free=GIB),)),
            **volumes(POOL, replace(VOLUME, pool="", size=30 * GIB)),
        },
        Blocked,
        Reason.DOES_NOT_FIT,
        "needs 10Gi of volume group vgdisk1",
    ),
    ("clock", {"time": Known(TimeSync(True, -700.0))}, Blocked, Reason.CLOCK_SKEWED, "700 s behind"),
    ("read-only root", {"root_writable": Known(False)}, Blocked, Reason.READ_ONLY_ROOT, "read-only"),
    ("full disk", {"root_free_bytes": Known(5)}, Blocked, Reason.DISK_FULL, "free on /"),
    (
        "filesystem not known",
        volumes(POOL, replace(VOLUME, filesystem=Unknown("no device"))),
        Wait,
        Reason.NOT_OBSERVED,
        "no device",
    ),
    (
        "hidden by the devices file",
        {
            "physical_volumes": Known((PhysicalVolume("/dev/sdb", "vgdisk1", "a-b"),)),
            "files": {profiles.LVM_DEVICES_FILE: Known(FileContent("PVID=cd\n", "", "0600"))},
        },
        Wait,
        Reason.NODE_NOT_READY,
        "LVM's devices file hides /dev/sdb",
    ),
]


@pytest.mark.parametrize(("change", "kind", "reason", "text"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_in_the_way(change: dict[str, Any], kind: type[Blocked] | type[Wait], reason: Reason, text: str) -> None:
    said = plan(**change)
    assert isinstance(said, kind)
    assert said.reason is reason
    assert text in said.message
    assert said.message.startswith("node1: ")


CONTENT = [
    ("new volume, empty folder", "", FRESH, True),
    ("new volume, folder of another", "", BrickDirectory(True, ID, False), False),
    ("new volume, files in the folder", "", BrickDirectory(True, "", False), False),
    ("its own folder", ID, BrickDirectory(True, ID, False), True),
    ("another volume's folder", "0" * 36, BrickDirectory(True, ID, False), False),
    ("files without a volume", ID, BrickDirectory(True, "", False), False),
    ("not to be looked at", None, BrickDirectory(True, ID, False), True),
]


@pytest.mark.parametrize(("volume_id", "folder", "good"), [c[1:] for c in CONTENT], ids=[c[0] for c in CONTENT])
def test_content_of_the_folder(volume_id: str | None, folder: BrickDirectory, good: bool) -> None:
    said = plan(volume_id, bricks=Known({BRICK.path: folder}))
    if good:
        assert said == ()
    else:
        assert isinstance(said, Blocked)
        assert said.reason is Reason.BRICK_NOT_EMPTY


@pytest.mark.parametrize(
    "name",
    ["volume_groups", "logical_volumes", "mounts", "services", "bricks", "time", "root_writable", "root_free_bytes"],
)
def test_an_unknown_fact_is_waited_for(name: str) -> None:
    change: dict[str, Any] = {name: Unknown("it hangs")}
    said = plan(**change)
    assert isinstance(said, Wait)
    assert "it hangs" in said.message


def step_verbs(said: Any) -> list[str]:
    assert isinstance(said, tuple), said
    return [s.verb for s in said]


def test_states_in_between() -> None:
    nothing: dict[str, Any] = {"mounts": Known((ROOT,)), "bricks": Known({}), "services": Known({})}
    assert step_verbs(plan(**nothing)) == ["MountBrick"]
    assert step_verbs(plan(**nothing | volumes(POOL, replace(VOLUME, filesystem=Known(""))))) == [
        "MakeFilesystem",
        "MountBrick",
        "CreateBrickDirectory",
    ]
    assert step_verbs(plan(**nothing | volumes(POOL, replace(VOLUME, active=False)))) == ["ActivateLogicalVolume"]
    assert step_verbs(plan(bricks=Known({}))) == ["CreateBrickDirectory"]
    assert step_verbs(plan(services=Known({}))) == ["MountBrick"]


def test_a_mounted_brick_is_never_formatted_although_udev_lags_behind() -> None:
    assert plan(**volumes(POOL, replace(VOLUME, filesystem=Known("")))) == ()


def test_a_mount_of_fstab_is_as_good_as_ours() -> None:
    assert plan(services=Known({UNIT.name: replace(UNIT, enabled="generated")})) == ()


@pytest.mark.parametrize(
    ("system", "selinux", "labelled"),
    [
        (("centos", "9"), "enforcing", True),
        (("centos", "9"), "permissive", True),
        (("centos", "9"), "disabled", False),
        (("debian", "12"), "permissive", False),
    ],
)
def test_labels_only_where_the_platform_has_them(system: tuple[str, str], selinux: str, labelled: bool) -> None:
    os = OperatingSystem(*system, name="x", kernel="6")
    (step,) = plan(os=Known(os), selinux=Known(selinux), bricks=Known({}))
    programs = [action.argv[0] for action in step.script().actions]
    assert programs == (["restorecon", "install"] if labelled else ["install"])


def test_an_adopted_brick_in_another_pool_needs_no_pool_of_ours() -> None:
    elsewhere = replace(VOLUME, pool="theirs")
    assert plan(**volumes(elsewhere)) == ()
    small = plan(**volumes(replace(elsewhere, size=30 * GIB)))
    assert isinstance(small, Blocked)
    assert "lvextend --resizefs --size 42949672960b vgdisk1/vmstore" in small.message


def test_placement_and_brick_plan_name_the_same_things() -> None:
    host = prepared()
    placed = place(host.view)["vmstore"]
    assert isinstance(placed, Placement)
    (brick,) = placed.bricks
    assert (brick.group, brick.name, brick.thin) == ("vgdisk1", "vmstore", True)
    assert list(thin_bricks(host.view)["node1", "vgdisk1"]) == [brick]

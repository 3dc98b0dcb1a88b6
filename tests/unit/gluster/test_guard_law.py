"""What the planner would refuse to plan, the step refuses on its host: the world may change between plan and step.

Each row is one change of the world after which the planner no longer plans the step. The step that was planned before
is then run: a guard stops it, and nothing was done.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

import heretic.domain
from heretic.domain.disks.erase_step import EraseDisk
from heretic.domain.disks.steps import MakeFilesystem, PrepareDisk
from heretic.domain.gluster.removal_steps import RemoveLogicalVolume, UnmountBrick
from heretic.domain.gluster.steps import DeleteVolume, RestartBricks, RestartSelfHeal, StopVolume
from heretic.domain.plan import HostStep, Proceed, Risk, Step, steps_of
from heretic.hosts.fence import Fence
from heretic.hosts.frames import parse_frames
from heretic.hosts.script import render_step
from sim.block_devices import GIB, Filesystem, Folder, SimDisk, SimGroup, SimVolume
from sim.gluster_model import SimBrick
from sim.host_tools import data_disk as new_disk
from sim.protocol import run_script
from sim.site_rules import RuledSite, ruled_site

VOLUMES = {
    "vmstore": {"purpose": "VirtualMachines", "size": "40Gi", "deletionPolicy": "Destroy"},
    "kept": {"purpose": "Lock", "size": "1Gi"},
}
OTHER = "00000000-0000-4000-8000-000000000000"
LVM_UUID = "AAAAAA-bbbb-cccc-dddd-eeee-ffff-GGGGGG"
BRICK = "/gluster_bricks/vmstore/brick1/brick"
Change = Callable[[RuledSite], object]


def vmstore(site: RuledSite) -> SimVolume:
    return site.machines["node1"].storage.volumes["vgdisk1", "vmstore"]


def folder(site: RuledSite) -> Folder:
    filesystem = vmstore(site).filesystem
    assert filesystem is not None
    return filesystem.folders["brick1/brick"]


def made_again(site: RuledSite) -> None:
    """Somebody has deleted the volume and made another of its name."""
    site.gluster.volumes["vmstore"].id = OTHER


def grown(site: RuledSite) -> None:
    volume = site.gluster.volumes["vmstore"]
    volume.bricks = [*volume.bricks, *(SimBrick(b.host, b.node, "/more", b.arbiter) for b in volume.bricks)]


def is_back(site: RuledSite) -> None:
    """A volume of this name exists again."""
    site.gluster.volumes["vmstore"] = site.gluster.volumes["kept"]


def mounted_elsewhere(site: RuledSite) -> None:
    site.machines["node1"].storage.mounts["/mnt"] = vmstore(site)


def mounted_again(site: RuledSite) -> None:
    """The volume is mounted in its place again, and holds another volume's brick now."""
    folder(site).volume_id = OTHER
    site.machines["node1"].storage.mounts["/gluster_bricks/vmstore"] = vmstore(site)


def replaced(site: RuledSite) -> None:
    """The logical volume was removed and another one made in its place."""
    vmstore(site).uuid = LVM_UUID


def made_by_others(site: RuledSite) -> None:
    """Likewise, and that one does not carry the tag of a new volume of ours."""
    replaced(site)
    vmstore(site).tags.clear()


def formatted(site: RuledSite) -> None:
    filesystem = vmstore(site).filesystem
    assert filesystem is not None
    filesystem.uuid = OTHER


def something_else_is_mounted(site: RuledSite) -> None:
    storage = site.machines["node1"].storage
    storage.mounts["/gluster_bricks/vmstore"] = storage.volumes["vgdisk1", "kept"]


def mark(site: RuledSite, text: str) -> None:
    folder(site).volume_id = text


REMOVAL: Mapping[type[Step], Mapping[str, Change]] = {
    StopVolume: {
        "it is a namesake": made_again,
        "it has other bricks": grown,
        "a client has it open": lambda s: s.gluster.volumes["vmstore"].clients.update({"fuse": 1}),
        "a client of a kind that is new has it open": lambda s: s.gluster.volumes["vmstore"].clients.update({"x": 1}),
        "the host has it mounted": lambda s: s.machines["node1"].storage.clients.update({"/mnt": "node2:/vmstore"}),
        "the host has a folder of it mounted": lambda s: s.machines["node1"].storage.clients.update(
            {"/mnt": "node2,node3:vmstore/images"}
        ),
        "a node is out": lambda s: s.gluster.power_cut("node3"),
        "who uses it is not known": lambda s: setattr(s.gluster, "locked", "vmstore"),
    },
    DeleteVolume: {
        "it is a namesake": made_again,
        "it was started again": lambda s: setattr(s.gluster.volumes["vmstore"], "state", "Started"),
        "it has other bricks": grown,
        "a node is out": lambda s: s.gluster.power_cut("node3"),
    },
    UnmountBrick: {
        "a volume of its name is there": is_back,
        "the brick is another volume's": lambda s: mark(s, OTHER),
        "the brick carries no mark": lambda s: mark(s, ""),
        "another volume is mounted there": something_else_is_mounted,
        "the logical volume is another one": replaced,
        "the filesystem is another one": formatted,
    },
    RemoveLogicalVolume: {
        "a volume of its name is there": is_back,
        "the logical volume is another one": replaced,
        "it was not seen to hold this volume's brick": lambda s: vmstore(s).tags.clear(),
        "it is mounted again with another brick": mounted_again,
    },
}


@pytest.fixture(scope="module")
def running() -> tuple[RuledSite, Callable[[], None]]:
    site = ruled_site(volumes=VOLUMES)
    site.settle()
    return site, site.save()


def rows(table: Mapping[type[Step], Mapping[str, Change]]) -> list[ParameterSet]:
    return [
        pytest.param(step, change, id=f"{step.verb}: {name}")
        for step, changes in table.items()
        for name, change in changes.items()
    ]


def refused_on_the_host(site: RuledSite, step: Step) -> None:
    """Runs a step whose world has changed, and sees that a guard stops it."""
    assert isinstance(step, HostStep)
    machine = site.machines[step.host]
    before = list(machine.effects)
    (frame,) = parse_frames(run_script(machine, render_step(step.script(), Fence())).encode())
    assert frame.name.startswith("guard:"), f"{frame.name} {frame.output}"
    assert machine.effects == before


@pytest.mark.parametrize(("kind", "change"), rows(REMOVAL))
def test_what_would_not_be_planned_any_more_is_not_done(
    running: tuple[RuledSite, Callable[[], None]], kind: type[Step], change: Change
) -> None:
    site, restore = running
    restore()
    plan = site.removal_of("vmstore")
    assert isinstance(plan, Proceed)
    place = next(n for n, s in enumerate(plan.steps) if isinstance(s, kind) and s.target.name == "node1")
    assert all(site.perform(step) for step in plan.steps[:place])
    step = next(s for s in steps_of(site.removal_of("vmstore")) if isinstance(s, kind))
    assert step == plan.steps[place], "the good world still asks for it"
    change(site)
    assert step not in steps_of(site.removal_of("vmstore"))[:1], "it is not the next thing to do"
    refused_on_the_host(site, step)


# --- starts by force ---


def down(site: RuledSite) -> None:
    site.gluster.kill_brick("vmstore", "node1")


def down_in_two_worlds(site: RuledSite) -> None:
    """One node is out, and elsewhere a self-heal daemon is missing."""
    site.gluster.nodes["node1"].self_heal = False


def unmounted(site: RuledSite, node: str = "node1") -> None:
    site.gluster.kill_brick("vmstore", node)
    site.machines[node].storage.mounts.pop("/gluster_bricks/vmstore")


def emptied(site: RuledSite) -> None:
    """Another filesystem lies where the brick was: the folder is there, without a mark."""
    folder(site).volume_id, folder(site).entries = "", 0


def back_without_its_disk(site: RuledSite) -> None:
    site.gluster.nodes["node3"].alive = True


FORCED: Mapping[type[Step], Mapping[str, Change]] = {
    RestartBricks: {
        "it is a namesake": made_again,
        "it was stopped": lambda s: setattr(s.gluster.volumes["vmstore"], "state", "Stopped"),
        "a second brick is down": lambda s: s.gluster.kill_brick("vmstore", "node2"),
        "another node is out": lambda s: s.gluster.power_cut("node3"),
        "the brick is not mounted": unmounted,
        "the brick is empty and carries no mark": emptied,
        "the brick is another volume's": lambda s: mark(s, OTHER),
        "another volume is mounted there": something_else_is_mounted,
        "the filesystem is another one": formatted,
    },
    RestartSelfHeal: {
        "it is a namesake": made_again,
        "it was stopped": lambda s: setattr(s.gluster.volumes["vmstore"], "state", "Stopped"),
        "a brick is down": lambda s: s.gluster.kill_brick("vmstore", "node2"),
        "a brick of its own is not mounted": unmounted,
        "a brick of its own is empty and carries no mark": emptied,
        "a brick elsewhere is not mounted": lambda s: unmounted(s, "node2"),
        "a node that was out is back": back_without_its_disk,
    },
}
WORLDS: Mapping[type[Step], Change] = {RestartBricks: down, RestartSelfHeal: down_in_two_worlds}


@pytest.mark.parametrize(("kind", "change"), rows(FORCED))
def test_what_would_not_be_forced_any_more_is_not_forced(
    running: tuple[RuledSite, Callable[[], None]], kind: type[Step], change: Change
) -> None:
    site, restore = running
    restore()
    if change is back_without_its_disk:
        site.gluster.power_cut("node3")
    WORLDS[kind](site)
    step = next(s for s in steps_of(site.plan_of("vmstore")) if isinstance(s, kind))
    assert step.target.name == "node1"
    change(site)
    assert step not in steps_of(site.plan_of("vmstore"))
    refused_on_the_host(site, step)


# --- disks ---


def planned(site: RuledSite, kind: type[Step]) -> Step:
    """The first step of a kind on node1, in the world in which it is the next one to be done."""
    for _ in range(20):
        for plan in plans(site):
            found = steps_of(plan)
            for number, step in enumerate(found):
                if isinstance(step, kind) and step.target.name == "node1":
                    assert all(site.perform(s) for s in found[:number] if s.target.name == "node1")
                    return step
        site.round(volumes=False)
    raise AssertionError(f"{kind.verb} is never planned")


def plans(site: RuledSite) -> list[Proceed]:
    site.look_again()
    found = [site.node_plan("node1"), *(site.plan_of(v) for v in site.volumes)]
    return [p for p in found if isinstance(p, Proceed)]


def data_disk(site: RuledSite, **changes: object) -> None:
    for name, value in changes.items():
        setattr(site.machines["node1"].storage.disks["sdb"], name, value)


NAMED = {"disks": {"selection": "ById", "ids": [f"wwn-{new_disk(name).wwn}" for name in ("sdb", "sdc")]}}
"""One disk that is blank, and one that is not."""


def recycled(site: RuledSite, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(site.machines["node1"].storage.disks["sdc"], name, value)


def group(site: RuledSite) -> SimGroup:
    return site.machines["node1"].storage.groups["vgdisk1"]


def namesake(site: RuledSite) -> None:
    """A disk with a group of the name was plugged in."""
    site.machines["node1"].storage.disks["sdz"] = SimDisk("sdz", serial="USB1", group="vgdisk1", pv_uuid=LVM_UUID)
    site.machines["node1"].storage.groups["vgdisk1"] = SimGroup("vgdisk1", "sdz", 100 * GIB)


DISKS: Mapping[type[Step], Mapping[str, Change]] = {
    PrepareDisk: {
        "it carries a filesystem": lambda s: data_disk(s, signature="ext4"),
        "it has a partition table": lambda s: data_disk(s, signature="gpt"),
        "it is mounted": lambda s: data_disk(s, mounted="/mnt"),
        "it is another disk": lambda s: data_disk(s, serial="OTHER"),
        "it is another disk of the same maker": lambda s: data_disk(s, wwn="0x5000c500a1b2c3d4"),
        "it is another disk without a serial number": lambda s: data_disk(s, serial=""),
        "it is smaller": lambda s: data_disk(s, size=150 * GIB),
        "something is stacked on it": lambda s: data_disk(s, holders=("md127",)),
        "it is a physical volume": lambda s: data_disk(s, pv_uuid=LVM_UUID),
        "a group of its name is there": namesake,
    },
    MakeFilesystem: {
        "it carries a filesystem": lambda s: setattr(vmstore(s), "filesystem", Filesystem("ext4")),
        "it carries a filesystem of the same kind": lambda s: setattr(vmstore(s), "filesystem", Filesystem("xfs")),
        "the group is another one": lambda s: setattr(group(s), "uuid", LVM_UUID),
        "the volume is another one, which nobody has just made": made_by_others,
    },
}


@pytest.mark.parametrize(("kind", "change"), rows(DISKS))
def test_what_would_not_be_planned_any_more_is_not_done_to_a_disk(kind: type[Step], change: Change) -> None:
    site = ruled_site(volumes={"vmstore": VOLUMES["vmstore"]})
    step = planned(site, kind)
    change(site)
    assert step not in [s for plan in plans(site) for s in steps_of(plan)]
    refused_on_the_host(site, step)


RECYCLED: Mapping[type[Step], Mapping[str, Change]] = {
    EraseDisk: {
        "it carries something else": lambda s: recycled(s, signature="xfs"),
        "it carries what no tool knows": lambda s: recycled(s, signature="", content=(GIB,)),
        "it is mounted": lambda s: recycled(s, mounted="/mnt"),
        "it is another disk": lambda s: recycled(s, serial="OTHER"),
        "it is another disk of the same maker": lambda s: recycled(s, wwn="0x5000c500a1b2c3d4"),
        "it is smaller": lambda s: recycled(s, size=150 * GIB),
        "something is stacked on it": lambda s: recycled(s, holders=("md127",)),
    },
}


@pytest.mark.parametrize(("kind", "change"), rows(RECYCLED))
def test_what_would_not_be_planned_any_more_is_not_erased(kind: type[Step], change: Change) -> None:
    site = ruled_site(nodes={"node1": NAMED})
    site.machines["node1"].storage.disks["sdc"] = new_disk("sdc", signature="ext4")
    step = planned(site, kind)
    change(site)
    assert step not in [s for plan in plans(site) for s in steps_of(plan)]
    refused_on_the_host(site, step)


# --- the law itself ---


def _all(kind: type[Any]) -> Iterator[type[Any]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _all(sub)


def dangerous() -> set[str]:
    """Steps that can lose data, or that force a program past its own checks, whatever plan they are of."""
    for module in pkgutil.walk_packages(heretic.domain.__path__, "heretic.domain."):
        importlib.import_module(module.name)
    kinds = [k for k in _all(Step) if k.__module__.startswith("heretic.") and not k.__name__.startswith("_")]
    return {k.verb for k in kinds if k.risk is Risk.DESTRUCTIVE or "force" in _words(k)}


def _words(kind: type[Any]) -> set[str]:
    """Words in quotes in the source of a class and of those that it is made from."""
    sources = [inspect.getsource(c) for c in kind.__mro__ if c.__module__.startswith("heretic.")]
    return {word for source in sources for word in re.findall(r'"(\w+)"', source)}


BESIDE_THEIR_SUBJECTS = {
    "AddBlockDomain": "storage/test_judge_domain.py",
    "CleanAfterFailedDeployment": "hosted_engine/test_deploy_plan.py",
    "DetachStorageDomain": "storage/test_volume_domain_removal.py",
    "BeginUpgrade": "hosted_engine/test_upgrade.py",
    "UpgradeEngine": "hosted_engine/test_upgrade.py",
    "RestoreEngine": "hosted_engine/test_restore.py",
    "RemoveOldBackups": "../ssh/test_backup_steps.py",
    "RemoveStagedBackups": "../ssh/test_backup_steps.py",
    "RemoveLogicalNetwork": "network/test_logical_networks.py",
    "RemoveStorageDomain": "storage/test_volume_domain_removal.py",
    "SyncVitalHostNetwork": "network/test_host_sync.py",
    "UpdateVitalNetwork": "network/test_logical_networks.py",
}
"""Where the guards of the others are proved, by verb."""


def test_every_step_that_can_lose_data_has_its_rows() -> None:
    here = {k.verb for k in (*REMOVAL, *FORCED, *DISKS, *RECYCLED)} - {UnmountBrick.verb}
    assert dangerous() == here | BESIDE_THEIR_SUBJECTS.keys()
    unit = Path(__file__).parents[1]
    assert [verb for verb, file in BESIDE_THEIR_SUBJECTS.items() if verb not in (unit / file).read_text()] == []

"""What changes between look and step is met by the steps' own guards: a namesake is never touched."""

from collections.abc import Callable

import pytest

from heretic.domain.plan import Step, steps_of
from sim.block_devices import Filesystem
from sim.one_host import OneHost, site_resource, volume_resource

VOLUMES = (volume_resource("engine", "Engine", "20Gi"), volume_resource("vmstore", "VirtualMachines", "40Gi"))
OTHER = "Zzzzzz-bbbb-cccc-dddd-eeee-ffff-gggggg"


def host() -> OneHost:
    return OneHost(site=site_resource({"nodes": ["node1"], "dataDiskCount": 1}), volumes=VOLUMES)


def prepared() -> OneHost:
    found = host()
    for _ in range(8):
        found.run_pass()
    return found


def with_bricks() -> OneHost:
    found = prepared()
    for name in ("engine", "vmstore"):
        found.brick_pass(name)
    return found


def another_group(found: OneHost) -> None:
    found.machine.storage.groups["vgdisk1"].uuid = OTHER


def another_volume(found: OneHost) -> None:
    found.machine.storage.volumes["vgdisk1", "vmstore"].uuid = OTHER


def another_filesystem(found: OneHost) -> None:
    found.machine.storage.volumes["vgdisk1", "vmstore"].filesystem = Filesystem("xfs")


def unmounted() -> OneHost:
    found = with_bricks()
    found.machine.storage.mounts.clear()
    return found


def inactive() -> OneHost:
    found = unmounted()
    found.machine.storage.volumes["vgdisk1", "vmstore"].active = False
    return found


def larger() -> OneHost:
    found = with_bricks()
    found.volumes = (VOLUMES[0], volume_resource("vmstore", "VirtualMachines", "60Gi"))
    return found


def step_of(found: OneHost, verb: str, name: str = "vmstore") -> Step:
    planned = found.brick_plan(name)
    assert isinstance(planned, tuple), planned
    return next(step for step in planned if step.verb == verb)


@pytest.mark.parametrize(
    ("world", "verb", "change"),
    [
        pytest.param(prepared, "CreateThinPool", another_group, id="a pool in another group"),
        pytest.param(prepared, "CreateLogicalVolume", another_group, id="a volume in another group"),
        pytest.param(larger, "ExtendThinPool", another_group, id="the pool of another group"),
        pytest.param(inactive, "ActivateLogicalVolume", another_volume, id="another volume, activated"),
        pytest.param(unmounted, "MountBrick", another_filesystem, id="another filesystem, mounted"),
        pytest.param(larger, "GrowBrick", another_volume, id="another volume, grown"),
        pytest.param(larger, "GrowBrick", another_filesystem, id="another filesystem, grown"),
    ],
)
def test_a_namesake_is_not_touched(world: Callable[[], OneHost], verb: str, change: Callable[[OneHost], None]) -> None:
    found = world()
    step = step_of(found, verb)
    change(found)
    effects = len(found.machine.effects)
    assert found.perform(step).startswith("guard:")
    assert len(found.machine.effects) == effects
    assert found.machine.refusals == []


def test_no_filesystem_is_made_in_a_group_that_is_another_one() -> None:
    found = prepared()
    step = step_of(found, "MakeFilesystem", "engine")
    assert found.perform(step_of(found, "CreateLogicalVolume", "engine")) == "changed"
    another_group(found)
    assert found.perform(step).startswith("guard:1")
    assert found.machine.storage.formatted == []


@pytest.mark.parametrize("what", ["wwn", "serial", "size"])
def test_a_disk_that_is_another_one_by_now_is_not_prepared(what: str) -> None:
    found = host()
    for _ in range(8):
        plan = found.plan()
        step = next((s for s in steps_of(plan) if s.verb == "PrepareDisk"), None)
        if step is not None:
            break
        found.run_pass()
    assert step is not None
    disk = found.machine.storage.disks["sdb"]
    setattr(disk, what, 100 * 2**30 if what == "size" else "0x5000c500a1b2c3d4")
    assert found.perform(step).startswith("guard:")
    assert found.machine.storage.groups == {}


def test_a_group_that_was_made_right_before_the_operator_died_is_known_by_its_tag() -> None:
    """The status that would say so was never written; and neither was the one that chose the disk."""
    found = prepared()
    found.node = found.node.model_copy(update={"status": type(found.node.status)()})
    found.run_pass()
    (disk,) = (d for d in found.node.status.disks if d.use)
    assert disk.prepared
    assert disk.pv_uuid == found.machine.storage.disks["sdb"].pv_uuid
    assert isinstance(found.brick_plan("engine"), tuple)

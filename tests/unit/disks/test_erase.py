"""A disk that carries something is emptied by a person's word: only that disk, and only while it carries just that."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1.node import NodeDisk
from heretic.api.v1alpha1.volume_status import BrickStatus
from heretic.domain.disks.erase import to_erase
from heretic.domain.disks.erase_step import EraseDisk
from heretic.domain.disks.ownership import Ownership
from heretic.domain.disks.steps import PrepareDisk
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.gluster.placement import groups_needed
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import Part
from heretic.domain.node.plan import plan_disks, wants_disk
from heretic.domain.plan import Blocked, Plan, Proceed, Risk, plan_hash, steps_of
from sim.block_devices import GIB, SimDisk, SimGroup, SimVolume, lvm_uuid
from sim.host_tools import data_disk, storage_machine
from sim.one_host import OneHost, node_resource, site_resource, volume_resource

CHOSEN = {"nodes": ["node1"], "dataDiskCount": 1}
VOLUMES = (volume_resource("engine", "Engine", "20Gi"),)


def wwn(disk: SimDisk) -> str:
    return f"wwn-{disk.wwn}"


def host(*disks: SimDisk, named: bool = True) -> OneHost:
    """A configured host whose disks are named in its Node."""
    ids = [wwn(disk) for disk in disks]
    disk_spec = {"selection": "ById", "ids": ids} if named else {"selection": "Auto"}
    found = OneHost(
        machine=storage_machine("node1", disks),
        node=node_resource(disks=disk_spec, roles=["Storage"]),
        site=site_resource(CHOSEN),
        volumes=VOLUMES,
    )
    for _ in range(12):
        steps = steps_of(found.plan())
        if not steps or any(isinstance(step, EraseDisk | PrepareDisk) for step in steps):
            break
        found.run_pass()
    return found


def offered(plan: Plan) -> list[EraseDisk]:
    return [step for step in steps_of(plan) if isinstance(step, EraseDisk)]


def dirty(name: str = "sdb", **what: Any) -> SimDisk:
    return replace(data_disk(name), **({"signature": "ext4"} | what))


@pytest.mark.parametrize(
    ("what", "finding"),
    [
        ({"signature": "ext4"}, "ext4 filesystem"),
        ({"signature": "gpt"}, "partition table gpt"),
        ({"signature": "linux_raid_member"}, "linux_raid_member signature"),
        ({"signature": "zfs_member"}, "zfs_member signature"),
        ({"signature": "", "content": (5 * GIB,)}, "content without a known signature at 5.0 GiB"),
    ],
    ids=["filesystem", "partition table", "RAID", "ZFS", "content that no tool knows"],
)
def test_a_named_disk_with_something_on_it_is_told_and_its_erasing_offered(what: dict[str, Any], finding: str) -> None:
    disk = dirty(**what)
    found = host(disk)
    plan = found.plan()
    (step,) = offered(plan)
    assert step.needs_approval
    assert step.risk is Risk.DESTRUCTIVE
    assert (step.disk, step.size, step.wwn, step.serial) == (wwn(disk), disk.size, disk.wwn, disk.serial)
    assert finding in step.finding
    assert finding in step.why
    assert isinstance(plan, Proceed)
    told = next(p.message for p in plan.pending if isinstance(p, Blocked) and disk.path in p.message)
    assert finding in told
    assert "EraseDisk" in told


def test_what_was_approved_leaves_a_disk_that_is_proven_blank_and_is_used() -> None:
    found = host(dirty(signature="", content=(5 * GIB,)))
    (step,) = offered(found.plan())
    assert found.perform(step) == "changed"
    assert offered(found.plan()) == []
    for _ in range(6):
        found.run_pass()
    assert "vgdisk1" in found.machine.storage.groups
    assert found.machine.refusals == []


def test_an_approval_names_the_disk_its_size_and_what_was_found() -> None:
    def digest(disk: SimDisk) -> str:
        return plan_hash("uid", 1, tuple(offered(host(disk).plan())))

    first = dirty()
    others = [
        dirty("sdc"),
        dirty(size=100 * GIB),
        dirty(serial="OTHER"),
        dirty(signature="xfs"),
        dirty(signature="", content=(5 * GIB,)),
        dirty(signature="", content=(6 * GIB,)),
    ]
    assert len({digest(disk) for disk in [first, *others]}) == len(others) + 1
    assert digest(first) == digest(dirty())


def test_a_plan_offers_one_disk_at_a_time_and_what_needs_nobodys_word_goes_on() -> None:
    found = host(dirty("sdb"), dirty("sdc"), data_disk("sdd"))
    plan = found.plan()
    assert [step.path for step in offered(plan)] == ["/dev/sdb"]
    assert isinstance(plan, Proceed)
    assert not plan.ordered
    assert steps_of(plan)[-1] == offered(plan)[0], "nothing waits behind it"
    second = next(p.message for p in plan.pending if isinstance(p, Blocked) and "/dev/sdc" in p.message)
    assert f"offered after that of {wwn(found.machine.storage.disks['sdb'])}" in second
    assert any(isinstance(step, PrepareDisk) for step in steps_of(plan))


def stacked(found: OneHost) -> None:
    found.machine.storage.disks["sdb"].holders = ("md127",)


def mounted(found: OneHost) -> None:
    found.machine.storage.disks["sdb"].mounted = "/srv"


def unreadable(found: OneHost) -> None:
    disk = found.machine.storage.disks["sdb"]
    disk.signature, disk.bad = "", 0


def read_only(found: OneHost) -> None:
    found.machine.storage.disks["sdb"].read_only = True


def second_path(found: OneHost) -> None:
    storage = found.machine.storage
    storage.disks["sdx"] = replace(storage.disks["sdb"], name="sdx", links=())


def recorded(found: OneHost) -> None:
    disk = found.machine.storage.disks["sdb"]
    record = NodeDisk(id="x", wwn=disk.wwn, model=disk.model, serial=disk.serial, use="Everything")
    found.node = found.node.model_copy(update={"status": found.node.status.model_copy(update={"disks": [record]})})


def recorded_by_name_only(found: OneHost) -> None:
    disk = found.machine.storage.disks["sdb"]
    disk.wwn = disk.serial = ""
    found.node = node_resource(
        disks={"selection": "ById", "ids": [disk.links[0].removeprefix("by-id/")]}, roles=["Storage"]
    )
    record = NodeDisk(id=disk.links[0].removeprefix("by-id/"), use="Everything", volume_group="vgdisk1")
    found.node = found.node.model_copy(update={"status": found.node.status.model_copy(update={"disks": [record]})})


def nothing_to_tell_it_by(found: OneHost) -> None:
    disk = found.machine.storage.disks["sdb"]
    disk.wwn = disk.serial = disk.signature = ""
    disk.content = (GIB,)


def brick_of_a_lost_record(found: OneHost) -> None:
    brick = BrickStatus(node="node1", path="/gluster_bricks/engine/brick1/brick", state="Missing", lv_uuid=lvm_uuid())
    engine = found.volumes[0]
    status = engine.status.model_copy(update={"bricks": [brick]})
    found.volumes = (engine.model_copy(update={"status": status}),)


def not_named(found: OneHost) -> None:
    found.node = node_resource(disks={"selection": "ById", "ids": ["wwn-0x5000c500deadbeef"]}, roles=["Storage"])


def left_to_auto(found: OneHost) -> None:
    found.node = node_resource(disks={"selection": "Auto"}, roles=["Storage"])


def in_an_active_group(found: OneHost) -> None:
    storage = found.machine.storage
    disk = storage.disks["sdb"]
    disk.signature, disk.group, disk.pv_uuid = "LVM2_member", "backup", lvm_uuid()
    storage.groups["backup"] = SimGroup("backup", "sdb", disk.size)
    storage.volumes["backup", "data"] = SimVolume("backup", "data", GIB)


@pytest.mark.parametrize(
    "change",
    [
        stacked,
        mounted,
        unreadable,
        read_only,
        second_path,
        recorded,
        recorded_by_name_only,
        nothing_to_tell_it_by,
        brick_of_a_lost_record,
        not_named,
        left_to_auto,
        in_an_active_group,
    ],
)
def test_no_erasing_is_offered(change: Callable[[OneHost], None]) -> None:
    found = host(dirty())
    assert offered(found.plan()), "it would be, but for this"
    change(found)
    plan = found.plan()
    assert offered(plan) == []
    told = [plan.message] if isinstance(plan, Blocked) else [p.message for p in getattr(plan, "pending", ())]
    assert not any("EraseDisk" in message for message in told), "nobody is told to approve what is not offered"


def facts_of(found: OneHost) -> HostFacts:
    return found.observe()


def test_a_disk_that_another_node_sees_too_is_not_offered() -> None:
    found = host(dirty())
    view = found.view
    other = replace(facts_of(found), host="node2")
    named = found.node.metadata.model_copy(update={"name": "node2"})
    second = found.node.model_copy(update={"metadata": named, "status": type(found.node.status)()})
    view = view.having(second)
    needed = groups_needed(view, "node1")
    assert wants_disk(found.node, view, facts_of(found), needed), "the other Nodes are asked first"

    def part(**others: HostFacts) -> Part:
        return plan_disks(found.node, view, facts_of(found), needed, others)

    assert part(node2=other).steps == ()
    assert Reason.SHARED_DISK in {o.reason for o in part(node2=other).obstacles}
    assert part().steps == ()
    assert Reason.WAITING_FOR_NODES in {o.reason for o in part().obstacles}
    assert [step.verb for step in part(node2=replace(other, disks=Known(()))).steps] == ["EraseDisk"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: setattr(d, "signature", "xfs"), id="it carries something else by now"),
        pytest.param(lambda d: setattr(d, "serial", "OTHER"), id="it is another disk"),
        pytest.param(lambda d: setattr(d, "wwn", "0x5000c500a1b2c3d4"), id="it is another disk of the same maker"),
        pytest.param(lambda d: setattr(d, "size", 100 * GIB), id="it has another size"),
        pytest.param(lambda d: setattr(d, "mounted", "/mnt"), id="it is mounted"),
        pytest.param(lambda d: setattr(d, "holders", ("md127",)), id="something is stacked on it"),
        pytest.param(lambda d: setattr(d, "claimed", True), id="somebody has it who shows nowhere"),
    ],
)
def test_what_changed_after_the_approval_stops_it(change: Callable[[SimDisk], None]) -> None:
    found = host(dirty())
    (step,) = offered(found.plan())
    change(found.machine.storage.disks["sdb"])
    before = list(found.machine.effects)
    assert found.perform(step).startswith("guard:")
    assert found.machine.effects == before
    assert found.machine.storage.disks["sdb"].signature


def test_an_erasing_that_was_cut_short_leaves_a_finding_of_its_own_that_can_be_approved() -> None:
    found = host(dirty(content=(0, 5 * GIB)))
    (first,) = offered(found.plan())
    disk = found.machine.storage.disks["sdb"]
    disk.signature, disk.content = "", (5 * GIB,)  # wipefs and the head were done
    (second,) = offered(found.plan())
    assert plan_hash("uid", 1, (first,)) != plan_hash("uid", 1, (second,))
    assert found.perform(first).startswith("guard:"), "the old approval is of no use"
    assert found.perform(second) == "changed"


def test_a_disk_that_carries_another_nodes_physical_volume_is_not_offered() -> None:
    """By what is on it, where the disk itself has nothing to tell it by and the group has got another name."""
    found = host(dirty())
    (disk,) = (d for d in facts_of(found).disks.value if d.path == "/dev/sdb")  # type: ignore[union-attr]
    label = lvm_uuid()
    carrying = replace(disk, looked=disk.looked + f'\nw "uuid": "{label}"')
    record = NodeDisk(id="x", wwn="0x5000c500deadbeef", use="Everything", volume_group="vgdisk1", pv_uuid=label)
    other = node_resource(roles=["Storage"])
    other = other.model_copy(
        update={
            "metadata": other.metadata.model_copy(update={"name": "node2"}),
            "status": other.status.model_copy(update={"disks": [record]}),
        }
    )
    assert to_erase(found.node, found.view, (carrying,), Ownership()) is not None
    view = found.view.having(other)
    assert to_erase(found.node, view, (carrying,), Ownership()) is None

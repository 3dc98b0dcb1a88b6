"""Sites that oVirt's wizard or a person laid out: adopted, observed truthfully, and left alone in every mode."""

from dataclasses import replace

import pytest

from heretic.api.v1alpha1 import GlusterVolume, Mode
from heretic.domain.conditions import ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.gluster.placement import groups_needed
from heretic.domain.gluster.plan import plan_volume
from heretic.domain.host.facts import (
    Disk,
)
from heretic.domain.node.plan import plan_disks
from heretic.domain.plan import Blocked, Converged
from unit.site.layouts import GIB, LAYOUTS, MOUNTS, ROOT, SDB, SYSTEM, Layout, adopted, disk, every_layout, mount


@every_layout
def test_adopt_names_the_disks_under_the_bricks(layout: Layout) -> None:
    site = adopted(layout)
    assert {tuple(node.spec.disks.ids) for node in site.view.nodes.values()} == {layout.named}


@every_layout
@pytest.mark.parametrize("told", [True, False], ids=["the volumes were seen", "no volume was seen yet"])
def test_nothing_contradicts_what_adopt_wrote(layout: Layout, told: bool) -> None:
    site = adopted(layout)
    site.passes(3, volumes=told)
    for name in site.hosts:
        ready = site.condition(name, ConditionType.DISKS_READY)
        assert ready.state is State.TRUE, ready.message
        assert "observed only" in ready.message
        assert not any("clear it by hand" in c.message for c in site.said[name].conditions)
        carrying = [d for d in site.view.nodes[name].status.disks if d.observed]
        assert carrying
        assert all("in use by bricks (observed only)" in d.finding and not d.use for d in carrying)
    assert site.condition("site", ConditionType.POOL_FORMED).state is State.TRUE
    assert site.condition("site", ConditionType.N_PLUS_ONE).state is State.TRUE


@every_layout
def test_health_heal_and_room_are_told_of_what_is_only_observed(layout: Layout) -> None:
    site = adopted(layout)
    site.passes(3)
    for kind in (ConditionType.BRICKS_READY, ConditionType.STARTED, ConditionType.QUORATE, ConditionType.HEALED):
        assert site.condition("data", kind).state is State.TRUE
    room = site.condition("data", ConditionType.CAPACITY)
    assert room.state is layout.capacity, room.message
    assert layout.told in room.message
    (note,) = site.said["data"].notes
    assert "observed only" in note
    plan = plan_volume(site.view.of(GlusterVolume)["data"], site.view, site.hosts, site.pool)
    assert isinstance(plan, Converged)
    assert "observed only" in plan.why


@every_layout
def test_in_mode_apply_nothing_is_done_to_disks_and_one_note_says_why(layout: Layout) -> None:
    spare = Disk("/dev/sdx", ("wwn-sdx",), 1000 * GIB, True, 512, below=())
    site = adopted(replace(layout, disks=(*layout.disks, spare)), Mode.APPLY)
    for node in site.view.nodes.values():
        disks = node.spec.disks.model_copy(update={"ids": [*node.spec.disks.ids, "wwn-sdx"]})
        spec = node.spec.model_copy(update={"disks": disks})
        site.view = site.view.having(node.model_copy(update={"spec": spec}))
    site.passes(4)
    for name, facts in site.hosts.items():
        part = plan_disks(site.view.nodes[name], site.view, facts, groups_needed(site.view, name))
        assert part.steps == ()
        assert not [o for o in part.obstacles if isinstance(o, Blocked)]
        assert part.obstacles == () or {o.reason for o in part.obstacles} == {Reason.OBSERVED_ONLY}
    plan = plan_volume(site.view.of(GlusterVolume)["data"], site.view, site.hosts, site.pool)
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.TOPOLOGY_DIFFERS
    assert "set mode Observe" in plan.message


def test_a_disk_of_the_system_or_of_others_is_not_taken_for_one_under_bricks() -> None:
    layout = LAYOUTS["the wizard's"]
    theirs = replace(disk("sdc", "/dev/sdc1", mark="ext4 filesystem"))
    site = adopted(replace(layout, disks=(*layout.disks, theirs), mounts=(*MOUNTS, mount("/backup", "/dev/sdc1"))))
    site.passes(3)
    shown = {d.path: d for d in site.view.nodes["host1"].status.disks}
    assert {path for path, d in shown.items() if d.observed} == {"/dev/sdb"}
    assert "ext4" in shown["/dev/sdc"].finding


@pytest.mark.parametrize("marks", [("LVM2_member signature",), ()], ids=["not mounted", "without its label"])
@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.APPLY])
def test_a_disk_that_carried_bricks_stays_one_when_they_are_not_mounted(marks: tuple[str, ...], mode: Mode) -> None:
    site = adopted(LAYOUTS["the wizard's"], mode)
    site.passes(3)
    bare = replace(SDB, findings=marks, below=(), in_use=False, volume_group=SDB.volume_group if marks else "")
    site.hosts = {
        name: replace(facts, disks=Known((SYSTEM, bare)), mounts=Known((ROOT,))) for name, facts in site.hosts.items()
    }
    site.passes(3)
    for name, facts in site.hosts.items():
        assert site.condition(name, ConditionType.DISKS_READY).state is State.TRUE
        (shown,) = (d for d in site.view.nodes[name].status.disks if d.path == "/dev/sdb")
        assert shown.observed
        assert "not mounted now" in shown.finding
        everything = frozenset({"vgdisk1", "vgdisk2", "vgdisk3", "vgarbiter"})
        assert plan_disks(site.view.nodes[name], site.view, facts, everything).steps == ()
    room = site.condition("data", ConditionType.CAPACITY)
    assert room.state is State.UNKNOWN
    assert "no filesystem is mounted there" in room.message


def test_a_disk_that_was_named_and_carries_no_brick_is_told_once_the_volumes_were_seen() -> None:
    layout = LAYOUTS["the wizard's"]
    backup = disk("sdc", "/dev/sdc1", mark="ext4 filesystem")
    site = adopted(replace(layout, disks=(*layout.disks, backup), mounts=(*MOUNTS, mount("/backup", "/dev/sdc1"))))
    node = site.view.nodes["host1"]
    disks = node.spec.disks.model_copy(update={"ids": ["wwn-sdb", "wwn-sdc"]})
    named = node.model_copy(update={"spec": node.spec.model_copy(update={"disks": disks})})
    site.view = site.view.having(named)
    site.passes(4)
    said = site.condition("host1", ConditionType.DISKS_READY)
    assert said.state is State.FALSE
    assert "wwn-sdc" in said.message
    assert "wwn-sdb" not in said.message


def test_options_are_compared_by_what_they_mean() -> None:
    site = adopted(LAYOUTS["the wizard's"])
    options = {o.name for o in site.view.of(GlusterVolume)["data"].spec.options}
    assert "features.shard" not in options

"""Room in thin pools: what lies there counts, whoever made it, and nothing is made in a pool that is out of order."""

from collections.abc import Callable

import pytest

from heretic.api.v1alpha1 import GlusterVolume
from heretic.domain.conditions import ConditionType, State
from heretic.domain.disks.mount_steps import GrowBrick
from heretic.domain.disks.steps import (
    ActivateLogicalVolume,
    CreateLogicalVolume,
    CreateThinPool,
    ExtendThinPool,
    MakeFilesystem,
)
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Plan, Proceed, Wait, steps_of
from sim.block_devices import GIB, MIB, SimGroup, SimVolume, lvm_uuid
from sim.site_rules import RuledSite, resource, ruled_site

TAKING = (CreateThinPool, ExtendThinPool, CreateLogicalVolume, GrowBrick, MakeFilesystem)


@pytest.fixture(scope="module")
def built() -> tuple[RuledSite, Callable[[], None]]:
    site = ruled_site(("node1",), {"vmstore": {"purpose": "VirtualMachines", "size": "120Gi"}})
    site.settle()
    return site, site.save()


@pytest.fixture
def site(built: tuple[RuledSite, Callable[[], None]]) -> RuledSite:
    """One node with a disk of 200 GiB, and 120 GiB of it in a thin volume."""
    site, restore = built
    restore()
    return site


def declare(site: RuledSite, name: str, size: str, purpose: str = "VirtualMachines") -> None:
    site.volumes[name] = resource(GlusterVolume, name, {"purpose": purpose, "size": size})


def resize(site: RuledSite, name: str, size: str) -> None:
    volume = site.volumes[name]
    site.volumes[name] = volume.model_copy(update={"spec": volume.spec.model_copy(update={"size": size})})


def put(site: RuledSite, name: str, size: int, pool: str = "lvthinpool", **shown: str) -> None:
    """Somebody makes a volume on the host by hand."""
    site.machines["node1"].storage.volumes["vgdisk1", name] = SimVolume("vgdisk1", name, size, pool=pool, shown=shown)


def the_pool(site: RuledSite) -> SimVolume:
    return site.machines["node1"].storage.volumes["vgdisk1", "lvthinpool"]


def ratio(site: RuledSite) -> float:
    """What is promised in the pool on the host, to what it has."""
    volumes = site.machines["node1"].storage.volumes.values()
    return sum(v.size for v in volumes if v.pool == "lvthinpool") / the_pool(site).size


def obstacles(plan: Plan) -> tuple[Wait | Blocked, ...]:
    if isinstance(plan, Proceed):
        return plan.pending
    return (plan,) if isinstance(plan, Wait | Blocked) else ()


def capacity(site: RuledSite, name: str = "vmstore") -> tuple[State, Reason, str]:
    found = next(c for c in site.report_of(name).conditions if c.type is ConditionType.CAPACITY)
    return found.state, found.reason, found.message


def rounds(site: RuledSite, count: int = 8) -> None:
    for _ in range(count):
        site.round()
        assert "vgdisk1" not in site.machines["node1"].storage.groups or ratio(site) <= 1.0
    assert site.failures == []


def test_what_a_deleted_object_left_keeps_its_room(site: RuledSite) -> None:
    del site.volumes["vmstore"]
    declare(site, "next", "120Gi")
    before = len(site.effects)
    rounds(site)
    plan = site.plan_of("next")
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.DOES_NOT_FIT
    for words in ("node1", "/dev/vgdisk1/next", "vmstore (120Gi)", "240Gi", "120Gi are promised there already"):
        assert words in plan.message
    assert len(site.effects) == before
    assert set(site.machines["node1"].storage.volumes) == {("vgdisk1", "lvthinpool"), ("vgdisk1", "vmstore")}


def test_a_volume_that_fits_beside_what_was_left_gets_a_pool_for_both(site: RuledSite) -> None:
    del site.volumes["vmstore"]
    declare(site, "next", "60Gi")
    site.settle()
    assert the_pool(site).size == 180 * GIB
    assert site.machines["node1"].storage.volumes["vgdisk1", "vmstore"].size == 120 * GIB
    assert ratio(site) == 1.0


def test_growth_past_the_disk_leaves_the_room_of_what_is_there_to_nobody_else(site: RuledSite) -> None:
    resize(site, "vmstore", "300Gi")
    declare(site, "next", "150Gi")
    rounds(site)
    plan = site.plan_of("next")
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.DOES_NOT_FIT
    assert "vmstore (120Gi)" in plan.message
    assert "next" not in {name for _, name in site.machines["node1"].storage.volumes}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("theirs", {}),
        ("vmstore-snap", {"lv_attr": "Vwi---tz-k", "origin": "vmstore"}),
        ("shared-origin", {"lv_attr": "owi-a-tz--", "lv_layout": "thin,sparse"}),
    ],
    ids=["a foreign volume", "a snapshot that is not active", "an origin in the pool"],
)
def test_volumes_of_others_and_snapshots_count_like_ours(site: RuledSite, name: str, shown: dict[str, str]) -> None:
    put(site, name, 60 * GIB, **shown)
    declare(site, "next", "30Gi")
    plan = site.plan_of("next")
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.DOES_NOT_FIT
    assert f"{name} (60Gi)" in plan.message
    left = site.machines["node1"].storage.volumes["vgdisk1", name]
    rounds(site)
    assert site.machines["node1"].storage.volumes["vgdisk1", name] is left
    assert left.size == 60 * GIB


def test_a_pool_that_others_filled_gets_the_room_that_is_left(site: RuledSite) -> None:
    put(site, "theirs", 40 * GIB)
    assert capacity(site)[:2] == (State.FALSE, Reason.POOL_OVERCOMMITTED)
    site.settle()
    assert the_pool(site).size == 160 * GIB
    assert capacity(site)[0] is State.TRUE


def test_a_pool_that_promises_more_than_it_can_have_is_told_and_its_brick_looked_after(site: RuledSite) -> None:
    put(site, "theirs", 100 * GIB)
    site.machines["node1"].storage.mounts.clear()
    assert [s.verb for s in steps_of(site.plan_of("vmstore"))] == ["MountBrick"]
    site.settle()
    state, reason, message = capacity(site)
    assert (state, reason) == (State.FALSE, Reason.POOL_OVERCOMMITTED)
    for words in (
        "node1",
        "vgdisk1/lvthinpool",
        "220Gi are promised of its 120Gi (1.83)",
        "theirs (100Gi)",
        "2 % full",
    ):
        assert words in message


def test_a_pool_with_room_tells_what_is_used_and_promised(site: RuledSite) -> None:
    state, _, message = capacity(site)
    assert state is State.TRUE
    for words in ("2 % of the data", "10 % of the metadata", "1.00 of the size is promised"):
        assert words in message


def test_volumes_that_are_planned_from_the_same_look_never_promise_more_together(site: RuledSite) -> None:
    for name in ("a", "b", "c"):
        declare(site, name, "30Gi")
    plans = {name: site.plan_of(name) for name in ("c", "b", "a", "vmstore")}
    for plan in plans.values():
        site.act(plan)
        assert ratio(site) <= 1.0
    assert isinstance(plans["c"], Blocked)
    assert plans["c"].reason is Reason.DOES_NOT_FIT
    rounds(site)
    assert ratio(site) <= 1.0
    assert {("vgdisk1", "a"), ("vgdisk1", "b")} <= set(site.machines["node1"].storage.volumes)


def test_several_bricks_of_which_only_some_may_grow_never_promise_more(site: RuledSite) -> None:
    declare(site, "b", "40Gi")
    site.settle()
    put(site, "theirs", 20 * GIB)
    site.settle()
    resize(site, "vmstore", "130Gi")
    resize(site, "b", "50Gi")
    rounds(site)
    volumes = site.machines["node1"].storage.volumes
    assert (volumes["vgdisk1", "b"].size, volumes["vgdisk1", "vmstore"].size) == (50 * GIB, 120 * GIB)
    assert obstacles(site.plan_of("b")) == ()
    assert [o.reason for o in obstacles(site.plan_of("vmstore"))] == [Reason.DOES_NOT_FIT]


SICK = [
    ("twi-aotzM-", Blocked, Reason.POOL_NEEDS_REPAIR),
    ("twi-cotz--", Blocked, Reason.POOL_NEEDS_REPAIR),
    ("twi-aotzF-", Blocked, Reason.POOL_FAILED),
    ("twi-aotzD-", Blocked, Reason.POOL_OUT_OF_SPACE),
    ("twi-sotz--", Blocked, Reason.POOL_NOT_ACTIVE),
    ("twi-aotzp-", Blocked, Reason.DISK_NOT_FOUND),
    ("twi-aotzX-", Wait, Reason.NOT_OBSERVED),
    ("twi-aotz?-", Wait, Reason.NOT_OBSERVED),
]


@pytest.mark.parametrize(("letters", "kind", "reason"), SICK, ids=[c[0] for c in SICK])
def test_nothing_is_made_grown_or_formatted_in_a_pool_that_is_out_of_order(
    site: RuledSite, letters: str, kind: type[Wait] | type[Blocked], reason: Reason
) -> None:
    storage = site.machines["node1"].storage
    the_pool(site).shown["lv_attr"] = letters
    assert capacity(site)[0] is not State.TRUE
    declare(site, "next", "20Gi")
    resize(site, "vmstore", "125Gi")
    put(site, "half", 10 * GIB)
    declare(site, "half", "10Gi")
    for name in ("next", "vmstore", "half"):
        plan = site.plan_of(name)
        assert not [s for s in steps_of(plan) if isinstance(s, TAKING)], name
        found = next(o for o in obstacles(plan) if o.reason is reason)
        assert isinstance(found, kind)
        assert "node1: thin pool vgdisk1/lvthinpool" in found.message
    before = set(storage.volumes)
    rounds_without_trouble(site)
    assert set(storage.volumes) == before
    storage.mounts.clear()
    assert [s.verb for s in steps_of(site.plan_of("vmstore"))] == ["MountBrick"], "what is there is looked after"


def rounds_without_trouble(site: RuledSite) -> None:
    for _ in range(3):
        site.round()
    assert site.failures == []


def test_a_pool_that_is_not_active_is_activated_before_it_is_asked_how_full_it_is(site: RuledSite) -> None:
    the_pool(site).active = False
    declare(site, "next", "20Gi")
    (step,) = steps_of(site.plan_of("next"))
    assert isinstance(step, ActivateLogicalVolume)
    assert step.name == "lvthinpool"
    assert capacity(site)[:2] == (State.UNKNOWN, Reason.POOL_NOT_ACTIVE)
    site.settle()


def adopted_group(extent: int) -> RuledSite:
    """A site whose disk carries a volume group of ours that was made with other extents."""
    site = ruled_site(("node1",))
    storage = site.machines["node1"].storage
    disk = next(d for d in storage.disks.values() if d.size == 200 * GIB)
    disk.signature, disk.pv_uuid, disk.group = "LVM2_member", lvm_uuid(), "vgdisk1"
    storage.groups["vgdisk1"] = SimGroup("vgdisk1", disk.name, (disk.size - MIB) // extent * extent, extent)
    spec = {"selection": "ById", "ids": [disk.links[0].partition("/")[2]]}
    node = site.nodes["node1"]
    disks = node.spec.disks.model_validate(spec)
    site.nodes["node1"] = node.model_copy(update={"spec": node.spec.model_copy(update={"disks": disks})})
    return site


@pytest.mark.parametrize("extent", [MIB, 16 * MIB, 32 * MIB, GIB])
def test_sizes_are_whole_extents_of_the_group_that_is_there(extent: int) -> None:
    site = adopted_group(extent)
    declare(site, "vmstore", "40Gi")
    site.settle()
    declare(site, "engine", f"{10 * 1024 + 5}Mi", "Engine")
    declare(site, "more", f"{20 * 1024 + 3}Mi")
    site.settle()
    resize(site, "more", f"{30 * 1024 + 7}Mi")
    site.settle()
    assert site.failures == []
    volumes = site.machines["node1"].storage.volumes
    assert len(volumes) == 4
    for volume in volumes.values():
        assert volume.size % extent == volume.metadata % extent == 0, volume.name
    assert ratio(site) <= 1.0

"""Whole sites on which something is not what was recorded: it is told, and nothing is touched."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from heretic.api.v1alpha1 import GlusterVolume, Node
from heretic.api.v1alpha1.node import DiskSelection
from heretic.domain.disks.mount_steps import MountBrick
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, steps_of
from sim.block_devices import Filesystem, SimVolume
from sim.host_tools import data_disk
from sim.site_rules import RuledSite, ruled_site
from sim.swaps import lose_label, plug, pull, share, swap
from sim.version_before import forget_identities, leave_hosts

R = TypeVar("R", Node, GlusterVolume)

VOLUMES = {"engine": {"purpose": "Engine", "size": "20Gi"}, "vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}}


@pytest.fixture(scope="module")
def built() -> tuple[RuledSite, Callable[[], None]]:
    site = ruled_site(volumes=VOLUMES)
    site.settle()
    return site, site.save()


@pytest.fixture
def site(built: tuple[RuledSite, Callable[[], None]]) -> RuledSite:
    found, restore = built
    restore()
    return found


def reasons(plan: Plan) -> set[Reason]:
    found = plan.pending if isinstance(plan, Proceed) else (plan,)
    return {o.reason for o in found if isinstance(o, Blocked)}


def passes(site: RuledSite, rounds: int = 3) -> dict[str, Plan]:
    """Some rounds, in which nothing may be done on any host."""
    formatted = {name: list(m.storage.formatted) for name, m in site.machines.items()}
    groups = {name: dict(m.storage.groups) for name, m in site.machines.items()}
    mounts = {name: dict(m.storage.mounts) for name, m in site.machines.items()}
    effects = len(site.effects)
    for _ in range(rounds):
        plans = site.round()
    assert len(site.effects) == effects, site.effects[effects:]
    for name, machine in site.machines.items():
        assert machine.storage.formatted == formatted[name]
        assert machine.storage.groups == groups[name]
        assert machine.storage.mounts == mounts[name]
        assert machine.refusals == []
    assert site.failures == []
    return plans


def records(site: RuledSite) -> dict[str, Any]:
    """All that is recorded of disks and bricks."""
    fields = ("id", "wwn", "model", "serial", "use", "volume_group", "prepared", "pv_uuid", "vg_uuid")
    found: dict[str, Any] = {
        f"{name}/{d.id}": tuple(getattr(d, field) for field in fields)
        for name, node in site.nodes.items()
        for d in node.status.disks
        if d.use
    }
    for name, volume in site.volumes.items():
        found |= {f"{name}/{b.node}{b.path}": (b.lv_uuid, b.filesystem_uuid) for b in volume.status.bricks}
    return found


def test_what_was_made_is_recorded(site: RuledSite) -> None:
    for name, node in site.nodes.items():
        (disk,) = (d for d in node.status.disks if d.use)
        there = site.machines[name].storage.disks["sdb"]
        group = site.machines[name].storage.groups[disk.volume_group]
        assert (disk.wwn, disk.serial, disk.model) == (there.wwn, there.serial, there.model)
        assert (disk.pv_uuid, disk.vg_uuid, disk.prepared) == (there.pv_uuid, group.uuid, True)
    for volume in site.volumes.values():
        assert len(volume.status.bricks) == 3
        for brick in volume.status.bricks:
            found = site.machines[brick.node].storage.mounts[brick.path.removesuffix("/brick1/brick")]
            assert found.filesystem
            assert (brick.lv_uuid, brick.filesystem_uuid) == (found.uuid, found.filesystem.uuid)


def label_lost(site: RuledSite) -> None:
    lose_label(site.machines["node1"])


def swapped(site: RuledSite) -> None:
    swap(site.machines["node1"], site.machines["node2"])


def shared(site: RuledSite) -> None:
    share(site.machines["node1"], site.machines["node2"])


def renamed_group(site: RuledSite) -> None:
    pulled = pull(site.machines["node1"], "sdb")
    pulled.disk.group = "vgold"
    (group,) = pulled.groups.values()
    group.name = "vgold"
    volumes = {("vgold", name): v for (_, name), v in pulled.volumes.items()}
    for volume in volumes.values():
        volume.group = "vgold"
    pulled.groups.clear()
    pulled.groups["vgold"] = group
    pulled.volumes.clear()
    pulled.volumes.update(volumes)
    plug(site.machines["node1"], pulled, "sdb")


def exchanged(site: RuledSite) -> None:
    """A new disk where the recorded one was."""
    storage = site.machines["node1"].storage
    old = pull(site.machines["node1"], "sdb").disk
    new = data_disk("sdb", node="node77")
    new.links = (*new.links, *(link for link in old.links if link.startswith("by-path/")))
    storage.disks["sdb"] = new


@pytest.mark.parametrize(
    ("what", "reason", "node"),
    [
        pytest.param(swapped, Reason.DISK_SWAPPED, "node1", id="data disks of two nodes swapped"),
        pytest.param(swapped, Reason.DISK_SWAPPED, "node2", id="data disks of two nodes swapped: the other one"),
        pytest.param(label_lost, Reason.DISK_LABEL_LOST, "node1", id="label wiped"),
        pytest.param(shared, Reason.SHARED_DISK, "node1", id="a second host sees the disk"),
        pytest.param(renamed_group, Reason.VOLUME_GROUP_REPLACED, "node1", id="group renamed"),
        pytest.param(exchanged, Reason.DISK_NOT_FOUND, "node1", id="disk exchanged"),
    ],
)
def test_a_node_whose_disks_are_not_the_recorded_ones_is_left_alone(
    site: RuledSite, what: Callable[[RuledSite], None], reason: Reason, node: str
) -> None:
    before = records(site)
    what(site)
    plans = passes(site)
    assert reason in reasons(plans[f"Node/{node}"]), plans[f"Node/{node}"]
    for name in VOLUMES:
        assert isinstance(plans[f"GlusterVolume/{name}"], Blocked | Proceed)
        assert reasons(plans[f"GlusterVolume/{name}"]) & {reason, Reason.QUORUM_LOST}, plans[f"GlusterVolume/{name}"]
    assert records(site) == before


def test_what_lost_its_label_works_again_once_vgcfgrestore_has_run(site: RuledSite) -> None:
    machine = site.machines["node1"]
    kept = pull(machine, "sdb")
    plug(machine, kept, "sdb")
    uuid, group = kept.disk.pv_uuid, kept.disk.group
    lose_label(machine)
    passes(site)
    kept.disk.signature, kept.disk.pv_uuid, kept.disk.group = "LVM2_member", uuid, group
    plug(machine, kept, "sdb")
    machine.reboot()
    formatted = list(machine.storage.formatted)
    site.settle()
    assert machine.storage.formatted == formatted
    assert all(isinstance(p, Converged) for p in site.round().values())


def test_a_group_with_a_name_of_ours_on_a_disk_of_nobody_is_not_used(site: RuledSite) -> None:
    fresh = ruled_site(("node1",), VOLUMES, nodes={"node1": {"disks": {"selection": "ById", "ids": ["wwn-0x5"]}}})
    machine = fresh.machines["node1"]
    swap_in = pull(site.machines["node1"], "sdb")
    swap_in.disk.transport = "usb"
    for group in swap_in.groups.values():
        group.tags.clear()
    plug(machine, swap_in, "sdb")
    plans = passes_of_a_new_site(fresh)
    assert Reason.VOLUME_GROUP_NOT_OURS in reasons(plans["Node/node1"])
    assert not machine.storage.mounts
    assert not machine.storage.formatted
    assert not any(d.use for d in fresh.nodes["node1"].status.disks)


def passes_of_a_new_site(site: RuledSite) -> dict[str, Plan]:
    for _ in range(12):
        plans = site.round()
    return plans


def test_a_group_is_adopted_by_a_persons_word_and_not_by_its_name(site: RuledSite) -> None:
    """The cluster's database was lost: the same hosts under new objects."""
    ids = {name: next(d.id for d in n.status.disks if d.use) for name, n in site.nodes.items()}
    for name, node in site.nodes.items():
        meta = node.metadata.model_copy(update={"uid": f"another-{name}"})
        site.nodes[name] = node.model_copy(update={"metadata": meta, "status": type(node.status)()})
    site.site = site.site.model_copy(update={"status": type(site.site.status)()})
    for name, volume in site.volumes.items():
        site.volumes[name] = volume.model_copy(update={"status": type(volume.status)()})
    effects = len(site.effects)
    plans = passes_of_a_new_site(site)
    assert Reason.VOLUME_GROUP_NOT_OURS in reasons(plans["Node/node1"])
    assert not any(d.use for d in site.nodes["node1"].status.disks)
    for name, node in site.nodes.items():
        disks = node.spec.disks.model_copy(update={"selection": DiskSelection.BY_ID, "ids": [ids[name]]})
        spec = node.spec.model_copy(update={"disks": disks})
        site.nodes[name] = node.model_copy(update={"spec": spec})
    for _ in range(8):
        plans = site.round()
    assert all(isinstance(p, Converged) for p in plans.values()), plans
    assert len(site.effects) == effects
    assert all(d.pv_uuid for n in site.nodes.values() for d in n.status.disks if d.use)
    assert all(b.lv_uuid and b.filesystem_uuid for v in site.volumes.values() for b in v.status.bricks)


def test_a_group_whose_status_was_lost_is_known_by_its_tag(site: RuledSite) -> None:
    before = records(site)
    for name, node in site.nodes.items():
        site.nodes[name] = node.model_copy(update={"status": type(node.status)()})
    passes(site)
    assert {k: v for k, v in records(site).items() if k.startswith("node")} == {
        k: v for k, v in before.items() if k.startswith("node")
    }


# --- bricks ---


def volume_on(site: RuledSite, node: str, name: str = "vmstore") -> SimVolume:
    return next(v for v in site.machines[node].storage.volumes.values() if v.name == name)


def new_volume(site: RuledSite) -> None:
    volume_on(site, "node1").uuid = "Zzzzzz-bbbb-cccc-dddd-eeee-ffff-gggggg"


def new_filesystem(site: RuledSite) -> None:
    volume_on(site, "node1").filesystem = Filesystem("xfs", 40 * 2**30)


def no_filesystem(site: RuledSite) -> None:
    volume_on(site, "node1").filesystem = None
    del site.machines["node1"].storage.mounts["/gluster_bricks/vmstore"]


def mounted_other(site: RuledSite) -> None:
    site.machines["node1"].storage.mounts["/gluster_bricks/vmstore"] = volume_on(site, "node1", "engine")


def copied(site: RuledSite) -> None:
    own = volume_on(site, "node1")
    assert own.filesystem
    copy = SimVolume(own.group, "snap", own.size, filesystem=Filesystem("xfs", own.size, uuid=own.filesystem.uuid))
    site.machines["node1"].storage.volumes[own.group, "snap"] = copy


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        pytest.param(new_volume, Reason.LOGICAL_VOLUME_REPLACED, id="another logical volume of the same name"),
        pytest.param(new_filesystem, Reason.FILESYSTEM_REPLACED, id="another filesystem"),
        pytest.param(no_filesystem, Reason.FILESYSTEM_REPLACED, id="no filesystem any more"),
        pytest.param(mounted_other, Reason.FILESYSTEM_REPLACED, id="mounted from another volume"),
        pytest.param(copied, Reason.FILESYSTEM_DUPLICATED, id="a snapshot that is active"),
    ],
)
def test_a_brick_that_is_not_the_recorded_one_is_left_alone(
    site: RuledSite, what: Callable[[RuledSite], None], reason: Reason
) -> None:
    before = records(site)
    what(site)
    plans = passes(site)
    assert reason in reasons(plans["GlusterVolume/vmstore"]), plans["GlusterVolume/vmstore"]
    assert isinstance(plans["Node/node1"], Converged)
    assert records(site) == before


def test_records_of_bricks_outlive_everything_that_cannot_be_seen(site: RuledSite) -> None:
    before = records(site)
    site.gluster.power_cut("node1")
    passes(site)
    for name in ("node2", "node3"):
        site.gluster.power_cut(name)
    passes(site)
    site.site = site.site.model_copy(update={"status": type(site.site.status)()})
    passes(site)
    assert records(site) == before


# --- before ---


def as_the_version_before_left_it(site: RuledSite) -> None:
    for name, node in site.nodes.items():
        site.nodes[name] = forgotten(node)
    for name, volume in site.volumes.items():
        site.volumes[name] = forgotten(volume)
    leave_hosts(site.machines.values())
    site.look_again()


def forgotten(held: R) -> R:
    obj = held.model_dump(mode="json", by_alias=True)
    forget_identities(obj)
    return held.model_copy(update={"status": type(held.status).model_validate(obj["status"])})


def test_a_site_of_the_version_before_is_taken_over_once_and_without_an_alarm(site: RuledSite) -> None:
    as_the_version_before_left_it(site)
    mounted = {name: dict(m.storage.mounts) for name, m in site.machines.items()}
    effects = len(site.effects)
    for _ in range(4):
        plans = site.round()
        assert not any(reasons(plan) for plan in plans.values()), plans
        assert {name: dict(m.storage.mounts) for name, m in site.machines.items()} == mounted
    assert all(isinstance(p, Converged) for p in plans.values()), plans
    done = site.effects[effects:]
    assert {type(step) for step in done} == {MountBrick}
    assert len(done) == 6
    assert not any(steps_of(plan) for plan in plans.values())
    for machine in site.machines.values():
        units = [f.content for name, f in machine.files.items() if name.endswith(".mount")]
        assert all("What=/dev/disk/by-uuid/" in unit for unit in units)
        assert not any(name.startswith("/etc/systemd/system/dev-vg") for name in machine.files)
    for node in site.nodes.values():
        (disk,) = (d for d in node.status.disks if d.use)
        assert all((disk.wwn, disk.serial, disk.pv_uuid, disk.vg_uuid))
    assert all(b.lv_uuid and b.filesystem_uuid for v in site.volumes.values() for b in v.status.bricks)


def test_a_site_of_the_version_before_whose_label_is_gone_is_not_prepared_again(site: RuledSite) -> None:
    as_the_version_before_left_it(site)
    lose_label(site.machines["node1"])
    for _ in range(4):
        plans = site.round()
    assert Reason.DISK_LABEL_LOST in reasons(plans["Node/node1"])
    assert all(d.prepared for d in site.nodes["node1"].status.disks if d.use)
    assert not site.machines["node1"].storage.groups


# --- before a disk is prepared ---


def test_a_disk_that_two_nodes_see_is_prepared_by_none() -> None:
    site = ruled_site(volumes=VOLUMES)
    share(site.machines["node1"], site.machines["node2"], as_name="sdb")
    plans = passes_of_a_new_site(site)
    assert not site.machines["node1"].storage.groups
    assert not site.machines["node2"].storage.groups
    assert "also seen by another node" in plans["GlusterVolume/vmstore"].message  # type: ignore[union-attr]


def test_a_disk_is_prepared_only_once_every_other_storage_node_was_asked() -> None:
    site = ruled_site(volumes=VOLUMES)
    for _ in range(12):
        site.round()
        if any(type(s).__name__ == "InstallPackages" for s in site.effects) and site.site.status.storage:
            break
    site.gluster.power_cut("node3")
    for _ in range(6):
        plans = site.round()
    assert not any(m.storage.groups for m in site.machines.values())
    assert "written to once node3 was asked" in str(plans["Node/node1"])

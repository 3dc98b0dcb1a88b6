"""The end of a volume: never by default, never while it is used, and only with an approval."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.gluster.plan import plan_volume_removal
from heretic.domain.host.facts import HostFacts, Mount
from heretic.domain.plan import Blocked, Converged, Proceed, Wait
from sim.asked import but
from sim.block_devices import Folder
from sim.site_rules import RuledSite, ruled_site
from sim.swaps import swap

VOLUMES = {
    "vmstore": {"purpose": "VirtualMachines", "size": "40Gi", "deletionPolicy": "Destroy"},
    "kept": {"purpose": "Lock", "size": "1Gi"},
}


@pytest.fixture(scope="module")
def built() -> tuple[RuledSite, Callable[[], None]]:
    site = ruled_site(volumes=VOLUMES)
    site.settle()
    return site, site.save()


@pytest.fixture
def site(built: tuple[RuledSite, Callable[[], None]]) -> RuledSite:
    site, restore = built
    restore()
    return site


def test_by_default_the_object_goes_and_everything_stays(site: RuledSite) -> None:
    assert isinstance(site.removal_of("kept"), Converged)


def test_destroy_is_one_plan_that_needs_an_approval(site: RuledSite) -> None:
    plan = site.removal_of("vmstore")
    assert isinstance(plan, Proceed)
    assert plan.ordered
    assert [s.verb for s in plan.steps[:2]] == ["StopVolume", "DeleteVolume"]
    assert sorted(s.target.name for s in plan.steps if s.verb == "RemoveLogicalVolume") == sorted(site.nodes)
    assert any(s.needs_approval for s in plan.steps)


def test_destroy_leaves_nothing_of_this_volume_and_all_of_the_others(site: RuledSite) -> None:
    others = {(n, k) for n, m in site.machines.items() for k in m.storage.volumes if k[1] != "vmstore"}
    site.act(site.removal_of("vmstore"))
    assert site.failures == []
    assert isinstance(site.removal_of("vmstore"), Converged)
    assert set(site.gluster.volumes) == {"kept"}
    assert {(n, k) for n, m in site.machines.items() for k in m.storage.volumes} == others
    assert {m.name: m.refusals for m in site.machines.values() if m.refusals} == {}
    folder = "/etc/systemd/system/"
    for machine in site.machines.values():
        units = sorted(p.removeprefix(folder).partition("/")[0] for p in machine.files if p.startswith(f"{folder}dev-"))
        assert len(units) == 1, units


def test_nothing_is_destroyed_on_a_disk_that_is_not_the_recorded_one(site: RuledSite) -> None:
    swap(site.machines["node1"], site.machines["node2"])
    plan = site.removal_of("vmstore")
    assert not isinstance(plan, Proceed | Converged), plan


def test_destroy_that_was_cut_off_anywhere_can_be_finished(site: RuledSite) -> None:
    plan = site.removal_of("vmstore")
    assert isinstance(plan, Proceed)
    restore = site.save()
    for done in range(len(plan.steps)):
        restore()
        assert all(site.perform(step) for step in plan.steps[:done])
        rest = site.removal_of("vmstore")
        assert isinstance(rest, Proceed), rest
        assert [s.verb for s in rest.steps] == [s.verb for s in plan.steps[done:]]
        site.act(rest)
        assert isinstance(site.removal_of("vmstore"), Converged)


def use(site: RuledSite) -> None:
    site.gluster.volumes["vmstore"].clients["fuse"] = 1


def out(site: RuledSite) -> None:
    site.gluster.power_cut("node3")


def disconnect(site: RuledSite) -> None:
    site.machines["node3"].units["glusterd.service"].active = "inactive"


def lock(site: RuledSite) -> None:
    site.gluster.locked = "vmstore"


def other_id(site: RuledSite) -> None:
    site.gluster.volumes["vmstore"].id = "00000000-0000-4000-8000-000000000000"


def other_bricks(site: RuledSite) -> None:
    site.gluster.volumes["vmstore"].bricks[0].path = "/elsewhere"


@pytest.mark.parametrize(
    ("happens", "kind", "reason"),
    [
        pytest.param(use, Blocked, Reason.VOLUME_IN_USE, id="a client has it open"),
        pytest.param(lock, Wait, Reason.VOLUME_IN_USE, id="who uses it is not known"),
        pytest.param(out, Wait, Reason.NODE_NOT_READY, id="a node is out"),
        pytest.param(disconnect, Wait, Reason.WAITING_FOR_POOL, id="a glusterd is down"),
        pytest.param(other_id, Blocked, Reason.TOPOLOGY_DIFFERS, id="it is a namesake"),
        pytest.param(other_bricks, Blocked, Reason.TOPOLOGY_DIFFERS, id="its bricks are others"),
    ],
)
def test_destroy_is_refused(
    site: RuledSite, happens: Callable[[RuledSite], None], kind: type[Any], reason: Reason
) -> None:
    happens(site)
    plan = site.removal_of("vmstore")
    assert isinstance(plan, kind), plan
    assert plan.reason is reason


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("node1.gluster.private:/vmstore", True),
        ("node1.gluster.private:vmstore", True),
        ("172.20.11.11:/vmstore/folder", True),
        ("node1.gluster.private:/vmstore2", False),
        ("node1.gluster.private:/kept", False),
    ],
)
def test_destroy_is_refused_while_any_host_has_it_mounted(site: RuledSite, source: str, used: bool) -> None:
    hosts = site.observe()
    facts = hosts["node2"]
    assert isinstance(facts, HostFacts)
    assert isinstance(facts.mounts, Known)
    mounts = (*facts.mounts.value, Mount("/mnt/data", source, "fuse.glusterfs"))
    seen = {**hosts, "node2": replace(facts, mounts=Known(mounts))}
    plan = plan_volume_removal(site.volumes["vmstore"], site.view, seen, site.ask_pool())
    assert isinstance(plan, Blocked) is used
    if isinstance(plan, Blocked):
        assert plan.reason is Reason.VOLUME_IN_USE
        assert "node2" in plan.message


@pytest.mark.parametrize("fact", ["mounts", "logical_volumes", "bricks", "peers"])
def test_what_is_not_known_forbids_to_destroy(site: RuledSite, fact: str) -> None:
    hosts = site.observe()
    for node in site.nodes:
        facts = hosts[node]
        assert isinstance(facts, HostFacts)
        lost: dict[str, Any] = {fact: Unknown("lost")}
        seen = {**hosts, node: but(facts, **lost)}
        plan = plan_volume_removal(site.volumes["vmstore"], site.view, seen, site.ask_pool())
        asked = site.ask_pool()
        assert isinstance(asked, Known)
        if fact != "peers" or node == asked.value.asked:
            assert isinstance(plan, Wait), plan


def test_a_brick_of_another_volume_is_never_removed(site: RuledSite) -> None:
    site.act(Proceed(site.removal_of("vmstore").steps[:2], ordered=True))  # type: ignore[union-attr]
    folder = site.machines["node1"].storage.folder("/gluster_bricks/vmstore/brick1/brick")
    assert folder is not None
    folder.volume_id = "00000000-0000-4000-8000-000000000000"
    plan = site.removal_of("vmstore")
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.BRICK_NOT_EMPTY


def brick_of(site: RuledSite) -> Folder:
    folder = site.machines["node1"].storage.folder("/gluster_bricks/vmstore/brick1/brick")
    assert folder is not None
    return folder


def unmount(site: RuledSite) -> None:
    site.machines["node1"].storage.mounts.pop("/gluster_bricks/vmstore")


@pytest.mark.parametrize("holds", ["another volume's brick", "this volume's brick"])
def test_a_logical_volume_that_is_not_mounted_is_not_removed(site: RuledSite, holds: str) -> None:
    """What it holds cannot be seen, whatever its name; it was not unmounted by a removal of ours."""
    site.act(Proceed(site.removal_of("vmstore").steps[:2], ordered=True))  # type: ignore[union-attr]
    if holds == "another volume's brick":
        brick_of(site).volume_id = "00000000-0000-4000-8000-000000000000"
    unmount(site)
    plan = site.removal_of("vmstore")
    assert isinstance(plan, Blocked), plan
    assert plan.reason is Reason.BRICK_NOT_PROVEN
    assert "mount /dev/vgdisk1/vmstore" in plan.message


def test_no_id_is_not_the_same_as_no_mark(site: RuledSite) -> None:
    """The volume never came to be as far as the record goes, and the folder carries no mark."""
    del site.gluster.volumes["vmstore"]
    volume = site.volumes["vmstore"]
    site.volumes["vmstore"] = volume.model_copy(update={"status": volume.status.model_copy(update={"volume_id": ""})})
    brick_of(site).volume_id = ""
    brick_of(site).entries = 0
    plan = site.removal_of("vmstore")
    assert isinstance(plan, Blocked), plan
    assert plan.reason is Reason.BRICK_NOT_PROVEN

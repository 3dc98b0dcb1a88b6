from typing import Any

import pytest

from heretic.api.v1alpha1 import GlusterVolume
from heretic.reconcile.store import Key, ObjectStore
from heretic.reconcile.wake import WakeUps

NODE1, NODE2 = Key("Node", "demo", "node1"), Key("Node", "demo", "node2")
DATA, SITE = Key("GlusterVolume", "demo", "data"), Key("Site", "demo", "demo")
OTHER = Key("Node", "other", "node1")


def raw(key: Key, version: int, *, generation: int = 1, **more: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "Node": {"address": "192.0.2.1"},
        "GlusterVolume": {"purpose": "VirtualMachines", "size": "10Gi"},
    }.get(key.kind, {})
    meta = {"namespace": key.namespace, "name": key.name, "uid": f"uid-{key.name}", "generation": generation}
    annotations = more.pop("annotations", {})
    return {
        "kind": key.kind,
        "metadata": meta | {"resourceVersion": str(version), "annotations": annotations},
        "spec": more.pop("spec", spec),
        "status": more,
    }


def ready(status: str, message: str = "said") -> list[dict[str, str]]:
    return [{"type": "Ready", "status": status, "reason": "AsDeclared", "message": message}]


@pytest.fixture
def store() -> ObjectStore:
    store = ObjectStore()
    for version, key in enumerate((SITE, NODE1, NODE2, DATA, OTHER), start=1):
        store.put(key.kind, raw(key, version))
    return store


@pytest.fixture
def wakes(store: ObjectStore) -> WakeUps:
    wakes = WakeUps(store)
    for key in (SITE, NODE1, NODE2, DATA, OTHER):
        wakes.seen(key)
    for key in (SITE, NODE1, NODE2, DATA, OTHER):
        wakes.clear(key)
    return wakes


async def woken(wakes: WakeUps) -> set[Key]:
    return {key for key in (SITE, NODE1, NODE2, DATA, OTHER) if await wakes.wait(key, 0.001)}


def test_a_view_holds_one_namespace_and_is_made_once(store: ObjectStore) -> None:
    view = store.view("demo")
    assert set(view.nodes) == {"node1", "node2"}
    assert set(view.of(GlusterVolume)) == {"data"}
    assert store.view("demo") is view
    store.put("Node", raw(NODE1, 10, generation=2))
    assert store.view("demo") is not view


def test_what_the_watch_brings_late_does_not_replace_our_own_write(store: ObjectStore) -> None:
    store.put("Node", raw(NODE1, 20, summary="written by us"))
    store.put("Node", raw(NODE1, 15, summary="before it"))
    held = store.get(NODE1)
    assert held is not None
    assert held.raw["status"]["summary"] == "written by us"


def test_a_spec_that_does_not_fit_is_kept_with_its_error(store: ObjectStore) -> None:
    store.put("Node", raw(NODE1, 20, spec={"adress": "192.0.2.1"}))
    held = store.get(NODE1)
    assert held is not None
    assert held.parsed is None
    assert "address" in held.error
    assert set(store.view("demo").nodes) == {"node2"}


async def test_a_changed_spec_wakes_the_object_and_its_dependents(store: ObjectStore, wakes: WakeUps) -> None:
    wakes.seen(store.put("Node", raw(NODE1, 20, generation=2)))
    assert await woken(wakes) == {NODE1, NODE2, SITE, DATA}


async def test_our_own_status_write_wakes_nobody_when_it_says_nothing_new(store: ObjectStore, wakes: WakeUps) -> None:
    wakes.seen(store.put("Node", raw(NODE1, 20, conditions=ready("False"))))
    assert await woken(wakes) == {NODE2, SITE, DATA}, "dependents hear of Ready"
    for key in (SITE, NODE1, NODE2, DATA):
        wakes.clear(key)
    wakes.seen(store.put("Node", raw(NODE1, 21, conditions=ready("False", "other words"))))
    assert await woken(wakes) == set()


async def test_networks_look_again_when_an_address_comes_to_an_interface(store: ObjectStore, wakes: WakeUps) -> None:
    storage = Key("Network", "demo", "gluster")
    spec = {"role": "Gluster", "subnet": "192.0.2.0/24"}
    wakes.seen(store.put("Network", raw(storage, 6, spec=spec)))
    for version, addresses in ((20, []), (21, ["192.0.2.11/24"])):
        for key in (SITE, NODE1, NODE2, DATA, storage):
            wakes.clear(key)
        wakes.seen(store.put("Node", raw(NODE1, version, interfaces=[{"name": "ib0", "addresses": addresses}])))
        assert await wakes.wait(storage, 0.001)


async def test_an_annotation_of_ours_wakes_the_object_and_a_foreign_one_does_not(
    store: ObjectStore, wakes: WakeUps
) -> None:
    wakes.seen(store.put("GlusterVolume", raw(DATA, 20, annotations={"argocd.argoproj.io/sync": "1"})))
    assert await woken(wakes) == set()
    wakes.seen(store.put("GlusterVolume", raw(DATA, 21, annotations={"hvp.ovirt.life/approve": "abc"})))
    assert await woken(wakes) == {DATA}


async def test_kopfs_own_annotations_wake_nobody(store: ObjectStore, wakes: WakeUps) -> None:
    last = {"kopf.hvp.ovirt.life/last-handled-configuration": "{}", "kopf.hvp.ovirt.life/nodes-release": "{}"}
    wakes.seen(store.put("Node", raw(NODE1, 20, annotations=last)))
    assert await woken(wakes) == set()


async def test_a_deleted_object_wakes_its_dependents(store: ObjectStore, wakes: WakeUps) -> None:
    assert store.drop(DATA, "uid-data")
    wakes.gone(DATA)
    assert await woken(wakes) == {NODE1, NODE2, SITE}


def test_a_late_deletion_does_not_take_a_namesake_away(store: ObjectStore) -> None:
    """Events of two objects of one name come in no certain order."""
    namesake = raw(DATA, 30)
    namesake["metadata"]["uid"] = "uid-of-the-new-one"
    store.put("GlusterVolume", namesake)
    assert not store.drop(DATA, "uid-data")
    assert store.get(DATA) is not None
    assert store.drop(DATA, "uid-of-the-new-one")
    assert store.get(DATA) is None


def test_an_object_that_is_being_deleted_is_leaving(store: ObjectStore) -> None:
    assert not store.is_leaving(DATA)
    leaving = raw(DATA, 30)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    store.put("GlusterVolume", leaving)
    assert store.is_leaving(DATA)
    assert store.is_leaving(Key("Node", "demo", "never-seen"))

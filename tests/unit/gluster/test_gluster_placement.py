"""Where bricks lie, how large they are, and what does not fit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heretic.api.v1alpha1 import GlusterVolume, Node
from heretic.api.v1alpha1.gluster_volume import Provisioning, Purpose
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.space import group_bytes, group_capacity
from heretic.domain.errors import Reason
from heretic.domain.gluster.placement import Placement, groups_needed, place, thin_bricks
from heretic.domain.gluster.purposes import PROFILES, arbiter_bytes, options_of
from heretic.domain.plan import Blocked, Wait
from lab.platforms import PLATFORMS, Platform
from sim.declared import GIB, disk, node, site, three, view, volume
from sim.gluster_options import is_valid

THREE = {"nodes": ["n1", "n2", "n3"], "arbiter": "n3", "dataDiskCount": 1}


def prepared(name: str, number: int, group: str, size: int = 200 * GIB, **spec: Any) -> Node:
    return node(name, number, disks=[disk(name, size, use="Everything", volumeGroup=group)], **spec)


def small_site(*volumes: GlusterVolume, size: int = 200 * GIB) -> SiteView:
    """Three nodes with one disk each; n3 is the arbiter."""
    nodes = [
        prepared("n1", 11, "vgdisk1", size),
        prepared("n2", 12, "vgdisk1", size),
        prepared("n3", 13, "vgarbiter", size),
    ]
    return view(nodes, sites=[site(THREE)], volumes=list(volumes))


def placement(of: SiteView, name: str = "data") -> Placement:
    found = place(of)[name]
    assert isinstance(found, Placement), found
    return found


def test_two_data_bricks_and_an_arbiter() -> None:
    found = placement(small_site(volume("data", size="40Gi")))
    assert [(b.host, b.group, b.name, b.size, b.thin, b.arbiter) for b in found.bricks] == [
        ("n1", "vgdisk1", "data", 40 * GIB, True, False),
        ("n2", "vgdisk1", "data", 40 * GIB, True, False),
        ("n3", "vgarbiter", "data", 1 * GIB, True, True),
    ]
    assert (found.replica_count, found.arbiter_count) == (3, 1)
    assert {b.owner for b in found.bricks} == {(36, 36)}


def test_a_lock_volume_has_three_full_thick_copies() -> None:
    found = placement(small_site(volume("data", purpose="Lock", size="1Gi")))
    assert [(b.size, b.thin, b.arbiter) for b in found.bricks] == [(1 * GIB, False, False)] * 3
    assert found.arbiter_count == 0


def test_one_node_has_one_copy() -> None:
    only = view(
        [prepared("n1", 11, "vgdisk1")],
        sites=[site({"nodes": ["n1"], "arbiter": "", "dataDiskCount": 1})],
        volumes=[volume("data")],
    )
    found = placement(only)
    assert [(b.host, b.arbiter) for b in found.bricks] == [("n1", False)]
    assert "cluster.quorum-type" not in found.options


def chain(count: int, *volumes: GlusterVolume) -> SiteView:
    names = [f"n{i}" for i in range(1, count + 1)]
    nodes = [prepared(name, 10 + i, "vgdisk1") for i, name in enumerate(names)]
    return view(nodes, sites=[site({"nodes": names, "arbiter": "", "dataDiskCount": 1})], volumes=list(volumes))


def test_four_nodes_chain_their_sets() -> None:
    found = placement(chain(4, volume("data", size="40Gi")))
    assert [[(b.host, b.name, b.arbiter) for b in s] for s in found.sets] == [
        [("n1", "data", False), ("n2", "data", False), ("n3", "data", True)],
        [("n2", "data-2", False), ("n3", "data-2", False), ("n4", "data", True)],
        [("n3", "data-3", False), ("n4", "data-2", False), ("n1", "data-2", True)],
        [("n4", "data-3", False), ("n1", "data-3", False), ("n2", "data-3", True)],
    ]
    assert {b.size for b in found.bricks if not b.arbiter} == {10 * GIB}, "the usable size is shared by the sets"


@given(st.integers(3, 8), st.integers(1, 400))
def test_the_sets_hold_at_least_what_is_declared(count: int, gibibytes: int) -> None:
    of = chain(count, volume("data", size=f"{gibibytes}Gi"))
    found = place(of)["data"]
    if not isinstance(found, Placement):
        return
    assert sum(min(b.size for b in s if not b.arbiter) for s in found.sets) >= gibibytes * GIB
    assert len({(b.host, b.name) for b in found.bricks}) == len(found.bricks)


def test_named_nodes_are_sets_in_their_order_with_the_arbiter_last() -> None:
    found = placement(small_site(volume("data", nodes=["n3", "n2", "n1"])))
    assert [(b.host, b.arbiter) for b in found.bricks] == [("n2", False), ("n1", False), ("n3", True)]
    found = placement(chain(6, volume("data", nodes=["n6", "n5", "n4"])))
    assert [(b.host, b.arbiter) for b in found.bricks] == [("n6", False), ("n5", False), ("n4", True)]


def test_disks_by_purpose() -> None:
    groups = {"vgdisk1": "a", "vgdisk2": "b", "vgdisk3": "c"}
    nodes = [
        node(n, 11 + i, disks=[disk(n + d, use="x", volumeGroup=g) for g, d in groups.items()])
        for i, n in enumerate(["n1", "n2"])
    ]
    storage = {"nodes": ["n1", "n2", "n3"], "arbiter": "n3", "dataDiskCount": 3}
    of = view(
        [*nodes, prepared("n3", 13, "vgarbiter")],
        sites=[site(storage)],
        volumes=[
            volume("engine", purpose="Engine"),
            volume("vmstore"),
            volume("share", purpose="SMBShare"),
            volume("lock", purpose="Lock", size="1Gi"),
        ],
    )
    assert {name: placement(of, name).bricks[0].group for name in of.of(GlusterVolume)} == {
        "engine": "vgdisk1",
        "vmstore": "vgdisk3",
        "share": "vgdisk2",
        "lock": "vgdisk2",
    }
    assert groups_needed(of, "n1") == {"vgdisk1", "vgdisk2", "vgdisk3"}
    assert groups_needed(of, "n3") == {"vgarbiter"}


def test_what_does_not_fit_is_refused_with_numbers_and_leaves_the_others() -> None:
    of = small_site(volume("a", size="100Gi"), volume("b", size="99Gi"), volume("c", size="20Gi"))
    found = place(of)
    assert isinstance(found["a"], Placement)
    blocked = found["b"]
    assert isinstance(blocked, Blocked)
    assert blocked.reason is Reason.DOES_NOT_FIT
    for number in ("n1", "vgdisk1", "101Gi", "99Gi", "too much"):
        assert number in blocked.message
    assert isinstance(found["c"], Placement), "it takes no room"
    assert sum(b.size for b in thin_bricks(of)["n1", "vgdisk1"]) == 120 * GIB


def test_a_volume_that_exists_comes_before_an_older_name() -> None:
    existing = volume("z", {"volumeId": "8a1c"}, size="100Gi")
    found = place(small_site(volume("a", size="150Gi"), existing))
    assert isinstance(found["z"], Placement)
    assert isinstance(found["a"], Blocked)


@given(st.lists(st.tuples(st.sampled_from(list(Purpose)), st.integers(1, 150)), min_size=1, max_size=6))
def test_whatever_is_placed_fits(wanted: list[tuple[Purpose, int]]) -> None:
    volumes = [volume(f"v{i}", purpose=p.value, size=f"{n}Gi") for i, (p, n) in enumerate(wanted)]
    of = small_site(*volumes)
    placed = [p for p in place(of).values() if isinstance(p, Placement)]
    bricks = [b for p in placed for b in p.bricks]
    for host, group in {(b.host, b.group) for b in bricks}:
        here = [b for b in bricks if (b.host, b.group) == (host, group)]
        thin = sum(b.size for b in here if b.thin)
        assert thin == sum(b.size for b in thin_bricks(of).get((host, group), ()))
        assert group_bytes([b.size for b in here if not b.thin], thin) <= group_capacity(200 * GIB)


@pytest.mark.parametrize(
    ("of", "kind", "reason"),
    [
        pytest.param(view(three(), volumes=[volume("data")]), Wait, Reason.WAITING_FOR_SITE, id="nothing chosen yet"),
        pytest.param(
            view([node("n1", 11), node("n2", 12)], volumes=[volume("data")]),
            Blocked,
            Reason.UNSUPPORTED_NODE_COUNT,
            id="a site of two nodes",
        ),
        pytest.param(
            view(three(), sites=[site(THREE)], volumes=[volume("data")]),
            Wait,
            Reason.WAITING_FOR_NODES,
            id="no disk chosen yet",
        ),
        pytest.param(
            small_site(volume("data", nodes=["n1", "n2", "n9"])), Blocked, Reason.NODE_NOT_FOUND, id="unknown node"
        ),
        pytest.param(
            small_site(volume("data", replicaCount=1)), Blocked, Reason.INVALID_SPEC, id="one copy, three nodes"
        ),
        pytest.param(
            small_site(volume("data", nodes=["n3"])), Blocked, Reason.INVALID_SPEC, id="the only copy on the arbiter"
        ),
        pytest.param(
            chain(1, volume("data", replicaCount=3)),
            Blocked,
            Reason.UNSUPPORTED_NODE_COUNT,
            id="three copies, one node",
        ),
        pytest.param(
            view(
                [prepared(f"n{i}", 10 + i, "vgdisk1", failureDomain="rack" if i > 1 else "hall") for i in (1, 2, 3)],
                sites=[site(THREE)],
                volumes=[volume("data")],
            ),
            Blocked,
            Reason.FAILURE_DOMAIN_SHARED,
            id="two copies in one failure domain",
        ),
    ],
)
def test_what_cannot_be_placed(of: SiteView, kind: type[Any], reason: Reason) -> None:
    found = place(of)["data"]
    assert isinstance(found, kind), found
    assert found.reason is reason


def test_two_objects_for_one_volume_are_refused() -> None:
    found = place(small_site(volume("a", volumeName="data"), volume("b", volumeName="data")))
    assert isinstance(found["a"], Placement)
    clash = found["b"]
    assert isinstance(clash, Blocked)
    assert "GlusterVolume a" in clash.message


def test_bricks_of_two_volumes_never_share_a_name() -> None:
    found = place(chain(4, volume("data"), volume("data-2")))
    assert isinstance(found["data"], Placement)
    clash = found["data-2"]
    assert isinstance(clash, Blocked)
    assert clash.reason is Reason.INVALID_SPEC


def test_an_arbiter_size_of_ones_own() -> None:
    found = placement(small_site(volume("data", size="40Gi", arbiterSize="5Gi")))
    assert found.bricks[2].size == 5 * GIB


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=lambda platform: platform.name)
@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("replicas", [1, 3])
def test_gluster_knows_every_option_of_every_purpose(platform: Platform, purpose: Purpose, replicas: int) -> None:
    options = options_of(purpose, replicas)
    assert [name for name, value in options.items() if not is_valid(platform, name, value)] == []
    assert ("cluster.quorum-type" in options) is (replicas == 3)
    assert options.get("cluster.quorum-type", "auto") == "auto"
    assert options.get("cluster.server-quorum-type", "server") == "server"
    assert not {"cluster.granular-entry-heal", "nfs.disable", "cluster.use-compound-fops"} & set(options)


def test_only_images_are_sharded() -> None:
    sharded = {p for p in Purpose if PROFILES[p].sharded}
    assert sharded == {Purpose.ENGINE, Purpose.VIRTUAL_MACHINES, Purpose.ISO, Purpose.BLOCK_SHARE}
    thick = {p for p in Purpose if PROFILES[p].provisioning is Provisioning.THICK}
    assert thick == {Purpose.ENGINE, Purpose.LOCK}
    assert [p for p in Purpose if not PROFILES[p].arbiter] == [Purpose.LOCK]


@pytest.mark.parametrize(
    ("purpose", "brick", "expected"),
    [
        pytest.param(Purpose.VIRTUAL_MACHINES, 500 * GIB, 1 * GIB, id="images: the minimum"),
        pytest.param(Purpose.VIRTUAL_MACHINES, 16384 * GIB, 2 * GIB, id="images: 1/8192 of much"),
        pytest.param(Purpose.SMB_SHARE, 1024 * GIB, 16 * GIB, id="files: 1/64"),
        pytest.param(Purpose.SMB_SHARE, 30 * GIB, 4 * GIB, id="files: the minimum"),
        pytest.param(Purpose.SMB_SHARE, 1 * GIB, 1 * GIB, id="never more than a data brick"),
    ],
)
def test_arbiter_size(purpose: Purpose, brick: int, expected: int) -> None:
    assert arbiter_bytes(purpose, brick) == expected

"""Disks that are not what they seem, on real machines: Heretic says so, and writes nothing on them.

The tests of this module are one story and run in this order on one site. Whether something was written is told by
checksums of whole disks, taken from outside the machines.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.node import Node
from lab.spec import DiskSpec, NodeSpec, RawBytes, SiteSpec
from lab.stack import Stack

pytestmark = [pytest.mark.timeout(3000), pytest.mark.long]

GIB = 1 << 30
VOLUME, CLIENT, ARBITER = "vmstore", "node1", "node3"
SWAPPED = ("node1", "node2")
DATA = DiskSpec(name="data1", size="200G")
SHARED = DiskSpec(name="shelf", size="40G", shared=True)
UNSIGNED = DiskSpec(name="unsigned", size="40G", contents=RawBytes(offset=5 * GIB))
WORN = DiskSpec(name="worn", size="40G")
SPARES = {("node1", "shelf"), ("node2", "unsigned"), ("node3", "worn")}
"""Disks that nothing may ever be written on: too small for Auto, and named one after the other."""


@pytest.fixture(scope="module")
def spec() -> SiteSpec:
    """Two data nodes that share a disk, one of them with content that no tool knows; a third with a disk to break."""
    return SiteSpec(
        nodes=(
            NodeSpec(disks=(DATA, SHARED)),
            NodeSpec(disks=(DATA, SHARED, UNSIGNED)),
            NodeSpec(disks=(DiskSpec(name="data1", size="120G"), WORN)),
        )
    )


@pytest.fixture(scope="module")
def spares(stack: Stack) -> dict[tuple[str, str], str]:
    """Checksums of the disks that are never to be used, before anybody came."""
    return {(node, disk): stack.site.nodes[node].checksum(disk) for node, disk in SPARES}


@pytest.fixture(scope="module")
def written(stack: Stack, spares: dict[tuple[str, str], str]) -> Iterator[str]:
    """A site that is Ready, with a file in its volume: the file's checksum."""
    assert len(spares) == len(SPARES)
    stack.apply(stack.manifests("three-node"))
    stack.start_operator()
    settle(stack, 1800)
    node = stack.site.nodes[CLIENT]
    with Mounted(node):
        node.ssh("dd if=/dev/urandom of=/mnt/file bs=1M count=24 conv=fsync status=none", timeout=600)
    yield checksum(stack)
    stack.kill_operator()


class Mounted:
    """The volume is mounted inside the `with`."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def __enter__(self) -> None:
        self._node.ssh(f"mount -t glusterfs {CLIENT}.gluster.private:/{VOLUME} /mnt", timeout=300)

    def __exit__(self, *_: object) -> None:
        self._node.ssh("umount /mnt", timeout=300)


def settle(stack: Stack, seconds: float = 1200) -> None:
    stack.wait("every object Ready", stack.ready, seconds=seconds)


def checksum(stack: Stack) -> str:
    node = stack.site.nodes[CLIENT]
    with Mounted(node):
        return node.ssh("sha256sum < /mnt/file", timeout=600).stdout.split()[0]


def stalled(stack: Stack, node: str, reason: str) -> Callable[[], bool]:
    return lambda: stack.condition("hnode", node, "Stalled").get("reason") == reason


def is_stalled(stack: Stack, node: str, reason: str, seconds: float = 600) -> str:
    """Waits until a Node is Stalled for this reason, and returns what it says."""
    try:
        stack.wait(f"{node} Stalled with {reason}", stalled(stack, node, reason), seconds=seconds)
    except Exception as error:
        conditions = stack.get("hnode", node)["status"]["conditions"]
        raise AssertionError(f"{node} is not Stalled with {reason}: {json.dumps(conditions, indent=1)}") from error
    return str(stack.condition("hnode", node, "Stalled")["message"])


def ids(stack: Stack, node: str, *disks: str) -> list[str]:
    links = [stack.site.nodes[node].disks[disk].by_id for disk in disks]
    return [Path(link).name for link in links if link]


def name_disks(stack: Stack, node: str, *disks: str) -> None:
    """Says which disks of a node may be used; none = all that are blank and great enough."""
    chosen = {"selection": "ById", "ids": ids(stack, node, *disks)} if disks else {"selection": "Auto", "ids": None}
    stack.kubectl("patch", "hnode", node, "--type=merge", "-p", json.dumps({"spec": {"disks": chosen}}))


def finding(stack: Stack, node: str, disk: str) -> str:
    (name,) = ids(stack, node, disk)
    return next((str(d.get("finding")) for d in stack.get("hnode", node)["status"]["disks"] if d["id"] == name), "")


def destructive(stack: Stack, since: int) -> list[str]:
    """Destructive effects after the first so many."""
    return [f"{e['verb']} on {e['target']}" for e in stack.effects()[since:] if e["risk"] == "Destructive"]


def untouched(stack: Stack, spares: dict[tuple[str, str], str]) -> None:
    for (node, disk), before in spares.items():
        assert stack.site.nodes[node].checksum(disk) == before, f"{disk} of {node} was written on"


def test_a_site_comes_up_beside_disks_that_it_must_not_use(
    stack: Stack, written: str, spares: dict[tuple[str, str], str]
) -> None:
    assert checksum(stack) == written
    untouched(stack, spares)


def test_content_without_a_known_signature_is_found_and_left_alone(
    stack: Stack, written: str, spares: dict[tuple[str, str], str]
) -> None:
    before = len(stack.effects())
    name_disks(stack, "node2", "data1", "unsigned")
    said = is_stalled(stack, "node2", "ContentFound")
    assert "content without a known signature at 5" in said
    assert destructive(stack, before) == []
    untouched(stack, spares)
    name_disks(stack, "node2")
    settle(stack)


@pytest.mark.parametrize("part", ["head", "tail", "everywhere"])
def test_a_disk_that_cannot_be_read_is_told_and_left_alone(
    stack: Stack, written: str, spares: dict[tuple[str, str], str], part: str
) -> None:
    before = len(stack.effects())
    node = stack.site.nodes[ARBITER]
    node.damage_disk("worn", part)  # type: ignore[arg-type]
    try:
        node.ssh(f"udevadm settle --timeout=60; test -e {node.disks['worn'].by_id}")
        name_disks(stack, ARBITER, "data1", "worn")
        is_stalled(stack, ARBITER, "ReadError")
        assert "cannot be read at" in finding(stack, ARBITER, "worn")
        assert destructive(stack, before) == []
        untouched(stack, spares)
    finally:
        name_disks(stack, ARBITER)
        node.damage_disk("worn")
    settle(stack)


def test_a_disk_that_two_nodes_see_is_used_by_neither(
    stack: Stack, written: str, spares: dict[tuple[str, str], str]
) -> None:
    before = len(stack.effects())
    for node in SWAPPED:
        name_disks(stack, node, "data1", "shelf")
    for node in SWAPPED:
        is_stalled(stack, node, "SharedDisk")
    assert destructive(stack, before) == []
    untouched(stack, spares)
    for node in SWAPPED:
        name_disks(stack, node)
    settle(stack)


def switch_off(stack: Stack) -> None:
    for name in SWAPPED:
        stack.site.nodes[name].shutdown(timeout=600)


def swap(stack: Stack) -> None:
    """The data disks of both nodes, which are off, change places, and both are switched on again."""
    stack.site.swap_disks((SWAPPED[0], "data1"), (SWAPPED[1], "data1"))
    for name in SWAPPED:
        stack.site.nodes[name].power_on(wait=False)
    for name in SWAPPED:
        stack.site.nodes[name].wait_ssh()


def test_swapped_data_disks_block_both_nodes_and_nothing_is_written_until_they_are_swapped_back(
    stack: Stack, written: str
) -> None:
    before = len(stack.effects())
    switch_off(stack)
    disks = [stack.site.nodes[name].checksum("data1") for name in SWAPPED]
    swap(stack)
    for name in SWAPPED:
        is_stalled(stack, name, "DiskSwapped", seconds=900)
    ready = {
        obj["metadata"]["name"]: stack.condition("gvol", obj["metadata"]["name"], "Ready").get("status")
        for obj in stack.get("gvol")
    }
    assert "True" not in ready.values(), ready
    time.sleep(90)  # longer than the resync interval: it stays so
    for name in SWAPPED:
        assert stalled(stack, name, "DiskSwapped")()
        assert "/gluster_bricks/" not in stack.site.nodes[name].ssh("findmnt -rno TARGET -t xfs", check=False).stdout
    assert destructive(stack, before) == []
    switch_off(stack)
    assert [stack.site.nodes[name].checksum("data1") for name in SWAPPED] == disks[::-1]
    swap(stack)
    settle(stack, 1800)
    assert checksum(stack) == written
    assert destructive(stack, before) == []

"""A recycled disk on a real machine: told with the plan's hash, erased by exactly that approval, used; then it loses
its label, and comes back as the message says.

One machine whose only data disk carries content that no tool knows. Whether something was written is told by a checksum
of the whole disk, taken from outside the machine.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lab.spec import DiskSpec, NodeSpec, RawBytes, SiteSpec
from lab.stack import Stack

pytestmark = [pytest.mark.timeout(3000), pytest.mark.long]

GIB = 1 << 30
NODE, DISK, VOLUME = "node1", "data1", "vmstore"
FOUND = "content without a known signature at 5.0 GiB"


@pytest.fixture(scope="module")
def spec() -> SiteSpec:
    """One node with one data disk, which was used for something before."""
    recycled = DiskSpec(name=DISK, size="150G", contents=RawBytes(offset=5 * GIB))
    return SiteSpec(nodes=(NodeSpec(disks=(recycled,)),))


@pytest.fixture(scope="module")
def found(stack: Stack) -> str:
    """The disk is named, and what is on it was told; its checksum."""
    node = stack.site.nodes[NODE]
    before = node.checksum(DISK)

    def named(obj: dict[str, Any]) -> None:
        if obj["kind"] == "Node":
            obj["spec"]["disks"] = {"selection": "ById", "ids": [Path(device(stack)).name]}

    stack.apply(stack.manifests("single-node", named))
    stack.start_operator()
    stack.wait("erasing is offered", lambda: bool(offered(stack)), seconds=1800)
    return before


def device(stack: Stack) -> str:
    link = stack.site.nodes[NODE].disks[DISK].by_id
    assert link is not None
    return link


def offered(stack: Stack) -> str:
    """The hash of the plan that would erase the disk, "" while none waits for an approval."""
    plan = (stack.get("hnode", NODE).get("status") or {}).get("plan") or {}
    waiting = [step["verb"] for step in plan.get("steps") or () if step.get("needsApproval")]
    return str(plan["hash"]) if plan.get("needsApproval") and waiting == ["EraseDisk"] else ""


def approve(stack: Stack, digest: str, status: int = 0) -> str:
    """What a person does with the command who has read the plan; returns what it said."""
    program = str(Path(sys.executable).parent / "heretic")
    done = subprocess.run(
        [program, "-n", stack.namespace, "approve", f"node/{NODE}", digest, "--yes"],
        env=os.environ | {"KUBECONFIG": str(stack.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def erased(stack: Stack) -> list[bool]:
    """Every try to erase the disk, and whether it was done."""
    return [e["outcome"].startswith("Done") for e in stack.effects() if e["verb"] == "EraseDisk"]


def test_what_was_found_is_told_with_the_hash_of_the_plan(stack: Stack, found: str) -> None:
    stalled = stack.condition("hnode", NODE, "Stalled")
    assert stalled["reason"] == "ContentFound", json.dumps(stalled)
    assert FOUND in stalled["message"]
    assert offered(stack) in stalled["message"]
    assert "waits for the approval of plan" in approve(stack, "0123456789abcdef", status=1)
    assert erased(stack) == []
    assert stack.site.nodes[NODE].checksum(DISK) == found


def test_nothing_is_erased_while_a_process_has_the_disk(stack: Stack, found: str) -> None:
    node = stack.site.nodes[NODE]
    node.ssh(f"systemd-run --unit=reader sh -c 'exec 3<{device(stack)}; exec sleep 3600'")
    try:
        approve(stack, offered(stack))
        stack.wait("the host refuses", lambda: erased(stack) == [False], seconds=300)
    finally:
        node.ssh("systemctl stop reader")
    node.ssh("sync")
    assert node.checksum(DISK) == found


def test_an_approved_disk_is_erased_and_used(stack: Stack, found: str) -> None:
    node = stack.site.nodes[NODE]
    stack.wait("it is offered still", lambda: bool(offered(stack)), seconds=300)
    time.sleep(1)  # the word of an approval holds the second in which it was given
    shown = approve(stack, offered(stack))
    assert "EraseDisk" in shown
    stack.wait("the disk is erased", lambda: erased(stack) == [False, True], seconds=300)
    stack.wait("every object Ready", stack.ready, seconds=1800)
    destructive = {e["verb"] for e in stack.effects() if e["risk"] == "Destructive"}
    assert destructive == {"EraseDisk", "PrepareDisk", "MakeFilesystem"}
    node.ssh(f"mount -t glusterfs localhost:/{VOLUME} /mnt", timeout=300)
    node.ssh("echo kept >/mnt/file && grep -q kept /mnt/file && umount /mnt", timeout=300)
    approvals = stack.get("hnode", NODE)["status"]["approvals"]
    assert len(approvals) == 2


def test_a_recorded_disk_without_its_label_is_never_prepared_again_and_comes_back_as_the_message_says(
    stack: Stack, found: str
) -> None:
    before, node = len(stack.effects()), stack.site.nodes[NODE]
    node.ssh(f"dd if=/dev/zero of={device(stack)} bs=64k count=1 conv=fsync status=none")
    node.reboot()

    def told() -> bool:
        return stack.condition("hnode", NODE, "Stalled").get("reason") == "DiskLabelLost"

    stack.wait("the loss of the label is told", told, seconds=900)
    node.ssh("sync")
    wiped = node.checksum(DISK)
    time.sleep(90)  # longer than the resync interval: it stays so
    assert told()
    node.ssh("sync")
    assert node.checksum(DISK) == wiped
    said = str(stack.condition("hnode", NODE, "Stalled")["message"])
    remedy = re.search(
        r"pvcreate --uuid \S+ --restorefile \S+ \S+ && vgcfgrestore --force (\w+) && vgchange -ay \1", said
    )
    assert remedy, said
    node.ssh(remedy[0], timeout=300)
    stack.wait("every object Ready", stack.ready, seconds=1800)
    node.ssh(f"mount -t glusterfs localhost:/{VOLUME} /mnt && grep -q kept /mnt/file && umount /mnt", timeout=300)
    assert [e["verb"] for e in stack.effects()[before:] if e["risk"] == "Destructive"] == []

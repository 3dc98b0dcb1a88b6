"""The main job on real machines: blank disks become replicated volumes and stay so.

The tests of this module are one story and run in this order on one site; each begins and ends with it Ready. Those
marked long can be left out of it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.steps import Volume, send
from heretic.domain.plan import HostStep
from kstatus import Health, kstatus
from lab.node import Node
from lab.stack import Stack

pytestmark = pytest.mark.timeout(3000)

VOLUME = "vmstore"
DATA_NODE, ARBITER, CLIENT = "node2", "node3", "node1"
KILLED_AT = ("after 2", "before 5", "after 9", "before 12")
"""Effects at which the operator dies on the way from blank to Ready, each counted from its last start."""
KILLED_ONCE = ("after 16",)
"""Where the long tests are left out: about when the first disks are prepared."""


def settle(stack: Stack, seconds: float = 1200) -> None:
    stack.wait("every object Ready", stack.ready, seconds=seconds)


def is_true(stack: Stack, type_: str) -> bool:
    return bool(stack.condition("glustervolume", VOLUME, type_).get("status") == "True")


def client(stack: Stack) -> Node:
    return stack.site.nodes[CLIENT]


def write(stack: Stack, name: str, mib: int) -> str:
    """Writes a file into the mounted volume and returns its checksum."""
    node = client(stack)
    node.ssh(f"dd if=/dev/urandom of=/mnt/{name} bs=1M count={mib} conv=fsync status=none")
    return checksum(stack, name)


def checksum(stack: Stack, name: str) -> str:
    node = client(stack)
    node.ssh("echo 3 > /proc/sys/vm/drop_caches")
    return node.ssh(f"sha256sum < /mnt/{name}").stdout.split()[0]


@contextmanager
def mounted(node: Node) -> Iterator[None]:
    """The volume is mounted inside the `with`."""
    node.ssh(f"mount -t glusterfs {CLIENT}.gluster.private:/{VOLUME} /mnt", timeout=300)
    try:
        yield
    finally:
        node.ssh("umount /mnt", timeout=300)


@contextmanager
def no_operator(stack: Stack) -> Iterator[None]:
    """Nobody mends anything inside the `with`; at its end a new operator has looked at every host."""
    stack.kill_operator()
    yield
    before = len(stack.effects())
    stack.start_operator()

    def announced() -> bool:
        told = {e["target"].rpartition("/")[2] for e in stack.effects()[before:] if e["verb"] == "AnnounceOperator"}
        return told == set(stack.site.nodes)

    stack.wait("the new operator has come to every host", announced, seconds=600)
    time.sleep(75)  # longer than the resync interval: what is stored is what it saw


def written(stack: Stack) -> str:
    with mounted(client(stack)):
        return write(stack, "kept", 24)


def still(stack: Stack) -> str:
    with mounted(client(stack)):
        return checksum(stack, "kept")


def started(stack: Stack) -> bool:
    return "Status: Started" in client(stack).ssh(f"gluster volume info {VOLUME}").stdout


def kill_brick(node: Node) -> None:
    node.ssh(f"pkill -9 -f '[g]lusterfsd.*/gluster_bricks/{VOLUME}'; sleep 3")


def runs(node: Node) -> bool:
    return node.ssh(f"pgrep -f '[g]lusterfsd.*/gluster_bricks/{VOLUME}'", check=False).returncode == 0


def changed_within(stack: Stack, step: HostStep, seconds: float = 120) -> None:
    """Sends a step until no guard stops it: a client that has gone is seen for a moment longer."""
    node = stack.site.nodes[step.host]
    stack.wait(f"{step.verb} is done", lambda: send(node, step).name.startswith("changed"), seconds=seconds)


def is_left_alone(stack: Stack, reason: str) -> None:
    """The volume says so, and for longer than the resync interval nothing is done on any host."""
    before = len(stack.effects())

    def told() -> bool:
        conditions = stack.get("gvol", VOLUME)["status"]["conditions"]
        return reason in {c["reason"] for c in conditions if c["type"] == "Stalled" and c["status"] == "True"}

    stack.wait(f"{VOLUME} is Stalled with {reason}", told, seconds=300)
    time.sleep(75)
    assert told()
    assert [f"{e['verb']} on {e['target']}" for e in stack.effects()[before:]] == []


@pytest.fixture(scope="module")
def foreign_before(stack: Stack) -> str:
    return stack.site.nodes[DATA_NODE].checksum("foreign")


def test_blank_machines_become_ready_although_the_operator_is_killed_on_the_way(
    stack: Stack, foreign_before: str, request: pytest.FixtureRequest
) -> None:
    without_long = "not long" in request.config.getoption("markexpr")
    stack.apply(stack.manifests("three-node"))
    for obj in stack.get("glustervolumes"):
        assert kstatus(obj) is Health.IN_PROGRESS, "nobody has looked yet, so nothing is healthy yet"
    for die in KILLED_ONCE if without_long else KILLED_AT:
        stack.start_operator(die=die)
        stack.wait(f"the operator died {die}", lambda: stack.operator.pid is None, seconds=1200)
    stack.start_operator()
    settle(stack, 1800)
    destructive = [(e["verb"], e["target"], str(e["arguments"])) for e in stack.effects() if e["risk"] == "Destructive"]
    changed = [e for e in stack.effects() if e["risk"] == "Destructive" and e["outcome"] == "Done"]
    assert destructive
    assert len(changed) == len({(e["verb"], e["target"], str(e["arguments"])) for e in changed}), "nothing done twice"


def test_a_second_apply_and_a_forced_resync_change_nothing(stack: Stack) -> None:
    before = len(stack.effects())
    stack.apply(stack.manifests("three-node"))
    now = str(time.time())
    for kind in ("sites", "nodes.hvp.ovirt.life", "networks.hvp.ovirt.life", "glustervolumes"):
        stack.kubectl("annotate", kind, "--all", "--overwrite", f"hvp.ovirt.life/reconcile-requested-at={now}")
    time.sleep(75)  # longer than the resync interval
    assert stack.ready()
    assert stack.effects()[before:] == []


def test_a_lost_data_node_is_degraded_within_a_minute_and_heals_after_its_return(stack: Stack) -> None:
    lose_and_return(stack, DATA_NODE)


@pytest.mark.long
def test_a_lost_arbiter_is_degraded_within_a_minute_and_heals_after_its_return(stack: Stack) -> None:
    lose_and_return(stack, ARBITER)


def lose_and_return(stack: Stack, lost: str) -> None:
    node = client(stack)
    node.ssh(f"mountpoint -q /mnt || mount -t glusterfs {CLIENT}.gluster.private:/{VOLUME} /mnt")
    before = write(stack, "before", 24)
    stack.site.nodes[lost].power_cut()
    seconds = stack.wait("Degraded", lambda: is_true(stack, "Degraded"), seconds=60)
    assert not is_true(stack, "Ready")
    said = stack.condition("glustervolume", VOLUME, "Degraded")["message"]
    assert lost in said, said
    assert checksum(stack, "before") == before, f"served without {lost} (Degraded after {seconds:.0f} s)"
    during = write(stack, "during", 24)
    stack.site.nodes[lost].power_on()
    settle(stack)
    assert checksum(stack, "before") == before
    assert checksum(stack, "during") == during
    node.ssh("umount /mnt")


@pytest.mark.long
def test_a_changed_option_a_stopped_volume_and_a_dead_brick_are_repaired(stack: Stack) -> None:
    node = client(stack)

    def option() -> str:
        return node.ssh(f"gluster volume get {VOLUME} network.ping-timeout | awk '/ping/{{print $2}}'").stdout.strip()

    declared = option()
    node.ssh(f"gluster volume set {VOLUME} network.ping-timeout 99")
    stack.wait("the option is back", lambda: option() == declared, seconds=600)
    node.ssh(f"pkill -9 -f 'glusterfsd.*/gluster_bricks/{VOLUME}'")
    node.ssh(f"gluster --mode=script volume stop {VOLUME}")

    def started() -> bool:
        return "Status: Started" in node.ssh(f"gluster volume info {VOLUME}").stdout

    stack.wait("the volume is started", started, seconds=600)
    settle(stack)


@pytest.mark.long
def test_a_volume_grows_while_it_is_mounted(stack: Stack) -> None:
    node = client(stack)
    node.ssh(f"mount -t glusterfs {CLIENT}.gluster.private:/{VOLUME} /mnt")
    before = write(stack, "small", 24)
    stack.kubectl("patch", "gvol", VOLUME, "--type=merge", "-p", '{"spec":{"size":"44Gi"}}')
    stack.wait("Ready with the new size", lambda: stack.ready() and capacity(stack).startswith("43."), seconds=900)
    assert int(node.ssh("df --output=size -BG /mnt | tail -1").stdout.strip().rstrip("G")) == 44
    assert checksum(stack, "small") == before
    node.ssh("umount /mnt")


def capacity(stack: Stack) -> str:
    return str(stack.get("glustervolume", VOLUME)["status"].get("capacity", ""))


@pytest.mark.long
def test_each_node_reboots_in_turn(stack: Stack) -> None:
    for node in stack.site.nodes.values():
        node.reboot()
        settle(stack)
        assert node.ssh("findmnt -n /gluster_bricks/vmstore").stdout, "the brick is mounted again"


@pytest.mark.long
def test_a_volume_that_somebody_mounts_after_the_look_is_not_stopped(stack: Stack) -> None:
    before, volume = written(stack), Volume(stack, VOLUME)
    with no_operator(stack):
        for user in (ARBITER, CLIENT):
            with mounted(stack.site.nodes[user]):
                assert send(client(stack), volume.stop(CLIENT)).name.startswith("guard:"), f"{user} has it mounted"
                assert started(stack)
        changed_within(stack, volume.stop(CLIENT))
        assert not started(stack)
    settle(stack)
    assert started(stack)
    assert still(stack) == before


@pytest.mark.long
def test_what_is_not_the_brick_that_it_was_or_not_the_only_one_down_is_not_started_by_force(stack: Stack) -> None:
    before, volume = written(stack), Volume(stack, VOLUME)
    node, own, step = client(stack), volume.brick(CLIENT), volume.restart(CLIENT)
    mark = f"0x{volume.id.replace('-', '')}"

    def is_refused(situation: str) -> None:
        assert send(node, step).name.startswith("guard:"), situation
        assert not runs(node), situation

    with no_operator(stack):
        kill_brick(node)
        node.ssh(f"setfattr -x trusted.glusterfs.volume-id {own.path}")
        is_refused("the brick has no mark")
        node.ssh(f"setfattr -n trusted.glusterfs.volume-id -v {mark} {own.path}")
        node.ssh(f"umount {own.mount_point}")
        is_refused("the brick is not mounted")
        node.ssh(f"mount /dev/disk/by-uuid/{own.filesystem} {own.mount_point}")
        kill_brick(stack.site.nodes[DATA_NODE])
        is_refused("another brick is down")
        stack.site.nodes[DATA_NODE].ssh(f"gluster volume start {VOLUME} force", timeout=600)
        kill_brick(node)
        assert send(node, step).name.startswith("changed"), "it is the brick that it was, and the only one down"
        assert runs(node)
    settle(stack)
    assert still(stack) == before


@pytest.mark.long
def test_a_brick_that_is_empty_and_one_that_runs_on_the_root_filesystem_are_told_and_left_alone(stack: Stack) -> None:
    before, volume = written(stack), Volume(stack, VOLUME)
    node, own = client(stack), volume.brick(CLIENT)
    with no_operator(stack):
        kill_brick(node)
        node.ssh(f"mv {own.path} {own.path}.kept && mkdir {own.path}")
    is_left_alone(stack, "BrickLost")
    assert node.ssh(f"getfattr -d -m . {own.path}; ls -A {own.path}").stdout == "", "it was neither marked nor filled"
    assert not runs(node)
    with no_operator(stack):
        node.ssh(f"rmdir {own.path} && mv {own.path}.kept {own.path}")
        node.ssh(f"umount {own.mount_point} && mkdir -p {own.path}")
        node.ssh(f"gluster volume start {VOLUME} force", timeout=600)
    is_left_alone(stack, "BrickOnRoot")
    assert node.ssh(f"findmnt -n {own.mount_point}", check=False).stdout == "", "it was not mounted over"
    with no_operator(stack):
        kill_brick(node)
        node.ssh(f"rm -r {own.mount_point}/*")
    settle(stack)
    assert still(stack) == before


def test_a_foreign_disk_that_is_named_blocks_its_node_and_says_why(stack: Stack) -> None:
    link = stack.site.nodes[DATA_NODE].disks["foreign"].by_id
    assert link is not None
    before = len(stack.effects())
    ids = {"selection": "ById", "ids": [Path(link).name]}
    stack.kubectl("patch", "hnode", DATA_NODE, "--type=merge", "-p", str({"spec": {"disks": ids}}).replace("'", '"'))
    stack.wait(
        "Stalled names the finding",
        lambda: "ext4" in stack.condition("hnode", DATA_NODE, "Stalled").get("message", ""),
        seconds=90,
    )
    assert stack.condition("hnode", DATA_NODE, "Stalled")["reason"] == "ForeignSignature"
    assert stack.effects()[before:] == []
    stack.kubectl(
        "patch", "hnode", DATA_NODE, "--type=merge", "-p", '{"spec":{"disks":{"selection":"Auto","ids":null}}}'
    )
    settle(stack)


def test_the_foreign_disk_is_untouched_after_all_of_this(stack: Stack, foreign_before: str) -> None:
    stack.site.nodes[DATA_NODE].ssh("sync")
    assert stack.site.nodes[DATA_NODE].checksum("foreign") == foreign_before


def test_orphaned_objects_leave_the_data_alone(stack: Stack) -> None:
    settle(stack)
    before = len(stack.effects())
    stack.kubectl("delete", "glustervolumes,hnode,hnet,sites", "--all", "--timeout=120s")
    assert stack.effects()[before:] == []
    assert "Status: Started" in client(stack).ssh(f"gluster volume info {VOLUME}").stdout

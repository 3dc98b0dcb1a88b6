"""Conditions on a host that prove what a volume and its bricks are, right before something is done to them.

Nothing is proven by a command that fails: what is absent is absent from a list that was read.
"""

from collections.abc import Iterable

from heretic.domain.commands import Command, Expect
from heretic.domain.disks.proofs import QUIET
from heretic.domain.host.inventory import mapper_name
from heretic.domain.pool.command import local, transaction
from heretic.domain.pool.facts import VolumeInfo
from heretic.domain.pool.parse.clients import DAEMONS

VOLUME_MARK = "trusted.glusterfs.volume-id"
"""Attribute of a brick's folder that holds the id of its volume."""


def shape(replica_count: int, arbiter_count: int, bricks: Iterable[str]) -> str:
    """The lines of ``volume info`` that tell which bricks a volume has, in which places.

    Args:
        replica_count: Copies, the arbiter's counted.
        arbiter_count: 1 or 0.
        bricks: "host:path" in order.
    """
    listed = tuple(bricks)
    total, sets = len(listed), len(listed) // replica_count
    count = f"{sets} x {replica_count} = {total}"
    if replica_count == 1:
        count = str(total)
    elif arbiter_count:
        count = f"{sets} x ({replica_count - 1} + 1) = {total}"
    marks = [" (arbiter)" if arbiter_count and i % replica_count == 0 else "" for i in range(1, total + 1)]
    lines = [f"Brick{i}: {brick}{marks[i - 1]}" for i, brick in enumerate(listed, 1)]
    return "\n".join([f"Number of Bricks: {count}", *lines])


def shape_of(info: VolumeInfo) -> str:
    """``shape`` of a volume as it was seen."""
    return shape(max(info.replica_count, 1), info.arbiter_count, (f"{b.host}:{b.path}" for b in info.bricks))


def says(volume: str, *lines: str) -> Command:
    """Holds when ``volume info`` prints all of these lines."""
    return Command(local("volume", "info", volume), expect=Expect.CONTAINS, text="\n".join(lines))


def is_volume(volume: str, volume_id: str, state: str, *lines: str) -> Command:
    """Whether the volume of this name is the one that is meant, and in this state."""
    return says(volume, f"Volume ID: {volume_id}", f"Status: {state}", *lines)


def is_gone(volume: str) -> Command:
    """Whether glusterd lists its volumes and this one is not among them; without any it prints nothing there."""
    return Command(local("volume", "list"), expect=Expect.LACKS, text=volume)


def pool_is_whole() -> Command:
    """Whether every peer is connected."""
    return Command(local("peer", "status", "--xml"), expect=Expect.LACKS, text="<connected>0</connected>")


def has_no_client(volume: str) -> Command:
    """Whether nobody but Gluster's own daemons has the volume open; a name that is new to us is somebody."""
    frame = (f"total clients for volume {volume} : *", f"Client connections for volume {volume}", "Name *", "-----*")
    return Command(
        transaction("volume", "status", volume, "client-list"),
        expect=Expect.ONLY,
        text="\n".join([*frame, *(f"{name} *" for name in sorted(DAEMONS))]),
    )


def is_not_mounted_as_client(volume: str) -> Command:
    """Whether the host itself has the volume mounted nowhere."""
    places = (volume, f"/{volume}", f"{volume}/*", f"/{volume}/*")
    return Command(
        ("findmnt", "--raw", "--noheadings", "--output", "FSTYPE,SOURCE"),
        expect=Expect.NONE,
        text="\n".join(f"fuse.glusterfs *:{place}" for place in places),
    )


def is_online(volume: str, brick: str) -> Command:
    """Whether a brick's process runs."""
    return Command(
        transaction("volume", "status", volume, brick, "detail"),
        expect=Expect.CONTAINS,
        text="Online               : Y",
    )


def are_away(volume: str, bricks: Iterable[str]) -> Command:
    """Whether Gluster lists the bricks that it reaches, and these are not among them."""
    return Command(
        transaction("volume", "status", volume, "detail"),
        expect=Expect.LACKS,
        text="\n".join(f"Brick                : Brick {brick}" for brick in bricks),
    )


def holds_brick(path: str, volume_id: str) -> Command:
    """Whether a folder is marked as a brick of this volume."""
    return Command(
        ("getfattr", "--absolute-names", "-h", "-e", "hex", "-n", VOLUME_MARK, path),
        expect=Expect.CONTAINS,
        text=f"{VOLUME_MARK}=0x{volume_id.replace('-', '')}",
    )


def is_mounted_nowhere(group: str, name: str) -> Command:
    """Whether all mounts are listed and none is of this logical volume, or of a folder of it."""
    device = f"/dev/mapper/{mapper_name(group, name)}"
    return Command(
        ("findmnt", "--raw", "--noheadings", "--output", "SOURCE"),
        expect=Expect.NONE,
        text=f"{device}\n{device}[[]*",
    )


def removal_tag(volume_id: str) -> str:
    """Tag of a logical volume that held a brick of this volume when it was unmounted in order to be removed."""
    return f"heretic_held_{volume_id}"


def is_released(group: str, name: str, volume_uuid: str, volume_id: str) -> Command:
    """Whether this very logical volume carries that tag."""
    chosen = ("--select", f"lv_tags={{{removal_tag(volume_id)}}}", f"{group}/{name}")
    return Command(("lvs", *QUIET, "-o", "lv_uuid", *chosen), expect=Expect.EQUALS, text=volume_uuid)

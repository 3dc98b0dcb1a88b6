"""One brick as the volume planner wants it on one host."""

import uuid
from dataclasses import dataclass

BRICK_ROOT = "/gluster_bricks"

_FILESYSTEMS = uuid.UUID("9d1f4a52-6c8e-5f0b-8a67-3b1d0c2e7f94")
"""Namespace of the UUIDs that filesystems of bricks get; it never changes."""


def new_filesystem_uuid(owner: str, node: str, name: str) -> str:
    """The UUID that a brick's filesystem gets when it is made: always the same one for the same brick.

    Args:
        owner: uid of the volume's object.
        node: Name of the Node.
        name: Of the brick on that node.
    """
    return str(uuid.uuid5(_FILESYSTEMS, f"{owner}/{node}/{name}"))


@dataclass(frozen=True, slots=True)
class BrickSpec:
    """Where a brick lies and how large it is.

    Attributes:
        host: Name of the Node.
        volume: Gluster name of the volume.
        group: LVM volume group.
        name: Logical volume; unique in the group ("vmstore", "vmstore-2" for a second set on the same node).
        size: Bytes.
        thin: In the group's thin pool, else thick.
        arbiter: Holds names and attributes only.
        owner: uid and gid of the brick's root, which Gluster applies to the volume.
        new_filesystem: UUID that its filesystem gets when it is made.
        volume_uuid: LVM's UUID of its logical volume as recorded, "" = not recorded yet.
        filesystem: UUID of its filesystem as recorded, "" likewise.
    """

    host: str
    volume: str
    group: str
    name: str
    size: int
    thin: bool
    arbiter: bool = False
    owner: tuple[int, int] = (0, 0)
    new_filesystem: str = ""
    volume_uuid: str = ""
    filesystem: str = ""

    @property
    def device(self) -> str:
        """Path of the logical volume."""
        return f"/dev/{self.group}/{self.name}"

    @property
    def mount_point(self) -> str:
        """Where the brick's filesystem is mounted."""
        return f"{BRICK_ROOT}/{self.name}"

    @property
    def path(self) -> str:
        """The brick itself: a folder below the mount, so that an unmounted brick cannot fill the root disk."""
        return f"{BRICK_ROOT}/{self.name}/brick1/brick"

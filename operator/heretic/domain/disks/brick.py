"""One brick as the volume planner wants it on one host."""

from dataclasses import dataclass

BRICK_ROOT = "/gluster_bricks"


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
    """

    host: str
    volume: str
    group: str
    name: str
    size: int
    thin: bool
    arbiter: bool = False
    owner: tuple[int, int] = (0, 0)

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

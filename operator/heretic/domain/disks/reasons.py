"""Reasons that concern disks and the thin pools on them."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, chapter

_IDENTITY = "[how](../how-to/another-disk.md)"

OF_DISKS = chapter(
    "Disks",
    Explained(
        Reason.FOREIGN_SIGNATURE,
        "A disk that is to be used holds data.",
        "Choose another disk, or let this one be erased ([how](../how-to/dirty-disk.md)).",
        code="HVP-D002",
    ),
    Explained(
        Reason.CONTENT_FOUND,
        "A disk that is to be used is not zero, although no tool knows what is on it: a raw image, plain dm-crypt, or "
        "the rest of something whose beginning was erased.",
        "Choose another disk, or let this one be erased ([how](../how-to/dirty-disk.md)).",
    ),
    Explained(
        Reason.READ_ERROR,
        "A disk that is to be used cannot be read in a place.",
        "Look at the host's kernel log and at the disk's SMART data; replace the disk.",
    ),
    Explained(
        Reason.NOT_PROVEN_BLANK,
        "Not every tool that has to look at a disk that is to be used could do so.",
        "Repair what the message names (wipefs and blkid are in util-linux); a disk that takes very long to read is "
        "often about to fail.",
    ),
    Explained(Reason.DISK_IN_USE, "A disk that is to be used is in use by the system.", "Choose another disk."),
    Explained(
        Reason.DISK_NOT_FOUND,
        "A disk that is named, or was chosen, is not there.",
        "Check the cable, or correct `spec.disks.ids`.",
    ),
    Explained(
        Reason.DISK_AMBIGUOUS,
        "A disk has no stable name, or shares it with another one.",
        "Name it by path in `spec.disks.ids`, or give it a serial number.",
    ),
    Explained(
        Reason.DISK_TOO_SMALL,
        "A disk is smaller than it must be.",
        "Choose a larger one, or lower `spec.disks.minimumSize`.",
    ),
    Explained(
        Reason.NO_USABLE_DISK,
        "The node has no blank disk that is large enough.",
        "See `status.disks` for what was found on each.",
    ),
    Explained(
        Reason.SECTOR_SIZE_MISMATCH,
        "Chosen disks have different logical sector sizes.",
        "Use disks of one kind, 512 or 4096 bytes.",
    ),
    Explained(
        Reason.DISK_SWAPPED,
        "A physical volume that was recorded lies on another disk, or in another node.",
        f"Put it back ({_IDENTITY}).",
    ),
    Explained(
        Reason.DISK_REPLACED,
        "Where a recorded disk was, there is another one.",
        f"Put the recorded one back ({_IDENTITY}).",
    ),
    Explained(
        Reason.DISK_LABEL_LOST,
        "A disk that was prepared does not show LVM's label or its volume group any more.",
        f"Bring it back with `vgcfgrestore` ({_IDENTITY}); it is never prepared again.",
    ),
    Explained(
        Reason.SHARED_DISK,
        "Two nodes see one disk, or two disks with the same LVM UUIDs.",
        f"Let only one host see it ({_IDENTITY}).",
    ),
    Explained(
        Reason.VOLUME_GROUP_NOT_OURS,
        "A volume group has a name of ours, and nothing proves that it is this Node's.",
        f"Name its disk in `spec.disks.ids` if it is; else take the disk out, or rename the group ({_IDENTITY}).",
    ),
    Explained(
        Reason.VOLUME_GROUP_REPLACED,
        "A recorded disk carries another volume group than the recorded one.",
        f"Bring the recorded one back ({_IDENTITY}).",
    ),
    Explained(
        Reason.LOGICAL_VOLUME_REPLACED,
        "The logical volume of a brick is not the recorded one.",
        f"Bring the recorded one back ({_IDENTITY}).",
    ),
    Explained(
        Reason.FILESYSTEM_REPLACED,
        "The filesystem of a brick is not the recorded one.",
        f"Bring the recorded one back ({_IDENTITY}).",
    ),
    Explained(
        Reason.FILESYSTEM_DUPLICATED,
        "The filesystem of a brick shows twice on its host, so nobody can say which one is mounted.",
        f"Detach the copy, or give it a UUID of its own ({_IDENTITY}).",
    ),
)

OF_THIN_POOLS = chapter(
    "Thin pools",
    Explained(
        Reason.POOL_NEARLY_FULL,
        "A thin pool is nearly full: when it is full, its bricks stop on all nodes at once.",
        "Delete data, or add space.",
        code="HVP-V007",
    ),
    Explained(
        Reason.POOL_OVERCOMMITTED,
        "More is promised to the volumes in a thin pool than the pool has, whoever made them.",
        "Remove volumes or snapshots that are not needed, or give the pool more room.",
        code="HVP-D008",
    ),
    Explained(
        Reason.POOL_OUT_OF_SPACE,
        "A pool has no room left and takes no writes.",
        "Give it room now ([how](../how-to/thin-pool-takes-no-writes.md)).",
        code="HVP-D007",
    ),
    Explained(
        Reason.POOL_NEEDS_REPAIR,
        "A thin pool takes no writes until its metadata is repaired; room does not help any more.",
        "Repair it offline ([how](../how-to/thin-pool-takes-no-writes.md)).",
        code="HVP-D007",
    ),
    Explained(
        Reason.POOL_FAILED,
        "A pool or a volume in it has failed and takes no reads and no writes.",
        "Repair it offline ([how](../how-to/thin-pool-takes-no-writes.md)); the kernel's log says what failed.",
        code="HVP-D007",
    ),
    Explained(
        Reason.POOL_NOT_ACTIVE,
        "A pool or a brick's logical volume is suspended or not active.",
        "Activate it with the command of the message, unless LVM is working on it.",
        code="HVP-D007",
    ),
    Explained(
        Reason.LOGICAL_VOLUME_FAILED,
        "A logical volume takes no writes: it is read-only, an invalid snapshot, or its write cache is broken.",
        "Do what the message says.",
        code="HVP-D009",
    ),
)

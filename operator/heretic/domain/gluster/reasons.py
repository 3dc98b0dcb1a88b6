"""Reasons that concern volumes."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, chapter

OF_VOLUMES = chapter(
    "Volumes",
    Explained(
        Reason.TOPOLOGY_DIFFERS,
        "The volume has other bricks, or another id, than the declared one; that is never changed by itself.",
        "Change the declaration to what is there, or the volume by hand.",
    ),
    Explained(
        Reason.BRICK_DOWN,
        "A brick's process does not run.",
        "Nothing, unless it lasts; then look at the brick's log on its node.",
    ),
    Explained(
        Reason.BRICK_LOST,
        "The volume exists, and in the place of a brick is nothing, or an empty folder.",
        "Find out what happened to its disk; else make the brick anew by hand, while all its copies are up.",
    ),
    Explained(
        Reason.BRICK_ON_ROOT,
        "A brick's disk is not mounted, and files of the brick lie in its place on the root filesystem.",
        "End the process that writes there, move the folder away, and let the brick be mounted; the message says how.",
    ),
    Explained(
        Reason.BRICK_NOT_PROVEN,
        "A logical volume is to be removed, and nothing proves that it holds a brick of the deleted volume.",
        "Mount it so that it can be looked at, or remove it by hand; the message says how.",
    ),
    Explained(
        Reason.BRICK_NOT_EMPTY,
        "A folder that is to become a brick holds files, or is a brick of another volume.",
        "Move what is there, or name another volume.",
    ),
    Explained(
        Reason.QUORUM_LOST,
        "Too few bricks of a set are up: the volume does not take writes.",
        "Bring the named nodes back.",
    ),
    Explained(
        Reason.QUORUM_UNKNOWN,
        "It is not known whether the volume has quorum.",
        "Bring back a node that can be asked.",
    ),
    Explained(
        Reason.HEAL_PENDING,
        "Files wait to be copied to a brick that was away.",
        "Nothing; keep all nodes up until it is done.",
    ),
    Explained(
        Reason.HEAL_STANDS_STILL,
        "As many files as long before wait to be copied to a brick, though Gluster was asked to begin again.",
        "Read `/var/log/glusterfs/glustershd.log` on the named nodes ([how](../how-to/heal-stands-still.md)).",
        code="HVP-V010",
    ),
    Explained(
        Reason.HEAL_UNKNOWN,
        "It is not known how much waits to be healed; that does not mean zero.",
        "Nothing; if it lasts, bring the missing node back.",
    ),
    Explained(
        Reason.SPLIT_BRAIN,
        "Copies of a file contradict each other.",
        "Choose the good copy by hand: `gluster volume heal <volume> info split-brain`.",
        code="HVP-V006",
    ),
    Explained(Reason.VOLUME_NOT_STARTED, "The volume does not run.", "Nothing; it is started when that is safe."),
    Explained(
        Reason.VOLUME_IN_USE,
        "The volume is to be deleted and somebody uses it, or nobody knows.",
        "Unmount it everywhere.",
    ),
)

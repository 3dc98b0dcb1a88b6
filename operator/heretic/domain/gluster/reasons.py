"""Reasons that concern the trusted pool and its volumes."""

from heretic.domain.errors import Reason
from heretic.domain.reasons import Explained, chapter

OF_TRUSTED_POOLS = chapter(
    "The trusted pool",
    Explained(
        Reason.VERSIONS_DIFFER,
        "The nodes run different versions of Gluster; configuration stays as it is meanwhile.",
        "Bring all nodes to one version.",
        code="HVP-S004",
    ),
    Explained(
        Reason.OP_VERSION_REFUSED,
        "Gluster refuses, because the op-version of a node, of a client or of the pool is not what it takes.",
        "Bring Gluster to one version everywhere, clients too, then raise the pool's op-version; Heretic never does.",
        code="HVP-S004",
    ),
    Explained(
        Reason.PEER_DISCONNECTED,
        "A node is a member of the pool and does not answer the others.",
        "Check the node and the storage network.",
    ),
    Explained(
        Reason.PEER_REJECTED,
        "A node's configuration differs from the pool's, so the pool rejects it.",
        "Compare `/var/lib/glusterd` of the nodes; Heretic never detaches a peer.",
    ),
    Explained(
        Reason.POOL_NOT_OURS,
        "A node belongs to a pool with members that are not declared.",
        "Declare them as Nodes, or take the node out of that pool by hand.",
    ),
    Explained(
        Reason.PEER_REPLACED,
        "The glusterd of a host has another UUID than the one recorded for it: it was installed anew, or another host "
        "answers at its address.",
        "Correct the address, or give the host its UUID back as the how-to page for a reinstalled host says.",
    ),
    Explained(
        Reason.PEER_CLONED,
        "Two hosts have the same glusterd UUID, as machines made from one image have.",
        "On the one without bricks: stop glusterd, remove /var/lib/glusterd/glusterd.info, start glusterd.",
    ),
)

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
        "Find out what became of its disk; else make the brick anew by hand, while all its copies are up.",
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
        "Bring the nodes back that are named.",
    ),
    Explained(
        Reason.QUORUM_UNKNOWN,
        "It cannot be told whether the volume has quorum.",
        "Bring back a node that can be asked.",
    ),
    Explained(
        Reason.HEAL_PENDING,
        "Files wait to be copied to a brick that was away.",
        "Nothing; keep all nodes up until it is done.",
    ),
    Explained(
        Reason.HEAL_UNKNOWN,
        "It cannot be told how much waits to be healed, which is not zero.",
        "Nothing; where it lasts, bring the missing node back.",
    ),
    Explained(
        Reason.SPLIT_BRAIN,
        "Copies of a file contradict each other.",
        "Choose the good copy by hand: `gluster volume heal <volume> info split-brain`.",
        code="HVP-V006",
    ),
    Explained(Reason.VOLUME_NOT_STARTED, "The volume does not run.", "Nothing; it is started where it may be."),
    Explained(
        Reason.VOLUME_IN_USE,
        "The volume is to be deleted and somebody uses it, or nobody knows.",
        "Unmount it everywhere.",
    ),
)

"""Reasons that concern the trusted pool."""

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

"""What each reason means and what a person does about it; docs/reference/reasons.md is made from this."""

from collections.abc import Mapping
from dataclasses import dataclass

from heretic.domain.errors import Reason


@dataclass(frozen=True, slots=True)
class Explanation:
    """One reason, explained.

    Attributes:
        meaning: One sentence: what is so.
        action: One sentence: what a person does, "Nothing" where there is nothing to do.
    """

    meaning: str
    action: str


_ON_THE_WAY = {
    Reason.AS_DECLARED: Explanation("The real thing is as declared.", "Nothing."),
    Reason.APPLYING: Explanation("Steps are being carried out; the message names the next one.", "Nothing."),
    Reason.WORK_IN_PROGRESS: Explanation("A long piece of work runs as a job on the host.", "Nothing; wait for it."),
    Reason.NOT_OBSERVED: Explanation("Nobody has seen this part yet.", "Nothing, unless it stays so for minutes."),
    Reason.PAUSED: Explanation(
        "The object, its Site or the kill switch says to change nothing.",
        "Set `paused: false`, or remove the kill switch's file.",
    ),
    Reason.DELETING: Explanation("The object is being deleted.", "Nothing."),
}

_WAITING = {
    Reason.SITE_NOT_FOUND: Explanation("The namespace has no Site.", "Apply a Site."),
    Reason.NODE_NOT_FOUND: Explanation(
        "A Node that is named does not exist.", "Apply that Node, or correct the name in the message."
    ),
    Reason.NETWORK_NOT_FOUND: Explanation(
        "A Network that is named does not exist.", "Apply that Network, or correct the name in the message."
    ),
    Reason.NODE_NOT_READY: Explanation(
        "A Node that this object needs is not Ready.", "Look at that Node's conditions."
    ),
    Reason.WAITING_FOR_NODES: Explanation(
        "Nodes have to be inspected or configured first.", "Nothing; where it lasts, look at the Nodes named."
    ),
    Reason.WAITING_FOR_SITE: Explanation(
        "The Site has not made its choices yet.", "Nothing; where it lasts, look at the Site."
    ),
    Reason.WAITING_FOR_POOL: Explanation(
        "The trusted pool is not complete yet.", "Nothing; where it lasts, look at the Site's PoolFormed."
    ),
    Reason.WAITING_FOR_APPROVAL: Explanation(
        "The plan has a step that can lose data and that the spec does not ask for.",
        "Read the plan; approve it with `heretic approve`, or change the spec.",
    ),
    Reason.WAITING_FOR_SLOT: Explanation(
        "Another object of the site carries out a disruptive step.", "Nothing; it is one at a time."
    ),
    Reason.WAITING_FOR_HEAL: Explanation(
        "A volume must be known to be healed first.", "Nothing; Healed of the volume shows the progress."
    ),
    Reason.OUTSIDE_WINDOW: Explanation(
        "Disruptive steps wait for a maintenance window.", "Nothing, or change `spec.windows` of the Site."
    ),
    Reason.CHANGED_MEANWHILE: Explanation(
        "The object, its Site or its approval changed between plan and step, so the step was not begun.",
        "Nothing; it is planned again.",
    ),
    Reason.LEASE_LOST: Explanation(
        "The operator could not renew its Lease while a step waited for its turn, so the step was not sent.",
        "Nothing; the operator that has the Lease goes on.",
    ),
}

_REACHING = {
    Reason.UNREACHABLE: Explanation(
        "No SSH connection to the host can be made.", "Check power, network, `spec.address` and sshd."
    ),
    Reason.CONNECTION_LOST: Explanation(
        "The connection ended in the middle of something.", "Nothing; the next pass sees what took effect."
    ),
    Reason.COMMAND_TIMED_OUT: Explanation(
        "A program on the host did not end in time.", "Nothing; where it lasts, look at load and disks of the host."
    ),
    Reason.AUTHENTICATION_FAILED: Explanation(
        "The host does not accept the key of the Site's Secret.",
        "Add the public key to `authorized_keys` there, or correct Secret or user.",
    ),
    Reason.HOST_KEY_MISMATCH: Explanation(
        "The host shows another key than the pinned one.",
        "Compare the fingerprints of the message on the host's console; correct `spec.hostKeys` only if it matches.",
    ),
    Reason.HOST_KEY_NOT_PINNED: Explanation(
        "The Node pins no host key.",
        "Compare the fingerprint of the message on the host's console, then add the key to `spec.hostKeys`.",
    ),
    Reason.NO_ROOT: Explanation(
        "The user may not become root with sudo without a password.",
        "Allow it in sudoers with NOPASSWD, or log in as root.",
    ),
    Reason.LOGIN_REFUSED: Explanation(
        "The host lets the user in and gives it no shell: an expired account, a shell that refuses, a forced command.",
        "Read the host's own words in the message; mend the account there.",
    ),
    Reason.CREDENTIALS_MISSING: Explanation(
        "The Secret with the SSH key is missing, or holds no usable key.",
        "Make it with the command in the message.",
    ),
    Reason.NAME_NOT_RESOLVED: Explanation(
        "`spec.address` is a name that does not resolve.", "Correct the name or DNS, or give an address."
    ),
}

_HOST = {
    Reason.UNSUPPORTED_PLATFORM: Explanation(
        "The host's distribution is not supported.", "Install EL 9 (or Debian 12 for a storage node)."
    ),
    Reason.DISK_FULL: Explanation("A filesystem of the host is full.", "Free some space there."),
    Reason.READ_ONLY_ROOT: Explanation(
        "The host's root filesystem is read-only.", "Look at the kernel log, check the filesystem, reboot."
    ),
    Reason.PACKAGE_MANAGER_LOCKED: Explanation(
        "Somebody else uses the package manager.", "Nothing; where it lasts, end the process in the message."
    ),
    Reason.PACKAGE_INSTALL_FAILED: Explanation(
        "Packages could not be installed.", "Check the host's repositories and its way to them."
    ),
    Reason.IN_MAINTENANCE: Explanation(
        "`spec.maintenance` of the Node is set, so no step runs on it.",
        "Set it to false when the work is done.",
    ),
    Reason.MAINTENANCE_UNSAFE: Explanation(
        "Maintenance is declared, and the site is not known to bear the loss of this host.",
        "Leave the host on until `Maintenance` is True, unless the host itself is what is broken.",
    ),
    Reason.CLOCK_SKEWED: Explanation(
        "The host's clock differs too much from the operator's.", "Set `spec.timeServers` of the Site, or the clock."
    ),
    Reason.SERVICE_FAILED: Explanation(
        "A service on the host does not run.", "Read its journal on the host: `journalctl -u <service>`."
    ),
    Reason.FIREWALL_REFUSES: Explanation(
        "A rule of firewalld refuses what Gluster needs, and opening ports does not help against it.",
        "Remove the rule in the message, or accept the storage network before it.",
    ),
    Reason.HOST_BUSY: Explanation(
        "An earlier step still runs on the host; its answer was not awaited or was lost.",
        "Nothing; the step is tried again when the earlier one has ended.",
    ),
    Reason.LOCKED_BY_OTHER_OPERATOR: Explanation(
        "An operator with a newer lease has worked on the host, so this one is refused.",
        "Nothing; where it lasts, look for a second operator.",
    ),
    Reason.HOST_OF_OTHER_CLUSTER: Explanation(
        "The operator of another cluster has kept this host, so this one is refused.",
        "See that the other one is gone for good, then remove the host's fence: docs/how-to/locked-out-hosts.md.",
    ),
    Reason.FENCING_TOKEN_WENT_BACK: Explanation(
        "The host has seen a newer operator of this cluster than the Lease tells of: the Lease was lost or put back.",
        "See that no other operator runs, then raise the token with the command in the message: "
        "docs/how-to/locked-out-hosts.md.",
    ),
    Reason.FENCE_UNREADABLE: Explanation(
        "The file on the host that says whose steps to take cannot be understood, so none is taken.",
        "Find out why, then remove it: docs/how-to/locked-out-hosts.md.",
    ),
    Reason.COMMAND_FAILED: Explanation(
        "A program on the host failed; the message says what it said.", "Act on what it said; it is tried again."
    ),
    Reason.VERIFICATION_FAILED: Explanation(
        "A step ran and its effect is not there, or what it relied on has changed.",
        "Nothing; where it lasts, the message names what to look at.",
    ),
    Reason.CHANGE_TAKEN_BACK: Explanation(
        "A change that could cut the way to a host was not proved in time, and the host took it back by itself.",
        "See the message for what did not hold; the change is tried again.",
    ),
    Reason.OUTPUT_NOT_UNDERSTOOD: Explanation(
        "What a program printed cannot be understood, so nothing is concluded from it.",
        "Nothing; where it lasts, report the message: versions may differ from the tested ones.",
    ),
}

_IDENTITY = "[how](../how-to/another-disk.md)"

_DISKS = {
    Reason.FOREIGN_SIGNATURE: Explanation(
        "A disk that is to be used carries data.",
        "Choose another disk, or let this one be erased ([how](../how-to/dirty-disk.md)).",
    ),
    Reason.CONTENT_FOUND: Explanation(
        "A disk that is to be used is not zero, although no tool knows what lies on it: an image written raw, plain "
        "dm-crypt, what was left behind an erased head.",
        "Choose another disk, or let this one be erased ([how](../how-to/dirty-disk.md)).",
    ),
    Reason.READ_ERROR: Explanation(
        "A disk that is to be used cannot be read in a place.",
        "Look at the host's kernel log and at the disk's SMART data; replace the disk.",
    ),
    Reason.NOT_PROVEN_BLANK: Explanation(
        "A disk that is to be used could not be looked at by every tool that has to.",
        "Mend what the message names (wipefs and blkid are in util-linux); a disk that takes very long to read is "
        "often a disk that dies.",
    ),
    Reason.DISK_IN_USE: Explanation("A disk that is to be used is in use by the system.", "Choose another disk."),
    Reason.DISK_NOT_FOUND: Explanation(
        "A disk that is named, or was chosen, is not there.", "Check the cable, or correct `spec.disks.ids`."
    ),
    Reason.DISK_AMBIGUOUS: Explanation(
        "A disk has no stable name, or shares it with another one.",
        "Name it by path in `spec.disks.ids`, or give it a serial number.",
    ),
    Reason.DISK_TOO_SMALL: Explanation(
        "A disk is smaller than it must be.", "Choose a larger one, or lower `spec.disks.minimumSize`."
    ),
    Reason.NO_USABLE_DISK: Explanation(
        "The node has no blank disk that is large enough.", "See `status.disks` for what was found on each."
    ),
    Reason.SECTOR_SIZE_MISMATCH: Explanation(
        "Chosen disks have different logical sector sizes.", "Use disks of one kind, 512 or 4096 bytes."
    ),
    Reason.DISK_SWAPPED: Explanation(
        "A physical volume that was recorded lies on another disk, or in another node.", f"Put it back ({_IDENTITY})."
    ),
    Reason.DISK_REPLACED: Explanation(
        "Where a recorded disk was, there is another one.", f"Put the recorded one back ({_IDENTITY})."
    ),
    Reason.DISK_LABEL_LOST: Explanation(
        "A disk that was prepared does not show LVM's label or its volume group any more.",
        f"Bring it back with `vgcfgrestore` ({_IDENTITY}); it is never prepared again.",
    ),
    Reason.SHARED_DISK: Explanation(
        "Two nodes see one disk, or two disks with the same LVM UUIDs.", f"Let one host only see it ({_IDENTITY})."
    ),
    Reason.VOLUME_GROUP_NOT_OURS: Explanation(
        "A volume group has a name of ours, and nothing proves that it is this Node's.",
        f"Name its disk in `spec.disks.ids` if it is; else take the disk out, or rename the group ({_IDENTITY}).",
    ),
    Reason.VOLUME_GROUP_REPLACED: Explanation(
        "A recorded disk carries another volume group than the recorded one.",
        f"Bring the recorded one back ({_IDENTITY}).",
    ),
    Reason.LOGICAL_VOLUME_REPLACED: Explanation(
        "The logical volume of a brick is not the recorded one.", f"Bring the recorded one back ({_IDENTITY})."
    ),
    Reason.FILESYSTEM_REPLACED: Explanation(
        "The filesystem of a brick is not the recorded one.", f"Bring the recorded one back ({_IDENTITY})."
    ),
    Reason.FILESYSTEM_DUPLICATED: Explanation(
        "The filesystem of a brick shows twice on its host, so which one is mounted is a matter of luck.",
        f"Detach the copy, or give it a UUID of its own ({_IDENTITY}).",
    ),
}

_SITE = {
    Reason.INVALID_SPEC: Explanation("The spec contradicts itself or another object.", "Correct what is named."),
    Reason.MORE_THAN_ONE_SITE: Explanation("The namespace has more than one Site.", "Delete all but one."),
    Reason.DUPLICATE_ADDRESS: Explanation("Two nodes have the same address.", "Correct one of them."),
    Reason.ADDRESS_OUTSIDE_NETWORK: Explanation(
        "A node's address is outside its Network's subnet.", "Correct the address or the subnet."
    ),
    Reason.NETWORK_DIFFERS: Explanation(
        "A node has not its declared address in the Network, or a smaller MTU, or no link.",
        "Configure it on the host, or correct the declaration.",
    ),
    Reason.UNSUPPORTED_NODE_COUNT: Explanation(
        "This number of storage nodes cannot hold replicated data safely.", "Declare one, three, or more nodes."
    ),
    Reason.FAILURE_DOMAIN_SHARED: Explanation(
        "Two copies of the same data would fail together.", "Spread the nodes over failure domains."
    ),
    Reason.DOES_NOT_FIT: Explanation(
        "The volume is larger than what is free on the chosen disks; nothing was touched.",
        "Make it smaller, or add disks; the message has the numbers.",
    ),
    Reason.IMMUTABLE_DIFFERENCE: Explanation(
        "The real thing differs in something that cannot be changed afterwards.",
        "Correct the spec, or move the data to a new volume.",
    ),
    Reason.VERSIONS_DIFFER: Explanation(
        "The nodes run different versions of Gluster; configuration stays as it is meanwhile.",
        "Bring all nodes to one version.",
    ),
    Reason.OP_VERSION_REFUSED: Explanation(
        "Gluster refuses, because the op-version of a node, of a client or of the pool is not what it takes.",
        "Bring Gluster to one version everywhere, clients too, then raise the pool's op-version; Heretic never does.",
    ),
    Reason.TOPOLOGY_DIFFERS: Explanation(
        "The volume has other bricks, or another id, than the declared one; that is never changed by itself.",
        "Change the declaration to what is there, or the volume by hand.",
    ),
    Reason.PEER_DISCONNECTED: Explanation(
        "A node is a member of the pool and does not answer the others.", "Check the node and the storage network."
    ),
    Reason.PEER_REJECTED: Explanation(
        "A node's configuration differs from the pool's, so the pool rejects it.",
        "Compare `/var/lib/glusterd` of the nodes; Heretic never detaches a peer.",
    ),
    Reason.POOL_NOT_OURS: Explanation(
        "A node belongs to a pool with members that are not declared.",
        "Declare them as Nodes, or take the node out of that pool by hand.",
    ),
    Reason.PEER_REPLACED: Explanation(
        "The glusterd of a host has another UUID than the one recorded for it: it was installed anew, or another host "
        "answers at its address.",
        "Correct the address, or give the host its UUID back as the how-to page for a reinstalled host says.",
    ),
    Reason.PEER_CLONED: Explanation(
        "Two hosts have the same glusterd UUID, as machines made from one image have.",
        "On the one without bricks: stop glusterd, remove /var/lib/glusterd/glusterd.info, start glusterd.",
    ),
    Reason.BRICK_DOWN: Explanation(
        "A brick's process does not run.", "Nothing, unless it lasts; then look at the brick's log on its node."
    ),
    Reason.BRICK_LOST: Explanation(
        "The volume exists, and in the place of a brick is nothing, or an empty folder.",
        "Find out what became of its disk; else make the brick anew by hand, while all its copies are up.",
    ),
    Reason.BRICK_ON_ROOT: Explanation(
        "A brick's disk is not mounted, and files of the brick lie in its place on the root filesystem.",
        "End the process that writes there, move the folder away, and let the brick be mounted; the message says how.",
    ),
    Reason.BRICK_NOT_PROVEN: Explanation(
        "A logical volume is to be removed, and nothing proves that it holds a brick of the deleted volume.",
        "Mount it so that it can be looked at, or remove it by hand; the message says how.",
    ),
    Reason.BRICK_NOT_EMPTY: Explanation(
        "A folder that is to become a brick holds files, or is a brick of another volume.",
        "Move what is there, or name another volume.",
    ),
    Reason.QUORUM_LOST: Explanation(
        "Too few bricks of a set are up: the volume does not take writes.", "Bring the nodes back that are named."
    ),
    Reason.QUORUM_UNKNOWN: Explanation(
        "It cannot be told whether the volume has quorum.", "Bring back a node that can be asked."
    ),
    Reason.HEAL_PENDING: Explanation(
        "Files wait to be copied to a brick that was away.", "Nothing; keep all nodes up until it is done."
    ),
    Reason.HEAL_UNKNOWN: Explanation(
        "It cannot be told how much waits to be healed, which is not zero.",
        "Nothing; where it lasts, bring the missing node back.",
    ),
    Reason.SPLIT_BRAIN: Explanation(
        "Copies of a file contradict each other.",
        "Choose the good copy by hand: `gluster volume heal <volume> info split-brain`.",
    ),
    Reason.VOLUME_NOT_STARTED: Explanation("The volume does not run.", "Nothing; it is started where it may be."),
    Reason.VOLUME_IN_USE: Explanation(
        "The volume is to be deleted and somebody uses it, or nobody knows.", "Unmount it everywhere."
    ),
    Reason.POOL_NEARLY_FULL: Explanation(
        "A thin pool is nearly full: full, it takes its bricks down on all nodes at once.",
        "Delete data, or add space.",
    ),
    Reason.POOL_OVERCOMMITTED: Explanation(
        "More is promised to the volumes in a thin pool than the pool has, whoever made them.",
        "Remove volumes or snapshots that are not needed, or give the pool more room.",
    ),
    Reason.POOL_OUT_OF_SPACE: Explanation(
        "A pool has no room left and takes no writes.",
        "Give it room now ([how](../how-to/thin-pool-takes-no-writes.md)).",
    ),
    Reason.POOL_NEEDS_REPAIR: Explanation(
        "A thin pool takes no writes until its metadata is repaired; room does not help any more.",
        "Repair it offline ([how](../how-to/thin-pool-takes-no-writes.md)).",
    ),
    Reason.POOL_FAILED: Explanation(
        "A pool or a volume in it has failed and takes no reads and no writes.",
        "Repair it offline ([how](../how-to/thin-pool-takes-no-writes.md)); the kernel's log says what failed.",
    ),
    Reason.POOL_NOT_ACTIVE: Explanation(
        "A pool or a brick's logical volume is suspended or not active.",
        "Activate it with the command of the message, unless LVM works on it just now.",
    ),
    Reason.LOGICAL_VOLUME_FAILED: Explanation(
        "A logical volume takes no writes: it is read-only, an invalid snapshot, or its write cache is broken.",
        "Do what the message says.",
    ),
    Reason.OBSERVED_ONLY: Explanation(
        "What was not laid out by Heretic is observed, and nothing is changed on it or beside it.",
        "Set `mode: Observe` for it; to have it managed, move the data to a volume that Heretic lays out.",
    ),
    Reason.DEPENDENTS_EXIST: Explanation(
        "The object is to be deleted and others still refer to it.", "Delete or change those that are named."
    ),
}

_OURS = {
    Reason.API_SERVER: Explanation("The API server did not answer, or refused.", "Nothing; it is tried again."),
    Reason.INTERNAL_ERROR: Explanation("A mistake of ours.", "Report it with the operator's log."),
}

CHAPTERS: Mapping[str, Mapping[Reason, Explanation]] = {
    "Healthy, or on the way": _ON_THE_WAY,
    "Waiting for something else": _WAITING,
    "Reaching a host": _REACHING,
    "A host's own trouble": _HOST,
    "Disks": _DISKS,
    "Site and volumes": _SITE,
    "Heretic itself": _OURS,
}
"""Every reason, in the order of domain/errors.py."""


def explain(reason: Reason) -> Explanation:
    """What a reason means and what to do about it."""
    return next(chapter[reason] for chapter in CHAPTERS.values() if reason in chapter)

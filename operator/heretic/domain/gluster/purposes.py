"""What each purpose of a volume stands for: HVP's eight, in terms of Gluster 10 and 11.

The purposes follow rule:hvp-volumes, their options rule:volume-options.

Where HVP applied a group profile, the group's options are written out here: what a group holds differs between
releases and packages, and a drift can only be told from a list that we own.

Left out of HVP's list on purpose: sharding on everything that is not a disk image (it is a feature for virtual
machine images, and may never be switched later), gNFS (no longer built), compound-fops (no effect any more), and
``cluster.granular-entry-heal``, which is on by default at op-version 90000 and later, and which ``volume set``
refuses once a volume was started.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from heretic.api.v1alpha1.gluster_volume import Provisioning, Purpose

GIB = 2**30
KIB = 2**10
MIB = 2**20

VDSM_KVM = (36, 36)
"""uid and gid vdsm:kvm, the same on every oVirt host."""
ROOT = (0, 0)


@dataclass(frozen=True, slots=True)
class PurposeDefaults:
    """What a purpose sets.

    Attributes:
        owner: uid and gid of the volume's root.
        options: Gluster options; the spec's options come on top.
        replica_only: Options that a volume of one brick does not take.
        provisioning: Thick where running out of pool space would stop the engine or the cluster lock.
        arbiter: Whether the third copy of each set holds names only; False = three full copies.
        sharded: Whether files are stored in pieces (rule:fixed-sharding: never switched on a volume with data).
    """

    owner: tuple[int, int]
    options: Mapping[str, str]
    replica_only: Mapping[str, str]
    provisioning: Provisioning
    arbiter: bool
    sharded: bool


_COMMON = {
    "network.ping-timeout": "20",
    "performance.low-prio-threads": "32",
    "performance.strict-o-direct": "on",
    "network.remote-dio": "disable",
    "user.cifs": "off",
}
"""HVP wanted a ping timeout of 10 s; the virt group's 20 s of Gluster 10 survives a busy disk, and is still shorter
than what oVirt allows before it pauses a machine."""

_REPLICA = {
    "cluster.quorum-type": "auto",
    "cluster.server-quorum-type": "server",
    "cluster.data-self-heal-algorithm": "full",
    "cluster.locking-scheme": "granular",
    "cluster.shd-max-threads": "8",
    "cluster.shd-wait-qlength": "10000",
}
"""Both quorums are always on: rule:keep-quorum forbids to lower them, so they are owned and set back."""

_IMAGES = {
    **_COMMON,
    "performance.quick-read": "off",
    "performance.read-ahead": "off",
    "performance.io-cache": "off",
    "performance.client-io-threads": "on",
    "cluster.eager-lock": "enable",
    "cluster.lookup-optimize": "off",
    "client.event-threads": "4",
    "server.event-threads": "4",
    "server.tcp-user-timeout": "20",
    "server.keepalive-time": "10",
    "server.keepalive-interval": "2",
    "server.keepalive-count": "5",
    "features.shard": "on",
    "features.shard-block-size": "64MB",
}
"""Group virt of Gluster 10 with HVP's shard size."""

_IMAGES_REPLICA = {**_REPLICA, "cluster.choose-local": "off"}

_METADATA_CACHE = {
    "features.cache-invalidation": "on",
    "features.cache-invalidation-timeout": "600",
    "performance.stat-prefetch": "on",
    "performance.cache-invalidation": "on",
    "performance.md-cache-timeout": "600",
    "network.inode-lru-limit": "200000",
}
"""Group metadata-cache."""

_FILES = {
    **_COMMON,
    "performance.strict-o-direct": "off",
    **_METADATA_CACHE,
    "performance.nl-cache": "on",
    "performance.nl-cache-timeout": "600",
    "performance.readdir-ahead": "on",
    "performance.parallel-readdir": "on",
    "features.show-snapshot-directory": "on",
}
"""Groups metadata-cache and nl-cache as HVP used them for shares; O_DIRECT is a matter of disk images."""

_LOCK = {
    **_COMMON,
    "performance.quick-read": "off",
    "performance.read-ahead": "off",
    "performance.io-cache": "off",
    "performance.write-behind": "off",
    "performance.stat-prefetch": "off",
    "cluster.eager-lock": "enable",
    "network.ping-timeout": "5",
    "server.tcp-user-timeout": "8",
    "server.keepalive-time": "3",
    "server.keepalive-interval": "1",
    "server.keepalive-count": "3",
}
"""Every node must see the lock file's bytes as they are on the bricks, so nothing is cached in a client. And a host
that dies must lose its lock soon, because public addresses move only after that (decision 0061)."""

_BLOCK = {
    **_IMAGES,
    "performance.stat-prefetch": "off",
    "performance.open-behind": "off",
    "performance.readdir-ahead": "off",
    "performance.io-thread-count": "32",
    "performance.high-prio-threads": "32",
    "performance.normal-prio-threads": "32",
    "performance.least-prio-threads": "4",
    "client.event-threads": "8",
    "server.event-threads": "8",
    "server.allow-insecure": "on",
}
"""Group gluster-block."""


def _profile(
    owner: tuple[int, int],
    options: Mapping[str, str],
    *,
    replica_only: Mapping[str, str] = MappingProxyType(_REPLICA),
    thick: bool = False,
    arbiter: bool = True,
) -> PurposeDefaults:
    return PurposeDefaults(
        owner=owner,
        options=MappingProxyType(dict(options)),
        replica_only=MappingProxyType(dict(replica_only)),
        provisioning=Provisioning.THICK if thick else Provisioning.THIN,
        arbiter=arbiter,
        sharded=options.get("features.shard") == "on",
    )


PROFILES: Mapping[Purpose, PurposeDefaults] = MappingProxyType(
    {
        Purpose.ENGINE: _profile(VDSM_KVM, _IMAGES, replica_only=_IMAGES_REPLICA, thick=True),
        Purpose.VIRTUAL_MACHINES: _profile(VDSM_KVM, _IMAGES, replica_only=_IMAGES_REPLICA),
        Purpose.ISO: _profile(VDSM_KVM, _IMAGES, replica_only=_IMAGES_REPLICA),
        Purpose.LOCK: _profile(VDSM_KVM, _LOCK, thick=True, arbiter=False),
        Purpose.SMB_SHARE: _profile(
            ROOT, {**_FILES, "performance.cache-samba-metadata": "on", "performance.write-behind": "off"}
        ),
        Purpose.NFS_SHARE: _profile(ROOT, _FILES),
        Purpose.BLOCK_SHARE: _profile(ROOT, _BLOCK, replica_only=_IMAGES_REPLICA),
        Purpose.BACKUP: _profile(ROOT, {**_COMMON, "performance.strict-o-direct": "off", **_METADATA_CACHE}),
    }
)
"""Every purpose."""

SHARD_OPTIONS = frozenset({"features.shard", "features.shard-block-size"})
"""Options that are set before the first start only and never changed afterwards (rule:fixed-sharding)."""

_ARBITER_MINIMUM_SHARDED = 1 * GIB
_ARBITER_MINIMUM_FILES = 4 * GIB
_BYTES_PER_ENTRY = 4 * KIB
_AVERAGE_FILE = 256 * KIB


def options_of(purpose: Purpose, replica_count: int, *, is_domain: bool = False) -> dict[str, str]:
    """The options that a volume of a purpose gets.

    Args:
        purpose: Of the volume.
        replica_count: 1 leaves out what only replicated volumes take.
        is_domain: Whether it is a storage domain of oVirt, which belongs to nobody else.
    """
    profile = PROFILES[purpose]
    whose = VDSM_KVM if is_domain else profile.owner
    uid, gid = whose
    owner = {"storage.owner-uid": str(uid), "storage.owner-gid": str(gid)} if whose != ROOT else {}
    return {**owner, **profile.options, **(profile.replica_only if replica_count > 1 else {})}


def arbiter_bytes(purpose: Purpose, brick: int) -> int:
    """Default size of an arbiter brick.

    An arbiter stores each name with its attributes, about 4 KiB an entry (Gluster's arbiter documentation). On a
    sharded volume every 64 MiB of data are one entry, so 1/8192 of the data brick (a margin of two) is enough and
    the minimum of 1 GiB decides, as in HVP. On a file share the number of files counts: with an average file of
    256 KiB it is 1/64 of the data brick (16 GiB a TiB; HVP had 10), at least 4 GiB. A flat minimum of 20 GiB, as
    other tools have it, would be eight times too much for the small disks of an arbiter-only node;
    ``spec.arbiterSize`` is there for whoever knows the files. Never more than the data brick itself.

    Args:
        purpose: Of the volume.
        brick: Size of a data brick, bytes.

    Returns:
        Bytes.
    """
    if PROFILES[purpose].sharded:
        wanted = max(_ARBITER_MINIMUM_SHARDED, brick // (64 * MIB) * _BYTES_PER_ENTRY * 2)
    else:
        wanted = max(_ARBITER_MINIMUM_FILES, brick // _AVERAGE_FILE * _BYTES_PER_ENTRY)
    return min(wanted, brick)

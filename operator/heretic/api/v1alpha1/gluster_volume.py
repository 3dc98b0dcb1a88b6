"""GlusterVolume: one replicated volume on the site's storage nodes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from heretic.api.quantity import parse_bytes
from heretic.api.schema import IMMUTABLE, Cap, Column, Rule, Unique, condition_column, fixed_once_set
from heretic.api.v1alpha1.common import (
    AGE,
    MODE,
    READY,
    REASON,
    SUMMARY,
    SYNCED,
    CommonSpec,
    CommonStatus,
    Resource,
)
from heretic.api.v1alpha1.storage_domain import (
    FUNCTION,
    DomainFunction,
    DomainSettings,
    StorageDomainName,
    StorageDomainStatus,
)
from heretic.api.v1alpha1.values import ObjectName, Size, Text
from heretic.api.v1alpha1.volume_name import LONGEST_NAME, VolumeName, may_name_a_volume
from heretic.api.v1alpha1.volume_option import OFF, VolumeOption, options_rule
from heretic.api.v1alpha1.volume_status import BrickStatus, HealProgress


class Purpose(StrEnum):
    """What a volume is for; sets owner, options, thick or thin and arbiter, as HVP does."""

    ENGINE = "Engine"
    VIRTUAL_MACHINES = "VirtualMachines"
    ISO = "ISO"
    LOCK = "Lock"
    SMB_SHARE = "SMBShare"
    NFS_SHARE = "NFSShare"
    BLOCK_SHARE = "BlockShare"
    BACKUP = "Backup"


class Provisioning(StrEnum):
    """How bricks get their space."""

    THICK = "Thick"
    THIN = "Thin"


_GUESTS = (Purpose.ENGINE, Purpose.VIRTUAL_MACHINES, Purpose.ISO)
_WRITTEN = (Purpose.ENGINE, Purpose.VIRTUAL_MACHINES, Purpose.LOCK, Purpose.BLOCK_SHARE)

FUNCTIONS: Mapping[Purpose, tuple[DomainFunction, ...]] = {
    Purpose.VIRTUAL_MACHINES: (DomainFunction.DATA,),
    Purpose.ISO: (DomainFunction.DATA, DomainFunction.ISO),
    Purpose.BACKUP: (DomainFunction.EXPORT,),
}
"""What a storage domain on a volume of each purpose may hold; the first where it is not said."""


def _whole_sets(spec: "GlusterVolumeSpec") -> bool:
    return len(spec.nodes) in (0, 1) or len(spec.nodes) % 3 == 0


def _sets_match_replicas(spec: "GlusterVolumeSpec") -> bool:
    return spec.replica_count is None or not spec.nodes or (spec.replica_count == 1) == (len(spec.nodes) == 1)


def _arbiter_is_not_larger(spec: "GlusterVolumeSpec") -> bool:
    return not spec.arbiter_size or parse_bytes(spec.arbiter_size) <= parse_bytes(spec.size)


def _function_fits(spec: "GlusterVolumeSpec") -> bool:
    domain = spec.storage_domain
    return domain is None or domain.function is None or domain.function in FUNCTIONS.get(spec.purpose, ())


class VolumeStorageDomain(DomainSettings):
    """The storage domain that a volume is in the engine."""

    name: StorageDomainName = Field(default="", description="Its name in the engine. Unset: that of the object.")
    function: DomainFunction | None = Field(
        default=None, description=f"{FUNCTION} Unset: Export for the purpose Backup, else Data."
    )


class GlusterVolumeSpec(CommonSpec):
    """What the user declares."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.nodes) || self.nodes.size() <= 1 || self.nodes.size() % 3 == 0",
            message=(
                "`nodes` must be one node, or three, six, nine and so on: two copies have no majority when the "
                "link between them breaks"
            ),
            holds=_whole_sets,
        ),
        Rule(
            cel=(
                "!has(self.replicaCount) || !has(self.nodes) || self.nodes.size() == 0 || (self.replicaCount == "
                "1) == (self.nodes.size() == 1)"
            ),
            message="`nodes` must be one node when `replicaCount` is 1, and three or a multiple when it is 3",
            holds=_sets_match_replicas,
        ),
        # A rule and not a list of type set: the order counts, and an object that was stored with a node twice must
        # keep its status and be deletable, which the API server allows for rules only.
        Rule(
            cel="!has(self.nodes) || self.nodes.all(n, self.nodes.exists_one(m, m == n))",
            message="`nodes` must not list a node twice: two copies of the same data would be lost with one host",
            holds=lambda spec: len(set(spec.nodes)) == len(spec.nodes),
        ),
        Rule(
            cel=(
                "!has(self.arbiterSize) || !isQuantity(self.arbiterSize) || !isQuantity(self.size) || "
                "quantity(self.arbiterSize).compareTo(quantity(self.size)) <= 0"
            ),
            message="`arbiterSize` must not be larger than `size`: an arbiter holds no data",
            holds=_arbiter_is_not_larger,
        ),
        Rule(
            cel="self.purpose != 'Lock' || !has(self.arbiterSize)",
            message="`arbiterSize` may not be specified when `purpose` is 'Lock': it has three full copies",
            holds=lambda spec: spec.purpose is not Purpose.LOCK or not spec.arbiter_size,
        ),
        options_rule(
            _GUESTS,
            "storage[.]owner-[ug]id",
            "0*36",
            "`options` must not give the volume to anybody but 36:36 (vdsm:kvm): oVirt could not use it",
        ),
        options_rule(
            _GUESTS,
            "server[.](?:root|all)-squash",
            OFF,
            "`options` must not map users to others: oVirt's files belong to 36:36 (vdsm:kvm) and to root",
        ),
        options_rule(
            _WRITTEN,
            "features[.](?:read-only|worm|worm-file-level)",
            OFF,
            "`options` must not make the volume read-only: with this purpose it is written to",
        ),
        Rule(
            cel="!has(self.storageDomain) || self.purpose in ['VirtualMachines', 'ISO', 'Backup']",
            message=(
                "`storageDomain` may not be specified when `purpose` is not 'VirtualMachines', 'ISO' or 'Backup': the "
                "engine keeps its own domain itself, and the others do not hold what a domain does"
            ),
            holds=lambda spec: spec.storage_domain is None or spec.purpose in FUNCTIONS,
        ),
        Rule(
            cel=(
                "!has(self.storageDomain) || !has(self.storageDomain.function) || (self.purpose == 'Backup' ? "
                "self.storageDomain.function == 'Export' : self.storageDomain.function == 'Data' || (self.purpose == "
                "'ISO' && self.storageDomain.function == 'ISO'))"
            ),
            message=(
                "`storageDomain.function` must be 'Data' when `purpose` is 'VirtualMachines', 'Data' or 'ISO' when it "
                "is 'ISO', and 'Export' when it is 'Backup'"
            ),
            holds=_function_fits,
        ),
        Rule(
            cel="has(self.volumeName) == has(oldSelf.volumeName)",
            message="`volumeName` must be set from the start or not at all: a Gluster volume cannot be renamed",
        ),
        fixed_once_set("replicaCount", "`replicaCount` must not change once it is set"),
        fixed_once_set(
            "provisioning", "`provisioning` must not change once it is set: bricks keep the form they were made in"
        ),
    )

    purpose: Annotated[
        Purpose,
        Rule(IMMUTABLE, "must not change: it decides owner, sharding and form of the bricks; make another volume"),
    ] = Field(
        description=(
            "What the volume is for; it decides owner, options, sharding, thick or thin bricks and whether the "
            "third copy is an arbiter. Engine: disk of the hosted engine. VirtualMachines: disks of guests. ISO: "
            "installation images. Lock: cluster locks of CTDB, three full copies. SMBShare, NFSShare: files for "
            "users. BlockShare: iSCSI LUNs. Backup: backups of the site. It must not change later."
        )
    )
    size: Annotated[
        Size,
        Rule(
            cel="!isQuantity(self) || !isQuantity(oldSelf) || quantity(self).compareTo(quantity(oldSelf)) >= 0",
            message="must not become smaller: the filesystem of a brick cannot shrink",
        ),
    ] = Field(
        description=(
            "Usable size, such as 500Gi: what clients see, whatever the number of copies. It must fit on the "
            "chosen disks beside the other volumes, which is checked before anything is touched. It may become "
            "larger later, and the bricks grow while they serve; it must not become smaller."
        )
    )
    volume_name: Annotated[VolumeName, Rule(IMMUTABLE, "must not change: a Gluster volume cannot be renamed")] = Field(
        default="",
        description="Name in Gluster, where it is not that of the object. It must not change later.",
    )
    replica_count: Literal[1, 3] | None = Field(
        default=None,
        description=(
            "Copies of the data: 1 on a single node, or 3, of which one is an arbiter unless the purpose is Lock. "
            "Two are refused, because they have no majority. Unset: 1 in a site of one storage node, else 3."
        ),
    )
    nodes: Annotated[list[ObjectName], Field(max_length=24)] = Field(
        default=[],
        description=(
            "Nodes that hold the bricks, in the order in which replica sets of three are formed. Unset: the "
            "storage nodes of the Site in their recorded order (status.storage.nodes of the Site)."
        ),
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    provisioning: Provisioning | None = Field(
        default=None,
        description=(
            "How bricks get their space. Thick: all of it at once. Thin: from a pool that is shared and grows. "
            "Unset: Thick for the purposes Engine and Lock, else Thin. It must not change once it is set."
        ),
    )
    arbiter_size: Size = Field(
        default="",
        description="Size of an arbiter brick. Unset: computed from size and purpose; it depends on how "
        "many files there are, about 4 KiB each.",
    )
    options: Annotated[list[VolumeOption], Field(max_length=64), Unique("name")] = Field(
        default=[],
        description=(
            "Gluster options that differ from those of the purpose, such as {name: network.ping-timeout, value: "
            "'20'}. Options that would risk data (lower quorum, other sharding) are refused."
        ),
    )
    storage_domain: VolumeStorageDomain | None = Field(
        default=None,
        description=(
            "Makes the volume a storage domain of the engine: made, attached to the data center and active, once the "
            "volume is started and a host of the cluster is up. {} is enough. For the purposes VirtualMachines, ISO "
            "and Backup. A domain that lies on the volume already is taken over. To take this field away leaves the "
            "domain in the engine."
        ),
    )


class GlusterVolumeStatus(CommonStatus):
    """What Heretic saw."""

    volume_id: Text = Field(default="", description="Gluster's own id of the volume.")
    topology: Text = Field(default="", description="Replica sets, as Gluster writes them: 1 x (2 + 1).")
    bricks_up: Text = Field(default="", description="Bricks that are up, of all: 3/3.")
    heal_pending: Text = Field(default="", description="Entries that wait to be healed on all bricks, or Unknown.")
    heal_progress: HealProgress | None = Field(
        default=None, description="How the heal gets on; missing: nothing waits, or nobody knows."
    )
    capacity: Text = Field(default="", description="Size as clients see it.")
    used: Text = Field(default="", description="Space that is used, as clients see it, in percent.")
    sharded: bool | None = Field(default=None, strict=True, description="Whether files lie in pieces; missing: unseen.")
    storage_domain: StorageDomainStatus | None = Field(
        default=None, description="The storage domain that the volume is in the engine; missing: none was seen."
    )
    bricks: Annotated[list[BrickStatus], Cap(64)] = Field(default=[], description="Every brick that is declared.")


class GlusterVolume(Resource):
    """One Gluster volume on the site's storage nodes, replicated so that it outlives the loss of any one of them.

    purpose and size are enough. Heretic prepares the disks, makes the bricks, creates and starts the volume with
    HVP's options for the purpose, keeps it so, and tells in status what is up, what waits to be healed and how
    full it is. Three nodes give two copies and an arbiter; more give chained sets of three; one gives a single
    copy.
    """

    KIND: ClassVar[str] = "GlusterVolume"
    PLURAL: ClassVar[str] = "glustervolumes"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("gvol",)
    SELECTABLE: ClassVar[tuple[str, ...]] = (".spec.purpose",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        READY,
        Column("Purpose", ".spec.purpose", "What it is for."),
        Column("Size", ".spec.size", "Declared size."),
        Column("Bricks", ".status.bricksUp", "Bricks that are up, of all."),
        Column("Heal", ".status.healPending", "Entries that wait to be healed."),
        Column("Topology", ".status.topology", "Replica sets and their bricks.", wide=True),
        Column("Used", ".status.used", "Space that is used.", wide=True),
        condition_column("Quorate", wide=True),
        condition_column("Degraded", wide=True),
        MODE,
        REASON,
        SYNCED,
        AGE,
        SUMMARY,
    )
    RULES: ClassVar[tuple[Rule, ...]] = (
        *Resource.RULES,
        Rule(
            cel=(
                f"!has(self.spec.storageDomain) || has(self.spec.storageDomain.name) || self.metadata.name.size() <= "
                f"{LONGEST_NAME}"
            ),
            message=(
                f"`spec.storageDomain.name` must be set when `metadata.name` is longer than {LONGEST_NAME} characters"
            ),
            holds=lambda volume: (
                volume.spec.storage_domain is None
                or bool(volume.spec.storage_domain.name)
                or len(volume.metadata.name) <= LONGEST_NAME
            ),
        ),
        Rule(
            cel=(
                # An object's name has no underscore, so these are all reserved ones that it can be; to match the whole
                # pattern on a name, whose length counts as unbounded, is too expensive for the API server.
                f"has(self.spec.volumeName) || (self.metadata.name.size() <= {LONGEST_NAME}"
                " && !(self.metadata.name in ['all', 'lvthinpool'])"
                " && !self.metadata.name.startsWith('snapshot') && !self.metadata.name.startsWith('pvmove'))"
            ),
            message=(
                f"`metadata.name` must be at most {LONGEST_NAME} characters and not a name that is taken ('all', "
                "'lvthinpool', 'snapshot…', 'pvmove…'), or `spec.volumeName` must be set"
            ),
            holds=lambda volume: bool(volume.spec.volume_name) or may_name_a_volume(volume.metadata.name),
        ),
    )

    spec: GlusterVolumeSpec = Field(description="The volume as it shall be.")
    status: GlusterVolumeStatus = Field(
        default_factory=GlusterVolumeStatus, description="The volume as it was last seen."
    )

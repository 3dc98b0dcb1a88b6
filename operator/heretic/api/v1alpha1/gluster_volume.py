"""GlusterVolume: one replicated volume on the site's storage nodes."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from heretic.api.v1alpha1.common import CommonSpec, CommonStatus, Model, ObjectName, Resource


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


class VolumeOption(Model):
    """One gluster option that differs from the purpose's default."""

    name: str
    value: str


class GlusterVolumeSpec(CommonSpec):
    """What the user declares."""

    purpose: Purpose
    size: str
    """Usable size, a Kubernetes quantity such as 500Gi."""
    volume_name: str = ""
    """Name in Gluster; empty = the object's name."""
    replica_count: int | None = None
    """1 or 3; empty = 1 on a site of one node, else 3."""
    nodes: list[ObjectName] = []
    """Storage nodes that hold it, in the order of the replica sets; empty = all of the Site."""
    provisioning: Provisioning | None = None
    """Empty = the purpose's default."""
    arbiter_size: str = ""
    """Size of an arbiter brick; empty = computed."""
    options: list[VolumeOption] = []


class BrickStatus(Model):
    """One brick."""

    node: str
    path: str
    arbiter: bool = False
    state: str = "Unknown"
    """Up, Down, Missing or Unknown."""
    heal_pending: int | None = None
    size: str = ""
    free: str = ""


class GlusterVolumeStatus(CommonStatus):
    """What Heretic saw."""

    volume_id: str = ""
    topology: str = ""
    """For example "3 × (2 + 1)"."""
    bricks_up: str = ""
    heal_pending: str = ""
    """Number of entries, or Unknown."""
    capacity: str = ""
    used: str = ""
    bricks: list[BrickStatus] = []


class GlusterVolume(Resource):
    """One replicated volume."""

    KIND: ClassVar[str] = "GlusterVolume"
    PLURAL: ClassVar[str] = "glustervolumes"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("gvol",)

    spec: GlusterVolumeSpec
    status: GlusterVolumeStatus = Field(default_factory=GlusterVolumeStatus)

"""Node: one physical host."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from heretic.api.v1alpha1.common import CommonSpec, CommonStatus, Model, ObjectName, Resource


class Role(StrEnum):
    """What a host does for the site."""

    HYPERVISOR = "Hypervisor"
    STORAGE = "Storage"
    FILE_SERVER = "FileServer"


class ArbiterPolicy(StrEnum):
    """Whether a host may hold only arbiter bricks."""

    AUTO = "Auto"
    ALWAYS = "Always"
    NEVER = "Never"


class DiskSelection(StrEnum):
    """How data disks are found."""

    AUTO = "Auto"
    """Every blank disk that is large enough is a candidate; HVP's rules choose among them."""
    BY_ID = "ById"
    """Exactly the disks of ``ids``."""


class NodeDisks(Model):
    """Which disks Heretic may use for bricks."""

    selection: DiskSelection = DiskSelection.AUTO
    ids: list[str] = []
    """Names below /dev/disk/by-id/ (or /dev/disk/by-path/), without the folder."""
    minimum_size: str = "100G"
    """Smaller disks are no candidates of selection Auto."""


class NodeAddress(Model):
    """The node's address in one Network."""

    network: ObjectName
    address: str


class NodeSSH(Model):
    """Differences from the Site's SSH settings."""

    user: str | None = None
    port: int | None = None


class NodeSpec(CommonSpec):
    """What the user declares."""

    address: str
    """Where SSH reaches it: IP address or DNS name, on the management network."""
    host_keys: list[str] = []
    """Its SSH host keys, OpenSSH public key format ("ssh-ed25519 AAAA…")."""
    ssh: NodeSSH = NodeSSH()
    roles: list[Role] = [Role.STORAGE]
    arbiter: ArbiterPolicy = ArbiterPolicy.AUTO
    failure_domain: str = ""
    """Nodes with the same non-empty value fail together; never two bricks of one set in one."""
    addresses: list[NodeAddress] = []
    """Addresses in other Networks; the one in the Network of role Gluster carries storage traffic."""
    disks: NodeDisks = NodeDisks()
    maintenance: bool = False


class NodeDisk(Model):
    """One disk as seen, and what became of it."""

    id: str
    path: str = ""
    size_bytes: int = 0
    media: str = ""
    use: str = ""
    """Chosen use (see domain/disks/layout.py), recorded once made; empty = not used."""
    volume_group: str = ""
    prepared: bool = False
    """Whether the volume group exists on it."""
    finding: str = ""
    """Why it is not usable: signature, holder, size, …; empty when blank or ours."""


class NodeInterface(Model):
    """One network port as seen."""

    name: str
    mac: str = ""
    carrier: bool | None = None
    speed_mbps: int | None = None
    mtu: int = 0
    addresses: list[str] = []
    network: str = ""


class NodeFactsStatus(Model):
    """The host, in short."""

    os: str = ""
    platform: str = ""
    kernel: str = ""
    cpu: str = ""
    cpus: int = 0
    memory: str = ""
    gluster: str = ""


class NodeStatus(CommonStatus):
    """What Heretic saw."""

    facts: NodeFactsStatus | None = None
    disks: list[NodeDisk] = []
    interfaces: list[NodeInterface] = []
    trusted_host_key: str = ""
    """Key accepted on first use, where the Site opts in."""


class Node(Resource):
    """One physical host."""

    KIND: ClassVar[str] = "Node"
    PLURAL: ClassVar[str] = "nodes"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("hnode",)

    spec: NodeSpec
    status: NodeStatus = Field(default_factory=NodeStatus)

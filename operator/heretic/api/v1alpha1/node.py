"""Node: one physical host."""

import re
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import Cap, Column, Rule, Unique, condition_column, matching
from heretic.api.v1alpha1.common import (
    AGE,
    MODE,
    READY,
    REASON,
    SUMMARY,
    SYNCED,
    CommonSpec,
    CommonStatus,
    Model,
    Resource,
    StatusModel,
)
from heretic.api.v1alpha1.node_address import IPV6_RULES
from heretic.api.v1alpha1.node_facts import NodeFactsStatus
from heretic.api.v1alpha1.node_interfaces import NodeAddress, NodeInterface, NodePath, NodePort, PortChoice
from heretic.api.v1alpha1.power import PowerManagement, PowerManagementStatus
from heretic.api.v1alpha1.values import AnyHostAddress, Int64, Port, PublicKey, Size, Text, UserName


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


DiskId = Annotated[
    str,
    StringConstraints(max_length=128),
    matching("[A-Za-z0-9][-A-Za-z0-9#+.:=@_]*", "must be a name below /dev/disk/by-id without the folder"),
    Rule(
        cel="!self.matches(r'-part[0-9]+$')",
        message="must be a whole disk, not a partition",
        holds=lambda text: re.search("-part[0-9]+$", text) is None,
    ),
]


class NodeDisks(Model):
    """Which disks Heretic may use for bricks."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.selection != 'ById' || (has(self.ids) && self.ids.size() > 0)",
            message="`ids` must list at least one disk when `selection` is 'ById'",
            holds=lambda disks: disks.selection is not DiskSelection.BY_ID or bool(disks.ids),
        ),
        Rule(
            cel="self.selection == 'ById' || !has(self.ids) || self.ids.size() == 0",
            message="`ids` may not be specified when `selection` is 'Auto'; write `selection: ById`",
            holds=lambda disks: disks.selection is DiskSelection.BY_ID or not disks.ids,
        ),
    )

    selection: DiskSelection = Field(
        default=DiskSelection.AUTO,
        description=(
            "How data disks are found. Auto: every blank disk of at least minimumSize is a candidate, and HVP's "
            "rules choose among them. ById: exactly the disks of ids. Either way a disk that carries anything (a "
            "partition table, a filesystem, LVM, RAID, …) is left alone; status.disks says what was found on it. One "
            "that ids names can be erased by an approval of exactly that."
        ),
    )
    ids: Annotated[list[DiskId], Field(max_length=32), Unique()] = Field(
        default=[],
        description=(
            "Names below /dev/disk/by-id (or /dev/disk/by-path, for a disk without serial number), without the "
            "folder, such as wwn-0x5000c500a1b2c3d4. They survive a reboot, which /dev/sda does not. status.disks "
            "lists what the host has."
        ),
    )
    minimum_size: Size = Field(
        default="100G",
        description="Smaller disks are no candidates of selection Auto: a USB stick is no data disk.",
    )


class NodeSSH(Model):
    """Differences from the Site's SSH settings."""

    user: UserName | None = Field(default=None, description="Account to log in as. Unset: spec.ssh.user of the Site.")
    port: Port | None = Field(default=None, description="TCP port of sshd. Unset: spec.ssh.port of the Site.")


LabelName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=50),
    matching("[A-Za-z0-9_-]+", "must be 1 to 50 letters, digits, dashes and underscores"),
]


class NodeSpec(CommonSpec):
    """What the user declares."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.arbiter != 'Always' || 'Storage' in self.roles",
            message="`arbiter` must not be 'Always' when `roles` has no 'Storage': it would hold no bricks",
            holds=lambda spec: spec.arbiter is not ArbiterPolicy.ALWAYS or Role.STORAGE in spec.roles,
        ),
        Rule(
            cel="!has(self.affinityLabels) || 'Hypervisor' in self.roles",
            message="`affinityLabels` may not be specified when `roles` has no 'Hypervisor'",
            holds=lambda spec: spec.affinity_labels is None or Role.HYPERVISOR in spec.roles,
        ),
        Rule(
            cel="!has(self.powerManagement) || 'Hypervisor' in self.roles",
            message="`powerManagement` may not be specified when `roles` has no 'Hypervisor'",
            holds=lambda spec: spec.power_management is None or Role.HYPERVISOR in spec.roles,
        ),
        *IPV6_RULES,
    )

    address: AnyHostAddress = Field(
        description=(
            "Where SSH reaches the host: IP address or DNS name, on the management network. Of a Hypervisor no IPv6 "
            "address, because the engine takes no host by one, but a name that leads to it."
        )
    )
    host_keys: Annotated[list[PublicKey], Field(max_length=8), Unique()] = Field(
        default=[],
        description=(
            "The host's SSH public keys in OpenSSH format, such as 'ssh-ed25519 AAAA…': on its console, cat "
            "/etc/ssh/ssh_host_ed25519_key.pub. Heretic talks to nobody else. They may be left out where the Site "
            "trusts a host certificate authority or opted in to trust on first use."
        ),
    )
    ssh: NodeSSH = Field(default=NodeSSH(), description="Differences from the Site's SSH settings.")
    roles: Annotated[list[Role], Field(min_length=1, max_length=3), Unique()] = Field(
        default=[Role.STORAGE],
        description=(
            "What the host does for the site. Storage: holds bricks of GlusterVolumes. Hypervisor: runs guests. "
            "FileServer: serves shares."
        ),
    )
    arbiter: ArbiterPolicy = Field(
        default=ArbiterPolicy.AUTO,
        description=(
            "Whether the host may be the one that holds only arbiter bricks: names and attributes, no data, which "
            "keeps quorum with small disks. Auto: in a site of three Heretic chooses the weakest once and records "
            "it in status.storage of the Site. Always: this one. Never: not this one."
        ),
    )
    failure_domain: Annotated[
        str,
        StringConstraints(max_length=63),
        matching("[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?", "must be a name such as 'rack-1'"),
    ] = Field(
        default="",
        description=(
            "What fails as one, such as a rack or a power circuit: two copies of the same data are never put on "
            "nodes with the same name here. Unset: the node fails alone."
        ),
    )
    addresses: Annotated[list[NodeAddress], Field(max_length=8), Unique("network")] = Field(
        default=[],
        description=(
            "The host's addresses in the site's Networks, one each. The one in the Network of role Gluster "
            "carries storage traffic; without it that takes spec.address, or the IPv4 one in that of Management."
        ),
    )
    interfaces: Annotated[list[PortChoice], Field(max_length=32), Unique("port")] = Field(
        default=[],
        description=(
            "Where ports lead, where a person knows better than what can be found out. It wins over everything else."
        ),
    )
    configure_links: bool = Field(
        default=False,
        strict=True,
        description=(
            "Whether Heretic configures the host's ports, bonds and VLANs as the Networks declare, through "
            "NetworkManager. Each change is on trial: what answered before must answer on a new connection, or the "
            "host takes it back by itself. What is as declared is left as it is. On a host of the engine, the engine "
            "makes the change, and takes it back where it does not reach the host. Unset: it looks, and says what "
            "differs."
        ),
    )
    disks: NodeDisks = Field(default=NodeDisks(), description="Which disks Heretic may use for bricks.")
    affinity_labels: Annotated[list[LabelName], Field(max_length=32), Unique()] | None = Field(
        default=None,
        description=(
            "Affinity labels of the host in the engine: a machine with one of them runs only on hosts that have it. "
            "The host has exactly these, and a label that the engine lacks is made; an empty list takes all away. "
            "Unset: they are left as they are."
        ),
    )
    power_management: PowerManagement | None = Field(
        default=None,
        description=(
            "How the engine switches the host's power. Heretic keeps the engine's agents as declared and asks each "
            "time whether they work; it never switches a host itself. Unset: it is left as it is in the engine."
        ),
    )
    maintenance: bool = Field(
        default=False,
        strict=True,
        description=(
            "Whether somebody works on the host: nothing is changed on it, and its bricks may be down without being "
            "repaired. The condition Maintenance is True once the host may be switched off: one node of a site at a "
            "time, and only while every volume is known to be healed."
        ),
    )


class NodeDisk(StatusModel):
    """One disk as seen, and what became of it."""

    id: Text = Field(description="Stable name below /dev/disk/by-id, or by-path; write it in spec.disks.ids.")
    path: Text = Field(default="", description="Kernel name at the last look; another one after a reboot.")
    wwn: Text = Field(default="", description="World wide name; of a disk with a use: as recorded.")
    model: Text = Field(default="", description="Model; likewise.")
    serial: Text = Field(default="", description="Serial number; likewise.")
    size_bytes: Int64 = Field(default=0, description="Size in bytes.")
    sector_bytes: int = Field(default=0, description="Logical sector size in bytes; 0: not known.")
    media: Text = Field(default="", description="HDD, SSD or NVMe.")
    use: Text = Field(default="", description="What it was chosen for, recorded once and kept; empty: not used.")
    volume_group: Text = Field(default="", description="LVM volume group that it is chosen for.")
    prepared: bool = Field(
        default=False, description="Whether that volume group was made on it; once true it stays, whatever is seen."
    )
    pv_uuid: Text = Field(default="", description="LVM's UUID of the physical volume on it, recorded once and kept.")
    vg_uuid: Text = Field(default="", description="LVM's UUID of that volume group, recorded once and kept.")
    finding: Text = Field(
        default="", description="Why it may not be used: what was found on it; empty: blank, or already ours."
    )
    observed: bool = Field(
        default=False, description="Whether it carries bricks that Heretic did not lay out, and is left alone."
    )


class NodeEngineStatus(StatusModel):
    """The host in the site's engine."""

    id: Text = Field(default="", description="The engine's id of the host, recorded once it was found.")
    state: Text = Field(default="", description="Up, Maintenance, NonOperational and so on, as the engine says.")
    score: int | None = Field(
        default=None, description="How fit it is to run the engine's machine, 3400 at best; missing: not told."
    )
    detail: Text = Field(default="", description="Why it is not operational, as the engine says.")
    failed_installs: int = Field(
        default=0, description="Installations that failed since it was up; after the second one it is left alone."
    )
    reinstalled: bool = Field(
        default=False,
        description="Whether it was installed anew in this maintenance, so that it can run the engine's machine.",
    )
    last_words: Annotated[list[Text], Cap(5)] = Field(
        default=[], description="What went wrong with the host, in the engine's words, the newest last; none while up."
    )


class NodeStatus(CommonStatus):
    """What Heretic saw."""

    facts: NodeFactsStatus | None = Field(default=None, description="The host, in short.")
    disks: Annotated[list[NodeDisk], Cap(64)] = Field(
        default=[], description="Every disk of the host, what it was chosen for and why it may not be used."
    )
    interfaces: Annotated[list[NodeInterface], Cap(64)] = Field(
        default=[],
        description=(
            "Network ports, and what else has an address of the site; of more than 64 those with a declared address "
            "first."
        ),
    )
    ports: Annotated[list[NodePort], Cap(64)] = Field(
        default=[], description="Where each port of the host leads, by its hardware address."
    )
    paths: Annotated[list[NodePath], Cap(256)] = Field(
        default=[], description="How large packets are that get to the other Nodes, in each network."
    )
    engine: NodeEngineStatus | None = Field(
        default=None, description="The host in the site's engine; missing: it is none, or was not seen yet."
    )
    power_management: PowerManagementStatus | None = Field(
        default=None, description="Switching the host's power; missing: not declared, or the host was not seen yet."
    )
    out_of_service: bool = Field(
        default=False,
        description="Whether the engine had the host in maintenance, and the site was not seen whole since.",
    )
    whole_since: Text = Field(
        default="", description="Since when, by the engine's clock, the host is back and every volume healed."
    )
    trusted_host_key: Annotated[str, Cap(4096)] = Field(
        default="", description="Host key that was believed on first use, where the Site opts in to that."
    )


class Node(Resource):
    """One physical host, which Heretic reaches over SSH as root.

    Nothing of ours is installed on it. Heretic inspects it, configures packages, services, names and time, and
    prepares blank disks once a volume needs them. (kubectl get node shows the nodes of Kubernetes; write hnode.)
    """

    KIND: ClassVar[str] = "Node"
    PLURAL: ClassVar[str] = "nodes"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("hnode",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        READY,
        condition_column("Reachable"),
        Column("Address", ".spec.address", "Where SSH reaches it."),
        condition_column("DisksReady"),
        condition_column("Wired", wide=True),
        Column("Roles", ".spec.roles", "What it does for the site.", wide=True),
        Column("Failure domain", ".spec.failureDomain", "What it fails together with.", wide=True),
        Column("OS", ".status.facts.os", "Operating system.", wide=True),
        Column("Engine", ".status.engine.state", "State in the engine.", wide=True),
        Column("Gluster", ".status.facts.gluster", "Version of Gluster.", wide=True),
        MODE,
        REASON,
        SYNCED,
        AGE,
        SUMMARY,
    )

    spec: NodeSpec = Field(description="The host as it shall be.")
    status: NodeStatus = Field(default_factory=NodeStatus, description="The host as it was last seen.")

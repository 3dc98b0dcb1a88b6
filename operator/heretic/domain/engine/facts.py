"""What one look at an engine shows.

A field that may be None was left out by the engine: nothing may be concluded from it. Words such as a status are the
engine's own, in small letters; one that this version does not know is kept as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from heretic.domain.engine.host_parts import EngineInterface, HostAttachment, HostedEngineRole, OwnMachine
from heretic.domain.engine.power import HostPower
from heretic.domain.engine.vnic import NetworkFilter, VnicProfile
from heretic.domain.errors import Failure, Reason, Transient
from heretic.domain.facts import NOT_OBSERVED, Fact


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """Which engine it is.

    Attributes:
        instance: Made when the engine was set up, and kept for life, also by its backups. Of an engine that is too old
            to tell it: ``authority``.
        version: For example "4.5.7.0".
        time: Its clock; None where it did not say.
        authority: Whom it is believed by: made when it was set up, too.
    """

    instance: str
    version: str
    time: datetime | None
    authority: str = ""


@dataclass(frozen=True, slots=True)
class DataCenter:
    """A data center.

    Attributes:
        status: "uninitialized" until its first data domain is there; then "up", "maintenance", "problematic" and so on.
    """

    id: str
    name: str
    status: str
    local: bool | None


@dataclass(frozen=True, slots=True)
class ClusterNetwork:
    """A network as a cluster uses it.

    Attributes:
        usages: "management", "display", "migration", "gluster", "default_route", "vm"; None where they were not told.
        required: Whether a host without it is not operational.
        status: "operational", or "non_operational" while a host lacks it.
    """

    id: str
    name: str
    required: bool | None
    usages: frozenset[str] | None
    status: str


@dataclass(frozen=True, slots=True)
class FencingFlags:
    """When a cluster's hosts may be fenced; None where it was not told.

    Attributes:
        enabled: Whether at all.
        spares_bricks: Whether a host is not fenced while bricks of it are up.
        spares_quorum: Whether a host is not fenced where a volume would lose its quorum.
        spares_leases: Whether a host is not fenced while it renews its lease on a storage domain.
        spares_islands: Whether nobody is fenced while many hosts cannot be reached.
        island_percent: How many make an island, in percent of the cluster's hosts.
    """

    enabled: bool | None
    spares_bricks: bool | None
    spares_quorum: bool | None
    spares_leases: bool | None
    spares_islands: bool | None
    island_percent: int | None


@dataclass(frozen=True, slots=True)
class EngineCluster:
    """A cluster.

    Attributes:
        data_center: Id; "" for a cluster whose data center was removed.
        cpu_type: "" until it is chosen.
        level: Compatibility level such as "4.7".
        gluster: Whether its hosts serve Gluster.
        virt: Whether its hosts run machines.
        fencing: When its hosts may be fenced.
        migration_policy: Id.
        mac_pool: Id.
        networks: None where they were not told.
    """

    id: str
    name: str
    data_center: str
    cpu_type: str
    level: str
    gluster: bool | None
    virt: bool | None
    fencing: FencingFlags
    migration_policy: str
    networks: tuple[ClusterNetwork, ...] | None
    mac_pool: str = ""


@dataclass(frozen=True, slots=True)
class EngineHost:
    """A host, as the engine sees it.

    Attributes:
        address: Under which the engine reaches it.
        status: "up", "maintenance", "installing", "install_failed", "non_operational", "non_responsive" and so on.
        detail: Why it is not operational.
        cluster: Id.
        networks_changing: Whether the engine changes its networks just now.
        hosted_engine: None for a host that has no part in it, and where that was not told (``roles_are_told``).
        attachments: The logical networks that are attached to it; None where they were not told.
        interfaces: Its ports, bonds and VLANs; None where they were not asked for or not told.
        power_enabled: Whether the engine may switch its power.
        kdump_detection: Whether the engine waits for it to write its memory down before.
        guests: How many machines run on it or come to it; None where that was not told.
    """

    id: str
    name: str
    address: str
    status: str
    detail: str
    cluster: str
    networks_changing: bool | None
    hosted_engine: HostedEngineRole | None
    attachments: tuple[HostAttachment, ...] | None = None
    power_enabled: bool | None = None
    kdump_detection: bool | None = None
    guests: int | None = None
    interfaces: tuple[EngineInterface, ...] | None = None

    @property
    def networks(self) -> frozenset[str] | None:
        """Ids of the logical networks that are attached to it; None where they were not told."""
        return None if self.attachments is None else frozenset(one.network for one in self.attachments)


@dataclass(frozen=True, slots=True)
class LogicalNetwork:
    """A network of a data center.

    Attributes:
        data_center: Id.
        vlan: None = without a tag.
        mtu: 0 = the engine's default.
        for_machines: Whether machines may be attached to it.
    """

    id: str
    name: str
    data_center: str
    vlan: int | None
    mtu: int | None
    for_machines: bool | None


@dataclass(frozen=True, slots=True)
class AffinityLabel:
    """A label that ties machines to hosts.

    Attributes:
        hosts: Ids of the hosts that have it; None where they were not told, which an empty list looks like, too.
    """

    id: str
    name: str
    hosts: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class StorageDomain:
    """A storage domain, wherever it is attached.

    Attributes:
        purpose: "data", "iso", "export" and so on.
        status: Only where it is attached nowhere, or something ails it; the rest is told with the data center.
        storage: "glusterfs", "nfs", "iscsi", "fcp", "posixfs" and so on.
        address: Host of the share, for a share.
        path: On that host.
        mount_options: For example "backup-volfile-servers=…".
        units: Ids of its units, for block storage; None where they were not told.
        comment: A person's.
        description: Likewise.
        warning: Percent of free space below which the engine warns; None where it was not told.
        master: Whether it holds the data center's metadata.
        available: Bytes.
        used: Bytes.
    """

    id: str
    name: str
    purpose: str
    status: str
    storage: str
    address: str
    path: str
    mount_options: str
    units: frozenset[str] | None
    comment: str
    description: str
    warning: int | None
    master: bool | None
    available: int | None
    used: int | None


@dataclass(frozen=True, slots=True)
class AttachedDomain:
    """A storage domain as one data center has it.

    Attributes:
        status: "active", "maintenance", "locked", "inactive", "unknown" and so on.
        master: Whether it holds this data center's metadata.
    """

    id: str
    name: str
    status: str
    master: bool | None


OWN_MACHINE = "managed_hosted_engine"
"""How the engine says that a machine is its own: its origin."""


@dataclass(frozen=True, slots=True)
class MacPool:
    """A pool of MAC addresses.

    Attributes:
        ranges: First and last address of each, in small letters.
    """

    id: str
    name: str
    allow_duplicates: bool | None
    ranges: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the engine wrote down.

    Attributes:
        index: Grows with every event.
        code: Which sort of event.
        severity: "normal", "warning", "error" or "alert".
        time: None where it was not told.
        text: What happened; without the identifiers of sessions that the engine writes there.
        correlation: Of the request that led to it; "" when none did.
        host: Id of the host that it concerns; "" when none.
        about: What sorts of things it concerns: "host", "storage_domain", "cluster", "data_center", "vm", "template".
    """

    index: int
    code: int
    severity: str
    time: datetime | None
    text: str
    correlation: str
    host: str
    about: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class News:
    """What the engine wrote down since it was last asked.

    Attributes:
        events: The newest last.
        last: Index of the newest event that there is; 0 = there is none.
        missed: Whether there may have been more than were asked for.
    """

    events: tuple[Event, ...]
    last: int
    missed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """All that one look at an engine shows.

    Attributes:
        identity: Which engine answered.
        attached: By a data center's id.
        certificate_until: When the certificate of its web server runs out; None where that was not seen.
        mac_pools: Asked for where one is declared.
        own_machine: The engine's own machine, None where the engine knows of none; asked for while global
            maintenance is not as declared.
        recent: The newest events, also those that a look before has shown; the newest last.
        affinity_labels: Asked for where a Node declares some.
        vnic_profiles: Asked for where a Network declares one.
        network_filters: Asked for where one of these names a filter.
        ssh_key: The public key with which the engine comes to hosts: its type and the key, without a comment.
        power: What was asked about switching hosts, by their ids.
        passwords: A hash of each password that a Node declares for its fence agents now, by ``password_key``; those
            that cannot be read are missing.
        given: Likewise of those that this process gave to the engine.
    """

    identity: EngineIdentity
    data_centers: Fact[tuple[DataCenter, ...]] = NOT_OBSERVED
    clusters: Fact[tuple[EngineCluster, ...]] = NOT_OBSERVED
    hosts: Fact[tuple[EngineHost, ...]] = NOT_OBSERVED
    networks: Fact[tuple[LogicalNetwork, ...]] = NOT_OBSERVED
    storage_domains: Fact[tuple[StorageDomain, ...]] = NOT_OBSERVED
    attached: Mapping[str, Fact[tuple[AttachedDomain, ...]]] = field(default_factory=dict)
    certificate_until: datetime | None = None
    news: Fact[News] = NOT_OBSERVED
    mac_pools: Fact[tuple[MacPool, ...]] = NOT_OBSERVED
    own_machine: Fact[OwnMachine | None] = NOT_OBSERVED
    recent: Fact[tuple[Event, ...]] = NOT_OBSERVED
    affinity_labels: Fact[tuple[AffinityLabel, ...]] = NOT_OBSERVED
    vnic_profiles: Fact[tuple[VnicProfile, ...]] = NOT_OBSERVED
    network_filters: Fact[tuple[NetworkFilter, ...]] = NOT_OBSERVED
    ssh_key: Fact[str] = NOT_OBSERVED
    power: Mapping[str, HostPower] = field(default_factory=dict)
    passwords: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)


EngineView = EngineFacts | Failure
"""What is known of an engine in one pass: what a look showed, or why there was none."""

NOT_LOOKED_AT: EngineView = Transient(Reason.NOT_OBSERVED, "the engine has not been looked at yet")

"""What one pass learns of one host, in one round trip: the machine's own facts, and the sections of subjects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

from heretic.domain.errors import Failure
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.host.interfaces import Interface
from heretic.domain.host.section import Section
from heretic.domain.jobs import JobState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """From /etc/os-release and uname."""

    id: str
    version: str
    name: str
    kernel: str
    id_like: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cpu:
    """From lscpu -J; flags sorted."""

    vendor: str
    model: str
    count: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disk:
    """One whole disk.

    Attributes:
        path: Kernel path, for example /dev/sda; changes between boots, so never stored as an identity.
        ids: Names below /dev/disk/by-id, best first (wwn-, nvme-eui., scsi-, ata-, …), then by-path names.
        size: Bytes.
        rotational: As the kernel says.
        logical_sector: Bytes.
        read_only: Of the device.
        removable: Of the device.
        transport: sata, sas, nvme, virtio, usb, … or "".
        wwn: World wide name as lsblk prints it, "" where the disk gives none.
        findings: Every sign that it is not blank, each a short text for a person ("ext4 filesystem",
            "partition table gpt", "LVM2_member", "mounted at /", "in use by md0", "content without a known
            signature at 5.0 GiB", …); empty = proven blank by lsblk, wipefs, blkid, pvs without devices file,
            holders, and by reading it.
        volume_group: The LVM volume group whose only physical volume is this whole disk, or "".
        multipath: Whether device-mapper multipath holds it and nothing else is wrong with it; the only finding
            is then the map's name.
        device: Absolute path of the first of ``ids``, which names the same disk after a reboot; "" without ids.
        in_use: Whether a finding says that the running system uses it (mounted, swap, a holder).
        ambiguous: Whether a finding says that it cannot be told from another disk, or has no stable name.
        below: Kernel paths of everything that lies on it: partitions, multipath maps, logical volumes, …
        mounted: Where the disk or any of these is mounted, as far as lsblk tells.
        signed: Whether a tool knows something that lies on it.
        content: Whether there is content that no tool knows.
        unreadable: Whether a place of it could not be read.
        unproven: Whether a tool that should have looked at it did not answer.
        partitions: How many it has.
        looked: What ``@found`` prints of it.
    """

    path: str
    ids: tuple[str, ...]
    size: int
    rotational: bool
    logical_sector: int
    read_only: bool = False
    removable: bool = False
    transport: str = ""
    model: str = ""
    serial: str = ""
    wwn: str = ""
    findings: tuple[str, ...] = ()
    volume_group: str = ""
    multipath: bool = False
    device: str = ""
    in_use: bool = False
    ambiguous: bool = False
    below: tuple[str, ...] = ()
    mounted: tuple[str, ...] = ()
    signed: bool = False
    content: bool = False
    unreadable: bool = False
    unproven: bool = False
    partitions: int = 0
    looked: str = ""


@dataclass(frozen=True, slots=True)
class PhysicalVolume:
    """From pvs, with the devices file bypassed: also what LVM itself does not see on EL9 (rule:devices-file).

    Attributes:
        device: Kernel path, "[unknown]" when it is missing.
        group: Its volume group, or "" for an orphan.
        uuid: LVM's UUID of it, with dashes.
        group_uuid: LVM's UUID of the group, "" for an orphan.
        size: Bytes that the group has of it.
    """

    device: str
    group: str
    uuid: str
    group_uuid: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class VolumeGroup:
    """From vgs, bytes."""

    name: str
    size: int
    free: int
    extent: int
    complete: bool = True
    """False when a physical volume is missing."""
    uuid: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogicalVolume:
    """From lvs, bytes.

    Attributes:
        pool: The thin or VDO pool it lies in, or "".
        is_pool: Whether it is a thin pool itself.
        active: Whether its device exists; whether it works is another matter (disks/health.py).
        data_percent: Of a pool, how full it is; of a cached volume, how full the cache is.
        filesystem: Type of the signature on it ("xfs", "" = blank), Unknown when it could not be read.
        filesystem_uuid: Of that filesystem, "" where it has none or none could be read.
        uuid: LVM's UUID of it, with dashes.
        attributes: lv_attr as LVM prints it, all ten letters (lvs(8)).
        layout: What it is made of: linear, thin, pool, cache, vdo, raid1, …
        role: What it is for: public, private, snapshot, …
        health: lv_health_status in words ("" = nothing is wrong that LVM knows of).
        origin: What it is a snapshot or a cached form of, or "".
        data: Of a pool, the volume that its data lies in.
        metadata: Of a pool, the volume that its metadata lies in.
    """

    group: str
    name: str
    size: int
    pool: str = ""
    is_pool: bool = False
    active: bool = True
    data_percent: float | None = None
    metadata_percent: float | None = None
    filesystem: Fact[str] = NOT_OBSERVED
    metadata_size: int = 0
    """Of a thin pool, bytes."""
    tags: tuple[str, ...] = ()
    filesystem_uuid: str = ""
    uuid: str = ""
    attributes: str = ""
    layout: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    health: str = ""
    origin: str = ""
    data: str = ""
    metadata: str = ""

    @property
    def is_vdo_pool(self) -> bool:
        """Whether it is a pool of VDO, which VDO volumes lie in."""
        return self.attributes.startswith("d") or {"vdo", "pool"} <= set(self.layout)


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted filesystem, from findmnt -J."""

    target: str
    source: str
    fstype: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """One systemd unit, from systemctl show.

    Attributes:
        name: With its suffix: glusterd.service, gluster_bricks-vmstore.mount.
        load: loaded, not-found, masked, …
        active: active, inactive, failed, activating, …
        enabled: UnitFileState: enabled, disabled, generated, … or "".
        result: success, or how it failed.
        since: Seconds between the boot and its present state, None when it never left its first one.
        description: As the unit's file, which systemd has read, gives it.
    """

    name: str
    load: str
    active: str
    sub: str
    enabled: str
    result: str = ""
    restarts: int = 0
    since: float | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class FirewallZone:
    """One zone of firewalld as it is in force.

    Attributes:
        default: Whether interfaces without a zone of their own belong to it.
        interfaces: Names; one that ends in "+" stands for all that begin like it.
        ports: As firewalld writes them: 49152-60999/tcp.
        sources: Addresses, networks, MAC addresses and "ipset:name" whose packets belong to it, wherever they enter.
        target: What becomes of packets that nothing else decides: default, ACCEPT, DROP, %%REJECT%%.
        protocols: Accepted as a whole.
        source_ports: Ports at the other end, whose packets are accepted.
        rich_rules: As firewalld writes them.
    """

    name: str
    default: bool
    interfaces: frozenset[str]
    services: frozenset[str]
    ports: frozenset[str]
    sources: frozenset[str] = frozenset()
    target: str = "default"
    protocols: frozenset[str] = frozenset()
    source_ports: frozenset[str] = frozenset()
    rich_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileContent:
    """A managed text file.

    Attributes:
        content: Whole content.
        sha256: Of the content.
        mode: Four octal digits.
    """

    content: str
    sha256: str
    mode: str


@dataclass(frozen=True, slots=True)
class TimeSync:
    """Whether the clock is kept right.

    Attributes:
        synchronized: What chrony says; None = chrony is not installed or does not answer.
        offset_seconds: Host clock minus the operator's clock in the middle of the round trip.
        uncertainty_seconds: Half of the round trip: the offset may be wrong by this much either way.
    """

    synchronized: bool | None
    offset_seconds: float | None = None
    uncertainty_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class HostFacts:
    """One host as one pass saw it. A field that could not be observed is Unknown and says why."""

    host: str
    os: Fact[OperatingSystem] = NOT_OBSERVED
    cpu: Fact[Cpu] = NOT_OBSERVED
    memory_bytes: Fact[int] = NOT_OBSERVED
    boot_id: Fact[str] = NOT_OBSERVED
    disks: Fact[tuple[Disk, ...]] = NOT_OBSERVED
    disk_signs: Fact[Mapping[str, tuple[str, ...]]] = NOT_OBSERVED
    """By kernel path, what differs at any later look when somebody changed the disk (see host/signs.py)."""
    interfaces: Fact[tuple[Interface, ...]] = NOT_OBSERVED
    physical_volumes: Fact[tuple[PhysicalVolume, ...]] = NOT_OBSERVED
    volume_groups: Fact[tuple[VolumeGroup, ...]] = NOT_OBSERVED
    logical_volumes: Fact[tuple[LogicalVolume, ...]] = NOT_OBSERVED
    filesystems: Fact[Mapping[str, tuple[str, ...]]] = NOT_OBSERVED
    """Kernel paths of the devices that carry an XFS filesystem, by its UUID: more than one is a copy."""
    mounts: Fact[tuple[Mount, ...]] = NOT_OBSERVED
    services: Fact[Mapping[str, Service]] = NOT_OBSERVED
    """Units that matter by name, also those that do not exist (load "not-found"), and mounts of bricks."""
    packages: Fact[Mapping[str, str]] = NOT_OBSERVED
    """Installed packages that matter: name → version; one that is not in it is not installed."""
    files: Mapping[str, Fact[FileContent]] = field(default_factory=dict)
    """Managed files by path."""
    time: Fact[TimeSync] = NOT_OBSERVED
    root_writable: Fact[bool] = NOT_OBSERVED
    root_free_bytes: Fact[int] = NOT_OBSERVED
    """Free for root on / or /var, whichever has less."""
    selinux: Fact[str] = NOT_OBSERVED
    """enforcing, permissive or disabled."""
    firewall: Fact[tuple[FirewallZone, ...]] = NOT_OBSERVED
    """Zones of firewalld; Absent where it is not installed or does not run."""
    package_lock: Fact[str] = NOT_OBSERVED
    """Who holds a lock of the package manager ("apt-get (pid 812)"), "" when nobody does."""
    reloads: Fact[frozenset[str]] = NOT_OBSERVED
    """Services whose configuration was written but perhaps not read yet (see host/steps.py)."""
    trials: Fact[frozenset[str]] = NOT_OBSERVED
    """Names of the trials (see ``Trial`` in commands.py) that are neither proved nor taken back yet."""
    jobs: Fact[Mapping[str, JobState]] = NOT_OBSERVED
    """Jobs of ours (units heretic-*.service) by the full name of the unit; one that is not in it never ran."""
    sections: Mapping[str, object] = field(default_factory=dict)
    """What subjects know of the host, by the name of the section; read it as ``facts[SECTION]``."""

    def __getitem__(self, section: Section[T]) -> T:
        """What a subject knows of the host."""
        return cast("T", self.sections.get(section.name, section.unseen))


HostView = HostFacts | Failure
"""What is known of a host: its facts, or why there are none."""

"""What one pass learns of one host: everything that Node and volume planners need, in one round trip."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heretic.domain.facts import NOT_OBSERVED, Fact


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
        findings: Every sign that it is not blank, each a short text for a person ("ext4 filesystem",
            "partition table gpt", "LVM2_member", "mounted at /", "in use by md0", …); empty = proven blank by
            lsblk, wipefs, blkid, pvs without devices file, and holders.
        volume_group: The LVM volume group whose only physical volume is this whole disk, or "".
        multipath: Whether device-mapper multipath holds it.
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
    findings: tuple[str, ...] = ()
    volume_group: str = ""
    multipath: bool = False


@dataclass(frozen=True, slots=True)
class Interface:
    """One network port or derived interface, from ip -d -j."""

    name: str
    mac: str
    kind: str
    carrier: bool
    mtu: int
    speed_mbps: int | None = None
    max_mtu: int | None = None
    addresses: tuple[str, ...] = ()
    """With prefix length: 172.20.10.11/24."""
    master: str = ""


@dataclass(frozen=True, slots=True)
class VolumeGroup:
    """From vgs, bytes."""

    name: str
    size: int
    free: int
    extent: int
    complete: bool = True
    """False when a physical volume is missing."""


@dataclass(frozen=True, slots=True)
class LogicalVolume:
    """From lvs, bytes.

    Attributes:
        pool: The thin pool it lies in, or "".
        is_pool: Whether it is a thin pool itself.
        active: Whether its device exists.
        filesystem: Type of the signature on it ("xfs", "" = blank), Unknown when it could not be read.
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


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted filesystem, from findmnt -J."""

    target: str
    source: str
    fstype: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """One systemd unit, from systemctl show."""

    name: str
    load: str
    active: str
    sub: str
    enabled: str
    result: str = ""
    restarts: int = 0


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
        synchronized: What the kernel or chrony says.
        offset_seconds: Host clock minus the operator's clock at the time of observation, halved for the round
            trip; compare with care.
    """

    synchronized: bool
    offset_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """One other member of the trusted pool as this host's glusterd sees it.

    Attributes:
        uuid: Of the peer's glusterd.
        hostnames: All names it is known by, first the primary one.
        connected: Whether its glusterd answers.
        state: Text of gluster, "Peer in Cluster" when healthy.
    """

    uuid: str
    hostnames: tuple[str, ...]
    connected: bool
    state: str


@dataclass(frozen=True, slots=True)
class BrickDirectory:
    """State of a brick path.

    Attributes:
        exists: Whether the folder exists.
        volume_id: The trusted.glusterfs.volume-id attribute as a UUID, "" when it has none.
        empty: Whether it holds no entries.
    """

    exists: bool
    volume_id: str = ""
    empty: bool = True


@dataclass(frozen=True, slots=True)
class HostFacts:
    """One host as one pass saw it. A field that could not be observed is Unknown and says why."""

    host: str
    os: Fact[OperatingSystem] = NOT_OBSERVED
    cpu: Fact[Cpu] = NOT_OBSERVED
    memory_bytes: Fact[int] = NOT_OBSERVED
    boot_id: Fact[str] = NOT_OBSERVED
    disks: Fact[tuple[Disk, ...]] = NOT_OBSERVED
    interfaces: Fact[tuple[Interface, ...]] = NOT_OBSERVED
    volume_groups: Fact[tuple[VolumeGroup, ...]] = NOT_OBSERVED
    logical_volumes: Fact[tuple[LogicalVolume, ...]] = NOT_OBSERVED
    mounts: Fact[tuple[Mount, ...]] = NOT_OBSERVED
    services: Fact[Mapping[str, Service]] = NOT_OBSERVED
    packages: Fact[Mapping[str, str]] = NOT_OBSERVED
    """Installed packages that matter: name → version; one that is not in it is not installed."""
    files: Mapping[str, Fact[FileContent]] = field(default_factory=dict)
    """Managed files by path."""
    time: Fact[TimeSync] = NOT_OBSERVED
    root_writable: Fact[bool] = NOT_OBSERVED
    root_free_bytes: Fact[int] = NOT_OBSERVED
    gluster_uuid: Fact[str] = NOT_OBSERVED
    peers: Fact[tuple[Peer, ...]] = NOT_OBSERVED
    bricks: Fact[Mapping[str, BrickDirectory]] = NOT_OBSERVED
    """Brick paths by absolute path, for the bricks found under /gluster_bricks."""
    selinux: Fact[str] = NOT_OBSERVED
    """enforcing, permissive or disabled."""
    jobs: Fact[Mapping[str, Service]] = NOT_OBSERVED
    """Detached jobs of ours (units heretic-*.service) by unit name."""

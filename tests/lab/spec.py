"""What a lab site is made of: machines, their disks with what is on them already, and the networks between them."""

import ipaddress
import os
import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lab import platforms

MIB = 1 << 20
# The third number of each network's addresses. A node's NICs come in the order of SiteSpec.networks: eth0, eth1 ...
NETWORKS = {"mgmt": 10, "gluster": 11, "lan": 12, "internal": 13}
MAX_NODES = 5
NetworkName = Literal["mgmt", "gluster", "lan", "internal"]
MAX_PORTS = 6


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Partitions(_Model):
    """A GUID partition table with two partitions, as another operating system leaves it."""

    kind: Literal["partitions"] = "partitions"


class Ext4(_Model):
    """A filesystem on the whole disk, with files in it: path -> text."""

    kind: Literal["ext4"] = "ext4"
    label: str = "foreign"
    files: dict[str, str] = {"precious.txt": "somebody's only copy\n"}


class LvmVolumeGroup(_Model):
    """A physical volume that belongs to a foreign volume group of that name, with a logical volume in it."""

    kind: Literal["lvm"] = "lvm"
    name: str = "foreign"


class RaidMember(_Model):
    """A member of a Linux software RAID (md superblock 1.2) whose other member is missing."""

    kind: Literal["raid"] = "raid"
    name: str = "foreign:0"


class Luks(_Model):
    """An encrypted disk: a LUKS header with random-looking content behind it. Nobody has the key."""

    kind: Literal["luks"] = "luks"


class RawBytes(_Model):
    """Plain text at some offset: data that no signature announces."""

    kind: Literal["raw"] = "raw"
    text: str = "data without any signature\n"
    offset: int = Field(default=64 * MIB, ge=0)


Contents = Annotated[Partitions | Ext4 | LvmVolumeGroup | RaidMember | Luks | RawBytes, Field(discriminator="kind")]


class DiskSpec(_Model):
    """One data disk. What matters for the operator: how the disk can be recognised, and what is on it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]{0,11}$")
    size: str = Field(default="120G", pattern=r"^[1-9][0-9]*[MGT]$")
    # scsi: sdX with a WWN and a serial number; nvme: nvmeXn1 with a serial number; virtio: vdX, without any stable id.
    bus: Literal["scsi", "nvme", "virtio"] = "scsi"
    rotational: bool = True
    """Only SCSI disks can be: QEMU's NVMe disks never are, its virtio disks always."""
    sector: Literal[512, 4096] = 512
    identified: bool | None = None
    """With a serial number (and WWN); by default SCSI and NVMe disks are, virtio disks are not."""
    contents: Contents | None = None
    """None: blank."""
    shared: bool = False
    """One disk in all nodes that have a shared one of this name. A site with one cannot be saved with its memory."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.bus == "nvme" and (self.identified is False or self.shared):
            raise ValueError("an NVMe disk always has a serial number, and one machine")
        return self

    @property
    def bytes(self) -> int:
        return int(self.size[:-1]) * {"M": MIB, "G": MIB << 10, "T": MIB << 20}[self.size[-1]]

    @property
    def has_id(self) -> bool:
        return self.identified if self.identified is not None else self.bus != "virtio"


class NodeSpec(_Model):
    """One machine. Its name and addresses follow from its place in the site: node1 has .11 on every network."""

    disks: tuple[DiskSpec, ...] = ()
    memory_mib: int = Field(default=1024, ge=384)
    cpus: int = Field(default=1, ge=1, le=8)
    ports: tuple[NetworkName, ...] = Field(default=(), max_length=MAX_PORTS)
    """Further NICs, port1, port2 …, which nothing configures, each with the network that its cable leads to."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [disk.name for disk in self.disks]
        if len(set(names)) != len(names) or "os" in names:
            raise ValueError(f"disk names must differ, and 'os' is taken: {names}")
        for bus in ("nvme", "virtio"):
            if sum(disk.bus == bus for disk in self.disks) > 8:
                raise ValueError(f"a node has room for 8 {bus} disks")
        return self


def default_prefix() -> str:
    """The first half of all addresses, from $HERETIC_LAB_NET; sites that run at the same time need different ones."""
    return os.environ.get("HERETIC_LAB_NET", "172.20")


class SiteSpec(_Model):
    """One to five machines on their networks."""

    nodes: tuple[NodeSpec, ...] = Field(min_length=1, max_length=MAX_NODES)
    networks: tuple[NetworkName, ...] = ("mgmt", "gluster")
    prefix: str = Field(default_factory=default_prefix)
    platform: str = Field(default_factory=lambda: platforms.chosen().name)
    """Name of what the machines run; see lab/platforms.py."""
    installed: tuple[str, ...] = ()
    """Packages that the machines have beyond a blank one's. To install them takes an emulated machine many minutes."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.networks[:1] != ("mgmt",) or len(set(self.networks)) != len(self.networks):
            raise ValueError("networks must differ, and the first must be mgmt: the operator comes in there")
        if not re.fullmatch(r"\d+\.\d+", self.prefix):
            raise ValueError(f"{self.prefix!r} is not the first half of an IPv4 address, such as 172.20")
        if not self.subnet("mgmt").is_private:
            raise ValueError(f"{self.prefix} is not private address space")
        platforms.named(self.platform)
        return self

    @classmethod
    def uniform(cls, nodes: int = 3, disks: tuple[DiskSpec, ...] | None = None) -> Self:
        """A site of equal nodes; by default each with a rotating and a solid-state disk, both blank."""
        if disks is None:
            disks = (DiskSpec(name="data1", size="120G"), DiskSpec(name="data2", size="64G", rotational=False))
        return cls(nodes=tuple(NodeSpec(disks=disks) for _ in range(nodes)))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"node{number}" for number in range(1, len(self.nodes) + 1))

    @property
    def cabled(self) -> tuple[NetworkName, ...]:
        """Every network that a NIC leads to."""
        return tuple(dict.fromkeys((*self.networks, *(network for node in self.nodes for network in node.ports))))

    def cables(self, number: int) -> dict[str, NetworkName]:
        """The NICs of a node, in the order of the node, by name: where their cables lead when the site comes up.

        A NIC that the lab configures has its network's name, another one is port1, port2 …
        """
        loose = {f"port{n}": network for n, network in enumerate(self.nodes[number - 1].ports, start=1)}
        return {**{network: network for network in self.networks}, **loose}

    def subnet(self, network: NetworkName) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(f"{self.prefix}.{NETWORKS[network]}.0/24")

    def address(self, network: NetworkName, number: int) -> str:
        """Where node `number` is on that network."""
        return str(self.subnet(network)[10 + number])

    @property
    def gateway(self) -> str:
        """This machine's own address on the management network. It routes nothing anywhere."""
        return str(self.subnet("mgmt")[1])

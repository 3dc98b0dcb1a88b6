"""Real hosts for tests, demonstrations and debugging: a site of virtual machines on this machine.

site = lab.Site(lab.SiteSpec.uniform(nodes=3))
site.up()
site.nodes["node1"].ssh("lsblk").stdout
site.down()
"""

from lab.errors import LabError
from lab.node import Node
from lab.site import Site
from lab.spec import (
    Contents,
    DiskSpec,
    Ext4,
    Luks,
    LvmVolumeGroup,
    NodeSpec,
    Partitions,
    RaidMember,
    RawBytes,
    SiteSpec,
)

__all__ = [
    "Contents",
    "DiskSpec",
    "Ext4",
    "LabError",
    "Luks",
    "LvmVolumeGroup",
    "Node",
    "NodeSpec",
    "Partitions",
    "RaidMember",
    "RawBytes",
    "Site",
    "SiteSpec",
]

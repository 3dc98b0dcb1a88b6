"""One site of three machines for each module, whose tests follow each other on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.spec import DiskSpec, Ext4, NodeSpec, SiteSpec
from lab.stack import Stack

BIG = DiskSpec(name="data1", size="200G")
FAST = DiskSpec(name="data2", size="120G", bus="nvme", rotational=False)
FOREIGN = DiskSpec(name="foreign", size="150G", contents=Ext4())
SMALL = DiskSpec(name="data1", size="120G")


@pytest.fixture(scope="module")
def spec() -> SiteSpec:
    """Two data nodes with a rotating disk and an NVMe one, node2 with somebody's ext4 disk too; a weaker third."""
    return SiteSpec(nodes=(NodeSpec(disks=(BIG, FAST)), NodeSpec(disks=(BIG, FAST, FOREIGN)), NodeSpec(disks=(SMALL,))))


@pytest.fixture(scope="module")
def stack(spec: SiteSpec, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Blank machines, a control plane with the CRDs and the operator's rights; no operator yet."""
    stack = Stack(Path(tmp_path_factory.mktemp("e2e")), spec=spec)
    try:
        stack.control_plane.start()
        stack.site.up()
        stack.install()
        yield stack
    finally:
        stack.down()

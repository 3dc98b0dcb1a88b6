"""What is recorded of a volume's bricks: the UUIDs of their logical volumes and filesystems."""

from collections.abc import Mapping

from heretic.api.v1alpha1 import GlusterVolume
from heretic.api.v1alpha1.volume_status import BrickStatus
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick_identity import recorded
from heretic.domain.disks.judge import judge
from heretic.domain.facts import Fact, Known
from heretic.domain.gluster.placement import Placement
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.pool.facts import VolumeInfo

Identities = Mapping[tuple[str, str], tuple[str, str]]
"""UUIDs of logical volume and filesystem, by node and path of the brick."""


def identities(
    volume: GlusterVolume,
    info: Fact[VolumeInfo],
    placed: Placement | None,
    view: SiteView,
    hosts: Mapping[str, HostView],
) -> Identities:
    """UUIDs of logical volume and filesystem by node and path: what was recorded, and what now can be."""
    volume_id = volume.status.volume_id or (info.value.volume_id if isinstance(info, Known) else "")
    known = {(b.node, b.path): (b.lv_uuid, b.filesystem_uuid) for b in volume.status.bricks}
    for brick in placed.bricks if placed else ():
        node, facts = view.nodes.get(brick.host), hosts.get(brick.host)
        if node is not None and isinstance(facts, HostFacts):
            ownership = judge(node, view, facts)
            known[brick.host, brick.path] = recorded(facts, brick, ownership, volume_id)
    return {key: uuids for key, uuids in known.items() if any(uuids)}


def with_identity(brick: BrickStatus, uuids: Identities) -> BrickStatus:
    """The brick as reported, with what is recorded of it."""
    volume, filesystem = uuids.get((brick.node, brick.path), ("", ""))
    return brick.model_copy(update={"lv_uuid": volume, "filesystem_uuid": filesystem})

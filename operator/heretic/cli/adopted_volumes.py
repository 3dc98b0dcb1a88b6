"""Manifests of the Gluster volumes that run: pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from heretic.api.quantity import format_bytes
from heretic.api.v1alpha1.gluster_volume import Provisioning, Purpose
from heretic.api.v1alpha1.volume_option import VolumeOption
from heretic.cli.manifest import Manifest, make
from heretic.domain.disks.below import volume_below
from heretic.domain.disks.brick import BRICK_ROOT
from heretic.domain.facts import Known
from heretic.domain.gluster.difference import laid_out_by_us, same_value
from heretic.domain.gluster.purposes import PROFILES, options_of
from heretic.domain.host.facts import HostFacts, LogicalVolume
from heretic.domain.pool.facts import Brick, PoolFacts, VolumeInfo
from heretic.domain.pool.member import MEMBER

PURPOSES = {
    "engine": Purpose.ENGINE,
    "vmstore": Purpose.VIRTUAL_MACHINES,
    "data": Purpose.VIRTUAL_MACHINES,
    "iso": Purpose.ISO,
    "ctdb": Purpose.LOCK,
    "winshare": Purpose.SMB_SHARE,
    "unixshare": Purpose.NFS_SHARE,
    "blockshare": Purpose.BLOCK_SHARE,
    "backup": Purpose.BACKUP,
}
"""HVP's and oVirt's names of volumes (rule:hvp-volumes)."""


GUESSED = "The purpose is guessed; it cannot be changed later, so correct it now where it is wrong."
OTHER_PATHS = f"Its bricks are not at {BRICK_ROOT}/NAME/brick1/brick, where Heretic makes them: it can only observe it."


def adopt_volume(
    info: VolumeInfo, namespace: str, hosts: Mapping[str, HostFacts], pool: PoolFacts | None
) -> Manifest | str:
    """The manifest of one volume.

    Args:
        info: As ``volume info`` has it.
        namespace: Of the manifest.
        hosts: Facts of every host.
        pool: What the trusted pool said.

    Returns:
        The manifest, or why there is none.
    """
    nodes = [node_of_brick(b, hosts) for b in info.bricks]
    size = _size(info, hosts, pool)
    if info.replica_count not in (1, 3):
        return f"volume {info.name} has {info.replica_count} copies, which Heretic does not keep"
    if None in nodes:
        strangers = ", ".join(sorted({b.host for b, n in zip(info.bricks, nodes, strict=True) if n is None}))
        return f"volume {info.name} has bricks on {strangers}, which is none of the given hosts"
    if size is None:
        return f"the size of volume {info.name} is not known: not all of its bricks could be seen"
    purpose, guessed = _purpose(info)
    spec: dict[str, Any] = {"purpose": purpose.value, "size": format_bytes(size)}
    name = _object_name(info.name)
    if name != info.name:
        spec["volumeName"] = info.name
    spec["replicaCount"] = info.replica_count
    if len(set(nodes)) == len(nodes) and len(nodes) in (1, 3):
        spec["nodes"] = nodes
    spec |= _bricks(info, purpose, size, hosts)
    options = _options(info, purpose)
    if options:
        spec["options"] = options
    remarks = (*((GUESSED,) if guessed else ()), *(() if laid_out_by_us(info) else (OTHER_PATHS,)))
    try:
        return make("GlusterVolume", namespace, name, spec, remarks)
    except ValueError as error:
        return f"volume {info.name} cannot be declared: {error}"


def node_of_brick(brick: Brick, hosts: Mapping[str, HostFacts]) -> str | None:
    """The host on which a brick lies; None when it is none of the given ones."""
    for name, facts in hosts.items():
        if facts[MEMBER].uuid == Known(brick.host_uuid):
            return name
    return None


def is_arbiter_only(node: str, volumes: Iterable[VolumeInfo], hosts: Mapping[str, HostFacts]) -> bool:
    """Whether a host holds the arbiter brick of every volume that has one."""
    arbitrated = [v for v in volumes if v.arbiter_count]
    return bool(arbitrated) and all(
        [node_of_brick(b, hosts) for b in v.bricks if b.arbiter] == [node] for v in arbitrated
    )


def _purpose(info: VolumeInfo) -> tuple[Purpose, bool]:
    """What a volume is for, and whether that is a guess."""
    if info.name in PURPOSES:
        return PURPOSES[info.name], False
    if same_value(info.options.get("features.shard"), "on"):
        return Purpose.VIRTUAL_MACHINES, True
    if same_value(info.options.get("performance.cache-samba-metadata"), "on"):
        return Purpose.SMB_SHARE, True
    return Purpose.NFS_SHARE, True


def _object_name(name: str) -> str:
    """A volume's name as the name of an object."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "volume"


def _size(info: VolumeInfo, hosts: Mapping[str, HostFacts], pool: PoolFacts | None) -> int | None:
    """Usable bytes: the smallest data brick of each set, added up; None when one of them is not known."""
    width = info.replica_count or 1
    total = 0
    for start in range(0, len(info.bricks), width):
        known = [_brick_bytes(info, b, hosts, pool) for b in info.bricks[start : start + width] if not b.arbiter]
        sizes = [size for size in known if size is not None]
        if len(sizes) < len(known) or not sizes:
            return None
        total += min(sizes)
    return total or None


def _brick_bytes(info: VolumeInfo, brick: Brick, hosts: Mapping[str, HostFacts], pool: PoolFacts | None) -> int | None:
    """Size of a brick: of its logical volume, else of its filesystem as Gluster tells it."""
    volume = _logical_volume(brick, hosts)
    if volume is not None:
        return volume.size
    status = pool.status.get(info.name) if pool else None
    state = status.value.bricks.get(f"{brick.host}:{brick.path}") if isinstance(status, Known) else None
    return state.size if state else None


def _logical_volume(brick: Brick, hosts: Mapping[str, HostFacts]) -> LogicalVolume | None:
    node = node_of_brick(brick, hosts)
    facts = hosts[node] if node else None
    below = volume_below(facts, brick.path) if facts else None
    return below.value if isinstance(below, Known) else None


def _bricks(info: VolumeInfo, purpose: Purpose, size: int, hosts: Mapping[str, HostFacts]) -> dict[str, Any]:
    """How the bricks are made; nothing where that is not known, or is as the purpose has it."""
    data = [_logical_volume(b, hosts) for b in info.bricks if not b.arbiter]
    arbiters = [v for v in (_logical_volume(b, hosts) for b in info.bricks if b.arbiter) if v is not None]
    spec: dict[str, Any] = {}
    kinds = {Provisioning.THIN if v.pool else Provisioning.THICK for v in data if v is not None}
    if len(kinds) == 1 and None not in data and kinds != {PROFILES[purpose].provisioning}:
        spec["provisioning"] = kinds.pop().value
    if arbiters and 2**30 <= arbiters[0].size <= size and purpose is not Purpose.LOCK:
        spec["arbiterSize"] = format_bytes(arbiters[0].size)
    return spec


def _options(info: VolumeInfo, purpose: Purpose) -> list[dict[str, str]]:
    """Options of the volume that differ from those of its purpose, and that a spec may set."""
    options = []
    for name, value in sorted(options_of(purpose, info.replica_count).items()):
        actual = info.options.get(name)
        if actual is None or same_value(actual, value, name):
            continue
        try:
            VolumeOption(name=name, value=actual)
        except ValidationError:
            continue
        options.append({"name": name, "value": actual})
    return options

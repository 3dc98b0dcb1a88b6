"""The disks of a host, put together from every tool that knows something of them.

A disk is blank only when lsblk, wipefs, blkid, LVM with its devices file bypassed, and the kernel's holders all say
so, and what was read of it is zero (rule:blank-disk, rule:disk-usable). One tool's silence proves nothing:
udev may be late, a devices file hides physical volumes, multipath hides what lies below, wipefs is silent where a disk
cannot be read, and no catalogue of signatures is complete.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import Disk, LogicalVolume, PhysicalVolume
from heretic.domain.host.parse.lsblk import BlockDevice
from heretic.domain.host.parse.signatures import Signatures

_NO_DISK = re.compile(r"(zram|loop|ram|fd|sr|nbd|rbd|drbd|bcache|mtdblock|zd)[0-9]")
"""Names of devices that lsblk calls disks although no disk of this machine is behind them."""
_PARTITION_TABLES = frozenset({"gpt", "dos", "PMBR", "sun", "mac", "bsd", "sgi", "atari", "dasd", "minix", "aix"})
_MULTIPATH_MEMBER = "mpath_member"
_LVM_MEMBER = "LVM2_member"
_XFS = "xfs"


@dataclass(frozen=True, slots=True)
class _Context:
    """What the findings of one disk are looked up in."""

    links: Mapping[str, tuple[str, ...]]
    signatures: Mapping[str, Signatures]
    physical_volumes: tuple[PhysicalVolume, ...]
    twins: Mapping[str, tuple[str, ...]]
    paths: Counter[str]


def take_disks(
    blocks: Fact[tuple[BlockDevice, ...]],
    links: Fact[Mapping[str, tuple[str, ...]]],
    signatures: Fact[Mapping[str, Signatures]],
    physical_volumes: Fact[tuple[PhysicalVolume, ...]],
) -> Fact[tuple[Disk, ...]]:
    """Lists the whole disks of a host with every sign that they are not blank.

    Args:
        blocks: From lsblk.
        links: From /dev/disk.
        signatures: From the disks themselves.
        physical_volumes: From pvs; Absent where LVM is not installed, and wipefs still sees its labels.

    Returns:
        Disks in the order of lsblk; Unknown as soon as one of the sources is, because blank must be proven.
    """
    for source in (blocks, links, signatures, physical_volumes):
        if isinstance(source, Unknown):
            return source
    if isinstance(blocks, Absent) or isinstance(links, Absent) or isinstance(signatures, Absent):
        return Unknown("the host did not tell its disks")
    assert isinstance(blocks, Known)
    assert isinstance(links, Known)
    assert isinstance(signatures, Known)
    found = [b for b in blocks.value if b.type == "disk" and b.size > 0 and not _NO_DISK.match(b.name)]
    context = _Context(
        links.value,
        signatures.value,
        physical_volumes.value if isinstance(physical_volumes, Known) else (),
        _twins(found),
        Counter(child.name for block in found for child in block.children if child.type == "mpath"),
    )
    return Known(tuple(_disk(block, context) for block in found))


def with_filesystems(
    volumes: Fact[tuple[LogicalVolume, ...]], blocks: Fact[tuple[BlockDevice, ...]]
) -> Fact[tuple[LogicalVolume, ...]]:
    """Adds to each logical volume what udev sees on it; Unknown for one without a device."""
    if not isinstance(volumes, Known):
        return volumes
    cause = blocks.cause if isinstance(blocks, Unknown) else "lsblk does not show the volume"
    seen = {b.name: b for top in blocks.value for b in top.below()} if isinstance(blocks, Known) else {}
    done: list[LogicalVolume] = []
    for volume in volumes.value:
        block = seen.get(mapper_name(volume.group, volume.name))
        if block is None:
            done.append(replace(volume, filesystem=Unknown(cause)))
        else:
            done.append(replace(volume, filesystem=Known(block.filesystem), filesystem_uuid=block.uuid))
    return Known(tuple(done))


def filesystem_places(blocks: tuple[BlockDevice, ...]) -> Mapping[str, tuple[str, ...]]:
    """Where each XFS filesystem shows, by its UUID.

    A device that shows the same one as something on it is left out: it is what the other one is made of.
    """
    places: dict[str, list[str]] = {}
    for top in blocks:
        for block in (top, *top.below()):
            inner = any(b.uuid == block.uuid and b.filesystem == _XFS for b in block.below())
            if block.filesystem == _XFS and block.uuid and not inner:
                places.setdefault(block.uuid, []).append(block.path)
    return {identity: tuple(dict.fromkeys(paths)) for identity, paths in places.items()}


def mapper_name(group: str, volume: str) -> str:
    """Name of a logical volume below /dev/mapper: dashes within the names are doubled (lvm(8))."""
    return f"{group.replace('-', '--')}-{volume.replace('-', '--')}"


def _twins(blocks: Sequence[BlockDevice]) -> dict[str, tuple[str, ...]]:
    """Disks that give the same identity: several paths to one disk, which must not be taken for several disks.

    The world wide name decides; without one the serial number, except for NVMe, whose namespaces share it.
    """
    groups: dict[str, list[str]] = {}
    for block in blocks:
        serial = f"{block.model} {block.serial}" if block.serial and not block.name.startswith("nvme") else ""
        if identity := block.wwn or serial:
            groups.setdefault(identity, []).append(block.path)
    return {path: tuple(p for p in paths if p != path) for paths in groups.values() for path in paths}


def _disk(block: BlockDevice, context: _Context) -> Disk:
    links = context.links.get(block.path, ())
    signatures = context.signatures.get(block.path, Signatures((), (), "signatures were not read"))
    released = _only_multipath(block, signatures, context)
    used = _use(block, signatures)
    doubtful = _doubts(block, links, context)
    marks = _marks(block, signatures, context.physical_volumes)
    read_marks = _read_marks(signatures)
    findings = (*used, *doubtful, *marks, *read_marks)
    if released:
        findings = (f"held by multipath map {block.children[0].name}",)
    return Disk(
        path=block.path,
        ids=tuple(link.partition("/")[2] for link in links),
        device=f"/dev/disk/{links[0]}" if links else "",
        size=block.size,
        rotational=block.rotational,
        logical_sector=block.logical_sector,
        read_only=block.read_only,
        removable=block.removable,
        transport=block.transport,
        model=block.model,
        serial=block.serial,
        wwn=block.wwn,
        findings=tuple(dict.fromkeys(findings)),
        volume_group=_volume_group(block, context.physical_volumes),
        multipath=released,
        in_use=bool(used) or released,
        ambiguous=bool(doubtful) and not released,
        below=tuple(dict.fromkeys(child.path for child in block.below())),
        mounted=tuple(dict.fromkeys(place for device in (block, *block.below()) for place in device.mounted)),
        signed=bool(marks) and not released,
        content=signatures.content is not None,
        unreadable=signatures.error is not None,
        unproven=bool(signatures.unread),
        partitions=sum(child.type == "part" for child in block.below()),
        looked=signatures.looked,
    )


def _only_multipath(block: BlockDevice, signatures: Signatures, context: _Context) -> bool:
    """Whether a multipath map of this one path, with nothing on it, is all that makes the disk look used."""
    if len(block.children) != 1 or block.children[0].type != "mpath":
        return False
    (held,) = block.children
    plain = (
        not held.children
        and not held.mounted
        and held.filesystem == ""
        and held.partition_table == ""
        and block.filesystem in ("", _MULTIPATH_MEMBER)
        and not block.mounted
        and not block.partition_table
    )
    alone = context.paths[held.name] == 1 and not context.twins.get(block.path)
    return plain and alone and not signatures.found and not _read_marks(signatures)


def _use(block: BlockDevice, signatures: Signatures) -> list[str]:
    """What of the running system uses the disk."""
    found = [f"mounted at {place}" for device in (block, *block.below()) for place in device.mounted]
    stacked = [child for child in block.below() if child.type != "part"]
    found += [f"in use by {child.name} ({child.type})" for child in stacked]
    return found if stacked else found + [f"in use by {holder}" for holder in signatures.holders]


def _doubts(block: BlockDevice, links: Sequence[str], context: _Context) -> list[str]:
    """Why it is not certain which disk this is."""
    found = [f"same identity as {twin}: probably two paths to one disk" for twin in context.twins.get(block.path, ())]
    if not links:
        found.append("no stable name in /dev/disk/by-id or /dev/disk/by-path")
    return found


def _marks(block: BlockDevice, signatures: Signatures, physical_volumes: Iterable[PhysicalVolume]) -> list[str]:
    """What lies on the disk."""
    found = [signature_text(kind) for kind in (block.partition_table, block.filesystem) if kind]
    found += [signature_text(kind) for kind in signatures.found]
    found += [f"partition {child.name}" for child in block.children if child.type == "part"]
    devices = {block.path, *(child.path for child in block.below())}
    for volume in physical_volumes:
        if volume.device in devices:
            found.append(signature_text(_LVM_MEMBER))
            found.append(f"LVM volume group {volume.group}" if volume.group else "LVM volume without a group")
    return found


def _read_marks(signatures: Signatures) -> list[str]:
    """What reading the disk showed, or that it showed nothing."""
    found: list[str] = []
    if signatures.content is not None:
        found.append(f"content without a known signature at {place_text(signatures.content)}")
    if signatures.error is not None:
        place, why = signatures.error
        found.append(f"cannot be read at {place_text(place)}: {why}")
    if signatures.unread:
        found.append(f"not proven blank: {signatures.unread}")
    return found


def place_text(byte: int) -> str:
    """A place on a disk for a person: "5.0 GiB"."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if byte >= factor:
            return f"{byte / factor:.1f} {unit}"
    return f"byte {byte}"


def signature_text(kind: str) -> str:
    """A signature's type, as wipefs or blkid name it, for a person."""
    if kind in _PARTITION_TABLES:
        return f"partition table {kind}"
    if kind.endswith("_member") or kind in ("crypto_LUKS", "swap", "bcache", "ambivalent", "unnamed"):
        return f"{kind} signature"
    return f"{kind} filesystem"


def _volume_group(block: BlockDevice, physical_volumes: Iterable[PhysicalVolume]) -> str:
    """The volume group that has the whole disk and nothing else."""
    volumes = tuple(physical_volumes)
    group = next((v.group for v in volumes if v.device == block.path), "")
    return group if group and sum(v.group == group for v in volumes) == 1 else ""

"""``lsblk -J -b -o …``: the tree of block devices (rule:lsblk-output)."""

from collections.abc import Iterator
from dataclasses import dataclass

from heretic.domain.commands import Output
from heretic.domain.facts import Fact
from heretic.domain.host.parse.reading import NotUnderstood, Row, flag, integer, listed, load, read, rows, text_of

COLUMNS = "NAME,PATH,SIZE,TYPE,ROTA,FSTYPE,PTTYPE,MOUNTPOINT,SERIAL,WWN,TRAN,LOG-SEC,RO,RM,MODEL,UUID"
"""Always explicit and always with -b: -O without -b prints invalid JSON on 2.38 (rule:lsblk-output)."""


@dataclass(frozen=True, slots=True)
class BlockDevice:
    """One node of the tree; a device with several parents (multipath, RAID) is repeated below each.

    Attributes:
        filesystem: What udev knows of it, "" = nothing.
        uuid: Of that filesystem, or of the LVM label or RAID; "" = none.
        mounted: Where it is mounted ("[SWAP]" for swap), as far as lsblk tells.
    """

    name: str
    path: str
    size: int
    type: str
    rotational: bool
    filesystem: str
    partition_table: str
    mounted: tuple[str, ...]
    serial: str
    wwn: str
    transport: str
    logical_sector: int
    read_only: bool
    removable: bool
    model: str
    uuid: str = ""
    children: tuple["BlockDevice", ...] = ()

    def below(self) -> Iterator["BlockDevice"]:
        """Every device that lies on this one, directly or not."""
        for child in self.children:
            yield child
            yield from child.below()


def parse_lsblk(output: Output) -> Fact[tuple[BlockDevice, ...]]:
    """Parses ``lsblk -J -b -o COLUMNS``."""
    return read(output, "lsblk", _tree)


def _tree(text: str) -> tuple[BlockDevice, ...]:
    document = load(text)
    return tuple(_device(row) for row in listed(document, "blockdevices"))


def _device(row: Row) -> BlockDevice:
    name = text_of(row, "name")
    if not name:
        raise NotUnderstood("a block device has no name")
    return BlockDevice(
        name=name,
        path=text_of(row, "path") or f"/dev/{name}",
        size=integer(row, "size"),
        type=text_of(row, "type"),
        rotational=flag(row, "rota"),
        filesystem=text_of(row, "fstype"),
        partition_table=text_of(row, "pttype"),
        mounted=_mounted(row),
        serial=text_of(row, "serial"),
        wwn=text_of(row, "wwn"),
        transport=text_of(row, "tran"),
        logical_sector=integer(row, "log-sec"),
        read_only=flag(row, "ro"),
        removable=flag(row, "rm"),
        model=text_of(row, "model"),
        uuid=text_of(row, "uuid"),
        children=tuple(_device(child) for child in rows(row, "children")),
    )


def _mounted(row: Row) -> tuple[str, ...]:
    """The mount points: one, or a list that may be ``[null]`` from 2.37 on (rule:lsblk-output)."""
    several = row.get("mountpoints")
    places = several if isinstance(several, list) else [row.get("mountpoint")]
    return tuple(place for place in places if isinstance(place, str) and place)

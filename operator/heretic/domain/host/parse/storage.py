"""What is mounted."""

from heretic.domain.commands import Output
from heretic.domain.facts import Fact
from heretic.domain.host.facts import Mount
from heretic.domain.host.parse.reading import NotUnderstood, Row, listed, load, read, rows, text_of

FINDMNT = ("findmnt", "-J", "--list", "-o", "TARGET,SOURCE,FSTYPE,OPTIONS")


def parse_mounts(output: Output) -> Fact[tuple[Mount, ...]]:
    """Parses FINDMNT."""
    return read(output, "findmnt", _mounts)


def _mounts(text: str) -> tuple[Mount, ...]:
    found: list[Mount] = []
    left = list(reversed(listed(load(text), "filesystems")))
    while left:
        row = left.pop()
        found.append(_mount(row))
        left += reversed(rows(row, "children"))
    if not any(mount.target == "/" for mount in found):
        raise NotUnderstood("there is no root filesystem")
    return tuple(found)


def _mount(row: Row) -> Mount:
    options = tuple(filter(None, text_of(row, "options").split(",")))
    return Mount(text_of(row, "target"), text_of(row, "source"), text_of(row, "fstype"), options)


def root_writable(mounts: tuple[Mount, ...]) -> bool:
    """Whether the root filesystem is mounted for writing; the kernel remounts it read-only after errors."""
    return all("ro" not in mount.options for mount in mounts if mount.target == "/")

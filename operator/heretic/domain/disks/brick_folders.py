"""The folders of bricks that are on a host."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.host.parse.reading import NotUnderstood, read
from heretic.domain.host.section import Answers, Section


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


def parse_bricks(output: Output) -> Fact[Mapping[str, BrickDirectory]]:
    """Parses ``@bricks``: lines of path, 1 when empty, and the volume id in hexadecimal or "-"."""
    return read(output, "the list of brick folders", _bricks)


def _bricks(text: str) -> dict[str, BrickDirectory]:
    found: dict[str, BrickDirectory] = {}
    for line in filter(None, text.splitlines()):
        match line.rsplit(" ", 2):
            case [path, ("0" | "1") as empty, volume]:
                identity = "" if volume == "-" else str(UUID(hex=volume.removeprefix("0x")))
                found[path] = BrickDirectory(exists=True, volume_id=identity, empty=empty == "1")
            case _:
                raise NotUnderstood(f"a line is {line[:80]!r}")
    return found


_PROBE = Probe("bricks", ("@bricks",), parse_bricks)


def _assemble(answers: Answers) -> Fact[Mapping[str, BrickDirectory]]:
    return answers.parsed(_PROBE.name, parse_bricks)


BRICK_FOLDERS: Section[Fact[Mapping[str, BrickDirectory]]] = Section(
    name="brick folders",
    assemble=_assemble,
    unseen=NOT_OBSERVED,
    probes=(_PROBE,),
    roles=frozenset({Role.STORAGE}),
)
"""Those below /gluster_bricks, by absolute path."""

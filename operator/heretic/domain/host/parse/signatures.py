"""What lies on whole disks, from the disks themselves (``@signatures``): udev's view may be older.

The rule is rule:signatures-on-disk.

Blank is a positive answer of everybody who was asked: wipefs and blkid looked and know of nothing, and what was read
of the disk is zero. A program that failed, was missing or was not understood says nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from heretic.domain.commands import Output
from heretic.domain.facts import Fact
from heretic.domain.host.parse.reading import NotUnderstood, load, read, rows, text_of

NOTHING_FOUND = 2
AMBIVALENT = 8
"""Exit statuses of ``blkid -p``."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """What lies on one disk.

    Attributes:
        holders: Names of devices that the kernel has stacked on it or its partitions.
        found: Types as wipefs and blkid name them: ext4, gpt, LVM2_member, …
        unread: Why it is not certain that this is all, "" when it is.
        content: Byte at which the first content lies that no tool knows a signature of; None where there is none.
        error: Byte at which the disk cannot be read, and why; None where all that was tried could be read.
        looked: The lines that say all this but the holders, as ``@found`` prints them of the disk.
    """

    holders: tuple[str, ...]
    found: tuple[str, ...]
    unread: str = ""
    content: int | None = None
    error: tuple[int, str] | None = None
    looked: str = field(default="", compare=False, repr=False)


@dataclass(slots=True)
class _DiskLines:
    """The lines of one disk."""

    holders: list[str] = field(default_factory=list)
    wipefs_rc: int | None = None
    wipefs: list[str] = field(default_factory=list)
    blkid_rc: int | None = None
    blkid: list[str] = field(default_factory=list)
    zero: int = 0
    content: int | None = None
    error: tuple[int, str] | None = None
    looked: list[str] = field(default_factory=list)


def parse_signatures(output: Output) -> Fact[Mapping[str, Signatures]]:
    """Parses ``@signatures``.

    Returns:
        Signatures by kernel path; a disk whose own reading failed says so in ``unread``.
    """
    return read(output, "the search for signatures", _sections)


def _sections(text: str) -> dict[str, Signatures]:
    sections: dict[str, _DiskLines] = {}
    section = _DiskLines()
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word not in ("disk", "holder", ""):
            section.looked.append(line)
        match word:
            case "disk":
                section = sections[rest] = _DiskLines()
            case "holder":
                section.holders.append(rest)
            case "wipefs":
                section.wipefs_rc = int(rest)
            case "w":
                section.wipefs.append(rest)
            case "blkid":
                section.blkid_rc = int(rest)
            case "b":
                section.blkid.append(rest)
            case "zero":
                section.zero = int(rest)
            case "content":
                section.content = int(rest)
            case "short":
                section.error = section.error or (int(rest), "it ends there before its size")
            case "error":
                place, _, why = rest.partition(" ")
                section.error = section.error or (int(place), why or "it gave no reason")
            case "":
                continue
            case _:
                raise NotUnderstood(f"a line begins with {word[:40]!r}")
    return {disk: _judge(s) for disk, s in sections.items()}


def _judge(section: _DiskLines) -> Signatures:
    found: list[str] = []
    unread: list[str] = []
    if section.wipefs_rc == 0:
        try:
            found += _wipefs("\n".join(section.wipefs))
        except (ValueError, RecursionError):
            unread.append("the output of wipefs was not understood")
    else:
        unread.append(_failed("wipefs", section.wipefs_rc))
    if section.blkid_rc in (0, AMBIVALENT):
        found += _blkid(section.blkid) or ["ambivalent"]
    elif section.blkid_rc != NOTHING_FOUND:
        unread.append(_failed("blkid", section.blkid_rc))
    read_through = section.zero > 0 or section.content is not None or section.error is not None
    if not read_through and not found and not unread:
        unread.append("it could not be read in time")
    return Signatures(
        holders=tuple(section.holders),
        found=tuple(dict.fromkeys(found)),
        unread="; ".join(unread),
        content=section.content,
        error=section.error,
        looked="\n".join(section.looked),
    )


def _failed(tool: str, rc: int | None) -> str:
    match rc:
        case None:
            return f"{tool} did not answer"
        case 127:
            return f"{tool} is not installed"
        case _:
            return f"{tool} exited with status {rc}"


def _wipefs(text: str) -> list[str]:
    """Types from ``wipefs --no-act -J``; an answer without the list is no answer."""
    document = load(text)
    if not isinstance(document.get("signatures"), list):
        raise NotUnderstood("there is no list of signatures")
    return [text_of(row, "type") or "unnamed" for row in rows(document, "signatures")]


def _blkid(lines: Sequence[str]) -> list[str]:
    """Types from ``blkid -p -o export``."""
    pairs = (line.partition("=") for line in lines)
    return [value for key, _, value in pairs if key in ("TYPE", "PTTYPE") and value]

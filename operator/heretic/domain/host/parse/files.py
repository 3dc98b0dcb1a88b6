"""Many text files at once, read with three ordinary programs: modes and inodes, checksums, and lines.

Reading each file by itself would start two programs a file, which is most of what a pass costs a small host. The
checksum also proves that the lines are the file: they were read one after the other, and a file that changed in
between, or is no text, is Unknown.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from heretic.domain.commands import Output
from heretic.domain.facts import NOT_OBSERVED, Absent, Fact, Known, Unknown
from heretic.domain.host.facts import FileContent
from heretic.domain.host.parse.reading import short

MODES = ("stat", "-L", "-c", "%04a %D:%i %n")
SUMS = ("sha256sum",)
LINES = ("grep", "-asH", "")
"""Each is followed by the paths; -a takes everything for text, -H puts the path before each line."""

_RAN = (0, 1, 2)
"""Exit statuses of these programs when some of the files do not exist."""


@dataclass(frozen=True, slots=True)
class Files:
    """What was read of a set of files.

    Attributes:
        contents: Each file's lines, with line feeds, by path; one that is empty or missing is not in it.
        modes: Mode and "device:inode" by path; a file that does not exist is not in it.
        sums: sha256 by path.
        missing: Files that certainly do not exist.
        trouble: Why nothing can be said of the others.
    """

    contents: Mapping[str, str] = field(default_factory=dict)
    modes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sums: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    trouble: str = ""

    def text(self, path: str) -> Fact[str]:
        """The stripped content of a file that is only read, for example below /proc."""
        if path in self.contents:
            return Known(self.contents[path].strip())
        if path in self.missing:
            return Absent()
        return Unknown(f"{path} could not be read{self.trouble and f': {self.trouble}'}")

    def exists(self, path: str) -> Fact[bool]:
        """Whether there is such a file."""
        if path in self.modes:
            return Known(True)
        return Known(False) if path in self.missing else Unknown(self.trouble or f"{path} was not looked at")

    def content(self, path: str) -> Fact[FileContent]:
        """A file that may be written back."""
        if path in self.missing:
            return Absent()
        if path not in self.modes or path not in self.sums:
            return Unknown(f"{path} could not be read: {self.trouble}") if self.trouble else NOT_OBSERVED
        lines = self.contents.get(path, "")
        # The last line feed is not to be seen in the lines: with it or without it, the checksum decides.
        for content in (lines, lines.removesuffix("\n")):
            if hashlib.sha256(content.encode()).hexdigest() == self.sums[path]:
                return Known(FileContent(content, self.sums[path], self.modes[path][0]))
        return Unknown(f"{path} is no UTF-8 text, or changed while it was read")


def parse_files(modes: Output, sums: Output, lines: Output, paths: Sequence[str]) -> Files:
    """Puts together what MODES, SUMS and LINES printed.

    Args:
        modes: Of MODES with all paths.
        sums: Of SUMS with those that may be written.
        lines: Of LINES with those whose content matters.
        paths: All of them.
    """
    for output in (modes, sums, lines):
        if output.rc not in _RAN:
            return Files(trouble=short(output.stderr) or f"exit status {output.rc}")
    gone = (p for p in paths if f"'{p}': No such file or directory" in modes.stderr)
    return Files(
        contents=_contents(lines.stdout, paths),
        modes=_modes(modes.stdout),
        sums={p: digest for digest, _, p in (line.partition("  ") for line in sums.stdout.splitlines()) if p},
        missing=frozenset(gone),
        trouble=short(modes.stderr),
    )


def _contents(text: str, paths: Sequence[str]) -> dict[str, str]:
    known = frozenset(paths)
    found: dict[str, list[str]] = {}
    # Only the line feed ends a line for grep; splitlines() knows many more.
    for line in text.split("\n"):
        path, colon, content = line.partition(":")
        if colon and path in known:
            found.setdefault(path, []).append(content)
    return {path: "\n".join(lines) + "\n" for path, lines in found.items()}


def _modes(text: str) -> dict[str, tuple[str, str]]:
    rows = [line.split(" ", 2) for line in text.splitlines()]
    return {row[2]: (row[0].zfill(4), row[1]) for row in rows if len(row) == 3}

"""How answers look: sentences, durations, aligned columns; or JSON and YAML with stable names."""

import json
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from heretic.api.shorten import shorten
from heretic.cli.options import Format

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Cell = str | tuple[str, str]
"""A text, or a text and its style."""

GAP = 2
"""Spaces between columns."""

UNBOUNDED = 100_000
"""Width where nobody looks at a terminal: a line stays a line, for grep."""

SCREEN = 100
"""Columns of a screen that is written to a file or a pipe."""

GOOD, BAD, PENDING, DIM, HEAD = "green", "red", "yellow", "dim", "bold"


def console(*, no_color: bool, width: int | None = None) -> "Console":
    """Standard output, with colours only on a terminal, and never when NO_COLOR is set.

    Args:
        no_color: Whether the user wants none.
        width: Columns where standard output is no terminal.
    """
    from rich.console import Console

    return Console(
        no_color=no_color or None,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if sys.stdout.isatty() else width or UNBOUNDED,
    )


def note(message: str) -> None:
    """Writes a note to standard error."""
    print(f"heretic: {message}", file=sys.stderr)


def progress(message: str) -> None:
    """Shows on a terminal what takes long."""
    if sys.stderr.isatty():
        note(f"{message} …")


def write_data(value: object, output: Format) -> None:
    """Writes JSON or YAML to standard output."""
    if output is Format.JSON:
        print(json.dumps(value, indent=2, ensure_ascii=False))
        return
    from heretic.cli.yaml_text import dump

    sys.stdout.write(dump(value))


def styled(*parts: tuple[str, str] | str) -> "Text":
    """A text of parts, each plain or with a style."""
    from rich.text import Text

    return Text.assemble(*parts)


def paragraph(console: "Console", content: "Text | str", indent: int = 0) -> list["Text"]:
    """A text as lines that fit the console, each moved to the right.

    Args:
        console: Gives the width.
        content: What it says.
        indent: Columns.
    """
    from rich.text import Text

    text = Text(content) if isinstance(content, str) else content
    lines = text.wrap(console, max(20, console.width - indent))
    for line in lines:
        line.rstrip()
    return [Text(" " * indent).append_text(line) for line in lines]


def columns(console: "Console", heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list["Text"]:
    """Aligned columns without lines; the last one is cut, with an ellipsis, where the screen is narrow.

    Args:
        console: Gives the width.
        heads: Of the columns.
        rows: Cells, each a text or a text with its style.
    """
    from rich.text import Text

    grid = [[(head, HEAD) for head in heads], *([(c, "") if isinstance(c, str) else c for c in row] for row in rows)]
    widths = [max(len(row[place][0]) for row in grid) for place in range(len(heads) - 1)]
    room = max(10, console.width - sum(widths) - GAP * len(widths))
    lines = []
    for row in grid:
        line = Text()
        for (text, style), width in zip(row, widths, strict=False):
            line.append(text, style).append(" " * (width - len(text) + GAP))
        text, style = row[-1]
        line.append(shorten(text, room), style).rstrip()
        lines.append(line)
    return lines


def duration(seconds: float) -> str:
    """A length of time in its largest unit: "45 s", "12 min", "5 h", "3 d"."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def age(stamp: str, now: datetime) -> str:
    """How long ago an RFC 3339 time was; empty for what is no time."""
    try:
        then = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    return duration((now - then).total_seconds())


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 step", "3 steps"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def words(camel: str) -> str:
    """A CamelCase reason as words: "WaitingForNodes" → "waiting for nodes"; an acronym stays as it is."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", camel)
    return " ".join(p if p.isupper() and len(p) > 1 else p.lower() for p in parts) or camel

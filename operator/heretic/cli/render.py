"""How answers look: sentences, durations, aligned columns; or JSON and YAML with stable names."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from heretic.cli.options import Format

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

UNBOUNDED = 100_000
"""Width where nobody looks at a terminal: a line stays a line, for grep."""

SCREEN = 100
"""Columns of a screen that is written to a file or a pipe."""

GOOD, BAD, PENDING, DIM, HEAD = "green", "red", "yellow", "dim", "bold"


def console(*, no_color: bool, width: int | None = None) -> "Console":
    """Standard output, with colours only on a terminal and never against NO_COLOR.

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
    """Tells something beside the answer, on standard error."""
    print(f"heretic: {message}", file=sys.stderr)


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


def indented(content: "RenderableType", columns: int) -> "RenderableType":
    """The content moved to the right, also where it wraps."""
    from rich.padding import Padding

    return Padding(content, (0, 0, 0, columns), expand=False)


def table(heads: Sequence[str], rows: Iterable[Sequence["Text | str"]], *, flexible: int = -1) -> "Table":
    """Aligned columns without lines.

    Args:
        heads: Of the columns.
        rows: Cells.
        flexible: Index of the column that gives way, with an ellipsis, where the screen is narrow.
    """
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=HEAD)
    last = flexible % len(heads)
    for place, head in enumerate(heads):
        made.add_column(head, no_wrap=True, overflow="ellipsis", ratio=1 if place == last else None)
    for row in rows:
        made.add_row(*row)
    return made


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

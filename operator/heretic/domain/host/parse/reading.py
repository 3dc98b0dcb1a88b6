"""What all parsers share: exit statuses that need no parsing, and JSON read without trusting its types."""

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

from heretic.api.shorten import shorten
from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown

T = TypeVar("T")

Row = Mapping[str, object]
"""One JSON object."""

NOT_INSTALLED = 127
"""Exit status of a program that is not there."""
TIMED_OUT = (124, 137)
"""Exit statuses of a command that ``timeout`` ended, by SIGTERM or by SIGKILL."""


class NotUnderstood(ValueError):  # noqa: N818 (it is an answer, not a fault)
    """The text is not what the tool prints; says what is odd about it."""


def read(
    output: Output,
    what: str,
    reader: Callable[[str], T],
    *,
    good: tuple[int, ...] = (0,),
    absent: tuple[int, ...] = (),
) -> Fact[T]:
    """Turns one command's output into a fact.

    Args:
        output: What the command returned.
        what: The command, for messages.
        reader: Reads the standard output; raises ValueError for what it does not understand.
        good: Exit statuses with which the output may be read.
        absent: Exit statuses that say that the thing does not exist.
    """
    if output.rc in absent:
        return Absent()
    if output.rc in TIMED_OUT and output.rc not in good:
        return Unknown(f"{what} did not answer in time")
    if output.rc == NOT_INSTALLED and output.rc not in good:
        return Unknown(f"{what}: not installed on the host")
    if output.rc not in good:
        return Unknown(f"{what} exited with status {output.rc}: {short(output.stderr) or 'it said nothing'}")
    try:
        return Known(reader(output.stdout))
    except (ValueError, RecursionError) as error:
        return Unknown(f"the output of {what} was not understood: {short(str(error))}")


def short(text: str) -> str:
    """The first line that is not empty, cut to a readable length."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return shorten(line, 200)


def load(text: str) -> Row:
    """Reads a JSON document whose top is an object."""
    return as_row(json.loads(text), "the document")


def load_list(text: str) -> list[Row]:
    """Reads a JSON document whose top is a list of objects."""
    return rows({"the document": json.loads(text)}, "the document")


def as_row(value: object, what: str) -> Row:
    """The value as a JSON object."""
    if not isinstance(value, dict):
        raise NotUnderstood(f"{what} is no JSON object")
    return value


def rows(row: Row, key: str) -> list[Row]:
    """The objects of a list; a list that is missing or null is empty."""
    value = row.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise NotUnderstood(f"{key} is no list")
    return [as_row(item, f"an entry of {key}") for item in value]


def listed(row: Row, key: str) -> list[Row]:
    """The objects of a list that the tool always prints; without it the document is not what was asked for."""
    if row.get(key) is None:
        raise NotUnderstood(f"there is no {key}")
    return rows(row, key)


def text_of(row: Row, key: str) -> str:
    """A text; "" for null and for a missing key."""
    value = row.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float):
        return str(value)
    raise NotUnderstood(f"{key} is neither text nor number")


def integer(row: Row, key: str) -> int:
    """A whole number, also when it is written as text as util-linux did up to 2.32 (rule:lsblk-output)."""
    text = text_of(row, key)
    try:
        return int(text)
    except ValueError:
        raise NotUnderstood(f"{key} is {text!r}, not a whole number") from None


def percentage(row: Row, key: str) -> float | None:
    """A number that LVM prints as text; None where it prints nothing because there is none."""
    text = text_of(row, key)
    if not text:
        return None
    value = float(text)
    if not 0 <= value <= 1000:
        raise NotUnderstood(f"{key} is {text!r}, not a percentage")
    return value


def flag(row: Row, key: str) -> bool:
    """A truth value, also "0" and "1" as util-linux wrote it up to 2.32 (rule:lsblk-output)."""
    value = row.get(key)
    if isinstance(value, bool):
        return value
    if value in ("0", "1"):
        return value == "1"
    raise NotUnderstood(f"{key} is {value!r}, neither true nor false")

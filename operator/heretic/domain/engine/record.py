"""What the engine tells of one thing, as plain data, and how a part of it is read."""

import re
from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]
"""One thing, by the element names of the engine's API: texts, numbers, booleans, moments, records and lists of them.

What the engine left out is missing. A list that it only linked to is missing too, and an empty one is there: ``usages``
of a network for no machine is ``[]``.
"""


class NotUnderstoodError(Exception):
    """A record lacks what each of its sort has, or has something else there."""


def part(record: Record, path: str) -> Any:
    """What stands at a path such as ``fencing_policy.enabled``; None where nothing does."""
    at: Any = record
    for name in path.split("."):
        if not isinstance(at, Mapping):
            return None
        at = at.get(name)
    return at


def text(record: Record, path: str) -> str:
    """A text, "" where there is none."""
    found = part(record, path)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise NotUnderstoodError(f"{path} is no text: {found!r}")
    return found


def required(record: Record, path: str) -> str:
    """A text that is never missing."""
    found = text(record, path)
    if not found:
        raise NotUnderstoodError(f"something has no {path}")
    return found


_ID = re.compile(r"[\w~-][\w.~-]*", re.ASCII)


def identifier(record: Record) -> str:
    """The id of a thing, which becomes part of addresses: whoever answers must not choose where we ask next."""
    found = required(record, "id")
    if not _ID.fullmatch(found):
        raise NotUnderstoodError(f"something has the id {found[:80]!r}, which cannot be part of an address")
    return found


def number(record: Record, path: str) -> int | None:
    """A whole number."""
    found = part(record, path)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool)):
        raise NotUnderstoodError(f"{path} is no whole number: {found!r}")
    return found


def flag(record: Record, path: str) -> bool | None:
    """A yes or no."""
    found = part(record, path)
    if found is not None and not isinstance(found, bool):
        raise NotUnderstoodError(f"{path} is neither true nor false: {found!r}")
    return found


def items(record: Record, path: str) -> list[Any] | None:
    """A list; None where the engine did not tell it, which is no proof that it is empty."""
    found = part(record, path)
    if found is not None and not isinstance(found, list):
        raise NotUnderstoodError(f"{path} is no list: {found!r}")
    return found

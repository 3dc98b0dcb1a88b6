"""The engine's search: `name=web* and description="the first"`.

What the engine cannot parse, such as a field that it does not know, is answered with an empty list: an empty list
proves nothing. What the engine can do and this simulator was not told is refused.
"""

import re
from fnmatch import fnmatchcase
from typing import Any

from sim.engine.messages import NotToldError

_FIELDS = frozenset({"name", "description", "comment"})
_NOT_TOLD = re.compile(r"\b(or|sortby|page)\b|[<>]|\.", re.IGNORECASE)
_NOT_TOLD_FIELDS = frozenset({"address", "cluster", "datacenter", "host", "id", "severity", "status", "tag", "type"})
_CONDITION = re.compile(r"\s*(?:(\w+)\s*(!?=)\s*)?(\"[^\"]*\"|[^\s\"=()]+)\s*")


def matches(search: str, value: Any, case_sensitive: bool = True) -> bool:
    """Whether a search finds an entity."""
    if _NOT_TOLD.search(re.sub(r'"[^"]*"', "", search)):
        raise NotToldError(f"the search {search!r}")
    return all(_holds(part, value, case_sensitive) for part in re.split(r"\s+and\s+", search, flags=re.IGNORECASE))


def _holds(condition: str, value: Any, case_sensitive: bool) -> bool:
    parsed = _CONDITION.fullmatch(condition)
    if not parsed:
        return False
    field, operator, wanted = parsed.groups()
    wanted = wanted.strip('"')
    if field is None:
        return any(_equal(wanted, getattr(value, name, None), case_sensitive) for name in _FIELDS)
    if field.lower() in _NOT_TOLD_FIELDS:
        raise NotToldError(f"a search by {field}")
    if field.lower() not in _FIELDS:
        return False
    return _equal(wanted, getattr(value, field.lower()), case_sensitive) == (operator == "=")


def _equal(pattern: str, text: str | None, case_sensitive: bool) -> bool:
    pattern = pattern.replace("[", "[[]").replace("?", "[?]")
    text = text or ""
    return fnmatchcase(text, pattern) if case_sensitive else fnmatchcase(text.lower(), pattern.lower())

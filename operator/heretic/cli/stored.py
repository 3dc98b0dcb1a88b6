"""What stands in stored objects, read without models: what is shown must be shown whatever else is wrong with them."""

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]

NOT_SEEN = "Pending"
"""The state of a condition that was not decided for the present spec yet."""


def condition(obj: Object | None, type_: str) -> Mapping[str, Any] | None:
    """A stored condition; None when it is missing or was decided for an older spec."""
    if obj is None:
        return None
    found = next((c for c in status_of(obj).get("conditions") or [] if c.get("type") == type_), None)
    generation = obj["metadata"].get("generation") or 0
    if found is None or int(found.get("observedGeneration", generation)) < generation:
        return None
    return dict(found)


def state(obj: Object | None, type_: str) -> str:
    """True, False, Unknown; or Pending when it was not decided for the present spec yet."""
    found = condition(obj, type_)
    return str(found["status"]) if found else NOT_SEEN


def status_of(obj: Object | None) -> Mapping[str, Any]:
    """Its status; nothing where it has none."""
    return (obj or {}).get("status") or {}


def spec_of(obj: Object) -> Mapping[str, Any]:
    """Its spec; likewise."""
    return obj.get("spec") or {}


def summary_of(obj: Object) -> str:
    """What the operator says of it in one line."""
    if condition(obj, "Ready") is None:
        return "the operator has not looked at this spec yet"
    return str(status_of(obj).get("summary") or "")

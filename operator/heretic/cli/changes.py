"""What applying manifests would change in a cluster, and why a person may have to confirm it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from heretic.api.v1alpha1 import VERSION
from heretic.cli.errors import fail
from heretic.cluster.manifests import MANAGER, title_of

Object = dict[str, Any]

MOST = 3
"""Objects, and fields of one object, that a sentence names."""

LONGEST = 60
"""Characters of a value that a sentence shows."""


@dataclass(frozen=True, slots=True)
class Change:
    """One manifest beside what is stored.

    Attributes:
        manifest: As it is to be applied.
        stored: What there is; None when there is nothing.
        differences: Fields that would change, with their values where these are short.
    """

    manifest: Object
    stored: Object | None = None
    differences: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How messages name the object."""
        return title_of(self.manifest)

    @property
    def is_new(self) -> bool:
        """Whether there is nothing yet."""
        return self.stored is None


def refuse_what_ends(stored: Object) -> None:
    """Stops at an object that is being deleted.

    Raises:
        HereticError: It is.
    """
    if stored["metadata"].get("deletionTimestamp"):
        raise fail(f"{title_of(stored)} is being deleted: wait until it is gone, then run this again")


def refuse_newer(stored: Object, installed: str) -> None:
    """Stops at an object that a later version of Heretic installed.

    Args:
        stored: An object of the cluster.
        installed: The version of this Heretic.

    Raises:
        HereticError: It is of a later version.
    """
    if stored["kind"] == "CustomResourceDefinition":
        versions = {str(v["name"]) for v in stored["spec"].get("versions") or ()}
        others = sorted({*versions, *((stored.get("status") or {}).get("storedVersions") or ())} - {VERSION})
        if others:
            raise fail(
                f"{title_of(stored)} has version {', '.join(others)}, and this heretic {installed} speaks {VERSION} "
                "only: use the heretic that it came with"
            )
    version = version_of(stored)
    if version and _numbers(version) > _numbers(installed):
        raise fail(f"{title_of(stored)} is of version {version}, and this heretic is of {installed}: use the later one")


def version_of(obj: Object) -> str:
    """The version of the operator that a Deployment runs; empty when there is none."""
    if obj["kind"] != "Deployment":
        return ""
    images = [str(c.get("image") or "") for c in obj["spec"]["template"]["spec"]["containers"]]
    tags = [re.fullmatch(r"[^@]*:([0-9]+(?:[.][0-9]+)*)", image) for image in images]
    return next((tag[1] for tag in tags if tag), "")


def is_stopped(stored: Object | None) -> bool:
    """Whether an object is an operator that a person has stopped."""
    return stored is not None and stored["kind"] == "Deployment" and stored["spec"].get("replicas") == 0


def kept_stopped(manifest: Object, stored: Object) -> Object:
    """The manifest without its number of replicas, where a person has stopped the operator: it stays stopped."""
    if not is_stopped(stored):
        return manifest
    return {**manifest, "spec": {k: v for k, v in manifest["spec"].items() if k != "replicas"}}


def differences(stored: Object, would: Object) -> tuple[str, ...]:
    """Fields that differ between an object and what it would be, in order; what the API server keeps does not count.

    Args:
        stored: As it is.
        would: As it would be.
    """
    return tuple(_compare("", _declared(stored), _declared(would)))


def refusal(changes: Sequence[Change]) -> str:
    """What stands in the way, for a sentence: the objects that would change, how, and who wrote them."""
    named = [_told(change) for change in changes[:MOST]]
    more = len(changes) - len(named)
    return "; ".join([*named, *([f"and {more} more"] if more else [])])


def _told(change: Change) -> str:
    shown = [*change.differences[:MOST], *(["…"] if len(change.differences) > MOST else [])]
    writers = _writers(change.stored or {})
    return f"{change.title} ({', '.join(shown)}{f'; written by {writers}' if writers else ''})"


def _writers(stored: Object) -> str:
    """Who else has set fields of an object."""
    entries = stored.get("metadata", {}).get("managedFields") or ()
    return ", ".join(sorted({str(e.get("manager")) for e in entries if not e.get("subresource")} - {MANAGER}))


def _declared(obj: Object) -> Object:
    meta = obj["metadata"]
    kept = {part: meta.get(part) or {} for part in ("labels", "annotations")}
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": kept}


def _compare(path: str, stored: object, would: object) -> Iterator[str]:
    if isinstance(stored, dict) and isinstance(would, dict):
        for key in sorted({*stored, *would}):
            yield from _compare(f"{path}.{key}" if path else key, stored.get(key), would.get(key))
    elif isinstance(stored, list) and isinstance(would, list) and len(stored) == len(would):
        for place, (one, other) in enumerate(zip(stored, would, strict=True)):
            yield from _compare(f"{path}[{place}]", one, other)
    elif stored != would:
        yield f"{path}: {_shown(stored)} → {_shown(would)}" if _is_short(stored) and _is_short(would) else path


def _is_short(value: object) -> bool:
    return value is None or (isinstance(value, str | int) and len(str(value)) <= LONGEST)


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version))

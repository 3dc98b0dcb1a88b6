"""What the watches have shown: every object of our group, and the typed view of a site made from it.

Fed by handlers/, read by every pass; nothing polls the API server for what a watch brings anyway.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from heretic.api.v1alpha1 import Resource
from heretic.domain.declared.view import SiteView
from heretic.domain.kind import Kinds
from heretic.kinds import KINDS

Object = dict[str, Any]


class Key(NamedTuple):
    """Names one object of our group."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Stored:
    """One object as last seen; equal only to itself, so that what was worked out from it can be kept with it.

    Attributes:
        raw: As the API server sent it.
        parsed: The typed form; None where the stored spec does not fit the models.
        error: Why it does not fit, for the user; empty when it fits.
    """

    raw: Object
    parsed: Resource | None
    error: str = ""


class ObjectStore:
    """All objects of our group that the watches have shown.

    Args:
        kinds: All kinds.
    """

    def __init__(self, kinds: Kinds = KINDS) -> None:
        self._kinds = kinds
        self._objects: dict[Key, Stored] = {}
        self._views: dict[str, SiteView] = {}

    def put(self, kind: str, raw: Object) -> Key:
        """Takes in an object, new or changed; one that is not newer than the one held is ignored.

        A status write is put here at once, and the watch may still bring what was before it.
        """
        meta = raw["metadata"]
        key = Key(kind, meta["namespace"], meta["name"])
        held = self._objects.get(key)
        if held is not None and _version(held.raw) >= _version(raw):
            return key
        try:
            self._objects[key] = Stored(raw, self._kinds.parse(kind, raw))
        except ValueError as error:
            self._objects[key] = Stored(raw, None, str(error))
        self._views.pop(key.namespace, None)
        return key

    def drop(self, key: Key, uid: str) -> bool:
        """Forgets a deleted object, unless another one has taken its name since.

        Returns:
            Whether nothing of this name is left.
        """
        held = self._objects.get(key)
        if held is not None and held.raw["metadata"]["uid"] != uid:
            return False
        self._objects.pop(key, None)
        self._views.pop(key.namespace, None)
        return True

    def is_leaving(self, key: Key) -> bool:
        """Whether an object is being deleted, or gone."""
        held = self._objects.get(key)
        return held is None or bool(held.raw["metadata"].get("deletionTimestamp"))

    def get(self, key: Key) -> Stored | None:
        """One object; None when it does not exist."""
        return self._objects.get(key)

    def keys(self, namespace: str) -> Iterator[Key]:
        """All objects of a namespace."""
        return (key for key in list(self._objects) if key.namespace == namespace)

    def namespaces(self, kind: str) -> list[str]:
        """The namespaces that have an object of a kind, in order."""
        return sorted({key.namespace for key in self._objects if key.kind == kind})

    def view(self, namespace: str) -> SiteView:
        """The declared site of a namespace, the same object until something changes."""
        if namespace not in self._views:
            parsed = {k: s.parsed for k, s in self._objects.items() if k.namespace == namespace}
            unread = frozenset((k.kind, k.name) for k, o in parsed.items() if o is None)
            self._views[namespace] = SiteView.holding((o for o in parsed.values() if o is not None), unread)
        return self._views[namespace]


def _version(raw: Object) -> int:
    """Resource versions of one resource grow (Kubernetes guarantees it since 1.35, and etcd always did)."""
    return int(raw["metadata"].get("resourceVersion") or 0)


def latest_of(seen: Stored, latest: Stored) -> Stored:
    """The latest stored form, as long as it is the same object with the spec that the pass saw."""
    return latest if is_same(seen.raw, latest.raw) else seen


def is_same(seen: Object, latest: Object) -> bool:
    """Whether it is the same object with the same spec."""
    old, new = seen["metadata"], latest["metadata"]
    return bool(old["uid"] == new["uid"] and old.get("generation") == new.get("generation"))

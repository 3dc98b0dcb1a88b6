"""Who must look again when an object changes.

A pass is woken by a change of its own spec, and by a change of what it depends on: a Node that turns Ready wakes
the volumes on it. Our own status writes come back through the watch as changes too; a fingerprint of what others
may depend on keeps them from waking anybody, unless they say something new.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from heretic.api.v1alpha1 import GROUP
from heretic.domain.kind import Kinds
from heretic.kinds import KINDS
from heretic.reconcile.store import Key, ObjectStore, Stored


class WakeUps:
    """One event per object, set when a pass is due before its time.

    Args:
        store: What the watches have shown.
        kinds: All kinds: each says which others it reads.
    """

    def __init__(self, store: ObjectStore, kinds: Kinds = KINDS) -> None:
        self._store = store
        self._kinds = kinds
        self._events: dict[Key, asyncio.Event] = defaultdict(asyncio.Event)
        self._own: dict[Key, str] = {}
        self._shown: dict[Key, str] = {}

    def seen(self, key: Key) -> None:
        """An object was put into the store: wakes it and its dependents where that matters."""
        stored = self._store.get(key)
        if stored is None:
            return
        own, shown = _own_fingerprint(stored), _shown_fingerprint(stored, self._kinds[key.kind].recorded)
        if self._own.get(key) != own:
            self._own[key] = own
            self.wake(key)
        if self._shown.get(key) != shown:
            self._shown[key] = shown
            self.wake_dependents(key)

    def gone(self, key: Key) -> None:
        """An object was deleted: its dependents look again."""
        self.wake_dependents(key)
        for known in (self._own, self._shown, self._events):
            known.pop(key, None)

    def wake(self, key: Key) -> None:
        """Makes a pass of this object due now."""
        self._events[key].set()

    def wake_dependents(self, key: Key) -> None:
        """Makes a pass due of each object that depends on this one."""
        kinds = self._kinds.woken_by(key.kind)
        for other in self._store.keys(key.namespace):
            if other.kind in kinds and other != key:
                self.wake(other)

    async def wait(self, key: Key, seconds: float) -> bool:
        """Sleeps until the object is woken or the time is over.

        Args:
            key: The object.
            seconds: How long at most.

        Returns:
            Whether it was woken.
        """
        event = self._events[key]
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        return True

    def clear(self, key: Key) -> None:
        """A pass begins; it takes into account what happened before."""
        self._events[key].clear()


def _own_fingerprint(stored: Stored) -> str:
    meta = stored.raw["metadata"]
    ours = {k: v for k, v in (meta.get("annotations") or {}).items() if k.startswith(f"{GROUP}/")}
    return json.dumps([meta["uid"], meta.get("generation"), meta.get("deletionTimestamp"), ours], sort_keys=True)


def _shown_fingerprint(stored: Stored, recorded: Sequence[str]) -> str:
    """What others read of an object: its spec, the states of its conditions, and its recorded choices."""
    meta, status = stored.raw["metadata"], stored.raw.get("status") or {}
    conditions: list[Mapping[str, Any]] = status.get("conditions") or []
    states = [(c["type"], c["status"]) for c in conditions if c["type"] not in ("Reconciling", "Synced", "Drifted")]
    choices = [status.get(field) for field in recorded]
    return json.dumps([meta["uid"], meta.get("generation"), meta.get("deletionTimestamp"), states, choices])

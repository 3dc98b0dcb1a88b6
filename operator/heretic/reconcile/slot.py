"""The disruption slot: at most one object of a site takes redundancy away at a time."""

from collections.abc import Callable

from heretic.cluster.lease import Lease
from heretic.reconcile.store import Key

LEASE_NAME = "heretic-disruption"
SLOT_SECONDS = 120
"""How long the slot outlives an operator that died with it."""


class DisruptionSlots:
    """The slot of each site, held in a Lease of its namespace in the name of an object.

    Args:
        make: Builds the Lease of a namespace for a holder's name and a duration in seconds.
    """

    def __init__(self, make: Callable[[str, str, int], Lease]) -> None:
        self._make = make
        self._held: dict[str, tuple[Key, Lease]] = {}

    async def take(self, key: Key) -> str | None:
        """Takes or renews the slot of the object's site.

        Returns:
            None when the object has it now; else who has it.
        """
        held = self._held.get(key.namespace)
        if held is not None and held[0] != key:
            return str(held[0])
        lease = held[1] if held else self._make(key.namespace, str(key), SLOT_SECONDS)
        if await lease.acquire():
            self._held[key.namespace] = (key, lease)
            return None
        self._held.pop(key.namespace, None)
        return lease.other_holder

    async def release(self, key: Key) -> None:
        """Gives the slot back if the object has it."""
        held = self._held.get(key.namespace)
        if held is not None and held[0] == key:
            del self._held[key.namespace]
            await held[1].release()

    def has(self, key: Key) -> bool:
        """Whether the object has the slot now, as far as is known here."""
        held = self._held.get(key.namespace)
        return held is not None and held[0] == key and held[1].held

    def forget(self, key: Key) -> None:
        """An object is gone; what the Lease says of it ends by itself."""
        held = self._held.get(key.namespace)
        if held is not None and held[0] == key:
            del self._held[key.namespace]

    def holder(self, namespace: str) -> str:
        """Who has the slot of a site through this operator; empty when nobody."""
        held = self._held.get(namespace)
        return str(held[0]) if held else ""

"""The disruption slot: at most one object of a site takes redundancy away at a time."""

from collections.abc import Callable

from heretic.cluster.lease import Lease
from heretic.domain.plan import Outage
from heretic.reconcile.store import Key

LEASE_NAME = "heretic-disruption"
SLOT_SECONDS = 120
"""How long the slot outlives an operator that died with it."""


class DisruptionSlots:
    """The slot of each site, held in a Lease of its namespace in the name of an object.

    The Lease also keeps which host the object takes out of service. An operator that comes after a crash reads there
    that the host may be out already, and that this was agreed to.

    Args:
        make: Builds the Lease of a namespace for a holder's name and a duration in seconds.
    """

    def __init__(self, make: Callable[[str, str, int], Lease]) -> None:
        self._make = make
        # Whoever wants the slot keeps its Lease from try to try: that another holder is gone shows only with time.
        self._leases: dict[Key, Lease] = {}
        self._held: dict[str, Key] = {}

    async def take(self, key: Key) -> str | None:
        """Takes or renews the slot of the object's site.

        Returns:
            None when the object has it now; else who has it.
        """
        holder = self._held.get(key.namespace)
        if holder is not None and holder != key and self.has(holder):
            return str(holder)
        lease = self._leases.get(key)
        if lease is None:
            lease = self._leases[key] = self._make(key.namespace, str(key), SLOT_SECONDS)
        if await lease.acquire():
            self._held[key.namespace] = key
            return None
        if self._held.get(key.namespace) == key:
            del self._held[key.namespace]
        return lease.other_holder

    async def claim(self, key: Key, outage: Outage) -> bool:
        """Writes down that the object, which has the slot, takes a host out of service.

        Nobody else gets the slot within the time that this may take, even when this operator dies.

        Returns:
            Whether it is written.
        """
        lease = self._leases[key]
        lease.claim, lease.duration = outage.node, max(SLOT_SECONDS, outage.seconds)
        return await self.take(key) is None

    def claimed(self, key: Key) -> str:
        """The host that the object takes out of service; empty when none, or when it has not the slot."""
        return self._leases[key].claim if self.has(key) else ""

    async def release(self, key: Key) -> None:
        """Gives the slot back if the object has it, and wants it no longer."""
        lease = self._leases.pop(key, None)
        if lease is not None and self._held.get(key.namespace) == key:
            del self._held[key.namespace]
            await lease.release()

    def has(self, key: Key) -> bool:
        """Whether the object has the slot now, as far as is known here."""
        lease = self._leases.get(key)
        return lease is not None and self._held.get(key.namespace) == key and lease.held

    def forget(self, key: Key) -> None:
        """An object is gone; what the Lease says of it ends by itself."""
        self._leases.pop(key, None)
        if self._held.get(key.namespace) == key:
            del self._held[key.namespace]

    def holder(self, namespace: str) -> str:
        """Who has the slot of a site through this operator; empty when nobody."""
        key = self._held.get(namespace)
        if key is None or not self.has(key):
            return ""
        claimed = self.claimed(key)
        return f"{key} ({claimed} is out of service)" if claimed else str(key)

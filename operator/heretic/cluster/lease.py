"""Leases: at most one holder at a time, with a token that grows with every change of holder.

Used twice: so that two operators never act at once, and as the site's disruption slot. The token goes to the
hosts with every effect, and a host refuses a smaller one than it has seen: a late effect of an operator that has
lost its lease does nothing (rule:lease-holder). It is kept in an annotation, and is never smaller than the time of
day, so that it goes on growing when the Lease is deleted or put back from a backup.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from heretic.api.v1alpha1 import GROUP
from heretic.cluster.client import Cluster, ConflictError, Object

TOKEN = f"{GROUP}/fencing-token"
"""The annotation that keeps the token. One that a person sets higher is taken over with the next renewal."""

CLAIM = f"{GROUP}/claim"
"""The annotation that keeps what the holder took the lease for; it ends with the holder."""

DURATION = 15
"""Seconds that a lease lasts without renewal."""

RENEW_EVERY = 5.0
"""Seconds between renewals."""

MARGIN = 3.0
"""Seconds before its end at which a holder stops acting: clocks differ, and effects take time."""


class Lease:
    """One named Lease, seen by one would-be holder.

    Args:
        cluster: The API server.
        namespace: Where the Lease lives.
        name: Of the Lease.
        holder: Who we are, unique in time and space.
        monotonic: Seconds, never going back; for our own deadline.
        now: Wall clock, for the stored times.
        duration: Seconds that the lease lasts without renewal.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        name: str,
        holder: str,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
        duration: int = DURATION,
    ) -> None:
        self._cluster = cluster
        self.namespace = namespace
        self.name = name
        self.holder = holder
        self.duration = duration
        self._monotonic = monotonic
        self._now = now
        self._until = float("-inf")
        self._seen: tuple[str, str] = ("", "")
        self._seen_at = 0.0
        self.token = 0
        self.other_holder = ""
        self.claim = ""

    @property
    def held(self) -> bool:
        """Whether we may act: renewed lately enough, by our own clock."""
        return self._monotonic() < self._until - MARGIN

    async def acquire(self) -> bool:
        """Takes or renews the lease.

        Another holder's lease counts as over only after its whole duration passed *by our own clock* without a
        renewal, so clocks need not agree.

        Returns:
            Whether we hold it now.

        Raises:
            HereticError: The API server did not answer.
        """
        asked_at = self._monotonic()
        current = await self._cluster.read_lease(self.namespace, self.name)
        if current is not None and not self._may_take(current, asked_at):
            self._until = float("-inf")
            return False
        self._inherit(current)
        token = self._next_token(current)
        body = self._body(current, token)
        try:
            await self._cluster.write_lease(body, create=current is None)
        except ConflictError:
            return False
        self.token = token
        self._until = asked_at + self.duration
        self.other_holder = ""
        return True

    async def release(self) -> None:
        """Gives the lease back when we hold it; the next holder need not wait."""
        self._until = float("-inf")
        current = await self._cluster.read_lease(self.namespace, self.name)
        if current is None or current["spec"].get("holderIdentity") != self.holder:
            return
        current["spec"]["holderIdentity"] = ""
        (current["metadata"].get("annotations") or {}).pop(CLAIM, None)
        try:
            await self._cluster.write_lease(current, create=False)
        except ConflictError:
            return

    def _inherit(self, current: Object | None) -> None:
        """A claim outlives the process that made it, for the time that the claim names."""
        if self.token or current is None or current["spec"].get("holderIdentity") != self.holder:
            return
        self.claim = str((current["metadata"].get("annotations") or {}).get(CLAIM) or "")
        if self.claim:
            self.duration = max(self.duration, int(current["spec"].get("leaseDurationSeconds") or 0))

    def _may_take(self, lease: Object, at: float) -> bool:
        spec = lease["spec"]
        holder = str(spec.get("holderIdentity") or "")
        if holder in ("", self.holder):
            return True
        seen = (holder, str(spec.get("renewTime")))
        if seen != self._seen:
            self._seen, self._seen_at = seen, at
        self.other_holder = holder
        return at - self._seen_at > int(spec.get("leaseDurationSeconds") or self.duration)

    def _next_token(self, current: Object | None) -> int:
        """The same while we hold it, else a greater one than there ever was."""
        last = max(self.token, _token_of(current)) if current else self.token
        if current is not None and self.token and current["spec"].get("holderIdentity") == self.holder:
            return last
        return max(last + 1, int(self._now().timestamp() * 1000))

    def _body(self, current: Object | None, token: int) -> Object:
        now = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        old = current["spec"] if current else {}
        ours = old.get("holderIdentity") == self.holder
        transitions = int(old.get("leaseTransitions") or 0)
        metadata: Object = current["metadata"] if current else {"name": self.name, "namespace": self.namespace}
        annotations = {**(metadata.get("annotations") or {}), TOKEN: str(token), CLAIM: self.claim}
        metadata |= {"annotations": {name: value for name, value in annotations.items() if value}}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": self.duration,
                "acquireTime": (old.get("acquireTime") if ours else None) or now,
                "renewTime": now,
                "leaseTransitions": transitions if ours or current is None else transitions + 1,
            },
        }


def _token_of(lease: Object) -> int:
    """The token that a Lease keeps; versions before the annotation counted the changes of its holder."""
    kept = str((lease["metadata"].get("annotations") or {}).get(TOKEN) or "")
    return int(kept) if kept.isdecimal() else int(lease["spec"].get("leaseTransitions") or 0) + 1

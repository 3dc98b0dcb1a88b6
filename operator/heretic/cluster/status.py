"""The one writer of status: skips what is equal, never overwrites what it has not seen, retries conflicts."""

from collections.abc import Callable
from copy import deepcopy

from heretic.cluster.client import Cluster, ConflictError, Object
from heretic.domain.errors import HereticError, Reason, Transient

ATTEMPTS = 5

Compute = Callable[[Object], Object]
"""From the stored object to the whole new status; called again on a fresh object after a conflict."""


class StatusWriter:
    """Writes status of objects of our group."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def write(self, plural: str, stored: Object, compute: Compute) -> Object | None:
        """Brings an object's status to what ``compute`` says.

        Args:
            plural: Of the kind.
            stored: The object as last seen (with resourceVersion); it is not changed.
            compute: Gives the new status; must keep times of what did not change, so that equal means equal.

        Returns:
            The object as it is stored now; None when it is gone (or another object took its name).

        Raises:
            HereticError: Transient, when the API server does not answer or conflicts do not end.
        """
        current: Object | None = stored
        for _ in range(ATTEMPTS):
            if current is None or current["metadata"]["uid"] != stored["metadata"]["uid"]:
                return None
            status = compute(current)
            if status == current.get("status"):
                return current
            changed = deepcopy(current)
            changed["status"] = status
            meta = stored["metadata"]
            try:
                return await self._cluster.replace_status(plural, changed)
            except ConflictError:
                current = await self._cluster.read(plural, meta["namespace"], meta["name"])
            except HereticError:
                if await self._cluster.read(plural, meta["namespace"], meta["name"]) is None:
                    return None
                raise
        message = f"the status of {plural}/{stored['metadata']['name']} changed {ATTEMPTS} times while writing it"
        raise HereticError(Transient(Reason.API_SERVER, message))

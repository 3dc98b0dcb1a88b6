"""Whether this operator may act, and what it shows to hosts as proof."""

from pathlib import Path

from heretic.cluster.client import Cluster
from heretic.cluster.lease import TOKEN, Lease
from heretic.domain.errors import Failure, HereticError, NeedsUser, Reason, Transient
from heretic.hosts.fence import HOW_TO, Fence


class Leadership:
    """The operator's own Lease, with the identity of the cluster that it is in.

    Args:
        lease: Of the operator.
        cluster: The API server.
        kill_switch: A file on this machine; while it exists, nothing is changed.
    """

    def __init__(self, lease: Lease, cluster: Cluster, kill_switch: Path | None = None) -> None:
        self._lease = lease
        self._cluster = cluster
        self._kill_switch = kill_switch
        self._identity = ""

    @property
    def held(self) -> bool:
        """Whether we have the Lease, by our own clock."""
        return self._lease.held

    async def acquire(self) -> bool:
        """Takes or renews the Lease; not before it is known which cluster this is.

        Raises:
            HereticError: The API server did not answer, or does not let us read who it is.
        """
        if not self._identity:
            self._identity = await self._cluster.identity()
        return await self._lease.acquire()

    async def release(self) -> None:
        """Gives the Lease back, if we hold it."""
        await self._lease.release()

    def fence(self) -> Fence | Failure:
        """What to show to a host now, or why nothing may be sent any more."""
        if self._kill_switch is not None and self._kill_switch.exists():
            return Transient(Reason.PAUSED, f"{self._kill_switch} says to change nothing; the step was not sent")
        if not self._lease.held:
            return Transient(Reason.LEASE_LOST, "another operator may act by now; the step was not sent")
        return Fence(self._identity, self._lease.token, self._lease.holder)

    async def outdated(self, host: str, theirs: Fence) -> Failure:
        """Why a host has seen a newer fence of this cluster than ours.

        Usually another operator took over, and we are late. When the API server confirms that the Lease is ours,
        there is nobody newer that it knows: the Lease was lost or put back, and the clock does not make up for it.
        Whether somebody else works on the host is then for a person to find out.
        """
        ours = f"token {theirs.token} of {theirs.holder}, ours is {self._lease.token}"
        try:
            confirmed = await self.acquire()
        except HereticError:
            confirmed = False
        if not confirmed or self._lease.token > theirs.token:
            message = f"{host}: an operator with a newer lease works on it ({ours})"
            return Transient(Reason.LOCKED_BY_OTHER_OPERATOR, message)
        lease, token = f"-n {self._lease.namespace} annotate lease {self._lease.name}", theirs.token + 1
        command = f"kubectl {lease} --overwrite {TOKEN}={token}"
        return NeedsUser(
            Reason.FENCING_TOKEN_WENT_BACK,
            f"{host}: it has seen a newer operator of this cluster than the Lease tells of ({ours}): the Lease was "
            f"lost or put back from a backup. When no other operator runs: {command} (see {HOW_TO})",
        )

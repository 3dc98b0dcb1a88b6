"""Who sends a step: what a host compares, so that a late step of a replaced operator does nothing."""

from dataclasses import dataclass
from typing import Protocol

from heretic.domain.errors import Failure, NeedsUser, Reason

FENCE_FILE = "/var/lib/heretic/fence"
"""Where a host keeps the newest fence: ``TOKEN CLUSTER HOLDER``."""

HOW_TO = "docs/how-to/locked-out-hosts.md"


@dataclass(frozen=True, slots=True)
class Fence:
    """What travels to a host with every step. The host keeps the newest one on its disk.

    Attributes:
        cluster: The uid of the namespace kube-system, which a cluster keeps for life.
        token: Grows with every operator that takes over; 0 = nothing is compared and nothing kept.
        holder: Which operator it is; two of them never have the same token, and if they do, one is refused.
    """

    cluster: str = ""
    token: int = 0
    holder: str = ""


class Fencing(Protocol):
    """Who we are, and whether we may still act."""

    def fence(self) -> Fence | Failure:
        """Asked in the moment in which a script is written: what to show to the host, or why we must stop."""

    async def outdated(self, host: str, theirs: Fence) -> Failure:
        """Says why a host has seen a newer fence of this cluster than ours."""


class Admission(Fencing, Protocol):
    """Whether one step may still be sent."""

    async def check(self) -> Failure | None:
        """Looks again at what the step was planned from, when all that it had to wait for is there; None = go on."""


def refusal(host: str, ours: Fence, said: str) -> Fence | Failure:
    """Why a host refused our fence.

    Args:
        host: Name of the Node.
        ours: What was shown to it.
        said: What it keeps.

    Returns:
        What it keeps, where that is of this cluster and not older than ours; else the failure.
    """
    words = said.split()
    if len(words) != 3 or not words[0].isdecimal():
        return NeedsUser(
            Reason.FENCE_UNREADABLE,
            f"{host}: {FENCE_FILE}, which says whose steps to take, cannot be understood "
            f"({said.strip()[:80] or 'it is empty'}); see {HOW_TO}",
        )
    theirs = Fence(cluster=words[1], token=int(words[0]), holder=words[2])
    if theirs.cluster == ours.cluster:
        return theirs
    return NeedsUser(
        Reason.HOST_OF_OTHER_CLUSTER,
        f"{host}: it was kept by operator {theirs.holder} of another cluster (kube-system has uid {theirs.cluster} "
        f"there, and {ours.cluster} here). When that cluster is gone for good, run on the host: rm {FENCE_FILE} "
        f"(see {HOW_TO})",
    )

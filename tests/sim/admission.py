"""Who sends a step, where a test sends it by itself."""

from heretic.domain.errors import Failure, Reason, Transient
from heretic.hosts.fence import Fence


class Anybody:
    """Lets every step through, and shows the host one fence.

    Args:
        fence: What is shown; nothing when not given.
    """

    def __init__(self, fence: Fence | None = None) -> None:
        self._fence = fence or Fence()

    async def check(self) -> Failure | None:
        return None

    def fence(self) -> Fence | Failure:
        return self._fence

    async def outdated(self, host: str, theirs: Fence) -> Failure:
        message = f"{host}: token {theirs.token} of {theirs.holder}, ours is {self._fence.token}"
        return Transient(Reason.LOCKED_BY_OTHER_OPERATOR, message)


def with_token(token: int, *, cluster: str = "here", holder: str = "operator") -> Anybody:
    """An operator of a cluster with this token."""
    return Anybody(Fence(cluster, token, holder))

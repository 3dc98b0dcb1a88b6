"""What is done to the trusted pool."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.plan import HostStep
from heretic.domain.pool.command import CHANGING, SETTLE, local, transaction


@dataclass(frozen=True, kw_only=True)
class ProbePeer(HostStep):
    """Take a node into the trusted pool, or teach the pool another name of a member.

    Attributes:
        peer: Stable name of the node.
    """

    verb: ClassVar[str] = "ProbePeer"

    peer: str

    def script(self) -> Script:
        """Done when the host lists a peer of that name."""
        listed = Command(
            local("peer", "status", "--xml"), expect=Expect.CONTAINS, text=f"<hostname>{self.peer}</hostname>"
        )
        return Script(
            done=(listed,),
            actions=(Command(transaction("peer", "probe", self.peer), timeout=CHANGING), SETTLE),
        )

"""Steps that move the public addresses of a file server away before it goes, and let it have some again."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.plan import HostStep, Risk
from heretic.domain.shares.ctdb.steps import runs_on_its_lock
from heretic.domain.shares.lock_steps import FOLDER, MARK, lock_is_mounted

_DISABLED = 'ctdb nodestatus "$1" >&2; test "$(($? & 4))" -ne 0'
_ENABLED = 'ctdb nodestatus "$1" >&2; test "$(($? & 4))" -eq 0'
"""The status of ``ctdb nodestatus`` is a sum of flags; 4 stands for a node that somebody has disabled (ctdb(1))."""


@dataclass(frozen=True, kw_only=True)
class _OfServer(HostStep):
    """What one file server does about another: that one may be in maintenance, and is not touched.

    Attributes:
        server: Name of the other's Node.
        number: Its number in CTDB.
        address: By which CTDB knows it.
    """

    server: str
    number: int
    address: str

    @property
    def mark(self) -> str:
        """The folder that says that Heretic has taken the host out, and nobody else."""
        return f"{FOLDER}/{MARK}{self.address}"


@dataclass(frozen=True, kw_only=True)
class TakeServerOut(_OfServer):
    """Moves the public addresses of a file server to the others; its clients connect again."""

    verb: ClassVar[str] = "TakeServerOut"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    def script(self) -> Script:
        """Who does it serves itself. The mark comes first: what is not marked is never taken back."""
        left = Command(("ctdb", "-X", "ip", "all"), expect=Expect.NONE, text=f"|*|{self.number}|*")
        return Script(
            done=(
                Command(("stat", "-c", "%F", self.mark), expect=Expect.EQUALS, text="directory"),
                Command(("sh", "-c", _DISABLED, "sh", str(self.number))),
                left,
            ),
            guards=(lock_is_mounted(), runs_on_its_lock(), Command(("ctdb", "nodestatus"))),
            actions=(
                Command(("mkdir", "-p", self.mark)),
                Command(("ctdb", "disable", "-n", str(self.number)), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class TakeServerBack(_OfServer):
    """Lets a file server have public addresses again; clients of those that move connect again."""

    verb: ClassVar[str] = "TakeServerBack"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    def script(self) -> Script:
        """The mark goes last."""
        marks = ("find", FOLDER, "-mindepth", "1", "-maxdepth", "1", "-name", f"{MARK}{self.address}")
        return Script(
            done=(
                runs_on_its_lock(),
                Command(("sh", "-c", _ENABLED, "sh", str(self.number))),
                Command(marks, expect=Expect.EMPTY),
            ),
            guards=(lock_is_mounted(),),
            actions=(
                Command(("ctdb", "enable", "-n", str(self.number)), timeout=60),
                Command(("rmdir", self.mark)),
            ),
        )

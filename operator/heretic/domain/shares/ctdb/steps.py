"""Steps that start CTDB, tell it of hosts, and give it public addresses."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.host.steps import EnableService, WriteFile
from heretic.domain.plan import HostStep
from heretic.domain.shares.ctdb.texts import NODES
from heretic.domain.shares.lock_steps import FILE, PROOF, lock_is_mounted


def file_is(path: str, sha256: str) -> Command:
    """Proves that a file has the content that was planned."""
    return Command(("sha256sum", path), expect=Expect.EQUALS, text=f"{sha256}  {path}")


def runs_on_its_lock() -> Command:
    """Proves that CTDB runs here with the lock that all hosts have."""
    return Command(("ctdb", "getreclock"), expect=Expect.EQUALS, text=FILE)


@dataclass(frozen=True, kw_only=True)
class StartCtdb(EnableService):
    """Starts CTDB, now and at each boot, where its lock is mounted and proved.

    Attributes:
        nodes_sha256: Of the nodes file that all hosts have.
        proof: Id of the volume that the lock was proved on; "" = the host is alone, and has nobody to keep out.
    """

    verb: ClassVar[str] = "StartCtdb"

    nodes_sha256: str
    proof: str

    def script(self) -> Script:
        """The guards ask once more for what no CTDB may run without (rule:cluster-lock-first)."""
        proved = (Command(("grep", "-qxF", self.proof, PROOF)),) if self.proof else ()
        return replace(super().script(), guards=(lock_is_mounted(), *proved, file_is(NODES, self.nodes_sha256)))


@dataclass(frozen=True, kw_only=True)
class ReloadNodes(HostStep):
    """Tells the running CTDBs of another nodes file, which every host has already.

    Attributes:
        nodes_sha256: Of that file.
        addresses: Of the hosts that are new in it.
        gone: Of those whose line is a comment now: CTDB has ended there.
    """

    verb: ClassVar[str] = "ReloadNodes"

    nodes_sha256: str
    addresses: tuple[str, ...]
    gone: tuple[str, ...] = ()

    def script(self) -> Script:
        """CTDB itself refuses when the files of its nodes differ, or when one that shall go is connected."""
        status = ("ctdb", "-X", "status")
        return Script(
            done=(
                *(Command(status, expect=Expect.ONLY, text=f"|*|{one}|*\n|*") for one in self.addresses),
                *(Command(status, expect=Expect.NONE, text=f"|*|{one}|*") for one in self.gone),
            ),
            guards=(file_is(NODES, self.nodes_sha256),),
            actions=(Command(("ctdb", "reloadnodes"), timeout=60),),
        )


@dataclass(frozen=True, kw_only=True)
class GivePublicAddresses(WriteFile):
    """Writes which public addresses a host may have, and lets CTDB share them out.

    Attributes:
        addresses: Those that the file then names.
    """

    verb: ClassVar[str] = "GivePublicAddresses"

    addresses: tuple[str, ...] = field(default=())

    def script(self) -> Script:
        """No host takes an address whose CTDB does not run on the proved lock (rule:cluster-lock-first)."""
        return replace(super().script(), guards=(lock_is_mounted(), runs_on_its_lock()))

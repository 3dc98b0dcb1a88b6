"""Steps that mount the lock volume, and that prove that it locks between hosts."""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Command, Expect, PutFile, Script
from heretic.domain.disks.units import mount_unit
from heretic.domain.plan import HostStep
from heretic.domain.shares.mount_steps import MountVolume, described, is_mounted

FOLDER = "/gluster/lock"
"""Where the lock volume is mounted, as in HVP."""
FILE = f"{FOLDER}/ctdb"
"""CTDB's own lock."""
UNIT = mount_unit(FOLDER)
KEEPER = "file-server-lock-proof.service"
"""The unit that holds the lock while the other hosts try to take it."""
PROOF = "/var/lib/heretic/lock-proof"
"""Holds the id of the volume with which the host was kept out."""

MARK = "heretic-out-"
"""Begins the name of a folder in the lock volume, which all file servers see: Heretic has taken that host out."""

_TRIED = f"{FOLDER}/heretic-proof"
_HELPER = "/usr/libexec/ctdb/ctdb_mutex_fcntl_helper"
"""What CTDB itself takes its lock with: it prints 0 and goes on holding it, or 1 when somebody else has it."""
_KEPT_OUT = "1"
_KEEPS = 600
"""Seconds after which a keeper that nobody releases ends by itself."""


WHAT = "Lock of the file servers"


def mount_description(volume: str, sources: tuple[str, ...]) -> str:
    """What its mount unit calls itself."""
    return described(WHAT, volume, sources)


def lock_is_mounted() -> Command:
    """Proves that a Gluster volume is mounted where the lock belongs."""
    return is_mounted(FOLDER)


@dataclass(frozen=True, kw_only=True)
class MountLock(MountVolume):
    """Mounts the lock volume."""

    verb: ClassVar[str] = "MountLock"

    folder: str = FOLDER
    what: str = field(default=WHAT, repr=False)


@dataclass(frozen=True, kw_only=True)
class HoldLock(HostStep):
    """Lets a host hold a lock of the volume for some minutes, for the others to try."""

    verb: ClassVar[str] = "HoldLock"

    def script(self) -> Script:
        """The unit lives as long as the lock is held; the helper wants a parent that lives as long as it does."""
        held = ("systemd-run", "--collect", f"--unit={KEEPER}", f"--property=RuntimeMaxSec={_KEEPS}")
        return Script(
            done=(Command(("systemctl", "is-active", KEEPER), expect=Expect.EQUALS, text="active"),),
            guards=(lock_is_mounted(),),
            actions=(Command((*held, "sh", "-c", '"$0" "$1"; exit 1', _HELPER, _TRIED)), Command(("sleep", "2"))),
        )


@dataclass(frozen=True, kw_only=True)
class ProveLock(HostStep):
    """Tries to take a lock that another host holds; to be kept out is the proof, which is noted.

    Attributes:
        volume_id: Gluster's id of the volume.
    """

    verb: ClassVar[str] = "ProveLock"

    volume_id: str

    def script(self) -> Script:
        """A lock that could be taken fails the step: then the lock keeps nobody out."""
        tried = Command((_HELPER, _TRIED), timeout=10, expect=Expect.EQUALS, text=_KEPT_OUT)
        return Script(
            done=(Command(("grep", "-qxF", self.volume_id, PROOF)),),
            guards=(lock_is_mounted(),),
            actions=(tried, PutFile(PROOF, f"{self.volume_id}\n", "0600")),
        )


@dataclass(frozen=True, kw_only=True)
class ReleaseLock(HostStep):
    """Ends what HoldLock has begun."""

    verb: ClassVar[str] = "ReleaseLock"

    def script(self) -> Script:
        """A unit that is gone is inactive."""
        state = ("systemctl", "show", "--property", "ActiveState", "--value", KEEPER)
        return Script(
            done=(Command(state, expect=Expect.EQUALS, text="inactive"),),
            actions=(Command(("systemctl", "stop", KEEPER), timeout=60),),
        )

"""Steps that mount the lock volume, and that prove that it locks between hosts."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, PutFile, Script
from heretic.domain.disks.units import UNITS, mount_unit
from heretic.domain.plan import HostStep

FOLDER = "/gluster/lock"
"""Where the lock volume is mounted, as in HVP."""
FILE = f"{FOLDER}/ctdb"
"""CTDB's own lock."""
UNIT = mount_unit(FOLDER)
KEEPER = "file-server-lock-proof.service"
"""The unit that holds the lock while the other hosts try to take it."""
PROOF = "/var/lib/heretic/lock-proof"
"""Holds the id of the volume with which the host was kept out."""

_TRIED = f"{FOLDER}/heretic-proof"
_HELPER = "/usr/libexec/ctdb/ctdb_mutex_fcntl_helper"
"""What CTDB itself takes its lock with: it prints 0 and goes on holding it, or 1 when somebody else has it."""
_KEPT_OUT = "1"
_KEEPS = 600
"""Seconds after which a keeper that nobody releases ends by itself."""


def mount_description(volume: str, sources: tuple[str, ...]) -> str:
    """What the mount unit calls itself, so that systemd's answer tells what it mounts and from whom."""
    return f"Lock of the file servers: volume {volume} of {', '.join(sources)}"


def _unit(volume: str, sources: tuple[str, ...]) -> str:
    """No boot waits for it: what is needed of the default dependencies is written out."""
    first, *others = sources
    backups = f"backup-volfile-servers={':'.join(others)}," if others else ""
    return f"""\
# Written by Heretic.
[Unit]
Description={mount_description(volume, sources)}
DefaultDependencies=no
Wants=network-online.target
After=network-online.target glusterd.service
Before=umount.target
Conflicts=umount.target

[Mount]
What={first}:/{volume}
Where={FOLDER}
Type=glusterfs
Options={backups}log-level=WARNING,_netdev
TimeoutSec=50

[Install]
WantedBy=multi-user.target
"""


def is_mounted(volume: str = "") -> Command:
    """Proves that a Gluster volume is mounted there, this one where it is named."""
    find = ("findmnt", "--noheadings", "--types", "fuse.glusterfs", "--output", "SOURCE", "--mountpoint", FOLDER)
    return Command(find, expect=Expect.ONLY, text=f"*:/{volume}" if volume else "*:*")


@dataclass(frozen=True, kw_only=True)
class MountLock(HostStep):
    """Mounts the lock volume, now and at each boot.

    Attributes:
        volume: Its name in Gluster.
        sources: Whom the host asks for it, the first one first.
    """

    verb: ClassVar[str] = "MountLock"

    volume: str
    sources: tuple[str, ...]

    def script(self) -> Script:
        """Writes the unit, enables and starts it; what is mounted already stays so."""
        return Script(
            done=(
                is_mounted(self.volume),
                Command(("systemctl", "is-enabled", UNIT), expect=Expect.EQUALS, text="enabled"),
                Command(
                    ("systemctl", "show", "--property", "Description", "--value", UNIT),
                    expect=Expect.EQUALS,
                    text=mount_description(self.volume, self.sources),
                ),
            ),
            actions=(
                PutFile(f"{UNITS}/{UNIT}", _unit(self.volume, self.sources)),
                Command(("systemctl", "daemon-reload"), timeout=60),
                Command(("systemctl", "reenable", UNIT)),
                Command(("systemctl", "start", UNIT), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class HoldLock(HostStep):
    """Lets a host hold a lock of the volume for some minutes, for the others to try."""

    verb: ClassVar[str] = "HoldLock"

    def script(self) -> Script:
        """The unit lives as long as the lock is held; the helper wants a parent that lives as long as it does."""
        held = ("systemd-run", "--collect", f"--unit={KEEPER}", f"--property=RuntimeMaxSec={_KEEPS}")
        return Script(
            done=(Command(("systemctl", "is-active", KEEPER), expect=Expect.EQUALS, text="active"),),
            guards=(is_mounted(),),
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
            guards=(is_mounted(),),
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

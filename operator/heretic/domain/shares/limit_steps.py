"""Steps that say how much a folder may hold, and that it may hold whatever the volume can."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.plan import HostStep
from heretic.domain.pool.command import CHANGING, SETTLE, transaction
from heretic.domain.shares.mount_steps import is_mounted

_LIMITED = 'test "$(stat -f -c %b "$1")" -eq "$(($2 / $(stat -f -c %S "$1")))"'
"""As the folder's own filesystem statistics say: they have the limit for its size (features.quota-deem-statfs)."""
_AS_THE_VOLUME = 'test "$(stat -f -c %b "$1")" -eq "$(stat -f -c %b "$2")"'

_WITH_OPTION = 'option=$1\nshift\ngluster --mode=script volume info "$1" | grep -qxF "$option: on" || { shift; "$@"; }'
"""Runs a command where the volume lacks an option: one that is on already must not be switched on again."""


def _with_option(volume: str, option: str, *change: str) -> Command:
    words = (option, volume, *transaction("volume", *change))
    return Command(("sh", "-c", _WITH_OPTION, "sh", *words), timeout=CHANGING)


@dataclass(frozen=True, kw_only=True)
class _OfFolder(HostStep):
    """What is done to a folder of a volume, on a host that has the volume mounted and knows the pool.

    Attributes:
        mounted: Where the volume is mounted.
        volume: Its name in Gluster.
        folder: Name of the folder.
    """

    mounted: str
    volume: str
    folder: str

    @property
    def path(self) -> str:
        """Of the folder, on the host."""
        return f"{self.mounted}/{self.folder}"

    def guards(self) -> tuple[Command, ...]:
        """The limit belongs to the folder itself, which therefore must be there."""
        folder = Command(("stat", "-c", "%F", self.path), expect=Expect.EQUALS, text="directory")
        return (is_mounted(self.mounted, self.volume), folder)


@dataclass(frozen=True, kw_only=True)
class LimitFolder(_OfFolder):
    """Sets how much a folder may hold; the first one switches quotas of the volume on, which counts all its files.

    Attributes:
        limit: Bytes.
    """

    verb: ClassVar[str] = "LimitFolder"

    limit: int

    def script(self) -> Script:
        """Clients go on: what the folder holds already stays, and writes fail once it is full."""
        quota = ("quota", self.volume)
        limit = transaction("volume", *quota, "limit-usage", f"/{self.folder}", str(self.limit))
        statistics = ("set", self.volume, "features.quota-deem-statfs", "on")
        return Script(
            done=(Command(("sh", "-c", _LIMITED, "sh", self.path, str(self.limit))),),
            guards=self.guards(),
            actions=(
                _with_option(self.volume, "features.quota", *quota, "enable"),
                _with_option(self.volume, "features.quota-deem-statfs", *statistics),
                Command(limit, timeout=CHANGING),
                SETTLE,
            ),
        )


@dataclass(frozen=True, kw_only=True)
class UnlimitFolder(_OfFolder):
    """Lets a folder hold whatever its volume can; quotas of the volume stay on for the others."""

    verb: ClassVar[str] = "UnlimitFolder"

    def script(self) -> Script:
        """Nothing that the folder holds changes."""
        remove = transaction("volume", "quota", self.volume, "remove", f"/{self.folder}")
        return Script(
            done=(Command(("sh", "-c", _AS_THE_VOLUME, "sh", self.path, self.mounted)),),
            guards=self.guards(),
            actions=(Command(remove, timeout=CHANGING), SETTLE),
        )

"""A step that mounts a volume on a file server, by a unit that no boot waits for."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, PutFile, Script
from heretic.domain.disks.units import UNITS, mount_unit
from heretic.domain.plan import HostStep


def described(what: str, volume: str, sources: tuple[str, ...]) -> str:
    """What the mount unit calls itself, so that systemd's answer tells what it mounts and from whom."""
    return f"{what}: volume {volume} of {', '.join(sources)}"


def _unit(description: str, volume: str, sources: tuple[str, ...], folder: str) -> str:
    """No boot waits for it: what is needed of the default dependencies is written out."""
    first, *others = sources
    backups = f"backup-volfile-servers={':'.join(others)}," if others else ""
    return f"""\
# Written by Heretic.
[Unit]
Description={description}
DefaultDependencies=no
Wants=network-online.target
After=network-online.target glusterd.service
Before=umount.target
Conflicts=umount.target

[Mount]
What={first}:/{volume}
Where={folder}
Type=glusterfs
Options={backups}log-level=WARNING,_netdev
TimeoutSec=50

[Install]
WantedBy=multi-user.target
"""


def is_mounted(folder: str, volume: str = "") -> Command:
    """Proves that a Gluster volume is mounted there, this one where it is named."""
    find = ("findmnt", "--noheadings", "--types", "fuse.glusterfs", "--output", "SOURCE", "--mountpoint", folder)
    return Command(find, expect=Expect.ONLY, text=f"*:/{volume}" if volume else "*:*")


@dataclass(frozen=True, kw_only=True)
class MountVolume(HostStep):
    """Mounts a volume, now and at each boot.

    Attributes:
        volume: Its name in Gluster.
        sources: Whom the host asks for it, the first one first.
        folder: Where.
        what: What it is for.
    """

    verb: ClassVar[str] = "MountVolume"

    volume: str
    sources: tuple[str, ...]
    folder: str
    what: str

    def script(self) -> Script:
        """Writes the unit, enables and starts it; what is mounted already stays so."""
        unit, description = mount_unit(self.folder), described(self.what, self.volume, self.sources)
        show = ("systemctl", "show", "--property", "Description", "--value", unit)
        return Script(
            done=(
                is_mounted(self.folder, self.volume),
                Command(("systemctl", "is-enabled", unit), expect=Expect.EQUALS, text="enabled"),
                Command(show, expect=Expect.EQUALS, text=description),
            ),
            actions=(
                PutFile(f"{UNITS}/{unit}", _unit(description, self.volume, self.sources, self.folder)),
                Command(("systemctl", "daemon-reload"), timeout=60),
                Command(("systemctl", "reenable", unit)),
                Command(("systemctl", "start", unit), timeout=60),
            ),
        )

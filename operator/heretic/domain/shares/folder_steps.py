"""Steps that make accounts on file servers, and folders in volumes."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.plan import HostStep
from heretic.domain.shares.mount_steps import is_mounted


@dataclass(frozen=True, kw_only=True)
class AddGroup(HostStep):
    """Adds a group with a number that it has on every file server."""

    verb: ClassVar[str] = "AddGroup"

    group: str
    number: int

    def script(self) -> Script:
        """A number that somebody else has fails the step."""
        return Script(
            done=(
                Command(("getent", "group", self.group), expect=Expect.ONLY, text=f"{self.group}:*:{self.number}:*"),
            ),
            actions=(Command(("groupadd", "--gid", str(self.number), self.group)),),
        )


@dataclass(frozen=True, kw_only=True)
class AddUser(HostStep):
    """Adds a user who owns files and cannot log in on the host.

    Attributes:
        number: The one that the user has on every file server.
        group: Its group.
    """

    verb: ClassVar[str] = "AddUser"

    user: str
    number: int
    group: str

    def script(self) -> Script:
        """No home, no shell, and no password of the host's own."""
        home = ("--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin")
        who = ("--uid", str(self.number), "--gid", self.group, "--comment", "User of file shares, by Heretic")
        return Script(
            done=(Command(("getent", "passwd", self.user), expect=Expect.ONLY, text=f"{self.user}:*:{self.number}:*"),),
            actions=(Command(("useradd", *who, *home, self.user)),),
        )


@dataclass(frozen=True, kw_only=True)
class MakeFolder(HostStep):
    """Makes a folder in a volume, with its owner, group and permission bits; what lies in it stays as it is.

    Attributes:
        mounted: Where the volume is mounted.
        volume: Its name in Gluster.
        folder: Name of the folder.
        owner: Number of its user.
        group: Number of its group.
        mode: Permission bits, four octal digits.
    """

    verb: ClassVar[str] = "MakeFolder"

    mounted: str
    volume: str
    folder: str
    owner: int
    group: int
    mode: str

    def script(self) -> Script:
        """The guard keeps it from making the folder on the host's own disk, where no client would find it."""
        path = f"{self.mounted}/{self.folder}"
        state = ("stat", "-c", "%F %u %g %04a", path)
        wanted = f"directory {self.owner} {self.group} {self.mode}"
        return Script(
            done=(Command(state, expect=Expect.EQUALS, text=wanted),),
            guards=(is_mounted(self.mounted, self.volume),),
            actions=(
                Command(("mkdir", "-p", path)),
                Command(("chown", f"{self.owner}:{self.group}", path)),
                # After the owner: a change of it takes bits away.
                Command(("chmod", self.mode, path)),
            ),
        )

"""Steps that configure a host.

A service that has to read a new file again gets a mark in /run first, which goes when it has been told. A crash
between writing and telling therefore leaves the mark, the next pass sees it, and the step is done again; a reboot
loses the mark, and needs none, because everything is read anew.
"""

import hashlib
from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Action, Command, Expect, Job, PutFile, Script
from heretic.domain.jobs import JOB_PREFIX
from heretic.domain.plan import HostStep

RELOADS = "/run/heretic/reload"
"""Folder in memory of marks "written, but perhaps not read yet by this reader"."""

PACKAGE_JOB = f"{JOB_PREFIX}packages.service"
_PACKAGE_DEADLINE = 3600
"""Seconds for one command of the package job; a package manager that hangs is ended then, and tried again."""


@dataclass(frozen=True, kw_only=True)
class InstallPackages(HostStep):
    """Installs packages in a detached job.

    Attributes:
        packages: The ones that are missing.
        repair: Commands before the installation (see Profile).
        install: Command that the packages are appended to.
        query: Command that shows the state of one package, with its answer for an installed one.
    """

    verb: ClassVar[str] = "InstallPackages"

    packages: tuple[str, ...]
    repair: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    install: tuple[str, ...] = field(repr=False)
    query: tuple[tuple[str, ...], str] = field(repr=False)

    def script(self) -> Script:
        """Checks each package, then runs the job."""
        query, answer = self.query
        return Script(
            done=tuple(Command((*query, name), expect=Expect.EQUALS, text=answer) for name in self.packages),
            actions=(
                *(Command(argv, timeout=_PACKAGE_DEADLINE) for argv in self.repair),
                Command((*self.install, *self.packages), timeout=_PACKAGE_DEADLINE),
            ),
            job=Job(PACKAGE_JOB),
        )


@dataclass(frozen=True, kw_only=True)
class EnableService(HostStep):
    """Starts a service, now and at each boot."""

    verb: ClassVar[str] = "EnableService"

    service: str

    def script(self) -> Script:
        """Forgets earlier failures first, which otherwise can keep systemd from starting it at all."""
        return Script(
            done=(
                Command(("systemctl", "is-enabled", self.service), expect=Expect.EQUALS, text="enabled"),
                Command(("systemctl", "is-active", self.service), expect=Expect.EQUALS, text="active"),
            ),
            actions=(
                # As a pattern: systemd fails for a unit that it has not loaded, and not for a pattern without a match.
                Command(("systemctl", "reset-failed", f"{self.service[:-1]}[{self.service[-1]}]")),
                Command(("systemctl", "enable", self.service)),
                Command(("systemctl", "start", self.service), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class WriteFile(HostStep):
    """Replaces a text file as a whole and tells the service that reads it.

    Attributes:
        path: Absolute.
        content: The new content.
        replaces_sha256: Of the content that this was planned from, "" = there was none.
        reader: Name of the mark: the service that must be told, "" = nobody.
        tell: Commands that tell it, in order.
    """

    verb: ClassVar[str] = "WriteFile"

    path: str
    content: str = field(repr=False)
    mode: str = field(default="0644", repr=False)
    replaces_sha256: str = field(repr=False)
    reader: str = field(default="", repr=False)
    tell: tuple[tuple[str, ...], ...] = field(default=(), repr=False)

    def script(self) -> Script:
        """Marks, writes, tells, unmarks."""
        digest = hashlib.sha256(self.content.encode()).hexdigest()
        mark = f"{RELOADS}/{self.reader}"
        done = [
            Command(("sha256sum", self.path), expect=Expect.EQUALS, text=f"{digest}  {self.path}"),
            Command(("stat", "-c", "%04a", self.path), expect=Expect.EQUALS, text=self.mode),
        ]
        actions: list[Action] = [PutFile(self.path, self.content, self.mode, self.replaces_sha256)]
        if self.reader:
            done.append(Command(("test", "!", "-e", mark)))
            before = Command(("install", "-D", "-m", "0600", "/dev/null", mark))
            told = (Command(argv, timeout=60) for argv in self.tell)
            actions = [before, *actions, *told, Command(("rm", "-f", mark))]
        return Script(done=tuple(done), actions=tuple(actions))


@dataclass(frozen=True, kw_only=True)
class OpenFirewall(HostStep):
    """Opens services and ports in one zone of firewalld, in force and for the next start."""

    verb: ClassVar[str] = "OpenFirewall"

    zone: str
    services: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()

    def script(self) -> Script:
        """Asks and opens each one twice: what is in force and what is stored are two lists."""
        wanted = [("service", s) for s in self.services] + [("port", p) for p in self.ports]
        both = [(stored, kind, what) for stored in ((), ("--permanent",)) for kind, what in wanted]
        call = ("firewall-cmd", "--quiet", f"--zone={self.zone}")
        return Script(
            done=tuple(Command((*call, *stored, f"--query-{kind}={what}")) for stored, kind, what in both),
            actions=tuple(Command((*call, *stored, f"--add-{kind}={what}")) for stored, kind, what in both),
        )


@dataclass(frozen=True, kw_only=True)
class LabelFiles(HostStep):
    """Tells SELinux which label files below a folder have."""

    verb: ClassVar[str] = "LabelFiles"

    pattern: str
    label: str
    contexts: str = field(repr=False)

    def script(self) -> Script:
        """The rule stands in ``contexts`` afterwards; files that are there already keep the label that they have."""
        return Script(
            done=(Command(("grep", "-qF", f"{self.pattern} ", self.contexts)),),
            actions=(Command(("semanage", "fcontext", "--add", "--type", self.label, self.pattern), timeout=60),),
        )

"""Steps that bring Samba's configuration into force, and that say who may log in."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script, SecretRef
from heretic.domain.host.steps import WriteFile
from heretic.domain.plan import HostStep
from heretic.domain.shares.ctdb.steps import file_is, runs_on_its_lock
from heretic.domain.shares.samba.texts import NEXT


def _property(unit: str, name: str) -> tuple[str, ...]:
    return ("systemctl", "show", "--property", name, "--value", unit)


@dataclass(frozen=True, kw_only=True)
class PutSambaConfiguration(WriteFile):
    """Replaces smb.conf, and has the running smbd read it: nobody is disconnected.

    Attributes:
        sections: Those that testparm must have understood in it.
    """

    verb: ClassVar[str] = "PutSambaConfiguration"

    sections: tuple[str, ...] = field(default=())

    def script(self) -> Script:
        """What is put in force is what testparm understands here, now (rule:proved-configuration)."""
        understood = "".join(f"[{name}]\n" for name in ("global", *self.sections))
        tested = Command(("testparm", "--suppress-prompt", NEXT), expect=Expect.CONTAINS, text=understood.rstrip("\n"))
        digest = hashlib.sha256(self.content.encode()).hexdigest()
        return replace(super().script(), guards=(file_is(NEXT, digest), tested))


@dataclass(frozen=True, kw_only=True)
class StartSamba(HostStep):
    """Starts Samba, which no boot does: CTDB starts it where it may serve.

    Attributes:
        smbd: Its unit.
    """

    verb: ClassVar[str] = "StartSamba"

    smbd: str

    def script(self) -> Script:
        """Only where CTDB runs with its lock: an smbd of its own would let two hosts change one file."""
        return Script(
            done=(Command(("systemctl", "is-active", self.smbd), expect=Expect.EQUALS, text="active"),),
            guards=(runs_on_its_lock(),),
            actions=(
                Command(("systemctl", "reset-failed", f"{self.smbd[:-1]}[{self.smbd[-1]}]")),
                Command(("systemctl", "start", self.smbd), timeout=60),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class LeaveToCtdb(HostStep):
    """Ends what a package has started by itself, and keeps boots from starting it: CTDB does.

    Attributes:
        units: Units.
    """

    verb: ClassVar[str] = "LeaveToCtdb"

    units: tuple[str, ...]

    def script(self) -> Script:
        """A unit that is not installed has no state at all.

        How long a daemon takes to end is not waited for: systemd ends it within 90 s, and starts nothing anew before.
        """
        return Script(
            done=tuple(
                Command(_property(unit, "UnitFileState"), expect=Expect.EQUALS, text="disabled") for unit in self.units
            ),
            actions=tuple(
                Command(("systemctl", "disable", "--now", "--no-block", unit), timeout=60) for unit in self.units
            ),
        )


@dataclass(frozen=True, kw_only=True)
class EnableScript(HostStep):
    """Has CTDB run one of its scripts: at its start, and to look after what the script is for."""

    verb: ClassVar[str] = "EnableScript"

    name: str

    def script(self) -> Script:
        """CTDB reads its folder of scripts at each event."""
        listed = Command(("ctdb", "event", "script", "list", "legacy"), expect=Expect.CONTAINS, text=f"* {self.name}")
        return Script(done=(listed,), actions=(Command(("ctdb", "event", "script", "enable", "legacy", self.name)),))


_TWICE = 'IFS= read -r word; printf "%s\\n%s\\n" "$word" "$word" | "$@"'
"""Samba asks for a new password twice. `read` and `printf` belong to the shell: no program gets it as an argument."""


@dataclass(frozen=True, kw_only=True)
class SetPassword(HostStep):
    """Lets a local user log in with a password out of a Secret; one host does it, and CTDB tells the others.

    Attributes:
        user: Who.
        password: Where the password is.
        origin: The Secret's name, which the user's description then says.
    """

    verb: ClassVar[str] = "SetPassword"

    user: str
    password: SecretRef = field(repr=False)
    origin: str

    def script(self) -> Script:
        """The description comes last: it says that the password is set."""
        shown = ("pdbedit", "--list", "--verbose", f"--user={self.user}")
        return Script(
            done=(Command(shown, expect=Expect.CONTAINS, text=f"Account desc:         {described_by(self.origin)}"),),
            guards=(runs_on_its_lock(),),
            actions=(
                Command(("sh", "-c", _TWICE, "sh", "smbpasswd", "-s", "-a", self.user), stdin=self.password),
                Command(("pdbedit", "--modify", f"--user={self.user}", f"--account-desc={described_by(self.origin)}")),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class RemovePassword(HostStep):
    """Lets a user of shares log in no more; the account itself stays, because files belong to it."""

    verb: ClassVar[str] = "RemovePassword"

    user: str

    def script(self) -> Script:
        """Samba forgets the user."""
        lines = ("pdbedit", "--list", "--verbose")
        return Script(
            done=(Command(lines, expect=Expect.LACKS, text=f"Unix username:        {self.user}"),),
            guards=(runs_on_its_lock(),),
            actions=(Command(("smbpasswd", "-x", self.user)),),
        )


MARK = "Heretic: "


def described_by(secret: str) -> str:
    """The description of a user whose password came out of a Secret."""
    return f"{MARK}{secret}"

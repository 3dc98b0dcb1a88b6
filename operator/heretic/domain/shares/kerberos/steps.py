"""Steps that name the service of NFS in the domain, and that give hosts its keys."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.plan import HostStep
from heretic.domain.shares.ctdb.steps import file_is
from heretic.domain.shares.ganesha.texts import KEYTAB
from heretic.domain.shares.kerberos.texts import SCRIPT

_LISTED = 'net ads keytab list "$1" | sed -n "s/^ *\\([0-9][0-9]*\\) .* /\\1 /p"'
"""Of each key its version and its principal, without what lies between."""
_REGISTERED = 'net ads setspn list "$1" -P | tr "A-Z" "a-z"'


@dataclass(frozen=True, kw_only=True)
class RegisterService(HostStep):
    """Gives the server's account in the domain the name under which clients ask for tickets.

    Attributes:
        server: Name of the server.
        name: Of the service.
    """

    verb: ClassVar[str] = "RegisterService"

    server: str
    name: str

    def script(self) -> Script:
        """The server does it itself, which a domain permits for names of its own host; nobody's password is needed."""
        return Script(
            done=(
                Command(
                    ("sh", "-c", _REGISTERED, "sh", self.server),
                    expect=Expect.CONTAINS,
                    text=self.name.lower(),
                ),
            ),
            guards=(Command(("net", "getdomainsid")),),
            actions=(Command(("net", "ads", "setspn", "add", self.server, self.name, "-P"), timeout=60),),
        )


@dataclass(frozen=True, kw_only=True)
class SyncKeytab(HostStep):
    """Writes the keys of the server's present password into the keytab of a host, beside those of before.

    Attributes:
        principals: That must be in it.
        version: Of the key that the domain has.
        sha256: Of the script that does it.
    """

    verb: ClassVar[str] = "SyncKeytab"

    principals: tuple[str, ...]
    version: int
    sha256: str

    def script(self) -> Script:
        """The password is taken out of what CTDB keeps, and shown nowhere."""
        wanted = "\n".join(f"{self.version} {principal}" for principal in self.principals)
        return Script(
            done=(
                Command(("sh", "-c", _LISTED, "sh", KEYTAB), expect=Expect.CONTAINS, text=wanted),
                Command(("stat", "-c", "%a %U", KEYTAB), expect=Expect.EQUALS, text="600 root"),
            ),
            guards=(file_is(SCRIPT, self.sha256), Command(("net", "getdomainsid"))),
            actions=(Command((SCRIPT, "sync"), timeout=60),),
        )


@dataclass(frozen=True, kw_only=True)
class RemoveKeytab(HostStep):
    """Takes the keytab of a host away, and the script that would make it anew."""

    verb: ClassVar[str] = "RemoveKeytab"

    def script(self) -> Script:
        """The script first, because CTDB runs it every few seconds."""
        gone = (Command(("test", "!", "-e", path)) for path in (SCRIPT, KEYTAB))
        return Script(done=tuple(gone), actions=(Command(("rm", "-f", SCRIPT)), Command(("rm", "-f", KEYTAB))))

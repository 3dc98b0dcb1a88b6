"""Steps that join a domain, that leave it, and that start what knows its users."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from heretic.domain.commands import Command, Expect, PutFile, Script, SecretRef
from heretic.domain.plan import HostStep, Risk
from heretic.domain.shares.ctdb.steps import runs_on_its_lock
from heretic.domain.shares.lock_steps import FOLDER, lock_is_mounted

TRIED = "/var/lib/heretic/domain-join"
"""Holds the key of the last try to join or to leave, and a word below it where it was refused."""
MARK = "heretic-joins-"
"""Begins the name of a folder in the lock volume: the name of the server was free when Heretic began to join."""

_USER = "/run/heretic/domain-user"
"""Holds the name of who joins, for as long as it takes."""


class Refusal(StrEnum):
    """Why a domain did not let the server join, as it is noted: never in words of its own, which name accounts."""

    LOGON = "logon"
    RIGHTS = "rights"
    UNIT = "unit"
    NAME = "name"


_AUTHENTICATED = r"""
IFS= read -r word
who=$(cat "$user") || exit 1
rm -f "$user"
log_in() { printf 'username = %s\npassword = %s\n' "$who" "$word" | "$@" --authentication-file=/dev/stdin 2>&1; }
"""
"""`read` and `printf` belong to the shell: no program gets the password as an argument, and none is in a file."""

_NOTED = r"""
note() { mkdir -p "${tried%/*}" && printf '%s\n%s\n' "$key" "$1" >"$tried.new" && mv "$tried.new" "$tried"; }
refusal() {
  case $1 in
  *"attempted logon is invalid"*|*LOGON_FAILURE*|*"Preauthentication failed"*|*"Invalid credentials"*) echo logon ;;
  *"No such object"*) echo unit ;;
  *"Insufficient access"*|*"nsufficient access rights"*|*ACCESS_DENIED*|*"ccess denied"*|*QUOTA*) echo rights ;;
  esac
}
"""
"""A refusal is an answer too, and is noted: a wrong password that is tried again and again locks the account. What is
neither success nor refusal fails the step, and is tried again."""

_JOIN = (
    "user=$1 key=$2 tried=$3 mark=$4 name=$5\nshift 5\n"
    + _NOTED
    + _AUTHENTICATED
    + r"""
net cache flush
if [ ! -d "$mark" ]; then
  said=$(log_in net ads search "(sAMAccountName=$name\$)" dn)
  case $said in
  *"Got 0 replies"*) mkdir -p "$mark" || exit 1 ;;
  *"Got "*" replies"*) note name; exit ;;
  *) why=$(refusal "$said"); [ -n "$why" ] || { echo "$said" >&2; exit 1; }; note "$why"; exit ;;
  esac
fi
if said=$(log_in "$@"); then note ''; exit; fi
why=$(refusal "$said")
[ -n "$why" ] || { echo "$said" >&2; exit 1; }
note "$why"
"""
)

_LEAVE = (
    "user=$1 key=$2 tried=$3 mark=$4\nshift 4\n"
    + _NOTED
    + _AUTHENTICATED
    + r"""
if said=$(log_in "$@"); then
  if [ -d "$mark" ]; then rmdir "$mark"; fi
  exit
fi
why=$(refusal "$said")
[ -n "$why" ] || { echo "$said" >&2; exit 1; }
note "$why"
"""
)

_REFUSED = 'grep -qxF "$1" "$2" 2>/dev/null && test -n "$(sed 1d "$2")"'
_SETTLED = 'grep -qxF "$1" "$2" || exit 1\ntest -n "$(sed 1d "$2")" || net getdomainsid >/dev/null'
"""Either a refusal is noted, or the domain was joined."""
_LEFT = f"if {_REFUSED}; then exit; fi\nif net getdomainsid >/dev/null; then exit 1; fi"
"""Either a refusal is noted, or the domain was left."""


@dataclass(frozen=True, kw_only=True)
class _OfDomain(HostStep):
    """What is done in a domain, with the credentials of who may.

    Attributes:
        name: Of the server.
        key: Of this try.
        username: Where the name of the account is.
        password: Where its password is.
    """

    name: str
    key: str
    username: SecretRef = field(repr=False)
    password: SecretRef = field(repr=False)

    @property
    def mark(self) -> str:
        """Says that the account with the server's name is ours."""
        return f"{FOLDER}/{MARK}{self.name}"


@dataclass(frozen=True, kw_only=True)
class JoinDomain(_OfDomain):
    """Joins a domain, once for all hosts: CTDB gives each of them what was agreed with the domain.

    Attributes:
        realm: Of the domain.
        unit: In which the account is made; "" = where the domain puts it.
    """

    verb: ClassVar[str] = "JoinDomain"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    realm: str
    unit: str

    def script(self) -> Script:
        """A host that was joined meanwhile, or whose answer was lost, is not joined again."""
        place = (f"createcomputer={self.unit}",) if self.unit else ()
        join = ("net", "ads", "join", "--no-dns-updates", *place)
        words = (_USER, self.key, TRIED, self.mark, self.name, *join)
        return Script(
            done=(Command(("sh", "-c", _SETTLED, "sh", self.key, TRIED)),),
            guards=(
                lock_is_mounted(),
                runs_on_its_lock(),
                Command(("sh", "-c", "if net getdomainsid >/dev/null; then exit 1; fi")),
            ),
            actions=(
                PutFile(_USER, self.username, "0600"),
                Command(("sh", "-c", _JOIN, "sh", *words), timeout=60, stdin=self.password),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class LeaveDomain(_OfDomain):
    """Takes the server out of its domain, whose account it deletes."""

    verb: ClassVar[str] = "LeaveDomain"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    def script(self) -> Script:
        """CTDB takes it from all hosts."""
        words = (_USER, self.key, TRIED, self.mark, "net", "ads", "leave")
        return Script(
            done=(runs_on_its_lock(), Command(("sh", "-c", _LEFT, "sh", self.key, TRIED))),
            guards=(lock_is_mounted(),),
            actions=(
                PutFile(_USER, self.username, "0600"),
                Command(("sh", "-c", _LEAVE, "sh", *words), timeout=60, stdin=self.password),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class StartWinbind(HostStep):
    """Starts winbind, which no boot does: CTDB starts it where it may serve.

    Attributes:
        service: Its unit.
    """

    verb: ClassVar[str] = "StartWinbind"

    service: str

    def script(self) -> Script:
        """Only where CTDB runs with its lock, and where the domain was joined."""
        return Script(
            done=(Command(("systemctl", "is-active", self.service), expect=Expect.EQUALS, text="active"),),
            guards=(runs_on_its_lock(), Command(("net", "getdomainsid"))),
            actions=(
                Command(("systemctl", "reset-failed", f"{self.service[:-1]}[{self.service[-1]}]")),
                Command(("systemctl", "start", self.service), timeout=60),
            ),
        )

"""What is known of a domain on a host: whether it was joined, whether it answers, and whom of it the host knows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.facts import NOT_OBSERVED, Absent, Fact, Known, Unknown
from heretic.domain.host.parse.reading import NOT_INSTALLED, NotUnderstood, read
from heretic.domain.host.section import Answers, Section
from heretic.domain.shares.samba.domain import DomainAccount, has_domain
from heretic.domain.shares.samba.domain_steps import TRIED
from heretic.domain.shares.samba.texts import CONFIGURATION

T = TypeVar("T")

_TIMED_OUT = (124, 137)
_NOBODY = ("No logon servers are currently available", "Didn't find the ldap server", "failed to find DC")
_REFUSED = ("INVALID_CREDENTIALS", "Invalid credentials", "LOGON_FAILURE", "attempted logon is invalid")
_CHANGE = "Last machine account password change"
_SID = re.compile(r"^SID for domain \S+ is: (S-[-0-9]+)$", re.MULTILINE)
_OFFSET = re.compile(r"^Server time offset: (-?[0-9]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TriedJoin:
    """A try to join that was refused, or that went well.

    Attributes:
        key: Of what was tried (see domain.join_key).
        refusal: Why, one of the words of JoinDomain; empty where it went well.
    """

    key: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """A domain as one host sees it.

    Attributes:
        sid: Of the domain that was joined, as CTDB keeps it for all hosts; Absent: none was.
        offset: By how many seconds the domain's clock is ahead; Absent: no controller answers.
        password_age: Seconds since the server has changed its password; Absent: no controller answers.
        trusted: Whether a controller takes the server for who it is; Absent: no controller answers.
        winbind: Whether winbind answers.
        accounts: Numbers of the accounts that smb.conf lists, None where the domain does not know one.
        tried: How the last try to join ended on this host.
    """

    sid: Fact[str] = NOT_OBSERVED
    offset: Fact[int] = NOT_OBSERVED
    password_age: Fact[int] = NOT_OBSERVED
    trusted: Fact[bool] = NOT_OBSERVED
    winbind: Fact[bool] = NOT_OBSERVED
    accounts: Fact[Mapping[DomainAccount, int | None]] = NOT_OBSERVED
    tried: Fact[TriedJoin] = NOT_OBSERVED


def parse_sid(output: Output) -> Fact[str]:
    """Parses ``net getdomainsid``, which asks nobody: it reads what CTDB shares between the hosts."""
    if found := _SID.search(output.stdout):
        return Known(found[1])
    if "Could not fetch domain SID" in output.stderr + output.stdout:
        return Absent()
    return Unknown(f"net getdomainsid exited {output.rc}: {output.stderr.strip()[:200] or 'it said nothing'}")


def parse_offset(output: Output) -> Fact[int]:
    """Parses ``net ads info``; no answer in time is no controller."""
    if silent(output):
        return Absent()
    return read(output, "net ads info", _offset)


def _offset(text: str) -> int:
    found = _OFFSET.search(text)
    if found is None:
        raise NotUnderstood("there is no time of the server")
    return int(found[1])


def parse_password_age(output: Output) -> Fact[int]:
    """Parses ``net ads info``: between the last change, of which CTDB tells all hosts, and the controller's time."""
    if silent(output):
        return Absent()
    return read(output, "net ads info", _password_age)


def _password_age(text: str) -> int:
    now, changed = (re.search(rf"^{field}: (.*) \S+$", text, re.MULTILINE) for field in ("Server time", _CHANGE))
    if now is None or changed is None:
        raise NotUnderstood("there is no time of the last change of the password")
    # Both are printed in one time zone, whichever that is.
    then, at = (datetime.strptime(f"{found[1]} +0000", "%a, %d %b %Y %H:%M:%S %z") for found in (changed, now))
    return int((at - then).total_seconds())


def parse_trusted(output: Output) -> Fact[bool]:
    """Parses ``net ads testjoin``."""
    said = output.stdout + output.stderr
    if output.rc == 0 and "Join is OK" in said:
        return Known(True)
    if any(words in said for words in _REFUSED):
        return Known(False)
    return Absent() if silent(output) else Unknown(f"net ads testjoin exited {output.rc}: {said.strip()[-200:]}")


def silent(output: Output) -> bool:
    """Whether no controller answered."""
    return output.rc in _TIMED_OUT or any(words in output.stdout + output.stderr for words in _NOBODY)


def parse_winbind(output: Output) -> Fact[bool]:
    """Parses ``wbinfo --ping``."""
    if output.rc == NOT_INSTALLED or "could not ping winbindd" in output.stdout + output.stderr:
        return Absent()
    return read(output, "wbinfo", lambda text: "succeeded" in text)


def parse_domain_accounts(output: Output) -> Fact[Mapping[DomainAccount, int | None]]:
    """Parses what the hosts know of the accounts that smb.conf lists; no answer in time says nothing of them."""
    return read(output, "getent", _accounts)


def _accounts(text: str) -> dict[DomainAccount, int | None]:
    rows = [line.split("|") for line in text.splitlines()]
    if any(len(row) != 3 for row in rows):
        raise NotUnderstood("a line has not three fields")
    return {DomainAccount(database, name): int(number) if number else None for database, name, number in rows}


def parse_tried_join(text: Fact[str]) -> Fact[TriedJoin]:
    """Parses what JoinDomain noted: a key, and a word below it where it was refused."""
    if not isinstance(text, Known):
        return text
    key, _, word = text.value.partition("\n")
    return Known(TriedJoin(key.strip(), word.strip()))


_LOOK_UP = r"""sed -n 's/^# Account //p' "$1" | while IFS= read -r line; do
  database=${line%% *} name=${line#* }
  found=$(getent "$database" "$name"); rc=$?
  [ "$rc" = 0 ] || [ "$rc" = 2 ] || exit "$rc"
  printf '%s|%s|%s\n' "$database" "$name" "$(printf '%s' "$found" | cut -d: -f3)"
done"""
"""getent ends with 2 where nobody has the name."""

_SID_PROBE = Probe("domain-sid", ("net", "getdomainsid"), parse_sid)
_OFFSET_PROBE = Probe("domain-info", ("net", "ads", "info"), parse_offset, timeout=10)
_TRUST = Probe("domain-trust", ("net", "ads", "testjoin"), parse_trusted, timeout=10)
_WINBIND = Probe("domain-winbind", ("wbinfo", "--ping"), parse_winbind)
_ACCOUNTS = Probe("domain-accounts", ("sh", "-c", _LOOK_UP, "sh", CONFIGURATION), parse_domain_accounts, timeout=10)


def _assemble(answers: Answers) -> DomainFacts:
    return DomainFacts(
        sid=answers.parsed(_SID_PROBE.name, parse_sid),
        offset=answers.parsed(_OFFSET_PROBE.name, parse_offset),
        password_age=answers.parsed(_OFFSET_PROBE.name, parse_password_age),
        trusted=answers.parsed(_TRUST.name, parse_trusted),
        winbind=answers.parsed(_WINBIND.name, parse_winbind),
        accounts=answers.parsed(_ACCOUNTS.name, parse_domain_accounts),
        tried=answers.of(parse_tried_join, answers.text(TRIED)),
    )


DOMAIN: Section[DomainFacts] = Section(
    name="Domain",
    assemble=_assemble,
    unseen=DomainFacts(),
    probes=(_SID_PROBE, _OFFSET_PROBE, _TRUST, _WINBIND, _ACCOUNTS),
    files=(TRIED,),
    roles=frozenset({Role.FILE_SERVER}),
    wanted=has_domain,
)

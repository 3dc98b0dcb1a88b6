"""What Samba's programs say of a domain, as 4.22 of Debian 13 said it under CTDB."""

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.shares.samba.domain import DomainAccount
from heretic.domain.shares.samba.domain_facts import (
    TriedJoin,
    parse_domain_accounts,
    parse_offset,
    parse_password_age,
    parse_sid,
    parse_tried_join,
    parse_trusted,
    parse_winbind,
)

JOINED = (
    "SID for local machine FILES is: S-1-5-21-2359917111-968559667-2552678218\n"
    "SID for domain OFFICE is: S-1-5-21-705957446-1043889775-1376413441\n"
)
INFO = """\
LDAP server: 172.21.12.5
LDAP server name: dc1.office.private
Workgroup: OFFICE
Realm: OFFICE.PRIVATE
Bind Path: dc=OFFICE,dc=PRIVATE
LDAP port: 389
Server time: Sat, 28 Nov 2026 09:52:16 UTC
KDC server: 172.21.12.5
Server time offset: -1200
Last machine account password change: Sat, 28 Nov 2026 09:50:34 UTC
"""
AWAY = (
    "ads_startup_int: ads_connect_cldap_only: No logon servers are currently available to service the logon request.\n"
    "Didn't find the ldap server!\n"
)
GONE = (
    "gensec_gse_client_prepare_ccache: Kinit for FILES$@OFFICE.PRIVATE to access ldap/dc1.office.private failed: "
    "Client not found in Kerberos database: NT_STATUS_LOGON_FAILURE\n"
    "ads_startup_int: ads_connect_creds: Invalid credentials\n"
    "Join to domain is not valid: LDAP_INVALID_CREDENTIALS\n"
)
NO_CTDB = "Failed to open secrets.tdb\n"


@pytest.mark.parametrize(
    ("output", "fact"),
    [
        (Output(0, JOINED, ""), Known("S-1-5-21-705957446-1043889775-1376413441")),
        (Output(1, JOINED.splitlines()[0], "Could not fetch domain SID\n"), Absent()),
    ],
)
def test_whether_a_domain_was_joined(output: Output, fact: Fact[str]) -> None:
    assert parse_sid(output) == fact


@pytest.mark.parametrize("output", [Output(255, "", NO_CTDB), Output(124, "", ""), Output(127, "", "net: not found")])
def test_what_was_not_read_is_not_a_domain_that_was_never_joined(output: Output) -> None:
    assert isinstance(parse_sid(output), Unknown)


@pytest.mark.parametrize(
    ("output", "fact"),
    [(Output(0, INFO, ""), Known(-1200)), (Output(255, "", AWAY), Absent()), (Output(124, "", ""), Absent())],
)
def test_the_clock_of_the_domain(output: Output, fact: Fact[int]) -> None:
    assert parse_offset(output) == fact


def test_how_old_the_password_of_the_server_is() -> None:
    assert parse_password_age(Output(0, INFO, "")) == Known(102)
    week = INFO.replace("Nov 2026 09:52:16 UTC", "Nov 2026 09:50:34 CET").replace("Sat, 28", "Sat, 21", 1)
    assert parse_password_age(Output(0, week, "")) == Known(-7 * 86400)
    assert parse_password_age(Output(255, "", AWAY)) == Absent()
    assert isinstance(parse_password_age(Output(0, INFO.partition("Last")[0], "")), Unknown)


@pytest.mark.parametrize(
    ("output", "fact"),
    [
        (Output(0, "Join is OK\n", ""), Known(True)),
        (Output(255, "", GONE), Known(False)),
        (Output(255, "", f"Join to domain is not valid: {AWAY}"), Absent()),
        (Output(124, "", ""), Absent()),
    ],
)
def test_whether_the_domain_takes_the_server_for_who_it_is(output: Output, fact: Fact[bool]) -> None:
    assert parse_trusted(output) == fact


def test_winbind_answers_or_does_not() -> None:
    assert parse_winbind(Output(0, "Ping to winbindd succeeded\n", "")) == Known(True)
    assert parse_winbind(Output(1, "", "could not ping winbindd!\n")) == Absent()


def test_accounts_of_the_domain_and_those_that_it_does_not_know() -> None:
    said = "group|OFFICE\\domain users|10512\npasswd|OFFICE\\anna|11103\npasswd|OFFICE\\nobody|\n"
    assert parse_domain_accounts(Output(0, said, "")) == Known(
        {
            DomainAccount("group", "OFFICE\\domain users"): 10512,
            DomainAccount("passwd", "OFFICE\\anna"): 11103,
            DomainAccount("passwd", "OFFICE\\nobody"): None,
        }
    )
    assert isinstance(parse_domain_accounts(Output(124, "", "")), Unknown)


def test_how_the_last_try_ended() -> None:
    assert parse_tried_join(Known("abc\nlogon\n")) == Known(TriedJoin("abc", "logon"))
    assert parse_tried_join(Known("abc")) == Known(TriedJoin("abc"))
    assert parse_tried_join(Absent()) == Absent()

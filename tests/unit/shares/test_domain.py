"""An Active Directory domain: joined once, from one host; its users own folders; and what is told when it refuses."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest

from heretic.api.v1alpha1 import FileShare
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.kind import Assessment, Observed
from heretic.domain.plan import Blocked, Converged, Risk, Wait, obstacles_of, steps_of
from heretic.domain.shares.samba import texts
from heretic.domain.shares.samba.domain_steps import JoinDomain, LeaveDomain, Refusal
from heretic.domain.shares.server_facts import FolderState
from heretic.kinds import KINDS
from sim.site_rules import resource
from unit.shares.cluster_model import SMB, SPEC, FileServers

DOMAIN: dict[str, Any] = {"realm": "office.private", "organizationalUnit": "File Servers"}
GROUPS = {"name": "groups", "owner": "OFFICE\\anna", "group": "OFFICE\\domain users", "mode": "2770"}
MEMBER: dict[str, Any] = {
    **SMB,
    "smb": {"activeDirectory": DOMAIN},
    "folders": [{**GROUPS, "smb": {"groups": ["OFFICE\\domain users"]}}],
}


def verbs(site: FileServers) -> list[str]:
    return [verb for verb, _ in groupby(step.verb for step in site.steps)]


def told(found: Assessment, kind: ConditionType = ConditionType.SERVED) -> Condition:
    return next(c for c in found.report.conditions if c.type is kind)


@pytest.fixture
def site() -> FileServers:
    """One that has joined and serves."""
    made = FileServers(**MEMBER)
    made.run()
    made.steps.clear()
    return made


def test_it_is_joined_once_from_one_host_before_anything_serves_and_winbind_is_watched() -> None:
    site = FileServers(**MEMBER)
    found = site.run()
    order = verbs(site)
    assert order[order.index("PutSambaConfiguration") :] == [
        "PutSambaConfiguration",
        "JoinDomain",
        "StartSamba",
        "StartWinbind",
        *["EnableScript"],
        "MakeFolder",
    ]
    (join,) = [step for step in site.steps if isinstance(step, JoinDomain)]
    assert (join.name, join.realm, join.unit, join.risk) == ("FILES", "office.private", "File Servers", Risk.DISRUPTIVE)
    assert (join.username.key, join.password.key, join.username.name) == ("username", "password", "heretic-domain")
    assert "password" not in join.arguments()
    assert all({"49.winbind", "50.samba"} <= host.scripts for host in site.hosts.values())
    assert told(found).state is State.TRUE
    assert found.report.status.model_dump()["domain"] == "S-1-5-21-1-2-3"
    assert site.folders == {"/gluster/shares/winshare/groups": FolderState(11103, 10512, "2770")}


@pytest.mark.parametrize(
    ("domain", "lines"),
    [
        (
            DOMAIN,
            ["workgroup = OFFICE", "security = ads", "realm = OFFICE.PRIVATE", "idmap config OFFICE : backend = rid"],
        ),
        (
            {**DOMAIN, "numbers": "RFC2307"},
            ["idmap config OFFICE : backend = ad", "idmap config OFFICE : schema_mode = rfc2307"],
        ),
        (DOMAIN, ["idmap config OFFICE : range = 9999-1999999999", "idmap config * : range = 2000000000-3999999999"]),
        (DOMAIN, ["kerberos method = secrets only"]),
        (DOMAIN, ['valid users = "+OFFICE\\domain users"', "# Account passwd OFFICE\\anna"]),
    ],
)
def test_what_is_declared_of_the_domain(domain: dict[str, Any], lines: list[str]) -> None:
    site = FileServers(**{**MEMBER, "smb": {"activeDirectory": domain}})
    site.run()
    there = [line.strip() for line in site.hosts["n2"].files[texts.CONFIGURATION].splitlines()]
    assert set(lines) <= set(there)
    assert "security = user" not in there


def test_the_short_name_of_the_domain_may_be_another_one() -> None:
    site = FileServers(**{**MEMBER, "smb": {"activeDirectory": DOMAIN, "workgroup": "HQ"}, "folders": [{"name": "a"}]})
    site.run()
    assert "idmap config HQ : backend = rid" in site.hosts["n1"].files[texts.CONFIGURATION]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Refusal.LOGON, Reason.DOMAIN_LOGON_REFUSED),
        (Refusal.RIGHTS, Reason.DOMAIN_JOIN_FORBIDDEN),
        (Refusal.UNIT, Reason.DOMAIN_UNIT_MISSING),
        (Refusal.NAME, Reason.DOMAIN_NAME_TAKEN),
    ],
)
def test_what_the_domain_refuses_is_told_and_not_tried_again_before_it_is_corrected(
    refusal: Refusal, reason: Reason
) -> None:
    site = FileServers(**MEMBER)
    site.domain.refuses = refusal
    found = site.run()
    assert isinstance(found.plan, Blocked)
    assert found.plan.reason is told(found).reason is reason
    assert len(site.joins) == 1
    site.domain.refuses = None
    assert isinstance(site.run().plan, Blocked)
    spec = {**SPEC, **MEMBER, "smb": {"activeDirectory": {**DOMAIN, "joinSecretRef": {"name": "corrected"}}}}
    site.share = site.share.model_copy(update={"spec": resource(FileShare, "files", spec).spec})
    assert told(site.run()).state is State.TRUE
    assert len(site.joins) == 2


def away(site: FileServers) -> None:
    site.domain.away = True


def late(site: FileServers) -> None:
    site.domain.offset = -900


@pytest.mark.parametrize(
    ("spoil", "kind", "reason"), [(away, Wait, Reason.DOMAIN_UNREACHABLE), (late, Blocked, Reason.CLOCK_SKEWED)]
)
def test_a_domain_that_cannot_be_joined_now_is_not_tried(
    spoil: Callable[[FileServers], None], kind: type, reason: Reason
) -> None:
    site = FileServers(**MEMBER)
    spoil(site)
    plan = site.run().plan
    assert isinstance(plan, kind)
    assert [found.reason for found in obstacles_of(plan)] == [reason]
    assert site.joins == []


def neglected(site: FileServers) -> None:
    site.domain.password_age = 31 * 86400


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(neglected, Reason.DOMAIN_KEY_OLD), (away, Reason.DOMAIN_UNREACHABLE), (late, Reason.CLOCK_SKEWED)],
)
def test_a_domain_that_goes_away_is_told_and_what_is_served_goes_on(
    site: FileServers, spoil: Callable[[FileServers], None], reason: Reason
) -> None:
    spoil(site)
    found = site.run()
    assert site.steps == []
    assert told(found).state is State.TRUE
    assert told(found, ConditionType.DEGRADED).reason is reason
    assert told(found, ConditionType.CTDB_READY).state is State.TRUE


def test_a_password_that_winbind_changes_in_time_is_no_matter(site: FileServers) -> None:
    site.domain.password_age = 30 * 86400
    assert told(site.run(), ConditionType.DEGRADED).state is State.FALSE
    assert site.steps == []


def test_an_account_that_somebody_took_is_for_a_person_and_never_taken_back(site: FileServers) -> None:
    site.domain.trusts = False
    found = site.run()
    assert site.steps == []
    assert told(found).reason is Reason.DOMAIN_TRUST_BROKEN


def test_whom_the_domain_does_not_know_is_told() -> None:
    site = FileServers(**MEMBER)
    del site.domain.accounts["passwd", "OFFICE\\anna"]
    found = site.run()
    assert told(found).reason is Reason.ACCOUNT_UNKNOWN
    assert "OFFICE\\anna" in told(found).message
    assert site.folders == {}


def test_winbind_that_somebody_stopped_is_started(site: FileServers) -> None:
    site.hosts["n3"].winbind = False
    site.hosts["n3"].scripts.discard("49.winbind")
    site.run()
    assert verbs(site) == ["StartWinbind", "EnableScript"]


@pytest.mark.parametrize(("leave", "verbs_then"), [(True, ["LeaveDomain"]), (False, [])])
def test_the_domain_is_left_only_where_that_is_asked_for(leave: bool, verbs_then: list[str]) -> None:
    site = FileServers(**{**MEMBER, "smb": {"activeDirectory": {**DOMAIN, "leaveOnDeletion": leave}}})
    site.run()
    remove = KINDS["FileShare"].remove
    assert remove is not None
    plan = remove(site.share, site.view, Observed(site.looks()))
    assert [step.verb for step in steps_of(plan)] == verbs_then
    for step in steps_of(plan):
        assert isinstance(step, LeaveDomain)
        site.apply(step)
    assert isinstance(remove(site.share, site.view, Observed(site.looks())), Converged)


def test_a_domain_that_refuses_to_be_left_is_not_asked_again_before_it_is_corrected() -> None:
    site = FileServers(**{**MEMBER, "smb": {"activeDirectory": {**DOMAIN, "leaveOnDeletion": True}}})
    site.run()
    site.domain.refuses = Refusal.LOGON
    remove = KINDS["FileShare"].remove
    assert remove is not None
    for step in steps_of(remove(site.share, site.view, Observed(site.looks()))):
        site.apply(step)
    found = remove(site.share, site.view, Observed(site.looks()))
    assert isinstance(found, Blocked)
    assert found.reason is Reason.DOMAIN_LOGON_REFUSED
    assert site.domain.sid


def test_the_domain_is_not_left_while_another_share_is_in_it() -> None:
    smb = {"activeDirectory": {**DOMAIN, "leaveOnDeletion": True}}
    site = FileServers(**{**MEMBER, "smb": smb})
    site.run()
    site.instead = (resource(FileShare, "another", {**SPEC, **MEMBER, "smb": smb, "folders": [{"name": "else"}]}),)
    remove = KINDS["FileShare"].remove
    assert remove is not None
    assert isinstance(remove(site.share, site.view, Observed(site.looks())), Converged)
    assert site.domain.sid

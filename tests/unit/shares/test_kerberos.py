"""Kerberos for NFS: in which order a share comes to it, what is mended, and what is told when it cannot be."""

from typing import Any

import pytest

from heretic.api.v1alpha1 import FileShare
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.kind import Assessment
from heretic.domain.plan import Blocked, Obstacle, Wait
from heretic.domain.shares.ganesha import texts as ganesha
from heretic.domain.shares.ganesha.steps import PutGaneshaConfiguration
from heretic.domain.shares.kerberos.steps import SyncKeytab
from heretic.domain.shares.kerberos.texts import SCRIPT, script
from sim.site_rules import resource
from unit.shares.cluster_model import SMB, SPEC, FileServers

REALM = "office.private"
PRINCIPAL = f"nfs/files.{REALM}@OFFICE.PRIVATE"
KERBEROS: dict[str, Any] = {"hostName": f"files.{REALM}", "nfs": {"security": ["krb5p", "krb5"], "realm": REALM}}
ELSEWHERE = {"security": ["krb5i"], "realm": "else.private"}
SETSPN = "`setspn -S nfs/nas.example.org FILES`"
MEMBER = {**SPEC, **SMB, "smb": {"netbiosName": "FILES", "activeDirectory": {"realm": REALM}}}


def servers(member: dict[str, Any] | None = MEMBER, **spec: Any) -> FileServers:
    """A site whose file servers are in the domain as ``member`` says."""
    others = (resource(FileShare, "users", member),) if member else ()
    site = FileServers(*others, **{**KERBEROS, **spec})
    site.domain.sid = "S-1-5-21-1-2-3" if member else ""
    return site


def served(found: Assessment) -> Condition:
    return next(c for c in found.report.conditions if c.type is ConditionType.SERVED)


@pytest.fixture
def site() -> FileServers:
    """One that serves."""
    made = servers()
    assert served(made.run()).state is State.TRUE
    made.steps.clear()
    return made


def test_every_host_has_the_key_before_an_export_asks_for_tickets() -> None:
    site = servers()
    assert served(site.run()).state is State.TRUE
    verbs = [step.verb for step in site.steps]
    last_key = max(n for n, step in enumerate(site.steps) if isinstance(step, SyncKeytab))
    first_export = min(n for n, step in enumerate(site.steps) if isinstance(step, PutGaneshaConfiguration))
    assert verbs.index("RegisterService") < last_key < first_export
    assert verbs.count("RegisterService") == 1
    assert {host.keys for host in site.hosts.values()} == {frozenset({(1, PRINCIPAL)})}
    assert "\tSecType = krb5, krb5p;\n" in site.hosts["n1"].files[ganesha.CONFIGURATION]


def test_a_host_whose_key_is_old_or_gone_gets_the_present_one(site: FileServers) -> None:
    site.domain.version = 2
    site.hosts["n2"].keys = None
    site.run()
    assert [(step.target.name, step.verb) for step in site.steps] == [(f"n{n}", "SyncKeytab") for n in (1, 2, 3)]
    assert site.hosts["n1"].keys == frozenset({(1, PRINCIPAL), (2, PRINCIPAL)})
    assert site.hosts["n2"].keys == frozenset({(2, PRINCIPAL)})


def test_a_controller_that_was_not_told_of_a_change_yet_changes_nothing(site: FileServers) -> None:
    for host in site.hosts.values():
        host.keys = frozenset({(1, PRINCIPAL), (2, PRINCIPAL)})
    assert served(site.run()).state is State.TRUE
    assert site.steps == []


def test_without_a_controller_who_has_a_key_goes_on_and_who_has_none_is_told(site: FileServers) -> None:
    site.domain.away = True
    assert served(site.run()).state is State.TRUE
    site.hosts["n3"].keys = frozenset()
    plan = site.run().plan
    assert isinstance(plan, Wait)
    assert (plan.reason, "n3" in plan.message) == (Reason.DOMAIN_UNREACHABLE, True)
    assert site.steps == []


def test_what_keeps_the_keytab_is_mended(site: FileServers) -> None:
    site.hosts["n1"].files[SCRIPT] = "#!/bin/sh\n"
    site.hosts["n2"].modes[SCRIPT] = "0644"
    site.run()
    assert [(step.target.name, step.verb) for step in site.steps] == [("n1", "WriteFile"), ("n2", "WriteFile")]


@pytest.mark.parametrize(
    ("member", "spec", "sid", "kind", "reason", "words"),
    [
        (None, {}, "", Blocked, Reason.KERBEROS_DOMAIN_MISSING, f"joins {REALM}"),
        (MEMBER, {"nfs": ELSEWHERE}, "S-1", Blocked, Reason.KERBEROS_DOMAIN_MISSING, "joins else.private"),
        (MEMBER, {}, "", Wait, Reason.KERBEROS_DOMAIN_MISSING, "has not joined"),
        (MEMBER, {"hostName": "nas.example.org"}, "S-1", Blocked, Reason.SERVICE_NAME_MISSING, SETSPN),
    ],
)
def test_what_is_in_the_way_is_told_and_no_export_asks_for_tickets(
    member: dict[str, Any] | None, spec: dict[str, Any], sid: str, kind: type[Obstacle], reason: Reason, words: str
) -> None:
    site = servers(member, **spec)
    site.domain.sid = sid
    plan = site.run().plan
    assert isinstance(plan, kind)
    assert (plan.reason, words in plan.message) == (reason, True), plan.message
    assert not any(ganesha.CONFIGURATION in host.files for host in site.hosts.values())


def test_a_name_that_an_administrator_registered_is_taken() -> None:
    site = servers(hostName="nas.example.org")
    site.domain.names.add("nfs/nas.example.org")
    assert served(site.run()).state is State.TRUE
    assert site.hosts["n1"].keys == frozenset({(1, "nfs/nas.example.org@OFFICE.PRIVATE")})


def test_a_share_that_waits_for_its_name_keeps_no_other_from_being_served() -> None:
    waiting = {**SPEC, **KERBEROS, "hostName": "nas.example.org", "folders": [{"name": "else"}]}
    site = servers()
    site.instead = (*site.instead, resource(FileShare, "waiting", waiting))
    assert served(site.run()).state is State.TRUE
    assert site.hosts["n1"].exports == {1: "/homes"}


def test_keys_go_after_the_exports_that_needed_them(site: FileServers) -> None:
    changed = resource(FileShare, "files", {**SPEC, **KERBEROS, "nfs": {"security": ["sys"]}})
    site.share = site.share.model_copy(update={"spec": changed.spec})
    assert served(site.run()).state is State.TRUE
    verbs = [step.verb for step in site.steps]
    assert verbs.index("PutGaneshaConfiguration") < verbs.index("RemoveKeytab")
    assert {(host.keys, SCRIPT in host.files) for host in site.hosts.values()} == {(None, False)}


def test_samba_is_asked_for_keys_as_its_version_can() -> None:
    new, old = (script(("nfs/a", "nfs/b"), 1, synchronizes=synchronizes) for synchronizes in (True, False))
    assert "spns=nfs/a:spns=nfs/b:sync_kvno:machine_password" in new
    assert [line.split(" -P ")[0].strip() for line in old.splitlines() if "keytab add" in line] == [
        f"net ads keytab add nfs/{name}" for name in "ab"
    ]
    assert "secrets.tdb.1 ]" in new

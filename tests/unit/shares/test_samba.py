"""Samba on the file servers: in which order it comes to serve, what is repaired, and what stays as it was."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest

from heretic.api.v1alpha1 import FileShare
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.kind import Assessment
from heretic.domain.plan import Blocked, steps_of
from heretic.domain.shares.accounts import FIRST, GROUP
from heretic.domain.shares.samba import texts
from heretic.domain.shares.samba.steps import PutSambaConfiguration
from heretic.domain.shares.server_facts import FolderState
from sim.site_rules import resource
from unit.shares.cluster_model import SMB, SPEC, FileServers


def verbs(site: FileServers) -> list[str]:
    return [verb for verb, _ in groupby(step.verb for step in site.steps)]


def served(found: Assessment) -> Condition:
    return next(c for c in found.report.conditions if c.type is ConditionType.SERVED)


def change_spec(site: FileServers, **spec: Any) -> None:
    changed = resource(FileShare, "files", {**SPEC, **SMB, **spec})
    site.share = site.share.model_copy(update={"spec": changed.spec})


@pytest.fixture
def site() -> FileServers:
    """One that serves."""
    made = FileServers(**SMB)
    made.run()
    made.steps.clear()
    return made


def test_nothing_is_in_force_before_it_is_proved_everywhere_and_ctdb_watches_what_runs() -> None:
    site = FileServers(**SMB)
    found = site.run()
    order = verbs(site)
    assert order[order.index("GivePublicAddresses") + 1 :] == [
        "MountVolume",
        *["AddGroup", "AddUser"] * 3,
        "MakeFolder",
        "WriteFile",
        "PutSambaConfiguration",
        "SetPassword",
        "StartSamba",
        "EnableScript",
    ]
    assert served(found).state is State.TRUE
    assert steps_of(found.plan) == ()


def test_accounts_have_one_number_everywhere_and_it_is_recorded(site: FileServers) -> None:
    assert {host.users["bert"] for host in site.hosts.values()} == {FIRST + 2}
    recorded = site.assess().report.status.model_dump()["accounts"]
    assert [(one["name"], one["number"]) for one in recorded] == [
        (GROUP, FIRST),
        ("anna", FIRST + 1),
        ("bert", FIRST + 2),
    ]


def test_folders_belong_to_whom_they_are_declared_to(site: FileServers) -> None:
    assert site.folders == {
        "/gluster/shares/winshare/groups": FolderState(0, FIRST, "2770"),
        "/gluster/shares/winshare/accounts": FolderState(FIRST + 1, 0, "0755"),
    }


def edit(site: FileServers) -> None:
    site.hosts["n2"].files[texts.CONFIGURATION] += "[mine]\n\tpath = /\n"


def stop(site: FileServers) -> None:
    site.hosts["n1"].samba = False


def open_folder(site: FileServers) -> None:
    site.folders["/gluster/shares/winshare/groups"] = FolderState(0, 0, "0777")


def drop_script(site: FileServers) -> None:
    site.hosts["n3"].scripts.clear()


def drop_user(site: FileServers) -> None:
    del site.logins["anna"]


def unmount(site: FileServers) -> None:
    site.hosts["n1"].shares.clear()


@pytest.mark.parametrize(
    ("spoil", "mended"),
    [
        (edit, ["PutSambaConfiguration"]),
        (stop, ["StartSamba"]),
        (open_folder, ["MakeFolder"]),
        (drop_script, ["EnableScript"]),
        (drop_user, ["SetPassword"]),
        (unmount, ["MountVolume"]),
    ],
)
def test_what_somebody_changed_is_mended(
    site: FileServers, spoil: Callable[[FileServers], None], mended: list[str]
) -> None:
    before = {name: dict(host.files) for name, host in site.hosts.items()}
    spoil(site)
    assert served(site.assess()).state is not State.TRUE
    site.run()
    assert verbs(site) == mended
    assert {name: host.files for name, host in site.hosts.items()} == before


def test_what_testparm_refuses_on_one_host_is_in_force_on_none(site: FileServers) -> None:
    before = {name: host.files[texts.CONFIGURATION] for name, host in site.hosts.items()}
    site.hosts["n2"].refuses = "Unknown parameter encountered"
    change_spec(site, folders=[{"name": "groups", "readOnly": True}])
    found = site.run()
    assert isinstance(found.plan, Blocked)
    assert (found.plan.reason, "n2" in found.plan.message) == (Reason.SAMBA_REFUSES, True)
    assert served(found).reason is Reason.SAMBA_REFUSES
    assert {name: host.files[texts.CONFIGURATION] for name, host in site.hosts.items()} == before


def test_a_change_of_a_live_share_is_read_again_and_nothing_is_restarted(site: FileServers) -> None:
    change_spec(site, folders=[{"name": "groups", "readOnly": True}])
    site.run()
    assert "StartSamba" not in verbs(site)
    puts = [step for step in site.steps if isinstance(step, PutSambaConfiguration)]
    assert {step.tell for step in puts} == {(("smbcontrol", "smbd", "reload-config"),)}
    assert "read only = yes" in site.hosts["n1"].files[texts.CONFIGURATION]
    assert "[accounts]" not in site.hosts["n1"].files[texts.CONFIGURATION]


def test_a_user_who_is_declared_no_more_cannot_log_in_and_keeps_the_files(site: FileServers) -> None:
    site.logins["carl"] = "made by hand"
    change_spec(site, smb={"users": ["bert"]}, folders=[{"name": "groups"}])
    site.run()
    assert set(site.logins) == {"bert", "carl"}
    assert "anna" in site.hosts["n1"].users


def test_another_secret_means_new_passwords(site: FileServers) -> None:
    change_spec(site, smb={"users": ["anna", "bert"], "encryption": "Required", "usersSecretRef": {"name": "new"}})
    site.run()
    assert verbs(site) == ["SetPassword"]
    assert set(site.logins.values()) == {"Heretic: new"}


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        ({"n1": {"anna": 1000}, "n2": {"anna": 1001}}, Reason.ACCOUNT_DIFFERS),
        ({"n1": {"anna": 33}}, Reason.ACCOUNT_DIFFERS),
    ],
)
def test_an_account_that_cannot_own_files_is_for_a_person(there: dict[str, dict[str, int]], reason: Reason) -> None:
    site = FileServers(**SMB)
    for name, users in there.items():
        site.hosts[name].users |= users
    plan = site.run().plan
    assert isinstance(plan, Blocked)
    assert plan.reason is reason


def test_an_account_that_people_made_is_used() -> None:
    site = FileServers(**SMB)
    site.hosts["n2"].users["anna"] = 1500
    site.run()
    assert site.hosts["n1"].users["anna"] == 1500


def test_an_owner_whom_no_host_knows_is_told() -> None:
    plan = FileServers(**{**SMB, "folders": [{"name": "groups", "owner": "nobody-knows"}]}).run().plan
    assert isinstance(plan, Blocked)
    assert (plan.reason, "nobody-knows" in plan.message) == (Reason.ACCOUNT_UNKNOWN, True)


@pytest.mark.parametrize("spec", [{"paused": True}, {"mode": "Observe"}])
def test_what_another_share_serves_stays_while_it_may_not_act(site: FileServers, spec: dict[str, Any]) -> None:
    other = {**SPEC, **SMB, "folders": [{"name": "else", "readOnly": True}]}
    site.instead = (resource(FileShare, "another", other),)
    site.run()
    section = "# FileShare another\n[else]\n"
    assert section in site.hosts["n1"].files[texts.CONFIGURATION]
    site.instead = (resource(FileShare, "another", {**other, "folders": [{"name": "else"}], **spec}),)
    before = site.hosts["n1"].files[texts.CONFIGURATION]
    site.run()
    assert site.hosts["n1"].files[texts.CONFIGURATION] == before
    site.instead = ()
    site.run()
    assert site.hosts["n1"].files[texts.CONFIGURATION] == before

"""Storage domains on units of block storage: by the declared login, and never over what already lies on a unit."""

from typing import Any

import pytest

from sim.engine.faults import changes
from sim.world import DiedError, Recorder
from unit.storage.conftest import DomainWorld

TARGET = {"address": "192.0.2.43", "target": "iqn.2026-01.test:a", "luns": ["lun1"]}
ISCSI: dict[str, Any] = {"name": "guests", "iscsi": {**TARGET, "chapSecretRef": {"name": "chap"}}}
FIBRE: dict[str, Any] = {"name": "guests", "fibreChannel": {"luns": ["lun1"]}}
BOTH = pytest.mark.parametrize("declared", [ISCSI, FIBRE], ids=["iscsi", "fibre channel"])
PASSWORD = "a long secret"


def asks_for_login(shares: DomainWorld, password: str = PASSWORD) -> None:
    """The target lets one user in, and the Secret has a password for that."""
    shares.state.storage["lun1"].chap = ("heretic", PASSWORD)
    shares.world.api.secrets["chap"] = {"username": b"heretic", "password": password.encode()}


async def tried(shares: DomainWorld, *declared: dict[str, Any]) -> None:
    shares.change(storageDomains=list(declared))
    for _ in range(3):
        await shares.world.round()


async def test_a_login_that_the_target_refuses_is_told_and_the_right_one_tried_by_itself(shares: DomainWorld) -> None:
    asks_for_login(shares, "another secret")
    await tried(shares, ISCSI)
    assert shares.says("Synced")["reason"] == "EngineRefuses"
    assert "authorization failure" in shares.says("Synced")["message"]
    assert shares.names == []
    asks_for_login(shares)
    await shares.rest()
    assert (shares.state_of("guests"), shares.says("Ready")["status"]) == ("active", "True")
    shown = str(shares.world.api.objects)
    assert PASSWORD not in shown
    assert "another secret" not in shown


async def test_a_secret_that_is_not_there_is_told_and_the_target_not_asked(shares: DomainWorld) -> None:
    await tried(shares, ISCSI)
    assert "chap" in shares.says("Synced")["message"]
    assert shares.says("Synced")["reason"] == "CredentialsMissing"
    assert shares.changes == []


@BOTH
async def test_a_unit_that_carries_anything_is_never_taken(shares: DomainWorld, declared: dict[str, Any]) -> None:
    asks_for_login(shares)
    unit = shares.state.storage["lun1"]
    unit.content = "the only copy of a database"
    await tried(shares, declared)
    assert shares.says("Synced")["reason"] == "EngineRefuses"
    assert "Failed to initialize physical device" in shares.says("Synced")["message"]
    assert (shares.names, unit.content) == ([], "the only copy of a database")
    unit.content = ""
    await shares.rest()
    assert shares.state_of("guests") == "active"


@BOTH
async def test_a_unit_that_is_part_of_another_domain_is_never_taken(
    shares: DomainWorld, declared: dict[str, Any]
) -> None:
    asks_for_login(shares)
    (kind,) = declared.keys() - {"name"}
    await tried(shares, {"name": "other", kind: {**declared[kind], "luns": ["lun1", "lun2"]}})
    await shares.rest()
    await tried(shares, declared)
    assert shares.says("Synced")["reason"] == "EngineRefuses"
    assert "already part of existing storage domains: lun1 (other)" in shares.says("Synced")["message"]
    assert (shares.names, shares.state_of("other")) == (["other"], "active")


OTHER = {"name": "other", "nfs": {"address": "nas", "path": "/guests/"}}


@pytest.mark.parametrize(
    ("declared", "twin"),
    [
        (ISCSI, {**ISCSI, "name": "other"}),
        (FIBRE, {"name": "other", "fibreChannel": {"luns": ["lun2", "lun1"]}}),
        ({"name": "guests", "nfs": {"address": "nas", "path": "/guests"}}, OTHER),
    ],
    ids=["iscsi", "fibre channel", "nfs"],
)
async def test_what_two_entries_declare_is_left_alone_and_told(
    shares: DomainWorld, declared: dict[str, Any], twin: dict[str, Any]
) -> None:
    asks_for_login(shares)
    await tried(shares, declared)
    await shares.rest()
    before = shares.changes
    await tried(shares, declared, twin)
    await shares.rest()
    assert shares.says("Stalled")["reason"] == "InvalidSpec"
    assert "'guests' is declared where storage domain 'other' lies, too" in shares.says("Stalled")["message"]
    assert (shares.names, shares.changes) == (["guests"], before)
    shares.change(storageDomains=[declared])
    await shares.rest()
    assert shares.says("Ready")["status"] == "True"


@BOTH
async def test_in_plan_and_observe_no_unit_is_taken(shares: DomainWorld, declared: dict[str, Any]) -> None:
    asks_for_login(shares)
    for mode in ("Plan", "Observe"):
        shares.change(mode=mode)
        await tried(shares, declared)
        assert shares.changes == []
    assert "AddBlockDomain" in str(shares.status.get("plan", {})) or shares.says("Drifted")["status"] == "True"


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_operator_that_is_killed_at_a_unit_takes_it_once(shares: DomainWorld, moment: str) -> None:
    asks_for_login(shares)
    shares.change(storageDomains=[ISCSI])
    await shares.world.kill_operator()
    await shares.world.start_operator(Recorder(1, moment))
    with pytest.raises(DiedError):
        await shares.rest()
    await shares.world.kill_operator()
    await shares.world.start_operator()
    await shares.rest()
    assert (shares.names, shares.changes) == (["guests"], ["add", "attach"])


async def test_a_reply_that_is_lost_while_the_watch_is_late_takes_a_unit_once(shares: DomainWorld) -> None:
    asks_for_login(shares)
    shares.change(storageDomains=[ISCSI])
    shares.server.faults.at, shares.server.faults.drop_after = changes, 1
    await shares.world.round()
    shares.world.late = True
    await shares.world.round()
    shares.world.late = False
    await shares.rest()
    assert shares.server.faults.drop_after == 0
    assert (shares.names, shares.changes) == (["guests"], ["add", "attach"])

"""An engine that runs already: it is found, taken over, and kept as it is declared."""

from datetime import timedelta
from typing import Any

import pytest

from sim.engine.calls import add_event
from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER
from sim.world import DiedError, Recorder
from unit.hosted_engine.conftest import KEY, EngineWorld


async def test_an_engine_is_taken_over_and_its_cluster_made_as_declared(site: EngineWorld) -> None:
    await site.settle()
    assert site.says("Ready")["status"] == "True"
    assert site.says("EngineUp")["message"] == "the engine 4.5.7.0 answers"
    assert site.status["engineId"] == site.state.instance_id
    assert (site.status["dataCenterId"], site.status["clusterId"]) == (DEFAULT_DATA_CENTER, DEFAULT_CLUSTER)
    cluster = site.state.clusters[DEFAULT_CLUSTER]
    policy = cluster.fencing_policy
    assert (cluster.gluster_service, cluster.virt_service) == (True, True)
    assert (policy.skip_if_gluster_bricks_up, policy.skip_if_gluster_quorum_not_met) == (True, True)
    assert (policy.skip_if_sd_active.enabled, policy.skip_if_connectivity_broken.threshold) == (True, 50)
    assert len(site.writes) == 1


async def test_a_pass_over_an_engine_that_is_as_declared_asks_little_and_writes_nothing(site: EngineWorld) -> None:
    await site.settle()
    before = len(site.server.engine.requests)
    writes = site.world.api.status_writes
    await site.world.round()
    asked = site.server.engine.requests[before:]
    assert len(asked) == 8, asked
    assert all(one.startswith("GET") for one in asked)
    assert site.world.api.status_writes == writes


async def test_a_data_center_and_a_cluster_of_other_names_are_made(site: EngineWorld) -> None:
    site.change(dataCenter={"name": "milan"}, cluster={"name": "milan1", "migrationPolicy": "PostCopy"})
    await site.settle()
    assert [one.name for one in site.state.data_centers.values()] == ["Default", "milan"]
    made = next(one for one in site.state.clusters.values() if one.name == "milan1")
    assert site.state.data_centers[made.data_center.id].name == "milan"
    assert made.migration.policy.id == "a7aeedb2-8d66-4e51-bb22-32595027ce71"
    assert site.says("Ready")["status"] == "True"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("gluster_service", False, "Gluster service is off, on is declared"),
        ("virt_service", False, "virt service is off, on is declared"),
        ("name", "other", "name is other, Default is declared"),
    ],
)
async def test_a_cluster_that_was_changed_by_hand_is_told_and_changed_back(
    site: EngineWorld, field: str, value: Any, told: str
) -> None:
    await site.settle()
    setattr(site.state.clusters[DEFAULT_CLUSTER], field, value)
    site.change(mode="Observe")
    await site.settle()
    assert told in site.says("ClusterReady")["message"]
    assert site.says("Drifted")["status"] == "True"
    assert getattr(site.state.clusters[DEFAULT_CLUSTER], field) == value
    site.change(mode="Apply")
    await site.settle()
    assert getattr(site.state.clusters[DEFAULT_CLUSTER], field) != value
    assert site.says("Ready")["status"] == "True"


async def test_a_data_center_that_was_renamed_gets_its_name_back(site: EngineWorld) -> None:
    await site.settle()
    site.state.data_centers[DEFAULT_DATA_CENTER].name = "other"
    await site.settle()
    assert site.state.data_centers[DEFAULT_DATA_CENTER].name == "Default"
    assert len(site.state.data_centers) == 1


async def test_another_engine_of_the_same_name_is_left_alone(site: EngineWorld) -> None:
    await site.settle()
    site.state.instance_id = "4c2b5a2e-0000-4000-8000-000000000000"
    site.state.clusters[DEFAULT_CLUSTER].gluster_service = False
    before = len(site.writes)
    await site.settle()
    assert site.says("EngineUp")["reason"] == "EngineReplaced"
    assert site.says("Stalled")["status"] == "True"
    assert len(site.writes) == before


async def test_an_engine_that_tells_its_id_only_after_an_upgrade_stays_the_same_and_never_the_other_way_round(
    site: EngineWorld,
) -> None:
    site.state.instance_id, own = "", site.state.instance_id
    await site.settle()
    assert site.status["engineId"].startswith("authority-")
    site.state.instance_id = own
    await site.settle()
    assert (site.says("Ready")["status"], site.status["engineId"]) == ("True", own)
    site.state.instance_id = ""
    await site.settle()
    assert site.says("EngineUp")["reason"] == "EngineReplaced"


async def test_two_engines_of_one_site_are_refused_and_both_left_alone(site: EngineWorld) -> None:
    second = site.spec()
    second["metadata"]["name"] = "second"
    site.world.api.apply(second)
    await site.settle()
    assert site.says("Ready")["reason"] == "MoreThanOneEngine"
    assert "delete all but one" in site.says("Stalled")["message"]
    assert site.writes == []


@pytest.mark.parametrize(
    ("change", "reason", "told"),
    [
        ({"certificateAuthority": None}, "EngineCertificateNotPinned", "compare it on the engine's console"),
        ({"fqdn": "other.example.test"}, "EngineCertificateMismatch", "its certificate is for another name"),
        (
            {"credentialsRef": {"name": "nowhere"}},
            "CredentialsMissing",
            "kubectl -n demo create secret generic nowhere",
        ),
        ({"credentialsRef": {"name": "wrong"}}, "EngineLoginRefused", "user 'admin@internal' is not let in"),
        ({"port": 1}, "EngineUnreachable", "cannot connect"),
    ],
)
async def test_what_keeps_an_engine_from_being_seen_is_told_with_a_remedy(
    site: EngineWorld, change: dict[str, Any], reason: str, told: str
) -> None:
    site.world.api.secrets["wrong"] = {"password": b"wrong"}
    site.change(**change)
    await site.world.round()
    up = site.says("EngineUp")
    assert (up["status"], up["reason"]) == ("Unknown" if reason == "EngineUnreachable" else "False", reason)
    assert told in up["message"]
    assert site.says("ClusterReady")["status"] == "Unknown"
    assert site.says("Ready")["status"] != "True"
    assert site.writes == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
async def test_an_operator_that_is_killed_at_an_effect_leaves_nothing_twice(
    site: EngineWorld, number: int, moment: str
) -> None:
    site.change(dataCenter={"name": "milan"}, cluster={"name": "milan1"})
    await site.world.kill_operator()
    await site.world.start_operator(Recorder(number, moment))
    with pytest.raises(DiedError):
        await site.settle()
    await site.world.kill_operator()
    await site.world.start_operator()
    await site.settle()
    assert sorted(one.name for one in site.state.data_centers.values()) == ["Default", "milan"]
    assert sorted(one.name for one in site.state.clusters.values()) == ["Default", "milan1"]
    assert len(site.writes) == 2
    assert site.says("Ready")["status"] == "True"


async def test_a_reply_that_is_lost_leaves_nothing_twice(site: EngineWorld) -> None:
    site.change(dataCenter={"name": "milan"}, cluster={"name": "milan1"})
    site.server.faults.drop_after = 2
    await site.settle(20)
    assert sorted(one.name for one in site.state.data_centers.values()) == ["Default", "milan"]
    assert sorted(one.name for one in site.state.clusters.values()) == ["Default", "milan1"]


async def test_an_event_of_the_engine_wakes_what_is_kept_in_it_for_one_request(site: EngineWorld) -> None:
    operator = site.world.operator
    await site.settle()
    await operator.news.ask_all()
    before = len(site.server.engine.requests)
    add_event(site.state, 9000, "Host node1 is non responsive.", "error")
    operator.wakes.clear(KEY)
    await operator.news.ask_all()
    assert await operator.wakes.wait(KEY, 0)
    assert site.server.engine.requests[before:] == ["GET /ovirt-engine/api/events"]
    await site.settle()
    operator.wakes.clear(KEY)
    await operator.news.ask_all()
    assert not await operator.wakes.wait(KEY, 0)


async def test_what_heretic_itself_has_done_in_an_engine_is_no_news(site: EngineWorld) -> None:
    operator = site.world.operator
    await site.settle()
    await operator.news.ask_all()
    site.state.clusters[DEFAULT_CLUSTER].gluster_service = False
    await site.settle()
    operator.wakes.clear(KEY)
    await operator.news.ask_all()
    assert not await operator.wakes.wait(KEY, 0)


async def test_a_certificate_that_runs_out_soon_is_told_before_it_does(site: EngineWorld) -> None:
    await site.settle()
    end = site.status["certificateUntil"]
    assert site.says("Degraded")["status"] == "False"
    now = site.state.now()
    site.state.now = lambda: now + timedelta(days=380)
    await site.settle()
    degraded = site.says("Degraded")
    assert (degraded["status"], degraded["reason"]) == ("True", "EngineCertificateExpires")
    assert f"valid until {end}" in degraded["message"]
    assert site.says("Ready")["status"] == "True"

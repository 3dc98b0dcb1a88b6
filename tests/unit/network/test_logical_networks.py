"""Networks in an engine: made, kept and removed as declared, each by its own Network."""

from collections.abc import Mapping
from typing import Any

import pytest
from ovirtsdk4 import types

from heretic.domain.engine.call import unmet
from heretic.domain.network.steps import RemoveLogicalNetwork
from heretic.reconcile.store import Key
from sim.engine.data_centers import new_data_center
from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER
from sim.engine.networks import new_network
from sim.world import NAMESPACE, DiedError, Recorder
from unit.hosted_engine.conftest import EngineWorld
from unit.network.engine_networks import (
    ALL,
    GLUSTER,
    INTERNAL,
    LAN,
    MANAGEMENT,
    OVN,
    apply,
    approve,
    attach,
    host_is_up,
    in_engine,
    key,
    required,
    says,
    settle,
    usages,
)


async def test_the_networks_of_a_site_are_made_with_what_their_roles_stand_for(site: EngineWorld) -> None:
    apply(site, **ALL)
    await settle(site)
    made = {one.name: one for one in site.state.networks.values()}
    assert sorted(made) == ["gluster", "internal", "lan", "ovirtmgmt"]
    assert usages(site, "ovirtmgmt") == {"management", "default_route"}
    assert usages(site, "gluster") == {"gluster", "migration"}
    assert usages(site, "lan") == {"display"}
    assert usages(site, "internal") == set()
    shown = {name: (one.vlan and one.vlan.id, one.mtu, [u.value for u in one.usages]) for name, one in made.items()}
    assert shown == {
        "ovirtmgmt": (None, 0, ["vm"]),
        "gluster": (11, 9000, []),
        "lan": (12, 1500, ["vm"]),
        "internal": (13, 1500, ["vm"]),
    }
    profiles = {made_of.network.id for made_of in site.state.vnic_profiles.values()}
    assert profiles == {made[name].id for name in ("ovirtmgmt", "lan", "internal")}
    for name in ("mgmt", "gluster", "lan", "internal"):
        assert says(site, name)["status"] == says(site, name, "Ready")["status"] == "True", name
    recorded = site.world.api.objects[key("lan")]["status"]["logicalNetwork"]
    assert recorded == {"id": made["lan"].id, "name": "lan", "required": False, "state": "Operational"}


async def test_of_the_role_ovn_nothing_is_made_and_nothing_counts(site: EngineWorld) -> None:
    apply(site, ovn=OVN)
    await settle(site)
    assert (says(site, "ovn")["status"], says(site, "ovn")["reason"]) == ("False", "EngineNotDeclared")
    assert says(site, "ovn", "Ready")["status"] == "True"
    assert in_engine(site, "ovn") is None


async def test_without_an_engine_a_network_is_ready_and_says_that_there_is_none(site: EngineWorld) -> None:
    site.world.api.lose(Key("HostedEngine", NAMESPACE, "engine"))
    apply(site, lan=LAN)
    await settle(site)
    assert (says(site, "lan")["status"], says(site, "lan")["reason"]) == ("False", "EngineNotDeclared")
    assert says(site, "lan", "Ready")["status"] == "True"


async def test_what_no_network_claims_is_folded_into_the_management_network(site: EngineWorld) -> None:
    apply(site, mgmt=MANAGEMENT)
    await settle(site)
    assert usages(site, "ovirtmgmt") == {"management", "default_route", "display", "migration", "gluster"}
    apply(site, gluster=GLUSTER)
    await settle(site)
    assert usages(site, "ovirtmgmt") == {"management", "default_route", "display"}
    site.world.api.lose(key("gluster"))
    await settle(site)
    assert usages(site, "ovirtmgmt") == {"management", "default_route", "display", "migration", "gluster"}
    assert says(site, "mgmt", "Ready")["status"] == "True"


async def test_a_pass_over_networks_that_are_as_declared_writes_nothing_and_asks_no_more(site: EngineWorld) -> None:
    apply(site, **ALL)
    await settle(site)
    before, writes, status_writes = len(site.server.engine.requests), site.writes, site.world.api.status_writes
    await site.world.round()
    assert len(site.server.engine.requests) - before == 8
    assert (site.writes, site.world.api.status_writes) == (writes, status_writes)


async def test_a_network_is_not_required_before_every_host_is_known_to_have_it(site: EngineWorld) -> None:
    apply(site, mgmt=MANAGEMENT, gluster=GLUSTER)
    await settle(site)
    assert not required(site, "gluster")
    assert required(site, "ovirtmgmt")
    assert "requires it once every host" in site.world.api.objects[key("gluster")]["status"]["notes"][0]
    site.state.cluster_networks[DEFAULT_CLUSTER, in_engine(site, "gluster").id].required = True
    await settle(site)
    assert required(site, "gluster")
    apply(site, gluster={**GLUSTER, "logicalNetwork": {"required": False}})
    await settle(site)
    assert not required(site, "gluster")


async def test_a_network_becomes_required_when_the_last_host_has_got_it(site: EngineWorld) -> None:
    names = {"node1": "192.0.2.11", "node2": "192.0.2.12"}
    for name, address in names.items():
        host_is_up(site, name, address)
    apply(site, gluster=GLUSTER)
    await settle(site)
    for name in names:
        assert not required(site, "gluster")
        attach(site, name, "gluster", "eth1")
        await settle(site)
    assert required(site, "gluster")
    assert says(site, "gluster", "Ready")["status"] == "True"
    assert "notes" not in site.world.api.objects[key("gluster")]["status"]
    before = len(site.server.engine.requests)
    await site.world.round()
    asked = [one for one in site.server.engine.requests[before:] if "hosts" in one or "attachments" in one]
    assert asked == ["GET /ovirt-engine/api/hosts"]


async def test_a_network_that_all_hosts_need_is_changed_on_them_by_approval_alone(site: EngineWorld) -> None:
    host_is_up(site, "node1", "192.0.2.11")
    apply(site, mgmt=MANAGEMENT, gluster=GLUSTER)
    await settle(site)
    apply(site, mgmt={**MANAGEMENT, "mtu": 9000}, gluster={**GLUSTER, "vlan": 21})
    await settle(site)
    for name in ("mgmt", "gluster"):
        assert says(site, name, "Stalled")["reason"] == "WaitingForApproval"
        (step,) = site.world.api.objects[key(name)]["status"]["plan"]["steps"]
        assert (step["verb"], step["needsApproval"]) == ("UpdateVitalNetwork", True)
    assert (in_engine(site, "ovirtmgmt").mtu, in_engine(site, "gluster").vlan.id) == (0, 11)
    approve(site, "gluster")
    await settle(site)
    assert (in_engine(site, "ovirtmgmt").mtu, in_engine(site, "gluster").vlan.id) == (0, 21)
    assert says(site, "gluster", "Ready")["status"] == "True"


async def test_a_network_of_guests_is_changed_on_hosts_in_the_disruption_slot(site: EngineWorld) -> None:
    host_is_up(site, "node1", "192.0.2.11")
    apply(site, lan=LAN)
    await settle(site)
    apply(site, lan={**LAN, "vlan": 22, "mode": "Plan"})
    await settle(site)
    (step,) = site.world.api.objects[key("lan")]["status"]["plan"]["steps"]
    assert (step["verb"], step["risk"]) == ("UpdateNetworkOfHosts", "Disruptive")
    apply(site, lan={**LAN, "vlan": 22})
    await settle(site)
    assert in_engine(site, "lan").vlan.id == 22
    assert says(site, "lan", "Ready")["status"] == "True"


async def test_a_new_name_changes_no_host_and_waits_for_nobody(site: EngineWorld) -> None:
    host_is_up(site, "node1", "192.0.2.11")
    apply(site, gluster=GLUSTER)
    await settle(site)
    apply(site, gluster={**GLUSTER, "logicalNetwork": {"name": "bricks"}})
    await settle(site)
    assert in_engine(site, "bricks") is not None
    assert says(site, "gluster", "Ready")["status"] == "True"


def _detach(site: EngineWorld) -> None:
    del site.state.cluster_networks[DEFAULT_CLUSTER, in_engine(site, "lan").id]


def _change_mtu(site: EngineWorld) -> None:
    in_engine(site, "lan").mtu = 9000


def _change_vlan(site: EngineWorld) -> None:
    in_engine(site, "lan").vlan.id = 99


def _close_to_guests(site: EngineWorld) -> None:
    in_engine(site, "lan").usages = []


def _take_display(site: EngineWorld) -> None:
    held = site.state.cluster_networks
    held[DEFAULT_CLUSTER, in_engine(site, "lan").id].roles = set()
    next(a for (_, n), a in held.items() if n == in_engine(site, "ovirtmgmt").id).roles |= {types.NetworkUsage.DISPLAY}


def _require(site: EngineWorld) -> None:
    site.state.cluster_networks[DEFAULT_CLUSTER, in_engine(site, "lan").id].required = True


def _rename(site: EngineWorld) -> None:
    in_engine(site, "lan").name = "other"


def _remove(site: EngineWorld) -> None:
    gone = in_engine(site, "lan").id
    del site.state.networks[gone], site.state.cluster_networks[DEFAULT_CLUSTER, gone]


DRIFT = [
    pytest.param(_detach, "cluster 'Default' has no network 'lan'", id="detached from the cluster"),
    pytest.param(_change_mtu, "MTU is 9000, 1500 is declared", id="another MTU"),
    pytest.param(_change_vlan, "VLAN is 99, 12 is declared", id="another VLAN"),
    pytest.param(_close_to_guests, "use by guests is off, on is declared", id="not for guests"),
    pytest.param(_take_display, "usages are none, display are declared", id="its usage given away"),
    pytest.param(_require, "required is on, off is declared", id="required"),
    pytest.param(_rename, "name is other, lan is declared", id="renamed"),
    pytest.param(_remove, "has no network 'lan'", id="removed"),
]


@pytest.mark.parametrize(("change", "told"), DRIFT)
async def test_what_was_changed_by_hand_is_told_and_changed_back(site: EngineWorld, change: Any, told: str) -> None:
    apply(site, mgmt=MANAGEMENT, lan=LAN)
    await settle(site)
    before = {name: vars(one).copy() for name, one in site.state.networks.items()}
    apply(site, lan={**LAN, "mode": "Observe"})
    change(site)
    await settle(site)
    assert told in says(site, "lan")["message"]
    assert says(site, "lan", "Drifted")["status"] == "True"
    writes = len(site.writes)
    await settle(site)
    assert len(site.writes) == writes
    apply(site, lan=LAN)
    await settle(site)
    assert says(site, "lan", "Ready")["status"] == "True"
    assert usages(site, "lan") == {"display"}
    assert usages(site, "ovirtmgmt") == {"management", "default_route", "migration", "gluster"}
    kept = in_engine(site, "lan")
    assert (kept.mtu, kept.vlan.id, [u.value for u in kept.usages]) == (1500, 12, ["vm"])
    if change is not _remove:
        assert site.state.networks.keys() == before.keys()


async def test_a_vlan_that_is_not_declared_is_taken_away(site: EngineWorld) -> None:
    apply(site, lan=LAN)
    await settle(site)
    apply(site, lan={name: value for name, value in LAN.items() if name != "vlan"})
    await settle(site)
    assert in_engine(site, "lan").vlan is None
    assert says(site, "lan", "Ready")["status"] == "True"


async def test_the_management_network_keeps_its_place_whatever_was_changed(site: EngineWorld) -> None:
    apply(site, mgmt={**MANAGEMENT, "mtu": 9000})
    await settle(site)
    network = in_engine(site, "ovirtmgmt")
    held = site.state.cluster_networks[DEFAULT_CLUSTER, network.id]
    held.required, network.name = False, "renamed"
    await settle(site)
    held = site.state.cluster_networks[DEFAULT_CLUSTER, network.id]
    assert held.required
    assert in_engine(site, "ovirtmgmt").id == network.id
    assert in_engine(site, "ovirtmgmt").mtu == 9000
    assert "management" in (usages(site, "ovirtmgmt") or ())


@pytest.mark.parametrize(
    ("networks", "told"),
    [
        ({"lan": LAN, "lan2": {**LAN, "subnet": "172.20.22.0/24"}}, "both claim the usage Display"),
        (
            {"lan": LAN, "internal": {**INTERNAL, "logicalNetwork": {"name": "lan"}}},
            "both stand for the logical network 'lan'",
        ),
        (
            {"gluster": GLUSTER, "lan": {**LAN, "logicalNetwork": {"usages": ["Migration", "Gluster"]}}},
            "both claim the usage Migration and Gluster",
        ),
        ({"mgmt": MANAGEMENT, "lan": {**LAN, "logicalNetwork": {"name": "ovirtmgmt"}}}, "'ovirtmgmt'"),
    ],
)
async def test_two_networks_that_claim_the_same_are_told_and_neither_is_made(
    site: EngineWorld, networks: Mapping[str, Mapping[str, Any]], told: str
) -> None:
    apply(site, **networks)
    await settle(site)
    for name in networks:
        assert (says(site, name)["status"], says(site, name)["reason"]) == ("False", "InvalidSpec")
        assert told in says(site, name)["message"]
        assert says(site, name, "Stalled")["status"] == "True"
    assert [one.name for one in site.state.networks.values()] == ["ovirtmgmt"]


async def test_a_name_that_another_network_of_the_engine_has_is_told(site: EngineWorld) -> None:
    apply(site, lan=LAN)
    await settle(site)
    in_engine(site, "lan").name = "other"
    new_network(site.state, "lan", DEFAULT_DATA_CENTER)
    writes = len(site.writes)
    await settle(site)
    assert says(site, "lan")["reason"] == "EngineNameAmbiguous"
    assert "is called 'other', and another one" in says(site, "lan")["message"]
    assert len(site.writes) == writes


async def test_a_network_of_that_name_in_another_data_center_is_not_taken(site: EngineWorld) -> None:
    other = new_data_center(site.state, "other")
    there = new_network(site.state, "lan", other.id)
    apply(site, lan=LAN)
    await settle(site)
    recorded = site.world.api.objects[key("lan")]["status"]["logicalNetwork"]["id"]
    assert recorded != there.id
    assert site.state.networks[recorded].data_center.id == DEFAULT_DATA_CENTER


async def test_a_change_that_the_engine_refuses_is_told_in_its_words(site: EngineWorld) -> None:
    apply(site, lan=LAN)
    await settle(site)
    site.state.guests_of_networks[in_engine(site, "lan").id] = "web"
    apply(site, lan={**LAN, "logicalNetwork": {"name": "office"}})
    await settle(site)
    assert says(site, "lan", "Stalled")["reason"] == "EngineRefuses"
    assert "are using this network: web" in says(site, "lan", "Stalled")["message"]
    assert in_engine(site, "lan") is not None


async def test_an_engine_that_does_not_answer_makes_the_condition_unknown_and_keeps_what_was_recorded(
    site: EngineWorld,
) -> None:
    apply(site, lan=LAN)
    await settle(site)
    recorded = site.world.api.objects[key("lan")]["status"]["logicalNetwork"]
    site.server.faults.unavailable = 1000
    await site.world.round()
    assert (says(site, "lan")["status"], says(site, "lan")["reason"]) == ("Unknown", "WaitingForEngine")
    assert says(site, "lan", "InSync")["status"] == "True"
    assert site.world.api.objects[key("lan")]["status"]["logicalNetwork"] == recorded


async def test_a_network_whose_object_goes_stays_in_the_engine(site: EngineWorld) -> None:
    apply(site, lan=LAN)
    await settle(site)
    writes = len(site.writes)
    site.world.api.delete(key("lan"))
    await site.world.round()
    assert key("lan") not in site.world.api.objects
    assert in_engine(site, "lan") is not None
    assert len(site.writes) == writes


async def test_a_network_is_destroyed_when_that_was_approved_and_nobody_uses_it(site: EngineWorld) -> None:
    apply(site, lan={**LAN, "deletionPolicy": "Destroy"})
    await settle(site)
    network = in_engine(site, "lan")
    site.state.guests_of_networks[network.id] = "web"
    site.world.api.delete(key("lan"))
    await settle(site)
    assert says(site, "lan", "DeletionBlocked")["reason"] == "WaitingForApproval"
    assert in_engine(site, "lan") is not None
    approve(site, "lan")
    await site.world.round()
    assert "are using this network: web" in says(site, "lan", "DeletionBlocked")["message"]
    site.state.guests_of_networks.clear()
    approve(site, "lan", ".again")
    for _ in range(3):
        await site.world.round()
    assert in_engine(site, "lan") is None
    assert key("lan") not in site.world.api.objects
    assert usages(site, "ovirtmgmt") == {"management", "default_route", "migration", "display"}


async def test_the_management_network_is_never_destroyed(site: EngineWorld) -> None:
    apply(site, mgmt={**MANAGEMENT, "deletionPolicy": "Destroy"})
    await settle(site)
    site.world.api.delete(key("mgmt"))
    await settle(site)
    held = says(site, "mgmt", "DeletionBlocked")
    assert (held["reason"], "never removed" in held["message"]) == ("DependentsExist", True)
    assert in_engine(site, "ovirtmgmt") is not None


@pytest.mark.parametrize("mode", ["Observe", "Plan"])
async def test_in_an_engine_that_is_only_observed_no_network_is_made(site: EngineWorld, mode: str) -> None:
    site.change(mode=mode)
    apply(site, lan=LAN)
    await settle(site)
    assert site.writes == []
    assert says(site, "lan")["status"] == "False"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_an_operator_that_is_killed_at_an_effect_makes_no_network_twice(
    site: EngineWorld, number: int, moment: str
) -> None:
    await settle(site)
    writes = len(site.writes)
    await site.world.kill_operator()
    await site.world.start_operator(Recorder(number, moment))
    apply(site, gluster=GLUSTER, lan=LAN)
    with pytest.raises(DiedError):
        await settle(site)
    await site.world.kill_operator()
    await site.world.start_operator()
    await settle(site)
    assert sorted(one.name for one in site.state.networks.values()) == ["gluster", "lan", "ovirtmgmt"]
    assert len(site.writes) == writes + 4
    assert says(site, "gluster", "Ready")["status"] == says(site, "lan", "Ready")["status"] == "True"


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_reply_that_is_lost_makes_no_network_twice(site: EngineWorld, number: int) -> None:
    await settle(site)
    apply(site, lan=LAN)
    site.server.faults.drop_after = number
    await settle(site)
    assert sorted(one.name for one in site.state.networks.values()) == ["lan", "ovirtmgmt"]
    assert says(site, "lan", "Ready")["status"] == "True"


async def test_a_watch_that_is_late_makes_no_network_twice(site: EngineWorld) -> None:
    apply(site, lan=LAN)
    await site.world.round()
    site.world.late = True
    for _ in range(3):
        await site.world.round()
    site.world.late = False
    await settle(site)
    assert sorted(one.name for one in site.state.networks.values()) == ["lan", "ovirtmgmt"]
    assert says(site, "lan", "Ready")["status"] == "True"


@pytest.mark.parametrize(
    ("now", "why"),
    [("renamed", "lan is expected"), (None, "is not there")],
    ids=["it was renamed since", "its id is gone"],
)
def test_a_network_is_removed_only_while_it_is_the_one_that_was_approved(now: str | None, why: str) -> None:
    call = RemoveLogicalNetwork(engine="engine", why="destroyed", id="n1", name="lan").call()
    records = [{"id": "n1", "name": now}] if now else []
    (guard,) = call.guards
    failure = unmet(guard, records)
    assert failure is not None
    assert why in failure.message

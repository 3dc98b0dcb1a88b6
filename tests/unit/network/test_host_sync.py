"""What the engine says of a host whose network is out of sync: told, and made anew where a Network declares it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from heretic.domain.engine.call import unmet
from heretic.domain.network.host_steps import SyncHostNetwork, SyncVitalHostNetwork
from sim.engine.host_life import Status
from sim.engine.host_net import drift, in_sync, net_of
from sim.engine.network_plan import HostNetworkPlan
from sim.world import DiedError, Recorder
from unit.hosted_engine.conftest import EngineWorld
from unit.network.engine_networks import (
    GLUSTER,
    LAN,
    MANAGEMENT,
    apply,
    approve,
    attach,
    host_is_up,
    in_engine,
    key,
    says,
    settle,
)

HOSTS = {"node1": "192.0.2.11", "node2": "192.0.2.12"}


async def attached(site: EngineWorld, **spec: Any) -> None:
    """Two hosts that have the network of guests, as it is declared."""
    for name, address in HOSTS.items():
        host_is_up(site, name, address)
    apply(site, lan={**LAN, **spec})
    await settle(site)
    for name in HOSTS:
        attach(site, name, "lan", "eth1")
    await settle(site)


def drifted(site: EngineWorld, host: str, network: str = "lan", **there: str | None) -> None:
    drift(site.state, host, network, **there)


def synced(site: EngineWorld, network: str = "lan") -> dict[str, bool]:
    """By host: whether it has the network as the engine does."""
    meant = in_engine(site, network).id
    return {
        host.name: in_sync(site.state, host, wired)
        for host in site.state.hosts.values()
        for wired in net_of(site.state, host).now.attachments.values()
        if wired.network == meant
    }


def setups(site: EngineWorld) -> list[str]:
    return [one for one in site.writes if "setupnetworks" in one]


async def test_hosts_that_have_a_network_as_the_engine_does_are_counted_and_left_alone(site: EngineWorld) -> None:
    await attached(site)
    assert says(site, "lan")["status"] == "True"
    assert says(site, "lan")["message"].endswith("as declared, and in sync on 2 of 2 hosts that have it")
    writes, before = len(site.writes), len(site.server.engine.requests)
    await site.world.round()
    assert len(site.writes) == writes
    asked = [one for one in site.server.engine.requests[before:] if "hosts" in one or "attachments" in one]
    assert asked == ["GET /ovirt-engine/api/hosts"]


async def test_a_host_that_is_out_of_sync_is_told_with_what_differs_and_made_anew(site: EngineWorld) -> None:
    await attached(site)
    apply(site, lan={**LAN, "mode": "Plan"})
    drifted(site, "node2", mtu="9000")
    await settle(site)
    told = says(site, "lan")
    assert (told["status"], told["message"]) == (
        "False",
        "network 'lan' is out of sync on host node2 (mtu is 9000, 1500 is expected)",
    )
    (step,) = site.world.api.objects[key("lan")]["status"]["plan"]["steps"]
    assert (step["verb"], step["risk"]) == ("SyncHostNetwork", "Disruptive")
    assert setups(site) == []
    apply(site, lan=LAN)
    await settle(site)
    assert synced(site) == {"node1": True, "node2": True}
    assert len(setups(site)) == 1
    assert says(site, "lan", "Ready")["status"] == "True"


async def test_hosts_are_made_anew_one_after_the_other(site: EngineWorld) -> None:
    await attached(site)
    for name in HOSTS:
        drifted(site, name, bridged="false")
    await site.world.round()
    assert sorted(synced(site).values()) == [False, True]
    await settle(site)
    assert (synced(site), len(setups(site))) == ({"node1": True, "node2": True}, 2)


@pytest.mark.parametrize("held", [{"mode": "Observe"}, {"paused": True}])
async def test_in_an_engine_that_is_only_observed_it_is_only_told(site: EngineWorld, held: dict[str, Any]) -> None:
    await attached(site)
    site.change(**held)
    drifted(site, "node1", mtu="9000")
    await settle(site)
    assert (says(site, "lan")["status"], "node1" in says(site, "lan")["message"]) == ("False", True)
    assert setups(site) == []


@pytest.mark.parametrize(
    "there", [{"ipv4_boot_protocol": "DHCP"}, {"mtu": "9000", "ipv4_address": "192.0.2.99"}, {"default_route": "true"}]
)
async def test_what_no_network_declares_is_told_and_left_to_a_person(
    site: EngineWorld, there: Mapping[str, str]
) -> None:
    await attached(site)
    drifted(site, "node1", **there)
    await settle(site)
    told = says(site, "lan")
    assert (told["status"], told["reason"]) == ("False", "NetworkDiffers")
    assert all(f"{name} is {value}" in told["message"] for name, value in there.items())
    assert setups(site) == []


async def test_what_was_made_anew_without_effect_is_told_and_not_made_anew_again_and_again(
    site: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await attached(site)
    at_once = SyncHostNetwork.call
    monkeypatch.setattr(SyncHostNetwork, "call", lambda step: replace(at_once(step), settle=0))
    works = HostNetworkPlan.settle
    monkeypatch.setattr(HostNetworkPlan, "settle", lambda change: None)
    drifted(site, "node1", mtu="9000")
    await settle(site)
    for _ in range(4):
        await site.world.round()
    assert len(setups(site)) == 1
    told = says(site, "lan")
    assert (told["status"], told["reason"]) == ("False", "NetworkStaysOutOfSync")
    assert "made anew on host node1 (mtu is 9000, 1500 is expected), and stays so" in told["message"]
    assert says(site, "lan", "Stalled")["reason"] == "NetworkStaysOutOfSync"
    await site.world.kill_operator()
    await site.world.start_operator()
    await settle(site)
    assert len(setups(site)) == 1, "what was told is remembered"
    monkeypatch.setattr(HostNetworkPlan, "settle", works)
    drifted(site, "node1", mtu="1400")
    await settle(site)
    assert (synced(site)["node1"], len(setups(site))) == (True, 2), "something else differs"


async def test_one_host_that_stays_out_of_sync_keeps_no_other_one_waiting(
    site: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await attached(site)
    at_once = SyncHostNetwork.call
    monkeypatch.setattr(SyncHostNetwork, "call", lambda step: replace(at_once(step), settle=0))
    works = HostNetworkPlan.settle

    def all_but_node1(change: HostNetworkPlan) -> None:
        if change._host.name != "node1":
            works(change)

    monkeypatch.setattr(HostNetworkPlan, "settle", all_but_node1)
    for name in HOSTS:
        drifted(site, name, mtu="9000")
    await settle(site)
    assert synced(site) == {"node1": False, "node2": True}
    assert len(setups(site)) <= 3
    assert says(site, "lan")["reason"] == "NetworkStaysOutOfSync"


async def test_a_host_that_is_not_reached_is_told_and_waited_for(site: EngineWorld) -> None:
    await attached(site)
    drifted(site, "node1", mtu="9000")
    host = next(one for one in site.state.hosts.values() if one.name == "node1")
    site.state.lives[host.id].go(site.state.now(), (0, Status.NON_RESPONSIVE))
    await site.world.round()
    await site.world.round()
    assert (says(site, "lan")["reason"], "node1" in says(site, "lan")["message"]) == ("WaitingForNodes", True)
    assert setups(site) == []


@pytest.mark.parametrize(("name", "network"), [("mgmt", "ovirtmgmt"), ("gluster", "gluster")])
async def test_a_network_that_all_hosts_need_is_made_anew_by_approval_alone(
    site: EngineWorld, name: str, network: str
) -> None:
    host_is_up(site, "node1", "192.0.2.11")
    apply(site, mgmt=MANAGEMENT, gluster=GLUSTER)
    await settle(site)
    attach(site, "node1", "gluster", "eth1")
    await settle(site)
    drifted(site, "node1", network, mtu="1400")
    await settle(site)
    assert says(site, name, "Stalled")["reason"] == "WaitingForApproval"
    (step,) = site.world.api.objects[key(name)]["status"]["plan"]["steps"]
    assert (step["verb"], step["needsApproval"]) == ("SyncVitalHostNetwork", True)
    assert setups(site) == []
    approve(site, name)
    await settle(site)
    assert (synced(site, network), len(setups(site))) == ({"node1": True}, 1)
    assert says(site, name, "Ready")["status"] == "True"


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_operator_that_is_killed_at_it_makes_no_network_anew_twice(site: EngineWorld, moment: str) -> None:
    await attached(site)
    await site.world.kill_operator()
    await site.world.start_operator(Recorder(1, moment))
    drifted(site, "node1", mtu="9000")
    with pytest.raises(DiedError):
        await settle(site)
    await site.world.kill_operator()
    await site.world.start_operator()
    await settle(site)
    assert (synced(site)["node1"], len(setups(site))) == (True, 1)


async def test_a_reply_that_is_lost_makes_no_network_anew_twice(site: EngineWorld) -> None:
    await attached(site)
    drifted(site, "node1", mtu="9000")
    site.server.faults.drop_after = 1
    await settle(site)
    assert (synced(site)["node1"], len(setups(site))) == (True, 1)


@pytest.mark.parametrize("step", [SyncHostNetwork, SyncVitalHostNetwork])
@pytest.mark.parametrize(
    ("list_", "now"),
    [
        ("attachments", None),
        ("attachments", {"id": "a", "network": {"id": "another"}, "in_sync": False}),
        ("hosts", None),
        ("hosts", {"id": "h", "name": "another", "status": "up"}),
        ("hosts", {"id": "h", "name": "node1", "status": "installing"}),
    ],
)
def test_a_network_is_made_anew_only_while_host_and_network_are_those_that_were_meant(
    step: type[SyncHostNetwork], list_: str, now: dict[str, Any] | None
) -> None:
    planned = step(engine="engine", why="it differs", host="h", host_name="node1", attachment="a", network="n")
    good: dict[str, dict[str, Any]] = {
        "attachments": {"id": "a", "network": {"id": "n"}, "in_sync": False},
        "hosts": {"id": "h", "name": "node1", "status": "up"},
    }
    of = {"hosts/h/networkattachments": "attachments", "hosts": "hosts"}

    def refused(there: Mapping[str, dict[str, Any] | None]) -> bool:
        found = {name: [record] if (record := there[kind]) else [] for name, kind in of.items()}
        return any(unmet(guard, found[guard.thing.collection]) for guard in planned.call().guards)

    assert not refused(good)
    assert refused(good | {list_: now})

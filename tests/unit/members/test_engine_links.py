"""The links of hosts of the engine: bonds, VLANs and networks, as one change a host that the engine makes."""

from itertools import count
from typing import Any

import pytest

from heretic.reconcile import outages
from sim.blank_site import declared
from sim.engine.host_net import drift
from sim.oracles import approve
from sim.struck import Disturbance, disturb, strikes
from unit.members.conftest import MemberWorld
from unit.members.engine_links import NODES, configure, links, members, setups, wires
from unit.members.test_host_networks import run_on

NUMBERS = count(1)
BOND = {"bond0": (("eth1", "eth2"), {"mode": "1", "miimon": "100"})}


@pytest.fixture(autouse=True)
def two_looks_before_a_host_is_touched_follow_each_other_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "APART", 0.0)


def wired(site: MemberWorld, *names: str) -> bool:
    return all(site.tells("Wired", name)["status"] == "True" for name in names)


@pytest.fixture
async def fresh(site: MemberWorld) -> MemberWorld:
    """Three hosts of the engine with four ports each, which have the management network there and nothing else."""
    await members(site, configured=True)
    return site


@pytest.fixture
async def good(fresh: MemberWorld) -> MemberWorld:
    """Likewise, once they are as declared."""
    await fresh.until(lambda: wired(fresh, *NODES), rounds=15)
    return fresh


def miimon(site: MemberWorld, name: str) -> str:
    return wires(site, name).now.bonds["bond0"][1]["miimon"]


def approved(site: MemberWorld, name: str, setups_then: int) -> bool:
    """A person approves what is planned for a Node, until it was done."""
    approve(site.world, site.node(name), next(NUMBERS))
    return setups(site) == setups_then


def declare_gluster(site: MemberWorld, **spec: Any) -> None:
    site.world.api.apply(declared("Network", "gluster", {"role": "Gluster", "subnet": "172.20.11.0/24", **spec}))


async def test_a_bond_an_address_and_a_network_without_any_are_one_change_a_host(good: MemberWorld) -> None:
    for number, name in enumerate(NODES, start=1):
        found = links(good, name)
        assert found["gluster"] == ("bond0", [f"172.20.11.1{number}"])
        assert found["lan"] == ("eth3", [])
        assert wires(good, name).now.bonds == BOND
        assert wires(good, name).saved.bonds == BOND
        assert setups(good, name) == 1
    assert good.world.condition("Network", "lan", "HostsAttached")["status"] == "True"


async def test_what_is_as_declared_costs_no_request_and_no_change(good: MemberWorld) -> None:
    await good.rounds(3)
    writes, before = len(good.writes), len(good.server.engine.requests)
    await good.rounds(2)
    assert len(good.writes) == writes
    asked = [one for one in good.server.engine.requests[before:] if "hosts" in one or "vms" in one]
    assert asked == ["GET /ovirt-engine/api/hosts"] * 2


async def test_a_network_that_a_port_carries_already_moves_to_the_bond_with_it(site: MemberWorld) -> None:
    await members(site, configured=False)
    await site.until(lambda: all("gluster" in links(site, name) for name in NODES))
    assert links(site, "node2")["gluster"] == ("eth1", ["172.20.11.12"])
    before = setups(site)
    configure(site, *NODES)
    await site.until(lambda: wired(site, *NODES), rounds=15)
    assert [links(site, name)["gluster"][0] for name in NODES] == ["bond0"] * 3
    assert links(site, "node2")["gluster"] == ("bond0", ["172.20.11.12"])
    assert setups(site) == before + 3


async def test_one_host_at_a_time_and_not_with_guests_on_it(good: MemberWorld) -> None:
    guest = run_on(good, "node1", "guest")
    declare_gluster(good, bond={"miimon": 50})
    most = 0
    for _ in range(8):
        before = setups(good)
        await good.rounds(1)
        most = max(most, setups(good) - before)
    assert most == 1
    assert [miimon(good, name) for name in NODES] == ["100", "50", "50"]
    await good.until(lambda: good.tells("Wired")["reason"] == "GuestsRunning")
    assert good.tells("Wired")["status"] == "Unknown"
    assert "1 machines run on it" in good.tells("Wired")["message"]
    del good.state.vms[guest], good.state.vm_lives[guest]
    await good.until(lambda: miimon(good, "node1") == "50")


async def test_a_bond_is_converted_to_lacp_once_a_person_has_set_up_the_switch(good: MemberWorld) -> None:
    before = setups(good)
    declare_gluster(good, bond={"mode": "802.3ad", "transmitHash": "layer2+3", "lacpRate": "fast", "miimon": 50})
    await good.until(lambda: all(good.tells("Wired", name)["reason"] == "BondNeedsSwitch" for name in NODES))
    assert "give exactly these ports of the switch one LACP group" in good.tells("Wired")["message"]
    await good.rounds(3)
    assert setups(good) == before
    for number, name in enumerate(NODES, start=1):
        await good.until(lambda n=name, i=number: approved(good, n, before + i), rounds=15)
        assert setups(good, name) == setups(good, "node1")
    await good.until(lambda: wired(good, *NODES))
    assert wires(good, "node1").now.bonds == {
        "bond0": (("eth1", "eth2"), {"mode": "4", "miimon": "50", "xmit_hash_policy": "2", "lacp_rate": "1"})
    }


async def test_addresses_that_the_host_has_otherwise_are_made_anew_where_they_are_declared(good: MemberWorld) -> None:
    before = setups(good, "node2")
    drift(good.state, "node2", "gluster", ipv4_address="172.20.11.99")
    await good.until(lambda: setups(good, "node2") == before + 1 and wired(good, *NODES))
    there = next(w for w in wires(good, "node2").now.attachments.values() if w.interface == "bond0").there
    assert there["ipv4_address"] == "172.20.11.12"


async def test_a_change_that_cuts_the_host_off_is_taken_back_told_and_not_repeated(good: MemberWorld) -> None:
    before = setups(good, "node1")
    wires(good, "node1").cuts = True
    declare_gluster(good, bond={"miimon": 50})
    await good.until(lambda: good.tells("Wired")["reason"] == "ChangeTakenBack", rounds=15)
    assert "refused it or took it back" in good.tells("Wired")["message"]
    await good.rounds(4)
    await good.world.kill_operator()
    await good.world.start_operator()
    await good.rounds(4)
    assert (setups(good, "node1"), miimon(good, "node1")) == (before + 1, "100")
    assert good.tells("Stalled")["reason"] == "ChangeTakenBack"
    good.declare("node1", configureLinks=False)
    await good.rounds(2)
    good.declare("node1", configureLinks=True)
    await good.until(lambda: miimon(good, "node1") == "50")


@pytest.mark.parametrize("held", [{"paused": True}, {"mode": "Observe"}, {"maintenance": True}])
async def test_what_is_only_observed_or_out_of_service_is_not_changed(good: MemberWorld, held: dict[str, Any]) -> None:
    good.declare("node1", **held)
    declare_gluster(good, bond={"miimon": 50})
    await good.rounds(6)
    assert miimon(good, "node1") == "100"


@strikes("SetUpHostNetworks")
async def test_links_of_a_host_are_changed_once_whatever_happens_at_it(good: MemberWorld) -> None:
    async def go() -> None:
        await good.rounds(1)

    for number, how in enumerate(Disturbance, 50):
        before = setups(good)
        declare_gluster(good, bond={"miimon": number})
        await disturb(good.world, "SetUpHostNetworks", how, go=go, replies=lambda _: good.server.faults)
        await good.until(lambda n=number: all(miimon(good, name) == str(n) for name in NODES), rounds=20)
        await good.rounds(2)
        assert wired(good, *NODES), (how, good.world.describe())
        assert setups(good) == before + 3, how

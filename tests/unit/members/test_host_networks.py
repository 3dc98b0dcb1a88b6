"""Networks on the hosts of an engine: attached one host at a time, kept in sync, never under running guests."""

from typing import Any

import pytest
from ovirtsdk4 import types

from heretic.reconcile import outages
from heretic.reconcile.store import Key
from sim.addresses import PREFIX
from sim.blank_site import declared
from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.faults import changes
from sim.engine.host_life import Status
from sim.engine.host_net import HostWires, WiredNetwork, net_of, wanted
from sim.engine.hosts import make_host
from sim.engine.state import named
from sim.engine.vm_defaults import new_vm
from sim.engine.vm_life import VmLife
from sim.world import NAMESPACE, Object, Recorder
from unit.members.conftest import MemberWorld

GLUSTER, MGMT = Key("Network", NAMESPACE, "gluster"), Key("Network", NAMESPACE, "mgmt")
NODES = ("node1", "node2", "node3")


def wires(site: MemberWorld, host: str) -> HostWires:
    found = named(site.state.hosts, host)
    assert found
    return net_of(site.state, found)


def on_host(site: MemberWorld, host: str, network: str = "gluster") -> Any:
    """The attachment of a network; None where the host has not got it."""
    net = wires(site, host)
    return next((w for w in net.now.attachments.values() if site.state.networks[w.network].name == network), None)


def told(site: MemberWorld, type_: str = "HostsAttached", network: str = "gluster") -> Object:
    return site.world.condition("Network", network, type_)


def setups(site: MemberWorld) -> int:
    return sum("setupnetworks" in write for write in site.writes)


def attached(site: MemberWorld, *hosts: str) -> bool:
    return all(on_host(site, name) for name in hosts) and bool(told(site).get("status") == "True")


def take_from(site: MemberWorld, host: str) -> Any:
    """What a person does in the engine: the attachment that is gone."""
    wired = on_host(site, host)
    return wires(site, host).now.attachments.pop(wired.id)


def run_on(site: MemberWorld, host: str, name: str, **values: Any) -> str:
    """Starts a machine on a host: its id."""
    at = named(site.state.hosts, host)
    assert at
    machine = new_vm(site.state, name, DEFAULT_CLUSTER, **values)
    site.state.vm_lives[machine.id] = VmLife.up(site.state.now(), site.state.vm_lasting, at.id)
    return str(machine.id)


@pytest.fixture
async def members(site: MemberWorld, monkeypatch: pytest.MonkeyPatch) -> MemberWorld:
    """Three hosts that somebody has added to the engine, which have no network of bricks there yet.

    Two looks before a host is touched may follow each other at once.
    """
    monkeypatch.setattr(outages, "APART", 0.0)
    for number, name in enumerate(NODES, start=1):
        host = make_host(site.state, types.Host(name=name, address=f"{PREFIX}1{number}"), DEFAULT_CLUSTER)
        site.state.lives[host.id].go(site.state.now(), (0, Status.UP))
    await site.until(lambda: told(site, "LogicalNetworkReady").get("status") == "True", seconds=30)
    return site


@pytest.fixture
async def member(members: MemberWorld) -> MemberWorld:
    """Likewise, with the network of bricks on all of them."""
    gluster = named(members.state.networks, "gluster")
    assert gluster
    for name in NODES:
        host, wired = named(members.state.hosts, name), on_host(members, name)
        if wired is None:
            wired = WiredNetwork(members.state.new_id(), gluster.id, "eth1", [])
            wired.there = wanted(members.state, host, wired)
            wires(members, name).now.attachments[wired.id] = wired
            wires(members, name).save()
    await members.until(members.ready, seconds=30)
    return members


async def test_a_network_comes_to_each_host_with_the_address_that_the_host_has(members: MemberWorld) -> None:
    await members.until(members.ready, rounds=40, seconds=30)
    assert attached(members, *NODES)
    for number, name in enumerate(NODES, start=1):
        wired = on_host(members, name)
        (address,) = wired.addresses
        assert wired.interface == "eth1"
        assert (address.assignment_method.value, address.ip.address) == ("static", f"172.20.11.1{number}")
        assert address.ip.netmask == "255.255.255.0"
        assert wires(members, name).saved.attachments.keys() == wires(members, name).now.attachments.keys()
    assert setups(members) == len(NODES)
    attachments = members.world.api.objects[GLUSTER]["status"]["attachments"]
    assert [one["inEngine"] for one in attachments] == [True] * 3


async def test_then_the_cluster_requires_it_and_nothing_is_changed_any_more(member: MemberWorld) -> None:
    gluster = named(member.state.networks, "gluster")
    assert gluster
    assert member.state.cluster_networks[DEFAULT_CLUSTER, gluster.id].required
    assert "notes" not in member.world.api.objects[GLUSTER]["status"]
    before = len(member.writes)
    await member.rounds(3)
    assert len(member.writes) == before


async def test_hosts_without_an_address_in_a_network_are_named_until_a_person_has_attached_it(
    member: MemberWorld,
) -> None:
    lan = {"role": "LAN", "subnet": "198.18.77.0/24"}
    member.world.api.apply(declared("Network", "lan", lan))
    await member.until(lambda: told(member, "LogicalNetworkReady", "lan").get("status") == "True", seconds=30)
    before = setups(member)

    def notes() -> list[str]:
        status = member.world.api.objects[Key("Network", NAMESPACE, "lan")]["status"]
        return list(status.get("notes", []))

    await member.rounds(1)
    assert any(note.startswith("node1, node2, node3 has no address in lan") for note in notes())
    network = named(member.state.networks, "lan")
    assert network
    for name in ("node1", "node3"):
        wired = WiredNetwork(member.state.new_id(), network.id, "eth2", [])
        wired.there = wanted(member.state, named(member.state.hosts, name), wired)
        wires(member, name).now.attachments[wired.id] = wired
    await member.rounds(1)
    assert any(note.startswith("node2 has no address in lan") for note in notes())
    assert setups(member) == before, "no port is guessed"


async def test_a_network_that_was_taken_from_a_host_by_hand_comes_back(member: MemberWorld) -> None:
    take_from(member, "node1")
    before = setups(member)
    await member.rounds(1)
    assert (told(member)["status"], told(member)["reason"]) != ("True", "AsDeclared")
    assert "'node1' has not got network 'gluster'" in told(member)["message"]
    await member.until(lambda: attached(member, "node1"))
    assert setups(member) == before + 1


@pytest.mark.parametrize("who", ["network", "node", "paused"])
async def test_what_is_only_observed_is_told_and_left_alone(member: MemberWorld, who: str) -> None:
    match who:
        case "network":
            member.world.api.patch(GLUSTER, {"mode": "Observe"})
        case "node":
            member.declare("node1", mode="Observe")
        case _:
            member.declare("node1", paused=True)
    take_from(member, "node1")
    before = setups(member)
    await member.rounds(4)
    assert told(member)["status"] == "False"
    assert "'node1' has not got network 'gluster'" in told(member)["message"]
    assert setups(member) == before


async def test_a_change_that_cuts_the_host_off_is_taken_back_by_the_engine_and_told(member: MemberWorld) -> None:
    take_from(member, "node1")
    wires(member, "node1").cuts = True
    await member.rounds(1)
    assert on_host(member, "node1") is None
    assert "lost connectivity" in member.world.describe()
    await member.until(member.ready)
    assert attached(member, "node1")


@pytest.mark.parametrize("moment", ["before", "after", "reply lost"])
async def test_an_attachment_that_was_disturbed_is_there_once(member: MemberWorld, moment: str) -> None:
    wired, before = take_from(member, "node1"), setups(member)
    if moment == "reply lost":
        member.server.faults.at, member.server.faults.drop_after = changes, 1
    else:
        await member.world.kill_operator()
        await member.world.start_operator(Recorder(1, moment))
        assert await member.world.run_mortal(lambda: member.rounds(3)), "the operator did not die"
        await member.world.start_operator()
    await member.until(lambda: attached(member, "node1"))
    found = [w for w in wires(member, "node1").now.attachments.values() if w.network == wired.network]
    assert len(found) == 1
    assert setups(member) == before + 1


async def test_under_a_guest_it_is_not_touched_and_the_guest_is_told(member: MemberWorld) -> None:
    guest = run_on(member, "node1", "guest")
    take_from(member, "node1")
    before = setups(member)
    await member.rounds(4)
    assert (told(member)["status"], told(member)["reason"]) == ("False", "GuestsRunning")
    assert "1 machines run on it" in told(member)["message"]
    assert setups(member) == before
    del member.state.vms[guest], member.state.vm_lives[guest]
    await member.until(member.ready)
    assert attached(member, "node1")


async def test_under_the_engines_own_machine_it_is_attached_all_the_same(member: MemberWorld) -> None:
    run_on(member, "node1", "HostedEngine", origin="managed_hosted_engine")
    take_from(member, "node1")
    await member.until(member.ready)
    assert attached(member, "node1")

"""Each effect on a host in the engine is disturbed once: it happens once, and the host is as declared in the end."""

from collections.abc import Awaitable, Callable

from sim.engine.host_life import Status
from sim.engine.power import PowerDevice
from sim.struck import Disturbance, disturb, strikes
from unit.members.conftest import MemberWorld
from unit.members.test_member_labels import names
from unit.members.test_member_maintenance import sent
from unit.members.test_member_power import AGENT, BMC, NODE, OTHER, agents, declared, host, power, rotated, up, works

__all__ = ["up"]

LONE = ("ActivateHost", "ReinstallHost", "UnlabelHost")
POWER = ("AddFenceAgent", "UpdateFenceAgent", "RemoveFenceAgent", "SetPowerManagement")


async def strike(site: MemberWorld, verb: str, how: Disturbance) -> None:
    async def go() -> None:
        await site.rounds(1)

    await disturb(site.world, verb, how, go=go, replies=lambda _: site.server.faults)


async def in_maintenance(site: MemberWorld) -> None:
    await site.until(site.all_members)
    site.state.lives[site.seen()["engine"]["id"]].go(site.clock(), (0, Status.MAINTENANCE))


async def labelled(site: MemberWorld) -> None:
    site.declare(affinityLabels=["ssd", "licensed"])
    await site.until(site.ready)
    site.declare(affinityLabels=["ssd"])


async def cannot_be_installed(site: MemberWorld) -> None:
    site.state.broken = set(site.state.reachable)
    await site.until(lambda: site.state_of() == "install_failed")
    site.state.broken = set()


BEFORE: dict[str, tuple[Callable[[MemberWorld], Awaitable[None]], str, str]] = {
    "ActivateHost": (in_maintenance, "activate", "up"),
    "ReinstallHost": (cannot_be_installed, "install", "up"),
    "UnlabelHost": (labelled, "", "up"),
}


@strikes(*LONE)
async def test_a_host_is_asked_once_and_is_as_declared(lone: MemberWorld, verb: str, how: Disturbance) -> None:
    prepare, action, state = BEFORE[verb]
    await prepare(lone)
    await strike(lone, verb, how)
    await lone.until(lambda: lone.ready() and lone.state_of() == state)
    await lone.rounds(2)
    assert lone.state_of() == state
    assert not action or sent(lone, action) == 1
    assert len(lone.state.hosts) == 1
    if verb == "UnlabelHost":
        assert (names(lone), len(lone.state.affinity_labels)) == ({"ssd"}, 2)


async def switched_off(site: MemberWorld) -> None:
    await declared(site)
    host(site).power_management.enabled = False


async def to_be_managed(site: MemberWorld) -> None:
    site.declare(NODE, powerManagement=power())


async def changed_secret(site: MemberWorld) -> None:
    await declared(site)
    site.world.api.secrets["bmc"] = {"password": b"rotated"}
    site.state.devices[BMC].password = "rotated"
    site.clock.go(hours=1.1)


async def replaced(site: MemberWorld) -> None:
    await declared(site)
    await rotated(site)


POWERED: dict[str, tuple[Callable[[MemberWorld], Awaitable[None]], str]] = {
    "AddFenceAgent": (to_be_managed, BMC),
    "UpdateFenceAgent": (changed_secret, BMC),
    "RemoveFenceAgent": (replaced, OTHER),
    "SetPowerManagement": (switched_off, BMC),
}


@strikes(*POWER)
async def test_a_host_has_one_agent_with_the_declared_password(up: MemberWorld, verb: str, how: Disturbance) -> None:
    prepare, address = POWERED[verb]
    await prepare(up)
    await strike(up, verb, how)

    def done() -> bool:
        there = [one.address for one in agents(up)]
        return works(up) and there == [address] and host(up).power_management.enabled

    await up.until(done, seconds=60)
    (agent,) = agents(up)
    device = up.state.devices[address]
    assert isinstance(device, PowerDevice)
    assert (agent.password, agent.type) == (device.password, AGENT["type"])

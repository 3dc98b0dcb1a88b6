"""Each effect on networks that hosts have, and the removal of one, is disturbed in every way, one after the other."""

from collections.abc import Awaitable, Callable
from itertools import count

from sim.oracles import approve
from sim.struck import Disturbance, disturb, strikes
from unit.hosted_engine.conftest import EngineWorld
from unit.network.engine_networks import (
    GLUSTER,
    LAN,
    MANAGEMENT,
    apply,
    attach,
    host_is_up,
    in_engine,
    key,
    says,
    settle,
)
from unit.network.test_host_sync import attached, drifted, setups, synced

NUMBERS = count(1)


async def strike(site: EngineWorld, network: str, verb: str, how: Disturbance) -> None:
    """With a person who approves whatever waits for it."""

    async def go() -> None:
        if key(network) in site.world.api.objects:
            approve(site.world, key(network), next(NUMBERS))
        await site.world.round()

    await disturb(site.world, verb, how, go=go, replies=lambda _: site.server.faults)
    for _ in range(3):
        await go()
    await settle(site)


async def vital(site: EngineWorld) -> None:
    """A host that has the network of bricks."""
    host_is_up(site, "node1", "192.0.2.11")
    apply(site, mgmt=MANAGEMENT, gluster=GLUSTER)
    await settle(site)
    attach(site, "node1", "gluster", "eth1")
    await settle(site)


async def guests(site: EngineWorld) -> None:
    await attached(site)


CHANGED: dict[str, tuple[Callable[[EngineWorld], Awaitable[None]], str]] = {
    "UpdateNetworkOfHosts": (guests, "lan"),
    "UpdateVitalNetwork": (vital, "gluster"),
}


@strikes(*CHANGED)
async def test_a_network_is_changed_once_on_the_hosts_that_have_it(site: EngineWorld, verb: str) -> None:
    prepare, name = CHANGED[verb]
    await prepare(site)
    for tag, how in enumerate(Disturbance, 101):
        before, spec = len(site.writes), LAN if name == "lan" else GLUSTER
        apply(site, **{name: {**spec, "vlan": tag}})
        await strike(site, name, verb, how)
        asked = [one.split(" ")[0] for one in site.writes[before:]]
        # A PUT whose reply is lost is sent again by itself: it says what shall be there (decision 0038).
        assert asked == ["PUT"] * (1 + (how is Disturbance.UNHEARD)), (how, site.writes[before:])
        assert in_engine(site, name).vlan.id == tag
        assert says(site, name, "Ready")["status"] == "True", (how, site.world.describe())


SYNCED: dict[str, tuple[Callable[[EngineWorld], Awaitable[None]], str]] = {
    "SyncHostNetwork": (guests, "lan"),
    "SyncVitalHostNetwork": (vital, "gluster"),
}


@strikes(*SYNCED)
async def test_a_network_is_made_anew_once_on_the_host_that_differs(site: EngineWorld, verb: str) -> None:
    prepare, name = SYNCED[verb]
    await prepare(site)
    for how in Disturbance:
        before = len(setups(site))
        drifted(site, "node1", name, mtu="1400")
        await strike(site, name, verb, how)
        assert len(setups(site)) == before + 1, how
        assert all(synced(site, name).values()), how
        assert says(site, name, "Ready")["status"] == "True", (how, site.world.describe())


@strikes("RemoveLogicalNetwork")
async def test_a_network_is_removed_once_and_no_namesake_of_it(site: EngineWorld) -> None:
    for how in Disturbance:
        apply(
            site,
            lan={**LAN, "deletionPolicy": "Destroy"},
            other={"role": "Internal", "subnet": "172.20.13.0/24", "vlan": 13},
        )
        await settle(site)
        before, other = len(site.writes), in_engine(site, "other").id
        site.world.api.delete(key("lan"))
        await strike(site, "lan", "RemoveLogicalNetwork", how)
        assert key("lan") not in site.world.api.objects, (how, site.world.describe())
        asked = {one.partition("?")[0].split("/api/")[-1].split("/")[0] for one in site.writes[before:]}
        assert asked == {"networks"}, how
        # What deletes may be sent twice when its reply is lost: the second one finds nothing (decision 0038).
        assert len(site.writes) - before <= 1 + (how is Disturbance.UNHEARD), how
        assert (in_engine(site, "lan"), in_engine(site, "other").id) == (None, other), how

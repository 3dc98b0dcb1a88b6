"""Each effect on data center, cluster, MAC pool and networks is disturbed: what is declared is there once."""

from collections.abc import Callable

from heretic.reconcile.store import Key
from sim.blank_site import declared
from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER
from sim.engine.state import named
from sim.struck import Disturbance, disturb, strikes
from sim.world import NAMESPACE
from unit.hosted_engine.conftest import EngineWorld

LAN = {"role": "LAN", "subnet": "172.20.12.0/24", "vlan": 12}
POOL = {"name": "home", "ranges": [{"from": "02:00:00:00:00:00", "to": "02:00:00:00:ff:ff"}]}


def lan(site: EngineWorld) -> str:
    found = named(site.state.networks, "lan")
    assert found
    return str(found.id)


def declare_others(site: EngineWorld) -> None:
    site.change(dataCenter={"name": "milan"}, cluster={"name": "milan1", "macPool": POOL})


def rename(site: EngineWorld) -> None:
    site.state.data_centers[DEFAULT_DATA_CENTER].name = "by hand"


def allow_doubles(site: EngineWorld) -> None:
    pool = named(site.state.mac_pools, "home")
    assert pool
    pool.allow_duplicates = True


def other_tag(site: EngineWorld) -> None:
    site.state.networks[lan(site)].description = "by hand"
    site.world.api.patch(Key("Network", NAMESPACE, "lan"), {"vlan": 13})


def other_use(site: EngineWorld) -> None:
    held = site.state.cluster_networks[DEFAULT_CLUSTER, lan(site)]
    held.required = not held.required


SITUATIONS: dict[str, Callable[[EngineWorld], None]] = {
    "AddDataCenter": declare_others,
    "AddCluster": declare_others,
    "RenameDataCenter": rename,
    "UpdateMacPool": allow_doubles,
    "UpdateLogicalNetwork": other_tag,
    "UpdateClusterNetwork": other_use,
}


@strikes(*SITUATIONS)
async def test_what_is_declared_is_there_once(site: EngineWorld, verb: str, how: Disturbance) -> None:
    if not verb.startswith("Add"):
        site.change(cluster={"macPool": POOL})
        site.world.api.apply(declared("Network", "lan", LAN))
        await site.settle(20)
    SITUATIONS[verb](site)
    await disturb(site.world, verb, how, go=site.world.round, replies=lambda _: site.server.faults)
    await site.settle(20)
    assert site.says("Ready")["status"] == "True", site.world.describe()
    if not verb.startswith("Add"):
        assert site.world.condition("Network", "lan", "LogicalNetworkReady")["status"] == "True"
    others = ["milan"] * verb.startswith("Add")
    for table, names in (
        (site.state.data_centers, ["Default", *others]),
        (site.state.clusters, ["Default", *(f"{name}1" for name in others)]),
        (site.state.mac_pools, ["Default", "home"]),
    ):
        assert sorted(one.name for one in table.values()) == names
    pool = named(site.state.mac_pools, "home")
    assert pool
    assert not pool.allow_duplicates

"""Each effect on the way to the end of a volume that is a storage domain is disturbed: it happens once, by approval."""

from dataclasses import dataclass
from itertools import count

from sim.engine.faults import EngineFaults, of_the_api
from sim.oracles import approve
from sim.struck import Disturbance, disturb, strikes
from unit.storage.conftest import VOLUME, VolumeWorld
from unit.storage.test_volume_domain_removal import PLACE, domain_of

LOOK = "SeeNoStorageDomain"


@dataclass
class Questions:
    """The engine's answers to what changes nothing."""

    faults: EngineFaults

    @property
    def drop_after(self) -> int:
        return self.faults.drop_after

    @drop_after.setter
    def drop_after(self, number: int) -> None:
        self.faults.at, self.faults.drop_after = of_the_api, number


@strikes("DeactivateStorageDomain", "DetachStorageDomain", "RemoveStorageDomain", LOOK)
async def test_a_domain_is_taken_away_once_and_then_its_volume(
    stored: VolumeWorld, verb: str, how: Disturbance
) -> None:
    await domain_of(stored, deletionPolicy="Destroy")
    faults, numbers = stored.server.faults, count(1)

    async def go() -> None:
        if VOLUME in stored.world.api.objects:
            approve(stored.world, VOLUME, next(numbers))
        await stored.world.round()
        stored.clock.go(seconds=30)
        is_there = "vmstore" in stored.world.site.pool.volumes
        assert is_there or stored.names == ["first"], "the volume went before its domain"

    await disturb(stored.world, verb, how, go=go, replies=lambda _: Questions(faults) if verb == LOOK else faults)
    for _ in range(8):
        await go()
    assert VOLUME not in stored.world.api.objects, stored.world.describe()
    assert "vmstore" not in stored.world.site.pool.volumes
    assert stored.names == ["first"]
    assert stored.state.storage[PLACE].domain is not None, "it was formatted"
    # What deletes may be sent twice when its reply is lost: the second one finds nothing (decision 0038).
    twice = {"DetachStorageDomain": "detach", "RemoveStorageDomain": "remove"}.get(verb)
    once = [one for n, one in enumerate(stored.changes) if one != twice or one not in stored.changes[:n]]
    assert once == ["add", "attach", "deactivate", "detach", "remove"]
    assert how is Disturbance.UNHEARD or once == stored.changes

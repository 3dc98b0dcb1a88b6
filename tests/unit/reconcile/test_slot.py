"""The disruption slot: one object of a site at a time, and none for ever."""

from heretic.cluster.lease import Lease
from heretic.reconcile.slot import LEASE_NAME, SLOT_SECONDS, DisruptionSlots
from heretic.reconcile.store import Key
from unit.cluster.fake_api import FakeApi
from unit.cluster.test_lease import Clock

ONE, TWO = (Key("GlusterVolume", "demo", name) for name in ("one", "two"))
ELSEWHERE = Key("GlusterVolume", "other", "one")


def operator(api: FakeApi, clock: Clock) -> DisruptionSlots:
    def make(namespace: str, holder: str, seconds: int) -> Lease:
        return Lease(
            api,  # type: ignore[arg-type]
            namespace,
            f"{LEASE_NAME}-{namespace}",
            holder,
            monotonic=clock.monotonic,
            now=clock.now,
            duration=seconds,
        )

    return DisruptionSlots(make)


async def test_one_object_of_a_site_has_it_until_it_gives_it_back() -> None:
    slots = operator(FakeApi(), Clock())
    assert await slots.take(ONE) is None
    assert await slots.take(ONE) is None
    assert await slots.take(TWO) == str(ONE)
    assert await slots.take(ELSEWHERE) is None
    assert (slots.has(ONE), slots.has(TWO), slots.holder("demo")) == (True, False, str(ONE))
    await slots.release(TWO)
    assert await slots.take(TWO) == str(ONE)
    await slots.release(ONE)
    assert await slots.take(TWO) is None
    assert slots.holder("demo") == str(TWO)


async def test_what_an_operator_died_with_is_free_after_its_time() -> None:
    api, clock = FakeApi(), Clock()
    await operator(api, clock).take(ONE)
    after = operator(api, clock)
    for _ in range(3):
        assert await after.take(TWO) == str(ONE)
        clock.at += SLOT_SECONDS / 3
    clock.at += 1
    assert await after.take(TWO) is None


async def test_what_an_object_does_not_renew_is_free_after_its_time() -> None:
    clock = Clock()
    slots = operator(FakeApi(), clock)
    await slots.take(ONE)
    clock.at += SLOT_SECONDS
    assert not slots.has(ONE)
    assert slots.holder("demo") == ""
    await slots.take(TWO)
    clock.at += SLOT_SECONDS + 1
    assert await slots.take(TWO) is None
    assert not slots.has(ONE)
    assert await slots.take(ONE) == str(TWO)


async def test_an_object_that_is_gone_leaves_it_to_time() -> None:
    clock = Clock()
    slots = operator(FakeApi(), clock)
    await slots.take(ONE)
    slots.forget(ONE)
    assert await slots.take(TWO) == str(ONE)
    clock.at += SLOT_SECONDS + 1
    assert await slots.take(TWO) is None

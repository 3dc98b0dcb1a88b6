"""The disruption slot: one object of a site at a time, and none for ever."""

from heretic.cluster.lease import Lease
from heretic.domain.plan import Outage
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


async def test_a_host_that_is_out_stays_claimed_by_its_object_after_a_crash() -> None:
    api, clock = FakeApi(), Clock()
    slots = operator(api, clock)
    assert await slots.take(ONE) is None
    assert await slots.claim(ONE, Outage("node1", 900))
    assert slots.holder("demo") == f"{ONE} (node1 is out of service)"
    after = operator(api, clock)
    assert await after.take(TWO) == str(ONE)
    assert await after.take(ONE) is None
    assert after.claimed(ONE) == "node1"


async def test_while_a_host_is_out_nobody_else_gets_the_slot_of_an_operator_that_died() -> None:
    api, clock = FakeApi(), Clock()
    slots = operator(api, clock)
    await slots.take(ONE)
    await slots.claim(ONE, Outage("node1", 900))
    after = operator(api, clock)
    for _ in range(4):
        assert await after.take(TWO) == str(ONE)
        clock.at += 225
    clock.at += 1
    assert await after.take(TWO) is None
    assert after.claimed(TWO) == "", "what another object claimed ended with it"


async def test_a_claim_ends_with_the_slot() -> None:
    api, clock = FakeApi(), Clock()
    slots = operator(api, clock)
    await slots.take(ONE)
    await slots.claim(ONE, Outage("node1", 900))
    await slots.release(ONE)
    assert await slots.take(ONE) is None
    assert slots.claimed(ONE) == ""


async def test_a_claim_that_another_holder_came_before_is_not_written() -> None:
    api, clock = FakeApi(), Clock()
    slots, other = operator(api, clock), operator(api, clock)
    await slots.take(ONE)
    clock.at += SLOT_SECONDS + 1
    assert await other.take(TWO) == str(ONE)
    clock.at += SLOT_SECONDS + 1
    assert await other.take(TWO) is None
    assert not await slots.claim(ONE, Outage("node1", 900))
    assert slots.claimed(ONE) == ""

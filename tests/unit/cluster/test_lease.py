from datetime import UTC, datetime, timedelta

import pytest

from heretic.cluster.lease import DURATION, MARGIN, Lease
from heretic.domain.errors import HereticError
from unit.cluster.fake_api import FakeApi


class Clock:
    def __init__(self, skew: float = 0.0) -> None:
        self.at = 0.0
        self.skew = skew

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.at + self.skew)


def lease(api: FakeApi, holder: str, clock: Clock) -> Lease:
    return Lease(api, "heretic-system", "operator", holder, monotonic=clock.monotonic, now=clock.now)  # type: ignore[arg-type]


async def test_the_first_takes_it_and_the_second_waits() -> None:
    api, clock = FakeApi(), Clock()
    first, second = lease(api, "a", clock), lease(api, "b", clock)
    assert await first.acquire()
    assert first.held
    assert not await second.acquire()
    assert not second.held
    assert second.other_holder == "a"


async def test_a_dead_holder_is_replaced_after_its_duration_with_a_greater_token() -> None:
    api, clock = FakeApi(), Clock()
    first, second = lease(api, "a", clock), lease(api, "b", clock)
    await first.acquire()
    assert not await second.acquire()
    clock.at += DURATION + 1
    assert await second.acquire()
    assert second.token > first.token
    assert not first.held
    assert not await first.acquire()


async def test_a_renewing_holder_is_never_replaced_however_wrong_its_clock() -> None:
    api, clock, wrong = FakeApi(), Clock(), Clock(skew=-86_400)
    first, second = lease(api, "a", wrong), lease(api, "b", clock)
    for _ in range(20):
        assert await first.acquire()
        assert not await second.acquire()
        clock.at += 5
        wrong.at += 5


async def test_a_holder_stops_before_its_lease_ends_when_it_cannot_renew() -> None:
    api, clock = FakeApi(), Clock()
    first = lease(api, "a", clock)
    await first.acquire()
    api.down = True
    clock.at += DURATION - MARGIN + 0.1
    with pytest.raises(HereticError):
        await first.acquire()
    assert not first.held


async def test_a_released_lease_can_be_taken_at_once() -> None:
    api, clock = FakeApi(), Clock()
    first, second = lease(api, "a", clock), lease(api, "b", clock)
    await first.acquire()
    await first.release()
    assert not first.held
    assert await second.acquire()
    assert second.token > first.token


async def test_releasing_does_not_take_it_from_another() -> None:
    api, clock = FakeApi(), Clock()
    first, second = lease(api, "a", clock), lease(api, "b", clock)
    await first.acquire()
    await second.release()
    assert await first.acquire()


@pytest.mark.parametrize("later", [0.01, 3600.0])
async def test_a_deleted_lease_does_not_take_the_token_back(later: float) -> None:
    api, clock = FakeApi(), Clock()
    first, second = lease(api, "a", clock), lease(api, "b", clock)
    await first.acquire()
    api.leases.clear()
    clock.at += later
    assert await second.acquire()
    assert second.token > first.token


async def test_a_lease_that_was_put_back_from_a_backup_does_not_take_the_token_back() -> None:
    api, clock = FakeApi(), Clock()
    first, second, third = (lease(api, holder, clock) for holder in "abc")
    await first.acquire()
    backup = dict(api.leases)
    await first.release()
    clock.at += 60
    assert await second.acquire()
    api.leases.update(backup)
    await third.acquire()
    clock.at += DURATION + 1
    assert await third.acquire()
    assert third.token > second.token

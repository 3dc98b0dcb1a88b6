"""Each effect on a storage domain that the engine's object declares is disturbed: it happens once."""

from collections.abc import Callable

from sim.struck import Disturbance, disturb, strikes
from unit.storage.conftest import DomainWorld
from unit.storage.test_block_domains import FIBRE
from unit.storage.test_engine_domains import GUESTS


def put_away(shares: DomainWorld) -> None:
    shares.is_now("guests", "maintenance")


def renamed(shares: DomainWorld) -> None:
    shares.domain("guests").name = "by hand"


def nothing(shares: DomainWorld) -> None:
    """It has yet to be made."""


SITUATIONS: dict[str, tuple[bool, Callable[[DomainWorld], None], str]] = {
    "AddBlockDomain": (False, nothing, "add"),
    "UpdateStorageDomain": (True, renamed, "update"),
    "ActivateStorageDomain": (True, put_away, "activate"),
}


@strikes(*SITUATIONS)
async def test_a_domain_is_changed_once_and_active(shares: DomainWorld, verb: str, how: Disturbance) -> None:
    is_there, change, asked = SITUATIONS[verb]
    shares.change(storageDomains=[GUESTS if is_there else FIBRE])
    if is_there:
        await shares.rest()
    change(shares)

    async def go() -> None:
        await shares.world.round()
        shares.clock.go(seconds=30)

    await disturb(shares.world, verb, how, go=go, replies=lambda _: shares.server.faults)
    await shares.rest()
    assert (shares.names, shares.state_of("guests")) == (["guests"], "active")
    once = [one for one in shares.changes if one == asked]
    # A PUT whose reply is lost is sent again by itself: it says what shall be there (decision 0038).
    assert len(once) == 1 + (asked == "update" and how is Disturbance.UNHEARD), shares.changes

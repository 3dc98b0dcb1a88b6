"""Taking a host out of service is disturbed in every way, one after the other: it alone leaves, and once."""

from sim.struck import Disturbance, disturb, strikes
from unit.members.conftest import MemberWorld
from unit.members.test_member_maintenance import NODE, sent, up

__all__ = ["up"]
OTHERS = ("node1", "node2")


@strikes("DeactivateHost")
async def test_a_host_leaves_once_and_no_other_one_does(up: MemberWorld) -> None:
    async def go() -> None:
        await up.rounds(1)
        assert [up.state_of(name) for name in OTHERS] == ["up", "up"]

    for number, how in enumerate(Disturbance, 1):
        up.declare(NODE, maintenance=True)
        await disturb(up.world, "DeactivateHost", how, go=go, replies=lambda _: up.server.faults)
        await up.until(lambda: up.tells("Maintenance", NODE)["status"] == "True")
        assert (up.state_of(NODE), sent(up, "deactivate")) == ("maintenance", number), how
        up.declare(NODE, maintenance=False)
        await up.until(lambda: up.ready() and up.state_of(NODE) == "up", seconds=30)
        assert sent(up, "activate") == number, how

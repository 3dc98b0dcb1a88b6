"""An engine on a machine of its own, and the password that is made for it: each effect is disturbed, each is once."""

from dataclasses import dataclass

from heretic.domain.hosted_engine.setup_steps import ANSWERS
from heretic.domain.hosted_engine.variables import PASSWORD
from sim.struck import Disturbance, disturb, strikes
from sim.world import MemoryApi
from unit.hosted_engine.test_standalone import FIRST, SECRET, Setup, site

__all__ = ["site"]


@dataclass
class Made:
    """The API server's answers when a Secret is made."""

    api: MemoryApi

    @property
    def drop_after(self) -> int:
        return int(self.api.lose_next_secret)

    @drop_after.setter
    def drop_after(self, number: int) -> None:
        self.api.lose_next_secret = number == 1


@strikes("GeneratePassword", "SetUpEngine")
async def test_an_engine_is_set_up_once_with_one_password(site: Setup, verb: str, how: Disturbance) -> None:
    async def go() -> None:
        await site.run(1)

    made = Made(site.world.api)
    await disturb(
        site.world, verb, how, go=go, replies=lambda _: made if verb == "GeneratePassword" else site.ssh.faults
    )
    await site.run()
    assert (site.starts, site.world.api.secrets_made, len(site.host.setups)) == ([FIRST], [SECRET], 1)
    assert site.host.server.engine.sso.passwords["admin"] == site.world.api.secrets[SECRET]["password"].decode()
    assert site.says("EngineUp")["status"] == "True", site.world.describe()


@strikes("ForgetSetupPassword")
async def test_the_password_of_a_setup_that_failed_goes_and_nothing_is_set_up_over_the_rest(
    site: Setup, how: Disturbance
) -> None:
    async def go() -> None:
        await site.run(1)

    site.host.fails = "Misc configuration"
    await disturb(site.world, "ForgetSetupPassword", how, go=go, replies=lambda _: site.ssh.faults)
    await site.run(3)
    assert {PASSWORD, ANSWERS} & site.host.machine.files.keys() == set()
    assert (site.starts, len(site.host.setups)) == ([FIRST], 1)

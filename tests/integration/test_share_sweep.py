"""A site comes to serve files, joins a domain, leaves it, and lets hosts go, with every single effect disturbed.

The end is always the same; and after each effect no public address was given without a proved lock on every file
server, no two file servers were disturbed at once, no folder was gone, no domain was joined twice, and nobody else's
account in it was touched (sim/share_oracles.py).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from heretic.reconcile.gateway import Faults
from heretic.reconcile.store import Key
from sim.crash_sweep import sweep, undisturbed
from sim.share_oracles import ShareOracles
from sim.share_site import SHARE, DomainWorld, ShareWorld
from sim.struck import Disturbance, strikes
from sim.world import NAMESPACE

OFFICE = Key("FileShare", NAMESPACE, "office")
NODE = Key("Node", NAMESPACE, "node1")
SERVING = (
    *("LeaveToCtdb", "MountLock", "HoldLock", "ProveLock", "ReleaseLock"),
    *("StartCtdb", "GivePublicAddresses", "MountVolume", "AddGroup", "AddUser", "MakeFolder", "PutSambaConfiguration"),
    *("StartSamba", "SetPassword", "EnableScript", "LimitFolder"),
)
IN_DOMAIN = ("PutSambaConfiguration", "JoinDomain", "StartSamba", "StartWinbind", "EnableScript", "MakeFolder")


@dataclass
class Swept:
    """A site of which one stretch is swept."""

    made: ShareWorld
    oracles: ShareOracles

    async def start(self, faults: Faults | None = None) -> None:
        """An operator, at whose effects the oracles look."""
        self.oracles.watch(await self.made.world.start_operator(faults))

    async def prepare(self, until: Callable[[], bool] | None = None) -> None:
        """What comes before the stretch."""
        await self.start()
        await self.made.world.run(until=until)
        await self.made.world.kill_operator()
        assert self.oracles.take() == []

    async def sweep(
        self, how: Disturbance, capsys: pytest.CaptureFixture[str], done: Callable[[], bool] | None = None
    ) -> None:
        """The stretch: as it goes by itself, and then disturbed at each of its effects."""
        world = self.made.world
        calm = await undisturbed(world, self.start, done)
        assert self.oracles.take() == []
        begun = time.monotonic()
        wrong = await sweep(world, calm, how, self.start, self.oracles.take)
        with capsys.disabled():
            print(f"\n{how}: {len(calm.effects)} effects in {time.monotonic() - begun:.0f} s", end=" ")
        assert not wrong, "\n".join(wrong[:40])


@pytest.mark.timeout(600)
@strikes(*SERVING)
async def test_a_share_comes_to_be_served_whichever_effect_is_disturbed(
    how: Disturbance, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ShareWorld()
    swept = Swept(made, ShareOracles(made.servers))
    async with made.world:
        await swept.prepare()
        made.declare()
        await swept.sweep(how, capsys)


@pytest.mark.timeout(600)
@strikes("ReloadNodes", "RemovePassword", "UnlimitFolder")
async def test_a_file_server_comes_and_a_user_and_a_limit_go_whichever_effect_is_disturbed(
    how: Disturbance, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ShareWorld(share={**SHARE, "smb": {"users": ["anna", "bert"]}})
    swept = Swept(made, ShareOracles(made.servers, later=frozenset({"node3"})))

    def done() -> bool:
        gone = made.servers.logins.keys() == {"anna"} and not made.limits.limits
        return gone and made.servers.serves("node3") and made.world.ready()

    async with made.world:
        made.declare()
        third = Key("Node", NAMESPACE, "node3")
        made.world.api.patch(third, {"roles": ["Storage"]})
        await swept.prepare()
        made.world.api.patch(third, {"roles": ["Storage", "FileServer"]})
        folders = [{name: value for name, value in folder.items() if name != "quota"} for folder in SHARE["folders"]]
        made.world.api.patch(OFFICE, {"smb": {"users": ["anna"]}, "folders": folders})
        await swept.sweep(how, capsys, done)


@pytest.mark.timeout(600)
@strikes(*IN_DOMAIN)
async def test_a_domain_is_joined_once_whichever_effect_is_disturbed(
    how: Disturbance, capsys: pytest.CaptureFixture[str]
) -> None:
    made = DomainWorld()
    swept = Swept(made, ShareOracles(made.servers, made.domain))
    async with made.world:
        made.declare()
        await swept.prepare(made.given)
        await swept.sweep(how, capsys)


@pytest.mark.timeout(600)
@strikes("LeaveDomain")
async def test_a_domain_is_left_once_whichever_effect_is_disturbed(
    how: Disturbance, capsys: pytest.CaptureFixture[str]
) -> None:
    made = DomainWorld()
    swept = Swept(made, ShareOracles(made.servers, made.domain))
    async with made.world:
        made.declare()
        await swept.prepare()
        made.world.api.delete(OFFICE)
        await swept.sweep(how, capsys, lambda: OFFICE not in made.world.api.objects)
        assert made.domain.directory.joined == ["node1"]


@pytest.mark.timeout(600)
@strikes("TakeServerOut", "TakeServerBack")
async def test_addresses_move_before_a_host_goes_and_come_back_after_whichever_effect_is_disturbed(
    how: Disturbance, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ShareWorld()
    swept = Swept(made, ShareOracles(made.servers))

    def rests() -> bool:
        """Whether the host is in maintenance, which it may not be with an address."""
        return made.world.condition("Node", "node1", "Maintenance").get("status") == "True"

    def is_back() -> bool:
        return made.world.ready() and set(made.servers.holders().values()) == {"node1", "node2"}

    async with made.world:
        made.declare()
        await swept.prepare()
        made.world.api.patch(NODE, {"maintenance": True})
        await swept.sweep(how, capsys, rests)
        assert set(made.servers.holders().values()) == {"node2"}
        made.world.api.patch(NODE, {"maintenance": False})
        await swept.sweep(how, capsys, is_back)
        assert made.servers.out == set()

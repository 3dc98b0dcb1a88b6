"""Sites of simulated hosts whose links are configured."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from heretic.reconcile import outages
from heretic.reconcile.store import Key
from sim.blank_site import declared
from sim.link_site import LinkSite, link_site
from sim.world import NAMESPACE, DiedError, World


class LinkWorld(World):
    """A World whose hosts have links."""

    site: LinkSite
    pace = 2.0
    """Seconds that a round takes."""

    def declare(self, network: str, **spec: Any) -> None:
        """Edits a Network; None takes a field away."""
        held = self.api.objects[Key("Network", NAMESPACE, network)]["spec"] | spec
        self.api.apply(declared("Network", network, {key: value for key, value in held.items() if value is not None}))

    def node(self, name: str = "node1", **spec: Any) -> None:
        """Edits a Node."""
        self.api.patch(Key("Node", NAMESPACE, name), spec)

    def tells(self, type_: str, name: str = "node1") -> tuple[str, str, str]:
        """Status, reason and message of one condition of a Node."""
        found = self.condition("Node", name, type_)
        return found.get("status", ""), found.get("reason", ""), found.get("message", "")

    def links(self, name: str = "node1") -> dict[str, tuple[int, tuple[str, ...]]]:
        """MTU and addresses of each link of a host."""
        return {link.name: (link.mtu, link.addresses) for link in self.site.links[name].links()}

    def on_trial(self) -> list[str]:
        """Hosts that wait for a proof."""
        return [name for name, machine in self.site.machines.items() if machine.trials]

    def when_proving(self, act: Callable[[str], None]) -> None:
        """Does something when the operator opens the connection for a proof."""

        def on_try(name: str) -> None:
            if self.site.machines[name].trials:
                act(name)

        self.site.on_try = on_try

    async def dies_proving(self) -> None:
        """Rounds until the operator dies between a change and its proof."""

        def die(name: str) -> None:
            self.site.on_try = lambda name: None
            raise DiedError

        self.when_proving(die)
        assert await self.run_mortal(lambda: self.rounds(6)), self.describe()

    async def round(self) -> float:
        """One pass over every object, which takes its time."""
        due = await super().round()
        self.site.go(self.pace)
        return due

    async def rounds(self, number: int) -> None:
        for _ in range(number):
            await self.round()


async def _ready(nodes: int) -> AsyncIterator[LinkWorld]:
    async with LinkWorld(link_site(nodes=nodes)) as world:
        await world.start_operator()
        await world.run(rounds=12)
        yield world
        assert world.site.refusals == []


@pytest.fixture(autouse=True)
def two_looks_may_follow_each_other_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they are for is tested where they are."""
    monkeypatch.setattr(outages, "APART", 0.0)


@pytest.fixture
async def one() -> AsyncIterator[LinkWorld]:
    """A site of one host."""
    async for world in _ready(1):
        yield world


@pytest.fixture
async def three() -> AsyncIterator[LinkWorld]:
    """A site of three hosts."""
    async for world in _ready(3):
        yield world

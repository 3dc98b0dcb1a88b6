"""A host gets another address while somebody writes: no write fails, and whatever dies, no host needs a keyboard."""

from typing import Any

import pytest

from heretic.domain.wiring.profiles import TRIED
from heretic.reconcile.store import Key
from sim.addresses import PREFIX
from sim.link_site import LinkSite, link_site
from sim.oracles import LINK_VERBS
from sim.world import NAMESPACE
from unit.wiring.conftest import LinkWorld
from unit.wiring.sweep import SweptWorld, sweep

VOLUME = {"vmstore": {"purpose": "Engine", "size": "20Gi"}}
OLD, NEW = "172.20.11.11", "172.20.11.21"


pytestmark = pytest.mark.timeout(600)
STRIKES = ("killed before the proof", "killed and the hosts boot")
"""The others are swept where links get another MTU."""


def site() -> LinkSite:
    made = link_site(VOLUME)
    made.pool.unheard = made.unheard
    return made


class Renumbered(SweptWorld):
    """A site whose first node gets another address in a network; somebody writes all the time."""

    changes: dict[str, dict[str, Any]] = {}
    calm_before = True
    verbs = LINK_VERBS | {"WriteFile"}
    refused = 0
    """Writes that failed."""
    swept = False

    def write(self) -> None:
        if "vmstore" in self.site.pool.volumes and self.site.pool.volumes["vmstore"].state == "Started":
            self.refused += not self.site.pool.write("vmstore")

    async def round(self) -> float:
        if not self.swept:
            self.site.on_try = self._while_proving
        self.write()
        due = await super().round()
        self.write()
        self.site.pool.heal()
        return due

    def _while_proving(self, name: str) -> None:
        if self.ready() or self.site.machines[name].trials:
            self.write()

    def change(self) -> None:
        self.renumber(gluster=NEW)

    def as_declared(self) -> bool:
        known = {self.named(on) for on in self.site.links}
        tried = [p for machine in self.site.machines.values() for p in machine.files if p.startswith(TRIED)]
        return self.ready() and self.links()["bond0"][1] == (f"{NEW}/24",) and known == {NEW} and not tried

    def renumber(self, name: str = "node1", **addresses: str) -> None:
        """Edits the addresses of a Node."""
        held = self.api.objects[Key("Node", NAMESPACE, name)]["spec"]["addresses"]
        there = {entry["network"]: entry["address"] for entry in held} | addresses
        self.node(name, addresses=[{"network": n, "address": a} for n, a in there.items()])

    def named(self, on: str, name: str = "node1") -> str:
        """By which address a host knows another one."""
        lines = (line.split() for line in self.site.machines[on].files["/etc/hosts"].content.splitlines())
        return next(words[0] for words in lines if f"{name}.gluster.private" in words[1:])


async def ready(made: LinkWorld) -> None:
    await made.start_operator()
    await made.run(rounds=40)


async def test_the_new_address_comes_first_then_the_names_and_then_the_old_one_goes() -> None:
    async with Renumbered(site()) as made:
        await ready(made)
        uuids = {name: node.uuid for name, node in made.site.pool.nodes.items()}
        made.renumber(gluster=NEW)
        seen: list[tuple[tuple[str, ...], set[str]]] = []
        for _ in range(30):
            await made.round()
            made.write()
            state = made.links()["bond0"][1], {made.named(on) for on in made.site.links}
            if not seen or seen[-1] != state:
                seen.append(state)
            if made.ready() and state == ((f"{NEW}/24",), {NEW}):
                break
        both = (f"{OLD}/24", f"{NEW}/24")
        assert [addresses for addresses, _ in seen if addresses == both], seen
        for addresses, names in seen:
            assert all(f"{name}/24" in addresses for name in names), "no name leads where the host is not"
        assert seen[-1] == ((f"{NEW}/24",), {NEW}), made.describe()
        assert {name: node.uuid for name, node in made.site.pool.nodes.items()} == uuids
        assert made.refused == 0
        assert made.site.refusals == []


async def test_an_address_that_somebody_has_is_refused_and_nothing_is_changed() -> None:
    async with Renumbered(site()) as made:
        await ready(made)
        before = made.links()
        made.site.there["gluster"].add(NEW)
        made.renumber(gluster=NEW)
        await made.rounds(8)
        assert made.links() == before
        assert {made.named(on) for on in made.site.links} == {OLD}
        assert f"@unused {NEW}" in made.tells("Ready")[2], made.describe()
        made.site.there["gluster"].discard(NEW)
        await made.run(rounds=30, until=lambda: made.ready() and made.links()["bond0"][1] == (f"{NEW}/24",))


async def test_what_cannot_be_is_refused_before_anything_is_changed() -> None:
    address, reason = "172.20.77.21", "AddressOutsideNetwork"
    async with Renumbered(site()) as made:
        await ready(made)
        before, effects = made.links(), len(made.site.effects)
        made.renumber(gluster=address)
        await made.rounds(4)
        assert (made.links(), made.site.effects[effects:]) == (before, [])
        assert made.tells("Wired")[:2] == ("False", reason), made.describe()
        made.renumber(gluster=OLD)
        await made.run(rounds=10)


async def test_several_nodes_go_one_after_the_other() -> None:
    async with Renumbered(site()) as made:
        await ready(made)
        for number, name in enumerate(made.site.links, 21):
            made.renumber(name, gluster=f"172.20.11.{number}")
        both: list[list[str]] = []
        for _ in range(80):
            await made.round()
            made.write()
            both.append(made.on_trial())
            if made.ready() and all(len(made.links(name)["bond0"][1]) == 1 for name in made.site.links):
                break
        assert {made.named("node1", name) for name in made.site.links} == {f"172.20.11.{n}" for n in (21, 22, 23)}
        assert max(map(len, both)) <= 1
        assert made.refused == 0, made.describe()


async def test_the_address_of_ssh_is_added_then_declared_then_the_old_one_goes() -> None:
    async with Renumbered(site()) as made:
        await ready(made)
        old, new = f"{PREFIX}11", f"{PREFIX}21"
        made.renumber(mgmt=new)
        await made.run(rounds=20, until=lambda: made.ready() and len(made.links()["eno1"][1]) == 2)
        await made.rounds(2)
        assert made.links()["eno1"][1] == (f"{old}/24", f"{new}/24")
        made.site.ssh_at("node1", new)
        made.node(address=new)
        await made.run(rounds=20, until=lambda: made.ready() and made.links()["eno1"][1] == (f"{new}/24",))
        assert made.refused == 0


@pytest.mark.parametrize("disturbance", STRIKES)
async def test_whatever_dies_while_a_host_is_renumbered_no_host_needs_a_keyboard(disturbance: str) -> None:
    async with Renumbered(site()) as made:
        made.swept = True
        calm = await sweep(made, disturbance)
        links = [effect.verb for effect in calm.effects if effect.verb != "WriteFile"]
        assert links == ["ChangeLinks", "KeepLinks"] * 2
        assert {effect.target for effect in calm.effects if effect.verb == "WriteFile"} == set(made.site.links)
        assert made.refused == 0

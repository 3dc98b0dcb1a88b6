"""A whole site whose links are configured, over real connections: from one configured port a host to Ready."""

from collections.abc import AsyncIterator

import pytest

from heretic.domain.wiring.profiles import KEPT, TRIED
from sim.link_site import LinkSite, link_site
from sim.world import World


class LinkWorld(World):
    """A World whose hosts have links."""

    site: LinkSite


@pytest.fixture
async def made() -> AsyncIterator[LinkWorld]:
    async with LinkWorld(link_site()) as world:
        await world.start_operator()
        await world.run(rounds=12)
        yield world
        assert world.site.refusals == []


def shown(made: LinkWorld, name: str) -> dict[str, tuple[int, tuple[str, ...]]]:
    """MTU and addresses of each link of a host."""
    return {link.name: (link.mtu, link.addresses) for link in made.site.links[name].links()}


async def test_ports_are_found_bonded_and_tagged_until_all_is_ready(made: LinkWorld) -> None:
    for number, (name, links) in enumerate(made.site.links.items(), 11):
        assert shown(made, name) == {
            "eno1": (1500, (f"198.18.10.{number}/24",)),
            "eno2": (9000, ()),
            "eno3": (9000, ()),
            "eno4": (1500, ()),
            "bond0": (9000, (f"172.20.11.{number}/24",)),
            "bond0.12": (1500, (f"172.20.12.{number}/24",)),
        }
        assert {link.master for link in links.links() if link.name in ("eno2", "eno3")} == {"bond0"}
        assert links.manager.active["eno1"].path == f"{KEPT}/installed.nmconnection"
    assert not any(argv[0] == "put" and "installed" in argv[1] for _, argv in made.site.effects)


async def test_a_boot_brings_up_what_was_proved(made: LinkWorld) -> None:
    before = {name: shown(made, name) for name in made.site.links}
    for machine in made.site.machines.values():
        assert not any(path.startswith(f"{TRIED}/") for path in machine.files)
        machine.reboot()
    assert {name: shown(made, name) for name in made.site.links} == before


async def test_a_site_that_is_as_declared_is_left_alone(made: LinkWorld) -> None:
    effects, scripts = len(made.site.effects), [server.scripts for server in made.site.servers.values()]
    await made.round()
    assert made.site.effects[effects:] == []
    assert [server.scripts - n for server, n in zip(made.site.servers.values(), scripts, strict=True)] == [1, 1, 1]
    assert made.ready()

"""A whole site whose links are configured, over real connections: from one configured port a host to Ready."""

from heretic.domain.wiring.profiles import KEPT, TRIED
from sim.link_site import OFFICE, link_site
from unit.wiring.conftest import LinkWorld


def shown(three: LinkWorld, name: str) -> dict[str, tuple[int, tuple[str, ...]]]:
    """MTU and addresses of each link of a host."""
    return {link.name: (link.mtu, link.addresses) for link in three.site.links[name].links()}


async def test_ports_are_found_bonded_and_tagged_until_all_is_ready(three: LinkWorld) -> None:
    for number, (name, links) in enumerate(three.site.links.items(), 11):
        assert shown(three, name) == {
            "eno1": (1500, (f"198.18.10.{number}/24",)),
            "eno2": (9000, ()),
            "eno3": (9000, ()),
            "eno4": (1500, ()),
            "bond0": (9000, (f"172.20.11.{number}/24",)),
            "bond0.12": (1500, (f"172.20.12.{number}/24",)),
        }
        assert {link.master for link in links.links() if link.name in ("eno2", "eno3")} == {"bond0"}
        assert links.manager.active["eno1"].path == f"{KEPT}/installed.nmconnection"
    assert not any(argv[0] == "put" and "installed" in argv[1] for _, argv in three.site.effects)


async def test_hosts_whose_management_network_has_ipv6_alone_are_wired_and_moved_to_a_bond_there() -> None:
    async with LinkWorld(link_site(ipv6=True)) as made:
        await made.start_operator()
        await made.run(rounds=12)
        assert shown(made, "node1")["eno1"] == (1500, ("2001:2::11/64",))
        assert shown(made, "node1")["bond0"] == (9000, ("172.20.11.11/24",))
        for links in made.site.links.values():
            links.ports["eno4"].wire = OFFICE
            links.ports["eno4"].changes += 1
        for name in made.site.links:
            made.node(name, interfaces=[{"port": "eno4", "networks": ["mgmt"]}])
        await made.run(rounds=40, until=lambda: all("bond1" in shown(made, name) for name in made.site.links))
        await made.run(rounds=12)
        assert shown(made, "node1")["bond1"] == (1500, ("2001:2::11/64",))
        assert made.site.refusals == []


async def test_a_boot_brings_up_what_was_proved(three: LinkWorld) -> None:
    before = {name: shown(three, name) for name in three.site.links}
    for machine in three.site.machines.values():
        assert not any(path.startswith(f"{TRIED}/") for path in machine.files)
        machine.reboot()
    assert {name: shown(three, name) for name in three.site.links} == before


async def test_a_site_that_is_as_declared_is_left_alone(three: LinkWorld) -> None:
    effects, scripts = len(three.site.effects), [server.scripts for server in three.site.servers.values()]
    await three.round()
    assert three.site.effects[effects:] == []
    assert [server.scripts - n for server, n in zip(three.site.servers.values(), scripts, strict=True)] == [1, 1, 1]
    assert three.ready()

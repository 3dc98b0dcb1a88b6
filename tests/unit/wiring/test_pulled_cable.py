"""A port of a bond whose cable is pulled, at a boot or later, stays a port of the bond, and comes back by itself."""

from dataclasses import replace

import pytest

from heretic.domain.errors import Reason
from heretic.domain.host.interfaces import Bond, Interface
from heretic.domain.plan import Blocked
from heretic.domain.wiring.classify import How
from heretic.domain.wiring.profiles import KEPT, members
from heretic.domain.wiring.wanted import LinkGroup, link_groups
from sim.link_site import RACK
from sim.machine import File
from unit.wiring.conftest import LinkWorld
from unit.wiring.link_hosts import STORAGE, a_node, leads, port, site

NODE = a_node(addresses=[{"network": "gluster", "address": STORAGE}])
BOND = Interface(
    "bond0", "52:54:00:00:00:02", "bond", True, 9000, addresses=(f"{STORAGE}/24",), bond=Bond("active-backup")
)
IN_BOND = port(2, master="bond0", mtu=9000)


@pytest.mark.parametrize(
    ("second", "how"),
    [
        pytest.param(port(3, carrier=False), How.CARRIED, id="not in the bond since a boot, and recorded"),
        pytest.param(port(3, carrier=False), How.DECLARED, id="likewise, by a person's word"),
        pytest.param(port(3, carrier=False, master="bond0", mtu=9000), How.CARRIED, id="still in the bond"),
    ],
)
def test_a_port_without_a_link_is_no_difference_and_no_part_of_a_change(second: Interface, how: How) -> None:
    findings = (leads(IN_BOND, "gluster", how=How.CARRIED), leads(second, "gluster", how=how))
    (group,) = link_groups(NODE, site(NODE), (IN_BOND, second, BOND), findings)
    assert isinstance(group, LinkGroup)
    assert (group.differs, group.ports) == ("", ("eno2",))
    assert [profile.link for profile in group.profiles] == ["eno2", "bond0"]


@pytest.mark.parametrize(
    ("kept", "links"),
    [
        pytest.param({"eno2": "bond0", "eno3": "bond0"}, ["eno2", "bond0"], id="one of a bond by its profile"),
        pytest.param({}, ["eno2"], id="of none"),
    ],
)
def test_the_only_port_with_a_link_stays_one_of_the_bond_that_somebody_took_down(
    kept: dict[str, str], links: list[str]
) -> None:
    findings = (leads(port(2), "gluster"), leads(port(3, carrier=False), "gluster"))
    (group,) = link_groups(NODE, site(NODE), tuple(f.port for f in findings), findings, kept)
    assert isinstance(group, LinkGroup)
    assert [profile.link for profile in group.profiles] == links


def test_where_no_port_has_a_link_nothing_is_configured_and_the_cable_is_told() -> None:
    pulled = tuple(leads(port(number, carrier=False), "gluster") for number in (2, 3))
    (told,) = link_groups(NODE, site(NODE), tuple(f.port for f in pulled), pulled)
    assert isinstance(told, Blocked)
    assert told.reason is Reason.NETWORK_WITHOUT_PORT
    assert f"eno2 and eno3, which led to gluster, has no link, so {STORAGE} is not configured" in told.message
    empty = replace(BOND, carrier=False)
    assert link_groups(NODE, site(NODE), (*(f.port for f in pulled), empty), pulled) == ()


def test_members_are_read_from_profiles_that_a_boot_reads() -> None:
    (group,) = link_groups(NODE, site(NODE), (port(2), port(3)), tuple(leads(port(n), "gluster") for n in (2, 3)))
    assert isinstance(group, LinkGroup)
    assert members({f"{KEPT}/{p.file}": p.text for p in group.profiles}) == {"eno2": "bond0", "eno3": "bond0"}
    assert members({f"/run/{p.file}": p.text for p in group.profiles}) == {}


def pull(made: LinkWorld, *ports: str) -> None:
    for name in ports:
        made.site.links["node1"].ports[name].wire = None


def plug(made: LinkWorld, *ports: str) -> None:
    """NetworkManager brings up what it has for a port that gets a link."""
    for name in ports:
        made.site.links["node1"].ports[name].wire = RACK
        made.site.links["node1"].ports[name].changes += 2
    made.site.links["node1"].manager.reload()


def boot(made: LinkWorld) -> None:
    made.site.machines["node1"].reboot()
    made.site.servers["node1"].drop()


def masters(made: LinkWorld) -> dict[str, str]:
    return {link.name: link.master for link in made.site.links["node1"].links() if link.name in ("eno2", "eno3")}


BOTH = {"eno2": "bond0", "eno3": "bond0"}


@pytest.mark.parametrize("booted", [True, False])
@pytest.mark.parametrize("ports", [("eno3",), ("eno2",), ("eno2", "eno3")])
async def test_nothing_is_changed_for_a_cable_and_it_comes_back_by_itself(
    one: LinkWorld, ports: tuple[str, ...], booted: bool
) -> None:
    before, effects = one.links(), len(one.site.effects)
    pull(one, *ports)
    if booted:
        boot(one)
    await one.rounds(6)
    told = one.condition("Network", "gluster", "Degraded" if len(ports) == 1 else "InSync")
    assert (told["status"], told["reason"]) == (
        ("True", "BondPortDown") if len(ports) == 1 else ("False", "NetworkDiffers")
    ), told
    plug(one, *ports)
    await one.rounds(4)
    assert one.ready(), one.describe()
    assert (one.links(), masters(one)) == (before, BOTH)
    assert [argv for _, argv in one.site.effects[effects:] if "nmcli" in argv[0]] == []


async def test_a_change_goes_through_without_the_port_which_follows_when_it_is_back(one: LinkWorld) -> None:
    pull(one, "eno3")
    boot(one)
    await one.rounds(3)
    one.declare("gluster", mtu=4000)
    await one.run(rounds=12, until=lambda: one.links()["bond0"][0] == 4000 and not one.on_trial())
    await one.rounds(3)
    assert f"{KEPT}/heretic-eno3.nmconnection" in one.site.machines["node1"].files
    plug(one, "eno3")
    await one.run(rounds=12)
    await one.rounds(2)
    assert (one.links()["eno3"][0], masters(one)) == (4000, BOTH)


async def test_a_bond_that_was_taken_down_is_made_again_with_the_port_that_has_a_link(one: LinkWorld) -> None:
    pull(one, "eno3")
    boot(one)
    await one.rounds(3)
    machine = one.site.machines["node1"]
    kept = {path: file.content for path, file in machine.files.items() if path.startswith(KEPT)}
    manager = one.site.links["node1"].manager
    for link in ("bond0.12", "bond0", "eno2"):
        manager.active.pop(link, None)
    one.site.links["node1"].written()
    await one.run(rounds=12)
    assert masters(one)["eno2"] == "bond0"
    assert {path: machine.files.get(path, File("")).content for path in kept} == kept

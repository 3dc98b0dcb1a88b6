"""Links that are not any more as they were made are made so again."""

from collections.abc import Callable

import pytest

from heretic.domain.wiring.profiles import KEPT
from sim.machine import File
from unit.wiring.conftest import LinkWorld

BOND, VLAN = f"{KEPT}/heretic-bond0.nmconnection", f"{KEPT}/heretic-bond0.12.nmconnection"
RELOAD, UP = ("nmcli", "connection", "reload"), ("nmcli", "-w", "10", "connection", "up", "uuid")


def edited(made: LinkWorld, path: str, old: str, new: str) -> None:
    machine = made.site.machines["node1"]
    machine.files[path] = File(machine.files[path].content.replace(old, new), "0600")
    machine.run(RELOAD)


def edited_and_up(made: LinkWorld) -> None:
    edited(made, BOND, "172.20.11.11", "172.20.11.99")
    made.site.machines["node1"].run((*UP, made.site.links["node1"].manager.active["bond0"].uuid))


def removed(made: LinkWorld) -> None:
    del made.site.machines["node1"].files[VLAN]
    made.site.machines["node1"].run(RELOAD)


def replaced(made: LinkWorld) -> None:
    made.site.machines["node1"].files[f"{KEPT}/theirs.nmconnection"] = File(
        "[connection]\nid=theirs\nuuid=99999999-9999-4999-8999-999999999999\ntype=bond\ninterface-name=bond0\n\n"
        "[bond]\nmode=active-backup\n\n[ipv4]\nmethod=disabled\n"
    )
    made.site.machines["node1"].run(RELOAD)
    made.site.machines["node1"].run((*UP, "99999999-9999-4999-8999-999999999999"))


def address_taken_off(made: LinkWorld) -> None:
    made.site.links["node1"].lost.add("172.20.11.11")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(
            lambda made: edited(made, BOND, "172.20.11.11", "172.20.11.99"), id="a file, which nobody applied"
        ),
        pytest.param(edited_and_up, id="a file, and what it says was brought up"),
        pytest.param(removed, id="a file is gone"),
        pytest.param(replaced, id="somebody's profile has the link"),
        pytest.param(address_taken_off, id="an address was taken off with ip"),
    ],
)
async def test_what_drifts_is_made_again(one: LinkWorld, spoil: Callable[[LinkWorld], None]) -> None:
    before, files = one.links(), dict(one.site.machines["node1"].files)
    spoil(one)
    await one.rounds(6)
    assert one.ready(), one.describe()
    assert one.links() == before
    assert {path: one.site.machines["node1"].files[path].content for path in (BOND, VLAN)} == {
        path: files[path].content for path in (BOND, VLAN)
    }
    effects = len(one.site.effects)
    await one.round()
    assert one.site.effects[effects:] == []

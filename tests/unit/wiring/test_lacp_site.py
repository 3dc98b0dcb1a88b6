"""Bonds of simulated hosts become 802.3ad with a switch that speaks LACP, and else stay what they are."""

from dataclasses import replace
from typing import Any

import pytest

from heretic.domain.wiring.link_steps import SECONDS
from heretic.reconcile.store import Key
from sim.link_site import LinkSite, link_site
from sim.oracles import approve
from sim.world import NAMESPACE
from unit.wiring.conftest import LinkWorld
from unit.wiring.sweep import DISTURBANCES, SweptWorld, sweep

LACP: dict[str, Any] = {"bond": {"mode": "802.3ad"}}
PLAIN: dict[str, Any] = {"bond": {"mode": "active-backup"}}


def switch(site: LinkSite, name: str, *ports: str, lacp: bool = True, alone: bool = True) -> None:
    """A person sets up the switch for ports of a host: those of its bond unless others are named."""
    for port in ports or ("eno2", "eno3"):
        wire = site.links[name].ports[port].wire
        assert wire is not None
        site.links[name].ports[port].wire = replace(wire, lacp=lacp, alone=alone)


def mode(made: LinkWorld, name: str = "node1") -> str:
    return next(link.options["mode"] for link in made.site.links[name].links() if link.name == "bond0")


def word(made: LinkWorld, name: str = "node1", number: int = 1) -> None:
    approve(made, Key("Node", NAMESPACE, name), number)


async def test_nothing_is_changed_before_a_person_has_approved_it(one: LinkWorld) -> None:
    one.declare("gluster", **LACP)
    effects = len(one.site.effects)
    await one.rounds(4)
    assert one.site.effects[effects:] == []
    status, reason, told = one.tells("Wired")
    assert (status, reason) == ("False", "BondNeedsSwitch")
    assert "node1: bond0 of eno2, eno3 is active-backup and shall be 802.3ad" in told
    status, reason, told = one.tells("Stalled")
    assert (status, reason) == ("True", "WaitingForApproval")
    assert "interrupts a service and waits for approval: ConvertBond on node1 (ports=eno2 eno3" in told


@pytest.mark.parametrize("alone", [True, False])
async def test_there_and_back_with_a_switch_that_speaks_lacp(one: LinkWorld, alone: bool) -> None:
    before = one.links()
    one.declare("gluster", **LACP)
    await one.rounds(2)
    switch(one.site, "node1", lacp=True, alone=alone)
    word(one)
    await one.run(rounds=12)
    assert (mode(one), one.links()) == ("802.3ad", before)
    one.declare("gluster", **PLAIN)
    await one.rounds(2)
    switch(one.site, "node1", lacp=alone, alone=True)
    word(one, number=2)
    await one.run(rounds=12)
    assert (mode(one), one.links()) == ("active-backup", before)


@pytest.mark.parametrize(
    ("ports", "words"),
    [
        pytest.param((), "bond0 found no partner that speaks LACP", id="a switch that does not speak LACP"),
        pytest.param(("eno2",), "eno3 did not join the aggregate of bond0", id="one port is not in the group"),
    ],
)
async def test_without_an_aggregate_the_host_takes_it_back(one: LinkWorld, ports: tuple[str, ...], words: str) -> None:
    before = one.links()
    if ports:
        switch(one.site, "node1", *ports)
    one.declare("gluster", **LACP)
    await one.rounds(2)
    word(one)
    begun = one.site.clock.at
    await one.run(rounds=90, until=lambda: one.tells("Stalled")[1] == "ChangeTakenBack")
    assert one.site.clock.at <= begun + SECONDS + 60
    assert (mode(one), one.links()) == ("active-backup", before)
    assert f"(1 times): {words}" in one.tells("Stalled")[2]
    word(one, number=2)
    effects = len(one.site.effects)
    await one.rounds(2)
    assert one.site.effects[effects:] == []


async def test_a_port_without_a_link_is_no_reason_against_an_aggregate(one: LinkWorld) -> None:
    switch(one.site, "node1")
    one.site.links["node1"].ports["eno3"].wire = None
    one.declare("gluster", **LACP)
    await one.rounds(2)
    word(one)
    await one.run(rounds=12, until=lambda: mode(one) == "802.3ad" and not one.on_trial())


async def test_hosts_are_converted_one_after_the_other_as_each_is_approved(three: LinkWorld) -> None:
    three.declare("gluster", **LACP)
    await three.rounds(2)
    for name in ("node2", "node1", "node3"):
        others = {other: mode(three, other) for other in three.site.links if other != name}
        switch(three.site, name, lacp=True)
        word(three, name)
        await three.run(rounds=12, until=lambda name=name: mode(three, name) == "802.3ad")  # type: ignore[misc]
        assert {other: mode(three, other) for other in others} == others
    await three.run(rounds=12)


class Converted(SweptWorld):
    """A bond becomes one of 802.3ad; a person approves what waits."""

    changes: dict[str, dict[str, Any]] = {"gluster": LACP}
    calm_before = True
    words = 0

    def is_changed(self, links: dict[str, Any]) -> bool:
        return mode(self) == "802.3ad"

    async def round(self) -> float:
        self.words += 1
        word(self, number=self.words)
        return await super().round()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("disturbance", DISTURBANCES)
async def test_whatever_dies_at_a_conversion_no_host_needs_a_keyboard(disturbance: str) -> None:
    async with Converted(link_site(nodes=1)) as made:
        switch(made.site, "node1", lacp=True)
        calm = await sweep(made, disturbance)
        assert [effect.verb for effect in calm.effects] == ["ConvertBond", "KeepLinks"]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        pytest.param((), "bond0 of node1 has no partner that speaks LACP", id="the group is gone"),
        pytest.param(("eno2",), "eno3 of node1: no part of the aggregate of bond0", id="one port is out of it"),
    ],
)
async def test_a_switch_that_forgets_the_group_later_is_told_and_nothing_is_done(
    one: LinkWorld, left: tuple[str, ...], words: str
) -> None:
    switch(one.site, "node1")
    one.declare("gluster", **LACP)
    await one.rounds(2)
    word(one)
    await one.run(rounds=12)
    assert one.condition("Network", "gluster", "Degraded")["status"] == "False"
    effects = len(one.site.effects)
    switch(one.site, "node1", *({"eno2", "eno3"} - set(left)), lacp=False)
    await one.rounds(3)
    degraded = one.condition("Network", "gluster", "Degraded")
    assert (degraded["status"], degraded["reason"]) == ("True", "AggregateIncomplete")
    assert words in degraded["message"]
    switch(one.site, "node1")
    await one.rounds(3)
    assert one.condition("Network", "gluster", "Degraded")["status"] == "False"
    assert one.site.effects[effects:] == []

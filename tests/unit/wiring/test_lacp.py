"""A bond that works becomes one of 802.3ad, or is none any more: told first, approved, proved with the switch."""

from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1.bonds import BondMode
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.interfaces import Bond, Interface
from heretic.domain.kind import Observed
from heretic.domain.node.links import plan_links
from heretic.domain.plan import Blocked, Risk
from heretic.domain.wiring.classify import How, PortFinding
from heretic.domain.wiring.lacp import conversion
from heretic.domain.wiring.link_steps import ChangeLinks, ConvertBond, TryLinks, key_of
from heretic.domain.wiring.manager import TakenBack
from heretic.domain.wiring.wiring import Wiring
from heretic.kinds import KINDS
from unit.wiring.link_hosts import SSH, STORAGE, a_node, leads, port, site
from unit.wiring.test_node_links import facts

LACP: dict[str, Any] = {"bond": {"mode": "802.3ad"}}
NODE = a_node(addresses=[{"network": "gluster", "address": STORAGE}])


def bond(mode: str, **more: Any) -> Interface:
    made = Interface("bond0", "52:54:00:00:00:02", "bond", True, 9000, addresses=(f"{STORAGE}/24",))
    return replace(made, bond=Bond(mode, 100, **more))


def wired(*members: Interface) -> tuple[PortFinding, ...]:
    switch = PortFinding(members[0], ("gluster",), How.CARRIED, "", "rack1 port 7")
    return (leads(SSH, "mgmt", how=How.CARRIED), switch, *(leads(m, "gluster", how=How.CARRIED) for m in members[1:]))


def planned(there: Interface | None, taken: TakenBack | None = None, **gluster: Any) -> Any:
    members = [port(number, master=there.name if there else "", mtu=9000) for number in (2, 3)]
    found = Wiring(wired(*members), None, False, (), ())
    seen = facts(taken=Known(taken) if taken else None, links=(SSH, *members, *([there] if there else ())))
    return plan_links(NODE, site(NODE, gluster=gluster), seen, found, None)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        pytest.param("active-backup", "802.3ad", ConvertBond, id="to 802.3ad"),
        pytest.param("802.3ad", "active-backup", ConvertBond, id="from 802.3ad"),
        pytest.param("802.3ad", "balance-xor", ConvertBond, id="from 802.3ad to a static group"),
        pytest.param("active-backup", "balance-xor", ChangeLinks, id="without LACP"),
    ],
)
def test_what_the_switch_must_know_of_needs_a_persons_word(before: str, after: str, kind: type[TryLinks]) -> None:
    (step,) = planned(bond(before), bond={"mode": after}).steps
    assert (type(step), step.risk, step.needs_approval) == (kind, Risk.DISRUPTIVE, kind is ConvertBond)
    assert step.outage.node == "n1"


def test_what_an_approval_covers_names_bond_ports_and_modes() -> None:
    (step,) = planned(bond("active-backup"), **LACP).steps
    assert "ConvertBond on n1 (ports=eno2 eno3" in str(step)
    assert "bond=bond0, modes=active-backup 802.3ad" in str(step)
    assert step.aggregate == ("bond0", "eno2", "eno3")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "active-backup",
            "802.3ad",
            "one LACP group, which lets each of them work by itself until the host speaks LACP",
        ),
        (
            "802.3ad",
            "active-backup",
            "work by themselves where their LACP group hears no LACP, and dissolve it afterwards",
        ),
        ("802.3ad", "balance-xor", "hears no LACP, and have a static group for them ready"),
    ],
)
def test_what_the_switch_must_have_is_told_first(before: str, after: str, words: str) -> None:
    (step,) = planned(bond(before), bond={"mode": after}).steps
    assert step.why.startswith(f"n1: bond0 of eno2 (rack1 port 7), eno3 is {before} and shall be {after}. First ")
    assert words in step.why
    assert "Then approve the plan of the Node" in step.why


def test_the_node_says_so_in_wired() -> None:
    members = [port(number, master="bond0", mtu=9000) for number in (2, 3)]
    seen = facts(links=(SSH, *members, bond("active-backup")))
    report = KINDS["Node"].assess(NODE, site(NODE, gluster=LACP), Observed({"n1": seen})).report
    told: Condition = next(c for c in report.conditions if c.type is ConditionType.WIRED)
    assert (told.state, told.reason) == (State.FALSE, Reason.BOND_NEEDS_SWITCH)
    assert "n1: bond0 of eno2, eno3 is active-backup and shall be 802.3ad" in told.message


@pytest.mark.parametrize(
    ("there", "mode", "proved"),
    [
        pytest.param(None, "802.3ad", True, id="a new bond"),
        pytest.param(bond("active-backup"), "802.3ad", True, id="a converted bond"),
        pytest.param(bond("802.3ad", partner="02:00:00:00:00:01"), "802.3ad", True, id="a bond with a partner"),
        pytest.param(bond("802.3ad"), "802.3ad", False, id="a bond that has lost its partner before"),
        pytest.param(bond("802.3ad"), "active-backup", False, id="another mode"),
    ],
)
def test_the_aggregate_must_come_up(there: Interface | None, mode: str, proved: bool) -> None:
    (step,) = planned(there, bond={"mode": mode, "miimon": 50}).steps
    script = step.script()
    assert script.trial is not None
    proof = [command.argv for command in script.trial.proof]
    assert (("@aggregated", "bond0", "eno2", "eno3") in proof) is proved
    if proved:
        reached = next(n for n, argv in enumerate(proof) if argv[0] == "@reached")
        assert proof.index(("@aggregated", "bond0", "eno2", "eno3")) < reached, "the cause is asked for first"


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (("bond0",), "bond0 found no partner that speaks LACP; see the group on the switch"),
        (("bond0", "eno3"), "eno3 did not join the aggregate of bond0 (LACP)"),
        (("172.20.10.1",), "172.20.10.1 did not answer any more"),
    ],
)
def test_an_aggregate_that_did_not_come_up_is_told_and_not_tried_again(lost: tuple[str, ...], words: str) -> None:
    (step,) = planned(bond("active-backup"), **LACP).steps
    part = planned(bond("active-backup"), TakenBack(key_of(step.profiles), 1, lost), **LACP)
    (obstacle,) = part.obstacles
    assert part.steps == ()
    assert isinstance(obstacle, Blocked)
    assert obstacle.reason is Reason.CHANGE_TAKEN_BACK
    assert words in obstacle.message


def test_what_needs_nobody_goes_on_while_a_bond_waits_for_a_person() -> None:
    members = [port(number, master="bond0", mtu=9000) for number in (2, 3)]
    small = replace(SSH, mtu=1280)
    found = Wiring((leads(small, "mgmt", how=How.CARRIED), *wired(*members)[1:]), None, False, (), ())
    seen = facts(links=(small, *members, bond("active-backup")))
    (step,) = plan_links(NODE, site(NODE, gluster=LACP), seen, found, None).steps
    assert isinstance(step, ChangeLinks)
    assert (step.needs_approval, step.ports) == (False, ("eno1",))


@pytest.mark.parametrize(
    ("there", "after"),
    [
        (None, BondMode.LACP),
        (port(2), BondMode.LACP),
        (bond("802.3ad"), BondMode.LACP),
        (bond("balance-xor"), BondMode.ACTIVE_BACKUP),
    ],
)
def test_the_switch_needs_not_know_of_anything_else(there: Interface | None, after: BondMode) -> None:
    assert conversion(there, after) is None

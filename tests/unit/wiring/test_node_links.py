"""The links of a Node's host: tried, kept, refused, or left alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import NodeEngineStatus
from heretic.domain.commands import Output
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason, Transient
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.interfaces import Interface
from heretic.domain.kind import Observed
from heretic.domain.node.links import plan_links
from heretic.domain.plan import Blocked, Risk, Wait
from heretic.domain.wiring.facts import Asked, AskedPort, PortAnswer, Wires
from heretic.domain.wiring.link_steps import TRIAL, ChangeLinks, KeepLinks, TryLinks, key_of
from heretic.domain.wiring.manager import KEPT_LINKS, KeptLinks, Manager, TakenBack, parse_manager, parse_taken_back
from heretic.domain.wiring.profiles import KEPT, TRIED, LinkProfile
from heretic.domain.wiring.section import WIRES
from heretic.domain.wiring.wiring import Wiring, wiring
from heretic.kinds import KINDS
from unit.wiring.link_hosts import SSH, STORAGE, a_node, leads, port, site

DATA = Path(__file__).parents[2] / "data" / "network"
RUNS = Manager(runs=True)
GLUSTER = leads(port(2), "gluster", said="172.20.11.200 answered at 02:00:00:00:00:01")
FOUND = Wiring((leads(SSH, "mgmt"), GLUSTER), None, False, (), ())


def facts(
    manager: Fact[Manager] | None = None, taken: Fact[TakenBack] | None = None, links: tuple[Interface, ...] = ()
) -> HostFacts:
    kept = KeptLinks(manager or Known(RUNS), taken or Absent())
    seen = Known(links or (SSH, port(2)))
    return HostFacts("n1", interfaces=seen, trials=Known(frozenset[str]()), sections={KEPT_LINKS.name: kept})


def planned(seen: HostFacts, of: Node | None = None, found: Wiring = FOUND, **changes: dict[str, Any]) -> Any:
    of = of or a_node()
    return plan_links(of, site(of, **changes), seen, found, None)


def first() -> TryLinks:
    (step,) = planned(facts()).steps
    assert isinstance(step, TryLinks)
    return step


def files(folder: str, *profiles: LinkProfile) -> dict[str, str]:
    return {f"{folder}/{profile.file}": profile.text for profile in profiles}


def seen_with(folder: str, active: bool = True) -> HostFacts:
    profiles = first().profiles
    uuids = frozenset(profile.uuid for profile in profiles) if active else frozenset[str]()
    links = (SSH, port(2, f"{STORAGE}/24", mtu=9000)) if active else ()
    return facts(Known(Manager(True, active=uuids, files=files(folder, *profiles))), links=links)


def test_a_port_that_carries_nothing_is_tried_without_a_slot() -> None:
    step = first()
    assert (type(step), step.risk, step.outage) == (TryLinks, Risk.SAFE, None)
    assert (step.links, step.ports, step.after) == (("eno2",), ("eno2",), ("172.20.11.200",))
    assert "172.20.10.1" in step.before


def test_a_port_that_carries_something_takes_its_host_out() -> None:
    busy = port(2, "172.20.11.99/24")
    found = Wiring((leads(SSH, "mgmt"), leads(busy, "gluster")), None, False, (), ())
    (step,) = planned(facts(links=(SSH, busy)), found=found).steps
    assert (type(step), step.risk) == (ChangeLinks, Risk.DISRUPTIVE)
    assert step.outage.node == "n1"


def test_what_was_proved_is_kept_and_what_is_kept_is_left_alone() -> None:
    (step,) = planned(seen_with(TRIED)).steps
    assert isinstance(step, KeepLinks)
    assert planned(seen_with(KEPT)) == planned(facts(), a_node(configureLinks=False))


def test_kept_links_that_are_down_or_were_edited_are_tried_again() -> None:
    assert [type(step) for step in planned(seen_with(KEPT, active=False)).steps] == [TryLinks]
    edited = {path: text.replace(STORAGE, "172.20.11.77") for path, text in files(KEPT, *first().profiles).items()}
    seen = facts(Known(Manager(True, files=edited)))
    assert [type(step) for step in planned(seen).steps] == [TryLinks]


@pytest.mark.parametrize(
    ("of", "seen", "found"),
    [
        pytest.param(a_node(configureLinks=False), facts(), FOUND, id="nobody wants it"),
        pytest.param(a_node(maintenance=True), facts(), FOUND, id="in maintenance"),
        pytest.param(a_node(), facts(), Wiring(FOUND.findings, None, True, (), ()), id="ports are being asked"),
        pytest.param(a_node(), HostFacts("n1"), FOUND, id="nothing seen"),
        pytest.param(a_node(), facts(), Wiring((leads(SSH, "mgmt"),), None, False, (), ()), id="all as declared"),
        pytest.param(
            a_node().model_copy(
                update={"status": a_node().status.model_copy(update={"engine": NodeEngineStatus(id="1")})}
            ),
            facts(),
            FOUND,
            id="a host of the engine",
        ),
    ],
)
def test_no_step_where_nothing_is_to_be_done(of: Node, seen: HostFacts, found: Wiring) -> None:
    assert planned(seen, of, found).steps == ()


@pytest.mark.parametrize(
    ("seen", "reason", "words"),
    [
        pytest.param(
            facts(Known(Manager(False, networkd=True))),
            Reason.NETWORK_MANAGER_MISSING,
            "systemd-networkd keeps its links. Install NetworkManager",
            id="systemd-networkd",
        ),
        pytest.param(
            facts(Known(Manager(False))), Reason.NETWORK_MANAGER_MISSING, "kept by something else", id="ifupdown"
        ),
        pytest.param(facts(Unknown("grep exited 137")), Reason.NOT_OBSERVED, "grep exited 137", id="not known"),
    ],
)
def test_what_keeps_the_links_must_be_network_manager(seen: HostFacts, reason: Reason, words: str) -> None:
    part = planned(seen)
    assert part.steps == ()
    assert part.obstacles[0].reason is reason
    assert words in part.obstacles[0].message


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        pytest.param(TakenBack("", 1), False, id="an operator was lost"),
        pytest.param(TakenBack("", 2), True, id="lost twice: it is the change that cuts it off"),
        pytest.param(TakenBack("", 1, ("172.20.10.1",)), True, id="a neighbour did not answer"),
        pytest.param(TakenBack("", 1, ("172.20.10.12",)), False, id="another node may have died by itself"),
        pytest.param(TakenBack("", 2, ("172.20.10.12",)), True, id="twice it has not"),
        pytest.param(TakenBack("", 1, ("172.20.10.12", "172.20.10.1")), True, id="another node and a router"),
        pytest.param(TakenBack("another", 5, ("172.20.10.1",)), False, id="of another declaration"),
    ],
)
def test_what_was_taken_back_is_not_tried_for_ever(told: TakenBack, refused: bool) -> None:
    mine = TakenBack(told.key or key_of(first().profiles), told.times, told.lost)
    part = planned(facts(taken=Known(mine)))
    assert bool(part.steps) is not refused
    if refused:
        (obstacle,) = part.obstacles
        assert isinstance(obstacle, Blocked)
        assert obstacle.reason is Reason.CHANGE_TAKEN_BACK
        assert all(address in obstacle.message for address in told.lost)


@pytest.mark.parametrize(
    ("trials", "reason"),
    [
        pytest.param(Known(frozenset({TRIAL})), Reason.WORK_IN_PROGRESS, id="on trial"),
        pytest.param(Unknown("systemctl exited 1"), Reason.WORK_IN_PROGRESS, id="not known"),
    ],
)
def test_what_is_on_trial_is_waited_for_with_the_slot(trials: Fact[frozenset[str]], reason: Reason) -> None:
    part = planned(replace(seen_with(TRIED), trials=trials))
    (obstacle,) = part.obstacles
    assert part.steps == ()
    assert isinstance(obstacle, Wait)
    assert (obstacle.reason, obstacle.keeps_slot) == (reason, True)


@pytest.mark.parametrize(
    ("other", "against"),
    [
        pytest.param(facts(), (), id="nothing is on trial"),
        pytest.param(
            replace(facts(), trials=Known(frozenset({TRIAL}))), ("the links of n1 are on trial",), id="on trial"
        ),
        pytest.param(
            Transient(Reason.UNREACHABLE, "no answer"), ("n1 cannot be seen, and its links may be on trial",), id="lost"
        ),
        pytest.param(
            replace(facts(), trials=Unknown("?")), ("n1 cannot be seen, and its links may be on trial",), id="not known"
        ),
    ],
)
def test_no_host_is_taken_out_while_the_links_of_another_may_be_on_trial(other: HostView, against: Any) -> None:
    told = site(a_node())
    outage = KINDS["Node"].outage
    assert outage is not None
    assert outage.needs(told).hosts == {"n1"}
    assert tuple(outage.against("n2", told, Observed({"n1": other}), Observed({}))) == against
    assert tuple(outage.against("n1", told, Observed({}), Observed({}))) == ()


def test_files_that_a_real_network_manager_left_are_understood() -> None:
    output = Output(2, (DATA / "link-files").read_text(), "")
    manager = parse_manager(output)
    assert isinstance(manager, Known)
    assert (manager.value.runs, manager.value.networkd) == (True, False)
    assert "4a10f544-dd23-5c18-bbd0-821c64ad01c0" in manager.value.active
    ((path, text),) = manager.value.files.items()
    assert path == f"{KEPT}/heretic-e1.nmconnection"
    assert text.startswith("[connection]\nid=heretic-e1\n")
    assert text.endswith("\n\n[ipv6]\nmethod=link-local\n")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(Output(2, "", ""), Known(Manager(False)), id="no folder at all"),
        pytest.param(
            Output(0, "/run/systemd/netif/links/2:ADMIN_STATE=configured\n", ""),
            Known(Manager(False, networkd=True)),
            id="systemd-networkd",
        ),
        pytest.param(Output(124, "", ""), Unknown("grep exited 124"), id="too slow"),
        pytest.param(Output(0, "Binary file matches\n", ""), Unknown("a line is 'Binary file matches'"), id="binary"),
    ],
)
def test_other_answers(output: Output, expected: Fact[Manager]) -> None:
    assert parse_manager(output) == expected


def test_what_was_taken_back_is_read() -> None:
    assert parse_taken_back(Known("abc 2 172.20.10.1 fd00::1")) == Known(
        TakenBack("abc", 2, ("172.20.10.1", "fd00::1"))
    )
    assert isinstance(parse_taken_back(Known("nonsense")), Unknown)
    assert parse_taken_back(Absent()) == Absent()


def test_a_pass_plans_the_links_once_the_ports_are_known_and_says_so() -> None:
    of = a_node(addresses=[{"network": "gluster", "address": STORAGE}])
    told = site(of)
    links, changes = (SSH, port(2)), Known({"eno1": 1, "eno2": 1})
    asking = wiring(of, told, links, Wires(changes, Absent())).asking
    assert asking is not None
    answer = AskedPort(port(2).mac, 1, (PortAnswer(0, "172.20.11.200", "02:00:00:00:00:01", True),))
    wires = Wires(changes, Known(Asked(asking.key, {"eno2": answer})))
    sections = {WIRES.name: wires, KEPT_LINKS.name: KeptLinks(Known(RUNS), Absent())}
    seen = HostFacts("n1", interfaces=Known(links), trials=Known(frozenset[str]()), sections=sections)
    report = KINDS["Node"].assess(of, told, Observed({"n1": seen})).report
    wired: Condition = next(c for c in report.conditions if c.type is ConditionType.WIRED)
    assert (wired.state, wired.reason) == (State.FALSE, Reason.APPLYING)
    assert f"eno2 has not the address {STORAGE}/24" in wired.message

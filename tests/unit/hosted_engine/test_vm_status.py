"""What hosts say of the engine's machine, and what that means: Up, Down, and everything that must stay Unknown."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.commands import Output
from heretic.domain.conditions import ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Failure, NeedsUser, Reason, Transient
from heretic.domain.facts import NOT_OBSERVED, Absent, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.hosted_engine.agent import AGENT, Agent
from heretic.domain.hosted_engine.health import (
    MachineState,
    agents_in_trouble,
    global_maintenance,
    machine_health,
    scores,
)
from heretic.domain.hosted_engine.parse.vm_status import AgentReport, VmStatus, parse_host_id, parse_vm_status
from heretic.domain.hosted_engine.report import report_engine
from heretic.domain.plan import Wait
from sim.site_rules import resource

DATA = Path(__file__).resolve().parents[2] / "data/hosted-engine"
TRACEBACK = 'Traceback (most recent call last):\n  File "/usr/lib64/python3.9/runpy.py", line 197\n'


def answer(name: str) -> Output:
    return Output(0, (DATA / f"{name}.json").read_text(), "")


def known(name: str) -> VmStatus:
    status = parse_vm_status(answer(name))
    assert isinstance(status, Known), status
    return status.value


def changed(name: str, host: str = "", **more: object) -> Output:
    document = json.loads((DATA / f"{name}.json").read_text())
    (document[host] if host else document).update(more)
    return Output(0, json.dumps(document), "")


def test_each_host_of_the_answer_is_read() -> None:
    status = known("good")
    assert status.hosts[0] == AgentReport(
        1, "node1.mgmt.private", 4262, live=True, vm="up", health="good", detail="Up", reason="", score=3400,
        maintenance=False,
    )  # fmt: skip
    assert [(host.host_id, host.good) for host in status.hosts] == [(1, True), (2, False), (3, False)]
    assert not status.global_maintenance


def test_hosts_are_in_the_order_of_their_numbers_and_not_of_the_text() -> None:
    document = json.loads((DATA / "good.json").read_text())
    document["10"] = document["1"] | {"host-id": 10}
    status = parse_vm_status(Output(0, json.dumps(dict(sorted(document.items()))), ""))
    assert isinstance(status, Known)
    assert [host.host_id for host in status.value.hosts] == [1, 2, 3, 10]


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (Output(2, "", "Failed to connect to broker"), "a deployment of the engine is under way"),
        (Output(1, "The hosted engine configuration has not been retrieved from shared storage.\n", ""), "status 1"),
        (Output(1, "", TRACEBACK), "Traceback"),
        (Output(0, TRACEBACK, ""), "not understood"),
        (Output(0, "{'1': {'host-id': 1, 'live-data': True}, 'global_maintenance': False}\n", ""), "not understood"),
        (Output(0, "", ""), "not understood"),
        (Output(0, "[]", ""), "no JSON object"),
        (Output(0, "{}", ""), "there is no global_maintenance"),
        (Output(127, "", "sh: hosted-engine: not found"), "not installed"),
        (Output(124, "", ""), "did not answer in time"),
        (changed("good", whatever=1), "an entry is 'whatever'"),
        (changed("good", "1", **{"live-data": None}), "live-data"),
        (changed("good", "1", **{"engine-status": "unknown stale-data"}), "engine-status is no JSON object"),
        (changed("good", "2", score="high"), "score is 'high'"),
    ],
)
def test_what_is_not_understood_is_unknown_and_never_down(output: Output, cause: str) -> None:
    status = parse_vm_status(output)
    assert isinstance(status, Unknown)
    assert cause in status.cause


@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_a_host_on_which_nothing_was_deployed_says_so(where: str) -> None:
    said = "You must run deploy first\n"
    assert parse_vm_status(Output(1, said, "") if where == "stdout" else Output(1, "", said)) == Absent()
    assert isinstance(parse_vm_status(Output(0, said, "")), Unknown)


@pytest.mark.parametrize(
    ("conf", "number"),
    [
        (Known("fqdn=engine.mgmt.private\nhost_id=2\nconf=/run/x\n"), Known(2)),
        (Known("fqdn=engine.mgmt.private\n"), Unknown("hosted-engine.conf does not tell the number of the host")),
        (Absent(), Absent()),
        (Unknown("no answer"), Unknown("no answer")),
    ],
)
def test_the_number_of_a_host_stands_in_its_configuration(conf: Fact[str], number: Fact[int]) -> None:
    assert parse_host_id(conf) == number


def host(number: int, status: Fact[VmStatus]) -> HostFacts:
    return HostFacts(f"node{number}", sections={AGENT.name: Agent(Known(number), status)})


def hosts(*said: Fact[VmStatus] | Transient) -> dict[str, HostView]:
    return {f"node{n}": s if isinstance(s, Transient) else host(n, s) for n, s in enumerate(said, 1)}


BROKEN = Unknown("the broker is away")
AWAY = Transient(Reason.UNREACHABLE, "no route")
NOWHERE: Fact[VmStatus] = Absent()


def both_good() -> VmStatus:
    status = known("moved")
    return replace(status, hosts=(replace(status.hosts[0], live=True), *status.hosts[1:]))


@pytest.mark.parametrize(
    ("seen", "state", "why"),
    [
        (hosts(Known(known("good"))), MachineState.UP, "node1.mgmt.private runs the engine's machine"),
        (hosts(AWAY, Known(known("good")), BROKEN), MachineState.UP, "node1.mgmt.private runs"),
        (hosts(Known(known("moved"))), MachineState.UP, "node2.mgmt.private runs"),
        (hosts(Known(known("down"))), MachineState.DOWN, "no host runs the engine's machine"),
        (hosts(Known(known("dead-host"))), MachineState.UNKNOWN, "node1.mgmt.private: machine up, engine good (Up)"),
        (hosts(Known(known("powering-down"))), MachineState.UNKNOWN, "Powering down, failed liveliness check"),
        (hosts(Known(both_good())), MachineState.UNKNOWN, "several hosts say that they run the engine's machine"),
        (hosts(BROKEN, AWAY), MachineState.UNKNOWN, "node1: the broker is away; node2 cannot be observed"),
        (hosts(NOWHERE, NOWHERE), MachineState.UNKNOWN, "no engine was deployed on node1; no engine was deployed"),
        ({}, MachineState.UNKNOWN, "no host may run the engine's machine"),
    ],
)  # fmt: skip
def test_the_machine_is_up_or_down_only_when_all_that_was_said_says_so(
    seen: dict[str, HostView], state: MachineState, why: str
) -> None:
    health = machine_health(seen)
    assert health.state is state
    assert why in health.why


def test_the_newest_word_of_a_host_counts_whoever_passed_it_on() -> None:
    old, new = known("dead-host"), known("moved")
    for order in ((old, new), (new, old)):
        assert machine_health(hosts(*map(Known, order))).runs_on == "node2.mgmt.private"


def test_a_host_that_is_silent_has_no_score() -> None:
    assert scores(hosts(Known(known("down")), BROKEN, AWAY)) == {"node1": 3400, "node2": 0}
    assert scores(hosts(Known(known("dead-host")), BROKEN)) == {"node2": 3400}


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (hosts(Known(known("down"))), True),
        (hosts(Known(known("good")), BROKEN), False),
        (hosts(Known(known("good")), Known(known("down"))), None),
        (hosts(BROKEN), None),
    ],
)
def test_global_maintenance_is_known_when_all_that_tell_agree(seen: dict[str, HostView], state: bool | None) -> None:
    assert global_maintenance(seen) is state


@pytest.mark.parametrize(
    ("failure", "seen", "state", "reason"),
    [
        (AWAY, hosts(Known(known("down"))), State.FALSE, Reason.ENGINE_DOWN),
        (AWAY, hosts(Known(known("dead-host"))), State.UNKNOWN, Reason.UNREACHABLE),
        (AWAY, hosts(Known(known("good"))), State.UNKNOWN, Reason.UNREACHABLE),
        (AWAY, {}, State.UNKNOWN, Reason.UNREACHABLE),
        (NeedsUser(Reason.ENGINE_LOGIN_REFUSED, "no"), hosts(), State.FALSE, Reason.ENGINE_LOGIN_REFUSED),
    ],
)
def test_an_engine_that_does_not_answer_is_down_only_by_the_word_of_all_its_hosts(
    failure: Failure, seen: dict[str, HostView], state: State, reason: Reason
) -> None:
    engine: HostedEngine = resource(HostedEngine, "engine", {"fqdn": "engine.mgmt.private", "deployment": "Existing"})
    report = report_engine(engine, failure, Wait(reason, "wait"), seen)
    up = next(c for c in report.conditions if c.type is ConditionType.ENGINE_UP)
    assert (up.state, up.reason) == (state, reason)


def old(name: str, number: int) -> VmStatus:
    status = known(name)
    return replace(status, hosts=tuple(replace(one, live=one.host_id != number) for one in status.hosts))


def resting(number: int) -> VmStatus:
    status = known("good")
    return replace(status, hosts=tuple(replace(one, maintenance=one.host_id == number) for one in status.hosts))


GOOD = Known(known("good"))


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        pytest.param(hosts(GOOD, GOOD, GOOD), [], id="all is well"),
        pytest.param(hosts(GOOD, AWAY), [], id="a host that cannot be asked is told with its Node"),
        pytest.param(hosts(NOWHERE), [], id="nothing was deployed"),
        pytest.param(hosts(NOT_OBSERVED), [], id="nobody has asked yet"),
        pytest.param(hosts(GOOD, BROKEN), [(Reason.ENGINE_BROKER_DOWN, "the broker is away")], id="broker down"),
        pytest.param(
            hosts(*[Known(old("good", 2))] * 3),
            [(Reason.ENGINE_AGENT_SILENT, "the agent of node2 is silent")],
            id="old",
        ),
        pytest.param(
            hosts(*[Known(resting(1))] * 2), [(Reason.MAINTENANCE_LEFT_ON, "node1 is up and leaves")], id="left on"
        ),
        pytest.param(hosts(*[Known(resting(2))] * 2), [], id="in maintenance in the engine, too"),
    ],
)
def test_what_ails_an_agent_is_told_with_its_own_reason(
    seen: dict[str, HostView], found: list[tuple[Reason, str]]
) -> None:
    told = list(agents_in_trouble(seen, {"node1"}))
    assert [reason for reason, _ in told] == [reason for reason, _ in found]
    assert all(words in why for (_, why), (_, words) in zip(told, found, strict=True))


def test_a_broker_that_is_down_degrades_the_engine_also_while_that_is_not_seen() -> None:
    engine: HostedEngine = resource(HostedEngine, "engine", {"fqdn": "engine.mgmt.private", "deployment": "Existing"})
    report = report_engine(engine, AWAY, Wait(Reason.UNREACHABLE, "wait"), hosts(GOOD, BROKEN))
    degraded = next(c for c in report.conditions if c.type is ConditionType.DEGRADED)
    assert (degraded.state, degraded.reason) == (State.TRUE, Reason.ENGINE_BROKER_DOWN)


def test_scores_are_told_while_the_engine_is_down() -> None:
    status = {
        "hosts": [{"name": "node1", "state": "Up", "score": 3400}, {"name": "node2", "state": "Up", "score": 3400}]
    }
    spec = {"fqdn": "engine.mgmt.private", "deployment": "Existing"}
    engine: HostedEngine = resource(HostedEngine, "engine", spec, status)
    report = report_engine(engine, AWAY, Wait(Reason.UNREACHABLE, "wait"), hosts(Known(known("down")), BROKEN, BROKEN))
    assert [(h.name, h.score) for h in report.status.hosts] == [("node1", 3400), ("node2", 0)]  # type: ignore[attr-defined]
    assert report.status.global_maintenance is True  # type: ignore[attr-defined]


def test_hosts_are_asked_only_where_the_site_declares_an_engine() -> None:
    engine: HostedEngine = resource(HostedEngine, "engine", {"fqdn": "engine.mgmt.private", "deployment": "Existing"})
    assert AGENT.wanted(SiteView.holding([engine]))
    assert not AGENT.wanted(SiteView.holding([]))

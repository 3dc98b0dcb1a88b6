from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heretic.api.v1alpha1 import Network
from heretic.domain.conditions import ConditionType, State
from heretic.domain.errors import Bug, Failure, NeedsUser, Reason, Transient
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import HostFacts, TimeSync
from heretic.domain.host.interfaces import Interface
from heretic.domain.node.report import READY, report_node
from heretic.domain.plan import Converged, Wait
from heretic.domain.report import Outcome, Report, common_conditions
from heretic.kinds import KINDS
from lab.platforms import DEBIAN_12, DEBIAN_13, Platform
from sim.asked import FACTS, but
from sim.host_tools import data_disk, storage_machine
from sim.one_host import OneHost, node_resource, site_resource, volume_resource

CHOSEN = {"nodes": ["node1"], "dataDiskCount": 1}
OWN = {
    ConditionType.REACHABLE,
    ConditionType.INSPECTED,
    ConditionType.CONFIGURED,
    ConditionType.DISKS_READY,
    ConditionType.MAINTENANCE,
}
QUIET = Outcome(Converged("nothing to do"))


@pytest.fixture(scope="module")
def ready() -> OneHost:
    host = OneHost(site=site_resource(CHOSEN), volumes=(volume_resource("engine", "Engine", "20Gi"),))
    for _ in range(6):
        host.run_pass()
    return host


def states(report: Report) -> dict[ConditionType, State]:
    return {c.type: c.state for c in report.conditions}


def reasons(report: Report) -> dict[ConditionType, Reason]:
    return {c.type: c.reason for c in report.conditions}


def report(host: OneHost, facts: HostFacts | Failure, outcome: Outcome = QUIET) -> Report:
    return report_node(host.node, host.view, facts, KINDS.features)


def test_a_configured_node_is_ready(ready: OneHost) -> None:
    said = ready.report()
    assert set(states(said)) == OWN
    assert {states(said)[kind] for kind in READY} == {State.TRUE}
    conditions = {c.type: c for c in common_conditions(said, Outcome(ready.plan()))}
    assert conditions[ConditionType.READY].state is State.TRUE
    assert not conditions.keys() & {ConditionType.STALLED, ConditionType.RECONCILING}


def test_status_of_a_configured_node(ready: OneHost) -> None:
    status = ready.report().status
    assert status == ready.node.status
    facts = ready.node.status.facts
    assert facts is not None
    assert (facts.cpus, facts.memory) == (4, "15.62Gi")
    first, second = ready.node.status.disks
    assert (first.id, first.use, first.volume_group, first.prepared, first.finding, first.media) == (
        "wwn-0x5000c500a0b0c062",
        "Everything",
        "vgdisk1",
        True,
        "",
        "HDD",
    )
    assert (second.path, second.finding) == ("/dev/sda", "mounted at /; ext4 filesystem")
    assert [i.name for i in ready.node.status.interfaces] == ["eth0", "eth1"]


UNREACHABLE: list[tuple[Failure, State]] = [
    (Transient(Reason.UNREACHABLE, "node1: no route to host"), State.FALSE),
    (Transient(Reason.COMMAND_TIMED_OUT, "node1: no answer within 40 s"), State.FALSE),
    (NeedsUser(Reason.HOST_KEY_MISMATCH, "node1: another key"), State.FALSE),
    (Bug("a traceback is in the log"), State.UNKNOWN),
]


@pytest.mark.parametrize(("failure", "reachable"), UNREACHABLE, ids=lambda v: getattr(v, "reason", v))
def test_a_host_that_cannot_be_seen_is_unknown_and_keeps_what_was_known(
    ready: OneHost, failure: Failure, reachable: State
) -> None:
    said = report(ready, failure, Outcome(Wait(failure.reason, failure.message)))
    assert states(said) == {
        ConditionType.REACHABLE: reachable,
        ConditionType.INSPECTED: State.UNKNOWN,
        ConditionType.CONFIGURED: State.UNKNOWN,
        ConditionType.DISKS_READY: State.UNKNOWN,
        ConditionType.WIRED: State.UNKNOWN,
        ConditionType.MAINTENANCE: State.FALSE,
    }
    assert {reasons(said)[kind] for kind in READY} == {failure.reason}
    assert said.status == ready.node.status
    assert ready.node.status.disks


@pytest.mark.parametrize(
    ("platform", "shown"),
    [
        (DEBIAN_13, ("debian13", "Debian GNU/Linux 13 (trixie)", "11.1-6")),
        (DEBIAN_12, ("debian12", "Debian GNU/Linux 12 (bookworm)", "10.3-5")),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_status_tells_the_platform_and_its_gluster(platform: Platform, shown: tuple[str, str, str]) -> None:
    host = OneHost(machine=storage_machine(platform=platform), site=site_resource(CHOSEN))
    for _ in range(6):
        host.run_pass()
    facts = host.node.status.facts
    assert facts is not None
    assert (facts.platform, facts.os, facts.gluster) == shown
    assert facts.kernel == platform.kernel
    assert {c.type: c.state for c in host.report().conditions}[ConditionType.CONFIGURED] is State.TRUE


def test_a_blank_node_is_not_configured_and_its_disks_are_not_ready() -> None:
    host = OneHost(site=site_resource(CHOSEN), volumes=(volume_resource("engine", "Engine", "20Gi"),))
    said = host.report()
    assert states(said)[ConditionType.CONFIGURED] is State.FALSE
    assert states(said)[ConditionType.DISKS_READY] is State.FALSE
    assert states(said)[ConditionType.INSPECTED] is State.TRUE


def test_waiting_for_the_site_is_not_ready() -> None:
    host = OneHost(site=site_resource())
    for _ in range(4):
        host.run_pass()
    said = host.report()
    assert states(said)[ConditionType.CONFIGURED] is State.TRUE
    assert states(said)[ConditionType.DISKS_READY] is State.FALSE
    assert reasons(said)[ConditionType.DISKS_READY] is Reason.WAITING_FOR_SITE


def test_maintenance_is_said(ready: OneHost) -> None:
    node = node_resource(maintenance=True)
    said = report_node(node, ready.view, ready.observe(), KINDS.features)
    assert states(said)[ConditionType.MAINTENANCE] is State.TRUE


WRONG: list[tuple[str, dict[str, Any], ConditionType, State, Reason]] = [
    ("unknown disks", {"disks": Unknown("late")}, ConditionType.INSPECTED, State.UNKNOWN, Reason.NOT_OBSERVED),
    ("unknown disks", {"disks": Unknown("late")}, ConditionType.DISKS_READY, State.UNKNOWN, Reason.NOT_OBSERVED),
    ("unknown services", {"services": Unknown("x")}, ConditionType.CONFIGURED, State.UNKNOWN, Reason.NOT_OBSERVED),
    ("full disk", {"root_free_bytes": Known(1)}, ConditionType.CONFIGURED, State.FALSE, Reason.DISK_FULL),
    ("read-only", {"root_writable": Known(False)}, ConditionType.CONFIGURED, State.FALSE, Reason.READ_ONLY_ROOT),
    (
        "clock",
        {"time": Known(TimeSync(True, 600.0))},
        ConditionType.DISKS_READY,
        State.FALSE,
        Reason.CLOCK_SKEWED,
    ),
]


@pytest.mark.parametrize(("change", "kind", "state", "reason"), [c[1:] for c in WRONG], ids=[c[0] for c in WRONG])
def test_trouble_has_a_reason_of_its_own(
    ready: OneHost, change: dict[str, Any], kind: ConditionType, state: State, reason: Reason
) -> None:
    said = report(ready, replace(ready.observe(), **change))
    assert states(said)[kind] is state
    assert reasons(said)[kind] is reason


def test_disks_that_cannot_be_listed_stay_as_they_were(ready: OneHost) -> None:
    said = report(ready, replace(ready.observe(), disks=Unknown("late"), interfaces=Unknown("late")))
    assert said.status == ready.node.status


def test_a_recorded_disk_that_is_gone_stays_in_the_list(ready: OneHost) -> None:
    facts = ready.observe()
    assert isinstance(facts.disks, Known)
    said = report(ready, replace(facts, disks=Known(facts.disks.value[:1]), physical_volumes=Known(())))
    gone = next(d for d in said.status.disks if d.use)  # type: ignore[attr-defined]
    assert (gone.id, gone.finding, gone.path) == ("wwn-0x5000c500a0b0c062", "not there", "")
    assert reasons(said)[ConditionType.DISKS_READY] is Reason.DISK_NOT_FOUND


def test_a_disk_that_multipath_still_hides_keeps_the_node_from_being_inspected(ready: OneHost) -> None:
    facts = ready.observe()
    assert isinstance(facts.disks, Known)
    held = replace(facts.disks.value[1], multipath=True, volume_group="", findings=("held by multipath map a",))
    said = report(ready, replace(facts, disks=Known((held,))))
    assert states(said)[ConditionType.INSPECTED] is State.FALSE


def test_interfaces_name_their_network_and_those_of_guests_are_left_out(ready: OneHost) -> None:
    network = KINDS.parse(
        "Network",
        {
            "apiVersion": "hvp.ovirt.life/v1alpha1",
            "kind": "Network",
            "metadata": {"name": "gluster"},
            "spec": {"role": "Gluster", "subnet": "172.20.11.0/24"},
        },
    )
    assert isinstance(network, Network)
    view = ready.view.having(network)
    facts = ready.observe()
    assert isinstance(facts.interfaces, Known)
    tap = Interface("vnet0", "fe:54:00:00:00:01", "tun", True, 1500)
    facts = replace(facts, interfaces=Known((*facts.interfaces.value, tap)))
    said = report_node(ready.node, view, facts, KINDS.features)
    shown = {i.name: i.network for i in said.status.interfaces}  # type: ignore[attr-defined]
    assert shown == {"eth0": "", "eth1": "gluster"}


RANK = {State.TRUE: 2, State.UNKNOWN: 1, State.FALSE: 0}


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(FACTS)))
def test_knowing_less_never_makes_a_node_healthier(names: set[str]) -> None:
    host = _dirty()
    facts = host.observe()
    change: dict[str, Any] = dict.fromkeys(names, Unknown("late"))
    full, blind = report(host, facts), report(host, but(facts, **change))
    for kind in READY:
        if states(full)[kind] is not State.TRUE:
            assert states(blind)[kind] is not State.TRUE, kind


def _dirty() -> OneHost:
    """A host on which much is wrong."""
    host = OneHost(
        machine=storage_machine(disks=[data_disk(signature="ext4")]),
        site=site_resource(CHOSEN),
        volumes=(volume_resource("engine", "Engine", "20Gi"),),
    )
    for _ in range(3):
        host.run_pass()
    host.machine.units["glusterd.service"].active = "inactive"
    return host

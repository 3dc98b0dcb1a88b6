"""A host is taken out of service only when every kind bears it, twice, and by one object at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

import pytest

from heretic.api.v1alpha1 import GlusterVolume, Mode, Resource
from heretic.cluster.lease import Lease
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason, Transient
from heretic.domain.host.facts import HostView
from heretic.domain.kind import Kinds, Needs, Observed, OutageRule
from heretic.domain.plan import Blocked, Converged, HostStep, Outage, Plan, PlanItem, Proceed, Risk, Wait
from heretic.kinds import KINDS
from heretic.reconcile.gatekeeper import Gatekeeper
from heretic.reconcile.gates import Passed
from heretic.reconcile.outages import APART, Outages
from heretic.reconcile.slot import LEASE_NAME, DisruptionSlots
from heretic.reconcile.store import Key
from unit.cluster.fake_api import FakeApi
from unit.cluster.test_lease import Clock
from unit.reconcile.loop_parts import Disturbing, step

DATA, OTHER = Key("GlusterVolume", "demo", "data"), Key("GlusterVolume", "demo", "other")


@dataclass(frozen=True, kw_only=True)
class Reboot(Disturbing):
    verb: ClassVar[str] = "Reboot"

    @property
    def outage(self) -> Outage:
        return Outage(self.host, 900)


BACK = Wait(Reason.NOT_OBSERVED, "node1 boots", keeps_slot=True)


@dataclass
class Site:
    """A site, the operator's gatekeeper over it, and the reasons against an outage."""

    api: FakeApi = field(default_factory=FakeApi)
    clock: Clock = field(default_factory=Clock)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    earlier: list[Observed] = field(default_factory=list)
    looks: int = 0
    before: list[PlanItem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new operator."""
        rule = OutageRule(lambda view: Needs(frozenset({"node1"})), self._against, lambda *_: self.before)
        volumes = replace(KINDS["GlusterVolume"], outage=rule)
        kinds = Kinds([volumes, *(k for k in KINDS.values() if k.name != "GlusterVolume")])
        slots = DisruptionSlots(
            lambda namespace, holder, seconds: Lease(
                cast("Any", self.api),
                namespace,
                LEASE_NAME,
                holder,
                monotonic=self.clock.monotonic,
                now=self.clock.now,
                duration=seconds,
            )
        )
        outages = Outages(kinds, cast("Any", self), monotonic=self.clock.monotonic)
        self.gatekeeper = Gatekeeper(slots, outages, now=self.clock.now)

    def _against(self, node: str, view: SiteView, now: Observed, earlier: Observed) -> Iterable[str]:
        self.earlier.append(earlier)
        return self.reasons.get(node, [])

    # in place of the Observer
    async def hosts(self, namespace: str, view: SiteView, names: object, max_age: float) -> Mapping[str, HostView]:
        assert max_age == 0.0, "what was seen before an outage of somebody else counts for nothing"
        self.looks += 1
        return {"node1": Transient(Reason.UNREACHABLE, f"look {self.looks}")}

    async def ask(self, plan: Plan, key: Key = DATA, *, mode: Mode = Mode.APPLY, paused: bool = False) -> Passed:
        return await self.gatekeeper.pass_through(key, volume(), view(), plan, mode=mode, paused=paused)

    @property
    def holder(self) -> str:
        lease = self.api.leases.get(("demo", LEASE_NAME))
        return str(lease["spec"]["holderIdentity"]) if lease else ""


def volume() -> Resource:
    metadata = {"name": "data", "namespace": "demo", "uid": "u1", "generation": 1}
    spec = {"purpose": "VirtualMachines", "size": "1Gi"}
    return GlusterVolume.model_validate({"metadata": metadata, "spec": spec})


def view() -> SiteView:
    site = KINDS.parse("Site", {"metadata": {"name": "demo", "namespace": "demo"}, "spec": {}})
    return SiteView(objects={"Site": {"demo": site}})


def reboot(host: str = "node1") -> Proceed:
    return Proceed((step("prepare", host), cast("HostStep", Reboot(host=host, why="updated", name="reboot"))))


def verbs(passed: Passed) -> list[str]:
    return [s.verb for s in passed.steps]


async def test_a_host_goes_after_two_looks_a_minute_apart_in_the_name_of_one_object() -> None:
    site = Site()
    first = await site.ask(reboot())
    assert verbs(first) == ["Small"]
    assert isinstance(first.held, Wait)
    assert first.held.after == APART
    assert "second look" in first.held.message
    assert site.holder == "", "who waits does not keep others from it"
    site.clock.at += APART
    assert verbs(await site.ask(reboot())) == ["Small", "Reboot"]
    assert site.holder == str(DATA)
    before = site.earlier[-1].hosts["node1"]
    assert isinstance(before, Transient)
    assert before.message == "look 1"


async def test_what_is_done_before_a_host_goes_is_done_in_the_slot_and_the_host_goes_after_it() -> None:
    site = Site()
    first = cast("HostStep", Disturbing(host="node2", why="", name="move"))
    site.before = [first]
    await site.ask(reboot())
    site.clock.at += APART
    passed = await site.ask(reboot())
    assert passed.steps[-1] is first
    assert "Reboot" not in verbs(passed)
    assert passed.held is not None
    assert site.holder == str(DATA)
    site.before = [Wait(Reason.NOT_OBSERVED, "nobody could take them")]
    assert verbs(await site.ask(reboot())) == ["Small"]
    site.before = []
    assert "Reboot" in verbs(await site.ask(reboot()))


async def test_a_reason_against_holds_the_outage_and_is_told() -> None:
    site = Site(reasons={"node1": ["data is not known to be healed twice"]})
    await site.ask(reboot())
    site.clock.at += APART
    held = (await site.ask(reboot())).held
    assert isinstance(held, Wait)
    assert held.reason is Reason.MAINTENANCE_UNSAFE
    assert held.message == "node1 is not taken out of service: data is not known to be healed twice"
    assert site.holder == ""


async def out(site: Site) -> None:
    await site.ask(reboot())
    site.clock.at += APART
    assert "Reboot" in verbs(await site.ask(reboot()))


@pytest.mark.parametrize("crashed", [False, True])
async def test_while_the_host_is_out_its_object_keeps_the_slot_and_is_not_asked_again(crashed: bool) -> None:
    site = Site()
    await out(site)
    if crashed:
        site.start()
    site.reasons = {"node1": ["node1 cannot be observed"]}
    await site.ask(BACK)
    assert site.holder == str(DATA)
    assert verbs(await site.ask(reboot())) == ["Small", "Reboot"], "the next step of the same outage"
    site.reasons = {}
    held = (await site.ask(reboot("node2"), OTHER)).held
    assert isinstance(held, Wait)
    assert str(DATA) in held.message


@pytest.mark.parametrize(
    ("plan", "more"),
    [
        (Converged("it is back"), {}),
        (Blocked(Reason.UNREACHABLE, "it does not come back"), {}),
        (Wait(Reason.NOT_OBSERVED, "something else"), {}),
        (BACK, {"paused": True}),
        (BACK, {"mode": Mode.OBSERVE}),
    ],
    ids=["back", "lost", "waits for something else", "paused", "in Observe"],
)
async def test_the_slot_is_given_back_when_its_object_waits_no_longer(plan: Plan, more: dict[str, Any]) -> None:
    site = Site()
    await out(site)
    await site.ask(plan, **more)
    assert site.holder == ""


async def test_a_wait_that_would_keep_the_slot_does_not_take_it_from_another() -> None:
    site = Site()
    await out(site)
    await site.ask(BACK, OTHER)
    assert site.holder == str(DATA)


async def test_a_look_that_is_too_old_does_not_count_as_the_first_of_two() -> None:
    site = Site()
    await site.ask(reboot())
    site.clock.at += 301
    assert verbs(await site.ask(reboot())) == ["Small"]


async def test_a_disruptive_step_that_takes_no_host_out_needs_the_slot_alone() -> None:
    site = Site(reasons={"node1": ["never"]})
    disturbing = step("restart", kind=Disturbing)
    assert verbs(await site.ask(Proceed((disturbing,)))) == ["Disturbing"]
    assert disturbing.risk is Risk.DISRUPTIVE
    assert (site.holder, site.looks) == (str(DATA), 0)

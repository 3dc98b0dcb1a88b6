"""What of an earlier look at a host is used again, and what is not."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

import heretic.reconcile.observer
from heretic.api.v1alpha1 import GlusterVolume, HostedEngine, Node
from heretic.domain.commands import Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Bug, HereticError, Reason, Transient
from heretic.domain.facts import NOT_OBSERVED, Fact, Known
from heretic.domain.gluster.kind import GLUSTER_VOLUME
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.signs import DISKSTATS
from heretic.domain.node.report import READY as READY_TYPES
from heretic.domain.node.report import report_node
from heretic.domain.pool.facts import PoolFacts
from heretic.domain.pool.look import POOL
from heretic.hosts.connections import Batch
from heretic.hosts.settings import HostSettings
from heretic.kinds import KINDS
from heretic.reconcile.look import look
from heretic.reconcile.observer import BUSY_SECONDS, FULL_LOOK_SECONDS, Observer
from sim.asked import asked_of
from sim.block_devices import SimDisk
from sim.declared import volume
from sim.host_tools import storage_machine
from sim.machine import File
from sim.one_host import node_resource
from sim.site_rules import resource
from sim.systemd_tools import Unit

READY = {"conditions": [{"type": "Ready", "status": "True", "reason": "AsDeclared"}]}
NODE = node_resource(READY)
VIEW = SiteView.holding([NODE])
PLAIN = asked_of(NODE, VIEW)
FULL, BRIEF, UNREAD = PLAIN.probes, PLAIN.brief, PLAIN.unread


class Host:
    """One host, with what it was asked; as the pool of connections and as the way to reach it."""

    def __init__(self) -> None:
        self.machine = storage_machine("node1")
        self.asked: list[Sequence[Probe[Any]]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.was_asked = asyncio.Event()
        self.on_asked: Callable[[], None] = lambda: None

    async def settings(self, *_: object) -> HostSettings:
        return HostSettings("default/node1", "172.20.10.11", "")

    async def probe(self, settings: HostSettings, probes: Sequence[Probe[Any]]) -> Batch:
        self.asked.append(probes)
        self.was_asked.set()
        outputs = {p.name: self.machine.run(p.argv, None, float(p.timeout)) for p in probes}
        self.on_asked()
        now = self.machine.host.now()
        await self.may_answer.wait()
        return Batch(outputs, now, now)


class Watcher:
    """An Observer of one host, with a clock that stands still until it is told."""

    def __init__(self) -> None:
        self.host = Host()
        self.now = 0.0
        self.observer = Observer(self.host, self.host, monotonic=lambda: self.now)  # type: ignore[arg-type]

    async def look(self, max_age: float = 0.0, of: Node = NODE) -> None:
        assert isinstance(await self.observer.host("default", VIEW, of, max_age), HostFacts)


@pytest.fixture
async def watcher() -> Watcher:
    return Watcher()


async def test_a_fresh_look_serves_everybody(watcher: Watcher) -> None:
    await asyncio.gather(watcher.look(30), watcher.look(30), watcher.look(30))
    assert watcher.host.asked == [FULL]


async def test_a_calm_host_is_asked_briefly_until_the_full_look_is_old(watcher: Watcher) -> None:
    for _ in range(3):
        await watcher.look()
        watcher.now += FULL_LOOK_SECONDS / 2
    assert watcher.host.asked == [FULL, BRIEF, FULL]


async def test_a_host_that_got_another_role_is_asked_everything_that_it_brings(watcher: Watcher) -> None:
    asked: list[Sequence[Probe[Any]]] = []
    for roles in (["Hypervisor"], ["Hypervisor"], ["Hypervisor", "Storage"], ["Hypervisor"]):
        node = node_resource(READY, roles=roles)
        await watcher.look(of=node)
        asked.append(asked_of(node, VIEW).probes)
        watcher.now += 1
    assert watcher.host.asked == [asked[0], asked_of(node, VIEW).brief, asked[2], asked[3]]
    assert asked[0] != asked[2]


async def test_a_section_is_asked_only_in_a_site_that_wants_it(watcher: Watcher) -> None:
    node = node_resource(READY, roles=["Hypervisor"])
    engine = resource(HostedEngine, "engine", {"fqdn": "engine.mgmt.private", "deployment": "Existing"})
    for view in (SiteView.holding([node]), SiteView.holding([node, engine])):
        await watcher.observer.host("default", view, node, 0.0)
        watcher.now += 1
    first, second = ([probe.name for probe in asked] for asked in watcher.host.asked)
    assert set(second) - set(first) == {"vm-status"}


async def test_an_effect_ends_all_that_was_seen_of_a_host_but_what_was_read_of_calm_disks(
    watcher: Watcher,
) -> None:
    await watcher.look(30)
    watcher.observer.host_changed("default", "node1", disks=False)
    await watcher.look(30)
    assert watcher.host.asked == [FULL, UNREAD]
    watcher.now += 60
    await watcher.look(30)
    assert watcher.host.asked[2:] == [BRIEF], "nothing has happened since"
    watcher.now += FULL_LOOK_SECONDS - 60
    watcher.observer.host_changed("default", "node1", disks=False)
    await watcher.look(30)
    assert watcher.host.asked[3:] == [FULL], "read once in this time all the same"


async def test_a_step_that_writes_on_disks_has_them_read_again_whatever_they_show(watcher: Watcher) -> None:
    await watcher.look(30)
    watcher.observer.host_changed("default", "node1", disks=True)
    await watcher.look(30)
    assert watcher.host.asked == [FULL, FULL]


async def test_an_effect_that_shows_on_a_disk_has_the_disks_read_again(watcher: Watcher) -> None:
    disk_of(watcher).signature = "ext4"
    await watcher.look(30)
    disk_of(watcher).signature = ""
    watcher.observer.host_changed("default", "node1", disks=False)
    await watcher.look(30)
    assert watcher.host.asked == [FULL, UNREAD, FULL]


async def test_a_disk_that_could_not_be_read_is_read_again_after_every_effect(watcher: Watcher) -> None:
    disk_of(watcher).bad = 1 << 30
    await watcher.look(30)
    watcher.observer.host_changed("default", "node1", disks=False)
    await watcher.look(30)
    assert watcher.host.asked == [FULL, UNREAD, FULL]


async def test_a_host_that_is_not_ready_is_asked_everything_more_often_but_its_disks_are_not_read(
    watcher: Watcher,
) -> None:
    for _ in range(2):
        facts = await watcher.observer.host("default", VIEW, node_resource({}), 0)
        assert isinstance(facts, HostFacts)
        watcher.now += BUSY_SECONDS
    assert watcher.host.asked == [FULL, UNREAD]


@pytest.mark.parametrize(("site", "then"), [("default", [BRIEF]), ("another", [])])
async def test_an_effect_that_spreads_reaches_every_host_of_the_site(
    watcher: Watcher, site: str, then: list[Sequence[Probe[Any]]]
) -> None:
    """A new volume marks bricks on hosts that were told nothing: what was seen there before it says nothing now."""
    await watcher.look(30)
    watcher.observer.site_changed(site)
    await watcher.look(30)
    assert watcher.host.asked == [FULL, *then]


async def test_a_full_look_that_an_effect_overtook_does_not_last(watcher: Watcher) -> None:
    watcher.host.may_answer.clear()
    looking = asyncio.create_task(watcher.look(30))
    await watcher.host.was_asked.wait()
    watcher.observer.host_changed("default", "node1", disks=False)
    watcher.host.may_answer.set()
    await looking
    await watcher.look(30)
    assert watcher.host.asked == [FULL, FULL]


async def test_a_boot_ends_what_was_seen_before_it(watcher: Watcher) -> None:
    await watcher.look()
    watcher.host.machine.reboot()
    watcher.now += 60
    await watcher.look()
    assert watcher.host.asked == [FULL, BRIEF, FULL]


async def test_a_mistake_of_ours_in_a_shared_look_is_told_of_that_host(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(heretic.reconcile.observer, "assemble", fails)
    said = await asyncio.gather(*(watcher.observer.host("default", VIEW, NODE, 30) for _ in range(2)))
    assert all(isinstance(s, Bug) and "ZeroDivisionError" in s.message for s in said)
    report = report_node(NODE, VIEW, cast("Bug", said[0]), KINDS.features)
    assert {c.state.value for c in report.conditions if c.type in READY_TYPES} == {"Unknown"}
    monkeypatch.undo()
    watcher.now += 1
    await watcher.look()


async def test_a_mistake_of_ours_in_the_shared_question_for_volumes_reaches_who_asked(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ZeroDivisionError

    watcher.host.machine.units["glusterd.service"] = Unit("glusterd.service", "active")
    facts = await watcher.observer.host("default", VIEW, NODE, 30)
    monkeypatch.setattr(watcher.observer, "_ask_shared", fails)
    with pytest.raises(HereticError) as raised:
        await watcher.observer.shared(POOL, "default", VIEW, {"node1": facts}, 30)
    assert isinstance(raised.value.failure, Bug)


def disk_of(watcher: Watcher) -> SimDisk:
    return next(d for d in watcher.host.machine.storage.disks.values() if d.name != "sda")


def written(watcher: Watcher, sectors: int, disk: str = "") -> None:
    name = disk or disk_of(watcher).name
    watcher.host.machine.files[DISKSTATS] = File(
        f"   8  16 {name} 9 0 99 1 {sectors} 0 {sectors * 8} 1 0 1 1 0 0 0 0\n"
    )


CHANGES: dict[str, Callable[[Watcher], None]] = {
    "wiped": lambda w: setattr(disk_of(w), "signature", ""),
    "another signature": lambda w: setattr(disk_of(w), "signature", "xfs"),
    "exchanged for one of the same size": lambda w: setattr(disk_of(w), "serial", "ANOTHER"),
    "pulled and plugged in again": lambda w: setattr(disk_of(w), "sequence", 99),
    "overwritten, which no signature shows": lambda w: written(w, 2),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_disk_that_was_changed_is_searched_anew_in_the_next_pass(
    watcher: Watcher, change: Callable[[Watcher], None]
) -> None:
    disk_of(watcher).signature = "ext4"
    written(watcher, 1)
    await watcher.look()
    change(watcher)
    watcher.now += 60
    await watcher.look()
    assert watcher.host.asked == [FULL, BRIEF, FULL]
    watcher.now += 60
    await watcher.look()
    assert watcher.host.asked[3:] == [BRIEF], "once"


async def test_a_cleared_disk_loses_its_finding_in_the_next_pass(watcher: Watcher) -> None:
    disk_of(watcher).signature = "ext4"
    for expected in (True, False):
        watcher.now += 60
        facts = await watcher.observer.host("default", VIEW, NODE, 0)
        assert isinstance(facts, HostFacts)
        assert isinstance(facts.disks, Known)
        assert any(d.findings for d in facts.disks.value if d.path == disk_of(watcher).path) is expected
        disk_of(watcher).signature = ""


async def test_a_disk_that_is_being_written_is_searched_until_it_is_calm(watcher: Watcher) -> None:
    written(watcher, 1)
    await watcher.look()
    for sectors in (2, 3):
        written(watcher, sectors)
        watcher.host.on_asked = lambda sectors=sectors: written(watcher, sectors * 100)  # type: ignore[misc]
        watcher.now += 60
        await watcher.look()
    watcher.host.on_asked = lambda: None
    for _ in range(3):
        watcher.now += 60
        await watcher.look()
    assert watcher.host.asked == [
        FULL,
        BRIEF,
        FULL,
        FULL,
        FULL,
        FULL,
        BRIEF,
    ]


async def test_writes_to_a_disk_in_use_are_no_change(watcher: Watcher) -> None:
    written(watcher, 1, "sda")
    await watcher.look()
    written(watcher, 2, "sda")
    watcher.now += 60
    await watcher.look()
    assert watcher.host.asked == [FULL, BRIEF]


class Losing:
    """Stands for the observer of a site that loses a host while Gluster is asked."""

    lost = False

    async def hosts(self, *_: object) -> dict[str, HostView]:
        return {"node1": Transient(Reason.UNREACHABLE, "") if self.lost else HostFacts("node1")}

    async def shared(self, *_: object) -> Fact[PoolFacts]:
        self.lost = True
        return NOT_OBSERVED


async def test_a_host_that_is_lost_while_gluster_answers_is_told_in_the_same_pass() -> None:
    site = VIEW.having(volume("data"))
    observed = await look(GLUSTER_VOLUME, site.of(GlusterVolume)["data"], site, cast("Observer", Losing()), 0.0)
    assert isinstance(observed.hosts["node1"], Transient)

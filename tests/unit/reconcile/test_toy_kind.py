"""A kind costs one place: a Lamp that nothing in the package knows is kept like every other object."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY

from heretic.api import crd, rights
from heretic.api.reference import page
from heretic.api.v1alpha1.node import Role
from heretic.cluster.client import Cluster
from heretic.cluster.events import EventRecorder
from heretic.cluster.status import StatusWriter
from heretic.domain.commands import Command, Output, Script
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason, Transient
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host.assemble import assemble
from heretic.domain.host.facts import HostFacts, OperatingSystem
from heretic.domain.host.probes import questions
from heretic.domain.host.profiles import Family
from heretic.domain.host.steps import InstallPackages
from heretic.domain.kind import Kinds, Observed
from heretic.domain.plan import Done, Started, Step, StepResult, steps_of
from heretic.domain.shares.feature import FILE_SERVER
from heretic.hosts.fence import Admission
from heretic.reconcile import metrics
from heretic.reconcile.apply import Applier
from heretic.reconcile.audit import AuditLog
from heretic.reconcile.executors import Executor, HostExecutor
from heretic.reconcile.gateway import Effect, Faults, Gateway
from heretic.reconcile.loop import Reconciler
from heretic.reconcile.publish import Publisher
from heretic.reconcile.schedule import Pace
from heretic.reconcile.slot import DisruptionSlots
from heretic.reconcile.store import Key, ObjectStore
from heretic.reconcile.wake import WakeUps
from sim.world import NAMESPACE, DiedError, MemoryApi, Object
from unit.reconcile.loop_parts import Parts, now, slot_lease
from unit.reconcile.toy_kind import HOST, LAMPS, SWITCHBOARD, World, with_lamps

PACKAGE = Path(__file__).resolve().parents[3] / "operator/heretic"
LAMP, DATA = Key("Lamp", NAMESPACE, "desk"), Key("GlusterVolume", NAMESPACE, "data")


class Hosts(Parts):
    """In place of the hosts: what is lit, and with which password."""

    world: World
    passwords: list[str]

    async def perform(self, settings: object, script: Script, *, admission: Admission) -> StepResult:
        result = await super().perform(settings, script, admission=admission)
        (action,) = script.actions
        assert isinstance(action, Command)
        match action.argv[0]:
            case "turn":
                assert script.job is not None
                self.world.screwed = True
                return Started(script.job.name)
            case "connect":
                assert script.trial is not None
                self.world.connected = True
            case "light":
                self.passwords.append(str(action.stdin))
                self.world.lit = True
        return result

    async def hosts(self, namespace: str, view: SiteView, names: set[str], max_age: float) -> dict[str, Transient]:
        return {name: Transient(Reason.NOT_OBSERVED, "") for name in names}

    async def shared(self, *_: object) -> Unknown:
        return NOT_OBSERVED


class Switchboard:
    """The stand-in for an engine."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.entered: list[str] = []

    async def perform(self, key: Key, view: SiteView, step: Step, admission: Admission) -> StepResult:
        assert await admission.check() is None
        self.entered.append(step.arguments()["lamp"])
        self.world.entered = True
        return Done(changed=True)


class Toy:
    """An operator that keeps lamps too."""

    def __init__(self, api: MemoryApi, kinds: Kinds, world: World, faults: Faults | None = None) -> None:
        self.api, self.kinds, self.switchboard = api, kinds, Switchboard(world)
        self.hosts = Hosts(lambda: pytest.fail("nobody asks this"))
        self.hosts.world, self.hosts.passwords = world, []
        cluster, parts = cast("Cluster", api), cast("Any", self.hosts)
        gateway = Gateway(AuditLog(None, now=now), monotonic=lambda: 1.0, faults=faults)
        events = EventRecorder(cluster, now=now, monotonic=lambda: 0.0, component="test")
        self.store = ObjectStore(kinds)
        executors: dict[str, Executor] = {
            "Node": HostExecutor(parts, parts, parts, cluster, kinds),
            SWITCHBOARD: self.switchboard,
        }
        self.reconciler = Reconciler(
            store=self.store,
            observer=parts,
            applier=Applier(executors, gateway, parts),
            publisher=Publisher(StatusWriter(cluster), events, gateway, now=now, kinds=kinds),
            cluster=cluster,
            gateway=gateway,
            leader=parts,
            slots=DisruptionSlots(lambda ns, holder, seconds: slot_lease(cluster, ns, holder, seconds)),
            now=now,
            monotonic=lambda: 1.0,
            random=lambda: 0.0,
            pace=Pace(),
            kinds=kinds,
        )

    async def run(self, passes: int = 4) -> None:
        for _ in range(passes):
            self.load()
            await self.reconciler.run_pass(LAMP)

    def load(self) -> None:
        for key, obj in self.api.objects.items():
            self.store.put(key.kind, deepcopy(obj))

    def condition(self, key: Key, type_: str) -> Object:
        return next(c for c in self.api.objects[key]["status"]["conditions"] if c["type"] == type_)


@pytest.fixture(autouse=True, scope="module")
def no_gauge_of_a_lamp_stays() -> Iterator[None]:
    """The page of metrics is made of every gauge that the process has."""
    before = set(metrics._GAUGES)
    yield
    for name in set(metrics._GAUGES) - before:
        REGISTRY.unregister(metrics._GAUGES.pop(name))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def kinds(world: World) -> Kinds:
    return with_lamps(world)


@pytest.fixture
def site(kinds: Kinds) -> MemoryApi:
    api = MemoryApi(kinds)
    api.secrets["lamps"] = {"password": b"sesame"}
    api.apply({"kind": "Site", "metadata": {"name": "demo"}, "spec": {}})
    api.apply({"kind": "Node", "metadata": {"name": HOST}, "spec": {"address": "192.0.2.1"}})
    api.apply(
        {"kind": "GlusterVolume", "metadata": {"name": "data"}, "spec": {"purpose": "VirtualMachines", "size": "1Gi"}}
    )
    api.apply({"kind": "Lamp", "metadata": {"name": "desk"}, "spec": {"volume": "data"}})
    return api


async def test_its_steps_run_on_their_targets_and_it_becomes_ready(site: MemoryApi, kinds: Kinds, world: World) -> None:
    toy = Toy(site, kinds, world)
    await toy.run()
    assert (toy.hosts.performed, toy.hosts.passwords, toy.switchboard.entered) == (
        ["turn", "connect", "light"],
        ["sesame"],
        ["desk"],
    )
    assert toy.condition(LAMP, "Ready")["status"] == toy.condition(LAMP, "InSync")["status"] == "True"
    samples = [s for m in metrics.every() for family in m.collect() for s in family.samples]
    assert [s.value for s in samples if s.labels.get("lamp") == "desk"] == [1.0]
    assert "sesame" not in str(site.objects) + str(site.events)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("deadly", ["ScrewLampIn", "ConnectLamp", "LightLamp", "EnterLamp", "WriteStatus"])
async def test_a_crash_at_each_of_its_effects_loses_and_doubles_nothing(
    site: MemoryApi, kinds: Kinds, world: World, deadly: str, when: str
) -> None:
    class Deadly(Faults):
        async def before(self, effect: Effect) -> None:
            self.at("before", effect.verb)

        async def after(self, effect: Effect) -> None:
            self.at("after", effect.verb)

        def at(self, moment: str, verb: str) -> None:
            if (moment, verb) == (when, deadly):
                raise DiedError

    with pytest.raises(DiedError):
        await Toy(site, kinds, world, Deadly()).run()
    again = Toy(site, kinds, world)
    await again.run()
    assert world == World(screwed=True, connected=True, lit=True, entered=True)
    assert again.condition(LAMP, "Ready")["status"] == "True"


async def test_a_missing_password_is_told_and_nothing_is_sent(site: MemoryApi, kinds: Kinds, world: World) -> None:
    del site.secrets["lamps"]
    toy = Toy(site, kinds, world)
    await toy.run()
    assert toy.hosts.performed == ["turn", "connect"]
    assert toy.condition(LAMP, "Stalled")["reason"] == "CredentialsMissing"
    assert "Secret lamps does not exist" in toy.condition(LAMP, "Stalled")["message"]


async def test_what_it_stands_on_is_not_deleted_under_it(site: MemoryApi, kinds: Kinds, world: World) -> None:
    site.objects[DATA]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    toy = Toy(site, kinds, world)
    toy.load()
    assert await toy.reconciler.finalize(DATA) is not None
    assert "Lamp desk" in toy.condition(DATA, "DeletionBlocked")["message"]


def test_a_change_of_what_it_reads_wakes_it(site: MemoryApi, kinds: Kinds) -> None:
    assert "Lamp" in kinds.woken_by("GlusterVolume")
    assert "Lamp" not in kinds.woken_by("Network")
    store = ObjectStore(kinds)
    for key, obj in site.objects.items():
        store.put(key.kind, obj)
    wakes = WakeUps(store, kinds)
    wakes.clear(LAMP)
    wakes.seen(DATA)
    assert wakes._events[LAMP].is_set()


def test_hosts_of_its_role_are_asked_of_it_and_no_others(kinds: Kinds) -> None:
    asked = questions(kinds.features, kinds.sections, (Role.FILE_SERVER,))
    assert "/etc/lamps.conf" in asked.files
    assert "lampd.service" in next(p.argv for p in asked.probes if p.name == "units")
    facts = assemble(asked, HOST, {"lamps": Output(0, "3\n", "")}, 0.0, 0.0)
    assert facts[LAMPS] == Known(3)
    others = questions(kinds.features, kinds.sections, (Role.STORAGE,))
    assert "count-lamps" not in [p.argv[0] for p in others.probes]
    assert assemble(others, HOST, {}, 0.0, 0.0)[LAMPS] == NOT_OBSERVED


@pytest.mark.parametrize(("role", "gets"), [(Role.FILE_SERVER, True), (Role.HYPERVISOR, False)])
def test_hosts_of_its_role_get_what_it_needs_and_nothing_of_other_roles(kinds: Kinds, role: Role, gets: bool) -> None:
    spec = {"address": "192.0.2.1", "roles": [role.value]}
    node = kinds.parse("Node", {"kind": "Node", "metadata": {"name": HOST, "namespace": NAMESPACE}, "spec": spec})
    facts = HostFacts(
        HOST,
        os=Known(OperatingSystem("debian", "12", "Debian 12", "6.1")),
        root_writable=Known(True),
        root_free_bytes=Known(2**30),
        packages=Known({}),
        jobs=Known({}),
        files={"/etc/hosts": Absent()},
    )

    def packages() -> set[str]:
        plan = kinds["Node"].assess(node, SiteView.holding([node]), Observed({HOST: facts})).plan
        return {p for step in steps_of(plan) if isinstance(step, InstallPackages) for p in step.packages}

    assert packages() == {"chrony", *(["lamp-tools", *FILE_SERVER.packages[Family.DEBIAN]] if gets else [])}


def test_its_definition_its_page_and_the_rights_on_it_are_made_from_its_model(kinds: Kinds) -> None:
    assert "hvp.ovirt.life_lamps.yaml" in crd.files(kinds.models)
    assert "## Lamp" in page(kinds.models)
    for name, content in rights.files(kinds.models).items():
        assert "lamps" in content, name


def test_nothing_in_the_package_names_it() -> None:
    assert [str(f) for f in PACKAGE.rglob("*.py") if "lamp" in f.read_text().lower().replace("clamp", "")] == []

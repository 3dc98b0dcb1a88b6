"""A loop over one volume, with its gates, applier and publisher; hosts, API server and rules are given by the tests."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, cast

from heretic.cluster.client import Cluster
from heretic.cluster.events import EventRecorder
from heretic.cluster.lease import Lease
from heretic.cluster.status import StatusWriter
from heretic.domain.commands import Command, Script
from heretic.domain.conditions import Condition
from heretic.domain.errors import Failure, Reason, Transient
from heretic.domain.kind import AnyKind, Kinds
from heretic.domain.plan import (
    Done,
    Failed,
    HostStep,
    Plan,
    Risk,
    StepResult,
)
from heretic.hosts.connections import Hosts
from heretic.hosts.fence import Admission, Fence
from heretic.kinds import KINDS
from heretic.reconcile.access import Access, Secrets
from heretic.reconcile.apply import Applier
from heretic.reconcile.audit import AuditLog
from heretic.reconcile.executors import Executor, executors
from heretic.reconcile.gateway import Gateway
from heretic.reconcile.loop import Reconciler
from heretic.reconcile.observer import Observer
from heretic.reconcile.publish import Publisher
from heretic.reconcile.schedule import Pace
from heretic.reconcile.slot import LEASE_NAME, DisruptionSlots
from heretic.reconcile.store import Key, ObjectStore
from sim.world import NAMESPACE, MemoryApi, Object

DATA = Key("GlusterVolume", NAMESPACE, "data")
RESYNC = 60.0


@dataclass(frozen=True, kw_only=True)
class Small(HostStep):
    verb: ClassVar[str] = "Small"
    name: str

    def script(self) -> Script:
        return Script(done=(Command(("true",)),), actions=(Command((self.name,)),))


@dataclass(frozen=True, kw_only=True)
class Dangerous(Small):
    verb: ClassVar[str] = "Dangerous"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE


@dataclass(frozen=True, kw_only=True)
class Disturbing(Small):
    verb: ClassVar[str] = "Disturbing"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE


def step(name: str, host: str = "node1", kind: type[Small] = Small) -> Small:
    return kind(host=host, why="it is missing", name=name)


@dataclass
class Parts:
    """What surrounds the loop.

    Attributes:
        plan: What planning says, or does.
        answers: What the host answers to a step, by its name; Done when not named.
        performed: Names of the steps that ran, in order.
        held: Whether we hold the lease.
        on_perform: Called before each step is answered.
    """

    plan: Callable[[], Plan]
    answers: dict[str, StepResult] = field(default_factory=dict)
    performed: list[str] = field(default_factory=list)
    held: bool = True
    token: int = 7
    on_perform: Callable[[str], None] = lambda name: None
    conditions: tuple[Condition, ...] = ()
    kill_switch: Path | None = None

    # in place of Hosts
    async def perform(self, settings: object, script: Script, *, admission: Admission) -> StepResult:
        action = script.actions[0]
        assert isinstance(action, Command)
        if (refused := await admission.check()) is not None:
            return Failed(refused)
        shown = admission.fence()
        if not isinstance(shown, Fence):
            return Failed(shown)
        assert shown == Fence("here", self.token, "operator")
        self.on_perform(action.argv[0])
        self.performed.append(action.argv[0])
        return self.answers.get(action.argv[0], Done(changed=True))

    # in place of Leadership
    def fence(self) -> Fence | Failure:
        if not self.held:
            return Transient(Reason.LEASE_LOST, "another operator may act by now")
        if self.kill_switch is not None and self.kill_switch.exists():
            return Transient(Reason.PAUSED, "the kill switch was thrown")
        return Fence("here", self.token, "operator")

    async def outdated(self, host: str, theirs: Fence) -> Failure:
        return Transient(Reason.LOCKED_BY_OTHER_OPERATOR, host)

    # in place of Access
    async def settings(self, *_: object) -> object:
        return None

    # in place of Observer
    def site_changed(self, namespace: str) -> None:
        """Nothing is remembered here."""

    def forget(self, *_: str) -> None:
        """Likewise."""


class Loop:
    """A Reconciler over one volume of three nodes."""

    def __init__(self, parts: Parts, api: MemoryApi, kind: AnyKind, kill_switch: Path | None = None) -> None:
        self.parts, self.api, self.kind = parts, api, kind
        parts.kill_switch = kill_switch
        self.store = ObjectStore()
        cluster = cast("Cluster", api)
        gateway = Gateway(AuditLog(None, now=now), monotonic=lambda: 1.0)
        events = EventRecorder(cluster, now=now, monotonic=lambda: 0.0, component="test")
        observer = cast("Observer", parts)
        self.reconciler = Reconciler(
            store=self.store,
            observer=observer,
            applier=Applier(
                executors(
                    cast("Hosts", parts),
                    cast("Access", parts),
                    observer,
                    cast("Secrets", api),
                    KINDS,
                    cast("Executor", parts),
                    cast("Executor", parts),
                ),
                gateway,
                cast("Any", parts),
            ),
            publisher=Publisher(StatusWriter(cluster), events, gateway, now=now),
            cluster=cluster,
            gateway=gateway,
            leader=cast("Any", parts),
            slots=DisruptionSlots(lambda ns, holder, seconds: slot_lease(cluster, ns, holder, seconds)),
            now=now,
            monotonic=lambda: 1.0,
            random=lambda: 0.0,
            pace=Pace(resync=RESYNC),
            kill_switch=kill_switch,
            kinds=having(kind),
        )

    def change(self, **parts: Any) -> None:
        """From now on the kind has other parts."""
        self.kind = replace(self.kind, **parts)
        self.reconciler._kinds = having(self.kind)

    async def run_pass(self) -> float:
        self.load()
        return await self.reconciler.run_pass(DATA)

    def load(self) -> None:
        for key, obj in self.api.objects.items():
            self.store.put(key.kind, deepcopy(obj))

    def condition(self, type_: str) -> Object:
        conditions = self.api.objects[DATA]["status"].get("conditions") or []
        return next((c for c in conditions if c["type"] == type_), {})


def having(kind: AnyKind) -> Kinds:
    """All kinds, with one in place of its namesake."""
    return Kinds(kind if kind.name == known.name else known for known in KINDS.values())


def slot_lease(cluster: Cluster, namespace: str, holder: str, seconds: int) -> Lease:
    return Lease(cluster, namespace, LEASE_NAME, holder, monotonic=lambda: 1.0, now=now, duration=seconds)


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


Build = Callable[..., Loop]

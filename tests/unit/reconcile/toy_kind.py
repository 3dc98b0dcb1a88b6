"""A kind that is added in one place: its model, its steps, its value `Kind`, and nothing else anywhere.

A Lamp stands on a volume. A long job screws it in, a trial connects it to the line that its host hangs on, a script
lights it with a password, and at the end it is entered at a switchboard, which is no host. Hosts that serve files have
lamps: they need a package, a service and a port for them, and are asked of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from heretic.api.schema import Column
from heretic.api.v1alpha1 import GlusterVolume, Node, Resource, Site
from heretic.api.v1alpha1.common import READY, CommonSpec, CommonStatus
from heretic.api.v1alpha1.node import Role
from heretic.api.v1alpha1.values import Text
from heretic.domain.commands import Command, Job, Output, Probe, Script, SecretRef, Trial
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.host.facts import HostView
from heretic.domain.host.feature import Feature, Opening
from heretic.domain.host.parse.reading import read
from heretic.domain.host.profiles import Family
from heretic.domain.host.section import Answers, Section
from heretic.domain.kind import Assessment, GaugeOf, Kind, Kinds, Needs, Observed, Reference
from heretic.domain.plan import Converged, HostStep, Plan, Proceed, Risk, Step, Target
from heretic.domain.report import Report
from heretic.kinds import kinds_with

HOST, SWITCHBOARD = "node1", "Switchboard"


class LampSpec(CommonSpec):
    """What the user declares."""

    volume: Text = Field(description="The GlusterVolume that it stands on.")


class LampStatus(CommonStatus):
    """What was seen."""


class Lamp(Resource):
    """A lamp."""

    KIND: ClassVar[str] = "Lamp"
    PLURAL: ClassVar[str] = "lamps"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("hlamp",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (READY,)

    spec: LampSpec = Field(description="The lamp as it shall be.")
    status: LampStatus = Field(default_factory=LampStatus, description="The lamp as it was last seen.")


LIGHT = Feature(
    name="Light",
    role=Role.FILE_SERVER,
    packages=dict.fromkeys(Family, ("lamp-tools",)),
    services=("lampd.service",),
    openings=(Opening(((7007, 7007),)),),
    files=("/etc/lamps.conf",),
)


def parse_lamps(output: Output) -> Fact[int]:
    return read(output, "count-lamps", int)


def lamps_there(answers: Answers) -> Fact[int]:
    return answers.parsed("lamps", parse_lamps)


LAMPS: Section[Fact[int]] = Section(
    name="lamps",
    assemble=lamps_there,
    unseen=NOT_OBSERVED,
    probes=(Probe("lamps", ("count-lamps",), parse_lamps),),
    roles=frozenset({Role.FILE_SERVER}),
)


@dataclass(frozen=True, kw_only=True)
class ScrewLampIn(HostStep):
    """Takes long."""

    verb: ClassVar[str] = "ScrewLampIn"

    def script(self) -> Script:
        return Script(
            (Command(("is-in",)),), (Command(("turn",), timeout=900),), job=Job("heretic-screw", stage="^turn")
        )


@dataclass(frozen=True, kw_only=True)
class ConnectLamp(HostStep):
    """Could blow the fuse of its own host."""

    verb: ClassVar[str] = "ConnectLamp"

    def script(self) -> Script:
        trial = Trial("heretic-trial-lamp", (Command(("disconnect",)),), (Command(("has-power",)),), seconds=120)
        return Script((Command(("is-connected",)),), (Command(("connect",)),), trial=trial)


@dataclass(frozen=True, kw_only=True)
class LightLamp(HostStep):
    """Lights a lamp."""

    verb: ClassVar[str] = "LightLamp"

    def script(self) -> Script:
        password = SecretRef("lamps", "password")
        return Script(done=(Command(("is-lit",)),), actions=(Command(("light",), stdin=password),))


@dataclass(frozen=True, kw_only=True)
class EnterLamp(Step):
    """Enters a lamp at the switchboard; the light goes out for a moment."""

    verb: ClassVar[str] = "EnterLamp"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    lamp: str

    @property
    def target(self) -> Target:
        return Target(SWITCHBOARD, "main")


@dataclass
class World:
    """What was done to a lamp, and what the switchboard knows."""

    screwed: bool = False
    connected: bool = False
    lit: bool = False
    entered: bool = False


def lamps(world: World) -> Kind[Lamp]:
    """The kind, on a world that its steps change."""

    def needs(lamp: Lamp, view: SiteView, seen: Mapping[str, HostView]) -> Needs:
        return Needs(frozenset({HOST}))

    def assess(lamp: Lamp, view: SiteView, observed: Observed) -> Assessment:
        assert HOST in observed.hosts
        done = world.screwed and world.connected and world.lit and world.entered
        plan: Plan = Converged("lit and entered")
        if not done:
            steps = (
                ScrewLampIn(host=HOST, why="it lies beside"),
                ConnectLamp(host=HOST, why="it has no power"),
                LightLamp(host=HOST, why="it is dark"),
                EnterLamp(why="nobody knows it", lamp=lamp.metadata.name),
            )
            there = (world.screwed, world.connected, world.lit, world.entered)
            plan = Proceed(tuple(s for s, d in zip(steps, there, strict=True) if not d), ordered=True)
        state = State.TRUE if done else State.FALSE
        condition = Condition(ConditionType.IN_SYNC, state, Reason.AS_DECLARED if done else Reason.APPLYING, "")
        return Assessment(plan, Report(LampStatus(), (condition,), frozenset({ConditionType.IN_SYNC}), "lit"))

    def references(lamp: Lamp) -> Iterable[Reference]:
        yield Reference(GlusterVolume, lamp.spec.volume)

    def shines(report: Report) -> float | None:
        return float(report.conditions[0].state is State.TRUE)

    return Kind(
        model=Lamp,
        conditions=(ConditionType.IN_SYNC,),
        needs=needs,
        assess=assess,
        reads=(Site, Node, GlusterVolume),
        refers_to=(GlusterVolume,),
        references=references,
        gauges=(GaugeOf("heretic_lamp_shines", "1 while it is lit.", "lamp", shines),),
        features=(LIGHT,),
        sections=(LAMPS,),
    )


def with_lamps(world: World) -> Kinds:
    """All kinds and Lamp: the one place where it is registered."""
    return kinds_with(lamps(world))

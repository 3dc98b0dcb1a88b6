"""One simulated host under the pure rules: observe, plan, act and report as one pass does, without SSH or Kubernetes.

Scripts travel in the real wire form, so that what is tested is what a host would be told.
"""

from dataclasses import dataclass, field
from typing import Any

from heretic.api.v1alpha1 import GlusterVolume, Node, Site
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick_identity import brick_obstacle
from heretic.domain.disks.growth import plan_growth
from heretic.domain.disks.judge import judge
from heretic.domain.disks.plan import plan_brick
from heretic.domain.gluster.placement import Placement, place, thin_bricks
from heretic.domain.host.assemble import assemble
from heretic.domain.host.facts import HostFacts
from heretic.domain.node.plan import plan_node
from heretic.domain.node.report import report_node
from heretic.domain.plan import Blocked, HostStep, Plan, Step, Wait, steps_of
from heretic.domain.report import Report
from heretic.hosts.fence import Fence
from heretic.hosts.frames import parse_frames
from heretic.hosts.script import render_step
from heretic.kinds import KINDS
from sim.asked import asked_of
from sim.host_tools import StorageMachine, storage_machine
from sim.machine import Argv
from sim.protocol import run_script


class KilledError(Exception):
    """The host lost its power, or the shell its life, in the middle of a script."""


@dataclass
class MortalMachine(StorageMachine):
    """A host on which effects can be made to end a script.

    Attributes:
        dies_before: Number of the effect, from 1, before which it happens; 0 = never.
    """

    dies_before: int = 0
    count: int = 0

    def act(self, argv: Argv, stdin: str | None = None, timeout: float = 60.0) -> Any:
        self._live()
        return super().act(argv, stdin, timeout)

    def put(self, path: str, content: str, mode: str, replaces_sha256: str | None) -> Any:
        self._live()
        return super().put(path, content, mode, replaces_sha256)

    def _live(self) -> None:
        self.count += 1
        if self.count == self.dies_before:
            raise KilledError


def node_resource(status: dict[str, Any] | None = None, **spec: Any) -> Node:
    """The Node "node1"."""
    node = KINDS.parse("Node", _object("Node", "node1", {"address": "172.20.10.11"} | spec, status))
    assert isinstance(node, Node)
    return node


def site_resource(storage: dict[str, Any] | None = None, **spec: Any) -> Site:
    """The Site; with ``storage`` what it has chosen."""
    site = KINDS.parse("Site", _object("Site", "site", spec, {"storage": storage} if storage else None))
    assert isinstance(site, Site)
    return site


def volume_resource(name: str, purpose: str, size: str, **spec: Any) -> GlusterVolume:
    """A GlusterVolume."""
    volume = KINDS.parse("GlusterVolume", _object("GlusterVolume", name, {"purpose": purpose, "size": size} | spec))
    assert isinstance(volume, GlusterVolume)
    return volume


def _object(kind: str, name: str, spec: dict[str, Any], status: dict[str, Any] | None = None) -> dict[str, Any]:
    obj = {
        "apiVersion": "hvp.ovirt.life/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": spec,
    }
    return obj | ({"status": status} if status else {})


@dataclass
class OneHost:
    """A site of one node with its simulated host.

    Attributes:
        trace: Every step that was tried, with the host's verdict on it.
    """

    machine: StorageMachine = field(default_factory=storage_machine)
    node: Node = field(default_factory=node_resource)
    site: Site = field(default_factory=site_resource)
    volumes: tuple[GlusterVolume, ...] = ()
    trace: list[tuple[Step, str]] = field(default_factory=list)

    @property
    def view(self) -> SiteView:
        """What is declared."""
        return SiteView.holding([self.site, self.node, *self.volumes])

    def observe(self) -> HostFacts:
        """One batch."""
        before = self.machine.host.now()
        asked = asked_of(self.node)
        outputs = {p.name: self.machine.run(p.argv, None, float(p.timeout)) for p in asked.probes}
        return assemble(asked, "node1", outputs, before, self.machine.host.now())

    def plan(self) -> Plan:
        """The Node's plan for the world as it is."""
        return plan_node(self.node, self.view, self.observe(), KINDS.features)

    def report(self) -> Report:
        """The Node's report for the world as it is."""
        return report_node(self.node, self.view, self.observe(), KINDS.features)

    def perform(self, step: Step) -> str:
        """Runs one step on the host.

        Returns:
            The host's verdict: "unchanged", "changed", "started", or what failed with what it said.
        """
        assert isinstance(step, HostStep)
        (frame,) = parse_frames(run_script(self.machine, render_step(step.script(), Fence())).encode())
        verdict = frame.name.partition(":")[0]
        text = verdict if verdict in ("unchanged", "changed", "started") else f"{frame.name} {frame.output}"
        self.trace.append((step, text))
        return text

    def run_pass(self) -> Plan:
        """Observes, plans, acts up to the first failure and without a person, and records what a status would."""
        plan = self.plan()
        for step in steps_of(plan):
            if step.needs_approval or self.perform(step) not in ("unchanged", "changed", "started"):
                break
        self.node = self.node.model_copy(update={"status": self.report().status})
        return plan

    def brick_plan(self, volume: str) -> tuple[Step, ...] | Blocked | Wait:
        """The plan of a volume's only brick."""
        placement = place(self.view)[volume]
        assert isinstance(placement, Placement), placement
        (brick,) = placement.bricks
        facts, thin = self.observe(), thin_bricks(self.view).get(("node1", brick.group), ())
        if obstacle := brick_obstacle(facts, brick, judge(self.node, self.view, facts)):
            return obstacle
        planned = plan_brick(facts, brick, thin)
        return planned or plan_growth(facts, brick, thin)

    def brick_pass(self, volume: str) -> tuple[Step, ...] | Blocked | Wait:
        """Observes, plans and acts for a volume's only brick."""
        planned = self.brick_plan(volume)
        for step in planned if isinstance(planned, tuple) else ():
            if self.perform(step) not in ("unchanged", "changed"):
                break
        return planned

"""A site of simulated hosts under the pure rules of every kind: passes without SSH, Kubernetes or time.

Steps travel in the real wire form. A pass over an object observes, plans, acts, reports, and stores what a status
writer would, conditions among it.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from heretic.api.v1alpha1 import GlusterVolume, Network, Node, Resource, Site
from heretic.api.v1alpha1.common import StoredCondition
from heretic.api.v1alpha1.gluster_volume import GlusterVolumeStatus
from heretic.domain.conditions import merge
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason, Transient
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.gluster.plan import plan_volume, plan_volume_removal
from heretic.domain.gluster.report import report_volume
from heretic.domain.host.assemble import assemble
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.network.report import plan_network, report_network
from heretic.domain.node.plan import plan_node
from heretic.domain.node.report import report_node
from heretic.domain.plan import Converged, HostStep, Plan, Proceed, Step, Wait, steps_of
from heretic.domain.pool.facts import PoolFacts
from heretic.domain.pool.members import members
from heretic.domain.pool.probes import assemble_pool, pool_probes
from heretic.domain.report import Outcome, Report, common_conditions
from heretic.domain.site.plan import plan_site
from heretic.domain.site.report import report_site
from heretic.hosts.fence import Fence
from heretic.hosts.frames import parse_frames
from heretic.hosts.script import render_step
from heretic.kinds import KINDS
from sim.asked import asked_of
from sim.gluster_tools import GlusterPool
from sim.host_tools import StorageMachine, data_disk, storage_machine
from sim.machine import Machine
from sim.protocol import run_script

GIB = 2**30
FINE = ("unchanged", "changed", "started")


def resource(kind: type[Resource], name: str, spec: Mapping[str, Any], status: Mapping[str, Any] | None = None) -> Any:
    """One object as the API server would give it."""
    meta = {"name": name, "uid": f"uid-{name}", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    obj = {"apiVersion": "hvp.ovirt.life/v1alpha1", "kind": kind.KIND, "metadata": meta, "spec": dict(spec)}
    return KINDS.parse(kind.KIND, obj | ({"status": dict(status)} if status else {}))


@dataclass
class RuledSite:
    """A whole site.

    Attributes:
        machines: By the name of their Node.
        gluster: What their glusterds share.
        nodes, networks, volumes, site: The objects with their status.
        effects: Every step that changed something, in order.
        failures: Every step that did not work, with what the host said.
        now: Wall clock of the operator; None = nobody says.
    """

    machines: dict[str, StorageMachine]
    gluster: GlusterPool
    site: Site
    nodes: dict[str, Node]
    networks: dict[str, Network] = field(default_factory=dict)
    volumes: dict[str, GlusterVolume] = field(default_factory=dict)
    effects: list[Step] = field(default_factory=list)
    failures: list[tuple[Step, str]] = field(default_factory=list)
    now: datetime | None = None
    _looks: dict[object, Any] = field(default_factory=dict)

    @property
    def view(self) -> SiteView:
        return SiteView.holding([self.site, *self.nodes.values(), *self.networks.values(), *self.volumes.values()])

    def save(self) -> Callable[[], None]:
        """Takes note of the whole world.

        Returns:
            What brings it back; may be called again and again.
        """
        saved = [(holder, deepcopy(_state(holder))) for holder in self._holders()]

        def restore() -> None:
            for holder, state in saved:
                holder.__dict__.update(deepcopy(state))
            self.look_again()

        return restore

    def _holders(self) -> list[Any]:
        hosts = [machine.host for machine in self.machines.values()]
        return [
            *(self, self.gluster, *self.gluster.nodes.values(), *self.machines.values(), *hosts),
            *(holder for host in hosts for holder in (host.storage, host.systemd)),
        ]

    def observe(self) -> dict[str, HostView]:
        """What is known of every host."""
        return {name: self._observe(name) for name in self.nodes}

    def look_again(self) -> None:
        """The world changed without a step: forget what was seen."""
        self._looks.clear()

    def _observe(self, name: str) -> HostView:
        """One look serves all until a step touches the host, as in the real loop."""
        if name not in self._looks:
            self._looks[name] = self._look(name)
        seen: HostView = self._looks[name]
        return seen

    def _look(self, name: str) -> HostView:
        if not self.gluster.nodes[name].alive:
            return Transient(Reason.UNREACHABLE, f"{name} does not answer on port 22")
        machine = self.machines[name]
        before = machine.host.now()
        asked = asked_of(self.nodes[name])
        outputs = {p.name: machine.run(p.argv, None, float(p.timeout)) for p in asked.probes}
        return assemble(asked, name, outputs, before, machine.host.now())

    def ask_pool(self) -> Fact[PoolFacts]:
        """What the first node says whose glusterd runs and is the one that it was."""
        if "pool" not in self._looks:
            self._looks["pool"] = self._ask()
        facts: Fact[PoolFacts] = self._looks["pool"]
        return facts

    def _ask(self) -> Fact[PoolFacts]:
        who = members(self.view, self.observe())
        asked = next((n for n, g in self.gluster.nodes.items() if g.running and who.obstacle((n,)) is None), None)
        if asked is None:
            return Unknown("no storage node with a running glusterd can be reached")
        started = [v.name for v in self.gluster.volumes.values() if v.state == "Started"]
        machine: Machine = self.machines[asked]
        outputs = {p.name: machine.run(p.argv, None, float(p.timeout)) for p in pool_probes(started)}
        return Known(assemble_pool(asked, outputs))

    def perform(self, step: Step) -> bool:
        """Runs one step on its host."""
        assert isinstance(step, HostStep)
        self.look_again()
        (frame,) = parse_frames(run_script(self.machines[step.host], render_step(step.script(), Fence())).encode())
        verdict = frame.name.partition(":")[0]
        for job in list(self.machines[step.host].jobs.values()):
            job.finish()
        if verdict not in FINE:
            self.failures.append((step, f"{frame.name} {frame.output}"))
            return False
        if verdict != "unchanged":
            self.effects.append(step)
        return True

    def act(self, plan: Plan) -> None:
        """Runs a plan as the loop does: hosts apart from each other, in order on each."""
        lanes: dict[str, list[Step]] = {}
        ordered = isinstance(plan, Proceed) and plan.ordered
        for step in steps_of(plan):
            lanes.setdefault("" if ordered else step.target.name, []).append(step)
        for lane in lanes.values():
            for step in lane:
                if not self.perform(step):
                    break

    def plan_of(self, name: str) -> Plan:
        """A volume's plan for the world as it is."""
        self.look_again()
        return self._plan(name)

    def _plan(self, name: str) -> Plan:
        return plan_volume(self.volumes[name], self.view, self.observe(), self.ask_pool(), self.now)

    def removal_of(self, name: str) -> Plan:
        """A volume's plan for its end."""
        self.look_again()
        return plan_volume_removal(self.volumes[name], self.view, self.observe(), self.ask_pool())

    def report_of(self, name: str) -> Report:
        """A volume's report for the world as it is."""
        self.look_again()
        return report_volume(self.volumes[name], self.view, self.observe(), self.ask_pool(), self.now)

    def status_of(self, name: str) -> GlusterVolumeStatus:
        """A volume's status for the world as it is, without conditions."""
        status = self.report_of(name).status
        assert isinstance(status, GlusterVolumeStatus)
        return status

    def round(self, *, volumes: bool = True) -> dict[str, Plan]:
        """One pass over every object.

        Args:
            volumes: Whether also over the volumes.

        Returns:
            What each planned, by "Kind/name".
        """
        self.look_again()
        plans: dict[str, Plan] = {}
        plan = plans["Site/site"] = plan_site(self.site, self.view, self.observe())
        self.act(plan)
        self.site = _stored(self.site, report_site(self.site, self.view, self.observe()), plan)
        for name in list(self.nodes):
            plans[f"Node/{name}"] = self._pass_node(name)
        for name, network in list(self.networks.items()):
            plan = plans[f"Network/{name}"] = plan_network(network, self.view)
            self.networks[name] = _stored(network, report_network(network, self.view), plan)
        for name, volume in list(self.volumes.items()) if volumes else ():
            plan = plans[f"GlusterVolume/{name}"] = self._plan(name)
            self.act(plan)
            report = report_volume(volume, self.view, self.observe(), self.ask_pool(), self.now)
            self.volumes[name] = _stored(volume, report, plan)
        return plans

    def node_plan(self, name: str) -> Plan:
        """A Node's plan for what was seen."""
        facts = self._observe(name)
        if isinstance(facts, HostFacts):
            return plan_node(self.nodes[name], self.view, facts, KINDS.features, self.observe())
        return Wait(facts.reason, facts.message)

    def _pass_node(self, name: str) -> Plan:
        plan = self.node_plan(name)
        self.act(plan)
        report = report_node(self.nodes[name], self.view, self._observe(name), KINDS.features, self.observe())
        self.nodes[name] = _stored(self.nodes[name], report, plan)
        return plan

    def settle(self, rounds: int = 20) -> int:
        """Rounds until nothing is left to do.

        Returns:
            How many it took; fails when it takes more than ``rounds``.
        """
        plans: dict[str, Plan] = {}
        for number in range(1, rounds + 1):
            plans = self.round()
            if all(isinstance(p, Converged) for p in plans.values()):
                return number
        left = "\n".join(f"{name}: {plan}"[:600] for name, plan in plans.items() if not isinstance(plan, Converged))
        said = "\n".join(f"{step}: {text}"[:400] for step, text in self.failures[-3:])
        raise AssertionError(f"not settled after {rounds} rounds:\n{left}\nfailures:\n{said}")


_WIRING = frozenset(
    {"machine", "machines", "gluster", "host", "storage", "systemd", "tools", "on_boot", "now", "_looks"}
)
"""Attributes that connect parts of the world, and are not its state."""


def _state(holder: Any) -> dict[str, Any]:
    wiring = _WIRING | ({"nodes"} if isinstance(holder, GlusterPool) else frozenset())
    return {name: value for name, value in vars(holder).items() if name not in wiring}


def _stored(held: Any, report: Report, plan: Plan) -> Any:
    conditions = merge([], common_conditions(report, Outcome(plan)), generation=1, now="2026-01-01T00:00:00Z")
    stored = [StoredCondition.model_validate(c) for c in conditions]
    return held.model_copy(update={"status": report.status.model_copy(update={"conditions": stored})})


def ruled_site(
    names: tuple[str, ...] = ("node1", "node2", "node3"),
    volumes: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    nodes: Mapping[str, Mapping[str, Any]] | None = None,
    disk_size: int = 200 * GIB,
) -> RuledSite:
    """Builds a site of blank hosts.

    Args:
        names: Of the nodes.
        volumes: Specs by name.
        nodes: What the specs of single nodes have more.
        disk_size: Of the one data disk that each has, bytes.
    """
    pool = GlusterPool()
    machines: dict[str, StorageMachine] = {}
    specs: dict[str, Node] = {}
    for number, name in enumerate(names, 11):
        addresses = {"eth0": (f"172.20.10.{number}/24",), "eth1": (f"172.20.11.{number}/24",)}
        machines[name] = storage_machine(name, [data_disk(size=disk_size, node=name)], addresses=addresses)
        pool.attach(machines[name])
        spec = {
            "address": f"172.20.10.{number}",
            "addresses": [{"network": "gluster", "address": f"172.20.11.{number}"}],
            "roles": ["Storage"],
        }
        specs[name] = resource(Node, name, spec | dict((nodes or {}).get(name, {})))
    networks = {
        "mgmt": resource(Network, "mgmt", {"role": "Management", "subnet": "172.20.10.0/24"}),
        "gluster": resource(Network, "gluster", {"role": "Gluster", "subnet": "172.20.11.0/24"}),
    }
    declared = {name: resource(GlusterVolume, name, spec) for name, spec in (volumes or {}).items()}
    return RuledSite(machines, pool, resource(Site, "site", {}), specs, networks, declared)

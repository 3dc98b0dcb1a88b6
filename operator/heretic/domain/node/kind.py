"""Node, as the loop knows it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from heretic.api.v1alpha1 import FileShare, GlusterVolume, HostedEngine, Network, Node, Site
from heretic.api.v1alpha1.node import NodeStatus
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.engine import engine_name
from heretic.domain.declared.names import storage_nodes
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.hidden import hidden_bricks
from heretic.domain.errors import Failure, Transient
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.feature import Feature, groups_needed
from heretic.domain.host.rule import Part
from heretic.domain.kind import Assessment, GaugeOf, Kind, Needs, Observed, OutageRule, Reference, as_number
from heretic.domain.node.configuration import plan_configuration
from heretic.domain.node.links import against_trials, configured_hosts, is_renumbered, told_elsewhere
from heretic.domain.node.member import membership, wants_membership
from heretic.domain.node.member_outage import against_outage, needs_before_outage
from heretic.domain.node.member_plan import plan_member
from heretic.domain.node.member_report import status_with, with_member
from heretic.domain.node.plan import plan_node, wants_disk
from heretic.domain.node.power_plan import plan_power
from heretic.domain.node.power_report import power_status, with_power
from heretic.domain.node.report import report_node
from heretic.domain.node.wiring import is_being_wired, plan_wires, with_wiring
from heretic.domain.plan import Blocked, Plan, Wait, beside
from heretic.domain.wiring.manager import KEPT_LINKS
from heretic.domain.wiring.section import WIRES

UNREACHABLE_AFTER = 10.0
"""Seconds until a host that did not answer is asked again; hosts/ spaces the connection attempts themselves."""


def _without_host(node: Node, failure: Failure) -> Plan:
    """Nothing can be planned for a host that cannot be observed."""
    if isinstance(failure, Transient):
        return Wait(failure.reason, f"{failure.message}{told_elsewhere(node, failure.reason)}", UNREACHABLE_AFTER)
    return Blocked(failure.reason, failure.message)


def _references(node: Node) -> Iterable[Reference]:
    yield Reference(Site)
    for entry in node.spec.addresses:
        yield Reference(Network, entry.network)
    for choice in node.spec.interfaces:
        yield from (Reference(Network, name) for name in choice.networks)


def _needs_before_outage(view: SiteView) -> Needs:
    engine = needs_before_outage(view)
    return replace(engine, hosts=engine.hosts | configured_hosts(view))


def _against_outage(name: str, view: SiteView, now: Observed, earlier: Observed) -> Iterator[str]:
    yield from against_trials(name, view, now)
    yield from against_outage(name, view, now, earlier)


def node_kind(features: Sequence[Feature]) -> Kind[Node]:
    """The kind Node.

    Args:
        features: What the roles of Nodes need of their hosts, as all subjects together say.
    """

    def needs(node: Node, view: SiteView, seen: Mapping[str, HostView]) -> Needs:
        own = node.metadata.name
        facts = seen.get(own)
        engine = engine_name(view) if wants_membership(node) else ""
        if isinstance(facts, HostFacts) and wants_disk(node, view, facts, groups_needed(features, view, own)):
            # Before a disk is prepared, every other storage node is asked whether it sees the same one.
            return Needs(frozenset({own, *storage_nodes(view)}), engine=engine)
        if isinstance(facts, HostFacts) and is_renumbered(node, view, facts):
            return Needs(frozenset({own, *view.nodes}), engine=engine)
        return Needs(frozenset({own}), engine=engine)

    def assess(node: Node, view: SiteView, observed: Observed) -> Assessment:
        facts = observed.hosts[node.metadata.name]
        report = report_node(node, view, facts, features, observed.hosts)
        found = membership(node, view, observed.engine)
        if isinstance(facts, HostFacts):
            report = with_wiring(report, node, view, facts, found, observed.hosts)
        trusted = observed.trusted_key or node.status.trusted_host_key
        assert isinstance(report.status, NodeStatus)
        status = report.status.model_copy(update={"trusted_host_key": trusted})
        status = status_with(node, view, status, found)
        status = status.model_copy(update={"power_management": power_status(node, found)})
        told = node.model_copy(update={"status": status})
        power = plan_power(told, view, found)
        if not isinstance(facts, HostFacts):
            member = with_member(report, told, view, found, Part())
            return Assessment(_without_host(node, facts), with_power(member, told, view, found, power))
        own = plan_configuration(node, view, facts, features)
        wires = Part() if own.steps else plan_wires(node, view, facts, found, observed.hosts)
        # VDSM takes the links over as they are then: those that are only on trial would be lost at a boot.
        configured = not own.steps and not own.obstacles and not is_being_wired(wires)
        part = plan_member(told, view, found, facts, configured=configured)
        # A change of links may be held back for others' sake; what brings the host back in the engine is not. What
        # waits for a person holds what comes after it on its host.
        besides = sorted((*part.steps, *power.steps, *wires.steps), key=lambda step: step.needs_approval)
        plan = beside(
            plan_node(node, view, facts, features, observed.hosts),
            besides,
            (*wires.obstacles, *part.obstacles, *power.obstacles),
        )
        hidden = tuple(disk.path for disk, _ in hidden_bricks(node, view, facts))
        member = with_member(report, told, view, found, part, hidden)
        return Assessment(plan, with_power(member, told, view, found, power))

    return Kind(
        model=Node,
        conditions=(
            ConditionType.REACHABLE,
            ConditionType.INSPECTED,
            ConditionType.CONFIGURED,
            ConditionType.DISKS_READY,
            ConditionType.MAINTENANCE,
            ConditionType.ENGINE_MEMBER,
            ConditionType.POWER_MANAGEMENT,
            ConditionType.WIRED,
        ),
        needs=needs,
        assess=assess,
        reads=(Site, Node, Network, GlusterVolume, HostedEngine, FileShare),
        refers_to=(Site, Network),
        references=_references,
        recorded=("disks", "interfaces", "paths", "trustedHostKey", "outOfService"),
        sections=(WIRES, KEPT_LINKS),
        outage=OutageRule(_needs_before_outage, _against_outage),
        gauges=(
            GaugeOf(
                "heretic_host_reachable",
                "1 when the last attempt reached the host.",
                "host",
                as_number(ConditionType.REACHABLE),
            ),
        ),
        is_host=True,
        spreads=False,
    )

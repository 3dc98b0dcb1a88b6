"""Where the ports of a Node's host lead: steps that find it out, what is recorded of it, and the condition Wired."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import NodeStatus
from heretic.api.v1alpha1.node_interfaces import NodePort
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.rule import Part
from heretic.domain.node.links import plan_links
from heretic.domain.node.member import EngineMember, Membership
from heretic.domain.plan import Blocked, Step, Wait
from heretic.domain.report import Report
from heretic.domain.wiring.classify import PortFinding
from heretic.domain.wiring.paths import proved
from heretic.domain.wiring.renumber import former_addresses
from heretic.domain.wiring.section import WIRES
from heretic.domain.wiring.steps import AskPorts, SwitchPortOn
from heretic.domain.wiring.wiring import Wiring, wiring

_KIND = ConditionType.WIRED
_MOST = 64
_FOUND = PerView[Wiring | None]()
"""The plan of a Node and its report both ask for it."""


def plan_wiring(node: Node, view: SiteView, facts: HostFacts) -> Part:
    """Asks ports that carry nothing, where something is to be found out; never on a host in maintenance.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of its host.
    """
    found = _found(node, view, facts)
    if found is None or found.asking is None or not found.unasked or node.spec.maintenance:
        return Part()
    ask, host = found.asking, node.metadata.name
    off: tuple[Step, ...] = tuple(
        SwitchPortOn(host=host, why=f"{port.name} is off and cannot tell its link", port=port.name, mac=port.mac)
        for port in ask.off
    )
    if off:
        # A link takes seconds to come up; the next look sees it.
        return Part(off)
    names = tuple(port.name for port in ask.ports)
    step = AskPorts(
        host=host,
        why=f"it is not known where {', '.join(names)} lead",
        ports=names,
        targets=tuple(dict.fromkeys(question.target for question in ask.questions)),
        request=ask.request(),
        key=ask.key,
    )
    return Part((step,))


def plan_wires(
    node: Node,
    view: SiteView,
    facts: HostFacts,
    member: Membership,
    others: Mapping[str, HostView] = MappingProxyType({}),
) -> Part:
    """Finds out where ports lead, and then configures what lies on them where the Node wants that.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of its host.
        member: What the Node is in the engine.
        others: What is known of the other nodes, where they were asked by which address they know this one.
    """
    asked, found = plan_wiring(node, view, facts), _found(node, view, facts)
    if asked.steps or found is None:
        return asked
    return plan_links(node, view, facts, found, member, others)


def is_being_wired(part: Part) -> bool:
    """Whether links of the host are on trial, or about to be."""
    return bool(part.steps) or any(isinstance(one, Wait) and one.keeps_slot for one in part.obstacles)


def with_wiring(
    report: Report,
    node: Node,
    view: SiteView,
    facts: HostFacts,
    member: Membership,
    others: Mapping[str, HostView] = MappingProxyType({}),
) -> Report:
    """A Node's report with where its ports lead.

    Args:
        report: Of the host itself.
        node: The Node as stored.
        view: The declared site.
        facts: Of its host.
        member: What the Node is in the engine.
        others: What is known of the other nodes, where they were asked by which address they know this one.
    """
    found = _found(node, view, facts)
    if found is None:
        cause = facts.interfaces.cause if isinstance(facts.interfaces, Unknown) else "there are none"
        why = f"{facts.host}: its interfaces are not known: {cause}"
        return replace(
            report, conditions=(*report.conditions, Condition(_KIND, State.UNKNOWN, Reason.NOT_OBSERVED, why))
        )
    assert isinstance(report.status, NodeStatus)
    told = {"ports": _records(node, found.findings), "paths": proved(node, view, facts[WIRES])}
    status = report.status.model_copy(update=told)
    links = plan_links(node, view, facts, found, member, others)
    notes = (*report.notes, *(said for _, said in found.wrong if not found.unasked), *found.notes)
    if not isinstance(member, EngineMember):
        notes += _kept(node, view, facts, others)
    return replace(report, status=status, conditions=(*report.conditions, _wired(node, found, links)), notes=notes)


def _kept(node: Node, view: SiteView, facts: HostFacts, others: Mapping[str, HostView]) -> tuple[str, ...]:
    """What keeps an address on a host that is not declared for it any more."""
    found = former_addresses(node, view, facts, others) if node.spec.configure_links else ()
    return tuple(
        f"{node.metadata.name} keeps {former.address} in {former.network} while somebody goes by it: "
        f"{', '.join(former.users)}"
        for former in found
        if former.users
    )


def _found(node: Node, view: SiteView, facts: HostFacts) -> Wiring | None:
    if not isinstance(facts.interfaces, Known):
        return None
    links, wires = facts.interfaces.value, facts[WIRES]
    return _FOUND.of(view, lambda: wiring(node, view, links, wires), node, links, wires, name=node.metadata.name)


def _wired(node: Node, found: Wiring, links: Part) -> Condition:
    if found.unasked:
        return Condition(_KIND, State.UNKNOWN, Reason.APPLYING, "ports are being asked where they lead")
    if found.wrong:
        reason, _ = found.wrong[0]
        return Condition(_KIND, State.FALSE, reason, "; ".join(said for _, said in found.wrong))
    if links.obstacles:
        told = links.obstacles[0]
        state = State.FALSE if isinstance(told, Blocked) else State.UNKNOWN
        return Condition(_KIND, state, told.reason, "; ".join(obstacle.message for obstacle in links.obstacles))
    if links.steps and links.steps[0].needs_approval:
        return Condition(_KIND, State.FALSE, Reason.BOND_NEEDS_SWITCH, links.steps[0].why)
    if links.steps:
        return Condition(_KIND, State.FALSE, Reason.APPLYING, f"{node.metadata.name}: {links.steps[0].why}")
    known = sum(bool(finding.networks) for finding in found.findings)
    return Condition(
        _KIND, State.TRUE, Reason.AS_DECLARED, f"of {len(found.findings)} ports {known} lead to declared networks"
    )


def _records(node: Node, findings: tuple[PortFinding, ...]) -> list[NodePort]:
    """What is found, and what was recorded of ports that are gone; a person ends that by leaving the port alone."""
    shown = [_record(finding) for finding in findings]
    present = {record.mac for record in shown}
    ended = {choice.port for choice in node.spec.interfaces if not choice.networks}
    gone = [
        record.model_copy(update={"port": ""})
        for record in node.status.ports
        if record.mac not in present | ended and record.networks
    ]
    return [*shown, *gone][:_MOST]


def _record(finding: PortFinding) -> NodePort:
    return NodePort(
        mac=finding.port.mac,
        port=finding.port.name,
        networks=list(finding.networks),
        how=finding.how.value if finding.how else "",
        evidence=finding.evidence,
        switch=finding.switch,
    )

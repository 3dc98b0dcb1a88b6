"""What where the ports lead means for a node: what stands against it, and what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass

from heretic.api.v1alpha1 import Network, Node
from heretic.domain.declared.names import address_in
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.wiring.classify import How, PortFinding, classify
from heretic.domain.wiring.facts import Wires
from heretic.domain.wiring.links import Links
from heretic.domain.wiring.questions import Asking, asking


@dataclass(frozen=True, slots=True)
class Wiring:
    """Where the ports of a node lead.

    Attributes:
        findings: One a port.
        asking: What is to be asked; None = nothing.
        unasked: Whether the answers to that are still to come.
        wrong: What stands against it: reason and sentence.
        notes: What is good to know.
    """

    findings: tuple[PortFinding, ...]
    asking: Asking | None
    unasked: bool
    wrong: tuple[tuple[Reason, str], ...]
    notes: tuple[str, ...]


def wiring(node: Node, view: SiteView, links: Links, wires: Wires) -> Wiring:
    """Where the ports of a node lead, and what that means.

    Args:
        node: The Node.
        view: The declared site.
        links: Of its host.
        wires: Likewise.
    """
    findings = classify(node, view, links, wires)
    ask = asking(node, view, links, wires)
    key = wires.asked.value.key if isinstance(wires.asked, Known) else ""
    unasked = ask is not None and (bool(ask.off) or (bool(ask.ports) and ask.key != key))
    wrong = (*(clash for finding in findings for clash in finding.clashes), *_missing(node, view, findings))
    wrong = (*wrong, *_gone(node, findings))
    error = wires.asked.value.error if isinstance(wires.asked, Known) and ask is not None else ""
    notes = (f"the ports of {node.metadata.name} could not be asked where they lead: {error}",) if error else ()
    return Wiring(findings, ask, unasked, (*wrong, *_small(node, view, findings)), (*notes, *_unbonded(findings)))


def _missing(node: Node, view: SiteView, findings: tuple[PortFinding, ...]) -> Iterator[tuple[Reason, str]]:
    """Networks that no port leads to; where no port is seen at all, as in a container, nothing can be said."""
    found = {name for finding in findings for name in finding.networks}
    for name, network in sorted(view.of(Network).items()):
        if findings and address_in(network, node) and name not in found:
            seen = ", ".join(_shown(finding) for finding in findings)
            yield (
                Reason.NETWORK_WITHOUT_PORT,
                f"no port of {node.metadata.name} is known to lead to {name} ({seen}). Check cables and switch, or "
                "name the port in spec.interfaces",
            )


def _gone(node: Node, findings: tuple[PortFinding, ...]) -> Iterator[tuple[Reason, str]]:
    """Ports that led somewhere, or were named by a person, and are not there; only a person's word ends that."""
    host, there = node.metadata.name, {word for finding in findings for word in (finding.port.name, finding.port.mac)}
    left_alone = {choice.port for choice in node.spec.interfaces if not choice.networks}
    for record in node.status.ports if findings else ():
        if record.networks and record.mac not in there | left_alone:
            named = f"{record.port} ({record.mac})" if record.port else record.mac
            yield (
                Reason.PORT_GONE,
                f"the port {named}, by which {host} had {' and '.join(record.networks)}, is not there any more. Look "
                f"at the card, or name {record.mac} in spec.interfaces without networks, if it is not to come back",
            )
    known = {word for record in node.status.ports for word in (record.port, record.mac)}
    for choice in node.spec.interfaces if findings else ():
        if choice.networks and choice.port not in there | known:
            names = ", ".join(finding.port.name for finding in findings)
            yield (
                Reason.PORT_GONE,
                f"spec.interfaces of {host} names {choice.port} for {' and '.join(choice.networks)}, and the host has "
                f"no such port (it has {names}). Correct the name",
            )


def _shown(finding: PortFinding) -> str:
    link = {True: "not known", False: "no link", None: "switched off"}[finding.port.carrier]
    return f"{finding.port.name}: {', '.join(finding.networks) or finding.evidence or link}"


def _small(node: Node, view: SiteView, findings: tuple[PortFinding, ...]) -> Iterator[tuple[Reason, str]]:
    for finding in findings:
        most = finding.port.max_mtu
        for name in finding.networks:
            wanted = view.of(Network)[name].spec.mtu
            if most is not None and most < wanted:
                yield (
                    Reason.PORT_TOO_SMALL,
                    f"{finding.port.name} of {node.metadata.name} carries packets of at most {most} bytes, {wanted} "
                    f"are declared for {name}; give {name} a smaller MTU, or use another port",
                )


def _unbonded(findings: tuple[PortFinding, ...]) -> Iterator[str]:
    """More than one port on a network is a bond, as HVP makes it; what is not bonded yet is told."""
    names = dict.fromkeys(name for finding in findings for name in finding.networks)
    for name in names:
        several = [f for f in findings if name in f.networks and f.how is not How.DECLARED]
        loose = [f.port.name for f in several if not f.port.master]
        if len(several) > 1 and loose:
            yield (
                f"{' and '.join(f.port.name for f in several)} lead to {name}: bonded, one could fail. With "
                "spec.configureLinks Heretic bonds them"
            )

"""Where each port of a host leads, by HVP's rules on a host that runs (rule:which-port).

The first that decides wins: a person's word, what the port carries, what was heard and answered on it, what was
recorded. Networks of different VLANs share a port; two of the same VLAN on one port contradict each other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.node_interfaces import NodePort
from heretic.domain.declared.names import address_in
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.interfaces import Interface
from heretic.domain.wiring.facts import AskedPort, Wires
from heretic.domain.wiring.links import Links, carried, is_free, ports, vlan_of
from heretic.domain.wiring.questions import targets


class How(StrEnum):
    """How it is known where a port leads."""

    DECLARED = "Declared"
    CARRIED = "Carried"
    ANSWERED = "Answered"
    HEARD = "Heard"


@dataclass(frozen=True, slots=True)
class PortFinding:
    """Where one port leads.

    Attributes:
        port: The port.
        networks: Names; none = not known.
        how: None while nothing is known.
        evidence: What was seen, for a person.
        switch: What the switch said.
        clashes: What contradicts it: reason and sentence.
    """

    port: Interface
    networks: tuple[str, ...] = ()
    how: How | None = None
    evidence: str = ""
    switch: str = ""
    clashes: tuple[tuple[Reason, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Host:
    """Everything that the rules look at."""

    node: Node
    view: SiteView
    links: Links
    told: Mapping[str, AskedPort] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the node."""
        return self.node.metadata.name

    def vlan(self, network: str) -> int:
        """Of a declared Network."""
        return vlan_of(self.view.of(Network)[network])


def classify(node: Node, view: SiteView, links: Links, wires: Wires) -> tuple[PortFinding, ...]:
    """Where each port leads.

    Args:
        node: The Node, with what is recorded.
        view: The declared site.
        links: Of its host.
        wires: Likewise; what ports told before their link last came or went does not count.

    Returns:
        One finding a port, in the order of the links.
    """
    host = _Host(node, view, links, _fresh(links, wires))
    found = {port.name: _own(host, port) for port in ports(links)}
    while True:
        heard = {name: _heard(host, finding, found) for name, finding in found.items()}
        if heard == found:
            break
        found = heard
    return tuple(_recorded(host, finding) for finding in found.values())


def recorded_of(node: Node, port: Interface) -> NodePort | None:
    """What is recorded of a port."""
    return next((record for record in node.status.ports if record.mac == port.mac), None)


def _fresh(links: Links, wires: Wires) -> Mapping[str, AskedPort]:
    if not isinstance(wires.asked, Known) or not isinstance(wires.changes, Known):
        return {}
    changes, macs = wires.changes.value, {port.name: port.mac for port in ports(links)}
    return {
        name: told
        for name, told in wires.asked.value.ports.items()
        if name in macs and told.changes == changes.get(name) and not told.error
    }


def _own(host: _Host, port: Interface) -> PortFinding:
    """What a person says of the port, what it carries, or who answered on it."""
    told = host.told.get(port.name, AskedPort())
    choice = next((c for c in host.node.spec.interfaces if c.port in (port.name, port.mac)), None)
    if choice is not None:
        names = tuple(name for name in choice.networks if name in host.view.of(Network))
        evidence = "by spec.interfaces" if names else "left alone by spec.interfaces"
        return PortFinding(port, names, How.DECLARED, evidence, told.switch)
    has = carried(port, host.links, host.view)
    if has or not is_free(port, host.links):
        evidence = f"has an address of {', '.join(has)}" if has else "carries something else"
        return PortFinding(port, has, How.CARRIED if has else None, evidence, told.switch)
    answers = {a.target: f"{a.target} answered at {a.mac}" for a in told.answers if a.echo}
    by_network = {
        name: next(answers[t] for t in targets(network, host.node, host.view) if t in answers)
        for name, network in sorted(host.view.of(Network).items())
        if _answered(host, told, network)
    }
    names = tuple(by_network)
    clashes = (*_two_in_one_vlan(host, port, by_network), *_taken(host, port, told))
    how = How.ANSWERED if names else None
    return PortFinding(port, names, how, "; ".join(by_network.values()), told.switch, clashes)


def _answered(host: _Host, told: AskedPort, network: Network) -> bool:
    """Whether one of those that are asked for in the network sent its answer to this very port."""
    asked = targets(network, host.node, host.view) if address_in(network, host.node) else ()
    return any(a.echo and a.target in asked and a.vlan == vlan_of(network) for a in told.answers)


def _two_in_one_vlan(host: _Host, port: Interface, found: Mapping[str, str]) -> Iterator[tuple[Reason, str]]:
    for vlan in sorted({host.vlan(name) for name in found}):
        both = [name for name in found if host.vlan(name) == vlan]
        if len(both) > 1:
            said = "; ".join(found[name] for name in both)
            tag = f"in VLAN {vlan}" if vlan else "without a tag"
            yield (
                Reason.PORT_ON_TWO_NETWORKS,
                f"{port.name} of {host.name} leads to {' and '.join(both)} {tag} ({said}): they are one network on the "
                f"wire, or somebody answers for another. Separate them on the switch, or name one in spec.interfaces",
            )


def _taken(host: _Host, port: Interface, told: AskedPort) -> Iterator[tuple[Reason, str]]:
    own = {link.mac for link in host.links}
    for address, mac in sorted(told.taken.items()):
        if mac not in own:
            yield (
                Reason.ADDRESS_TAKEN,
                f"{address} is declared for {host.name}, and {mac} answers for it on {port.name}; give one of them "
                "another address",
            )


def _heard(host: _Host, finding: PortFinding, found: Mapping[str, PortFinding]) -> PortFinding:
    """Adds what ports that hear each other have in common: they are on one wire."""
    if finding.how in (How.DECLARED, How.CARRIED) or not is_free(finding.port, host.links):
        return finding
    name, own, clashes = finding.port.name, dict.fromkeys(finding.networks), list(finding.clashes)
    evidence = [finding.evidence] if finding.evidence else []
    for other, vlan in _hearing(host, name):
        for network in found[other].networks if other in found else ():
            if network in own or host.vlan(network) != vlan or found[other].clashes:
                continue
            rival = next((n for n in own if host.vlan(n) == vlan), None)
            if rival is None:
                own[network] = None
                evidence.append(f"{other}, which leads to {network}, and it hear each other")
            elif not any(reason is Reason.PORT_ON_TWO_NETWORKS for reason, _ in clashes):
                clashes.append(
                    (
                        Reason.PORT_ON_TWO_NETWORKS,
                        f"{name} of {host.name} leads to {rival} ({finding.evidence}), and hears {other}, which leads "
                        f"to {network}: they are one network on the wire. Separate them on the switch, or name one in "
                        "spec.interfaces",
                    )
                )
    how = finding.how or (How.HEARD if own else None)
    return PortFinding(finding.port, tuple(own), how, "; ".join(evidence), finding.switch, tuple(clashes))


def _hearing(host: _Host, name: str) -> list[tuple[str, int]]:
    """Ports that hear this one, or that it hears, with the VLAN."""
    by_it = host.told[name].hears if name in host.told else frozenset()
    of_it = {(other, vlan) for other, told in host.told.items() for heard, vlan in told.hears if heard == name}
    return sorted(by_it | of_it)


def _recorded(host: _Host, finding: PortFinding) -> PortFinding:
    """Holds what is found against what is recorded: a port that leads elsewhere was moved, and keeps its record."""
    record = recorded_of(host.node, finding.port)
    if record is None or finding.how is How.DECLARED:
        return finding
    known = tuple(name for name in record.networks if name in host.view.of(Network))
    if finding.how is How.CARRIED:
        return _with_lost(host, finding, known)
    how = next((h for h in How if h == record.how), None)
    if not known or how is None:
        return finding
    moved = [(old, new) for old in known for new in finding.networks if _exclude(host, finding, old, new)]
    if finding.networks and not moved:
        return finding
    clashes = finding.clashes
    if moved:
        old, new = moved[0]
        clashes = (
            *clashes,
            (
                Reason.PORT_MOVED,
                f"{finding.port.name} of {host.name} led to {old} and leads to {new} now ({finding.evidence}). Plug it "
                f"back, or say in spec.interfaces where it shall lead",
            ),
        )
    switch = finding.switch or record.switch
    return PortFinding(finding.port, known, how, record.evidence, switch, clashes)


def _with_lost(host: _Host, finding: PortFinding, known: tuple[str, ...]) -> PortFinding:
    """A port that carries less than it did still leads there, unless another one carries that now."""
    there = {name for port in ports(host.links) for name in carried(port, host.links, host.view)}
    tags = {host.vlan(name) for name in finding.networks}
    if not set(finding.networks) <= set(known):
        return finding  # somebody has configured it for something else
    lost = tuple(name for name in known if name not in there and host.vlan(name) not in tags)
    if not lost:
        return finding
    evidence = f"{finding.evidence}; had one of {', '.join(lost)}"
    return replace(finding, networks=(*finding.networks, *lost), evidence=evidence)


def _exclude(host: _Host, finding: PortFinding, old: str, new: str) -> bool:
    return old not in finding.networks and host.vlan(old) == host.vlan(new)

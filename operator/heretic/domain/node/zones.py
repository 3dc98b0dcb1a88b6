"""What firewalld does with packets: which zone judges them, and what that zone decides (firewalld.zones(5))."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from heretic.domain.host.facts import FirewallZone
from heretic.domain.host.ports import ALL, Ranges, common, ports_of, service_ports, union, without
from heretic.domain.node.rich_rules import RichRule, rich_rules


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a zone does with the packets of one source.

    Attributes:
        closed: Ports that it lets pass once they stand in its lists.
        refused: Ports that stay closed even then.
        rule: The rule that refuses the first of them.
    """

    closed: Ranges
    refused: Ranges = ()
    rule: str = ""


def zones_of(zones: Iterable[FirewallZone], interface: str, source: IPv4Network) -> tuple[FirewallZone, ...]:
    """The zones that judge packets of a source: those that name it, else that of the interface, else the default.

    Two zones may name networks that overlap; which of them comes first depends on firewalld's version, so both
    are given. Members of an ipset and MAC addresses are not known here.
    """
    known = tuple(zones)
    if named := tuple(z for z in known if any(source.subnet_of(n) for n in _networks(z))):
        return named
    of = next((z for z in known if any(_is(interface, name) for name in z.interfaces)), None)
    of = of or next((z for z in known if z.default), None)
    return (of,) if of else ()


def verdict_of(
    zone: FirewallZone,
    source: IPv4Network,
    destination: IPv4Network,
    needed: Ranges,
    services: Mapping[str, Ranges],
) -> Verdict:
    """Walks through a zone as a packet does: rules below priority 0, refusals, the lists, the rest, the target.

    Args:
        zone: The zone.
        source: Whose packets.
        destination: To which address of the host.
        needed: To which ports.
        services: What services of firewalld open, as far as it matters here.
    """
    rules = [r for r in rich_rules(zone.rich_rules, services) if r.concerns(source, destination)]
    left = needed
    refused: Ranges = ()
    culprit = ""
    before = [r for r in _in_order(rules) if r.priority < 0 or (r.priority == 0 and not r.accepts)]
    for rule in before:
        if not rule.accepts and (hit := common(left, rule.ports)):
            refused, culprit = union((*refused, *hit)), culprit or rule.text
        left = without(left, rule.ports)
    listed = union((*ports_of(zone.ports), *service_ports(zone.services, services), *_wholesale(zone)))
    left = without(left, listed)
    closed: Ranges = ()
    for rule in (r for r in _in_order(rules) if r not in before):
        if not rule.accepts:
            closed = union((*closed, *common(left, rule.ports)))
        left = without(left, rule.ports)
    if zone.target != "ACCEPT":
        closed = union((*closed, *left))
    return Verdict(closed, refused, culprit)


def _in_order(rules: Iterable[RichRule]) -> list[RichRule]:
    """By priority; of one priority refusals come first."""
    return sorted(rules, key=lambda rule: (rule.priority, rule.accepts))


def _wholesale(zone: FirewallZone) -> Ranges:
    """All ports, where the zone accepts TCP as such or from any port."""
    return ALL if zone.protocols & {"tcp", "6"} or ports_of(zone.source_ports) == ALL else ()


def _networks(zone: FirewallZone) -> list[IPv4Network]:
    found = []
    for text in zone.sources:
        try:
            found.append(IPv4Network(text, strict=False))
        except ValueError:
            continue
    return found


def _is(interface: str, name: str) -> bool:
    return interface.startswith(name[:-1]) if name.endswith("+") else interface == name

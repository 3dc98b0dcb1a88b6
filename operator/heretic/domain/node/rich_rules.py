"""firewalld's rich rules, as far as they decide about TCP ports (firewalld.richlanguage(5))."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from heretic.domain.host.ports import ALL, Ranges, ports_of, service_ports

_WORD = re.compile(r'([\w-]+)="([^"]*)"|(\S+)')
_ELEMENTS = frozenset({"source", "destination", "service", "port", "source-port", "protocol", "log", "nflog", "audit"})
_ACTIONS = {"accept": True, "drop": False, "reject": False}


@dataclass(frozen=True, slots=True)
class RichRule:
    """One rule that accepts or refuses TCP over IPv4.

    Attributes:
        text: As firewalld writes it.
        priority: Below 0 it comes before the zone's own lists, above 0 after them.
        accepts: Whether it accepts; else it drops or rejects.
        ports: What it decides about.
        source: Whose packets it decides about, None = everybody's.
        others: Whether it decides about everybody but the source.
        destination: For which address of the host, None = for all.
    """

    text: str
    priority: int
    accepts: bool
    ports: Ranges
    source: IPv4Network | None = None
    others: bool = False
    destination: IPv4Network | None = None

    def concerns(self, source: IPv4Network, destination: IPv4Network) -> bool:
        """Whether every packet from the source to the destination is the rule's."""
        if self.destination is not None and not destination.subnet_of(self.destination):
            return False
        if self.source is None:
            return True
        return not source.overlaps(self.source) if self.others else source.subnet_of(self.source)


@dataclass
class _Draft:
    """What was read of a rule so far."""

    parts: dict[str, dict[str, str]] = field(default_factory=dict)
    negated: set[str] = field(default_factory=set)
    action: str = ""
    odd: bool = False


def rich_rules(texts: Iterable[str], services: Mapping[str, Ranges]) -> tuple[RichRule, ...]:
    """The rules that decide about TCP ports and depend on nothing that cannot be told from here.

    Left out are rules for members of an ipset or for a MAC address, with a limit, for IPv6, for a service whose
    ports are not known, and those that only log, mark or translate: whether they concern the packets of a peer is
    not known, and such rules are written to keep strangers out.

    Args:
        texts: As firewalld writes them.
        services: What services of firewalld open, as far as it matters here.
    """
    read = (_rule(text, services) for text in texts)
    return tuple(rule for rule in read if rule is not None)


def _rule(text: str, services: Mapping[str, Ranges]) -> RichRule | None:
    draft = _draft(text)
    head = draft.parts.get("rule", {})
    if draft.odd or draft.action not in _ACTIONS or head.get("family", "ipv4") != "ipv4":
        return None
    ports = _ports(draft, services)
    try:
        source, destination = _network(draft, "source"), _network(draft, "destination")
        priority = int(head.get("priority", "0"))
    except ValueError:
        return None
    if not ports or "destination" in draft.negated:
        return None
    return RichRule(
        text=text,
        priority=priority,
        accepts=_ACTIONS[draft.action],
        ports=ports,
        source=source,
        others="source" in draft.negated,
        destination=destination,
    )


def _draft(text: str) -> _Draft:
    draft, part = _Draft(), "rule"
    for key, value, word in _WORD.findall(text):
        if key:
            draft.parts.setdefault(part, {})[key] = value
        elif word in _ACTIONS:
            draft.action = part = word
        elif word in _ELEMENTS:
            part = word
            draft.parts.setdefault(word, {})
        elif word in ("NOT", "not"):
            draft.negated.add(part)
        elif word == "limit":
            # that of a log or an audit limits what is written, not what is decided
            draft.odd |= part in _ACTIONS
            part = "limit"
        elif word != "rule":
            draft.odd = True
    return draft


def _network(draft: _Draft, part: str) -> IPv4Network | None:
    """The address of a part; raises ValueError for an ipset, a MAC address, or another family."""
    if part not in draft.parts:
        return None
    return IPv4Network(draft.parts[part].get("address", ""), strict=False)


def _ports(draft: _Draft, services: Mapping[str, Ranges]) -> Ranges:
    elements: dict[str, Callable[[dict[str, str]], Ranges]] = {
        "service": lambda of: service_ports([of.get("name", "")], services),
        "port": lambda of: ports_of([f"{of.get('port')}/{of.get('protocol')}"]),
        "protocol": lambda of: ALL if of.get("value") in ("tcp", "6") else (),
        "source-port": lambda of: ALL if ports_of([f"{of.get('port')}/{of.get('protocol')}"]) == ALL else (),
    }
    named = next((name for name in elements if name in draft.parts), None)
    return ALL if named is None else elements[named](draft.parts[named])

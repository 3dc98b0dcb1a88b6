"""firewalld's zones: ``firewall-cmd --list-all-zones``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import FirewallZone
from heretic.domain.host.parse.reading import NOT_INSTALLED, NotUnderstood, read

ZONES = ("firewall-cmd", "--list-all-zones")
DEFAULT_ZONE = ("firewall-cmd", "--get-default-zone")

_NOT_RUNNING = 252
"""firewall-cmd(1): firewalld does not run."""
_HEADING = re.compile(r"(\S+)(?: \([^)]*\))?")


def parse_zones(zones: Output, default: Output) -> Fact[tuple[FirewallZone, ...]]:
    """Parses ZONES and DEFAULT_ZONE; Absent where firewalld is not installed or does not run."""
    name = read(default, "firewall-cmd", str.strip, absent=(NOT_INSTALLED, _NOT_RUNNING))
    found = read(zones, "firewall-cmd", _zones, absent=(NOT_INSTALLED, _NOT_RUNNING))
    if isinstance(name, Absent) or isinstance(found, Absent):
        return Absent()
    if isinstance(name, Unknown):
        return name
    if isinstance(found, Unknown):
        return found
    return Known(tuple(replace(zone, default=zone.name == name.value) for zone in found.value))


def _zones(text: str) -> tuple[FirewallZone, ...]:
    found: list[tuple[str, dict[str, str], list[str]]] = []
    for line in text.splitlines():
        told = line.strip()
        if line and not line[0].isspace():
            heading = _HEADING.fullmatch(told)
            if heading is None:
                raise NotUnderstood(f"a zone's heading is {line[:80]!r}")
            found.append((heading.group(1), {}, []))
        elif told.startswith("rule ") and found:
            found[-1][2].append(told)
        elif ":" in told and found:
            key, _, value = told.partition(":")
            found[-1][1].setdefault(key, value.strip())
    if not found:
        raise NotUnderstood("there are no zones")
    return tuple(_zone(name, values, rules) for name, values, rules in found)


def _zone(name: str, values: Mapping[str, str], rules: Sequence[str]) -> FirewallZone:
    def listed(key: str) -> frozenset[str]:
        return frozenset(values.get(key, "").replace(",", " ").split())

    return FirewallZone(
        name=name,
        default=False,
        interfaces=listed("interfaces"),
        services=listed("services"),
        ports=listed("ports"),
        sources=listed("sources"),
        target=values.get("target", "default"),
        protocols=listed("protocols"),
        source_ports=listed("source-ports"),
        rich_rules=tuple(rules),
    )

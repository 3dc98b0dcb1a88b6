"""firewalld's zones: ``firewall-cmd --list-all-zones``."""

import re
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
    found: list[tuple[str, dict[str, frozenset[str]]]] = []
    for line in text.splitlines():
        if line and not line[0].isspace():
            heading = _HEADING.fullmatch(line.strip())
            if heading is None:
                raise NotUnderstood(f"a zone's heading is {line[:80]!r}")
            found.append((heading.group(1), {}))
        elif ":" in line and found:
            key, _, value = line.strip().partition(":")
            found[-1][1].setdefault(key, frozenset(value.split()))
    if not found:
        raise NotUnderstood("there are no zones")
    nothing: frozenset[str] = frozenset()
    return tuple(
        FirewallZone(name, False, v.get("interfaces", nothing), v.get("services", nothing), v.get("ports", nothing))
        for name, v in found
    )

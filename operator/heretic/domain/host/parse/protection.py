"""firewalld's zones, and locks of the package manager."""

import re
from dataclasses import replace

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import FirewallZone
from heretic.domain.host.parse.reading import NOT_INSTALLED, NotUnderstood, load, read, rows, text_of

ZONES = ("firewall-cmd", "--list-all-zones")
DEFAULT_ZONE = ("firewall-cmd", "--get-default-zone")
LOCKS = ("lslocks", "-J", "-u", "-o", "COMMAND,PID,PATH")

_NOT_RUNNING = 252
"""firewall-cmd(1): firewalld does not run."""
_HEADING = re.compile(r"(\S+)(?: \([^)]*\))?")
_PACKAGE_LOCKS = (
    "/var/lib/dpkg/lock",
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
    "/var/lib/rpm/.rpm.lock",
    "/usr/lib/sysimage/rpm/.rpm.lock",
    "/var/lib/dnf/rpmdb_lock.pid",
)


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


def parse_locks(output: Output) -> Fact[str]:
    """Parses LOCKS: who holds a lock of dpkg, apt, rpm or dnf, "" when nobody does."""
    return read(output, "lslocks", _holder)


def _holder(text: str) -> str:
    if not text.strip():
        return ""
    holders = [row for row in rows(load(text), "locks") if text_of(row, "path") in _PACKAGE_LOCKS]
    return f"{text_of(holders[0], 'command')} (pid {text_of(holders[0], 'pid')})" if holders else ""

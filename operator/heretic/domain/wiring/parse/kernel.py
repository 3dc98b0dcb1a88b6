"""What the kernel tells of links and routes in files (proc(5), Documentation/ABI/testing/sysfs-class-net)."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.parse.reading import NotUnderstood, read
from heretic.domain.wiring.facts import DefaultRoute

CABLES = "/sys/class/net/*/carrier_changes"
"""How often the link of each interface has come and gone since the boot."""
ROUTES, ROUTES6 = "/proc/net/route", "/proc/net/ipv6_route"
_GATEWAY = 0x2
"""Flag of a route that leads to a router (RTF_GATEWAY)."""
_WITHOUT_GATEWAY = "0" * 32


def parse_changes(output: Output) -> Fact[Mapping[str, int]]:
    """Parses ``@numbers`` of CABLES: lines of an interface and how often its link came and went."""
    return read(output, "the list of links", _changes)


def default_routes(ipv4: Fact[str], ipv6: Fact[str]) -> Fact[tuple[DefaultRoute, ...]]:
    """The default routes of a host, those with the least metric first; a host without IPv6 has no file of it."""
    if not isinstance(ipv4, Known):
        return ipv4
    if isinstance(ipv6, Unknown):
        return ipv6
    six = () if isinstance(ipv6, Absent) else tuple(_ipv6(ipv6.value))
    try:
        found = [*_ipv4(ipv4.value), *six]
    except (ValueError, IndexError):
        return Unknown(f"{ROUTES} was not understood")
    return Known(tuple(sorted(found, key=lambda route: route.metric)))


def _changes(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in filter(None, text.splitlines()):
        name, _, number = line.rpartition(" ")
        if not name or not number.isdecimal():
            raise NotUnderstood(f"a line is {line[:80]!r}")
        found[name] = int(number)
    return found


def _ipv4(text: str) -> Iterator[DefaultRoute]:
    """Iface, destination, gateway, flags, RefCnt, use, metric, mask; addresses with the bytes in the host's order."""
    for row in (line.split() for line in text.splitlines()[1:]):
        if int(row[1], 16) == 0 and int(row[7], 16) == 0 and int(row[3], 16) & _GATEWAY:
            gateway = IPv4Address(int.from_bytes(bytes.fromhex(row[2]), "little"))
            yield DefaultRoute(str(gateway), row[0], int(row[6]))


def _ipv6(text: str) -> Iterator[DefaultRoute]:
    """Destination and its length, source and its length, next hop, metric, RefCnt, use, flags, interface."""
    for row in (line.split() for line in text.splitlines()):
        if len(row) == 10 and row[0] == _WITHOUT_GATEWAY and row[1] == "00" and int(row[8], 16) & _GATEWAY:
            yield DefaultRoute(str(IPv6Address(int(row[4], 16))), row[9], int(row[5], 16))

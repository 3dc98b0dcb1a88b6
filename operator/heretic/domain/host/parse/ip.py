"""``ip -d -j addr`` and link speeds (rule:ip-output)."""

from collections.abc import Mapping
from dataclasses import replace

from heretic.domain.commands import Output
from heretic.domain.facts import Fact, Known
from heretic.domain.host.interfaces import BOND, VLAN, Bond, Interface
from heretic.domain.host.parse.reading import NotUnderstood, Row, as_row, integer, listed, load_list, read, text_of

_LOOPBACK = "loopback"
_LACP = "802.3ad"
_NOBODY = "00:00:00:00:00:00"
_DISTRIBUTING = 0x20
"""Of a port's state in LACP (IEEE 802.1AX, linux/if_bonding.h): the port may send. One that is churned never may."""
_BELOW_EACH_PORT = ("-L", "/sys/class/net", "-mindepth", "2", "-maxdepth", "2")
SPEEDS = ("find", *_BELOW_EACH_PORT, "-name", "speed", "-exec", "grep", "-sH", ".", "{}", "+")
"""Prints "/sys/class/net/eth0/speed:1000" for each port that tells; complains of links that loop, which is normal."""


def parse_interfaces(output: Output) -> Fact[tuple[Interface, ...]]:
    """Parses ``ip -d -j addr``, without speeds, and without a loopback that has only its own addresses."""
    return read(output, "ip", _interfaces)


def parse_speeds(output: Output) -> Fact[Mapping[str, int]]:
    """Parses SPEEDS: Mbit/s by interface; one that has no link or does not tell is not in it."""
    return read(output, "the list of link speeds", _speeds, good=(0, 1))


def with_speeds(
    interfaces: Fact[tuple[Interface, ...]], speeds: Fact[Mapping[str, int]]
) -> Fact[tuple[Interface, ...]]:
    """Adds the speeds; an interface keeps None where its speed is not known."""
    if not isinstance(interfaces, Known) or not isinstance(speeds, Known):
        return interfaces
    return Known(tuple(replace(i, speed_mbps=speeds.value.get(i.name)) for i in interfaces.value))


def _interfaces(text: str) -> tuple[Interface, ...]:
    # Some queries are answered with empty objects among the others (rule:ip-output); those have no ifname.
    links = [row for row in load_list(text) if row.get("ifname")]
    active = {text_of(row, "ifname"): info for row in links if (info := _ad_info(row))}
    found = tuple(replace(_interface(row), aggregated=_aggregated(row, active)) for row in links)
    return tuple(i for i in found if i.kind != _LOOPBACK or i.addresses)


def _interface(row: Row) -> Interface:
    link = as_row(row.get("linkinfo") or {}, "linkinfo")
    kind = text_of(link, "info_kind") or text_of(row, "link_type")
    own = as_row(link.get("info_data") or {}, "info_data")
    of_port = as_row(link.get("info_slave_data") or {}, "info_slave_data")
    maximum = integer(row, "max_mtu") if row.get("max_mtu") else 0
    return Interface(
        name=text_of(row, "ifname"),
        mac=text_of(row, "permaddr") or text_of(of_port, "perm_hwaddr") or text_of(row, "address"),
        kind=kind,
        carrier=_carrier(row),
        mtu=integer(row, "mtu"),
        max_mtu=maximum or None,
        addresses=tuple(
            f"{text_of(a, 'local')}/{integer(a, 'prefixlen')}"
            for a in listed(row, "addr_info")
            if a.get("local") and not (kind == _LOOPBACK and _is_its_own(text_of(a, "local")))
        ),
        master=text_of(row, "master"),
        parent=text_of(row, "link") if kind == VLAN else "",
        vlan=integer(own, "id") if kind == VLAN else None,
        bond=_bond(own) if kind == BOND else None,
    )


def _ad_info(row: Row) -> Row:
    """What a bond of 802.3ad tells of its active aggregate; nothing where no port of it has a link."""
    own = as_row(as_row(row.get("linkinfo") or {}, "linkinfo").get("info_data") or {}, "info_data")
    return as_row(own.get("ad_info") or {}, "ad_info")


def _aggregated(row: Row, active: Mapping[str, Row]) -> bool | None:
    """Whether a port of a bond with a link is one of its active aggregate, which has a partner, and may send."""
    of_port = as_row(as_row(row.get("linkinfo") or {}, "linkinfo").get("info_slave_data") or {}, "info_slave_data")
    bond = active.get(text_of(row, "master"))
    if bond is None or not _carrier(row) or "ad_aggregator_id" not in of_port:
        return None
    if text_of(bond, "partner_mac") in ("", _NOBODY):
        return False
    sends = integer(of_port, "ad_actor_oper_port_state") if "ad_actor_oper_port_state" in of_port else _DISTRIBUTING
    return integer(of_port, "ad_aggregator_id") == integer(bond, "aggregator") and bool(sends & _DISTRIBUTING)


def _bond(row: Row) -> Bond:
    partner = text_of(as_row(row.get("ad_info") or {}, "ad_info"), "partner_mac")
    mode = text_of(row, "mode")
    return Bond(
        mode=mode,
        miimon=integer(row, "miimon") if "miimon" in row else None,
        transmit_hash=text_of(row, "xmit_hash_policy"),
        lacp_rate=text_of(row, "ad_lacp_rate") if mode == _LACP else "",
        active=text_of(row, "active_slave"),
        partner="" if partner == _NOBODY else partner,
    )


def _is_its_own(address: str) -> bool:
    """Hosts that speak a routing protocol carry their own address on ``lo``, beside 127.0.0.1 and ::1."""
    return address == "::1" or address.startswith("127.")


def _carrier(row: Row) -> bool | None:
    """Whether there is a link; a port that is switched off cannot tell."""
    flags = row.get("flags")
    if not isinstance(flags, list):
        raise NotUnderstood("an interface has no flags")
    return "LOWER_UP" in flags if "UP" in flags else None


def _speeds(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in text.splitlines():
        path, _, value = line.rpartition(":")
        parts = path.split("/")
        if len(parts) == 6 and value.strip().isdigit() and int(value) > 0:
            found[parts[4]] = int(value)
    return found

"""What ``ip`` says of the links of a simulated host (links.py)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.links import SimLink

_DEFAULTED, _SENDS, _WAITS = 77, 61, 5
"""States of a port in LACP, as bits: nobody speaks it with the port; it sends; it waits for its partner."""


def _flags(link: "SimLink") -> list[str]:
    return ["BROADCAST", "MULTICAST", *["UP"] * link.up, *["LOWER_UP"] * link.carrier]


def shown_line(link: "SimLink") -> str:
    """Of ``ip -o link``."""
    master = f" master {link.master}" if link.master else ""
    flags = ",".join(_flags(link))
    return f"2: {link.name}: <{flags}> mtu {link.mtu}{master} link/ether {link.mac} brd ff:ff:ff:ff:ff:ff\n"


def shown(link: "SimLink") -> dict[str, object]:
    """Of ``ip -d -j addr``."""
    row: dict[str, object] = {
        "ifname": link.name,
        "flags": _flags(link),
        "mtu": link.mtu,
        "max_mtu": 9000,
        "link_type": "ether",
        "address": link.mac,
        "addr_info": [
            {"family": "inet6" if ":" in a else "inet", "local": a.split("/")[0], "prefixlen": int(a.split("/")[1])}
            for a in link.addresses
        ],
    }
    if link.master:
        row["master"] = link.master
    if link.kind == "bond":
        data: dict[str, object] = {"mode": link.options["mode"], "miimon": int(link.options["miimon"])}
        data["xmit_hash_policy"] = link.options["xmit_hash_policy"]
        if link.speaks_lacp:
            data["ad_lacp_rate"] = link.options["lacp_rate"]
            if link.carrier:  # the kernel tells nothing of an aggregate while no port has a link
                data["ad_info"] = {"aggregator": 1, "num_ports": len(link.joined), "partner_mac": link.partner}
        row["linkinfo"] = {"info_kind": "bond", "info_data": data}
    if link.kind == "vlan":
        row["link"] = link.parent
        row["linkinfo"] = {"info_kind": "vlan", "info_data": {"protocol": "802.1Q", "id": link.vlan}}
    return row


def of_bond(port: "SimLink", bond: "SimLink | None") -> dict[str, object]:
    """What a port of a bond of 802.3ad tells of its aggregate; one that did not join has one of its own."""
    if bond is None or not bond.speaks_lacp:
        return {}
    joined, alone = port.name in bond.joined, not bond.partner.strip("0:")
    state = _DEFAULTED if alone else _SENDS if joined else _WAITS
    told = {"state": "ACTIVE", "ad_aggregator_id": 1 if joined else 2, "ad_actor_oper_port_state": state}
    return {"linkinfo": {"info_slave_kind": "bond", "info_slave_data": told}}

"""Networks and links of the screen: which ports of each node carry which network, and what is wrong with them. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heretic.cli.stored import Object, spec_of, state, status_of, summary_of

MOST = 24
"""Rows of the table of links for people; what is wrong comes first, and what is left out is counted."""

_RANK = {"False": 0, "Unknown": 1, "Degraded": 2, "True": 3, "-": 4}
_VIRTUAL = frozenset({"bond", "vlan", "bridge"})


@dataclass(frozen=True, slots=True)
class NetworkLine:
    """One Network of the table.

    Attributes:
        mtu: As declared, with what its proof says.
        nodes: How many have it as declared, of all that shall.
    """

    name: str
    ready: str
    role: str
    subnet: str
    vlan: str
    mtu: str
    nodes: str
    summary: str


@dataclass(frozen=True, slots=True)
class LinkLine:
    """What carries a network on a node, or a port that carries none.

    Attributes:
        network: Its name, "-" where a port carries none.
        state: True, False or Unknown as the Network says; Degraded where a port of a bond does not work; "-" of a spare
            port.
        on: The link that has the address.
        ports: What cables are plugged into, each with its speed or what it lacks.
        mtu: Of that link.
        says: What is wrong, or how it is known where a port leads.
    """

    node: str
    network: str
    state: str
    on: str
    ports: str
    mtu: str
    says: str


def network_lines(networks: Iterable[Object]) -> tuple[NetworkLine, ...]:
    """One line a Network."""
    return tuple(_network(network) for network in networks)


def link_lines(nodes: Sequence[Object], networks: Sequence[Object]) -> tuple[LinkLine, ...]:
    """Every network of every node, and the ports that carry none; what is wrong comes first.

    Args:
        nodes: As stored.
        networks: Likewise.
    """
    lines = [line for node in nodes for line in (*_carried(node, networks), *_spare(node))]
    return tuple(sorted(lines, key=lambda line: _RANK[line.state]))


def _network(network: Object) -> NetworkLine:
    spec, attachments = spec_of(network), status_of(network).get("attachments") or []
    good = sum(a.get("inSync") is True for a in attachments)
    proof = {"True": " proved", "False": " not carried"}.get(state(network, "MtuProved"), "")
    return NetworkLine(
        name=network["metadata"]["name"],
        ready=state(network, "Ready"),
        role=str(spec.get("role") or "-"),
        subnet=str(spec.get("subnet") or "-"),
        vlan=str(spec.get("vlan") or "-"),
        mtu=f"{spec.get('mtu') or 1500}{proof}",
        nodes=f"{good}/{len(attachments)}" if attachments else "-",
        summary=summary_of(network),
    )


def _carried(node: Object, networks: Sequence[Object]) -> Iterator[LinkLine]:
    """One line for each network that says that this node shall have it."""
    name, links = node["metadata"]["name"], status_of(node).get("interfaces") or []
    for network in networks:
        for found in status_of(network).get("attachments") or []:
            if found.get("node") == name:
                yield _line(node, network, found, links)


def _line(node: Object, network: Object, found: Mapping[str, Any], links: Sequence[Mapping[str, Any]]) -> LinkLine:
    name, on = network["metadata"]["name"], str(found.get("interface") or "")
    below = _below(links, on)
    ports = [link for link in below if link.get("kind") not in _VIRTUAL]
    records = [r for r in status_of(node).get("ports") or [] if name in (r.get("networks") or [])]
    if not ports:
        leading = {r.get("port") for r in records}
        ports = [link for link in links if link.get("name") in leading]
    small = [p for p in status_of(node).get("paths") or [] if p["network"] == name and p["passed"] < p["mtu"]]
    down = [link["name"] for link in ports if link.get("carrier") is False]
    outside = [str(link["name"]) for link in ports if link.get("aggregated") is False]
    shown = {True: "True", False: "False", None: "Unknown"}[found.get("inSync")]
    if shown == "True" and small:
        shown = "False"
    elif shown == "True" and (down or outside):
        shown = "Degraded"
    says = [f"reaches {p['node']} with {p['passed']} of {p['mtu']} bytes" for p in small]
    if shown == "False" and not small:
        says.append("not as declared" if on else "has not the declared address")
    elif shown == "Unknown":
        says.append("not known")
    bond = next((link["bond"] for link in below if link.get("bond")), None)
    if outside:
        alone = not (bond and bond.get("partner"))
        says.append("no LACP partner on the switch" if alone else f"not in the LACP aggregate: {', '.join(outside)}")
    return LinkLine(
        node=node["metadata"]["name"],
        network=name,
        state=shown,
        on=f"{on} ({bond['mode']})" if bond and bond.get("mode") else on or "-",
        ports=_shown(ports),
        mtu=str(found.get("mtu") or "-"),
        says="; ".join(says) or _known_by(records),
    )


def _spare(node: Object) -> Iterator[LinkLine]:
    """Ports on which nothing lies: whether they have a link, and where they are known to lead; those alike in one."""
    links, name = status_of(node).get("interfaces") or [], node["metadata"]["name"]
    used = {below["name"] for link in links if link.get("addresses") for below in _below(links, link["name"])}
    records = {r.get("port"): r for r in status_of(node).get("ports") or []}
    said: dict[str, list[Mapping[str, Any]]] = {}
    for link in links:
        if link.get("kind") == "ether" and not link.get("master") and link["name"] not in used:
            record = records.get(link["name"]) or {}
            leads = ", ".join(record.get("networks") or [])
            says = f"leads to {leads}, carries nothing" if leads else str(record.get("evidence") or "")
            said.setdefault(says, []).append(link)
    for says, alike in said.items():
        yield LinkLine(name, "-", "-", "-", _shown(alike), "-", says)


def _below(links: Sequence[Mapping[str, Any]], on: str) -> list[Mapping[str, Any]]:
    """A link and everything that it lies on."""
    found = [link for link in links if link["name"] == on]
    for link in found:
        down = (i for i in links if i.get("master") == link["name"] or link.get("parent") == i["name"])
        found += [i for i in down if i not in found]
    return found


def _shown(ports: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{port['name']} {_link(port)}".rstrip() for port in ports) or "-"


def _link(port: Mapping[str, Any]) -> str:
    if port.get("carrier") is not True:
        return "no link" if port.get("carrier") is False else "off"
    mbps = int(port.get("speedMbps") or 0)
    return f"{mbps / 1000:g}G" if mbps >= 1000 else f"{mbps}M" if mbps else ""


def _known_by(records: Sequence[Mapping[str, Any]]) -> str:
    """How it is known where the ports lead, and what their switch says of itself."""
    switches = dict.fromkeys(str(r["switch"]) for r in records if r.get("switch"))
    hows = dict.fromkeys(str(r["how"]).lower() for r in records if r.get("how") and r["how"] != "Carried")
    return "; ".join((*hows, *switches))

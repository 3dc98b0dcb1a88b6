"""Connection profiles of NetworkManager, as the text of its keyfiles (nm-settings-keyfile(5)).

A profile is named by its content: another content is another profile. So one that is on trial stands beside the one
before it, and taking it back is forgetting it (rule:links-on-trial).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1.bonds import BondSpec

TRIED, KEPT = "/run/NetworkManager/system-connections", "/etc/NetworkManager/system-connections"
"""Where profiles lie: a boot forgets the first folder, and reads the second."""
_OURS = uuid.UUID("8d1d8a1c-6f3c-5c59-9d0e-0d7f3f6f2b11")
_PRIORITY = 50
"""Profiles that somebody else has made for the same link have 0."""


@dataclass(frozen=True, slots=True)
class LinkProfile:
    """What one link shall be.

    Attributes:
        link: Its name.
        text: The whole keyfile.
        uuid: By which NetworkManager knows it.
        addresses: That the link has of it.
    """

    link: str
    text: str
    uuid: str
    addresses: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Its name in either folder."""
        return f"heretic-{self.link}.nmconnection"


@dataclass(frozen=True, slots=True)
class Addressing:
    """What a link has of the site.

    Attributes:
        addresses: With prefix length, of both families.
        gateways: For the default route, one a family at most.
        name_servers: Asked through this link.
        search: Domains that a name without a dot is looked for in.
    """

    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    name_servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


def port_profile(name: str, mtu: int, bond: str, has: Addressing) -> LinkProfile:
    """A port: one of a bond, or one that stands for itself.

    Args:
        name: Of the port.
        mtu: In bytes.
        bond: That it belongs to, "" = none.
        has: Its addresses, where it belongs to none.
    """
    member = {"controller": bond, "port-type": "bond"} if bond else {}
    return _profile(name, "ethernet", member, {"ethernet": {"mtu": str(mtu)}}, None if bond else has)


def bond_profile(name: str, mtu: int, spec: BondSpec, has: Addressing) -> LinkProfile:
    """A bond; without another declaration its links are looked at ten times a second, as HVP has it."""
    options = {
        "mode": spec.mode.value,
        "miimon": str(spec.miimon or 100),
        "xmit_hash_policy": spec.transmit_hash.value if spec.transmit_hash else "",
        "lacp_rate": spec.lacp_rate.value if spec.lacp_rate else "",
    }
    sections = {"ethernet": {"mtu": str(mtu)}, "bond": {key: value for key, value in options.items() if value}}
    return _profile(name, "bond", {"autoconnect-ports": "1"}, sections, has)


def vlan_profile(parent: str, number: int, mtu: int, has: Addressing) -> LinkProfile:
    """A VLAN on a port or a bond."""
    sections = {"ethernet": {"mtu": str(mtu)}, "vlan": {"id": str(number), "parent": parent}}
    return _profile(f"{parent}.{number}", "vlan", {}, sections, has)


def members(files: Mapping[str, str]) -> dict[str, str]:
    """The bond of each port, by profiles of ours that a boot reads.

    Args:
        files: Content by path.
    """
    found: dict[str, str] = {}
    for text in (text for path, text in files.items() if path.startswith(f"{KEPT}/")):
        said = dict(line.partition("=")[::2] for line in text.splitlines())
        if said.get("port-type") == "bond":
            found[said.get("interface-name", "")] = said.get("controller", "")
    return found


def written_addresses(files: Mapping[str, str]) -> frozenset[str]:
    """Addresses with prefix length that profiles of ours give to links.

    Args:
        files: Content by path.
    """
    lines = (line for text in files.values() for line in text.splitlines() if line.startswith("address"))
    return frozenset(line.partition("=")[2] for line in lines)


def _profile(
    link: str, kind: str, more: Mapping[str, str], sections: Mapping[str, Mapping[str, str]], has: Addressing | None
) -> LinkProfile:
    head = {"id": f"heretic-{link}", "type": kind, "interface-name": link, "autoconnect-priority": str(_PRIORITY)}
    body = dict(sections) | ({} if has is None else _families(has))
    name = str(uuid.uuid5(_OURS, _text({"connection": {**head, **more}} | body)))
    text = _text({"connection": {**head, "uuid": name, **more}} | body)
    return LinkProfile(link, text, name, has.addresses if has else ())


def _families(has: Addressing) -> dict[str, dict[str, str]]:
    return {"ipv4": _family(has, ipv6=False), "ipv6": _family(has, ipv6=True)}


def _family(has: Addressing, *, ipv6: bool) -> dict[str, str]:
    """One family: what is declared and nothing else, no route that nobody declared and no router's word."""

    def own(texts: tuple[str, ...]) -> list[str]:
        return [text for text in texts if (":" in text) is ipv6]

    addresses = own(has.addresses)
    if not addresses:
        return {"method": "link-local"} if ipv6 else {"method": "disabled"}
    found = {"method": "manual"} | {f"address{n}": a for n, a in enumerate(addresses, 1)}
    if gateways := own(has.gateways):
        found["gateway"] = gateways[0]
    else:
        found["never-default"] = "true"
    if servers := own(has.name_servers):
        found["dns"] = "".join(f"{server};" for server in servers)
        found["dns-search"] = "".join(f"{domain};" for domain in has.search)
    return {key: value for key, value in found.items() if value}


def _text(sections: Mapping[str, Mapping[str, str]]) -> str:
    blocks = ("".join([f"[{name}]\n", *(f"{k}={v}\n" for k, v in values.items())]) for name, values in sections.items())
    return "\n".join(blocks)

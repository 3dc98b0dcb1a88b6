"""The interface on which a deployment makes the bridge ovirtmgmt."""

import re
from collections.abc import Iterator, Mapping

from heretic.domain.facts import Fact, Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.interfaces import Interface

_MODES = ("active-backup", "xor", "broadcast", "802.3ad")


def interface_of(facts: HostFacts, address: str, declared: str) -> str:
    """The interface for the bridge: the declared one, else the one with the address; "" = there is none."""
    if declared or not isinstance(facts.interfaces, Known):
        return declared
    has = (i.name for i in facts.interfaces.value if any(a.partition("/")[0] == address for a in i.addresses))
    return next(has, "")


def unsuitable(port: Interface, ports: tuple[Interface, ...], modes: Fact[Mapping[str, str]]) -> Iterator[str]:
    """Why oVirt cannot make its bridge on a port: rule:bond-modes, and the names that VDSM can do with.

    Args:
        port: Of the host.
        ports: All of them.
        modes: Of its bonds, by name.
    """
    below = port.name
    if port.kind == "vlan":
        below, _, tag = port.name.rpartition(".")
        if not below or not tag.isdecimal():
            yield f"the VLAN {port.name} is not called PARENT.ID, such as bond0.10; oVirt takes no other. Rename it"
            return
    carrier = next((i for i in ports if i.name == below), port)
    if carrier.kind == "team":
        yield f"{carrier.name} is a team, and oVirt takes none. Make it a bond"
    if carrier.kind == "bridge":
        yield f"{carrier.name} is a bridge, and oVirt makes its own. Name its port"
    if carrier.kind != "bond":
        return
    if not re.fullmatch(r"bond\d+", carrier.name):
        yield f"the bond {carrier.name} is not called bond and a number; oVirt takes no other. Rename it"
    if not isinstance(modes, Known) or carrier.name not in modes.value:
        yield f"the mode of the bond {carrier.name} is not known"
    elif not any(mode in modes.value[carrier.name] for mode in _MODES):
        yield (
            f"the bond {carrier.name} has the mode {modes.value[carrier.name]!r}, which a network of machines "
            "cannot use. Give it active-backup, balance-xor, broadcast or 802.3ad"
        )

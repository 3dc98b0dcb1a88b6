"""What is common to all changes of the networks of a host that the engine makes."""

from collections.abc import Collection
from ipaddress import ip_interface

from heretic.domain.engine.call import BodyElement, EngineRequest
from heretic.domain.engine.facts import EngineHost
from heretic.domain.engine.parse import states
from heretic.domain.engine.site import LATER, EngineSite
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.plan import Wait

CONFIGURABLE = (states.UP, states.MAINTENANCE, states.NON_OPERATIONAL)
"""States of a host in which the engine sets its networks."""

OUTAGE_SECONDS = 600
"""How long bricks may need after a network was changed until they are whole again."""

CONNECTIVITY_SECONDS = 120
"""Within which the engine must hear of a host after a change of its networks; else it is taken back."""

_SECONDS = CONNECTIVITY_SECONDS + 60
"""For the request: the host changes its network, and has to be reached again before the engine answers."""

OF_NETWORKS = frozenset({"mtu", "vlan", "bridged"})
"""What a Network declares of itself in the engine, in the engine's words, as it tells what a host has otherwise."""

OF_ADDRESSES = frozenset(
    f"ip{version}_{what}" for version in ("v4", "v6") for what in ("boot_protocol", "address", "netmask", "prefix")
)
"""Likewise, what the addresses of a Node declare."""

MANAGEMENT = "management"
"""What a cluster uses its management network for, in the engine's words."""

_VITAL = frozenset({"gluster", MANAGEMENT})


def is_vital(usages: Collection[str]) -> bool:
    """Whether hosts can lose each other, or the engine a host, where a network with these usages changes on them."""
    return not _VITAL.isdisjoint(usages)


def set_up(host: str, *changes: BodyElement) -> EngineRequest:
    """One change of a host's networks: taken back where the host is not heard of afterwards, and else saved.

    Args:
        host: Id.
        changes: Elements of the action; the engine makes all of them or none.
    """
    body = (
        BodyElement("check_connectivity", True),
        BodyElement("connectivity_timeout", CONNECTIVITY_SECONDS),
        BodyElement("commit_on_success", True),
        *changes,
    )
    return EngineRequest("setup_networks", f"hosts/{host}", BodyElement("action", body), seconds=_SECONDS)


def static(address: str) -> BodyElement:
    """An address that the engine gives a host.

    Args:
        address: With its prefix length.
    """
    parsed = ip_interface(address)
    ip = (
        BodyElement("address", str(parsed.ip)),
        BodyElement("netmask", mask_of(address)),
        BodyElement("version", f"v{parsed.version}"),
    )
    return BodyElement("ip_address_assignment", (BodyElement("assignment_method", "static"), BodyElement("ip", ip)))


def mask_of(address: str) -> str:
    """The mask of an address as the engine takes it: of IPv6 it is the prefix length."""
    parsed = ip_interface(address)
    return str(parsed.netmask) if parsed.version == 4 else str(parsed.network.prefixlen)


def against_change(site: EngineSite, host: EngineHost, why: str, *, quiet: bool) -> Wait | None:
    """What keeps the engine from changing the networks of a host now.

    Args:
        site: Where in the engine the site lives.
        host: The host.
        why: What is to be changed, as the beginning of a sentence.
        quiet: Whether no guest may run on it: a mistake would cut it off. The engine's own machine may.
    """
    if host.networks_changing:
        return Wait(Reason.WORK_IN_PROGRESS, f"{why}, and the engine changes its networks just now", LATER)
    if host.status not in CONFIGURABLE:
        return Wait(Reason.WAITING_FOR_ENGINE, f"{why}, and it is {states.shown(host.status)} in the engine", LATER)
    if not quiet:
        return None
    if host.guests is None:
        return Wait(Reason.NOT_OBSERVED, f"{why}, and how many guests it runs was not told", LATER)
    if host.guests - _own_machines(site, host) <= 0:
        return None
    told = f"{why}, and {host.guests} machines run on it, which a mistake would cut off: move them to another host"
    return Wait(Reason.GUESTS_RUNNING, told, LATER)


def _own_machines(site: EngineSite, host: EngineHost) -> int:
    """1 where the engine's own machine is known to run on the host: its storage bears the short cut."""
    own = site.facts.own_machine
    return int(isinstance(own, Known) and own.value is not None and own.value.host == host.id)

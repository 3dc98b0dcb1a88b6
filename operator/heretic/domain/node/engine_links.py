"""The links of a host of the engine: what the Networks declare of them, as one change that the engine makes.

VDSM keeps the links of such a host, and would take back what NetworkManager was told behind its back. So what the
engine shows of ports, bonds and networks is held against the declaration, and not what the host shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_interface

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.bonds import BondMode, BondSpec
from heretic.api.v1alpha1.network import NetworkRole
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.names import interfaces_in
from heretic.domain.declared.stored import stored_condition
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import correlation_id
from heretic.domain.engine.facts import EngineHost
from heretic.domain.engine.host_networks import OF_ADDRESSES, OF_NETWORKS, against_change, is_vital
from heretic.domain.engine.host_parts import EngineInterface, HostAttachment
from heretic.domain.engine.site import LATER, EngineSite
from heretic.domain.errors import Reason
from heretic.domain.host.rule import Part
from heretic.domain.node.engine_link_steps import BondOnHost, NetworkOnLink, SetUpHostNetworks
from heretic.domain.node.member import EngineMember
from heretic.domain.plan import Blocked, Obstacle, Wait
from heretic.domain.wiring.classify import PortFinding
from heretic.domain.wiring.lacp import Conversion, what_the_switch_needs
from heretic.domain.wiring.wanted import bond_fault, port_sets
from heretic.domain.wiring.wiring import Wiring

_MODES = {
    BondMode.ROUND_ROBIN: "0",
    BondMode.ACTIVE_BACKUP: "1",
    BondMode.BALANCE_XOR: "2",
    BondMode.LACP: "4",
}
_HASHES = {"layer2": "0", "layer3+4": "1", "layer2+3": "2"}
_RATES = {"slow": "0", "fast": "1"}
_NO_PROOF = (
    "the engine takes it back where it does not hear of the host any more, not where the aggregate does not come up: "
    "look at status.interfaces of the Node then"
)
_MIIMON = 100
"""Milliseconds, as HVP has it: without it a bond does not see that a link is gone."""


@dataclass(frozen=True, slots=True)
class _Links:
    """What is declared of a host, and what the engine has of it.

    Attributes:
        attached: Its networks there.
        interfaces: Its ports and bonds there.
        findings: Where its ports lead.
    """

    node: Node
    view: SiteView
    site: EngineSite
    host: EngineHost
    attached: tuple[HostAttachment, ...]
    interfaces: tuple[EngineInterface, ...]
    findings: tuple[PortFinding, ...]

    def usages(self, network: str) -> frozenset[str] | None:
        """What the cluster uses a logical network for; None where that was not told."""
        return next((one.usages for one in self.site.cluster.networks or () if one.id == network), None)

    def is_vital(self, network: str) -> bool:
        """Whether hosts or bricks reach each other over a logical network; where that is not known, they may."""
        usages = self.usages(network)
        return usages is None or is_vital(usages)

    def on(self, link: EngineInterface | None) -> tuple[HostAttachment, ...]:
        """The networks that a port or bond carries in the engine."""
        return tuple(one for one in self.attached if link is not None and one.interface == link.id)


@dataclass(frozen=True, slots=True)
class _Change:
    """What one set of ports lacks.

    Attributes:
        bond: That is made or changed.
        networks: That are put on it.
        why: What differs.
        touched: Networks that the host has, and that notice it.
        conversion: Of the bond, where the switch has to know of it first.
    """

    bond: BondOnHost | None
    networks: tuple[NetworkOnLink, ...]
    why: tuple[str, ...]
    touched: frozenset[str]
    conversion: Conversion | None


def plan_engine_links(node: Node, view: SiteView, found: Wiring, member: EngineMember) -> Part:
    """What the links of a host lack in the engine: one change for all of them, and what is in the way.

    Args:
        node: The Node.
        view: The declared site.
        found: Where its ports lead.
        member: Its host.
    """
    host = member.host
    if host is None:
        return Part()
    if host.attachments is None or host.interfaces is None:
        why = f"which ports, bonds and networks host {host.name!r} has was not told"
        return Part(obstacles=(Wait(Reason.NOT_OBSERVED, why, LATER),))
    links = _Links(node, view, member.site, host, host.attachments, host.interfaces, found.findings)
    changes: list[_Change] = []
    obstacles: list[Obstacle] = []
    names = {one.name for one in links.interfaces} | {finding.port.name for finding in found.findings}
    # A port without a link is no part of a change; one of a bond stays one of it.
    plugged = tuple(finding for finding in found.findings if finding.port.carrier is not False)
    for ports, networks in port_sets(node, view, plugged, every=True):
        told = _change(links, tuple(port.name for port in ports), networks, names)
        if isinstance(told, Wait | Blocked):
            obstacles.append(told)
        elif told is not None:
            changes.append(told)
            names |= {told.bond.name} if told.bond else set()
    if not changes:
        return Part(obstacles=tuple(obstacles))
    step = _step(links, changes)
    obstacle = _obstacle(links, changes, step)
    return Part(obstacles=(obstacle, *obstacles)) if obstacle else Part((step,), tuple(obstacles))


def _step(links: _Links, changes: list[_Change]) -> SetUpHostNetworks:
    vital = any(map(links.is_vital, _touched(changes)))
    quiet = vital or any(change.touched for change in changes)
    converted = [change.conversion for change in changes if change.conversion]
    first = [what_the_switch_needs(links.host.name, one, _ports_of(links, one.bond), _NO_PROOF) for one in converted]
    return SetUpHostNetworks(
        engine=links.site.name,
        why="; ".join(first) or f"{links.host.name}: {'; '.join(why for change in changes for why in change.why)}",
        node=links.node.metadata.name,
        host=links.host.id,
        host_name=links.host.name,
        bonds=tuple(change.bond for change in changes if change.bond),
        networks=tuple(one for change in changes for one in change.networks),
        takes_out=vital and len(links.view.nodes) > 1,  # a host that is alone has nobody to take its place
        guests=links.host.guests if quiet else None,
        converted=tuple(one.bond for one in converted),
    )


def _ports_of(links: _Links, bond: str) -> tuple[PortFinding, ...]:
    ids = {port for one in links.interfaces if one.name == bond for port in one.ports}
    names = {one.name for one in links.interfaces if one.id in ids}
    return tuple(finding for finding in links.findings if finding.port.name in names)


def _touched(changes: list[_Change]) -> frozenset[str]:
    """Every network that is put on the host, or that notices."""
    put = (one.network for change in changes for one in change.networks)
    return frozenset(put).union(*(change.touched for change in changes))


def _obstacle(links: _Links, changes: list[_Change], step: SetUpHostNetworks) -> Obstacle | None:
    meta = links.node.metadata
    quiet = any(change.touched or any(links.is_vital(n.network) for n in change.networks) for change in changes)
    busy = against_change(links.site, links.host, step.why, quiet=quiet)
    if busy is not None:
        return busy
    said = correlation_id(f"{Node.KIND}/{meta.namespace}/{meta.name}", step)
    tried, told = (stored_condition(links.node, kind) for kind in (ConditionType.SYNCED, ConditionType.WIRED))
    in_vain = tried and tried.reason in (Reason.ENGINE_REFUSES, Reason.VERIFICATION_FAILED) and said in tried.message
    if in_vain or (told and told.reason == Reason.CHANGE_TAKEN_BACK and said in told.message):
        return Blocked(
            Reason.CHANGE_TAKEN_BACK,
            f"{step.why}. The engine was asked for that, and refused it or took it back (correlation id {said}): see "
            "its events. Correct the Network, the Node or the switch; spec.configureLinks false and true again lets "
            "the same be tried once more",
        )
    return None


def _change(
    links: _Links, ports: tuple[str, ...], networks: tuple[str, ...], names: set[str]
) -> _Change | Obstacle | None:
    by_name = {one.name: one for one in links.interfaces}
    host, node = links.host.name, links.node.metadata.name
    if unknown := [port for port in ports if port not in by_name]:
        told = f"the engine does not know {', '.join(unknown)} of host {host!r}: choose Refresh Capabilities there"
        return Wait(Reason.NOT_OBSERVED, told, LATER)
    fault = bond_fault(links.node, links.view, ports, networks)
    if fault is not None:
        return fault
    own = tuple(by_name[port] for port in ports)
    there = [one for one in links.interfaces if set(one.ports) & {port.id for port in own}]
    strange = [f"{one.name} has {port}" for one in there for port in _elsewhere(links, one, networks)]
    strange += _foreign(links, own if len(own) > 1 else (), networks)
    if len(there) > 1 or strange:
        told = "; ".join(strange) or f"{' and '.join(ports)} are in {' and '.join(one.name for one in there)}"
        return Blocked(
            Reason.NETWORK_DIFFERS,
            f"{node}: {' and '.join(ports)} lead to {' and '.join(networks)}, and in the engine {told}. Correct "
            "that there, or spec.interfaces",
        )
    bond = _bond(links, own, networks, there[0] if there else None, names)
    base = bond.name if bond else there[0].name if there else ports[0]
    found = [_network(links, name, base, by_name.get(base)) for name in networks]
    for one in found:
        if isinstance(one, Wait | Blocked):
            return one
    lacking = [one for one in found if isinstance(one, tuple)]
    if bond is None and not lacking:
        return None
    on = {port.id for port in own} if bond else set[str]()
    noticed = {a.network for one in (*own, *there) if one.id in on or bond for a in links.on(one)}
    moved = {one.network for one, _ in lacking if one.attachment}
    why = [f"{bond} is declared"] if bond else []
    why += [lack for _, lack in lacking]
    converted = _conversion(there[0], bond) if bond and there else None
    return _Change(bond, tuple(one for one, _ in lacking), tuple(why), frozenset(noticed | moved), converted)


def _conversion(there: EngineInterface, bond: BondOnHost) -> Conversion | None:
    """What the switch has to know of a change of a bond."""
    before, after = (_mode_of(dict(there.options).get("mode", "")), _mode_of(dict(bond.options)["mode"][0]))
    if after is None or before == after or BondMode.LACP not in (before, after):
        return None
    return Conversion(bond.name, before.value if before else "not known", after)


def _mode_of(word: str) -> BondMode | None:
    return next((mode for mode, number in _MODES.items() if word in (number, mode.value)), None)


def _elsewhere(links: _Links, bond: EngineInterface, networks: tuple[str, ...]) -> Iterator[str]:
    """Ports of a bond that lead to other networks."""
    names = {one.id: one.name for one in links.interfaces}
    inside = {names.get(port, "") for port in bond.ports}
    for finding in links.findings:
        if finding.port.name in inside and finding.networks and not set(finding.networks) & set(networks):
            yield f"{finding.port.name}, which leads to {' and '.join(finding.networks)}"


def _foreign(links: _Links, ports: tuple[EngineInterface, ...], networks: tuple[str, ...]) -> Iterator[str]:
    """Networks that lie on ports which are to be bonded for others: no port of a bond carries one itself."""
    ours = {status.id for n in networks if (status := links.view.of(Network)[n].status.logical_network)}
    names = {one.id: one.name for one in links.site.cluster.networks or ()}
    for port in ports:
        for one in links.on(port):
            if one.network not in ours:
                yield f"{port.name} carries {names.get(one.network, one.network)}"


def _bond(
    links: _Links,
    ports: tuple[EngineInterface, ...],
    networks: tuple[str, ...],
    there: EngineInterface | None,
    names: set[str],
) -> BondOnHost | None:
    """The bond of a set of ports, where it is to be made or changed; ports that it has besides stay in it."""
    if there is None and len(ports) == 1:
        return None
    declared = next((spec for n in networks if (spec := links.view.of(Network)[n].spec.bond)), None)
    options = _options(declared or BondSpec())
    if there is not None:
        has = dict(there.options)
        complete = {port.id for port in ports} <= set(there.ports)
        if complete and (declared is None or all(has.get(option) in words for option, words in options)):
            return None
        if declared is None:
            options = tuple((option, (value,)) for option, value in there.options)
    by_id = {one.id: one for one in links.interfaces}
    more = (by_id[port] for port in (there.ports if there else ()) if port in by_id)
    wanted = tuple({port.name: port for port in (*ports, *more)}.values())
    name = there.name if there else next(n for n in (f"bond{i}" for i in range(len(names) + 1)) if n not in names)
    return BondOnHost(name, tuple(o.name for o in wanted), tuple(o.id for o in wanted), options, there is None)


def _options(bond: BondSpec) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """In the engine's words: it takes and shows numbers, and names where a host tells them so."""
    found = [("mode", (_MODES[bond.mode], bond.mode.value)), ("miimon", (str(bond.miimon or _MIIMON),))]
    if bond.transmit_hash:
        found.append(("xmit_hash_policy", (_HASHES[bond.transmit_hash.value], bond.transmit_hash.value)))
    if bond.lacp_rate:
        found.append(("lacp_rate", (_RATES[bond.lacp_rate.value], bond.lacp_rate.value)))
    return tuple(found)


def _network(
    links: _Links, name: str, base: str, link: EngineInterface | None
) -> tuple[NetworkOnLink, str] | Obstacle | None:
    """What one network lacks on a link, with a word why; None where it is there as declared."""
    network, host = links.view.of(Network)[name], links.host.name
    logical = network.status.logical_network.id if network.status.logical_network else ""
    if not logical or logical not in {one.id for one in links.site.cluster.networks or ()}:
        missing = f"Network {name}, and it is not in the engine's cluster yet (see LogicalNetworkReady there)"
        return Wait(Reason.WAITING_FOR_ENGINE, f"{host}: {base} is to carry {missing}", LATER)
    there = next((one for one in links.attached if one.network == logical), None)
    is_management = network.spec.role is NetworkRole.MANAGEMENT
    declared = tuple(str(ip_interface(one)) for one in interfaces_in(network, links.node))
    if there is None:
        if is_management:
            lost = f"host {host!r} has lost its management network in the engine; reinstall it there"
            return Blocked(Reason.NETWORK_DIFFERS, lost)
        made = NetworkOnLink(logical, name, "", base, network.spec.vlan is not None, declared)
        return made, f"{name} is not on {base}"
    if not there.interface or there.addresses is None:
        return Wait(Reason.NOT_OBSERVED, f"what carries {name} on host {host!r}, and how, was not told", LATER)
    addresses = declared if declared and not is_management else None
    lacks = [one for one in addresses or () if one not in there.addresses]
    why = [] if link is not None and there.interface == link.id else [f"{name} is not on {base}"]
    why += [f"{name} has not the address {one}" for one in lacks]
    differing = frozenset(one.name for one in there.different or ())
    if there.in_sync is False and addresses and differing & OF_ADDRESSES:
        why.append(f"{name} is out of sync ({'; '.join(map(str, there.different or ()))})")
    if not why:
        return None
    ours = OF_NETWORKS | (OF_ADDRESSES if addresses else frozenset())
    if there.in_sync is False and not (differing and differing <= ours):
        told = "; ".join(map(str, there.different or ())) or "it was not told how"
        why.append(f"the engine changes nothing of it before it is synchronised: {told}. Do that there, or correct it")
        return Blocked(Reason.NETWORK_DIFFERS, f"{host}: {'; '.join(why)}")
    tagged = network.spec.vlan is not None
    sent = addresses if lacks else None
    made = NetworkOnLink(logical, name, there.id, base, tagged, sent, synchronised=there.in_sync is False)
    return made, "; ".join(why)

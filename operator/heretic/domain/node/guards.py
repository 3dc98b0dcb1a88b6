"""What guards a host and can shut its services off: the firewall and SELinux. Each feature says what it needs."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface, IPv4Network

from heretic.domain.declared.names import inside, is_ipv4, storage_address
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host.facts import FirewallZone
from heretic.domain.host.feature import Feature
from heretic.domain.host.ports import Ranges, common, texts_of, union, words
from heretic.domain.host.rule import HostContext, unseen
from heretic.domain.host.steps import LabelFiles, OpenFirewall
from heretic.domain.node.zones import Verdict, verdict_of, zones_of
from heretic.domain.plan import Blocked, PlanItem, Wait


def firewall(host: HostContext, feature: Feature) -> Iterator[PlanItem]:
    """Lets a feature through where firewalld runs; any other packet filter is left to its owner.

    What counts is whether the packets of the other nodes pass, however that is written. What firewalld would call
    enabled already is never asked of it.
    """
    zones = host.facts.firewall
    if not feature.openings or isinstance(zones, Absent):
        return
    if isinstance(zones, Unknown):
        yield unseen(host.facts, "its firewall", zones)
        return
    place = _storage_port(host)
    if isinstance(place, Wait | Blocked):
        yield place
        return
    interface, own = place
    needed = union(part for opening in feature.openings for part in opening.ports)
    closed: dict[FirewallZone, Ranges] = {}
    for source in _others(host, own, feature):
        judges = zones_of(zones.value, interface, source)
        if not judges:
            yield Wait(Reason.NOT_OBSERVED, f"{host.name}: firewalld names no default zone")
            return
        for zone in judges:
            verdict = verdict_of(zone, source, IPv4Network(own.ip), needed, feature.firewall_services)
            closed[zone] = union((*closed.get(zone, ()), *verdict.closed))
            if verdict.refused:
                yield _refused(host, feature, zone, source, verdict)
                return
    for zone, ports in closed.items():
        wanted = [opening for opening in feature.openings if common(ports, opening.ports)]
        if wanted:
            yield OpenFirewall(
                host=host.name,
                why=f"zone {zone.name} of firewalld does not let {feature.name} through: {words(ports)} is closed",
                zone=zone.name,
                services=tuple(opening.service for opening in wanted if opening.service),
                ports=tuple(text for opening in wanted if not opening.service for text in texts_of(opening.ports)),
            )


def _refused(host: HostContext, feature: Feature, zone: FirewallZone, source: IPv4Network, verdict: Verdict) -> Blocked:
    return Blocked(
        Reason.FIREWALL_REFUSES,
        f"{host.name}: zone {zone.name} of firewalld refuses {words(verdict.refused)} from {source}, which "
        f"{feature.name} needs, by the rule '{verdict.rule}'. Opening ports does not help against it: remove the rule "
        f"with `firewall-cmd --permanent --zone={zone.name} --remove-rich-rule=...` and `firewall-cmd --reload`, or "
        "accept the storage network with a lower priority",
    )


def _storage_port(host: HostContext) -> tuple[str, IPv4Interface] | Wait | Blocked:
    """The interface that has the storage address, and the address with its prefix."""
    address, interfaces = storage_address(host.view, host.node), host.facts.interfaces
    if not is_ipv4(address):
        return Blocked(
            Reason.INVALID_SPEC,
            f"{host.name}: its storage address {address} is none of IPv4, so what its firewall has to let through is "
            "not known; give one in spec.addresses, in the Network of role Gluster",
        )
    if not isinstance(interfaces, Known):
        return unseen(host.facts, "on which interface it has its storage address", interfaces)
    for interface in interfaces.value:
        for with_prefix in interface.addresses:
            if with_prefix.partition("/")[0] == address:
                return interface.name, IPv4Interface(with_prefix)
    return Wait(
        Reason.NETWORK_DIFFERS,
        f"{host.name}: the storage address {address} is on none of its interfaces, so that which zone of firewalld "
        "judges storage traffic is not known. Configure the address on the host, or correct the declaration",
    )


def _others(host: HostContext, own: IPv4Interface, feature: Feature) -> list[IPv4Network]:
    """Who must reach the feature here: the other nodes; as long as there are none, the network of the address."""
    found = []
    for name, node in sorted(host.view.nodes.items()):
        address = storage_address(host.view, node)
        peer = feature.role in node.spec.roles or inside(address, str(own.network))
        if name != host.name and peer and node.metadata.deletion_timestamp is None and is_ipv4(address):
            found.append(IPv4Network(address))
    return found or [own.network]


def selinux(host: HostContext, labels: Mapping[str, str]) -> Iterator[PlanItem]:
    """Gives files their labels where the platform profile knows SELinux.

    Args:
        host: The host.
        labels: By pattern of paths.
    """
    contexts = host.profile.selinux_contexts
    if not labels or not contexts or host.facts.selinux == Known("disabled"):
        return
    file = host.facts.files.get(contexts, NOT_OBSERVED)
    if isinstance(host.facts.selinux, Unknown):
        yield unseen(host.facts, "SELinux", host.facts.selinux)
        return
    if isinstance(file, Unknown):
        yield unseen(host.facts, contexts, file)
        return
    content = file.value.content if isinstance(file, Known) else ""
    for pattern, label in labels.items():
        if f"{pattern} " not in content:
            yield LabelFiles(
                host=host.name,
                why=f"SELinux has no rule for {pattern}",
                pattern=pattern,
                label=label,
                contexts=contexts,
            )

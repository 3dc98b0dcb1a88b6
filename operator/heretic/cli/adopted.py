"""Manifests of what was found on hosts: pure, from facts to objects with remarks.

Everything is in mode Observe, so applying the manifests changes nothing. What was guessed says so in a remark, and
what is not known is left out, never made up.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from heretic.api.v1alpha1 import Mode
from heretic.api.v1alpha1.network import NetworkRole
from heretic.cli.adopted_engine import FoundEngine, adopt_engine, domains_on, hosts_of_engine, with_domain
from heretic.cli.adopted_volumes import adopt_volume, is_arbiter_only, node_of_brick
from heretic.cli.manifest import Manifest, make
from heretic.domain.disks.observed import brick_mount_points, carried
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.pool.facts import PoolFacts, VolumeInfo
from heretic.domain.pool.member import MEMBER

NOT_OF_THE_SITE = ("lo", "virbr", "docker", "podman", "cni", "veth", "flannel")
"""Beginnings of the names of interfaces that stay inside a host."""

NETWORK_NAMES = {NetworkRole.MANAGEMENT: "mgmt", NetworkRole.GLUSTER: "gluster", NetworkRole.LAN: "lan"}
HOSTS_FILE = "/etc/hosts"


@dataclass(frozen=True, slots=True)
class FoundSite:
    """What there is to adopt.

    Attributes:
        site: Name of the Site.
        namespace: Of the manifests; empty = they name none.
        user: Account of SSH.
        port: Of sshd.
        addresses: Where SSH reaches each host, by name, as the user gave it.
        ports: Of sshd, where it is not ``port``.
        ips: The addresses as IPv4 addresses; empty for a name that does not resolve.
        host_keys: The key to pin for each host.
        hosts: Facts of every host.
        pool: What the trusted pool said; None when it did not.
        engine: The engine of the hosts; None when none was named.
    """

    site: str
    namespace: str
    user: str
    port: int
    addresses: Mapping[str, str]
    ports: Mapping[str, int]
    ips: Mapping[str, str]
    host_keys: Mapping[str, str]
    hosts: Mapping[str, HostFacts] = field(default_factory=dict)
    pool: PoolFacts | None = None
    engine: FoundEngine | None = None

    @property
    def volumes(self) -> dict[str, VolumeInfo]:
        """The volumes that are known to exist."""
        known = self.pool.volumes if self.pool else None
        return dict(sorted(known.value.items())) if isinstance(known, Known) else {}


@dataclass(frozen=True, slots=True)
class _Subnet:
    """A subnet in which every host has one address of its own; "mtu" is the least of the ports'."""

    network: IPv4Network
    members: Mapping[str, IPv4Address]
    mtu: int
    role: NetworkRole = NetworkRole.LAN
    remark: str = ""


def manifests(found: FoundSite) -> tuple[tuple[Manifest, ...], tuple[str, ...]]:
    """Site, Networks, Nodes, GlusterVolumes and the HostedEngine of what runs.

    Args:
        found: What there is to adopt.

    Returns:
        The manifests, and why some volumes or the engine have none.
    """
    networks = _named(_networks(found))
    volumes = [adopt_volume(info, found.namespace, found.hosts, found.pool) for info in found.volumes.values()]
    members = hosts_of_engine(found.engine, _known_as(found)) if found.engine else {}
    engine = (adopt_engine(found.engine, members, found.namespace),) if found.engine else ()
    domains = domains_on(found.engine, _names_of_hosts(found)) if found.engine else {}
    volumes = [
        with_domain(v, domains[name]) if isinstance(v, Manifest) and name in domains else v
        for name, v in zip(found.volumes, volumes, strict=True)
    ]
    made = (
        _site(found),
        *(_network(found, name, subnet) for name, subnet in networks.items()),
        *(_node(found, name, networks, hypervisor=name in members) for name in found.hosts),
        *(v for v in (*volumes, *engine) if isinstance(v, Manifest)),
    )
    return made, tuple(v for v in (*volumes, *engine) if isinstance(v, str))


def _names_of_hosts(found: FoundSite) -> set[str]:
    """All names and addresses of all hosts, also those that only Gluster uses."""
    return {name for node, own in _known_as(found).items() for name in (node, *own, *_gluster_names(found, node))}


def _known_as(found: FoundSite) -> dict[str, set[str]]:
    """What an engine may call each host: the address that the user gave, and each that it has."""
    known = {}
    for node, facts in found.hosts.items():
        ports = facts.interfaces.value if isinstance(facts.interfaces, Known) else ()
        own = {str(i.ip) for port in ports for a in port.addresses if (i := _ipv4(a)) is not None}
        known[node] = {found.addresses[node], found.ips[node], *own}
    return known


def _site(found: FoundSite) -> Manifest:
    domain, remark = storage_domain(found)
    ssh = {"user": found.user, "port": found.port, "credentialsRef": {"name": "heretic-ssh"}}
    spec: dict[str, Any] = {"mode": Mode.OBSERVE.value, "ssh": ssh}
    if domain:
        spec["domains"] = {"storage": domain}
    namespace = f" --namespace {found.namespace}" if found.namespace else ""
    remarks = (
        "What runs already, as it was found; nothing is changed while the mode is Observe.",
        f"The SSH key goes into a Secret: kubectl create secret generic heretic-ssh{namespace} "
        "--type kubernetes.io/ssh-auth --from-file ssh-privatekey=FILE",
        *([remark] if remark else []),
    )
    return make("Site", found.namespace, found.site, spec, remarks)


def storage_domain(found: FoundSite) -> tuple[str, str]:
    """The domain in which Gluster knows the hosts.

    Returns:
        The domain, or "" with a remark when Gluster's names do not fit the names of the Nodes.
    """
    names = {node: sorted(_gluster_names(found, node)) for node in found.hosts}
    domains = Counter(
        n.removeprefix(f"{node}.") for node, own in names.items() for n in own if n.startswith(f"{node}.")
    )
    strangers = {node: own for node, own in names.items() if own and not any(n.startswith(f"{node}.") for n in own)}
    if strangers:
        said = "; ".join(f"{node} is {', '.join(own)}" for node, own in strangers.items())
        return "", f"ATTENTION: Gluster knows these hosts by names that are not NODE.DOMAIN: {said}. Name the Nodes so."
    return (domains.most_common(1)[0][0], "") if domains else ("", "")


def _gluster_names(found: FoundSite, node: str) -> set[str]:
    """All names by which other hosts and the volumes know a host."""
    own = found.hosts[node][MEMBER].uuid
    uuid = own.value if isinstance(own, Known) else ""
    names = {b.host for info in found.volumes.values() for b in info.bricks if node_of_brick(b, found.hosts) == node}
    for facts in found.hosts.values():
        peers = facts[MEMBER].peers
        for peer in peers.value if isinstance(peers, Known) else ():
            if uuid and peer.uuid == uuid:
                names |= set(peer.hostnames)
    return names


def _networks(found: FoundSite) -> Iterator[_Subnet]:
    gluster = {ip for node in found.hosts for name in _gluster_names(found, node) for ip in _ips_of(found, name)}
    subnets = list(_subnets(found))
    management = next((s for s in subnets if _has_all(s, found.ips)), None)
    others = [s for s in subnets if s is not management]
    carrier = next((s for s in others if any(ip in s.network for ip in gluster)), None)
    for subnet in subnets:
        role = NetworkRole.LAN
        remark = "Guessed: every host has an address here; correct the role or delete it."
        if subnet is management:
            role, remark = NetworkRole.MANAGEMENT, ""
        elif subnet is carrier:
            role, remark = NetworkRole.GLUSTER, ""
        elif len(others) == 1 and not gluster:
            role, remark = NetworkRole.GLUSTER, "Guessed: it is the only network beside the management network."
        yield _Subnet(subnet.network, subnet.members, subnet.mtu, role, remark)


def _subnets(found: FoundSite) -> Iterator[_Subnet]:
    members: dict[IPv4Network, dict[str, IPv4Address]] = {}
    mtus: dict[IPv4Network, list[int]] = {}
    for node, facts in found.hosts.items():
        for port in facts.interfaces.value if isinstance(facts.interfaces, Known) else ():
            for interface in map(_ipv4, port.addresses if not port.name.startswith(NOT_OF_THE_SITE) else ()):
                if interface is not None:
                    members.setdefault(interface.network, {}).setdefault(node, interface.ip)
                    mtus.setdefault(interface.network, []).append(port.mtu)
    for network, of in sorted(members.items()):
        if len(of) == len(found.hosts) == len(set(of.values())):
            yield _Subnet(network, of, min(mtus[network]))


def _ipv4(text: str) -> IPv4Interface | None:
    try:
        interface = IPv4Interface(text)
    except (AddressValueError, ValueError):
        return None
    usable = not interface.is_link_local and 8 <= interface.network.prefixlen <= 30
    return interface if usable else None


def _has_all(subnet: _Subnet, ips: Mapping[str, str]) -> bool:
    return all(ip and IPv4Address(ip) in subnet.network for ip in ips.values())


def _ips_of(found: FoundSite, name: str) -> Iterator[IPv4Address]:
    """The addresses of a name of Gluster, as far as the hosts' own files tell."""
    try:
        yield IPv4Address(name)
    except AddressValueError:
        for facts in found.hosts.values():
            file = facts.files.get(HOSTS_FILE)
            for line in file.value.content.splitlines() if isinstance(file, Known) else ():
                address, *names = line.partition("#")[0].split() or [""]
                known = _ipv4(f"{address}/24") if name in names else None
                if known is not None:
                    yield known.ip


def _named(subnets: Iterator[_Subnet]) -> dict[str, _Subnet]:
    named: dict[str, _Subnet] = {}
    for subnet in subnets:
        base = NETWORK_NAMES[subnet.role]
        free = [base, *(f"{base}{number}" for number in range(2, 100))]
        named[next(name for name in free if name not in named)] = subnet
    return named


def _network(found: FoundSite, name: str, subnet: _Subnet) -> Manifest:
    spec = {"role": subnet.role.value, "subnet": str(subnet.network), "mtu": max(1280, min(9216, subnet.mtu))}
    return make("Network", found.namespace, name, spec, (subnet.remark,) if subnet.remark else ())


def _node(found: FoundSite, name: str, networks: Mapping[str, _Subnet], *, hypervisor: bool) -> Manifest:
    spec: dict[str, Any] = {
        "address": found.addresses[name],
        "hostKeys": [found.host_keys[name]],
        "roles": ["Hypervisor", "Storage"] if hypervisor else ["Storage"],
    }
    if name in found.ports:
        spec["ssh"] = {"port": found.ports[name]}
    others = {n: s for n, s in networks.items() if s.role is not NetworkRole.MANAGEMENT}
    if others:
        spec["addresses"] = [{"network": n, "address": str(s.members[name])} for n, s in others.items()]
    if is_arbiter_only(name, found.volumes.values(), found.hosts):
        spec["arbiter"] = "Always"
    ids = _brick_disks(found, name)
    remarks: tuple[str, ...] = ()
    if ids:
        spec["disks"] = {"selection": "ById", "ids": ids}
    elif found.volumes:
        remarks = (f"{name}: no whole disk could be told that carries bricks; see spec.disks before mode Apply.",)
    return make("Node", found.namespace, name, spec, remarks)


def _brick_disks(found: FoundSite, name: str) -> list[str]:
    """Stable names of the disks that carry bricks, whatever lies between; not of one that carries the system."""
    facts = found.hosts[name]
    if not (isinstance(facts.disks, Known) and isinstance(facts.mounts, Known)):
        return []
    mounts = facts.mounts.value
    bricks = [b.path for v in found.volumes.values() for b in v.bricks if node_of_brick(b, found.hosts) == name]
    held = brick_mount_points(bricks, mounts)
    disks = [d for d in facts.disks.value if d.ids and carried(d, mounts, held)]
    return [d.ids[0] for d in disks if not carried(d, mounts, frozenset({"/"}))]

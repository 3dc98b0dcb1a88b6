"""Rules for what guards a host, and can shut its bricks off: multipath, firewall, SELinux, LVM's devices file."""

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import DiskSelection, Role
from heretic.domain.declared.names import inside, is_ipv4, storage_address
from heretic.domain.disks.brick import BRICK_ROOT
from heretic.domain.disks.candidates import is_local
from heretic.domain.disks.hidden import hidden_volumes
from heretic.domain.disks.identity import meant
from heretic.domain.disks.ownership import judge as judge_disks
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host import profiles
from heretic.domain.host.facts import Disk, FirewallZone
from heretic.domain.host.rule import Host, Item, unseen, write_file
from heretic.domain.host.steps import AddToDevicesFile, LabelBricks, OpenFirewall
from heretic.domain.node import texts
from heretic.domain.node.ports import Ranges, common, ports_of, union, words
from heretic.domain.node.zones import Verdict, judge, zones_of
from heretic.domain.plan import Blocked, Wait

FIREWALL_SERVICES = ("glusterfs",)
FIREWALL_PORTS = ("49152-60999/tcp",)
"""Gluster 10 and later give bricks random ports up to 60999 (glusterd.vol max-port); firewalld's service ends at
49664."""
GLUSTERD_PORT = ((24007, 24007),)
BRICK_PORTS = ports_of(FIREWALL_PORTS)

BRICK_PATTERN = f"{BRICK_ROOT}(/.*)?"
BRICK_LABEL = "glusterd_brick_t"


def multipath(host: Host) -> Iterator[Item]:
    """Keeps multipath from local disks that bricks lie or may lie on; never flushes a map (rule:multipath-off-bricks).

    multipathd itself drops a map that nothing uses once its disk is excluded, and keeps one that is in use.
    """
    services, disks = host.facts.services, host.facts.disks
    if not host.stores:
        return
    if not isinstance(services, Known) or not isinstance(disks, Known):
        if isinstance(services, Unknown):
            yield unseen(host.facts, "whether multipath runs", services)
        return
    daemon = services.value.get(profiles.MULTIPATHD)
    if daemon is None or daemon.active != "active":
        return
    yield from write_file(
        host,
        profiles.MULTIPATH_EXCLUSION,
        lambda old: texts.multipath_exclusion(old, [d for d in disks.value if excluded_from_multipath(host.node, d)]),
        "multipath must leave local disks of bricks alone",
        reader=profiles.MULTIPATHD,
        tell=(("systemctl", "reload", profiles.MULTIPATHD),),
    )


def excluded_from_multipath(node: Node, disk: Disk) -> bool:
    """Whether multipath must leave a disk alone: it carries bricks, or the spec lets it carry some.

    With selection Auto that is a map of one path to a disk in this machine; what comes over a fabric stays
    multipath's.
    """
    if disk.volume_group and any(record.use and meant((disk,), record) for record in node.status.disks):
        return True
    if node.spec.disks.selection is DiskSelection.BY_ID:
        return any(name in node.spec.disks.ids for name in disk.ids)
    return disk.multipath and is_local(disk)


def firewall(host: Host) -> Iterator[Item]:
    """Lets Gluster through where firewalld runs; any other packet filter is left to its owner.

    What counts is whether the packets of the other nodes pass, however that is written. What firewalld would call
    enabled already is never asked of it.
    """
    zones = host.facts.firewall
    if not host.stores or isinstance(zones, Absent):
        return
    if isinstance(zones, Unknown):
        yield unseen(host.facts, "its firewall", zones)
        return
    place = _storage_port(host)
    if isinstance(place, Wait):
        yield place
        return
    interface, own = place
    closed: dict[FirewallZone, Ranges] = {}
    for source in _others(host, own):
        judges = zones_of(zones.value, interface, source)
        if not judges:
            yield Wait(Reason.NOT_OBSERVED, f"{host.name}: firewalld names no default zone")
            return
        for zone in judges:
            verdict = judge(zone, source, IPv4Network(own.ip), union(GLUSTERD_PORT + BRICK_PORTS))
            closed[zone] = union((*closed.get(zone, ()), *verdict.closed))
            if verdict.refused:
                yield _refused(host, zone, source, verdict)
                return
    for zone, ports in closed.items():
        if ports:
            yield OpenFirewall(
                host=host.name,
                why=f"zone {zone.name} of firewalld does not let Gluster through: {words(ports)} is closed",
                zone=zone.name,
                services=FIREWALL_SERVICES if common(ports, GLUSTERD_PORT) else (),
                ports=FIREWALL_PORTS if common(ports, BRICK_PORTS) else (),
            )


def _refused(host: Host, zone: FirewallZone, source: IPv4Network, verdict: Verdict) -> Blocked:
    return Blocked(
        Reason.FIREWALL_REFUSES,
        f"{host.name}: zone {zone.name} of firewalld refuses {words(verdict.refused)} from {source}, which Gluster "
        f"needs, by the rule '{verdict.rule}'. Opening ports does not help against it: remove the rule with "
        f"`firewall-cmd --permanent --zone={zone.name} --remove-rich-rule=...` and `firewall-cmd --reload`, or "
        "accept the storage network with a lower priority",
    )


def _storage_port(host: Host) -> tuple[str, IPv4Interface] | Wait:
    """The interface that has the storage address, and the address with its prefix."""
    address, interfaces = storage_address(host.view, host.node), host.facts.interfaces
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


def _others(host: Host, own: IPv4Interface) -> list[IPv4Network]:
    """Who must reach Gluster here: the other nodes; as long as there are none, the network of the address."""
    found = []
    for name, node in sorted(host.view.nodes.items()):
        address = storage_address(host.view, node)
        peer = Role.STORAGE in node.spec.roles or inside(address, str(own.network))
        if name != host.name and peer and node.metadata.deletion_timestamp is None and is_ipv4(address):
            found.append(IPv4Network(address))
    return found or [own.network]


def selinux(host: Host) -> Iterator[Item]:
    """Gives bricks their label where the platform profile knows SELinux."""
    contexts = host.profile.selinux_contexts
    if not host.stores or not contexts or host.facts.selinux == Known("disabled"):
        return
    file = host.facts.files.get(contexts, NOT_OBSERVED)
    if isinstance(host.facts.selinux, Unknown):
        yield unseen(host.facts, "SELinux", host.facts.selinux)
    elif isinstance(file, Unknown):
        yield unseen(host.facts, contexts, file)
    elif not (isinstance(file, Known) and f"{BRICK_PATTERN} " in file.value.content):
        yield LabelBricks(
            host=host.name,
            why=f"SELinux has no rule for {BRICK_PATTERN}",
            pattern=BRICK_PATTERN,
            label=BRICK_LABEL,
            contexts=contexts,
        )


def devices_file(host: Host) -> Iterator[Item]:
    """Physical volumes of bricks must be in LVM's devices file, or the next boot has no bricks (rule:devices-file)."""
    file = host.facts.files.get(profiles.LVM_DEVICES_FILE, NOT_OBSERVED)
    if isinstance(file, Unknown):
        yield unseen(host.facts, profiles.LVM_DEVICES_FILE, file)
        return
    hidden = hidden_volumes(host.facts)
    if not hidden:
        return
    ours = {g.disk.path: g.disk for g in judge_disks(host.node, host.view, host.facts).groups.values()}
    for volume in hidden:
        if disk := ours.get(volume.device):
            yield AddToDevicesFile(
                host=host.name,
                why=f"{volume.device} with {volume.group} is not in {profiles.LVM_DEVICES_FILE}",
                device=disk.device or disk.path,
                group=volume.group,
            )

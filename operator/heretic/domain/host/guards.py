"""Rules for what guards a host, and can shut its bricks off: multipath, firewall, SELinux, LVM's devices file."""

from collections.abc import Iterator

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import DiskSelection
from heretic.domain.disks.brick import BRICK_ROOT
from heretic.domain.disks.candidates import is_ours
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host import profiles, texts
from heretic.domain.host.facts import Disk, FirewallZone, HostFacts, PhysicalVolume
from heretic.domain.host.rule import Host, Item, unseen, write_file
from heretic.domain.host.steps import AddToDevicesFile, LabelBricks, OpenFirewall
from heretic.domain.plan import Wait
from heretic.domain.site.names import storage_address

FIREWALL_SERVICES = ("glusterfs",)
FIREWALL_PORTS = ("49152-60999/tcp",)
"""Gluster 10 and later give bricks random ports up to 60999 (glusterd.vol max-port); firewalld's service ends at
49664."""

BRICK_PATTERN = f"{BRICK_ROOT}(/.*)?"
BRICK_LABEL = "glusterd_brick_t"


def multipath(host: Host) -> Iterator[Item]:
    """Keeps multipath from local disks that bricks lie on or may lie on; never flushes a map (domain §5 item 23).

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
    if is_ours(disk):
        return True
    if node.spec.disks.selection is DiskSelection.BY_ID:
        return any(name in node.spec.disks.ids for name in disk.ids)
    return disk.multipath and disk.transport in ("", "sata", "ata", "sas", "nvme", "virtio", "spi")


def firewall(host: Host) -> Iterator[Item]:
    """Opens Gluster's ports where firewalld runs; any other packet filter is left to its owner."""
    zones = host.facts.firewall
    if not host.stores or isinstance(zones, Absent):
        return
    if isinstance(zones, Unknown):
        yield unseen(host.facts, "its firewall", zones)
        return
    zone = _storage_zone(host, zones.value)
    if zone is None:
        yield Wait(Reason.NOT_OBSERVED, f"{host.name}: firewalld names no default zone")
        return
    services = tuple(s for s in FIREWALL_SERVICES if s not in zone.services)
    ports = tuple(p for p in FIREWALL_PORTS if p not in zone.ports)
    if services or ports:
        yield OpenFirewall(
            host=host.name,
            why=f"zone {zone.name} of firewalld does not let Gluster through",
            zone=zone.name,
            services=services,
            ports=ports,
        )


def _storage_zone(host: Host, zones: tuple[FirewallZone, ...]) -> FirewallZone | None:
    """The zone of the interface that has the storage address, else the default one."""
    address = storage_address(host.view, host.node)
    ports: set[str] = set()
    if isinstance(host.facts.interfaces, Known):
        for interface in host.facts.interfaces.value:
            if any(a.partition("/")[0] == address for a in interface.addresses):
                ports.add(interface.name)
    return next((z for z in zones if z.interfaces & ports), next((z for z in zones if z.default), None))


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
    """Physical volumes of bricks must be in LVM's devices file, or the next boot has no bricks (domain §5 6-7)."""
    file, disks = host.facts.files.get(profiles.LVM_DEVICES_FILE, NOT_OBSERVED), host.facts.disks
    if isinstance(file, Unknown):
        yield unseen(host.facts, profiles.LVM_DEVICES_FILE, file)
        return
    ours = {disk.path: disk for disk in disks.value if is_ours(disk)} if isinstance(disks, Known) else {}
    for volume in hidden_volumes(host.facts):
        if disk := ours.get(volume.device):
            yield AddToDevicesFile(
                host=host.name,
                why=f"{volume.device} with {volume.group} is not in {profiles.LVM_DEVICES_FILE}",
                device=disk.device or disk.path,
                group=volume.group,
            )


def hidden_volumes(facts: HostFacts) -> tuple[PhysicalVolume, ...]:
    """Physical volumes that LVM does not see because its devices file lacks them.

    Without that file LVM sees every device, and making one would hide all others: then nothing is hidden.
    """
    file, volumes = facts.files.get(profiles.LVM_DEVICES_FILE, NOT_OBSERVED), facts.physical_volumes
    if not isinstance(file, Known) or not isinstance(volumes, Known):
        return ()
    return tuple(v for v in volumes.value if f"PVID={v.uuid.replace('-', '')}" not in file.value.content)

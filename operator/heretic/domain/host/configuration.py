"""What the configuration of a host still lacks: one small rule a subject, each from facts to steps.

A rule that meets an Unknown says so and plans nothing; the others go on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import DiskSelection, Role
from heretic.domain.disks.brick import BRICK_ROOT
from heretic.domain.disks.candidates import is_ours
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host import profiles, texts
from heretic.domain.host.facts import Disk, FirewallZone, HostFacts, Service
from heretic.domain.host.health import write_obstacle
from heretic.domain.host.profiles import Profile, profile_of
from heretic.domain.host.steps import (
    PACKAGE_JOB,
    AddToDevicesFile,
    EnableService,
    InstallPackages,
    LabelBricks,
    OpenFirewall,
    WriteFile,
)
from heretic.domain.plan import Blocked, Step, Wait
from heretic.domain.site.names import peer_name, storage_address
from heretic.domain.site.view import SiteView

JOB_PAUSE = 60.0
"""Seconds after a failed installation until it is tried again."""
_JOB_POLL = 5.0

FIREWALL_SERVICES = ("glusterfs",)
FIREWALL_PORTS = ("49152-60999/tcp",)
"""Gluster 10 and later give bricks random ports up to 60999 (glusterd.vol max-port); firewalld's service ends at
49664."""

BRICK_PATTERN = f"{BRICK_ROOT}(/.*)?"
BRICK_LABEL = "glusterd_brick_t"

Item = Step | Wait | Blocked


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a Node's plan.

    Attributes:
        steps: In order.
        obstacles: What stays in the way of the rest.
    """

    steps: tuple[Step, ...] = ()
    obstacles: tuple[Wait | Blocked, ...] = ()


@dataclass(frozen=True, slots=True)
class Host:
    """What every rule looks at."""

    node: Node
    view: SiteView
    facts: HostFacts
    profile: Profile

    @property
    def name(self) -> str:
        """Name of the Node."""
        return self.node.metadata.name

    @property
    def stores(self) -> bool:
        """Whether the host carries bricks."""
        return Role.STORAGE in self.node.spec.roles


def plan_configuration(node: Node, view: SiteView, facts: HostFacts) -> Part:
    """Plans what makes a host ready to carry storage, without touching its disks.

    Packages come first and alone, together with the names of the peers: the other files belong to programs that
    are not there before.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of the host.
    """
    profile = known_profile(facts)
    if isinstance(profile, Wait | Blocked):
        return Part(obstacles=(profile,))
    if obstacle := write_obstacle(facts):
        return Part(obstacles=(obstacle,))
    host = Host(node, view, facts, profile)
    items = [*_hosts_file(host), *(found := list(_packages(host)))]
    if not found:
        items += [item for rule in _RULES for item in rule(host)]
    steps = tuple(item for item in items if isinstance(item, Step))
    return Part(steps, tuple(item for item in items if isinstance(item, Wait | Blocked)))


def known_profile(facts: HostFacts) -> Profile | Wait | Blocked:
    """The host's platform profile, or why there is none."""
    if not isinstance(facts.os, Known):
        return _unseen(facts, "its operating system", facts.os)
    profile = profile_of(facts.os.value)
    if isinstance(profile, Blocked):
        return Blocked(profile.reason, f"{facts.host}: {profile.message}")
    return profile


def _unseen(facts: HostFacts, what: str, fact: Absent | Unknown) -> Wait:
    cause = fact.cause if isinstance(fact, Unknown) else "there is none"
    return Wait(Reason.NOT_OBSERVED, f"{facts.host}: {what} is not known: {cause}")


def _packages(host: Host) -> Iterator[Item]:
    """Missing packages are installed by a detached job, which later passes watch."""
    installed, jobs = host.facts.packages, host.facts.jobs
    if not isinstance(installed, Known):
        yield _unseen(host.facts, "what is installed", installed)
        return
    missing = tuple(p for p in host.profile.packages(host.node.spec.roles) if p not in installed.value)
    if not missing:
        return
    if not isinstance(jobs, Known):
        yield _unseen(host.facts, "whether an installation runs", jobs)
        return
    job = jobs.value.get(PACKAGE_JOB)
    if job is not None and job.active in ("active", "activating", "deactivating"):
        yield Wait(Reason.WORK_IN_PROGRESS, f"{host.name}: installing {', '.join(missing)}", _JOB_POLL)
        return
    if holder := host.facts.package_lock.value if isinstance(host.facts.package_lock, Known) else "":
        yield Wait(
            Reason.PACKAGE_MANAGER_LOCKED,
            f"{host.name}: {', '.join(missing)} must be installed, but {holder} holds the package manager's lock",
        )
        return
    if job is not None and job.active == "failed":
        pause = JOB_PAUSE if job.seconds is None else max(0.0, JOB_PAUSE - job.seconds)
        yield Wait(
            Reason.PACKAGE_INSTALL_FAILED,
            f"{host.name}: installing {', '.join(missing)} failed; it is tried again every {JOB_PAUSE:.0f} s. "
            f"`journalctl -u {PACKAGE_JOB}` on the host says why; {host.profile.install_hint}",
            max(pause, _JOB_POLL),
        )
        if job.seconds is not None and job.seconds < JOB_PAUSE:
            return
    yield InstallPackages(
        host=host.name,
        why=f"{', '.join(missing)} not installed",
        packages=missing,
        repair=host.profile.repair,
        install=host.profile.install,
        query=host.profile.query,
    )


def _write(
    host: Host,
    path: str,
    content: Callable[[str], str],
    why: str,
    *,
    reader: str = "",
    tell: tuple[str, ...] = (),
) -> Iterator[Item]:
    """Writes a file unless it is as it should be and its reader knows.

    Args:
        host: The host.
        path: Of the file.
        content: Makes the new content from the present one, "" where there is none.
        why: What is declared.
        reader: The service that must be told.
        tell: How.
    """
    file = host.facts.files.get(path, NOT_OBSERVED)
    if isinstance(file, Unknown):
        yield _unseen(host.facts, path, file)
        return
    old = file.value.content if isinstance(file, Known) else ""
    new = content(old)
    marked = isinstance(host.facts.reloads, Known) and reader in host.facts.reloads.value
    if new == old and not marked and (isinstance(file, Known) or not new):
        return
    yield WriteFile(
        host=host.name,
        why=f"{path} {'may not have been read' if new == old else 'differs'}: {why}",
        path=path,
        content=new,
        mode=file.value.mode if isinstance(file, Known) else "0644",
        replaces_sha256=file.value.sha256 if isinstance(file, Known) else "",
        reader=reader,
        tell=tell,
    )


def _hosts_file(host: Host) -> Iterator[Item]:
    """Peers are known by names that every node resolves alike (domain §2.8)."""
    declared: dict[str, str] = {}
    for name, node in sorted(host.view.nodes.items()):
        if Role.STORAGE not in node.spec.roles:
            continue
        address = storage_address(host.view, node)
        if not _is_address(address):
            yield Blocked(
                Reason.INVALID_SPEC,
                f"{host.name}: the storage address of node {name} is the name {address}; give its IP address in "
                "spec.addresses, in the Network of role Gluster, so that every node resolves it alike",
            )
            continue
        declared[peer_name(host.view, name)] = address
    peers = host.facts.peers
    in_pool: frozenset[str] | None = frozenset()
    if isinstance(peers, Known):
        in_pool = frozenset(hostname for peer in peers.value for hostname in peer.hostnames)
    elif isinstance(peers, Unknown):
        in_pool = None

    def content(old: str) -> str:
        return texts.with_block(old, texts.hosts_lines(declared, texts.block_lines(old), in_pool), first=True)

    yield from _write(host, profiles.HOSTS, content, "names of the storage nodes")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _glusterd_order(host: Host) -> Iterator[Item]:
    if host.stores:
        yield from _write(
            host,
            profiles.GLUSTERD_DROP_IN,
            lambda _: texts.GLUSTERD_DROP_IN,
            "glusterd starts after the network and its names",
            reader="systemd",
            tell=("systemctl", "daemon-reload"),
        )


def _thin_profile(host: Host) -> Iterator[Item]:
    if host.stores:
        why = f"thin pools grow at {texts.AUTOEXTEND_THRESHOLD} %"
        yield from _write(host, profiles.THIN_PROFILE_FILE, lambda _: texts.THIN_PROFILE, why)


def _time_servers(host: Host) -> Iterator[Item]:
    """Time servers of the Site; without any, what the distribution configured is all there is."""
    if host.view.site is None:
        return
    servers = host.view.site.spec.time_servers

    def content(old: str) -> str:
        if host.profile.time_file_shared:
            return texts.with_block(old, texts.time_lines(servers), first=False)
        return texts.time_file(servers) if servers or old else ""

    yield from _write(
        host,
        host.profile.time_file,
        content,
        f"time servers {', '.join(servers) or 'of the distribution only'}",
        reader=host.profile.time_service,
        tell=("systemctl", "restart", host.profile.time_service),
    )


def _multipath(host: Host) -> Iterator[Item]:
    """Keeps multipath from local disks that bricks lie on or may lie on; never flushes a map (domain §5 item 23).

    multipathd itself drops a map that nothing uses once its disk is excluded, and keeps one that is in use.
    """
    services, disks = host.facts.services, host.facts.disks
    if not host.stores:
        return
    if not isinstance(services, Known) or not isinstance(disks, Known):
        if isinstance(services, Unknown):
            yield _unseen(host.facts, "whether multipath runs", services)
        return
    daemon = services.value.get(profiles.MULTIPATHD)
    if daemon is None or daemon.active != "active":
        return
    yield from _write(
        host,
        profiles.MULTIPATH_EXCLUSION,
        lambda old: texts.multipath_exclusion(old, [d for d in disks.value if excluded_from_multipath(host.node, d)]),
        "multipath must leave local disks of bricks alone",
        reader=profiles.MULTIPATHD,
        tell=("systemctl", "reload", profiles.MULTIPATHD),
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


def _firewall(host: Host) -> Iterator[Item]:
    """Opens Gluster's ports where firewalld runs; any other packet filter is left to its owner."""
    zones = host.facts.firewall
    if not host.stores or isinstance(zones, Absent):
        return
    if isinstance(zones, Unknown):
        yield _unseen(host.facts, "its firewall", zones)
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


def _selinux(host: Host) -> Iterator[Item]:
    contexts = host.profile.selinux_contexts
    if not host.stores or not contexts or host.facts.selinux == Known("disabled"):
        return
    file = host.facts.files.get(contexts, NOT_OBSERVED)
    if isinstance(host.facts.selinux, Unknown):
        yield _unseen(host.facts, "SELinux", host.facts.selinux)
    elif isinstance(file, Unknown):
        yield _unseen(host.facts, contexts, file)
    elif not (isinstance(file, Known) and f"{BRICK_PATTERN} " in file.value.content):
        yield LabelBricks(
            host=host.name,
            why=f"SELinux has no rule for {BRICK_PATTERN}",
            pattern=BRICK_PATTERN,
            label=BRICK_LABEL,
            contexts=contexts,
        )


def _devices_file(host: Host) -> Iterator[Item]:
    """Physical volumes of bricks must be in LVM's devices file, or the next boot has no bricks (domain §5 6-7).

    Without that file LVM sees every device, and making one would hide all others: then there is nothing to do.
    """
    file = host.facts.files.get(profiles.LVM_DEVICES_FILE, NOT_OBSERVED)
    volumes, disks = host.facts.physical_volumes, host.facts.disks
    if isinstance(file, Unknown):
        yield _unseen(host.facts, profiles.LVM_DEVICES_FILE, file)
        return
    if not isinstance(file, Known) or not isinstance(volumes, Known) or not isinstance(disks, Known):
        return
    ours = {disk.path: disk for disk in disks.value if is_ours(disk)}
    for volume in volumes.value:
        if volume.device in ours and f"PVID={volume.uuid.replace('-', '')}" not in file.value.content:
            yield AddToDevicesFile(
                host=host.name,
                why=f"{volume.device} with {volume.group} is not in {profiles.LVM_DEVICES_FILE}",
                device=ours[volume.device].device or volume.device,
                group=volume.group,
            )


def _services(host: Host) -> Iterator[Item]:
    services = host.facts.services
    if not isinstance(services, Known):
        yield _unseen(host.facts, "its services", services)
        return
    for name in host.profile.services(host.node.spec.roles):
        yield from _service(host, name, services.value.get(name))


def _service(host: Host, name: str, unit: Service | None) -> Iterator[Item]:
    if unit is None or unit.load == "not-found":
        yield Wait(Reason.SERVICE_FAILED, f"{host.name}: there is no {name} although its package is installed")
    elif unit.load == "masked":
        yield Blocked(
            Reason.SERVICE_FAILED,
            f"{host.name}: {name} is masked; somebody did that on purpose. `systemctl unmask {name}` on the host",
        )
    elif unit.active == "activating":
        yield Wait(Reason.WORK_IN_PROGRESS, f"{host.name}: {name} is starting", _JOB_POLL)
    elif unit.active != "active" or unit.enabled != "enabled":
        if unit.active == "failed":
            yield Wait(
                Reason.SERVICE_FAILED,
                f"{host.name}: {name} failed ({unit.result or 'no result'}, {unit.restarts} restarts); it is "
                f"started again. `journalctl -u {name}` on the host says why",
            )
        yield EnableService(host=host.name, why=f"{name} is {unit.active} and {unit.enabled}", service=name)


_RULES: tuple[Callable[[Host], Iterator[Item]], ...] = (
    _glusterd_order,
    _thin_profile,
    _time_servers,
    _multipath,
    _firewall,
    _selinux,
    _devices_file,
    _services,
)

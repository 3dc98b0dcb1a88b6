"""What the configuration of a host still lacks: one small rule a subject, each from facts to steps.

A rule that meets an Unknown says so and plans nothing; the others go on.
"""

from collections.abc import Iterator, Sequence

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import Role
from heretic.domain.declared.names import is_ipv4, peer_name, storage_address
from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.hidden import devices_file
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.host import profiles
from heretic.domain.host.facts import HostFacts, Service
from heretic.domain.host.feature import Feature, chosen
from heretic.domain.host.health import write_obstacle
from heretic.domain.host.profiles import Profile, profile_of
from heretic.domain.host.rule import HostContext, Part, unseen, write_file
from heretic.domain.host.steps import PACKAGE_JOB, EnableService, InstallPackages
from heretic.domain.jobs import FailedJob, NeverRan, Running, told
from heretic.domain.node import guards, texts
from heretic.domain.plan import Blocked, PlanItem, Wait, told_apart
from heretic.domain.pool.member import MEMBER

JOB_PAUSE = 60.0
"""Seconds after a failed installation until it is tried again."""
_JOB_POLL = 5.0


def plan_configuration(node: Node, view: SiteView, facts: HostFacts, features: Sequence[Feature]) -> Part:
    """Plans what makes a host ready for its roles, without touching its disks.

    Packages come first and alone, together with the names of the peers: the other files belong to programs that
    are not there before.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of the host.
        features: What the roles of Nodes need.
    """
    name = node.metadata.name
    return _PLANNED.of(view, lambda: _configuration(node, view, facts, features), node, facts, features, name=name)


_PLANNED = PerView[Part]()
"""The plan of a Node and its report both ask for it."""


def _configuration(node: Node, view: SiteView, facts: HostFacts, features: Sequence[Feature]) -> Part:
    profile = known_profile(facts)
    if isinstance(profile, Wait | Blocked):
        return Part(obstacles=(profile,))
    if obstacle := write_obstacle(facts):
        return Part(obstacles=(obstacle,))
    host = HostContext(node, view, facts, profile)
    own = [feature for feature in chosen(features, node.spec.roles) if feature.wanted(view)]
    # First of all, because a boot without it has no bricks: an engine that installs a host may take their disks out.
    # Bricks may still be there when the role that brought them was taken away.
    items = [*devices_file(host), *_hosts_file(host), *(found := list(_packages(host, own)))]
    if not found:
        items += _files_and_services(host, own)
    return Part(*told_apart(items))


def known_profile(facts: HostFacts) -> Profile | Wait | Blocked:
    """The host's platform profile, or why there is none."""
    if not isinstance(facts.os, Known):
        return unseen(facts, "its operating system", facts.os)
    profile = profile_of(facts.os.value)
    if isinstance(profile, Blocked):
        return Blocked(profile.reason, f"{facts.host}: {profile.message}")
    return profile


def _files_and_services(host: HostContext, features: Sequence[Feature]) -> Iterator[PlanItem]:
    """What comes once all programs are there."""
    for feature in features:
        for rule in feature.rules:
            yield from rule(host)
    yield from _time_servers(host)
    for feature in features:
        yield from guards.firewall(host, feature)
    for feature in features:
        yield from guards.selinux(host, feature.contexts)
    yield from _services(host, features)


def _packages(host: HostContext, features: Sequence[Feature]) -> Iterator[PlanItem]:
    """Missing packages are installed by a detached job, which later passes watch."""
    installed, jobs = host.facts.packages, host.facts.jobs
    if not isinstance(installed, Known):
        yield unseen(host.facts, "what is installed", installed)
        return
    profile = host.profile
    wanted = (*profile.base_packages, *(p for f in features for p in f.packages_on(profile)))
    missing = tuple(p for p in dict.fromkeys(wanted) if p not in installed.value)
    if not missing:
        return
    if not isinstance(jobs, Known):
        yield unseen(host.facts, "whether an installation runs", jobs)
        return
    job = jobs.value.get(PACKAGE_JOB, NeverRan())
    if isinstance(job, Running):
        stage = f" ({job.stage})" if job.stage else ""
        yield Wait(Reason.WORK_IN_PROGRESS, f"{host.name}: installing {', '.join(missing)}{stage}", _JOB_POLL)
        return
    if holder := host.facts.package_lock.value if isinstance(host.facts.package_lock, Known) else "":
        yield Wait(
            Reason.PACKAGE_MANAGER_LOCKED,
            f"{host.name}: {', '.join(missing)} must be installed, but {holder} holds the package manager's lock",
        )
        return
    if isinstance(job, FailedJob):
        pause = JOB_PAUSE if job.seconds is None else max(0.0, JOB_PAUSE - job.seconds)
        yield Wait(
            Reason.PACKAGE_INSTALL_FAILED,
            f"{host.name}: installing {', '.join(missing)} {told(job)}; it is tried again every {JOB_PAUSE:.0f} s. "
            f"`journalctl -u {PACKAGE_JOB}` on the host says more; {host.profile.install_hint}",
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


def _hosts_file(host: HostContext) -> Iterator[PlanItem]:
    """Peers are known by names that every node resolves alike (rule:stable-peer-names)."""
    declared: dict[str, str] = {}
    has: dict[str, set[str]] = {}
    for name, node in sorted(host.view.nodes.items()):
        if Role.STORAGE not in node.spec.roles:
            continue
        address = storage_address(host.view, node)
        if not is_ipv4(address):
            is_what = "of IPv6" if ":" in address else "a name, which not every node may resolve alike"
            yield Blocked(
                Reason.INVALID_SPEC,
                f"{host.name}: the storage address of node {name}, {address}, is {is_what}; "
                "give its IP address in spec.addresses, in the Network of role Gluster, which is of IPv4",
            )
            continue
        declared[peer_name(host.view, name)] = address
        has[peer_name(host.view, name)] = {a.partition("/")[0] for i in node.status.interfaces for a in i.addresses}
    peers = host.facts[MEMBER].peers
    in_pool: frozenset[str] | None = frozenset()
    if isinstance(peers, Known):
        in_pool = frozenset(hostname for peer in peers.value for hostname in peer.hostnames)
    elif isinstance(peers, Unknown):
        in_pool = None

    def content(old: str) -> str:
        lines = texts.block_lines(old)
        there = texts.followed(declared, lines, has)
        return texts.with_block(old, texts.hosts_lines(there, lines, in_pool), first=True)

    yield from write_file(host, profiles.HOSTS, content, "names of the storage nodes")


def _time_servers(host: HostContext) -> Iterator[PlanItem]:
    """Time servers of the Site; without any, what the distribution configured is all there is."""
    if host.view.site is None:
        return
    servers = host.view.site.spec.time_servers

    def content(old: str) -> str:
        if host.profile.time_file_shared:
            return texts.with_block(old, texts.time_lines(servers), first=False)
        return texts.time_file(servers) if servers or old else ""

    yield from write_file(
        host,
        host.profile.time_file,
        content,
        f"time servers {', '.join(servers) or 'of the distribution only'}",
        reader=host.profile.time_service,
        tell=(("systemctl", "restart", host.profile.time_service),),
    )


def _services(host: HostContext, features: Sequence[Feature]) -> Iterator[PlanItem]:
    services = host.facts.services
    if not isinstance(services, Known):
        yield unseen(host.facts, "its services", services)
        return
    for name in (host.profile.time_service, *(name for feature in features for name in feature.services)):
        yield from _service(host, name, services.value.get(name))


def _service(host: HostContext, name: str, unit: Service | None) -> Iterator[PlanItem]:
    if unit is None or unit.load == "not-found":
        yield Wait(Reason.SERVICE_FAILED, f"{host.name}: there is no {name} although its package is installed")
    elif unit.load == "masked":
        yield Blocked(
            Reason.SERVICE_FAILED,
            f"{host.name}: {name} is masked; somebody did that on purpose. `systemctl unmask {name}` on the host",
        )
    elif unit.active == "activating" and unit.sub == "auto-restart":
        yield Wait(
            Reason.SERVICE_FAILED,
            f"{host.name}: {name} failed ({unit.result or 'no result'}, {unit.restarts} restarts); systemd starts it "
            f"again by itself. `journalctl -u {name}` on the host says why",
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

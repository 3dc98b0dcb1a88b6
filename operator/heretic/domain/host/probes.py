"""Everything that one pass asks a host: one static batch, the same on every platform, one round trip.

Nothing here depends on what the host is: what it does not have answers "not installed", and that is a fact too.
"""

from collections.abc import Callable, Mapping

from heretic.domain.commands import Output, Probe
from heretic.domain.disks.brick import BRICK_ROOT
from heretic.domain.facts import Fact, Known
from heretic.domain.gluster.parse.peers import parse_peers, parse_uuid
from heretic.domain.host import profiles
from heretic.domain.host.facts import FileContent, HostFacts, Service
from heretic.domain.host.inventory import take_disks, with_filesystems
from heretic.domain.host.parse import ip, lvm, packages, protection, storage, system, systemd
from heretic.domain.host.parse.files import parse_file, parse_text
from heretic.domain.host.parse.links import parse_links
from heretic.domain.host.parse.lsblk import COLUMNS, parse_lsblk
from heretic.domain.host.parse.reading import read
from heretic.domain.host.parse.signatures import parse_signatures

FILES = (
    profiles.HOSTS,
    profiles.GLUSTERD_DROP_IN,
    profiles.THIN_PROFILE_FILE,
    profiles.MULTIPATH_EXCLUSION,
    profiles.LVM_DEVICES_FILE,
    *(profile.time_file for profile in profiles.PROFILES),
    *(profile.selinux_contexts for profile in profiles.PROFILES if profile.selinux_contexts),
)
"""Files that Heretic writes or whose content decides what it does."""

PACKAGES = tuple(sorted({name for p in profiles.PROFILES for name in (*p.base_packages, *p.storage_packages)}))
JOB_PREFIX = "heretic-"
RELOADS = "/run/heretic/reload"
"""Folder in memory of marks "written, but perhaps not read by the service yet" (see host/steps.py)."""

_SERVICES = (profiles.GLUSTERD, profiles.MULTIPATHD, *(profile.time_service for profile in profiles.PROFILES))
_UNIT_PATTERNS = (f"{JOB_PREFIX}*.service", f"{BRICK_ROOT.strip('/')}-*.mount")

_NO_FOLDER = 2
"""``ls`` on a folder that does not exist."""
_NO_ANSWER = Output(255, "", "it was not asked")


def _whole(what: str) -> Callable[[Output], Fact[object]]:
    """For a probe whose answer means something only together with another's: assemble() reads both."""

    def parse(output: Output) -> Fact[object]:
        return read(output, what, str.strip)

    return parse


def _file(path: str) -> Probe[object]:
    return Probe(f"file:{path}", ("@file", path), lambda output: parse_file(output, path))


def _text(name: str, path: str, *, lasting: bool = False) -> Probe[object]:
    return Probe(name, ("@file", path), lambda output: parse_text(output, path), lasting=lasting)


HOST_PROBES: tuple[Probe[object], ...] = (
    _text("os-release", "/etc/os-release", lasting=True),
    Probe("kernel", ("uname", "-r"), _whole("uname"), lasting=True),
    Probe("cpu", ("lscpu", "-J"), system.parse_cpu, lasting=True),
    Probe("memory", ("@file", "/proc/meminfo"), system.parse_memory, lasting=True),
    _text("boot-id", "/proc/sys/kernel/random/boot_id"),
    Probe("uptime", ("@file", "/proc/uptime"), system.parse_uptime),
    Probe("clock", ("date", "+%s.%N"), _whole("date")),
    Probe("time-sync", ("chronyc", "-c", "tracking"), _whole("chronyc")),
    Probe("free", ("stat", "-f", "-c", "%S %a", "/", "/var"), system.parse_free),
    Probe("selinux", ("@file", "/sys/fs/selinux/enforce"), system.parse_selinux, lasting=True),
    Probe("lsblk", ("lsblk", "-J", "-b", "-o", COLUMNS), parse_lsblk),
    Probe("links", ("@links",), parse_links, lasting=True),
    Probe("signatures", ("@signatures",), parse_signatures, timeout=30, lasting=True),
    Probe("pvs", lvm.PVS, lvm.parse_pvs, timeout=30, lasting=True),
    Probe("vgs", lvm.VGS, lvm.parse_vgs, timeout=30),
    Probe("lvs", lvm.LVS, lvm.parse_lvs, timeout=30),
    Probe("mounts", storage.FINDMNT, storage.parse_mounts),
    Probe("bricks", ("@bricks",), storage.parse_bricks),
    Probe("interfaces", ("ip", "-d", "-j", "addr"), ip.parse_interfaces),
    Probe("speeds", ip.SPEEDS, ip.parse_speeds, lasting=True),
    Probe("dpkg", (*packages.DPKG, *PACKAGES), packages.parse_dpkg, lasting=True),
    Probe("rpm", (*packages.RPM, *PACKAGES), packages.parse_rpm, lasting=True),
    Probe("package-locks", protection.LOCKS, protection.parse_locks),
    Probe(
        "units",
        ("systemctl", "show", "--no-pager", "-p", systemd.PROPERTIES, *_SERVICES, *_UNIT_PATTERNS),
        lambda output: systemd.parse_units(output, None),
    ),
    Probe("firewall-zones", protection.ZONES, _whole("firewall-cmd"), lasting=True),
    Probe("firewall-default", protection.DEFAULT_ZONE, _whole("firewall-cmd"), lasting=True),
    Probe("reloads", ("ls", "-1", RELOADS), lambda output: _reloads(output)),
    Probe("gluster-uuid", ("@file", "/var/lib/glusterd/glusterd.info"), parse_uuid),
    Probe("peers", ("gluster", "--mode=script", "peer", "status", "--xml"), parse_peers),
    *(_file(path) for path in FILES),
)


BRIEF_PROBES: tuple[Probe[object], ...] = tuple(p for p in HOST_PROBES if not p.lasting)
"""What a calm host is asked between two full looks: a third of the work for it."""


def lasting_still_hold(before: Mapping[str, Output], now: Mapping[str, Output]) -> bool:
    """Whether the lasting answers of an earlier full look may be used with a brief one.

    They may not when the host was booted since, when a disk came, went or changed its size, or when a job of ours
    began or ended.

    Args:
        before: All answers of the full look.
        now: The answers of the brief one.
    """
    return _marks(before) == _marks(now)


def _marks(outputs: Mapping[str, Output]) -> tuple[object, ...]:
    units = systemd.parse_units(outputs.get("units", _NO_ANSWER), None)
    jobs = (
        {n: u.active for n, u in units.value.items() if n.startswith(JOB_PREFIX)} if isinstance(units, Known) else units
    )
    return _boot(outputs), _whole_disks(outputs), jobs


def _boot(outputs: Mapping[str, Output]) -> Fact[str]:
    return parse_text(outputs.get("boot-id", _NO_ANSWER), "the boot id")


def _whole_disks(outputs: Mapping[str, Output]) -> Fact[frozenset[tuple[str, int]]]:
    blocks = parse_lsblk(outputs.get("lsblk", _NO_ANSWER))
    if not isinstance(blocks, Known):
        return blocks
    return Known(frozenset((b.path, b.size) for b in blocks.value if b.type == "disk"))


def assemble(host: str, outputs: Mapping[str, Output], sent_at: float, received_at: float) -> HostFacts:
    """Turns the answers of a batch into the facts of a host.

    Args:
        host: Name of the Node.
        outputs: By the probe's name; one that is missing makes its fact Unknown.
        sent_at: The operator's clock when the batch went out, seconds since the epoch.
        received_at: The operator's clock when the answer was there.
    """

    def answer(name: str) -> Output:
        return outputs.get(name, _NO_ANSWER)

    blocks = parse_lsblk(answer("lsblk"))
    volumes = lvm.parse_pvs(answer("pvs"))
    mounts = storage.parse_mounts(answer("mounts"))
    uptime = system.parse_uptime(answer("uptime"))
    units = systemd.parse_units(answer("units"), uptime.value if isinstance(uptime, Known) else None)
    return HostFacts(
        host=host,
        os=system.parse_os(answer("os-release"), answer("kernel")),
        cpu=system.parse_cpu(answer("cpu")),
        memory_bytes=system.parse_memory(answer("memory")),
        boot_id=parse_text(answer("boot-id"), "the boot id"),
        disks=take_disks(blocks, parse_links(answer("links")), parse_signatures(answer("signatures")), volumes),
        interfaces=ip.with_speeds(ip.parse_interfaces(answer("interfaces")), ip.parse_speeds(answer("speeds"))),
        physical_volumes=volumes,
        volume_groups=lvm.parse_vgs(answer("vgs")),
        logical_volumes=with_filesystems(lvm.parse_lvs(answer("lvs")), blocks),
        mounts=mounts,
        services=_where(units, job=False),
        packages=packages.merge_packages(packages.parse_dpkg(answer("dpkg")), packages.parse_rpm(answer("rpm"))),
        files=_files(answer),
        time=system.parse_time(answer("clock"), answer("time-sync"), sent_at, received_at),
        root_writable=Known(storage.root_writable(mounts.value)) if isinstance(mounts, Known) else mounts,
        root_free_bytes=system.parse_free(answer("free")),
        gluster_uuid=parse_uuid(answer("gluster-uuid")),
        peers=parse_peers(answer("peers")),
        bricks=storage.parse_bricks(answer("bricks")),
        selinux=system.parse_selinux(answer("selinux")),
        firewall=protection.parse_zones(answer("firewall-zones"), answer("firewall-default")),
        package_lock=protection.parse_locks(answer("package-locks")),
        reloads=_reloads(answer("reloads")),
        jobs=_where(units, job=True),
    )


def _files(answer: Callable[[str], Output]) -> dict[str, Fact[FileContent]]:
    return {path: parse_file(answer(f"file:{path}"), path) for path in FILES}


def _where(units: Fact[Mapping[str, Service]], *, job: bool) -> Fact[Mapping[str, Service]]:
    """The units that are jobs of ours, or those that are not."""
    if not isinstance(units, Known):
        return units
    return Known({name: unit for name, unit in units.value.items() if name.startswith(JOB_PREFIX) is job})


def _reloads(output: Output) -> Fact[frozenset[str]]:
    """Names of the services that have a mark; none while the folder does not exist."""
    return read(output, "ls", lambda text: frozenset(text.split()), good=(0, _NO_FOLDER))

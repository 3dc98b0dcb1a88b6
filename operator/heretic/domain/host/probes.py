"""Everything that one pass asks a host: one static batch, the same on every platform, one round trip.

Nothing here depends on what the host is: what it does not have answers "not installed", and that is a fact too.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from heretic.domain.commands import Output, Probe
from heretic.domain.disks.brick import BRICK_ROOT
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host import profiles
from heretic.domain.host.facts import HostFacts, Service
from heretic.domain.host.inventory import filesystem_places, take_disks, with_filesystems
from heretic.domain.host.parse import files, firewall, ip, jobs, locks, lvm, packages, storage, system, systemd
from heretic.domain.host.parse.links import parse_links
from heretic.domain.host.parse.lsblk import COLUMNS, parse_lsblk
from heretic.domain.host.parse.reading import read
from heretic.domain.host.parse.sequence import parse_sequence
from heretic.domain.host.parse.signatures import parse_signatures
from heretic.domain.host.signs import DISKSTATS, disk_signs
from heretic.domain.jobs import JOB_PREFIX, TRIAL_PREFIX
from heretic.domain.memo import Memo
from heretic.domain.pool.parse.peers import parse_operating_version, parse_peers, parse_uuid

S = TypeVar("S")
T = TypeVar("T")

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
_READ = (*system.READ_ONLY_FILES, locks.TABLE, DISKSTATS)

PACKAGES = tuple(sorted({name for p in profiles.PROFILES for name in (*p.base_packages, *p.storage_packages)}))
RELOADS = "/run/heretic/reload"
"""Folder in memory of marks "written, but perhaps not read yet by this reader" (see host/steps.py)."""

READERS = ("systemd", profiles.MULTIPATHD, *(profile.time_service for profile in profiles.PROFILES))
"""Those who may have a mark."""
_MARKS = tuple(f"{RELOADS}/{reader}" for reader in READERS)
_ALL_FILES = (*FILES, *_READ, *locks.LOCK_FILES, *_MARKS)

_SERVICES = (profiles.GLUSTERD, profiles.MULTIPATHD, *(profile.time_service for profile in profiles.PROFILES))
_UNIT_PATTERNS = (f"{JOB_PREFIX}*.service", f"{TRIAL_PREFIX}*.timer", f"{BRICK_ROOT.strip('/')}-*.mount")

_NO_ANSWER = Output(255, "", "it was not asked")
_SLOW = 40
"""Seconds for what talks to a daemon or reads every disk."""


def _part(what: str, good: tuple[int, ...] = (0,)) -> Callable[[Output], Fact[object]]:
    """For a probe whose answer means something only together with another's: assemble() reads them together."""

    def parse(output: Output) -> Fact[object]:
        return read(output, what, str.strip, good=good)

    return parse


HOST_PROBES: tuple[Probe[object], ...] = (
    Probe("file-modes", (*files.MODES, *_ALL_FILES), _part("stat", (0, 1))),
    Probe("file-sums", (*files.SUMS, *FILES), _part("sha256sum", (0, 1))),
    Probe("file-lines", (*files.LINES, *FILES, *_READ), _part("grep", (0, 2))),
    Probe("cpu", ("lscpu", "-J"), system.parse_cpu, lasting=True),
    Probe("clock", ("date", "+%s.%N"), _part("date")),
    Probe("time-sync", ("chronyc", "-c", "tracking"), _part("chronyc")),
    Probe("free", ("stat", "-f", "-c", "%S %a", "/", "/var"), system.parse_free),
    Probe("lsblk", ("lsblk", "-J", "-b", "-o", COLUMNS), parse_lsblk, timeout=_SLOW),
    Probe("links", ("@links",), parse_links, lasting=True),
    Probe("sequence", ("@sequence",), parse_sequence),
    Probe("signatures", ("@signatures",), parse_signatures, timeout=_SLOW, lasting=True),
    Probe("lvm", lvm.REPORT, lvm.parse_lvm, timeout=_SLOW),
    Probe("mounts", storage.FINDMNT, storage.parse_mounts),
    Probe("bricks", ("@bricks",), storage.parse_bricks),
    Probe("interfaces", ("ip", "-d", "-j", "addr"), ip.parse_interfaces),
    Probe("speeds", ip.SPEEDS, ip.parse_speeds, lasting=True),
    Probe("dpkg", (*packages.DPKG, *PACKAGES), packages.parse_dpkg, lasting=True),
    Probe("rpm", (*packages.RPM, *PACKAGES), packages.parse_rpm, lasting=True),
    Probe(
        "units",
        ("systemctl", "show", "--no-pager", "-p", systemd.PROPERTIES, *_SERVICES, *_UNIT_PATTERNS),
        lambda output: systemd.parse_units(output, None),
        timeout=_SLOW,
    ),
    Probe("jobs", ("@jobs",), jobs.parse_jobs),
    Probe("firewall-zones", firewall.ZONES, _part("firewall-cmd"), timeout=_SLOW, lasting=True),
    Probe("firewall-default", firewall.DEFAULT_ZONE, _part("firewall-cmd"), timeout=_SLOW, lasting=True),
    Probe("peers", ("gluster", "--mode=script", "peer", "status", "--xml"), parse_peers, timeout=_SLOW),
)


BRIEF_PROBES: tuple[Probe[object], ...] = tuple(p for p in HOST_PROBES if not p.lasting)
"""What a host is asked between two full looks: half the work for it."""


UNREAD_PROBES: tuple[Probe[object], ...] = tuple(p for p in HOST_PROBES if p.name != "signatures")
"""Everything but reading the disks, which takes a host longer than all the rest."""


def disks_still_hold(before: HostFacts, now: HostFacts) -> bool:
    """Whether what was read of the disks may be used with everything else asked anew.

    It may where every disk shows that nobody has written on it since, and nothing is to be read once more anyway: a
    place that could not be read, or a tool that did not answer, may be mended without a sign.

    Args:
        before: From the look that read them.
        now: From that reading and the other answers of now.
    """
    if not _same_and_known(_disk_marks(before), _disk_marks(now)):
        return False
    return isinstance(now.disks, Known) and not any(d.unreadable or d.unproven for d in now.disks.value)


def lasting_still_hold(before: HostFacts, now: HostFacts) -> bool:
    """Whether the lasting answers of an earlier full look may be used with a brief one.

    They may not when the host was booted since, when a disk came, went or was changed by somebody, when a job of
    ours began or ended, or when one of these is not known.

    Args:
        before: From the full look.
        now: From its lasting answers and those of the brief look.
    """
    return _same_and_known(_lasting_marks(before), _lasting_marks(now))


def _same_and_known(before: tuple[Fact[object], ...], now: tuple[Fact[object], ...]) -> bool:
    return before == now and all(isinstance(mark, Known) for mark in before)


def _disk_marks(facts: HostFacts) -> tuple[Fact[object], ...]:
    return facts.boot_id, facts.disk_signs


def _lasting_marks(facts: HostFacts) -> tuple[Fact[object], ...]:
    return (
        *_disk_marks(facts),
        _of(facts.jobs, lambda known: frozenset((name, type(state)) for name, state in known.items())),
    )


def assemble(
    host: str, outputs: Mapping[str, Output], sent_at: float, received_at: float, memo: Memo | None = None
) -> HostFacts:
    """Turns the answers of a batch into the facts of a host.

    Args:
        host: Name of the Node.
        outputs: By the probe's name; one that is missing makes its fact Unknown.
        sent_at: The operator's clock when the batch went out, seconds since the epoch.
        received_at: The operator's clock when the answer was there.
        memo: Of this host, from look to look.
    """
    of = (memo or Memo()).of

    def answer(name: str) -> Output:
        return outputs.get(name, _NO_ANSWER)

    read_files = files.parse_files(answer("file-modes"), answer("file-sums"), answer("file-lines"), _ALL_FILES)
    blocks = of(parse_lsblk, answer("lsblk"))
    links, signatures = of(parse_links, answer("links")), of(parse_signatures, answer("signatures"))
    volumes = of(lvm.parse_lvm, answer("lvm"))
    mounts = of(storage.parse_mounts, answer("mounts"))
    interfaces, speeds = of(ip.parse_interfaces, answer("interfaces")), of(ip.parse_speeds, answer("speeds"))
    dpkg, rpm = of(packages.parse_dpkg, answer("dpkg")), of(packages.parse_rpm, answer("rpm"))
    uptime = system.parse_uptime(read_files)
    units = systemd.parse_units(answer("units"), uptime.value if isinstance(uptime, Known) else None)
    physical = _of(volumes, lambda report: report.physical_volumes)
    disks = of(take_disks, blocks, links, signatures, physical)
    return HostFacts(
        host=host,
        os=system.parse_os(read_files),
        cpu=of(system.parse_cpu, answer("cpu")),
        memory_bytes=system.parse_memory(read_files),
        boot_id=read_files.text(system.BOOT_ID),
        disks=disks,
        disk_signs=disk_signs(blocks, disks, read_files.text(DISKSTATS), of(parse_sequence, answer("sequence"))),
        interfaces=of(ip.with_speeds, interfaces, speeds),
        physical_volumes=physical,
        volume_groups=_of(volumes, lambda report: report.volume_groups),
        logical_volumes=of(with_filesystems, _of(volumes, lambda report: report.logical_volumes), blocks),
        filesystems=_of(blocks, filesystem_places),
        mounts=mounts,
        services=_of(units, _without_jobs),
        packages=of(packages.merge_packages, dpkg, rpm),
        files={path: read_files.content(path) for path in FILES},
        time=system.parse_time(answer("clock"), answer("time-sync"), sent_at, received_at),
        root_writable=_of(mounts, storage.root_writable),
        root_free_bytes=system.parse_free(answer("free")),
        gluster_uuid=_in_info(parse_uuid, read_files.text(system.GLUSTERD_INFO)),
        gluster_op_version=_in_info(parse_operating_version, read_files.text(system.GLUSTERD_INFO)),
        peers=of(parse_peers, answer("peers")),
        bricks=of(storage.parse_bricks, answer("bricks")),
        selinux=system.parse_selinux(read_files),
        firewall=of(firewall.parse_zones, answer("firewall-zones"), answer("firewall-default")),
        package_lock=locks.package_lock(read_files),
        reloads=_reloads(read_files),
        trials=_of(units, jobs.trials),
        jobs=jobs.states(units, jobs.parse_jobs(answer("jobs"))),
    )


def _of(fact: Fact[S], part: Callable[[S], T]) -> Fact[T]:
    """A part of a fact."""
    return Known(part(fact.value)) if isinstance(fact, Known) else fact


def _in_info(parse: Callable[[Output], Fact[T]], info: Fact[str]) -> Fact[T]:
    return parse(Output(0, info.value, "")) if isinstance(info, Known) else info


def _without_jobs(units: Mapping[str, Service]) -> Mapping[str, Service]:
    return {name: unit for name, unit in units.items() if not name.startswith(JOB_PREFIX)}


def _reloads(read_files: files.Files) -> Fact[frozenset[str]]:
    """The readers that have a mark."""
    marked: set[str] = set()
    for reader, mark in zip(READERS, _MARKS, strict=True):
        match read_files.exists(mark):
            case Known(there):
                marked |= {reader} if there else set()
            case Unknown(cause):
                return Unknown(cause)
    return Known(frozenset(marked))

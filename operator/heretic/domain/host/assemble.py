"""The facts of a host, put together from everything that it answered in one look."""

from collections.abc import Iterable, Mapping

from heretic.domain.commands import Output
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, LogicalVolume, PhysicalVolume, Service, VolumeGroup
from heretic.domain.host.inventory import filesystem_places, take_disks, with_filesystems
from heretic.domain.host.parse import files, firewall, ip, jobs, locks, lvm, packages, storage, system, systemd
from heretic.domain.host.parse.links import parse_links
from heretic.domain.host.parse.lsblk import parse_lsblk
from heretic.domain.host.parse.sequence import parse_sequence
from heretic.domain.host.parse.signatures import parse_signatures
from heretic.domain.host.probes import Questions
from heretic.domain.host.section import NO_ANSWER, Answers
from heretic.domain.host.signs import DISKSTATS, disk_signs
from heretic.domain.host.steps import RELOADS
from heretic.domain.jobs import JOB_PREFIX
from heretic.domain.memo import Memo


def assemble(
    asked: Questions,
    host: str,
    outputs: Mapping[str, Output],
    sent_at: float,
    received_at: float,
    memo: Memo | None = None,
) -> HostFacts:
    """Turns the answers of a batch into the facts of a host.

    Args:
        asked: What was asked.
        host: Name of the Node.
        outputs: By the probe's name; one that is missing makes its fact Unknown.
        sent_at: The operator's clock when the batch went out, seconds since the epoch.
        received_at: The operator's clock when the answer was there.
        memo: Of this host, from look to look.
    """
    memo = memo or Memo()
    of, part = memo.of, memo.part

    def answer(name: str) -> Output:
        return outputs.get(name, NO_ANSWER)

    read_files = files.parse_files(answer("file-modes"), answer("file-sums"), answer("file-lines"), asked.paths)
    blocks = of(parse_lsblk, answer("lsblk"))
    links, signatures = of(parse_links, answer("links")), of(parse_signatures, answer("signatures"))
    volumes = of(lvm.parse_lvm, answer("lvm"))
    mounts = of(storage.parse_mounts, answer("mounts"))
    interfaces, speeds = of(ip.parse_interfaces, answer("interfaces")), of(ip.parse_speeds, answer("speeds"))
    dpkg, rpm = of(packages.parse_dpkg, answer("dpkg")), of(packages.parse_rpm, answer("rpm"))
    uptime = system.parse_uptime(read_files)
    units = of(systemd.parse_units, answer("units"))
    physical = part(_physical_volumes, volumes)
    disks = of(take_disks, blocks, links, signatures, physical)
    answers = Answers(outputs, read_files.text, memo)
    return HostFacts(
        host=host,
        os=of(system.parse_os, read_files.text(system.OS_RELEASE), read_files.text(system.KERNEL)),
        cpu=of(system.parse_cpu, answer("cpu")),
        memory_bytes=system.parse_memory(read_files),
        boot_id=read_files.text(system.BOOT_ID),
        disks=disks,
        disk_signs=disk_signs(blocks, disks, read_files.text(DISKSTATS), of(parse_sequence, answer("sequence"))),
        interfaces=of(ip.with_speeds, interfaces, speeds),
        physical_volumes=physical,
        volume_groups=part(_volume_groups, volumes),
        logical_volumes=of(with_filesystems, part(_logical_volumes, volumes), blocks),
        filesystems=part(filesystem_places, blocks),
        mounts=mounts,
        services=part(_without_jobs, units),
        packages=of(packages.merge_packages, dpkg, rpm),
        files={path: read_files.content(path) for path in asked.files},
        time=system.parse_time(answer("clock"), answer("time-sync"), sent_at, received_at),
        root_writable=part(storage.root_writable, mounts),
        root_free_bytes=system.parse_free(answer("free")),
        selinux=system.parse_selinux(read_files),
        firewall=of(firewall.parse_zones, answer("firewall-zones"), answer("firewall-default")),
        package_lock=locks.package_lock(read_files),
        reloads=_reloads(read_files, asked.readers),
        trials=part(jobs.trials, units),
        jobs=jobs.states(units, jobs.parse_jobs(answer("jobs")), uptime.value if isinstance(uptime, Known) else None),
        sections={section.name: section.assemble(answers) for section in asked.sections},
    )


def _physical_volumes(report: lvm.LvmReport) -> tuple[PhysicalVolume, ...]:
    return report.physical_volumes


def _volume_groups(report: lvm.LvmReport) -> tuple[VolumeGroup, ...]:
    return report.volume_groups


def _logical_volumes(report: lvm.LvmReport) -> tuple[LogicalVolume, ...]:
    return report.logical_volumes


def _without_jobs(units: Mapping[str, Service]) -> Mapping[str, Service]:
    return {name: unit for name, unit in units.items() if not name.startswith(JOB_PREFIX)}


def _reloads(read_files: files.Files, readers: Iterable[str]) -> Fact[frozenset[str]]:
    """The readers that have a mark."""
    marked: set[str] = set()
    for reader in readers:
        match read_files.exists(f"{RELOADS}/{reader}"):
            case Known(there):
                marked |= {reader} if there else set()
            case Unknown(cause):
                return Unknown(cause)
    return Known(frozenset(marked))

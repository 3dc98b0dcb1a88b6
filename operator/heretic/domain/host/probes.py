"""Everything that one pass asks a host, in one round trip."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.facts import Fact
from heretic.domain.host import profiles
from heretic.domain.host.feature import Feature, chosen
from heretic.domain.host.parse import files, firewall, ip, jobs, locks, lvm, packages, storage, system, systemd
from heretic.domain.host.parse.links import parse_links
from heretic.domain.host.parse.lsblk import COLUMNS, parse_lsblk
from heretic.domain.host.parse.reading import read
from heretic.domain.host.parse.sequence import DISKS, parse_sequence
from heretic.domain.host.parse.signatures import parse_signatures
from heretic.domain.host.section import Section
from heretic.domain.host.signs import DISKSTATS
from heretic.domain.host.steps import RELOADS
from heretic.domain.jobs import JOB_PREFIX, TRIAL_PREFIX

_OWN_FILES = (
    profiles.HOSTS,
    profiles.LVM_DEVICES_FILE,
    *dict.fromkeys(profile.time_file for profile in profiles.PROFILES),
    *(profile.selinux_contexts for profile in profiles.PROFILES if profile.selinux_contexts),
)
_READ = (*system.READ_ONLY_FILES, locks.TABLE, DISKSTATS)
_TIME_SERVICES = tuple(dict.fromkeys(profile.time_service for profile in profiles.PROFILES))

_SLOW = 40
"""Seconds for what talks to a daemon or reads every disk."""


def _part(what: str, good: tuple[int, ...] = (0,)) -> Callable[[Output], Fact[object]]:
    """For a probe whose answer means something only together with another's: assemble() reads them together."""

    def parse(output: Output) -> Fact[object]:
        return read(output, what, str.strip, good=good)

    return parse


_MODES, _SUMS, _LINES = _part("stat", (0, 1)), _part("sha256sum", (0, 1)), _part("grep", (0, 2))

_OWN: tuple[Probe[object], ...] = (
    Probe("cpu", ("lscpu", "-J"), system.parse_cpu, lasting=True),
    Probe("clock", ("date", "+%s.%N"), _part("date")),
    Probe("time-sync", ("chronyc", "-c", "tracking"), _part("chronyc")),
    Probe("free", ("stat", "-f", "-c", "%S %a", "/", "/var"), system.parse_free),
    Probe("lsblk", ("lsblk", "-J", "-b", "-o", COLUMNS), parse_lsblk, timeout=_SLOW),
    Probe("links", ("@links",), parse_links, lasting=True),
    Probe("sequence", ("@numbers", DISKS), parse_sequence),
    Probe("signatures", ("@signatures",), parse_signatures, timeout=_SLOW, lasting=True),
    Probe("lvm", lvm.REPORT, lvm.parse_lvm, timeout=_SLOW),
    Probe("mounts", storage.FINDMNT, storage.parse_mounts),
    Probe("interfaces", ("ip", "-d", "-j", "addr"), ip.parse_interfaces),
    Probe("speeds", ip.SPEEDS, ip.parse_speeds, lasting=True),
    Probe("jobs", ("@jobs",), jobs.parse_jobs),
    Probe("firewall-zones", firewall.ZONES, _part("firewall-cmd"), timeout=_SLOW, lasting=True),
    Probe("firewall-default", firewall.DEFAULT_ZONE, _part("firewall-cmd"), timeout=_SLOW, lasting=True),
)
"""What every host is asked, whatever it is for, beside its files, packages and units."""


class Questions:
    """What hosts with certain roles are asked: one batch, the same on every platform.

    Nothing in it depends on what a host is: what it does not have answers "not installed", and that is a fact too.

    Args:
        features: What these roles need.
        sections: What subjects want to know of a host with these roles.

    Attributes:
        files: Files that Heretic writes or whose content decides what it does.
        readers: Services that may have a mark that they have not read a file yet (see host/steps.py).
        paths: Every file that is looked at.
        sections: As given.
        probes: All questions.
        brief: What a host is asked between two full looks: half the work for it.
        unread: Everything but reading the disks, which takes a host longer than all the rest.
    """

    def __init__(self, features: tuple[Feature, ...], sections: tuple[Section[object], ...]) -> None:
        self.sections = sections
        self.files = (*_OWN_FILES, *(path for feature in features for path in feature.files))
        self.readers = ("systemd", *_TIME_SERVICES, *(name for feature in features for name in feature.readers))
        read = (*_READ, *(path for section in sections for path in section.files))
        self.paths = (*self.files, *read, *locks.LOCK_FILES, *(f"{RELOADS}/{reader}" for reader in self.readers))
        self.probes: tuple[Probe[object], ...] = (
            Probe("file-modes", (*files.MODES, *self.paths), _MODES),
            Probe("file-sums", (*files.SUMS, *self.files), _SUMS),
            Probe("file-lines", (*files.LINES, *self.files, *read), _LINES),
            *_OWN,
            *_packages(features),
            _units(features),
            *(probe for section in sections for probe in section.probes),
        )
        self.brief = tuple(probe for probe in self.probes if not probe.lasting)
        self.unread = tuple(probe for probe in self.probes if probe.name != "signatures")


def _packages(features: Iterable[Feature]) -> Iterator[Probe[object]]:
    base = (name for profile in profiles.PROFILES for name in profile.base_packages)
    lists = (names for f in features for names in (*f.packages.values(), *f.profile_packages.values()))
    names = sorted({*base, *(name for one in lists for name in one)})
    yield Probe("dpkg", (*packages.DPKG, *names), packages.parse_dpkg, lasting=True)
    yield Probe("rpm", (*packages.RPM, *names), packages.parse_rpm, lasting=True)


def _units(features: Iterable[Feature]) -> Probe[object]:
    names = (name for feature in features for name in (*feature.services, *feature.units))
    show = ("systemctl", "show", "--no-pager", "-p", systemd.PROPERTIES)
    ours = (f"{JOB_PREFIX}*.service", f"{TRIAL_PREFIX}*.timer")
    return Probe("units", (*show, *_TIME_SERVICES, *names, *ours), systemd.parse_units, timeout=_SLOW)


def questions(features: Iterable[Feature], sections: Iterable[Section[object]], roles: Iterable[Role]) -> Questions:
    """What a host with these roles is asked.

    Args:
        features: What the roles of Nodes need.
        sections: What subjects want to know.
        roles: Of the Node.
    """
    has = frozenset(roles)
    return _questions(chosen(features, has), tuple(s for s in sections if not s.roles or s.roles & has))


_questions = lru_cache(maxsize=64)(Questions)
"""One value for each set of features and sections, which are few."""

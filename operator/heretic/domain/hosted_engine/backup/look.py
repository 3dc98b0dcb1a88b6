"""What is asked of the engine's machine, and of the host that keeps its backups; seldom, while nothing is at work."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Absent, Fact, Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.parse import jobs, systemd
from heretic.domain.host.parse.reading import NotUnderstood, read
from heretic.domain.host.section import NO_ANSWER
from heretic.domain.hosted_engine.backup.names import SUM, BackupName
from heretic.domain.hosted_engine.backup.steps import AUTHORIZED_KEYS, BACKUP_JOB, FETCH_JOB, KEY, STAGED
from heretic.domain.hosted_engine.parse.first_host import parse_room
from heretic.domain.hosted_engine.upgrade.room import Space, parse_space
from heretic.domain.jobs import JOB_PREFIX, FailedJob, JobState, LostJob, Running, Succeeded
from heretic.domain.memo import Memo
from heretic.domain.shared import SharedFact, stays

SELDOM = 600.0
"""Seconds for which an answer will do while nothing is at work: as long as a calm host is not asked everything anew."""

_JUST_NOW = 120.0
"""Seconds after the end of a job for which an answer may be from before it."""

_UPTIME = "/proc/uptime"
_SUM = re.compile(r"([0-9a-f]{64})  (?:.*/)?([^/]+)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What the engine's machine says.

    Attributes:
        jobs: What became of long work there.
        staged: Size of each file in the folder of backups, by name.
        sums: Checksum of each of them that is whole.
        room: Free bytes where backups are made.
        keys: Who may log in as root; Absent where there is no such file.
        mark: Which upgrade a person has approved; Absent where none goes on.
        offered: Version of the engine that the repositories offer.
        space: Free bytes where an upgrade needs them.
    """

    jobs: Fact[Mapping[str, JobState]] = NOT_OBSERVED
    staged: Fact[Mapping[str, int]] = NOT_OBSERVED
    sums: Fact[Mapping[str, str]] = NOT_OBSERVED
    room: Fact[int] = NOT_OBSERVED
    keys: Fact[str] = NOT_OBSERVED
    mark: Fact[str] = NOT_OBSERVED
    offered: Fact[str] = NOT_OBSERVED
    space: Fact[Space] = NOT_OBSERVED


@dataclass(frozen=True, slots=True)
class KeptFacts:
    """What the host says that keeps backups.

    Attributes:
        host: Name of the Node.
        path: The folder without any links in it; Absent where it is not there.
        files: Size of each file in it, by name.
        sums: What each of them is to be like, by the file that proves it.
        room: Free bytes there.
        key: The public half of its key; Absent where it has none.
    """

    host: str
    path: Fact[str] = NOT_OBSERVED
    files: Fact[Mapping[str, int]] = NOT_OBSERVED
    sums: Fact[Mapping[str, str]] = NOT_OBSERVED
    room: Fact[int] = NOT_OBSERVED
    key: Fact[str] = NOT_OBSERVED


@dataclass(frozen=True, slots=True)
class ProvedBackup:
    """A backup whose checksum was right when it came.

    Attributes:
        file: Its name.
        name: What that says.
        size: Bytes.
        sha256: Its checksum.
    """

    file: str
    name: BackupName
    size: int
    sha256: str


def proved(files: Fact[Mapping[str, int]], sums: Fact[Mapping[str, str]], fqdn: str) -> Fact[tuple[ProvedBackup, ...]]:
    """The proved backups of an engine, the oldest first.

    Args:
        files: Sizes by name.
        sums: Checksums by name.
        fqdn: Of the engine: what is of another one is not counted, and never removed.
    """
    for fact in (files, sums):
        if isinstance(fact, Unknown):
            return fact
    if not isinstance(files, Known) or not isinstance(sums, Known):
        return Known(())
    named = ((file, BackupName.parse(file)) for file, size in files.value.items() if size and file in sums.value)
    found = [
        ProvedBackup(file, name, files.value[file], sums.value[file])
        for file, name in named
        if name and name.fqdn == fqdn
    ]
    return Known(tuple(sorted(found, key=lambda one: (one.name.taken, one.file))))


def machine_fact(engine: HostedEngine, more: tuple[Probe[object], ...] = ()) -> SharedFact[MachineFacts]:
    """What the machine of an engine says.

    Args:
        engine: Its object.
        more: What else is asked.
    """
    return SharedFact(
        name="the engine's machine",
        whom=lambda view, hosts: engine.metadata.name,
        nobody="there is no engine",
        probes=lambda before: (*_MACHINE, *more),
        assemble=_machine,
        without=stays,
        of_engine=True,
        lasts=_machine_lasts,
    )


def kept_fact(node: str, folder: str, fqdn: str) -> SharedFact[KeptFacts]:
    """What the host says that keeps the backups of an engine.

    Args:
        node: Its Node.
        folder: Where it keeps them.
        fqdn: Of the engine.
    """

    def whom(view: SiteView, hosts: Mapping[str, HostView]) -> str | None:
        return node if node in view.nodes and isinstance(hosts.get(node), HostFacts) else None

    def assemble(host: str, outputs: Mapping[str, Output], memo: Memo) -> KeptFacts:
        def answer(name: str) -> Output:
            return outputs.get(name, NO_ANSWER)

        return KeptFacts(
            host,
            path=read(answer("path"), "readlink", str.strip, absent=(1,)),
            files=_sizes(answer("files")),
            sums=_sums(answer("sums")),
            room=parse_room(answer("room")),
            key=read(answer("key"), "the key for backups", _key, absent=(1,)),
        )

    return SharedFact(
        name=f"backups in {node}:{folder}",
        whom=whom,
        nobody=f"{node} cannot be observed (see Node {node})",
        probes=lambda before: _kept(folder, fqdn),
        assemble=assemble,
        without=stays,
        lasts=lambda answer: SELDOM,
    )


def lasting(fact: SharedFact[KeptFacts], host: HostView | None) -> SharedFact[KeptFacts]:
    """The same, asked at every pass while a backup comes or has just come.

    Args:
        fact: What the host says that keeps backups.
        host: What is known of it.
    """
    known = isinstance(host, HostFacts) and isinstance(host.jobs, Known)
    job = (
        host.jobs.value.get(FETCH_JOB)
        if known and isinstance(host, HostFacts) and isinstance(host.jobs, Known)
        else None
    )
    if not is_fresh(job):
        return fact
    return SharedFact(
        fact.name, fact.whom, fact.nobody, fact.probes, fact.assemble, fact.without, lasts=lambda answer: 0.0
    )


def is_fresh(job: JobState | None) -> bool:
    """Whether a job is at work, or ended so lately that an answer may be from before that."""
    match job:
        case Running():
            return True
        case Succeeded(seconds) | FailedJob(_, _, seconds) | LostJob(seconds):
            return seconds is not None and seconds < _JUST_NOW
    return False


def _machine_lasts(facts: MachineFacts) -> float:
    unsettled = isinstance(facts.mark, Known) or not isinstance(facts.staged, Known) or facts.staged.value
    if not isinstance(facts.jobs, Known) or unsettled:
        return 0.0
    return 0.0 if any(is_fresh(job) for job in facts.jobs.value.values()) else SELDOM


def _files_in(folder: str, *named: str) -> tuple[str, ...]:
    return ("find", folder, "-mindepth", "1", "-maxdepth", "1", "-type", "f", *named)


def _raw(output: Output) -> Fact[object]:
    """Of a question that is read together with others."""
    return Known(output)


_MACHINE: tuple[Probe[object], ...] = (
    Probe("jobs", ("@jobs",), jobs.parse_jobs),
    Probe("units", ("systemctl", "show", "--no-pager", "-p", systemd.PROPERTIES, f"{JOB_PREFIX}*"), _raw),
    Probe("uptime", ("cat", _UPTIME), _raw),
    Probe("staged", _files_in(STAGED, "-printf", "%f %s\\n"), _raw),
    Probe("sums", _files_in(STAGED, "-name", "*.backup", "-exec", "sha256sum", "{}", "+"), _raw, timeout=50),
    Probe("room", ("stat", "-f", "-c", "%S %a", "/var/lib"), _raw),
    Probe("keys", ("cat", AUTHORIZED_KEYS), _raw),
)


def _kept(folder: str, fqdn: str) -> tuple[Probe[object], ...]:
    return (
        Probe("path", ("readlink", "-e", folder), _raw),
        Probe("files", _files_in(folder, "-name", f"{fqdn}_*.backup", "-printf", "%f %s\\n"), _raw),
        Probe("sums", _files_in(folder, "-name", f"{fqdn}_*.backup{SUM}", "-exec", "cat", "{}", "+"), _raw),
        Probe("room", ("stat", "-f", "-c", "%S %a", folder), _raw),
        Probe("key", ("cat", f"{KEY}.pub"), _raw),
    )


def _machine(host: str, outputs: Mapping[str, Output], memo: Memo) -> MachineFacts:
    def answer(name: str) -> Output:
        return outputs.get(name, NO_ANSWER)

    uptime = read(answer("uptime"), "the uptime", lambda text: float(text.split()[0]))
    units = systemd.parse_units(answer("units"))
    return MachineFacts(
        jobs=jobs.states(units, jobs.parse_jobs(answer("jobs")), uptime.value if isinstance(uptime, Known) else None),
        staged=_sizes(answer("staged")),
        sums=_sums(answer("sums")),
        room=parse_room(answer("room")),
        keys=read(answer("keys"), AUTHORIZED_KEYS, str, absent=(1,)),
        mark=read(answer("mark"), "the mark of an upgrade", str.strip, absent=(1,)),
        offered=read(answer("offered"), "dnf", str.strip),
        space=parse_space(answer("space")),
    )


def _sizes(output: Output) -> Fact[Mapping[str, int]]:
    return Known({}) if _no_folder(output) else read(output, "the list of backups", _read_sizes)


def _read_sizes(text: str) -> Mapping[str, int]:
    return {name: int(size) for name, _, size in (line.rpartition(" ") for line in text.splitlines() if line)}


def _sums(output: Output) -> Fact[Mapping[str, str]]:
    return Known({}) if _no_folder(output) else read(output, "the checksums of backups", _read_sums)


def _read_sums(text: str) -> Mapping[str, str]:
    """Lines as sha256sum prints them; one that is no such line proves nothing, and hides no other."""
    found = (_SUM.fullmatch(line) for line in text.splitlines())
    return {match[2]: match[1] for match in found if match}


def _no_folder(output: Output) -> bool:
    """There is no such folder: find looked, and says so."""
    return output.rc == 1 and not output.stdout and output.stderr.strip().endswith(": No such file or directory")


def _key(text: str) -> str:
    words = text.split()
    if len(words) < 2 or not words[0].startswith("ssh-"):
        raise NotUnderstood("it is no public key")
    return " ".join(words[:2])


def backup_job(facts: MachineFacts) -> JobState | None:
    """What became of the last backup on the engine's machine; None where there was none, or it is not known."""
    return facts.jobs.value.get(BACKUP_JOB) if isinstance(facts.jobs, Known) else None


def authorized(keys: Fact[str]) -> str | None:
    """Who may log in as root, as the file's text; None while it is not known."""
    match keys:
        case Known(text):
            return text
        case Absent():
            return ""
    return None

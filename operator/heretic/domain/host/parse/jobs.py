"""Parses what a host tells of its jobs: what it keeps of each on its disk, and the unit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heretic.domain.commands import Output
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.facts import Service
from heretic.domain.jobs import JOB_PREFIX, TRIAL_PREFIX, FailedJob, JobState, LostJob, NeverRan, Running, Succeeded

_AT_WORK = ("active", "activating", "deactivating")


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What a host keeps of the last run of a job.

    Attributes:
        verdict: running, lost (it runs no more and did not tell how it ended), changed (it succeeded), or the part of
            the script that failed: act, put, verify, …
        number: Which of them.
        status: Its exit status.
        seconds: Since this was written.
        said: What it said last; of a running one the line that tells how far it is.
    """

    verdict: str
    number: int
    status: int
    seconds: float
    said: tuple[str, ...] = ()


def parse_jobs(output: Output) -> Fact[Mapping[str, JobRecord]]:
    """Reads the answer of ``@jobs``: a line a job, and below it what it said, each line after a bar."""
    if output.rc != 0:
        return Unknown(f"the jobs could not be read: {output.stderr.strip() or output.rc}")
    records: dict[str, JobRecord] = {}
    try:
        for head, said in _blocks(output.stdout.splitlines()):
            name, verdict, number, status, seconds = head.split()
            # A clock that was set back makes no job end in the future.
            records[name] = JobRecord(verdict, int(number), int(status), max(0.0, float(seconds)), tuple(said))
    except ValueError:
        return Unknown("the answer about the jobs was not understood")
    return Known(records)


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    said: list[str] = []
    head = ""
    for line in lines:
        if line.startswith("|"):
            said.append(line[1:])
            continue
        if head:
            yield head, said
        head, said = line, []
    if head:
        yield head, said


def states(
    units: Fact[Mapping[str, Service]], records: Fact[Mapping[str, JobRecord]], uptime: float | None
) -> Fact[Mapping[str, JobState]]:
    """The state of every job that the host knows of, by the full name of its unit.

    Args:
        units: As systemd shows them; those of jobs among them.
        records: What the host keeps on its disk.
        uptime: Seconds since the boot at the same time, for the age of a unit's state; None = unknown.
    """
    if not isinstance(units, Known):
        return units
    if not isinstance(records, Known):
        return records
    jobs = {name: unit for name, unit in units.value.items() if is_job(name)}
    kept = records.value
    return Known({name: _state(jobs.get(name), kept.get(name), uptime) for name in jobs.keys() | kept.keys()})


def is_job(unit: str) -> bool:
    """Whether a unit is a job of ours, by its name."""
    return unit.startswith(JOB_PREFIX) and not unit.startswith(TRIAL_PREFIX)


def trials(units: Mapping[str, Service]) -> frozenset[str]:
    """The trials that are not over: their change is neither proved nor taken back.

    Args:
        units: As systemd shows them.
    """
    ours = {name for name, unit in units.items() if unit.active in _AT_WORK and name.startswith(TRIAL_PREFIX)}
    return frozenset(name.rpartition(".")[0] for name in ours)


def _state(unit: Service | None, record: JobRecord | None, uptime: float | None) -> JobState:
    since = unit.since if unit is not None else None
    age = None if since is None or uptime is None else max(0.0, uptime - since)
    at_work = unit is not None and unit.active in _AT_WORK
    if record is not None and record.verdict == "running":
        return Running(record.said[-1] if record.said else "", record.seconds)
    if at_work and unit is not None:
        # It has not written its first word yet, or that of an earlier run is what was read.
        return Running(seconds=age)
    if unit is not None and unit.active == "failed" and (record is None or record.verdict in ("lost", "changed")):
        timed_out = unit.result == "timeout"
        why = "took longer than it may and was ended" if timed_out else f"was ended ({unit.result or unit.sub})"
        return FailedJob(why, seconds=age)
    if record is None:
        return NeverRan()
    if record.verdict == "changed":
        return Succeeded(record.seconds)
    if record.verdict == "lost":
        return LostJob(record.seconds)
    return FailedJob(_why(record), record.said, record.seconds)


def _why(record: JobRecord) -> str:
    match record.verdict:
        case "verify":
            return f"ran to its end, and its condition {record.number} does not hold (exit status {record.status})"
        case "act" if record.status in (124, 137):
            return f"failed: its action {record.number} took longer than it may"
        case verdict:
            return f"failed: its {'action' if verdict == 'act' else verdict} {record.number} exited {record.status}"

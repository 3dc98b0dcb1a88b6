"""Whether what an earlier look told may be used with one that asks less."""

from collections.abc import Mapping

from heretic.domain.facts import Fact, Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.jobs import JobState


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
        _running(facts.jobs),
    )


def _running(jobs: Fact[Mapping[str, JobState]]) -> Fact[object]:
    if not isinstance(jobs, Known):
        return jobs
    return Known(frozenset((name, type(state)) for name, state in jobs.value.items()))

"""What became of a job, by its record on the host's disk and by systemd."""

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import Service
from heretic.domain.host.parse.jobs import parse_jobs, states, trials
from heretic.domain.jobs import FailedJob, JobState, LostJob, Running, Succeeded, told

NAME = "heretic-deploy.service"
UPTIME = 100.0


def unit(active: str, result: str = "success") -> Service:
    return Service(NAME, "loaded", active, active, "transient", result, since=UPTIME - 9.0)


def answer(text: str) -> Output:
    return Output(0, text, "")


@pytest.mark.parametrize(
    ("record", "service", "expected"),
    [
        ("running 0 0 7\n|TASK [Create]\n", unit("active"), Running("TASK [Create]", 7.0)),
        ("running 0 0 7\n", unit("active"), Running("", 7.0)),
        ("changed 0 0 7\n", unit("active"), Running("", 9.0)),
        ("changed 0 0 7\n", None, Succeeded(7.0)),
        ("changed 0 0 -30\n", None, Succeeded(0.0)),
        ("changed 0 0 7\n", unit("failed", "exit-code"), FailedJob("was ended (exit-code)", seconds=9.0)),
        ("lost 0 0 7\n", unit("failed", "timeout"), FailedJob("took longer than it may and was ended", seconds=9.0)),
        ("lost 0 0 7\n", None, LostJob(7.0)),
        (
            "act 2 7 5\n|no room\n",
            unit("failed", "exit-code"),
            FailedJob("failed: its action 2 exited 7", ("no room",), 5.0),
        ),
        ("act 1 124 5\n", None, FailedJob("failed: its action 1 took longer than it may", seconds=5.0)),
        ("stale 1 1 5\n", None, FailedJob("failed: its stale 1 exited 1", seconds=5.0)),
        ("", unit("activating"), Running("", 9.0)),
        ("", unit("failed", "exit-code"), FailedJob("was ended (exit-code)", seconds=9.0)),
    ],
)
def test_the_state_of_a_job(record: str, service: Service | None, expected: JobState) -> None:
    kept = parse_jobs(answer(f"{NAME} {record}" if record else ""))
    units = {"glusterd.service": unit("active")} | ({NAME: service} if service else {})
    assert states(Known(units), kept, UPTIME) == Known({NAME: expected})


def test_what_cannot_be_read_of_jobs_is_not_known() -> None:
    assert isinstance(parse_jobs(Output(2, "", "stat: cannot read")), Unknown)
    assert isinstance(parse_jobs(answer(f"{NAME} changed\n")), Unknown)
    assert states(Known({}), Unknown("no answer"), UPTIME) == Unknown("no answer")
    assert states(Unknown("no units"), Known({}), UPTIME) == Unknown("no units")


def test_a_trial_is_no_job_and_is_on_until_it_is_proved_or_taken_back() -> None:
    units = {
        f"heretic-trial-{name}.{suffix}": unit(active)
        for name, suffix, active in [
            ("one", "timer", "active"),
            ("two", "timer", "inactive"),
            ("three", "service", "activating"),
            ("four", "service", "failed"),
        ]
    }
    assert trials(units) == {"heretic-trial-one", "heretic-trial-three"}
    assert states(Known(units), Known({}), UPTIME) == Known({})


def test_each_line_belongs_to_the_job_above_it() -> None:
    records = parse_jobs(answer(f"heretic-a.service act 1 1 3\n|one\n||two\n{NAME} changed 0 0 4\n"))
    assert isinstance(records, Known)
    assert {name: r.said for name, r in records.value.items()} == {"heretic-a.service": ("one", "|two"), NAME: ()}


def test_a_failed_job_is_told_with_its_last_lines() -> None:
    job = FailedJob("failed: its action 1 exited 1", ("one", "two", " three ", "", "four"))
    assert told(job, lines=3) == "failed: its action 1 exited 1, and said last: three / four"
    assert told(FailedJob("was ended")) == "was ended"

"""A command that is kept running, and how it ends."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from lab.processes import Process, innermost
from lab.restarts import Pauses

TESTS = Path(__file__).resolve().parents[2]
# It notes its start, and its end when it is asked for it. When the shell above it is gone, so is it.
PROGRAM = """
import os, signal, sys, time
def note(word):
    with open(sys.argv[1], "a") as notes:
        print(word, file=notes)
def asked(*_):
    note("asked")
    sys.exit()
signal.signal(signal.SIGTERM, asked)
shell = os.getppid()
note("started")
while os.getppid() == shell:
    time.sleep(0.05)
"""
BELOW_A_SHELL = ("sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", PROGRAM)


def wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def started(notes: Path, times: int) -> bool:
    return notes.exists() and notes.read_text() == "started\n" * times


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def kept(tmp_path: Path, notes: Path) -> Iterator[Process]:
    process = Process("kept", tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    process.start([sys.executable, "-m", "lab.restarts", *BELOW_A_SHELL, notes], env=environment, detached=True)
    try:
        wait(partial(started, notes, 1))
        yield process
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("runs", "pauses"),
    [
        ([1.0] * 8, [0, 10, 20, 40, 80, 160, 300, 300]),
        ([1.0, 1.0, 1.0, 600.0, 1.0], [0, 10, 20, 0, 10]),
    ],
    ids=["one failure after the other", "good work in between"],
)
def test_it_waits_longer_each_time_until_it_has_worked_well(runs: list[float], pauses: list[float]) -> None:
    waits = Pauses()
    assert [waits.after(seconds) for seconds in runs] == pauses


def test_a_killed_one_is_started_again_at_once(kept: Process, notes: Path) -> None:
    killed = innermost(kept.pid or 0)

    os.kill(killed, signal.SIGKILL)

    wait(partial(started, notes, 2))
    assert innermost(kept.pid or 0) != killed
    assert "it ended with status 137, and is started again at once" in kept.log.read_text()


def test_it_is_asked_to_end_and_not_started_again(kept: Process, notes: Path) -> None:
    kept.stop(grace=20)

    assert notes.read_text() == "started\nasked\n"


def test_it_can_be_ended_while_it_waits_for_the_next_start(kept: Process, notes: Path) -> None:
    for times in (1, 2):
        wait(partial(started, notes, times))
        os.kill(innermost(kept.pid or 0), signal.SIGKILL)
    wait(lambda: "is started again in 10 s" in kept.log.read_text())

    begun = time.monotonic()
    kept.stop(grace=20)

    assert time.monotonic() - begun < 5


def test_the_command_dies_with_what_keeps_it(kept: Process) -> None:
    child = int(Path(f"/proc/{kept.pid}/task/{kept.pid}/children").read_text())

    kept.kill()

    wait(lambda: not Path(f"/proc/{child}").exists())

"""How scripts are rendered and their answers taken apart."""

import base64
import json
import re
import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heretic.domain.commands import Action, Command, Expect, Job, Output, Probe, PutFile, Script, Trial
from heretic.domain.errors import Bug, HereticError
from heretic.domain.facts import Known
from heretic.domain.gluster.feature import GLUSTER
from heretic.domain.host.profiles import PROFILES, Profile
from heretic.domain.host.steps import InstallPackages
from heretic.hosts.fence import Fence
from heretic.hosts.frames import FrameError, parse_frames
from heretic.hosts.script import (
    ERASING_PROLOGUE,
    JOBS_PROLOGUE,
    LONGEST_JOB,
    OBSERVATION_PROLOGUE,
    READING_PROLOGUE,
    STEP_PROLOGUE,
    TRIAL_PROLOGUE,
    job_limit,
    observation_deadline,
    render_observation,
    render_step,
    shown,
    step_deadline,
)
from sim.protocol import _calls, _framed

TRUE = Command(("true",))
WORD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def probe(name: str, *argv: str, timeout: int = 15) -> Probe[Output]:
    return Probe(name, argv, Known, timeout)


def body_of(text: str, prologue: str) -> str:
    assert text.startswith(prologue + "{\n")
    assert text.endswith("\n}\n")
    return text[len(prologue) + 2 : -2]


@given(st.lists(st.lists(WORD, max_size=4), min_size=1, max_size=4))
def test_every_word_survives_the_quoting(words: list[list[str]]) -> None:
    probes = [probe(f"p{i}", "echo", *argv) for i, argv in enumerate(words)]
    calls = _calls(body_of(render_observation(probes), OBSERVATION_PROLOGUE))
    assert calls == [*(("probe", f"p{i}", "15", "echo", *a) for i, a in enumerate(words)), ("finish",)]


@settings(max_examples=25, deadline=None)
@given(st.lists(WORD, min_size=1, max_size=20))
def test_a_shell_reads_the_quoting_as_python_means_it(words: list[str]) -> None:
    script = "printf '%s\\0' " + shlex.join(words)
    printed = subprocess.run(["/bin/sh", "-s"], input=script.encode(), capture_output=True, check=True).stdout
    assert printed.decode().split("\0")[:-1] == words


def test_a_step_is_its_conditions_guards_actions_and_conditions_again() -> None:
    script = Script(
        done=(Command(("test", "-e", "/a b"), timeout=5),),
        guards=(Command(("ls",), expect=Expect.CONTAINS, text=" vg0 "),),
        actions=(PutFile("/a b", "x", "0600", ""), Command(("cat",), stdin="s")),
    )
    assert body_of(render_step(script, Fence("here", 7, "operator")), STEP_PROLOGUE).splitlines() == [
        "begin 7 here operator",
        "done_when ok '' 5 - test -e '/a b'",
        "guard contains vg0 30 - ls",
        "put '/a b' 0600 '' eA==",
        "act ok '' 30 cw== cat",
        "verify ok '' 5 - test -e '/a b'",
        "end",
    ]


def test_a_job_and_each_of_its_actions_end_in_a_time_of_their_own() -> None:
    script = Script((TRUE,), (Command(("install",), timeout=3600),), guards=(TRUE,), job=Job("heretic-x"))
    calls = _calls(body_of(render_step(script, Fence("here", 7, "operator")), STEP_PROLOGUE + JOBS_PROLOGUE))
    assert [c[0] for c in calls] == ["begin", "done_when", "running", "guard", "job"]
    assert calls[2] == ("running", "heretic-x.service")
    assert calls[4][1:3] == ("heretic-x.service", str(3600 + 30 + 10))
    inner = _calls(body_of(base64.b64decode(calls[4][3]).decode(), STEP_PROLOGUE + JOBS_PROLOGUE))
    assert inner == [
        ("begin_job", "heretic-x.service", "20", ""),
        ("act", "ok", "", "3600", "-", "install"),
        ("verify", "ok", "", "30", "-", "true"),
        ("end",),
    ]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
def test_an_installation_ends_in_time_on_every_platform(profile: Profile) -> None:
    step = InstallPackages(
        host="node1",
        why="missing",
        packages=(*profile.base_packages, *GLUSTER.packages[profile.family]),
        repair=profile.repair,
        install=profile.install,
        query=profile.query,
    )
    script = step.script()
    assert script.job is not None
    assert 0 < job_limit(script, script.job) <= LONGEST_JOB


@pytest.mark.parametrize(
    "probes",
    [
        [],
        [probe("a", "x"), probe("a", "y")],
        [probe("a b", "x")],
        [probe("", "x")],
        [probe("a\n", "x")],
        [probe("a")],
        [probe("a", "")],
        [probe("a", "-x")],
        [probe("a", "x", "a\0b")],
        [probe("a", "x", timeout=0)],
        [probe("a", "x", timeout=51)],
    ],
    ids=[
        "none", "same name", "blank in a name", "no name", "new line in a name", "no argv", "no program",
        "option as program", "NUL", "no time", "too much time",
    ],
)  # fmt: skip
def test_a_batch_that_cannot_be_asked_is_our_mistake(probes: list[Probe[Output]]) -> None:
    with pytest.raises(HereticError) as raised:
        render_observation(probes)
    assert isinstance(raised.value.failure, Bug)


ACT: tuple[Action, ...] = (TRUE,)


@pytest.mark.parametrize(
    ("script", "fence"),
    [
        (Script((), ACT), Fence()),
        (Script((TRUE,), ()), Fence()),
        (Script((TRUE,), ACT), Fence("here", -1, "operator")),
        (Script((TRUE,), ACT), Fence("here", 1, "two words")),
        (Script((TRUE,), ACT), Fence("", 1, "operator")),
        (Script((TRUE,), (Command(("x",), timeout=61),)), Fence()),
        (Script((TRUE,), (PutFile("relative", ""),)), Fence()),
        (Script((TRUE,), (PutFile("/folder/", ""),)), Fence()),
        (Script((TRUE,), (PutFile("/a", "", mode="644"),)), Fence()),
        (Script((TRUE,), (PutFile("/a", "", mode="u=rw"),)), Fence()),
        (Script((TRUE,), (PutFile("/a", "", replaces_sha256="-"),)), Fence()),
        (Script((TRUE,), ACT, job=Job("other-unit")), Fence()),
        (Script((TRUE,), ACT, job=Job("heretic-x", limit=LONGEST_JOB + 1)), Fence()),
        (Script((TRUE,), ACT, job=Job("heretic-x", stage="two\nlines")), Fence()),
        (Script((TRUE,), ACT, job=Job("heretic-x"), trial=Trial("heretic-trial-x", ACT, (TRUE,), 120)), Fence()),
        (Script((TRUE,), ACT, trial=Trial("heretic-x", ACT, (TRUE,), 120)), Fence()),
        (Script((TRUE,), ACT, trial=Trial("heretic-trial-x", ACT, (TRUE,), 60)), Fence()),
        (Script((TRUE,), ACT, trial=Trial("heretic-trial-x", ACT, (TRUE,), 601)), Fence()),
        (Script((TRUE,), (Command(("x",), expect=Expect.EMPTY),), job=Job("heretic-x")), Fence()),
        (Script((TRUE,), ACT, job=Job("heretic-../x")), Fence()),
        (Script((TRUE,), ACT, job=Job("heretic-a b")), Fence()),
        (Script((TRUE,), (Command(("install",), timeout=0),), job=Job("heretic-x")), Fence()),
        (Script((TRUE,), (Command(("install",), timeout=LONGEST_JOB),), job=Job("heretic-x")), Fence()),
    ],
)
def test_a_step_that_cannot_be_run_is_our_mistake(script: Script, fence: Fence) -> None:
    with pytest.raises(HereticError) as raised:
        render_step(script, fence)
    assert isinstance(raised.value.failure, Bug)


def test_nothing_is_waited_for_longer_than_a_minute() -> None:
    assert observation_deadline([probe("a", "x", timeout=5), probe("b", "x", timeout=20)]) == 30
    assert observation_deadline([probe("a", "x", timeout=50)]) == 60
    assert step_deadline(Script((Command(("x",), timeout=5),), (Command(("y",), timeout=20),))) == 40
    assert step_deadline(Script((TRUE,), (Command(("y",), timeout=60),) * 9)) == 60


def test_the_prologues_stay_small() -> None:
    assert len(OBSERVATION_PROLOGUE.encode()) < 3500
    assert len(STEP_PROLOGUE.encode()) < 4000
    assert len(READING_PROLOGUE.encode()) < 4500
    assert len(JOBS_PROLOGUE.encode()) < 1500
    assert len(TRIAL_PROLOGUE.encode()) < 1500
    assert not re.search(
        r"^\s*#|^ ",
        OBSERVATION_PROLOGUE + STEP_PROLOGUE + JOBS_PROLOGUE + TRIAL_PROLOGUE + READING_PROLOGUE,
        re.MULTILINE,
    )


def test_what_reads_disks_is_sent_where_it_is_called_for() -> None:
    assert READING_PROLOGUE in render_observation([probe("a", "x"), probe("b", "@signatures")])
    assert READING_PROLOGUE not in render_observation([probe("a", "x"), probe("b", "@links")])
    guarded = Script((TRUE,), (TRUE,), guards=(Command(("@blank", "/dev/x")),))
    assert READING_PROLOGUE in render_step(guarded, Fence())
    assert READING_PROLOGUE not in render_step(Script((TRUE,), (TRUE,)), Fence())
    erases = render_step(Script((TRUE,), (Command(("@erase", "/dev/x")),)), Fence())
    assert READING_PROLOGUE + ERASING_PROLOGUE in erases
    assert ERASING_PROLOGUE not in render_step(guarded, Fence())


def test_a_command_is_shown_as_one_line_of_bounded_length() -> None:
    assert shown(["lvs", "-o", "a b", "x\ny"]) == "lvs -o 'a b' 'x\\ny'"
    assert len(shown(["x" * 1000])) == 200


# --- answers ---

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
FRAMES = st.lists(
    st.tuples(st.from_regex(r"\A[a-z:]{1,9}\Z"), st.builds(Output, st.integers(0, 255), TEXT, TEXT)), max_size=5
)


@given(FRAMES, st.sampled_from(["", "noise\n", "Last login: today\n\n", "heretic/2\n"]))
def test_what_is_framed_is_read_back(frames: list[tuple[str, Output]], noise: str) -> None:
    assert [(f.name, f.output) for f in parse_frames((noise + _framed(frames)).encode())] == frames


@given(FRAMES.filter(bool), st.data())
def test_an_answer_that_was_cut_short_is_never_read(frames: list[tuple[str, Output]], data: st.DataObject) -> None:
    whole = _framed(frames).encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(FrameError):
        parse_frames(whole[:cut])


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_breaks_nothing(rubbish: bytes) -> None:
    for data in (rubbish, b"heretic/1 " + rubbish, b"heretic/1 2\na 0 1 1\n" + rubbish):
        try:
            frames = parse_frames(data)
        except FrameError:
            continue
        assert json.dumps([f.name for f in frames])


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    (frame,) = parse_frames(b"heretic/1 1\na 0 3 2\n\xff\x00b\xc3(heretic/1 end\n")
    assert frame.output == Output(0, "\ufffd\0b", "\ufffd(")

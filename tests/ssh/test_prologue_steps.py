"""What only a real shell can show of steps: the functions of step.sh in dash and bash."""

import asyncio
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from heretic.domain.commands import Command, Job, Probe, PutFile, Script
from heretic.domain.facts import Known
from heretic.hosts.fence import Fence
from heretic.hosts.script import STEP_PROLOGUE, render_step
from ssh.shell import Shell
from ssh.targets import eventually


def step(*argv: str, done: Sequence[str] = ("false",), timeout: int = 20) -> Script:
    return Script((Command(tuple(done)),), (Command(argv, timeout=timeout),))


async def test_a_script_that_arrives_in_part_does_nothing(shell: Shell) -> None:
    text = render_step(step("touch", str(shell.files / "made")), Fence())
    body, act, whole = len(STEP_PROLOGUE), text.index("act ok '' 20 - touch"), len(text)
    for cut in [body // 2, body, body + 1, act, act + 11, act + 30, whole - 25, whole - 6, whole - 3, whole - 2]:
        await shell.run(text[:cut])
        assert list(shell.files.iterdir()) == [], text[body:cut]
    await shell.run(text)
    assert [p.name for p in shell.files.iterdir()] == ["made"]


async def test_two_steps_on_one_host_do_not_overlap(shell: Shell) -> None:
    log = shell.files / "log"
    act = f"echo begin >>{log}; sleep 0.3; echo end >>{log}"
    frames = await asyncio.gather(*(shell.perform(step("sh", "-c", act)) for _ in range(3)))
    assert {f.name for f in frames} == {"verify:1"}
    assert log.read_text().split() == ["begin", "end"] * 3


async def test_a_step_does_not_wait_for_the_lock_for_ever(shell: Shell) -> None:
    long = asyncio.create_task(shell.perform(step("sleep", "1.8")))
    await asyncio.sleep(0.3)
    frame = await shell.perform(step("true"), change=("flock -w 10", "flock -w 1"))
    assert frame.name == "locked:0"
    await long


async def test_a_daemon_that_an_action_leaves_behind_does_not_keep_the_lock(shell: Shell) -> None:
    await shell.perform(step("sh", "-c", "sleep 3 & :"))
    began = time.monotonic()
    assert (await shell.perform(step("true"))).name == "verify:1"
    assert time.monotonic() - began < 2.5


async def test_the_newest_token_lies_on_the_disk_for_root_alone(shell: Shell) -> None:
    assert (await shell.perform(step("true"), token=5)).name == "verify:1"
    assert shell.fence.read_text() == "5 here operator\n"
    assert stat.S_IMODE(shell.fence.parent.stat().st_mode) == 0o700
    before = shell.fence.stat().st_ino
    assert (await shell.perform(step("true"), token=5)).name == "verify:1"
    assert shell.fence.stat().st_ino == before, "not written again"
    assert (await shell.perform(step("true"), token=6)).name == "verify:1"
    assert shell.fence.read_text() == "6 here operator\n"
    assert [p.name for p in shell.fence.parent.iterdir()] == ["fence"]


async def test_a_token_that_is_not_readable_refuses_everybody(shell: Shell) -> None:
    assert (await shell.perform(step("true"), token=5)).name == "verify:1"
    shell.fence.unlink()
    shell.fence.mkdir()
    frame = await shell.perform(step("touch", "made"), token=6)
    assert frame.name == "fenced:0"
    assert "Is a directory" in frame.output.stderr
    assert not (shell.files / "made").exists()


@pytest.mark.parametrize("said", ["No space left on device", "Read-only file system"])
async def test_a_token_that_cannot_be_kept_lets_nothing_begin(shell: Shell, said: str) -> None:
    shell.program("sync", f"echo 'sync: error: {said}' >&2; exit 1\n")
    frame = await shell.perform(step("touch", "made"), token=5)
    assert frame.name == "fence:0"
    assert said in frame.output.stderr
    assert not (shell.files / "made").exists()
    assert not shell.fence.exists()


async def test_what_heretic_keeps_is_for_root_alone(shell: Shell) -> None:
    script = Script((Command(("false",)),), (Command(("cat",), stdin="secret"),), job=Job("heretic-x"))
    assert (await shell.perform(script, token=1)).name == "started:0"
    kept = shell.sandbox / "run/heretic"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert stat.S_IMODE((kept / "jobs").stat().st_mode) == 0o700
    (job,) = (kept / "jobs").iterdir()
    assert stat.S_IMODE(job.stat().st_mode) == 0o600


async def test_a_file_is_replaced_in_one_instant(shell: Shell) -> None:
    path = shell.files / "a"
    path.write_text("old")
    path.chmod(0o600)
    before = path.stat().st_ino
    with path.open() as reader:
        await shell.perform(Script((Command(("false",)),), (PutFile(str(path), "new", "0640"),)))
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_ino != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [p.name for p in shell.files.iterdir()] == ["a"]


async def test_a_file_that_cannot_be_written_leaves_nothing_half_done(shell: Shell) -> None:
    (shell.files / "plain").write_text("x")
    (shell.files / "folder").mkdir()
    for path in ("plain/a", "folder"):
        frame = await shell.perform(Script((Command(("false",)),), (PutFile(str(shell.files / path), "new"),)))
        assert frame.name == "act:1"
        assert frame.output.stderr
    assert sorted(p.name for p in shell.files.iterdir()) == ["folder", "plain"]
    assert list((shell.files / "folder").iterdir()) == []


async def test_a_file_that_cannot_be_compared_is_not_replaced(shell: Shell) -> None:
    (shell.files / "folder").mkdir()
    put = PutFile(str(shell.files / "folder"), "new", replaces_sha256="")
    frame = await shell.perform(Script((Command(("false",)),), (put,)))
    assert frame.name == "act:1"


async def test_a_link_is_replaced_and_what_it_leads_to_is_not(shell: Shell) -> None:
    (shell.files / "real").write_text("real")
    (shell.files / "link").symlink_to("real")
    await shell.perform(Script((Command(("false",)),), (PutFile(str(shell.files / "link"), "new"),)))
    assert (shell.files / "real").read_text() == "real"
    assert (shell.files / "link").read_text() == "new"
    assert not (shell.files / "link").is_symlink()


async def test_under_selinux_a_file_gets_the_label_of_its_path(shell: Shell) -> None:
    (shell.sandbox / "sys/fs/selinux").mkdir(parents=True)
    (shell.sandbox / "sys/fs/selinux/enforce").write_text("1")
    shell.program("restorecon", f'echo "$@" >>{shell.sandbox}/labelled')
    path = shell.files / "a"
    await shell.perform(Script((Command(("false",)),), (PutFile(str(path), "new"),)))
    assert (shell.sandbox / "labelled").read_text() == f"{path}\n"


async def test_a_full_disk_says_so(shell: Shell) -> None:
    frame = await shell.perform(step("dd", "if=/dev/zero", "of=/dev/full", "count=1"))
    assert frame.name == "act:1"
    assert "No space left on device" in frame.output.stderr


async def test_of_a_long_complaint_the_end_is_kept(shell: Shell) -> None:
    frame = await shell.perform(step("sh", "-c", "seq 100000 >&2; exit 3"))
    assert frame.output.rc == 3
    assert frame.output.stderr.endswith("99999\n100000")
    assert len(frame.output.stderr) <= 4096


async def test_complaints_beyond_ascii_are_measured_in_bytes(shell: Shell) -> None:
    frame = await shell.perform(step("sh", "-c", "printf 'größe\\377' ; exit 1"))
    assert frame.output.stdout == "größe\ufffd"


async def test_a_large_file_and_a_large_standard_input(shell: Shell) -> None:
    content = "0123456789abcdef" * 8192
    put = PutFile(str(shell.files / "a"), content)
    same = Command(("cmp", str(shell.files / "a")), stdin=content)
    assert (await shell.perform(Script((same,), (put,)))).name == "changed:0"


async def test_an_action_that_ignores_term_is_killed(shell: Shell) -> None:
    began = time.monotonic()
    frame = await shell.perform(step("sh", "-c", "trap '' TERM; while :; do sleep 0.2; done", timeout=1))
    assert frame.name == "act:1"
    assert frame.output.rc in (124, 137)
    assert time.monotonic() - began < 8


async def test_where_nothing_can_be_kept_no_step_runs(shell: Shell) -> None:
    (shell.sandbox / "run/heretic").write_text("not a folder")
    stdout, stderr, status = await shell.run(render_step(step("touch", "made"), Fence()))
    assert (stdout, status) == (b"", 70)
    assert b"heretic" in stderr
    assert list(shell.files.iterdir()) == []
    assert shell.left() == []


# --- jobs ---

JOBS = Probe("jobs", ("@jobs",), lambda output: Known(output))
UNIT = "heretic-deploy.service"


async def started(shell: Shell, *commands: str, job: Job) -> None:
    acts = tuple(Command(("sh", "-c", text), timeout=20) for text in commands)
    frame = await shell.perform(Script((Command(("test", "-e", str(shell.files / "made"))),), acts, job=job))
    assert frame.name == "started:0"


async def told(shell: Shell) -> list[str]:
    (output,) = await shell.ask(JOBS)
    assert (output.rc, output.stderr) == (0, "")
    return output.stdout.splitlines()


async def test_of_a_job_that_failed_the_end_of_what_it_said_is_kept(shell: Shell) -> None:
    await started(shell, "seq 5", "echo no room >&2; exit 7", job=Job(UNIT, tail=3))
    await shell.server.finish_job(UNIT)
    head, *said = await told(shell)
    assert head.split()[:4] == [UNIT, "act", "2", "7"]
    assert said == ["|4", "|5", "|no room"]


async def test_nothing_is_kept_of_what_a_job_said_that_may_show_a_secret(shell: Shell) -> None:
    await started(shell, "echo sesame; exit 1", job=Job(UNIT, tail=0))
    await shell.server.finish_job(UNIT)
    assert len(await told(shell)) == 1
    kept = (shell.sandbox / "var/lib/heretic/jobs" / UNIT).read_text()
    assert "sesame" not in kept


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("^TASK ", ["|TASK [Create the disk]"]), ("", ["|changed"]), ("^PLAY ", [])],
    ids=["tells its stage", "every line is one", "has none yet"],
)
async def test_a_running_job_tells_how_far_it_is(shell: Shell, stage: str, expected: list[str]) -> None:
    says = "printf '%s\\n' 'TASK [Look]' ok 'TASK [Create the disk]' changed"
    waits = f"touch {shell.files}/waits; while [ ! -e {shell.files}/go ]; do sleep 0.02; done; touch {shell.files}/made"
    await started(shell, says, waits, job=Job(UNIT, stage=stage))
    ends = asyncio.create_task(shell.server.finish_job(UNIT))
    await eventually((shell.files / "waits").exists)
    head, *said = await told(shell)
    assert head.split()[:2] == [UNIT, "running"]
    assert said == expected
    (shell.files / "go").touch()
    assert await ends == "inactive"
    (head,) = await told(shell)
    assert head.split()[:4] == [UNIT, "changed", "0", "0"]


BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


async def test_a_job_that_a_boot_or_a_person_ended_is_lost(shell: Shell) -> None:
    record = shell.sandbox / "var/lib/heretic/jobs" / UNIT
    record.parent.mkdir(parents=True)
    (shell.sandbox / "units" / UNIT).write_text("active\n")
    for of, state, expected in [(BOOT, "active", "running"), ("another", "active", "lost"), (BOOT, "failed", "lost")]:
        record.write_text(f"running 0 0 {of} {UNIT}\n\n")
        (shell.sandbox / "units" / UNIT).write_text(f"{state}\n")
        (shell.sandbox / "units" / f"{UNIT}.journal").touch()
        assert (await told(shell))[0].split()[1] == expected


async def test_a_record_that_cannot_be_read_is_no_answer(shell: Shell) -> None:
    (shell.sandbox / "var/lib/heretic/jobs").mkdir(parents=True)
    (shell.sandbox / "var/lib/heretic/jobs" / UNIT).touch()
    (output,) = await shell.ask(JOBS)
    assert output.rc == 2

"""What only a real shell can show: the functions of prologue.sh in dash and bash, without SSH."""

import asyncio
import os
import shlex
import shutil
import signal
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from heretic.domain.commands import Command, Output, Probe, PutFile, Script
from heretic.domain.facts import Known
from heretic.hosts.frames import Frame, parse_frames
from heretic.hosts.script import STEP_PROLOGUE, render_observation, render_step
from ssh.targets import SHELLS, ShellServer


class Shell:
    """A sandbox and a real shell to run scripts in it."""

    def __init__(self, sandbox: Path, shell: str) -> None:
        self.server = ShellServer(shell=shell, sandbox=sandbox)
        self.server.prepare()
        self.sandbox = sandbox
        self.files = sandbox / "files"

    async def run(self, script: str | bytes) -> tuple[bytes, bytes, int]:
        data = script.encode() if isinstance(script, str) else script
        async with asyncio.timeout(30):
            return await self.server.execute(data)

    async def ask(self, *probes: Probe[Output]) -> list[Output]:
        stdout, _, _ = await self.run(render_observation(probes))
        return [f.output for f in parse_frames(stdout)]

    async def perform(self, script: Script, token: int = 0, change: tuple[str, str] = ("", "")) -> Frame:
        stdout, stderr, _ = await self.run(render_step(script, token).replace(*change))
        assert stderr == b""
        (frame,) = parse_frames(stdout)
        return frame

    def program(self, name: str, text: str) -> None:
        path = self.sandbox / "bin" / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def left(self) -> list[str]:
        """What a script left in memory, but for what it means to leave."""
        found = [p for p in (self.sandbox / "run").iterdir() if p.name != "heretic"]
        found += (self.sandbox / "dev/shm").iterdir()
        return [str(p) for p in found]


@pytest.fixture(params=list(SHELLS.values()), ids=list(SHELLS))
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    return Shell(tmp_path, request.param)


def probe(*argv: str, timeout: int = 5) -> Probe[Output]:
    return Probe(shlex.quote(argv[-1]).replace(" ", ""), argv, Known, timeout)


def step(*argv: str, done: Sequence[str] = ("false",), timeout: int = 20) -> Script:
    return Script((Command(tuple(done)),), (Command(argv, timeout=timeout),))


# --- observation ---


async def test_bytes_arrive_as_they_are(shell: Shell) -> None:
    content = bytes(range(256)) * 50
    (shell.files / "binary").write_bytes(content)
    (output,) = await shell.ask(probe("cat", "binary"))
    assert output.stdout == content.decode("utf-8", "replace")


async def test_an_answer_of_megabytes(shell: Shell) -> None:
    (output,) = await shell.ask(probe("head", "-c", "5000000", "/dev/zero"))
    assert len(output.stdout) == 5_000_000


async def test_a_program_that_prints_without_end_is_stopped(shell: Shell) -> None:
    endless, fine = await shell.ask(probe("yes"), probe("echo", "x"))
    assert endless.rc != 0
    assert len(endless.stdout) == 32 * 1024 * 1024
    assert fine.stdout == "x\n"


async def test_a_program_that_does_not_exist(shell: Shell) -> None:
    (output,) = await shell.ask(probe("no-such-program"))
    assert output.rc == 127
    assert "not found" in output.stderr


async def test_a_program_cannot_eat_the_script(shell: Shell) -> None:
    first, second = await shell.ask(probe("cat"), probe("echo", "x"))
    assert first == Output(0, "", "")
    assert second.stdout == "x\n"


async def test_programs_speak_plain_english(shell: Shell) -> None:
    (output,) = await shell.ask(probe("env"))
    assert "LC_ALL=C\n" in output.stdout
    assert ":/usr/sbin:/usr/bin:/sbin:/bin\n" in output.stdout


async def test_a_builtin_that_hangs_is_given_up_and_the_others_answer(shell: Shell) -> None:
    os.mkfifo(shell.files / "fifo")
    began = time.monotonic()
    hangs, works = await shell.ask(probe("@file", str(shell.files / "fifo"), timeout=1), probe("echo", "x", timeout=1))
    assert hangs.rc == 124
    assert works.stdout == "x\n"
    assert time.monotonic() - began < 10


async def test_nothing_is_left_in_memory_and_nothing_runs_on(shell: Shell) -> None:
    await shell.ask(probe("echo", "x", timeout=1), probe("sleep", "97", timeout=1))
    assert shell.left() == []
    assert not running("sleep 97")


def running(command: str) -> bool:
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if process.read_bytes().replace(b"\0", b" ").strip() == command.encode():
                return True
        except OSError:
            continue
    return False


async def test_a_quick_batch_never_loses_its_folder(shell: Shell) -> None:
    for _ in range(10):
        assert [o.stdout for o in await shell.ask(probe("echo", "x"))] == ["x\n"]


async def test_a_batch_that_is_told_to_stop_leaves_nothing(shell: Shell) -> None:
    text = shell.server.moved(render_observation([probe("sleep", "98", timeout=30)]).encode())
    process = await asyncio.create_subprocess_exec(
        "sh", "-s", executable=shell.server.shell, stdin=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    for _ in range(500):
        if running("sleep 98"):
            break
        await asyncio.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    await process.wait()
    await asyncio.sleep(0.1)
    assert shell.left() == []
    assert not running("sleep 98")


async def test_without_run_the_other_memory_is_used(shell: Shell) -> None:
    shutil.rmtree(shell.sandbox / "run")
    (shell.sandbox / "run").write_text("not a folder")
    stdout, _, _ = await shell.run(render_observation([probe("echo", "x")]))
    assert parse_frames(stdout)[0].output.stdout == "x\n"


@pytest.mark.parametrize("case", ["folder", "below a file", "dangling link", "missing"])
async def test_only_what_certainly_does_not_exist_is_absent(shell: Shell, case: str) -> None:
    (shell.files / "folder").mkdir()
    (shell.files / "plain").write_text("x")
    (shell.files / "link").symlink_to("nowhere")
    name = {"folder": "folder", "below a file": "plain/x", "dangling link": "link", "missing": "x"}[case]
    (output,) = await shell.ask(probe("@file", str(shell.files / name)))
    absent = case in ("dangling link", "missing")
    assert output.rc == (1 if absent else 2)
    assert bool(output.stderr) is not absent


async def test_links_of_disks(shell: Shell) -> None:
    (no_folder,) = await shell.ask(probe("@links"))
    assert no_folder == Output(0, "", "")
    for name, target in (
        ("by-id/wwn-0x5", "../../sda"),
        ("by-id/dm-name-a", "../../dm-0"),
        ("by-path/p", "../../sda1"),
    ):
        link = shell.sandbox / "dev/disk" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    (output,) = await shell.ask(probe("@links"))
    assert sorted(output.stdout.splitlines()) == [
        "by-id/dm-name-a /dev/dm-0",
        "by-id/wwn-0x5 /dev/sda",
        "by-path/p /dev/sda1",
    ]


async def test_signatures_of_disks(shell: Shell) -> None:
    shell.program("lsblk", "echo '/dev/sda disk\n/dev/sr0 rom\n/dev/zram0 disk\n/dev/loop0 loop\n/dev/nvme0n1 disk'")
    shell.program("wipefs", 'case $3 in /dev/sda) printf "{\\n   \\"signatures\\": []\\n}\\n" ;; *) exit 1 ;; esac')
    shell.program("blkid", "case $4 in /dev/sda) echo DEVNAME=/dev/sda; echo PTTYPE=gpt; exit 8 ;; *) exit 2 ;; esac")
    for holder in ("sda/holders/md0", "sda/sda1/holders/dm-0", "nvme0n1/nvme0n1p1/holders/dm-1"):
        (shell.sandbox / "sys/class/block" / holder).mkdir(parents=True)
    (output,) = await shell.ask(probe("@signatures"))
    assert output.stdout.splitlines() == [
        "disk /dev/sda",
        "holder md0",
        "holder dm-0",
        "wipefs 0",
        "w {",
        'w    "signatures": []',
        "w }",
        "blkid 8",
        "b DEVNAME=/dev/sda",
        "b PTTYPE=gpt",
        "disk /dev/nvme0n1",
        "holder dm-1",
        "wipefs 1",
        "blkid 2",
    ]


async def test_disks_that_cannot_be_listed_are_not_no_disks(shell: Shell) -> None:
    shell.program("lsblk", "echo cannot >&2; exit 1")
    (output,) = await shell.ask(probe("@signatures"))
    assert output == Output(2, "", "cannot\n")


BRICK_ID = "0x8d5a1f7b3c0e4b7c9f3ad0c5a1b2c3d4"
GETFATTR = """
for last; do :; done
[ "$1 $2 $3 $4 $5 $6" = '--absolute-names -h -e hex -n trusted.glusterfs.volume-id' ] || exit 64
shift 6
for path; do
  case $path in
    *vol1*) printf '# file: %s\\ntrusted.glusterfs.volume-id=ID\\n\\n' "$path" ;;
    *broken*) echo "$path: trusted.glusterfs.volume-id: Input/output error" >&2 ;;
    *) echo "$path: trusted.glusterfs.volume-id: No such attribute" >&2 ;;
  esac
done
""".replace("ID", BRICK_ID)


async def test_bricks(shell: Shell) -> None:
    (none,) = await shell.ask(probe("@bricks"))
    assert none == Output(0, "", "")
    shell.program("getfattr", GETFATTR)
    root = shell.sandbox / "gluster_bricks"
    for brick in ("vol1/brick/brick/.glusterfs", "vol1/brick2/brick", "vol2/brick/brick", "vol3/brick"):
        (root / brick).mkdir(parents=True)
    (output,) = await shell.ask(probe("@bricks"))
    assert output.rc == 0
    assert [line.removeprefix(str(root)) for line in output.stdout.splitlines()] == [
        f"/vol1/brick/brick 0 {BRICK_ID[2:]}",
        f"/vol1/brick2/brick 1 {BRICK_ID[2:]}",
        "/vol2/brick/brick 1 -",
    ]


async def test_a_brick_whose_attributes_cannot_be_read_makes_the_answer_fail(shell: Shell) -> None:
    shell.program("getfattr", GETFATTR)
    for brick in ("vol1/brick/brick", "broken/brick/brick"):
        (shell.sandbox / "gluster_bricks" / brick).mkdir(parents=True)
    (output,) = await shell.ask(probe("@bricks"))
    assert output.rc == 2
    assert "Input/output error" in output.stderr


async def test_without_getfattr_no_brick_is_taken_for_free(shell: Shell) -> None:
    shell.program("getfattr", "echo 'getfattr: not found' >&2; exit 127")
    (shell.sandbox / "gluster_bricks/vol1/brick/brick").mkdir(parents=True)
    (output,) = await shell.ask(probe("@bricks"))
    assert output.rc == 2


# --- steps ---


async def test_a_script_that_arrives_in_part_does_nothing(shell: Shell) -> None:
    text = render_step(step("touch", str(shell.files / "made")), 0)
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


async def test_a_token_that_is_not_readable_refuses_everybody(shell: Shell) -> None:
    assert (await shell.perform(step("true"), token=5)).name == "verify:1"
    token = shell.sandbox / "run/heretic/token"
    assert token.read_text() == "5\n"
    token.write_text("five\n")
    assert (await shell.perform(step("touch", "made"), token=6)).name == "fenced:0"
    assert not (shell.files / "made").exists()


async def test_what_heretic_keeps_is_for_root_alone(shell: Shell) -> None:
    script = Script((Command(("false",)),), (Command(("cat",), stdin="secret"),), job="heretic-x")
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
    stdout, stderr, status = await shell.run(render_step(step("touch", "made"), 0))
    assert (stdout, status) == (b"", 70)
    assert b"heretic" in stderr
    assert list(shell.files.iterdir()) == []
    assert shell.left() == []

"""What only a real shell can show of observations: the functions of observation.sh in dash and bash."""

import asyncio
import os
import shlex
import shutil
import signal
import time
from pathlib import Path

import pytest

from heretic.domain.commands import Output, Probe
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.parse.sequence import DISKS, parse_sequence
from heretic.domain.wiring.parse.kernel import CABLES, parse_changes
from heretic.hosts.frames import parse_frames
from heretic.hosts.script import render_observation
from ssh.shell import Shell
from ssh.targets import eventually


def probe(*argv: str, timeout: int = 5) -> Probe[Output]:
    return Probe(shlex.quote(argv[-1]).replace(" ", ""), argv, Known, timeout)


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
    fifo = str(shell.files / "fifo")
    os.mkfifo(fifo)
    began = time.monotonic()
    hangs, works = await shell.ask(probe("@file", fifo, timeout=1), probe("echo", "x", timeout=1))
    assert hangs.rc == 124
    assert works.stdout == "x\n"
    assert time.monotonic() - began < 10
    await eventually(lambda: not running(f"cat -- {fifo}"))


async def test_a_program_that_survives_even_kill_is_not_waited_for(shell: Shell) -> None:
    # As if it hung in the kernel: the signal does nothing to it.
    change = ("kill -s KILL $pids", ":")
    hangs, works = await shell.ask(probe("sleep", "6.5", timeout=1), probe("echo", "x", timeout=1), change=change)
    assert hangs.rc == 124
    assert works == Output(0, "x\n", "")
    assert running("sleep 6.5")


async def test_nothing_is_left_in_memory_and_nothing_runs_on(shell: Shell) -> None:
    await shell.ask(probe("echo", "x", timeout=1), probe("sleep", "97", timeout=1))
    assert shell.left() == []
    await eventually(lambda: not running("sleep 97"))


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
    await eventually(lambda: running("sleep 98"))
    process.send_signal(signal.SIGTERM)
    await process.wait()
    assert shell.left() == []
    await eventually(lambda: not running("sleep 98"))


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


async def test_sequence_numbers_of_disks(shell: Shell) -> None:
    (too_old,) = await shell.ask(probe("@numbers", DISKS))
    assert too_old == Output(0, "", "")
    for name, number in (("sda", "28\n"), ("cciss!c0d0", "2\n"), ("loop0", "")):
        file = shell.sandbox / "sys/class/block" / name / "diskseq"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(number)
    (output,) = await shell.ask(probe("@numbers", DISKS))
    assert parse_sequence(output) == Known({"/dev/sda": "28", "/dev/cciss/c0d0": "2"})
    assert isinstance(parse_sequence(Output(0, "sda none\n", "")), Unknown)


async def test_how_often_links_came_and_went(shell: Shell) -> None:
    for name, number in (("eno1", "2\n"), ("bond0.12", "0\n")):
        file = shell.sandbox / "sys/class/net" / name / "carrier_changes"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(number)
    (output,) = await shell.ask(probe("@numbers", CABLES))
    assert parse_changes(output) == Known({"eno1": 2, "bond0.12": 0})


async def test_signatures_of_disks(shell: Shell) -> None:
    shell.program(
        "lsblk", "echo '/dev/sda disk 9\n/dev/sr0 rom 9\n/dev/zram0 disk 9\n/dev/loop0 loop 9\n/dev/nvme0n1 disk 9'"
    )
    shell.program("wipefs", 'case $5 in /dev/sda) printf "{\\n   \\"signatures\\": []\\n}\\n" ;; *) exit 1 ;; esac')
    shell.program("blkid", "case $4 in /dev/sda) echo DEVNAME=/dev/sda; echo PTTYPE=gpt; exit 8 ;; *) exit 4 ;; esac")
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
        "blkid 4",
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

"""What reading.sh makes of a device, in real shells: what is read, and what each fault makes of the answer."""

import asyncio
import itertools
import sys
import time
from pathlib import Path

import pytest

from heretic.domain.commands import Command, Expect, Script
from heretic.hosts.script import READING_PROLOGUE
from ssh.shell import Shell
from ssh.test_prologue_probes import probe

MIB, GIB = 2**20, 2**30
SIZE = 8 * GIB + 512

DD = """
case " $* " in *' of='*) exit 64 ;; *' iflag=direct,fullblock,'*) ;; *) exit 65 ;; esac
n=$#
for a; do
  case $a in
    iflag=direct,*) a=iflag=${a#iflag=direct,} ;;
    skip=*) [ ! -e BAD ] || [ "${a#skip=}" -lt "$(cat BAD)" ] || a=skip=bad ;;
  esac
  case $a in
    skip=bad)
      echo "dd: error reading '/dev/sdb': Input/output error" >&2
      echo '0+0 records in' >&2
      echo '0+0 records out' >&2
      echo '0 bytes copied, 0.1 s, 0.0 kB/s' >&2
      exit 1
      ;;
  esac
  set -- "$@" "$a"
done
shift $n
exec /bin/dd "$@"
"""
"""A file is read in place of a disk, and not every filesystem reads files directly; that it is asked for is checked."""

NOTHING = 'printf "{\\n   \\"signatures\\": [\\n\\n   ]\\n}\\n"'


class Disk:
    """A sparse file that the tools of a shell show as a disk."""

    def __init__(self, shell: Shell, size: int = SIZE) -> None:
        self.shell, self.size = shell, size
        self.path = shell.files / "disk"
        with self.path.open("wb") as file:
            file.truncate(size)
        self.bad = shell.files / "bad"
        self.change = ("", "")
        """What of a script is written otherwise."""
        shell.program("lsblk", f"case $1 in -dnbo) echo {size} ;; *) echo '{self.path} disk {size}' ;; esac")
        shell.program("wipefs", NOTHING)
        shell.program("blkid", "exit 2")
        shell.program("dd", DD.replace("BAD", str(self.bad)))
        shell.program("xfs_io", f'exec {sys.executable} -SE {Path(__file__).with_name("xfs_io.py")} {self.bad} "$@"')

    def write(self, offset: int, content: bytes = b"x") -> None:
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(content)

    async def signatures(self) -> list[str]:
        """What ``@signatures`` says of reading it."""
        (output,) = await self.shell.ask(probe("@signatures", timeout=20), change=self.change)
        assert output.rc == 0, output
        assert output.stdout.startswith(f"disk {self.path}\nwipefs 0\n")
        return output.stdout[output.stdout.index("blkid ") :].splitlines()[1:]

    async def guard(self, program: str = "@blank") -> tuple[bool, str]:
        """Whether the guard of a step lets it go on, and what it says."""
        guard = Command((program, str(self.path)), timeout=20, expect=Expect.EMPTY)
        done = Command(("test", "-e", "made"))
        script = Script((done,), (Command(("touch", "made")),), guards=(guard,))
        frame = await self.shell.perform(script, change=self.change)
        (self.shell.files / "made").unlink(missing_ok=True)
        return frame.name.startswith("changed"), frame.output.stdout.strip()


def total(places: list[tuple[int, int]]) -> int:
    return sum(length for _, length in places)


async def places(shell: Shell, size: int) -> list[tuple[int, int]]:
    stdout, stderr, _ = await shell.run(f'{READING_PROLOGUE}places {size}\necho "$PLACES"\n')
    assert stderr == b""
    numbers = [int(word) for word in stdout.split()]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


SIZES = [
    *(64 * MIB + 512, 100 * MIB, GIB, 8 * GIB, 200 * GIB, 931 * GIB + 344 * MIB),
    *(2000398934016, 4000787030016, 16 * 1024 * GIB + 4096, 100 * 1024 * GIB),
]


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_read_spans_the_whole_device(shell: Shell, size: int) -> None:
    found = await places(shell, size)
    assert len(found) < 280
    assert total(found) < 2 * MIB
    assert all(length % 4096 == start % 4096 == 0 and 0 < start < start + length <= size for start, length in found)
    starts, last = {start for start, _ in found}, size - 17 * MIB
    wanted = (64 * MIB, 128 * MIB, GIB, 5 * GIB, 64 * GIB, 100 * GIB, 1024 * GIB)
    assert {n for n in wanted if n < last} <= starts
    assert all(any(s <= size // 4 * q // 4096 * 4096 < s + n for s, n in found) for q in (1, 2, 3))
    edges = sorted([0, *starts, size])
    assert all(b - a <= max(GIB, size // 64) for a, b in itertools.pairwise(edges))


async def test_a_host_without_xfs_io_yet_is_read_in_few_places_and_no_step_trusts_that(shell: Shell) -> None:
    disk = Disk(shell)
    disk.change = ("command -v xfs_io", "command -v an_xfs_io_that_is_not_there")
    assert (await disk.signatures())[0].startswith("zero ")
    assert await disk.guard() == (False, "xfs_io is not installed")
    disk.write(4 * GIB)
    assert await disk.signatures() == [f"content {4 * GIB}"]


async def test_a_disk_that_is_zero_is_blank(shell: Shell) -> None:
    disk = Disk(shell)
    read = total(await places(shell, SIZE)) + 32 * MIB
    assert await disk.signatures() == [f"zero {read}"]
    assert await disk.guard() == (True, "")
    assert await disk.guard("@unsigned") == (True, "")


PLACES = [
    *(0, 512, 16 * MIB - 1, 64 * MIB, 128 * MIB + 4095, 5 * GIB, SIZE // 4, SIZE - 16 * MIB, SIZE - 1, SIZE - 513),
]


@pytest.mark.parametrize("place", PLACES)
async def test_content_is_found_where_it_lies(shell: Shell, place: int) -> None:
    disk = Disk(shell)
    disk.write(place)
    (line,) = await disk.signatures()
    word, _, found = line.partition(" ")
    assert word == "content"
    assert place - 4096 < int(found) <= place
    held, said = await disk.guard()
    assert not held
    assert said.startswith(line)


async def test_the_first_of_much_content_is_told(shell: Shell) -> None:
    disk = Disk(shell)
    for place in (3 * GIB, 64 * MIB, 7 * GIB):
        disk.write(place, b"secret" * 100_000)
    assert await disk.signatures() == [f"content {64 * MIB}"]


async def test_a_new_volume_may_hold_what_its_space_held_and_no_signature(shell: Shell) -> None:
    disk = Disk(shell)
    disk.write(5 * GIB)
    assert await disk.guard("@unsigned") == (True, "")
    shell.program("blkid", "echo TYPE=xfs")
    held, said = await disk.guard("@unsigned")
    assert not held
    assert "TYPE=xfs" in said


@pytest.mark.parametrize("size", [512, 4096, MIB + 512, 64 * MIB])
async def test_a_small_disk_is_read_whole(shell: Shell, size: int) -> None:
    disk = Disk(shell, size)
    assert await disk.signatures() == [f"zero {size}"]
    disk.write(size - 1)
    assert await disk.signatures() == [f"content {(size - 1) // 4096 * 4096}"]


@pytest.mark.parametrize(
    ("bad", "content", "said"), [(0, None, 0), (5 * GIB, None, 5 * GIB), (5 * GIB, SIZE - 1, 5 * GIB)]
)
async def test_a_place_that_cannot_be_read_is_told(shell: Shell, bad: int, content: int | None, said: int) -> None:
    disk = Disk(shell)
    disk.bad.write_text(str(bad))
    if content is not None:
        disk.write(content)
    assert await disk.signatures() == [f"error {said} Input/output error"]
    held, message = await disk.guard("@unsigned")
    assert not held
    assert message.startswith(f"error {said} Input/output error")


async def test_content_before_a_place_that_cannot_be_read(shell: Shell) -> None:
    disk = Disk(shell)
    disk.bad.write_text(str(5 * GIB))
    disk.write(3 * GIB)
    assert await disk.signatures() == [f"error {5 * GIB} Input/output error", f"content {3 * GIB}"]


async def test_a_disk_that_ends_early_is_no_blank_disk(shell: Shell) -> None:
    disk = Disk(shell)
    with disk.path.open("r+b") as file:
        file.truncate(5 * GIB)
    lines = await disk.signatures()
    assert lines[0] == f"short {5 * GIB}"
    assert not any(line.startswith("zero") for line in lines)
    assert not (await disk.guard())[0]


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("wipefs", "exit 1"),
        ("wipefs", "exit 127"),
        ("wipefs", ""),
        ("wipefs", "echo '{}'"),
        ("wipefs", 'echo \'{"signatures": [{"type": "ext4"}]}\''),
        ("blkid", "exit 1"),
        ("blkid", "exit 4"),
        ("blkid", "exit 8"),
        ("blkid", "exit 127"),
        ("blkid", "exit 0"),
        ("dd", "exit 127"),
        ("dd", "exit 0"),
        ("dd", "kill -s KILL $$"),
        ("xfs_io", "exit 127"),
        ("xfs_io", "exit 0"),
        ("xfs_io", "kill -s KILL $$"),
        ("xfs_io", "echo 'pread: Invalid argument' >&2; exit 1"),
        ("grep", "exit 2"),
        ("lsblk", "exit 32"),
        ("lsblk", "exit 0"),
        ("od", "exit 1"),
        ("readlink", "exit 1"),
    ],
)
async def test_no_silence_lets_a_step_go_on(shell: Shell, program: str, text: str) -> None:
    disk = Disk(shell)
    shell.program(program, text)
    for guard in ("@blank", "@unsigned"):
        held, _ = await disk.guard(guard)
        assert not held


async def test_a_disk_that_hangs_is_given_up_and_the_others_are_told(shell: Shell) -> None:
    disk = Disk(shell)
    slow = shell.files / "slow"
    shell.program("lsblk", f"echo '{slow} disk {SIZE}'; echo '{disk.path} disk {SIZE}'")
    shell.program("blkid", f"case $* in *{slow}) exec sleep 96 ;; esac; exit 2")
    began = time.monotonic()
    (output,) = await shell.ask(probe("@signatures", timeout=20), change=("within 30", "within 8"))
    assert time.monotonic() - began < 15
    first, _, second = output.stdout.partition(f"disk {disk.path}\n")
    assert first.startswith(f"disk {slow}\nwipefs 0\n")
    assert "blkid" not in first
    assert "zero" not in first
    assert "zero" in second


async def test_a_guard_that_hangs_is_undecided(shell: Shell) -> None:
    disk = Disk(shell)
    shell.program("blkid", "exec sleep 95")
    guard = Command(("@blank", str(disk.path)), timeout=1, expect=Expect.EMPTY)
    began = time.monotonic()
    frame = await shell.perform(Script((Command(("false",)),), (Command(("touch", "made")),), guards=(guard,)))
    assert time.monotonic() - began < 10
    assert (frame.name, frame.output.rc) == ("guard:1", 124)
    assert not (shell.files / "made").exists()


async def test_reading_ends_by_itself_when_the_batch_is_given_up(shell: Shell) -> None:
    Disk(shell)
    log = shell.files / "log"
    shell.program("xfs_io", f"while :; do echo x >>{log}; sleep 0.2; done")
    (output,) = await shell.ask(probe("@signatures", timeout=1), change=("timeout 35", "timeout 2"))
    assert output.rc == 124
    await asyncio.sleep(2.5)
    before = log.read_text()
    await asyncio.sleep(0.9)
    assert log.read_text() == before


async def test_disks_that_nobody_has_a_slot_for_are_not_read(shell: Shell) -> None:
    Disk(shell)
    names = "zram0 loop0 ram0 fd0 sr0 nbd0 rbd0 drbd0 bcache0 mtdblock0 zd0"
    shell.program(
        "lsblk", f"for n in {names}; do echo /dev/$n disk 1000; done; echo /dev/sdz disk 0; echo /dev/md0 raid1 5"
    )
    (output,) = await shell.ask(probe("@signatures"))
    assert (output.rc, output.stdout) == (0, "")


async def test_a_disk_with_a_signature_is_not_read(shell: Shell) -> None:
    disk = Disk(shell)
    shell.program("wipefs", 'echo \'{"signatures": [{"offset": "0x0", "type": "ext4"}]}\'')
    shell.program("blkid", "echo TYPE=ext4")
    shell.program("dd", f"touch {shell.files}/read")
    assert await disk.signatures() == ["b TYPE=ext4"]
    assert [p.name for p in shell.files.iterdir()] == ["disk"]

"""What erasing.sh does to a device, in real shells: all that shows goes, and nothing is done while anybody holds it."""

import os

import pytest

from heretic.domain.commands import Command, Expect, Script
from ssh.shell import Shell
from ssh.test_reading import GIB, MIB, SIZE, Disk

WIPEFS = """
case " $* " in
  *' --all --no-act '*) HELD ;;
  *' --all '*)
    echo "$*" >>CALLS
    STATUS
    ;;
  *) printf '{"signatures": []}' ;;
esac
"""


class Recycled(Disk):
    """A disk with two partitions, that nobody needs any more."""

    def __init__(self, shell: Shell, status: str = "exit 0", held: str = "exit 0") -> None:
        super().__init__(shell)
        self.calls = shell.files / "calls"
        self.calls.touch()
        lines = f"disk {self.path}\\npart {self.path}1\\npart {self.path}2\\n"
        shell.program("lsblk", f"case $1 in -dnbo) echo {SIZE} ;; *) printf '{lines}' ;; esac")
        wipefs = WIPEFS.replace("CALLS", str(self.calls)).replace("STATUS", status).replace("HELD", held)
        shell.program("wipefs", wipefs)
        shell.program("blkdiscard", "echo 'blkdiscard: BLKDISCARD ioctl failed: Operation not supported' >&2; exit 1")
        shell.program("udevadm", "exit 0")
        self.content = (0, 1, 64 * MIB, GIB, 5 * GIB, SIZE // 4 // 4096 * 4096, SIZE - 1)
        for offset in self.content:
            self.write(offset)

    def read(self, offset: int) -> bytes:
        """The byte there."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(1)

    async def erase(self) -> str:
        """The verdict on a step that erases it and sees that it is blank then."""
        blank = Command(("@blank", str(self.path)), timeout=20, expect=Expect.EMPTY)
        script = Script((blank,), (Command(("@erase", str(self.path)), timeout=20),))
        frame = await self.shell.perform(script, change=self.change)
        return frame.name.partition(":")[0]


async def test_a_disk_is_proven_blank_after_it_was_erased(shell: Shell) -> None:
    disk = Recycled(shell)
    assert (await disk.guard())[0] is False
    assert await disk.erase() == "changed"
    assert (await disk.guard()) == (True, "")
    wiped = [line.split()[-1] for line in disk.calls.read_text().splitlines()]
    assert wiped == [f"{disk.path}1", f"{disk.path}2", str(disk.path)], "partitions before the table that names them"


@pytest.mark.parametrize("status", ["exit 1", "case $* in *2) exit 1 ;; esac", "case $* in *disk) exit 1 ;; esac"])
async def test_nothing_is_written_over_where_wipefs_cannot_have_it_alone(shell: Shell, status: str) -> None:
    disk = Recycled(shell, status)
    assert await disk.erase() == "act"
    assert [disk.read(offset) for offset in disk.content] == [b"x"] * len(disk.content)


async def test_a_disk_that_does_not_get_blank_is_told(shell: Shell) -> None:
    disk = Recycled(shell)
    shell.program("xfs_io", "exit 0")
    assert await disk.erase() == "verify"


async def test_nothing_is_written_once_the_time_of_the_step_is_up(shell: Shell) -> None:
    disk = Recycled(shell)
    disk.change = ("+ 50))", "+ 0))")
    assert await disk.erase() == "act"
    assert disk.calls.read_text() == ""
    assert [disk.read(offset) for offset in disk.content] == [b"x"] * len(disk.content)


async def test_a_disk_that_nobody_has_is_nobodys(shell: Shell) -> None:
    assert await Recycled(shell).guard("@held") == (True, "")


async def test_a_disk_that_the_kernel_gives_to_nobody_alone_is_somebodys(shell: Shell) -> None:
    busy = "echo 'wipefs: error: /dev/sdb: probing initialization failed: Device or resource busy' >&2; exit 1"
    assert (await Recycled(shell, held=busy).guard("@held"))[0] is False


async def test_a_disk_that_a_process_has_open_is_somebodys(shell: Shell) -> None:
    disk = Recycled(shell)
    with disk.path.open("rb"):
        allowed, said = await disk.guard("@held")
    assert not allowed
    assert f"/proc/{os.getpid()}/fd/" in said

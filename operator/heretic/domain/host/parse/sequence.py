"""The kernel's numbers of disks (``@numbers`` of DISKS): each disk that comes gets one that none had since the boot."""

from collections.abc import Mapping

from heretic.domain.commands import Output
from heretic.domain.facts import Fact
from heretic.domain.host.parse.reading import NotUnderstood, read

DISKS = "/sys/class/block/*/diskseq"


def parse_sequence(output: Output) -> Fact[Mapping[str, str]]:
    """Parses ``@numbers`` of DISKS.

    Returns:
        The number by kernel path; empty where the kernel gives none (Linux before 5.15).
    """
    return read(output, DISKS, _numbers)


def _numbers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, text.splitlines()):
        name, _, number = line.partition(" ")
        if not name or not number.isdecimal():
            raise NotUnderstood(f"a line is {line[:80]!r}")
        # In /sys a "!" stands for the "/" of names such as cciss/c0d0.
        found[f"/dev/{name.replace('!', '/')}"] = number
    return found

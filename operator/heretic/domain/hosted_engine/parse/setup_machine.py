"""What the machine on which an engine shall be set up answers."""

import re

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact
from heretic.domain.host.parse.reading import NotUnderstood, read

_PLATFORM = re.compile(r'^PLATFORM_ID="?platform:el(\d+)"?$', re.MULTILINE)
_MEMORY = re.compile(r"^MemTotal:\s+(\d+) kB$", re.MULTILINE)


def parse_release(output: Output) -> Fact[int]:
    """The major release of EL in /etc/os-release; Absent on another distribution."""
    if output.rc == 0 and "ID=" in output.stdout and not _PLATFORM.search(output.stdout):
        return Absent()
    return read(output, "/etc/os-release", lambda text: int(_found(_PLATFORM, text)))


def parse_own(output: Output) -> Fact[tuple[str, ...]]:
    """``hostname -I``: the addresses of a machine."""
    return read(output, "hostname", lambda text: tuple(text.split()))


def parse_memory(output: Output) -> Fact[int]:
    """Bytes of memory in /proc/meminfo."""
    return read(output, "/proc/meminfo", lambda text: int(_found(_MEMORY, text)) * 1024)


def parse_listening(output: Output) -> Fact[frozenset[int]]:
    """``ss -Hltn``: the TCP ports on which somebody listens."""
    return read(
        output,
        "ss",
        lambda text: frozenset(int(line.split()[3].rpartition(":")[2]) for line in text.splitlines() if line.strip()),
    )


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    if not found:
        raise NotUnderstood("what is looked for is not in it")
    return found[1]

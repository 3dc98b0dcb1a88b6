"""The host itself: operating system, processor, memory, clock, free space, SELinux."""

import shlex
from collections.abc import Mapping

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import Cpu, OperatingSystem, TimeSync
from heretic.domain.host.parse.files import Files
from heretic.domain.host.parse.reading import NotUnderstood, listed, load, read, rows, text_of

_SYNCHRONISED_FIELDS = 14
_LEAP_STATUS = 13
"""Fields of ``chronyc -c tracking``; the last is Normal, Insert second, Delete second or Not synchronised."""


OS_RELEASE = "/etc/os-release"
KERNEL = "/proc/sys/kernel/osrelease"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
MEMORY = "/proc/meminfo"
UPTIME = "/proc/uptime"
SELINUX = "/sys/fs/selinux/enforce"

READ_ONLY_FILES = (OS_RELEASE, KERNEL, BOOT_ID, MEMORY, UPTIME, SELINUX)


def parse_os(content: Fact[str], kernel: Fact[str]) -> Fact[OperatingSystem]:
    """Reads os-release(5) and the kernel's release, the contents of OS_RELEASE and KERNEL."""
    if isinstance(content, Absent):
        return Unknown(f"the host has no {OS_RELEASE}")
    if isinstance(content, Unknown):
        return content
    values = _assignments(content.value)
    if not values.get("ID"):
        return Unknown(f"{OS_RELEASE} has no ID")
    return Known(
        OperatingSystem(
            id=values["ID"],
            version=values.get("VERSION_ID", ""),
            name=values.get("PRETTY_NAME", values["ID"]),
            kernel=kernel.value if isinstance(kernel, Known) else "",
            id_like=tuple(values.get("ID_LIKE", "").split()),
        )
    )


def _assignments(text: str) -> dict[str, str]:
    """Shell assignments as os-release(5) allows them; a line that cannot be read is left out."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.startswith("#"):
            try:
                values[key.strip()] = "".join(shlex.split(value))
            except ValueError:
                continue
    return values


def parse_cpu(output: Output) -> Fact[Cpu]:
    """Parses ``lscpu -J``; newer versions nest the fields."""
    return read(output, "lscpu", _cpu)


def _cpu(text: str) -> Cpu:
    fields = _fields(load(text))
    count = fields.get("CPU(s)", "")
    if not count.isdigit():
        raise NotUnderstood(f"CPU(s) is {count!r}")
    flags = tuple(sorted(fields.get("Flags", "").split()))
    return Cpu(fields.get("Vendor ID", ""), fields.get("Model name", ""), int(count), flags)


def _fields(document: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    left = list(reversed(listed(document, "lscpu")))
    while left:
        row = left.pop()
        found.setdefault(text_of(row, "field").rstrip(":"), text_of(row, "data"))
        left += reversed(rows(row, "children"))
    return found


def parse_memory(files: Files) -> Fact[int]:
    """Reads MemTotal, bytes."""
    content = files.text(MEMORY)
    if not isinstance(content, Known):
        return content
    line = next((line for line in content.value.splitlines() if line.startswith("MemTotal:")), "")
    match line.split():
        case [_, number, "kB"] if number.isdigit():
            return Known(int(number) * 1024)
    return Unknown(f"there is no MemTotal in {MEMORY}")


def parse_uptime(files: Files) -> Fact[float]:
    """Reads the seconds since boot."""
    content = files.text(UPTIME)
    if not isinstance(content, Known):
        return content
    try:
        return Known(float(content.value.split()[0]))
    except (ValueError, IndexError):
        return Unknown(f"{UPTIME} was not understood")


def parse_time(date: Output, tracking: Output, sent_at: float, received_at: float) -> Fact[TimeSync]:
    """Compares the host's clock with the operator's.

    Args:
        date: Of ``date +%s.%N``.
        tracking: Of ``chronyc -c tracking``; chrony may be missing or not running.
        sent_at: The operator's clock when it asked, seconds since the epoch.
        received_at: The operator's clock when the answer was there.
    """
    host = read(date, "date", float)
    if not isinstance(host, Known):
        return host
    status = read(tracking, "chronyc", _leap_status)
    return Known(
        TimeSync(
            synchronized=status.value != "Not synchronised" if isinstance(status, Known) else None,
            offset_seconds=host.value - (sent_at + received_at) / 2,
            uncertainty_seconds=abs(received_at - sent_at) / 2,
        )
    )


def _leap_status(text: str) -> str:
    fields = text.strip().split(",")
    if len(fields) < _SYNCHRONISED_FIELDS:
        raise NotUnderstood("there are too few fields")
    return fields[_LEAP_STATUS]


def parse_free(output: Output) -> Fact[int]:
    """Parses ``stat -f -c '%S %a' / /var``: the least free space of these, bytes."""
    return read(output, "stat", _free)


def _free(text: str) -> int:
    pairs = [line.split() for line in text.splitlines() if line.strip()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise NotUnderstood(f"it printed {text[:80]!r}")
    return min(int(block) * int(free) for block, free in pairs)


def parse_selinux(files: Files) -> Fact[str]:
    """Reads enforcing, permissive, or disabled where the kernel has no SELinux."""
    content = files.text(SELINUX)
    match content:
        case Absent():
            return Known("disabled")
        case Known("1"):
            return Known("enforcing")
        case Known("0"):
            return Known("permissive")
        case Known(other):
            return Unknown(f"{SELINUX} holds {other[:40]!r}")
    return content

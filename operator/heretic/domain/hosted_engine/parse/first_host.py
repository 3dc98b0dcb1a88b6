"""What the host on which an engine shall be deployed answers."""

import re
from collections.abc import Mapping

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.parse.reading import NOT_INSTALLED, NotUnderstood, read

_CERTIFICATES = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+\n-----END CERTIFICATE-----")
_VERSION = re.compile(r"[0-9]+[.][0-9]+[-.\w]*")
_LONGEST = 65536


def parse_check_deployed(output: Output) -> Fact[bool]:
    """``hosted-engine --check-deployed``: exit status 0 or 1; Absent where there is no such program."""
    match output.rc:
        case 0 | 1:
            return Known(output.rc == 0)
        case _ if output.rc == NOT_INSTALLED:
            return Absent()
        case _:
            return Unknown(f"hosted-engine --check-deployed exited with status {output.rc}")


def parse_present(output: Output) -> Fact[bool]:
    """Of a program that says its version, or of ``find PATH``: whether it is there."""
    if output.rc in (1, NOT_INSTALLED):
        return Known(False)
    return read(output, "the program", lambda text: bool(text.strip()))


def parse_addresses(output: Output) -> Fact[tuple[str, ...]]:
    """``getent ahostsv4 NAME``; Absent where the name is not known."""
    return read(output, "getent", lambda text: _first_words(text, 0), absent=(2,))


def parse_names(output: Output) -> Fact[tuple[str, ...]]:
    """``getent hosts ADDRESS``: names of an address; Absent where it has none."""
    return read(output, "getent", lambda text: _names(text), absent=(2,))


def parse_room(output: Output) -> Fact[int]:
    """``stat -f -c "%S %a"`` of one folder: bytes that are free."""
    return read(output, "stat", _room)


def parse_lines(output: Output) -> Fact[tuple[str, ...]]:
    """Lines that are not empty."""
    return read(output, "the list", lambda text: tuple(line.strip() for line in text.splitlines() if line.strip()))


def parse_firewall(output: Output) -> Fact[str]:
    """``systemctl is-active``: the word that it prints, whatever it exits with."""
    return read(output, "systemctl", str.strip, good=(0, 3, 4))


def parse_bond_modes(output: Output) -> Fact[Mapping[str, str]]:
    """``grep -H`` of the modes below /proc/net/bonding, by bond; none where there are no bonds."""
    return read(output, "the list of bonds", _modes, good=(0, 1, 2))


def parse_version(output: Output) -> Fact[str]:
    """A version alone, as ``rpm`` prints it and as it stands in a backup; Absent where there is no such package."""
    return read(output, "the version", _version, absent=(1,))


def parse_authority(output: Output) -> Fact[str]:
    """Certificates in PEM form; Absent where the file is not there."""
    return read(output, "the engine's authority", _authority, absent=(1,))


def _first_words(text: str, place: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.split()[place] for line in text.splitlines() if line.split()))


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.lower().rstrip(".") for line in text.splitlines() for name in line.split()[1:]))


def _room(text: str) -> int:
    block, free = text.split()
    return int(block) * int(free)


def _modes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        path, _, said = line.partition(":")
        # "IEEE 802.3ad Dynamic link aggregation", "fault-tolerance (active-backup)", "load balancing (xor)"
        found[path.rpartition("/")[2]] = said.partition(":")[2].strip()
    return found


def _version(text: str) -> str:
    if not _VERSION.fullmatch(text.strip()):
        raise NotUnderstood("it is no version")
    return text.strip()


def _authority(text: str) -> str:
    found = _CERTIFICATES.findall(text.replace("\r", ""))
    if not found or len(text) > _LONGEST:
        raise NotUnderstood("it is no certificate in PEM form")
    return "".join(f"{one}\n" for one in found)

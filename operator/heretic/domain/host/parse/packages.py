"""Installed packages, from dpkg-query and from rpm: both are asked, because nobody knows yet which host it is."""

from collections.abc import Mapping

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.parse.reading import NOT_INSTALLED, read

DPKG = ("dpkg-query", "-W", "-f", "${Package}\\t${Version}\\t${db:Status-Status}\\n")
RPM = ("rpm", "-q", "--queryformat", "%{NAME}\\t%{VERSION}-%{RELEASE}\\tinstalled\\n")

_SOME_MISSING = tuple(range(100))
"""rpm exits with the number of packages that are not installed."""


def parse_dpkg(output: Output) -> Fact[Mapping[str, str]]:
    """Parses DPKG followed by names; Absent on a host without dpkg.

    A package that is only half installed is not installed.
    """
    return read(output, "dpkg-query", _installed, good=(0, 1), absent=(NOT_INSTALLED,))


def parse_rpm(output: Output) -> Fact[Mapping[str, str]]:
    """Parses RPM followed by names; Absent on a host without rpm."""
    return read(output, "rpm", _installed, good=_SOME_MISSING, absent=(NOT_INSTALLED,))


def merge_packages(dpkg: Fact[Mapping[str, str]], rpm: Fact[Mapping[str, str]]) -> Fact[Mapping[str, str]]:
    """What either package manager has installed; Unknown when one did not answer or there is neither."""
    found: dict[str, str] = {}
    for answer in (rpm, dpkg):
        if isinstance(answer, Unknown):
            return answer
        if isinstance(answer, Known):
            found |= answer.value
    if isinstance(dpkg, Absent) and isinstance(rpm, Absent):
        return Unknown("the host has neither dpkg nor rpm")
    return Known(found)


def _installed(text: str) -> dict[str, str]:
    """Lines of name, version and state; rpm's sentences about what is not installed have no tabs."""
    lines = [line.split("\t") for line in text.splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 3 and line[2] == "installed"}

"""Installed packages, from dpkg-query and from rpm: both are asked, because nobody knows yet which host it is."""

import re
from collections.abc import Mapping

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.parse.reading import NOT_INSTALLED, read, short

DPKG = ("dpkg-query", "-W", "-f", "${Package}\\t${Version}\\t${db:Status-Status}\\n")
RPM = ("rpm", "-q", "--queryformat", "%{NAME}\\t%{VERSION}-%{RELEASE}\\tinstalled\\n")

_RPM_MISSING = re.compile(r"package \S+ is not installed")
_SOME_MISSING = tuple(range(100))
_DPKG_MISSING = re.compile(r"dpkg-query: no packages found matching \S+")


def parse_dpkg(output: Output) -> Fact[Mapping[str, str]]:
    """Parses DPKG followed by names; Absent on a host without dpkg.

    A package that is only half installed is not installed. Exit status 1 says that some are not known to dpkg, and
    then nothing else may have gone wrong.
    """
    fact = read(output, "dpkg-query", _installed, good=(0, 1), absent=(NOT_INSTALLED,))
    wrong = [line for line in output.stderr.splitlines() if line.strip() and not _DPKG_MISSING.fullmatch(line.strip())]
    if isinstance(fact, Known) and output.rc and (wrong or not output.stderr.strip()):
        return Unknown(f"dpkg-query failed: {short(wrong[0]) if wrong else 'it does not say why'}")
    return fact


def parse_rpm(output: Output) -> Fact[Mapping[str, str]]:
    """Parses RPM followed by names; Absent on a host without rpm.

    Its exit status counts the packages that are not installed, and it names each of them; a status that it does not
    explain so, or an error beside the answers, is a database that could not be read whole.
    """
    missing = [line for line in output.stdout.splitlines() if _RPM_MISSING.fullmatch(line.strip())]
    fact = read(output, "rpm", _installed, good=_SOME_MISSING if missing else (0,), absent=(NOT_INSTALLED,))
    rest = [line for line in output.stdout.splitlines() if line not in missing and line.count("\t") != 2]
    wrong = [line for line in (*rest, *output.stderr.splitlines()) if line.startswith("error:") or line in rest]
    if isinstance(fact, Known) and (wrong or (missing and not output.rc)):
        return Unknown(f"rpm failed: {short(wrong[0]) if wrong else f'exit status {output.rc}'}")
    return fact


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

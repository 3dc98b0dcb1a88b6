"""What is known of Samba on a host."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.file_share import ShareProtocol
from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Absent, Fact, Known, Unknown
from heretic.domain.host.parse.reading import NOT_INSTALLED, NotUnderstood, read
from heretic.domain.host.section import Answers, Section
from heretic.domain.shares.samba.texts import NEXT

_COMPLAINT = re.compile(r"(Unknown parameter|Ignoring unknown|WARNING: (Ignoring|No path)|ERROR|NOTE: Service|Error )")
_SECTION = re.compile(r"^\[(.+)\]$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TestedFile:
    """What testparm makes of the file that is to be in force next.

    Attributes:
        sections: Names of those that it has understood.
        complaints: What it does not like; empty where the file is good.
    """

    __test__ = False

    sections: frozenset[str]
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SambaFacts:
    """Samba on one host.

    Attributes:
        tested: What testparm makes of the next file.
        served: Names of the shares that the running smbd lists to a client; Absent: nobody answers.
        users: Who may log in, with the description that each has.
    """

    tested: Fact[TestedFile] = NOT_OBSERVED
    served: Fact[frozenset[str]] = NOT_OBSERVED
    users: Fact[Mapping[str, str]] = NOT_OBSERVED


def parse_tested(output: Output) -> Fact[TestedFile]:
    """Parses testparm, which exits 0 for a file that it understands in part only."""
    if output.rc == NOT_INSTALLED:
        return Absent()
    said = [line.strip() for line in output.stderr.splitlines()]
    complaints = [line for line in said if _COMPLAINT.match(line)]
    if output.rc and not complaints:
        complaints = [line for line in said if line][-1:] or [f"testparm ended with {output.rc}"]
    sections = frozenset(_SECTION.findall(output.stdout))
    if not complaints and not sections:
        return Unknown("testparm said nothing")
    return Known(TestedFile(sections, tuple(complaints)))


def parse_served(output: Output) -> Fact[frozenset[str]]:
    """Parses ``smbclient --grepable --list``."""
    if output.rc == NOT_INSTALLED or "NT_STATUS_CONNECTION_REFUSED" in output.stdout + output.stderr:
        return Absent()
    return read(output, "smbclient", _served)


def _served(text: str) -> frozenset[str]:
    rows = [line.split("|") for line in text.splitlines() if "|" in line]
    if not any(row[0] == "IPC" for row in rows):
        raise NotUnderstood("there is no IPC$ among the shares")
    return frozenset(row[1] for row in rows if row[0] == "Disk")


def parse_users(output: Output) -> Fact[Mapping[str, str]]:
    """Parses ``pdbedit --list --verbose``."""
    return Absent() if output.rc == NOT_INSTALLED else read(output, "pdbedit", _users)


def _users(text: str) -> dict[str, str]:
    users: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "Unix username":
            name = value
        elif key == "Account desc":
            users[name] = value
    return users


_TESTED = Probe("samba-tested", ("testparm", "--suppress-prompt", NEXT), parse_tested)
# As a guest, who cannot encrypt: nobody may do anything but ask for the list. By name, because smbd listens there too.
_LIST = ("smbclient", "--grepable", "--no-pass", "--list=127.0.0.1")
_SERVED = Probe("samba-served", _LIST, parse_served)
_USERS = Probe("samba-users", ("pdbedit", "--list", "--verbose"), parse_users)


def _assemble(answers: Answers) -> SambaFacts:
    return SambaFacts(
        tested=answers.parsed(_TESTED.name, parse_tested),
        served=answers.parsed(_SERVED.name, parse_served),
        users=answers.parsed(_USERS.name, parse_users),
    )


def _has_shares(view: SiteView) -> bool:
    return any(share.spec.protocol is ShareProtocol.SMB for share in view.of(FileShare).values())


SAMBA: Section[SambaFacts] = Section(
    name="Samba",
    assemble=_assemble,
    unseen=SambaFacts(),
    probes=(_TESTED, _SERVED, _USERS),
    roles=frozenset({Role.FILE_SERVER}),
    wanted=_has_shares,
)

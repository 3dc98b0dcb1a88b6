"""What is known of a file server, whatever it serves with: its accounts, the folders in its volumes, CTDB's scripts."""

from collections.abc import Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Fact, Known
from heretic.domain.host.parse.reading import NotUnderstood, read
from heretic.domain.host.section import Answers, Section
from heretic.domain.shares.volumes import SHARES

USERS, GROUPS = "/etc/passwd", "/etc/group"
SCRIPTS = "/etc/ctdb/events/legacy"
"""Holds the scripts that CTDB runs at its events."""


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder of a volume: numbers of its owner and group, and its permission bits as four octal digits."""

    owner: int
    group: int
    mode: str


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A file server.

    Attributes:
        users: Numbers of the local users by name.
        groups: Numbers of the local groups by name.
        folders: The topmost folders of the volumes that are mounted for shares, by their path here.
        scripts: Names of the scripts that CTDB runs, such as 50.samba.
    """

    users: Fact[Mapping[str, int]] = NOT_OBSERVED
    groups: Fact[Mapping[str, int]] = NOT_OBSERVED
    folders: Fact[Mapping[str, FolderState]] = NOT_OBSERVED
    scripts: Fact[frozenset[str]] = NOT_OBSERVED


def parse_accounts(text: Fact[str]) -> Fact[Mapping[str, int]]:
    """Parses /etc/passwd or /etc/group: the number stands third in both."""
    return read(Output(0, text.value, ""), "accounts", _accounts) if isinstance(text, Known) else text


def _accounts(text: str) -> dict[str, int]:
    rows = [line.split(":") for line in text.splitlines() if line and not line.startswith(("#", "+", "-"))]
    if any(len(row) < 3 for row in rows):
        raise NotUnderstood("a line has not three fields")
    return {row[0]: int(row[2]) for row in rows}


def parse_folders(output: Output) -> Fact[Mapping[str, FolderState]]:
    """Parses find; a host on which no volume was mounted yet has no folders."""
    if output.rc == 1 and "No such file or directory" in output.stderr:
        return Known({})
    return read(output, "find", _folders)


def _folders(text: str) -> dict[str, FolderState]:
    rows = [line.rsplit(" ", 3) for line in text.splitlines()]
    if any(len(row) != 4 for row in rows):
        raise NotUnderstood("a line has not four words")
    return {path: FolderState(int(owner), int(group), mode.zfill(4)) for path, owner, group, mode in rows}


def parse_scripts(output: Output) -> Fact[frozenset[str]]:
    """Parses ``ls`` of the folder with CTDB's scripts."""
    return read(output, "ls", _scripts)


def _scripts(text: str) -> frozenset[str]:
    return frozenset(name.removesuffix(".script") for name in text.split() if name.endswith(".script"))


_FIND = ("find", SHARES, "-mindepth", "2", "-maxdepth", "2", "-type", "d", "-printf", "%p %U %G %m\\n")
_FOLDERS = Probe("share-folders", _FIND, parse_folders)
_SCRIPTS = Probe("ctdb-scripts", ("ls", SCRIPTS), parse_scripts)


def _assemble(answers: Answers) -> ServerFacts:
    return ServerFacts(
        users=answers.of(parse_accounts, answers.text(USERS)),
        groups=answers.of(parse_accounts, answers.text(GROUPS)),
        folders=answers.parsed(_FOLDERS.name, parse_folders),
        scripts=answers.parsed(_SCRIPTS.name, parse_scripts),
    )


def has_shares(view: SiteView) -> bool:
    """Whether there is anything to serve."""
    return bool(view.of(FileShare))


SERVER: Section[ServerFacts] = Section(
    name="FileServer",
    assemble=_assemble,
    unseen=ServerFacts(),
    probes=(_FOLDERS, _SCRIPTS),
    files=(USERS, GROUPS),
    roles=frozenset({Role.FILE_SERVER}),
    wanted=has_shares,
)

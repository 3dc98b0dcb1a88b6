"""What is known of NFS-Ganesha on a host."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.file_share import ShareProtocol
from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Absent, Fact, Known
from heretic.domain.host.parse.reading import NOT_INSTALLED, NotUnderstood, read
from heretic.domain.host.section import Answers, Section

MANAGER = (
    *("busctl", "--json=short", "--timeout=20", "call"),
    *("org.ganesha.nfsd", "/org/ganesha/nfsd/ExportMgr", "org.ganesha.nfsd.exportmgr"),
)
"""Who adds, changes, removes and lists exports while Ganesha runs."""
TRIED = "/var/lib/heretic/nfs-tried"
"""Holds the digest of the file that the running Ganesha tried last, and its words about it."""

_NOBODY_THERE = ("was not provided by any .service files", "is not activatable")
"""What the bus says of a program that does not run: dbus-daemon, and dbus-broker."""


@dataclass(frozen=True, slots=True)
class TriedFile:
    """What the running Ganesha made of a file.

    Attributes:
        sha256: Of the file.
        complaint: What it does not like; empty where the file is good.
    """

    sha256: str
    complaint: str = ""


@dataclass(frozen=True, slots=True)
class GaneshaFacts:
    """Ganesha on one host.

    Attributes:
        exports: What the running one serves: paths by number; Absent: nobody answers.
        tried: The file that it tried last.
    """

    exports: Fact[Mapping[int, str]] = NOT_OBSERVED
    tried: Fact[TriedFile] = NOT_OBSERVED


def parse_exports(output: Output) -> Fact[Mapping[int, str]]:
    """Parses what ShowExports answers, without the root of all exports, which is nobody's."""
    if output.rc == NOT_INSTALLED or any(words in output.stderr for words in _NOBODY_THERE):
        return Absent()
    return read(output, "ShowExports", _exports)


def _exports(text: str) -> dict[int, str]:
    try:
        _, rows = json.loads(text)["data"]
        found = {row[0]: row[1] for row in rows}
    except (KeyError, TypeError, IndexError) as error:
        raise NotUnderstood("there is no list of exports") from error
    if not all(isinstance(number, int) and isinstance(path, str) for number, path in found.items()):
        raise NotUnderstood("an export has no number or no path")
    return {number: path for number, path in found.items() if number}


def parse_tried(text: Fact[str]) -> Fact[TriedFile]:
    """Parses what TryExports wrote: a digest, and words in the lines below it."""
    if not isinstance(text, Known):
        return text
    digest, _, words = text.value.partition("\n")
    return Known(TriedFile(digest.strip(), " ".join(words.split())))


_EXPORTS = Probe("nfs-exports", (*MANAGER, "ShowExports"), parse_exports)


def _assemble(answers: Answers) -> GaneshaFacts:
    return GaneshaFacts(
        exports=answers.parsed(_EXPORTS.name, parse_exports),
        tried=answers.of(parse_tried, answers.text(TRIED)),
    )


def serves_nfs(view: SiteView) -> bool:
    """Whether a FileShare of the site is for NFS."""
    return any(share.spec.protocol is ShareProtocol.NFS for share in view.of(FileShare).values())


GANESHA: Section[GaneshaFacts] = Section(
    name="Ganesha",
    assemble=_assemble,
    unseen=GaneshaFacts(),
    probes=(_EXPORTS,),
    files=(TRIED,),
    roles=frozenset({Role.FILE_SERVER}),
    wanted=serves_nfs,
)

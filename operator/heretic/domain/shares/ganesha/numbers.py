"""Numbers of exports: a client's file handles hold them, so each is the same on all hosts, and stays for ever."""

from collections.abc import Iterator, Mapping

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.file_share import ShareProtocol
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import unseen
from heretic.domain.plan import Wait
from heretic.domain.shares.ganesha.texts import CONFIGURATION, NEXT, owned_exports

ExportNumbers = Mapping[str, int]
"""The number of each folder that is served over NFS, by its name."""


def export_numbers(view: SiteView, seen: Mapping[str, HostFacts]) -> ExportNumbers | Wait:
    """The numbers of all folders, those too that are served no more.

    What was recorded counts, else what the files of a host say; who is new gets one that nobody ever had. A number
    that was free again could let a client of the old folder into the new one.

    Args:
        view: The declared site.
        seen: The file servers that can be asked.
    """
    shares = [s for _, s in sorted(view.of(FileShare).items()) if s.spec.protocol is ShareProtocol.NFS]
    recorded = [(export.name, export.number) for share in shares for export in share.status.exports]
    for facts in seen.values():
        file = facts.files.get(CONFIGURATION, NOT_OBSERVED)
        if isinstance(file, Unknown):
            return unseen(facts, CONFIGURATION, file)
    given: dict[str, int] = {}
    known = (*recorded, *_on_hosts(seen, CONFIGURATION), *_on_hosts(seen, NEXT))
    for name, number in known:
        if name not in given and number not in given.values():
            given[name] = number
    following = max((number for _, number in known), default=0) + 1
    for name in (folder.name for share in shares for folder in share.spec.folders):
        if name not in given:
            given[name] = following
            following += 1
    return given


def _on_hosts(seen: Mapping[str, HostFacts], path: str) -> Iterator[tuple[str, int]]:
    for facts in seen.values():
        file = facts.files.get(path, NOT_OBSERVED)
        if isinstance(file, Known):
            yield from ((export.folder, export.number) for export in owned_exports(file.value.content))

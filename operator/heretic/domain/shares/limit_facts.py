"""How much folders of volumes may hold, and how much they hold, as their filesystem statistics say.

Gluster answers for a folder with a limit as if it were a filesystem of that size. Its list of limits is not asked: it
needs the pool, mounts the volume once more on each host that asks, and fails after a folder with a limit was deleted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.host.parse.reading import NotUnderstood, read
from heretic.domain.host.section import Answers, Section
from heretic.domain.shares.volumes import SHARES


@dataclass(frozen=True, slots=True)
class FolderSpace:
    """What a folder can hold.

    Attributes:
        block: Bytes in which the others are counted.
        blocks: Its size: its limit, or where it has none that of the volume.
        free: What is left of it; none where it holds as much as it may, or more.
    """

    block: int
    blocks: int
    free: int

    @property
    def used(self) -> int:
        """Bytes."""
        return (self.blocks - self.free) * self.block


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """Limits, as one host sees them.

    Attributes:
        spaces: By path, of the volumes that are mounted for shares and of their topmost folders.
    """

    spaces: Fact[Mapping[str, FolderSpace]] = NOT_OBSERVED


def parse_spaces(output: Output) -> Fact[Mapping[str, FolderSpace]]:
    """Parses what ``stat -f`` says of each folder; a host on which no volume was mounted yet has none."""
    return read(output, "stat -f", _spaces)


def _spaces(text: str) -> dict[str, FolderSpace]:
    rows = [line.rsplit("|", 3) for line in text.splitlines()]
    if any(len(row) != 4 for row in rows):
        raise NotUnderstood("a line has not four fields")
    found = {path: FolderSpace(int(block), int(blocks), int(free)) for path, block, blocks, free in rows}
    if any(space.block <= 0 or not 0 <= space.free <= space.blocks for space in found.values()):
        raise NotUnderstood("a size makes no sense")
    return found


_EACH = """for path in "$1"/* "$1"/*/*; do
  [ ! -d "$path" ] || stat -f -c '%n|%S|%b|%f' "$path" || exit
done"""

_SPACES = Probe("share-spaces", ("sh", "-c", _EACH, "sh", SHARES), parse_spaces, timeout=10)


def _assemble(answers: Answers) -> LimitFacts:
    return LimitFacts(spaces=answers.parsed(_SPACES.name, parse_spaces))


def has_limits(view: SiteView) -> bool:
    """Whether a folder of the site has a limit, or had one."""
    shares = view.of(FileShare).values()
    return any(share.status.folders or any(folder.quota for folder in share.spec.folders) for share in shares)


LIMITS: Section[LimitFacts] = Section(
    name="Limits",
    assemble=_assemble,
    unseen=LimitFacts(),
    probes=(_SPACES,),
    roles=frozenset({Role.FILE_SERVER}),
    wanted=has_limits,
)

"""Whether the engine's machine has room for an upgrade, before anybody is asked to approve it.

A filesystem that fills up in the middle of engine-setup leaves an engine that is half upgraded, and no room to go back.
"""

from collections.abc import Iterator

from heretic.domain.commands import Output
from heretic.domain.engine.site import LATER
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.parse.reading import NotUnderstood, read
from heretic.domain.plan import Blocked, Obstacle, Wait

PACKAGES = 2 * 2**30
"""Bytes below /usr for packages, old and new, until the old ones are removed."""
DOWNLOADS = 3 * 2**30
"""Bytes below /var for what is downloaded, for logs, and for the database while its tables are changed."""
COPIES = 2
"""Backups that an upgrade writes below /var: one before it begins, and the one that engine-setup would go back to."""

FOLDERS = ("/usr", "/var")
ASKED = ("stat", "-f", "-c", "%i %S %a", *FOLDERS)

Space = tuple[tuple[str, int], ...]
"""Of each folder, in order: which filesystem it is on, and how many bytes are free there."""


def parse_space(output: Output) -> Fact[Space]:
    """The answer to ``ASKED``."""
    return read(output, "stat", _space)


def _space(text: str) -> Space:
    rows = [line.split() for line in text.splitlines()]
    if [len(row) for row in rows] != [3] * len(FOLDERS):
        raise NotUnderstood(f"{len(FOLDERS)} lines of three words are expected")
    return tuple((name, int(block) * int(free)) for name, block, free in rows)


def against_room(space: Fact[Space], backup: int) -> Iterator[Obstacle]:
    """What is in the way; nothing where the upgrade has room.

    Args:
        space: What the machine says.
        backup: Bytes of the newest backup.
    """
    if not isinstance(space, Known):
        cause = space.cause if isinstance(space, Unknown) else "it was not told"
        yield Wait(Reason.NOT_OBSERVED, f"how much room the engine's machine has is not known: {cause}", LATER)
        return
    needs = dict(zip(FOLDERS, (PACKAGES, DOWNLOADS + COPIES * backup), strict=True))
    free, of = dict(space.value), {folder: on for folder, (on, _) in zip(FOLDERS, space.value, strict=True)}
    short = []
    for filesystem, there in free.items():
        folders = [folder for folder in FOLDERS if of[folder] == filesystem]
        needed = sum(needs[folder] for folder in folders)
        if there < needed:
            short.append(f"{' and '.join(folders)} has {there >> 20} MiB free and needs {needed >> 20} MiB")
    if short:
        yield Blocked(
            Reason.ENGINE_UPGRADE_NO_ROOM,
            f"the engine's machine has not enough room for the upgrade: {'; '.join(short)}. Make room there",
        )

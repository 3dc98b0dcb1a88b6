"""Stable names of devices: the links in /dev/disk/by-id and /dev/disk/by-path (``@links``)."""

from collections.abc import Mapping

from heretic.domain.commands import Output
from heretic.domain.facts import Fact
from heretic.domain.host.parse.reading import NotUnderstood, read

_FOLDERS = ("by-id", "by-path")
_PREFERENCE = ("wwn-", "nvme-eui.", "nvme-uuid.", "nvme-nvme.", "nvme-", "scsi-3", "scsi-", "ata-", "virtio-", "mmc-")
"""Names given by the disk itself and unique in the world first; what follows is tried in this order."""
_NOT_THE_DISK = ("lvm-", "dm-", "md-", "bcache-")
"""Names of what lies on a disk; they come and go with it."""


def parse_links(output: Output) -> Fact[Mapping[str, tuple[str, ...]]]:
    """Parses ``@links``.

    Returns:
        By kernel path, the links that lead to it, best first, as "by-id/NAME" or "by-path/NAME".
    """
    return read(output, "the list of /dev/disk", _links)


def _links(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in filter(None, text.splitlines()):
        link, _, device = line.rpartition(" ")
        folder, _, name = link.partition("/")
        if folder not in _FOLDERS or not name or not device.startswith("/"):
            raise NotUnderstood(f"a line is {line[:80]!r}")
        if not name.startswith(_NOT_THE_DISK):
            found.setdefault(device, []).append(link)
    return {device: tuple(sorted(links, key=_rank)) for device, links in found.items()}


def _rank(link: str) -> tuple[bool, int, str]:
    folder, _, name = link.partition("/")
    if folder == "by-path":
        return (True, 0, name)
    place = next((i for i, prefix in enumerate(_PREFERENCE) if name.startswith(prefix)), len(_PREFERENCE))
    return (False, place, name)

"""Multipath, which can hold a local disk so that nothing can be done with it (rule:multipath-off-bricks)."""

import re
from collections.abc import Iterable, Iterator

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import DiskSelection
from heretic.domain.disks.candidates import is_local
from heretic.domain.disks.identity import meant
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import Disk
from heretic.domain.host.rule import NOTE, HostContext, unseen, write_file
from heretic.domain.plan import PlanItem

SERVICE = "multipathd.service"
EXCLUSION = "/etc/multipath/conf.d/heretic.conf"


def multipath(host: HostContext) -> Iterator[PlanItem]:
    """Keeps multipath from local disks that bricks lie or may lie on; never flushes a map (rule:multipath-off-bricks).

    multipathd itself drops a map that nothing uses once its disk is excluded, and keeps one that is in use.
    """
    services, disks = host.facts.services, host.facts.disks
    if not isinstance(services, Known) or not isinstance(disks, Known):
        if isinstance(services, Unknown):
            yield unseen(host.facts, "whether multipath runs", services)
        return
    daemon = services.value.get(SERVICE)
    if daemon is None or daemon.active != "active":
        return
    yield from write_file(
        host,
        EXCLUSION,
        lambda old: exclusion(old, [d for d in disks.value if excluded_from_multipath(host.node, d)]),
        "multipath must leave local disks of bricks alone",
        reader=SERVICE,
        tell=(("systemctl", "reload", SERVICE),),
    )


def excluded_from_multipath(node: Node, disk: Disk) -> bool:
    """Whether multipath must leave a disk alone: it carries bricks, or the spec lets it carry some.

    With selection Auto that is a map of one path to a disk in this machine; what comes over a fabric stays
    multipath's.
    """
    if disk.volume_group and any(record.use and meant((disk,), record) for record in node.status.disks):
        return True
    if node.spec.disks.selection is DiskSelection.BY_ID:
        return any(name in node.spec.disks.ids for name in disk.ids)
    return disk.multipath and is_local(disk)


_WWID_LINE = re.compile(r'^\s*wwid "(?P<wwid>[^"]+)"\s*$', re.MULTILINE)
_BUSES = ("scsi", "ata", "virtio", "usb")
_NVME_NAMES = ("nvme-eui.", "nvme-uuid.", "nvme-nvme.")
_BY_PATH = "virtio-pci-"


def wwids(disk: Disk) -> tuple[str, ...]:
    """Every name by which multipath may know a disk: udev's ID_SERIAL, or the WWN of an NVMe disk.

    The links in /dev/disk/by-id are made of the same names, with the bus in front.
    """
    found = []
    for name in disk.ids:
        bus, _, rest = name.partition("-")
        if name.startswith("wwn-0x"):
            found.append("3" + rest.removeprefix("0x"))
        elif name.startswith(_NVME_NAMES) or (bus in _BUSES and rest and not name.startswith(_BY_PATH)):
            found.append(rest)
    return tuple(dict.fromkeys(found))


def exclusion(content: str, disks: Iterable[Disk]) -> str:
    """The file that keeps multipath from our disks, by wwid and never by device name (rule:multipath-off-bricks).

    A disk that is in it stays in it: taking it out would let multipath seize a disk that was just set free.

    Args:
        content: What is there, "" = nothing.
        disks: Disks that must be excluded.
    """
    names = {match["wwid"] for match in _WWID_LINE.finditer(content)}
    names.update(name for disk in disks for name in wwids(disk))
    if not names:
        return content
    lines = "".join(f'\twwid "{name}"\n' for name in sorted(names) if '"' not in name)
    return f"{NOTE}blacklist {{\n{lines}}}\n"

"""``gluster volume status all --xml``, plain and ``detail``: which processes run and how full the bricks are.

Only the plain form tells of self-heal daemons and tasks, only the detailed one of sizes (rule:volume-status-output).
Bricks of a disconnected peer are missing in both, and so is a whole volume that another transaction holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.pool.facts import BrickState, VolumeStatus
from heretic.domain.pool.parse.document import integer, parse_document, text

SELF_HEAL = "Self-heal Daemon"
_DAEMONS = frozenset({SELF_HEAL, "NFS Server", "Quota Daemon", "Bitrot Daemon", "Scrubber Daemon", "Snapshot Daemon"})
_OVER = frozenset({"completed", "failed", "stopped", "not started"})
_LAYOUT_OVER = frozenset({"fix-layout completed", "fix-layout failed", "fix-layout stopped"})


@dataclass(frozen=True, slots=True)
class BrickSpace:
    """Space of one brick, bytes, and the UUID of its glusterd."""

    size: int
    free: int
    host_uuid: str = ""


def parse_volume_status(output: Output) -> Fact[Mapping[str, VolumeStatus]]:
    """Parses the plain status of all started volumes.

    Returns:
        Status by volume name, without sizes; a volume that is missing was not answered for. The asked node's own
        self-heal daemon stands under "localhost". Absent where gluster is not installed.
    """
    root = parse_document(output, "gluster volume status")
    if isinstance(root, Absent | Unknown):
        return root
    if root.find("volStatus") is None:
        return Unknown("gluster volume status printed no <volStatus>")
    statuses: dict[str, VolumeStatus] = {}
    for element in root.findall("volStatus/volumes/volume"):
        name, status = text(element, "volName"), _status(element)
        if not name or status is None:
            return Unknown(f"gluster volume status printed a volume that cannot be read: {name or '?'}")
        statuses[name] = status
    return Known(statuses)


def parse_volume_detail(output: Output) -> Fact[Mapping[str, Mapping[str, BrickSpace]]]:
    """Parses the detailed status of all started volumes.

    Returns:
        Space by volume name and "host:path", only of bricks that give it.
    """
    root = parse_document(output, "gluster volume status detail")
    if isinstance(root, Absent | Unknown):
        return root
    spaces: dict[str, dict[str, BrickSpace]] = {}
    for element in root.findall("volStatus/volumes/volume"):
        spaces[text(element, "volName")] = found = {}
        for node in element.findall("node"):
            size, free = integer(node, "sizeTotal"), integer(node, "sizeFree")
            if size and free is not None and 0 <= free <= size:
                found[_key(node)] = BrickSpace(size, free, text(node, "peerid"))
    return Known(spaces)


def with_space(status: VolumeStatus, spaces: Mapping[str, BrickSpace]) -> VolumeStatus:
    """Adds the space that the detailed answer gave to the plain one."""
    return replace(
        status,
        bricks={
            key: replace(brick, size=spaces[key].size, free=spaces[key].free) if key in spaces else brick
            for key, brick in status.bricks.items()
        },
    )


def _status(volume: ElementTree.Element) -> VolumeStatus | None:
    bricks: dict[str, BrickState] = {}
    self_heal: dict[str, bool] = {}
    daemons: dict[str, str] = {}
    for node in volume.findall("node"):
        host, path, online = text(node, "hostname"), text(node, "path"), integer(node, "status")
        if not host or not path or online not in (0, 1):
            return None
        if host == SELF_HEAL:
            self_heal[path] = online == 1
            daemons[path] = text(node, "peerid")
        elif host not in _DAEMONS:
            pid = integer(node, "pid")
            pid = pid if pid is not None and pid > 0 else None
            uuid = text(node, "peerid")
            bricks[_key(node)] = BrickState(online=online == 1, pid=pid, size=None, free=None, host_uuid=uuid)
    count = integer(volume, "nodeCount")
    if count is not None and count != len(volume.findall("node")):
        return None
    return VolumeStatus(bricks=bricks, self_heal=self_heal, daemons=daemons, tasks=_tasks(volume))


def _tasks(volume: ElementTree.Element) -> tuple[str, ...]:
    tasks = ((text(t, "type") or "task", text(t, "statusStr") or "unknown") for t in volume.findall("tasks/task"))
    return tuple(f"{kind} {state}" for kind, state in tasks if state not in _OVER | _LAYOUT_OVER)


def _key(node: ElementTree.Element) -> str:
    return f"{text(node, 'hostname')}:{text(node, 'path')}"

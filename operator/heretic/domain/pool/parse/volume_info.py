"""``gluster volume info --xml``: what volumes there are and which bricks each has."""

from collections.abc import Mapping
from xml.etree import ElementTree

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.pool.facts import Brick, VolumeInfo, VolumeState
from heretic.domain.pool.parse.document import integer, parse_document, text

_STATES: Mapping[int | None, VolumeState] = {0: VolumeState.CREATED, 1: VolumeState.STARTED, 2: VolumeState.STOPPED}


def parse_volume_info(output: Output) -> Fact[Mapping[str, VolumeInfo]]:
    """Parses all volumes.

    Returns:
        Volumes by name; Absent where gluster is not installed; Unknown as soon as one volume cannot be read
        whole, because this list is what every other answer is held against.
    """
    root = parse_document(output, "gluster volume info")
    if isinstance(root, Absent | Unknown):
        return root
    if root.find("volInfo") is None:
        return Unknown("gluster volume info printed no <volInfo>")
    volumes: dict[str, VolumeInfo] = {}
    for element in root.findall("volInfo/volumes/volume"):
        volume = _volume(element)
        if volume is None:
            return Unknown(f"gluster volume info printed a volume that cannot be read: {text(element, 'name') or '?'}")
        volumes[volume.name] = volume
    count = integer(root, "volInfo/volumes/count")
    if count is not None and count != len(volumes):
        return Unknown(f"gluster volume info announced {count} volumes and printed {len(volumes)}")
    return Known(volumes)


def _volume(element: ElementTree.Element) -> VolumeInfo | None:
    name, volume_id = text(element, "name"), text(element, "id")
    state = _STATES.get(integer(element, "status"))
    replicas = integer(element, "replicaCount")
    bricks = tuple(_brick(b) for b in element.findall("bricks/brick"))
    whole = [b for b in bricks if b is not None]
    if not name or not volume_id or state is None or replicas is None or not bricks or len(whole) != len(bricks):
        return None
    count = integer(element, "brickCount")
    if count is not None and count != len(whole):
        return None
    return VolumeInfo(
        name=name,
        volume_id=volume_id,
        state=state,
        replica_count=replicas,
        arbiter_count=integer(element, "arbiterCount") or 0,
        bricks=tuple(whole),
        options={text(o, "name"): text(o, "value") for o in element.findall("options/option")},
    )


def _brick(element: ElementTree.Element) -> Brick | None:
    host, _, path = (text(element, "name") or (element.text or "").strip()).rpartition(":/")
    if not host or not path:
        return None
    uuid = text(element, "hostUuid") or element.get("uuid", "")
    return Brick(host=host, path=f"/{path}", host_uuid=uuid, arbiter=integer(element, "isArbiter") == 1)

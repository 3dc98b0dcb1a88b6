"""One host's own view of the trusted pool: ``gluster peer status --xml`` and its glusterd's UUID."""

import re
from dataclasses import dataclass
from uuid import UUID

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.pool.parse.document import NOT_INSTALLED, integer, parse_document, text

IN_CLUSTER = "Peer in Cluster"
"""State of a full member of the pool; a healthy one is connected too (rule:peer-states)."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One other member of the trusted pool as this host's glusterd sees it.

    Attributes:
        uuid: Of the peer's glusterd.
        hostnames: All names it is known by, first the primary one.
        connected: Whether its glusterd answers.
        state: Text of gluster, "Peer in Cluster" when healthy.
    """

    uuid: str
    hostnames: tuple[str, ...]
    connected: bool
    state: str


_UUID_LINE = re.compile(r"^UUID\s*[=:]\s*(\S+)\s*$", re.MULTILINE)
_OPERATING_VERSION = re.compile(r"^operating-version\s*=\s*([0-9]{1,9})\s*$", re.MULTILINE)


def parse_peers(output: Output) -> Fact[tuple[Peer, ...]]:
    """Parses ``gluster --mode=script peer status --xml``.

    Returns:
        The other members of the pool, none when the host is alone; Absent where gluster is not installed;
        Unknown when glusterd does not answer or a peer cannot be read whole.
    """
    root = parse_document(output, "gluster peer status")
    if isinstance(root, Absent | Unknown):
        return root
    status = root.find("peerStatus")
    if status is None:
        return Unknown("gluster peer status printed no <peerStatus>")
    peers: list[Peer] = []
    for element in status.findall("peer"):
        uuid, hostname, connected = text(element, "uuid"), text(element, "hostname"), integer(element, "connected")
        if not uuid or not hostname or connected not in (0, 1):
            return Unknown("gluster peer status printed a peer without uuid, hostname or connected")
        others = (text(name, ".") for name in element.findall("hostnames/hostname"))
        names = tuple(dict.fromkeys((hostname, *(name for name in others if name))))
        peers.append(Peer(uuid=uuid, hostnames=names, connected=connected == 1, state=text(element, "stateStr")))
    return Known(tuple(peers))


def parse_uuid(output: Output) -> Fact[str]:
    """Parses a glusterd's own UUID.

    Args:
        output: Either the content of ``/var/lib/glusterd/glusterd.info`` ("UUID=…"; exit status 1 = no such
            file yet) or the answer of ``gluster system:: uuid get`` ("UUID: …"). The file is the better
            source: it can be read while glusterd is down, and reading it creates nothing.

    Returns:
        The UUID in lower case; Absent where glusterd has none yet; Unknown when it cannot be read.
    """
    if output.rc == NOT_INSTALLED:
        return Absent()
    found = _UUID_LINE.search(output.stdout)
    if found is None:
        if output.rc == 1 and not output.stdout.strip():
            return Absent()
        return Unknown(f"glusterd's UUID cannot be read (exit status {output.rc})")
    try:
        return Known(str(UUID(found.group(1))))
    except ValueError:
        return Unknown(f"glusterd's UUID is not a UUID: {found.group(1)[:60]}")


def parse_operating_version(output: Output) -> Fact[int]:
    """Parses the op-version at which a glusterd works, from the content of its file glusterd.info."""
    found = _OPERATING_VERSION.search(output.stdout)
    return Known(int(found.group(1))) if found else Unknown("glusterd.info tells no operating-version")

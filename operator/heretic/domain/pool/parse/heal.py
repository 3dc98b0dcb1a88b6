"""``gluster volume heal V info summary --xml``: what the copies still owe each other."""

from xml.etree import ElementTree

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.pool.facts import HealSummary
from heretic.domain.pool.parse.document import integer, parse_document, text

CONNECTED = "Connected"
_GLUED = "totalNumberOf"
"""Begins what glfs-heal forgets to take apart from the status text."""


def parse_heal_summary(output: Output) -> Fact[HealSummary]:
    """Parses one volume's summary.

    A brick that did not answer comes in three shapes (rule:heal-output): with a total of 0 and no other counts, with
    its count glued to the status text and no counts at all, or with "-" in every count. Only a brick whose status
    is exactly "Connected" and whose counts are whole numbers is believed; any other is Unknown, never 0.

    Returns:
        Entries by "host:path"; Absent where gluster is not installed.
    """
    root = parse_document(output, "gluster volume heal info summary")
    if isinstance(root, Absent | Unknown):
        return root
    bricks = root.findall("healInfo/bricks/brick")
    if not bricks:
        return Unknown("gluster volume heal info summary printed no bricks")
    pending: dict[str, Fact[int]] = {}
    split_brain: dict[str, Fact[int]] = {}
    host_uuids: dict[str, str] = {}
    for element in bricks:
        name = text(element, "name")
        if not name:
            return Unknown("gluster volume heal info summary printed a brick without a name")
        pending[name] = _count(element, "totalNumberOfEntries")
        split_brain[name] = _count(element, "numberOfEntriesInSplitBrain")
        host_uuids[name] = element.get("hostUuid", "").removeprefix("-")
    return Known(HealSummary(pending, split_brain, host_uuids))


def _count(brick: ElementTree.Element, path: str) -> Fact[int]:
    status, count = text(brick, "status"), integer(brick, path)
    if status != CONNECTED:
        said = status.partition(_GLUED)[0]
        return Unknown(f"{text(brick, 'name')} did not answer: {said or 'no status given'}")
    if count is None or count < 0:
        return Unknown(f"{text(brick, 'name')} gave no count of its entries to heal")
    return Known(count)

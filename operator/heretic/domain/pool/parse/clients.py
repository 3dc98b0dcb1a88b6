"""``gluster volume status all client-list``: who has a volume open. There is no XML form of it."""

import re
from collections.abc import Mapping

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.pool.parse.document import NOT_INSTALLED, TIMED_OUT

_VOLUME = re.compile(r"Client connections for volume (\S+)")
_CLIENT = re.compile(r"(\S+)\s+(\d+)")
_TOTAL = re.compile(r"total clients for volume (\S+) : (\d+)")
DAEMONS = frozenset({"glustershd", "gfapi.glfsheal", "rebalance", "snapd", "bitd", "scrubber", "quotad", "quota"})
"""Gluster's own processes; any other name, also one that is new to us, counts as a user of the data."""


def parse_clients(output: Output) -> Fact[Mapping[str, int]]:
    """Parses the clients of all started volumes.

    Returns:
        Number of clients that are not gluster's own, by volume name; a volume whose part of the answer is not
        complete (its total is missing or is not the sum) is not in it. Absent where gluster is not installed.
    """
    if output.rc == NOT_INSTALLED:
        return Absent()
    if output.rc in TIMED_OUT:
        return Unknown("gluster volume status client-list did not answer in time")
    if output.rc != 0:
        said = " ".join(output.stderr.split()) or f"exit status {output.rc}"
        return Unknown(f"gluster volume status client-list failed: {said}")
    found: dict[str, int] = {}
    volume, counts = "", dict[str, int]()
    for line in (raw.strip() for raw in output.stdout.splitlines()):
        if match := _VOLUME.fullmatch(line):
            volume, counts = match.group(1), {}
        elif match := _TOTAL.fullmatch(line):
            if match.group(1) == volume and int(match.group(2)) == sum(counts.values()):
                found[volume] = sum(n for name, n in counts.items() if name not in DAEMONS)
            volume = ""
        elif volume and (match := _CLIENT.fullmatch(line)):
            counts[match.group(1)] = counts.get(match.group(1), 0) + int(match.group(2))
    return Known(found)

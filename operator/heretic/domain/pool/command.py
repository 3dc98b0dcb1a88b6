"""How the gluster command line is called.

Two cluster-wide transactions at once do not wait for each other: one fails with "Another transaction is in
progress", or silently leaves a volume out of its answer. So every call that takes a transaction first takes a lock
on its host; glusterd's own folder serves as the lock, because it is there wherever gluster is.
"""

from heretic.domain.commands import Command

_LOCK = "/var/lib/glusterd"

ASKING = 20
"""Seconds for a question. glusterd needs one or two; while it still believes in a dead peer it needs 120."""
CHANGING = 55
"""Seconds for a change."""
_QUEUE = 15
"""Seconds to wait for another call on the same host."""

SETTLE = Command(("sleep", "3"))
"""After a change: the time in which a process that glusterd started opens its port and reports to glusterd."""


def local(*arguments: str) -> tuple[str, ...]:
    """The argv of a call that glusterd answers from its own memory."""
    return ("gluster", "--mode=script", *arguments)


def transaction(*arguments: str) -> tuple[str, ...]:
    """The argv of a call that all connected peers take part in, one at a time on its host."""
    return ("flock", "-w", str(_QUEUE), _LOCK, *local(*arguments))

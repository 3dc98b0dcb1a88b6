"""Tells each host that this operator has taken over, before it looks at it for the first time.

So a late step of the operator before it is refused also by a host on which the new one has nothing to do.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from heretic.api.v1alpha1 import Mode, Node, Site
from heretic.domain.declared.mode import mode_of
from heretic.domain.errors import Failure
from heretic.hosts.connections import Hosts
from heretic.hosts.fence import Fence
from heretic.hosts.settings import HostSettings
from heretic.reconcile.gates import is_paused
from heretic.reconcile.leadership import Leadership

log = logging.getLogger(__name__)


class Announcements(Protocol):
    """Where announcements are written down."""

    def announcement(self, host: str, fence: Fence, *, outcome: str, seconds: float) -> None:
        """Records one, with what the host answered."""


class Announcer:
    """Tells hosts of a new fencing token, once each.

    Args:
        hosts: The SSH connections.
        leader: Whose token it is.
        audit: Where it is written down.
        monotonic: Seconds.
        kill_switch: A file on this machine; while it exists, nothing is changed.
    """

    def __init__(
        self,
        hosts: Hosts,
        leader: Leadership,
        audit: Announcements,
        *,
        monotonic: Callable[[], float],
        kill_switch: Path | None = None,
    ) -> None:
        self._hosts = hosts
        self._leader = leader
        self._audit = audit
        self._monotonic = monotonic
        self._kill_switch = kill_switch
        self._told: dict[str, tuple[str, str, int]] = {}
        self._said: dict[str, str] = {}

    async def announce(self, settings: HostSettings, node: Node, site: Site | None) -> None:
        """Tells one host, where it does not know yet and something may be changed on it.

        Raises:
            HereticError: The host cannot be reached.
        """
        fence = self._leader.fence()
        uid = node.metadata.uid
        if not isinstance(fence, Fence) or self._told.get(settings.name) == (uid, settings.address, fence.token):
            return
        if mode_of(node, site) is not Mode.APPLY or is_paused(node, site, self._kill_switch):
            return
        begun = self._monotonic()
        answer = await self._hosts.announce(settings, self._leader)
        outcome = "Done" if isinstance(answer, Fence) else f"Failed: {answer.reason.value}: {answer.message}"
        self._audit.announcement(settings.name, fence, outcome=outcome, seconds=self._monotonic() - begun)
        if isinstance(answer, Fence):
            self._told[settings.name] = (uid, settings.address, answer.token)
            self._said.pop(settings.name, None)
        else:
            self._refused(settings.name, answer)

    def forget(self, name: str) -> None:
        """A Node is gone.

        That it was told is not forgotten: a pass that had begun before must not tell it once more. A new Node of this
        name has another uid.
        """
        self._said.pop(name, None)

    def _refused(self, host: str, failure: Failure) -> None:
        if self._said.get(host) != failure.message:
            log.warning("this operator could not announce itself: %s", failure.message)
        self._said[host] = failure.message

"""Whether a site can bear that a host is taken out of service: every kind is asked, on two looks a minute apart."""

from collections.abc import Callable, Iterable
from itertools import chain

from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.kind import Kinds, Needs, Observed
from heretic.domain.plan import PlanItem, Wait
from heretic.reconcile.look import ask
from heretic.reconcile.observer import Observer

APART = 60.0
"""Seconds between the two looks (rule:healed-twice)."""

KEPT = 300.0
"""Seconds for which a look counts as the earlier one."""

AGAIN = 30.0
"""Seconds until a host that may not go is asked for again."""


class Outages:
    """Judges outages, and remembers what was seen at the judgements before.

    Args:
        kinds: Whose objects are asked.
        observer: Looks at the hosts.
        monotonic: Seconds.
    """

    def __init__(self, kinds: Kinds, observer: Observer, *, monotonic: Callable[[], float]) -> None:
        self._rules = tuple(kind.outage for kind in kinds.values() if kind.outage is not None)
        self._observer = observer
        self._monotonic = monotonic
        self._looks: dict[str, list[tuple[float, Observed]]] = {}

    async def against(self, namespace: str, view: SiteView, node: str) -> Wait | None:
        """Why a host may not be taken out of service now.

        Args:
            namespace: Of the site.
            view: The declared site.
            node: The host.

        Returns:
            What is waited for; None when the host may go.
        """
        if not self._rules:
            return None
        at = self._monotonic()
        looks = [(t, seen) for t, seen in self._looks.get(namespace, []) if at - t <= KEPT]
        now = await self._look(namespace, view)
        before = [(t, seen) for t, seen in looks if at - t >= APART]
        # Not more often than that: the newest of those that are old enough is the one that counts.
        if not looks or at - looks[-1][0] >= APART / 2:
            looks.append((at, now))
        self._looks[namespace] = looks
        earlier = before[-1][1] if before else now
        reasons = tuple(chain.from_iterable(rule.against(node, view, now, earlier) for rule in self._rules))
        if reasons:
            message = f"{node} is not taken out of service: {'; '.join(reasons)}"
            return Wait(Reason.MAINTENANCE_UNSAFE, message, AGAIN)
        if before:
            return None
        rest = APART - (at - looks[0][0])
        message = (
            f"{node} is taken out of service when a second look, {APART:.0f} s after the first, finds the site as whole"
        )
        return Wait(Reason.MAINTENANCE_UNSAFE, message, rest)

    async def before(self, namespace: str, view: SiteView, node: str) -> tuple[PlanItem, ...]:
        """What is done before a host goes: nothing once it is done.

        Args:
            namespace: Of the site.
            view: The declared site.
            node: The host, which may go.
        """
        if not self._rules:
            return ()
        now = await self._look(namespace, view)
        return tuple(chain.from_iterable(rule.before(node, view, now) for rule in self._rules))

    async def _look(self, namespace: str, view: SiteView) -> Observed:
        """A fresh look at all that the rules need."""
        needs = _together(rule.needs(view) for rule in self._rules)
        hosts = await self._observer.hosts(namespace, view, needs.hosts, 0.0)
        return await ask(needs, namespace, view, hosts, self._observer, 0.0)


def _together(needs: Iterable[Needs]) -> Needs:
    wanted = tuple(needs)
    hosts = frozenset[str]().union(*(n.hosts for n in wanted))
    shared = tuple(dict.fromkeys(chain.from_iterable(n.shared for n in wanted)))
    return Needs(hosts, shared, next((n.engine for n in wanted if n.engine), ""))

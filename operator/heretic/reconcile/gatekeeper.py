"""Asks all gates in their order, and holds the disruption slot for as long as an object needs it."""

from collections.abc import Callable
from datetime import datetime

from heretic.api.v1alpha1 import Mode, Resource
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.plan import Plan, Proceed, Wait
from heretic.reconcile import gates
from heretic.reconcile.outages import Outages
from heretic.reconcile.slot import DisruptionSlots
from heretic.reconcile.store import Key


class Gatekeeper:
    """Which steps of a plan may run now.

    Args:
        slots: The disruption slot of each site.
        outages: Whether a site can bear that a host is out.
        now: Wall clock.
    """

    def __init__(self, slots: DisruptionSlots, outages: Outages, *, now: Callable[[], datetime]) -> None:
        self._slots = slots
        self._outages = outages
        self._now = now

    async def pass_through(
        self, key: Key, resource: Resource, view: SiteView, plan: Plan, *, mode: Mode, paused: bool
    ) -> gates.Passed:
        """The steps that may run now, and why the others may not.

        Args:
            key: The object.
            resource: It, as the pass sees it.
            view: The declared site.
            plan: Its next steps.
            mode: In force for it.
            paused: Whether nothing may be changed for it.

        Raises:
            HereticError: The API server did not answer.
        """
        passed = self._may_run(resource, view, plan, mode=mode, paused=paused)
        if gates.disruptive_of(passed.steps):
            return await self._with_slot(key, view, passed)
        if isinstance(plan, Wait) and plan.keeps_slot and mode is Mode.APPLY and not paused:
            # Not more than it had: an object that lost the slot meanwhile waits all the same.
            await self._slots.take(key)
        elif not passed.steps:
            await self._slots.release(key)
        return passed

    def _may_run(self, resource: Resource, view: SiteView, plan: Plan, *, mode: Mode, paused: bool) -> gates.Passed:
        if not isinstance(plan, Proceed):
            return gates.Passed(())
        if held := gates.check_declared(view):
            return gates.Passed((), held)
        if mode is not Mode.APPLY or paused:
            return gates.Passed(())
        passed = gates.check_approval(resource, plan)
        passed = gates.check_maintenance(passed, view)
        passed = gates.check_engine(passed, view)
        passed = gates.check_window(passed, view.site.spec.windows if view.site else (), self._now())
        return gates.check_one_target(passed)

    async def _with_slot(self, key: Key, view: SiteView, passed: gates.Passed) -> gates.Passed:
        holder = await self._slots.take(key)
        passed = gates.check_slot(passed, held_by_us=holder is None, holder=holder or "")
        for node, outage in gates.outages_of(passed.steps).items():
            # A host that is claimed may be out by now: it was asked for before, and there is no way back.
            own = tuple(s for s in passed.steps if s.outage and s.outage.node == node)
            if self._slots.claimed(key) != node or outage.ends_with_step:
                against = await self._outages.against(key.namespace, view, node)
                if against is not None or not await self._slots.claim(key, outage):
                    held = against or Wait(Reason.WAITING_FOR_SLOT, "the site's disruption slot was lost", 10.0)
                    passed = passed.without(own, held)
                    continue
            if before := await self._outages.before(key.namespace, view, node):
                passed = passed.behind(before, own)
        if not gates.disruptive_of(passed.steps):
            await self._slots.release(key)
        return passed
